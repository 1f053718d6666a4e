//! AWS over the wire: facts, observation and one call per op.
