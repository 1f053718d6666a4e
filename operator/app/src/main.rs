//! The operator's binary: commands, queue, metrics and wiring.

fn main() {}
