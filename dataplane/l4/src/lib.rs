//! Renders and installs nftables.
