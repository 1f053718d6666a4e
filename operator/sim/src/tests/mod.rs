//! The world against the common behaviours, and the engine against the world.

mod behaviours;
mod drift;
mod plans;
mod planted;
mod runs;
