//! Locks, in the protocol that Terraform speaks with each store.
//!
//! `tfstate-format`: Terraform writes its lock as compact JSON, in the order of [`LockInfo`]'s
//! fields, without a newline.

use std::fmt;

use super::Error;

/// What a lock says of its holder, as Terraform writes it.
#[derive(Clone, Debug, Default, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct LockInfo {
    /// What releases the lock: a random UUID.
    #[serde(rename = "ID")]
    pub id: String,
    /// What is being done: `OperationTypeApply`, `state-push`.
    pub operation: String,
    /// What else the holder wanted to say.
    pub info: String,
    /// `user@host`.
    pub who: String,
    /// The version of the program that holds it.
    pub version: String,
    /// Since when: RFC 3339 in UTC, with up to nine digits of a second.
    pub created: String,
    /// What is locked, as the protocol of the store words it.
    pub path: String,
}

/// The locks of a store.
pub trait Locks: fmt::Debug + Send + Sync {
    /// Takes the lock of a key, or fails at once.
    ///
    /// `info` says who asks and what for; the store fills in `path`, and `id` where its protocol
    /// has ids of its own.
    ///
    /// # Errors
    ///
    /// [`Error::Locked`] where somebody else holds it.
    fn acquire(&self, key: &str, info: &LockInfo) -> Result<Box<dyn Held>, Error>;

    /// Returns who holds the lock of a key.
    fn holder(&self, key: &str) -> Result<Holder, Error>;

    /// Breaks the lock of a key, if it has this id.
    ///
    /// # Errors
    ///
    /// [`Error::LockId`] where another lock is held, [`Error::NotLocked`] where none is,
    /// [`Error::Unbreakable`] where the protocol has no way to take a lock from its holder.
    fn break_lock(&self, key: &str, id: &str) -> Result<(), Error>;
}

/// A lock that is held. Dropping it releases it too, but can't say whether that worked.
pub trait Held: fmt::Debug + Send {
    /// Returns what releases it, for [`Body::lock`](super::Body::lock) and [`Locks::break_lock`].
    fn id(&self) -> &str;

    /// Releases it.
    ///
    /// # Errors
    ///
    /// [`Error::LockId`] where somebody broke the lock meanwhile and another one is held now.
    fn release(self: Box<Self>) -> Result<(), Error>;
}

/// Who holds a lock.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Holder {
    /// Nobody.
    Nobody,
    /// This one. `id` is what breaks the lock, which is not always the one in the info.
    Somebody {
        /// What breaks the lock.
        id: String,
        /// What the holder wrote.
        info: LockInfo,
    },
    /// Somebody, of whom the protocol, or a damaged note, says nothing more.
    Unnamed {
        /// What is known, for people.
        why: String,
    },
}
