//! The document: what a state file says, exact to the byte. No I/O, no clock, no terminal.
pub mod path;
pub mod scan;
pub mod value;
