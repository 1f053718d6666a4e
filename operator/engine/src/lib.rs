//! The loop around evaluate, and the one executor of plans.
