//! Where states live: what a reference names, and the bytes that are there.
//!
//! [`Location::resolve`] turns what the user wrote into a place; [`read()`] brings its bytes,
//! decompressed, and the name to call it by. This build knows files, standard input, files in a git
//! revision and Terraform's working directories with local state; other places are refused by name
//! ([`Error::Unsupported`], [`Error::Backend`]), and become further variants of [`Location`].

mod compression;
mod error;
mod git;
mod location;
mod read;
mod workspace;

pub use error::Error;
pub use location::{Context, Location};
pub use read::{Access, Content, read};
