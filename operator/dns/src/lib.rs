//! Records, zones and their ownership.
