//! The node's binary: watch, compute the node program, install it.

fn main() {}
