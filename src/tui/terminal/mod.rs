//! The terminal: taken over, drawn on, and given back whatever happens.
//!
//! All that knows of crossterm is in here.

mod guard;
mod input;
mod output;

pub(crate) use guard::{Guard, release, retake, take_panic};
pub(crate) use input::read_keys;
pub(crate) use output::Output;
