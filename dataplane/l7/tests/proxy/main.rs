//! The proxy between real sockets on loopback.

#[cfg(test)]
mod http;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tls;
