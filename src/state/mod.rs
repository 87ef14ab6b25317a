//! The document: what a state file says, exact to the byte. No I/O, no clock, no terminal.

pub mod address;
pub mod path;
pub mod provider;
pub mod scan;
pub mod upgrade;
pub mod value;
