//! AWS, Route 53 and a cluster in memory, with the real rules and seeded faults.
