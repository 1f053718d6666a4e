//! Snapshot to intent: which objects are members of which stack, and what each asks for.
