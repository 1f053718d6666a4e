//! Raw sockets, netlink and socket options: the only crate with unsafe code.
