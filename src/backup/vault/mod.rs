//! Where the objects of a repository are: a folder, or a prefix in a store of objects.
//!
//! Everything in a repository is written once under a name of its own and never changed, so this
//! asks less than a [`Store`](crate::store::Store) does: nothing is ever replaced. A folder is no
//! `Store` of local states either, which writes in place as Terraform's locks want it; here a file
//! is synced under another name first.

mod ahead;
mod folder;
mod stored;

use std::fmt;

use jiff::Timestamp;

use super::Error;

pub use folder::Folder;
pub use stored::Stored;

/// A place that keeps the objects of a repository under keys such as `s/STREAM/NAME.tfb`.
pub trait Vault: fmt::Debug + Send + Sync {
    /// Returns what to call a key when talking to the user; the empty key is the whole place.
    fn name(&self, key: &str) -> String;

    /// Returns what is the same for the same place by whatever way it was named.
    fn place(&self) -> String {
        self.name("")
    }

    /// Reads an object; nothing where there is none.
    fn read(&self, key: &str) -> Result<Option<Vec<u8>>, Error>;

    /// Reads at most the first `len` bytes of an object; nothing where there is none.
    fn start(&self, key: &str, len: u64) -> Result<Option<Vec<u8>>, Error>;

    /// Creates an object, whole or not at all, and durably once this returns.
    fn create(&self, key: &str, bytes: &[u8]) -> Result<Created, Error>;

    /// Creates an object as [`create`](Self::create) does, under a key that was made up for it, of random
    /// digits or the hash of its bytes: nothing else can be there, so that a place need not look.
    fn add(&self, key: &str, bytes: &[u8]) -> Result<Created, Error> {
        self.create(key, bytes)
    }

    /// Deletes an object, durably once this returns; one that is not there counts as deleted.
    fn delete(&self, key: &str) -> Result<(), Error>;

    /// Returns every object whose key begins with `prefix`, which ends with a slash, in no
    /// particular order. Leftovers of interrupted writes are no objects.
    fn list(&self, prefix: &str) -> Result<Vec<Object>, Error>;

    /// Says that each of these prefixes is to be listed soon, so that a place can begin with all of
    /// them: the next list of one then shows what was there at some moment between this and that.
    fn expect(&self, _prefixes: &[&str]) {}

    /// Removes what interrupted writes left behind before `before`, and returns how much of it.
    fn sweep(&self, before: Timestamp) -> Result<usize, Error>;

    /// Returns whether reading costs so little that a backup may look at whole earlier snapshots.
    fn is_near(&self) -> bool;
}

/// What became of an object that was to be created.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Created {
    /// It is there now.
    New,
    /// Something was there before, and still is.
    Exists,
}

/// An object as a listing shows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Object {
    /// Its key.
    pub key: String,
    /// How many bytes it holds.
    pub len: u64,
    /// When it was written by the clock of the place, where that says so.
    pub modified: Option<Timestamp>,
    /// A tag that is another for other bytes, where the place has such.
    pub tag: Option<String>,
}
