//! Where states live: what a reference names, and the bytes that are there.
//!
//! [`Location::resolve`] turns what the user wrote into a place; [`read()`] brings its bytes,
//! decompressed, and the name to call it by. This build knows files, standard input, files in a git
//! revision and Terraform's working directories with local state; other places are refused by name
//! ([`Error::Unsupported`], [`Error::Backend`]), and become further variants of [`Location`].

pub mod backend;
mod compression;
mod connect;
mod contract;
mod error;
mod git;
#[cfg(feature = "remote")]
mod http;
mod local;
mod location;
pub mod lock;
mod memory;
#[cfg(feature = "remote")]
mod object;
#[cfg(feature = "remote")]
mod pg;
mod read;
#[cfg(feature = "remote")]
mod runtime;
mod workspace;

pub use backend::Backend;
pub use connect::connect;
pub use contract::{Body, Entry, Expected, Found, Guarantee, Guarantees, Revision, Store, Version};
pub use error::{Cause, Error, Problem};
pub use location::{Context, Location};
pub use lock::{Held, Holder, LockInfo, Locks};
pub use memory::Memory;
pub use read::{Access, Content, read};
