//! Custom resources that Fairway reads and writes.
