//! The engine against a scripted world: what is written, in which order, and what is not.

mod looks;
mod queue;
mod toy;
