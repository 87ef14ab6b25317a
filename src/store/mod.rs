//! Where states live: what a reference names, and the bytes that are there.
//!
//! [`Location::resolve`] turns what the user wrote into a place, [`Location::resolve_many`] into
//! several; [`read()`] brings the bytes of one, decompressed, and the name to call it by. A place
//! is a file, standard input, a file in a git revision, a key of a [`Store`] or an earlier version
//! of one of these. The states of this computer are read as files, not through a store.
//!
//! `reference` reads URLs, `directory` finds the backend of a directory (in its record or, where
//! it was never initialised, in its configuration), `workspace` knows what each backend calls a
//! workspace's state, `many` resolves globs, `pages` lists by several requests at once and `earlier`
//! knows what follows an `@`.

pub mod backend;
mod compression;
mod connect;
mod contract;
mod directory;
mod earlier;
mod error;
mod git;
#[cfg(feature = "remote")]
mod http;
mod local;
mod location;
pub mod lock;
mod many;
mod memory;
#[cfg(feature = "remote")]
mod object;
mod pages;
#[cfg(feature = "remote")]
mod pg;
mod place;
mod problem;
mod read;
mod reference;
#[cfg(feature = "remote")]
mod runtime;
mod uri;
mod workspace;

pub use backend::Backend;
pub use connect::connect;
pub use contract::{Body, Entry, Expected, Found, Guarantee, Guarantees, Revision, Store, Version};
pub use earlier::Earlier;
pub use error::{Cause, Error};
pub(crate) use location::followed;
pub use location::{Context, Location};
pub use lock::{Held, Holder, LockInfo, Locks};
pub use memory::Memory;
pub use pages::{Cuts, Gather, Pages, list};
pub use place::{Place, Workspace};
pub use problem::Problem;
pub use read::{Access, Content, read};
