//! Writes what a state was to a new file, byte for byte.
//!
//! This takes no lock and does not raise the serial: the file is nobody's state yet.

use std::io;
use std::path::Path;

use super::{Error, Past};
use crate::base::fs;

/// Writes the file, which must not exist; it appears whole or not at all.
pub fn write(past: &Past, to: &Path) -> Result<(), Error> {
    fs::write_new(to, &past.bytes).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => Error::Exists { to: to.to_owned() },
        _ => Error::Write { to: to.to_owned(), source },
    })
}
