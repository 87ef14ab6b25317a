//! What every store promises.
//!
//! A store keeps bytes under keys. What a key is, is the store's own: an object's name in a
//! bucket, a path below a folder, the name of a workspace in a database; a store that holds one
//! state has the empty key. `tests/stores` holds every store against what is written here.

use std::fmt;

use jiff::Timestamp;

use super::{Error, Pages, lock};
use crate::state::bytes::Bytes;

/// A place that keeps bytes under keys.
///
/// Nothing here overwrites unconditionally: bytes are created where there are none, or replaced
/// where they are still the ones that were read.
pub trait Store: fmt::Debug + Send + Sync {
    /// Returns what to call a key when talking to the user: `s3://bucket/key`. Holds no credential.
    fn name(&self, key: &str) -> String;

    /// Returns what this store can be relied on for.
    fn guarantees(&self) -> Guarantees;

    /// Reads what is under a key; nothing where there is nothing.
    ///
    /// What is there but holds no bytes counts as nothing, as it does for Terraform; its version
    /// is then in [`Found::Empty`].
    fn read(&self, key: &str) -> Result<Found, Error>;

    /// Reads at most the first `len` bytes of what is under a key; nothing where there is nothing.
    ///
    /// Where only the whole content tells its version, and more than these bytes is there, the
    /// version names nothing. What comes is not compared with a digest of the whole. A `len` of 0
    /// counts as 1.
    fn read_start(&self, key: &str, len: u64) -> Result<Found, Error> {
        Ok(self.read(key)?.start(len))
    }

    /// Reads what was under a key in an earlier version, by the id from [`Store::versions`].
    fn read_version(&self, key: &str, id: &str) -> Result<Found, Error>;

    /// Returns what is known of a key without reading it.
    fn head(&self, key: &str) -> Result<Option<Entry>, Error>;

    /// Writes bytes under a key.
    ///
    /// # Errors
    ///
    /// [`Error::Changed`] where the key does not hold what is expected; nothing was written then.
    /// [`Error::Unknown`] where the store's answer was lost and reading back did not tell either.
    fn write(&self, key: &str, body: &Body<'_>) -> Result<Version, Error>;

    /// Writes bytes under a key that was made up for them, with random digits or their hash in it: what
    /// could be there is nothing else.
    ///
    /// So a store that can't be relied on to refuse what is there already is not asked before, and may
    /// replace it.
    fn add(&self, key: &str, bytes: &[u8]) -> Result<Version, Error> {
        self.write(key, &Body { bytes, expected: Expected::Nothing, lock: None })
    }

    /// Deletes what is under a key if it is still the version that was read.
    ///
    /// # Errors
    ///
    /// [`Error::Changed`] where it is another by now.
    fn delete(&self, key: &str, expected: &Version, lock: Option<&str>) -> Result<(), Error>;

    /// Calls `each` with every key that begins with `prefix`, in no particular order, until it
    /// returns an error.
    fn list(
        &self,
        prefix: &str,
        each: &mut dyn FnMut(Entry) -> Result<(), Error>,
    ) -> Result<(), Error>;

    /// Returns how to list from any key on; nothing where the store only lists from the front.
    fn pages(&self) -> Option<&dyn Pages> {
        None
    }

    /// Returns the versions of a key that the store still has, newest first.
    ///
    /// # Errors
    ///
    /// [`Error::NoVersions`] where it keeps none.
    fn versions(&self, key: &str) -> Result<Vec<Revision>, Error>;

    /// Returns the locks of this store, in the protocol that Terraform speaks with it; nothing
    /// where it has none, or where they are switched off.
    fn locks(&self) -> Option<&dyn lock::Locks>;
}

/// What a store can be relied on for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Guarantees {
    /// Of two that create one key at once, one is refused.
    pub create: Guarantee,
    /// Of two that replace one version at once, one is refused.
    pub replace: Guarantee,
}

/// How far a promise goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Guarantee {
    /// The store itself sees to it.
    Atomic,
    /// The store can't: it is checked just before, and only a lock makes it sure.
    UnderLock,
}

/// What names one content of a key.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Version {
    /// The store's tag of the content: an `ETag`, or a hash where the store has none.
    pub tag: Option<String>,
    /// The id under which the store keeps this content when it has been replaced: an S3 version,
    /// a GCS generation, an Azure version.
    pub id: Option<String>,
}

/// What is under a key.
#[derive(Clone, Debug)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// Something that holds no bytes.
    Empty(Version),
    /// These bytes.
    Bytes(Bytes, Version),
}

impl Found {
    /// Returns what is there where something is.
    pub(super) fn of(bytes: Vec<u8>, version: Version) -> Self {
        if bytes.is_empty() { Self::Empty(version) } else { Self::Bytes(bytes.into(), version) }
    }

    /// Returns the bytes where there are some.
    pub fn bytes(&self) -> Option<&Bytes> {
        match self {
            Self::Bytes(bytes, _) => Some(bytes),
            Self::Nothing | Self::Empty(_) => None,
        }
    }

    /// Returns what was found without what comes after the first `len` bytes.
    pub(super) fn start(self, len: u64) -> Self {
        let end = usize::try_from(len.max(1)).unwrap_or(usize::MAX);
        match self {
            Self::Bytes(bytes, version) if end < bytes.len() => {
                Self::Bytes(bytes[..end].into(), version)
            }
            found => found,
        }
    }
}

/// What is to be written.
#[derive(Clone, Copy, Debug)]
pub struct Body<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// What the key must hold for them to be written.
    pub expected: Expected<'a>,
    /// The id of the lock that is held, if one is; some stores refuse a write without it.
    pub lock: Option<&'a str>,
}

/// What a key must hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Expected<'a> {
    /// Nothing.
    Nothing,
    /// The version that was read.
    Version(&'a Version),
}

/// A key that a store lists.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// How many bytes it holds.
    pub len: u64,
    /// When it was written, where the store says.
    pub modified: Option<Timestamp>,
    /// The version that it holds.
    pub version: Version,
}

/// One version of a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Revision {
    /// The id for [`Store::read_version`].
    pub id: String,
    /// When it was written.
    pub modified: Timestamp,
    /// How many bytes it holds; 0 where it marks a deletion.
    pub len: u64,
    /// Whether it is what a plain read returns.
    pub is_current: bool,
    /// Whether the key was deleted by it.
    pub is_deletion: bool,
}
