//! The one road to a write: lock, read, check, keep a copy, replace, read back, unlock.
//!
//! Every command that changes a state where it lives goes through [`Session`], so that none can
//! forget a step. A session that is dropped before [`Session::replace`] has changed nothing; its
//! lock is released on every way out.

use std::sync::Arc;

use super::lock::{self, Wait};
use crate::state::bytes::Bytes;
use crate::state::document::Document;
use crate::state::parse::ParseError;
use crate::store::{self, Body, Cause, Expected, Found, Held, Location, LockInfo, Store, Version};

/// A state in a store.
#[derive(Clone, Debug)]
pub struct Target {
    /// The store.
    pub store: Arc<dyn Store>,
    /// What the state is kept under.
    pub key: String,
    /// Text that stays the same for this state, by which its snapshots are found.
    pub uri: String,
}

impl Target {
    /// Returns the state at a location.
    ///
    /// # Errors
    ///
    /// [`store::Error::NotAHome`] where no state lives: standard input, a revision, a snapshot.
    pub fn of(location: &Location) -> Result<Self, store::Error> {
        let place = location.home()?;
        Ok(Self { store: place.store, key: place.key, uri: location.uri()? })
    }

    /// Returns a key of a store, which is called by its name.
    pub fn of_store(store: Arc<dyn Store>, key: &str) -> Self {
        let uri = store.name(key);
        Self { store, key: key.to_owned(), uri }
    }

    /// Returns what to call it when talking to the user.
    pub fn name(&self) -> String {
        self.store.name(&self.key)
    }
}

/// Whether the state is locked meanwhile.
#[derive(Clone, Copy, Debug)]
pub enum Locking<'a> {
    /// It is.
    On {
        /// Who asks, and what for.
        info: &'a LockInfo,
        /// How long to wait for the lock.
        wait: Wait<'a>,
    },
    /// It is not: somebody asked for that.
    Off,
}

/// What keeps a copy of a state before it is replaced.
pub trait Keep {
    /// Keeps the bytes, and returns where, in words that tell how to get them back.
    fn keep(&self, target: &Target, bytes: &Bytes) -> Result<String, Cause>;

    /// Keeps what was written in their place, where else the newest copy would be taken for what is
    /// there; nothing where copies are not told apart by their age.
    fn keep_written(&self, _target: &Target, _bytes: &[u8]) -> Option<Result<String, Cause>> {
        None
    }
}

/// A state that was not changed as it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store did not do what was asked; the state is as it was, unless this says otherwise.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// No copy could be kept, so the state was not touched.
    #[error("cannot keep a copy of {what}, so it was not touched")]
    Keep {
        /// The state's name.
        what: String,
        /// Why not.
        source: Cause,
    },
    /// The store changed something, and not all that belongs to it.
    #[error("{error}")]
    HalfWritten {
        /// What became of it.
        error: Box<store::Error>,
        /// Where the copy of what was there before is.
        kept: Option<String>,
    },
    /// What is in the store now is not what was written.
    #[error("{what} does not hold what was written to it")]
    NotWritten {
        /// The state's name.
        what: String,
        /// Where the copy of what was there before is.
        kept: Option<String>,
        /// What reading it back failed with, if it did.
        source: Option<Box<store::Error>>,
    },
    /// The lock could not be released, after all else was done.
    #[error("{}cannot release the lock of {what}", if *written { "the state was written, but " } else { "" })]
    Unlock {
        /// The state's name.
        what: String,
        /// The lock's id.
        id: String,
        /// Whether the state was written before.
        written: bool,
        /// Where the copy of what was there before is.
        kept: Option<String>,
        /// Why not.
        source: Box<store::Error>,
    },
    /// Something failed, and then the lock could not be released either.
    #[error("{error}")]
    Stuck {
        /// What failed.
        error: Box<Error>,
        /// The lock's id.
        id: String,
        /// Why the lock stays.
        source: Box<store::Error>,
    },
}

/// What was there when the lock was taken.
#[derive(Debug)]
pub enum Live {
    /// No state.
    Nothing,
    /// This state.
    State(Box<Document>),
    /// Bytes that are no state.
    Broken(Bytes, ParseError),
}

/// Whether Terraform's rules are heeded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rules {
    /// They are.
    Heeded,
    /// They are not, and a live state that can't be read is replaced too.
    Overruled,
}

/// What became of a state.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Report {
    /// Where the copy of what was there before is, if there was something.
    pub kept: Option<String>,
    /// Whether the store holds other bytes than before.
    pub written: bool,
    /// Where the copy of what was written is, or why there is none; nothing where none was wanted.
    pub after: Option<Result<String, String>>,
}

impl Report {
    /// Returns what there is to say where nothing was written.
    pub fn untouched() -> Self {
        Self { kept: None, written: false, after: None }
    }
}

/// A state that is locked and was read, and may be replaced once.
#[derive(Debug)]
pub struct Session {
    target: Target,
    held: Option<Box<dyn Held>>,
    before: Found,
    live: Live,
    /// Whether what is there is not what its digest is of, so that nobody can read it.
    is_doubted: bool,
}

impl Session {
    /// Locks a state and reads it.
    ///
    /// Where only its digest is left of it, there is no state; one that is not what its digest is of is
    /// taken as it is where the rules are overruled. Replacing either puts its digest right.
    pub fn open(target: Target, locking: Locking<'_>, rules: Rules) -> Result<Self, Error> {
        let held = match (locking, target.store.locks()) {
            (Locking::On { info, wait }, Some(locks)) => {
                Some(lock::acquire(locks, &target.key, info, wait)?)
            }
            _ => None,
        };
        let may_be = |found: &Found| found.bytes().is_none() || rules == Rules::Overruled;
        let (before, is_doubted) = match target.store.read(&target.key) {
            Ok(before) => (before, false),
            Err(store::Error::Digest { found, .. }) if may_be(&found) => (*found, true),
            Err(error) => return Err(give_up(error.into(), held)),
        };
        let live = match &before {
            Found::Nothing | Found::Empty(_) => Live::Nothing,
            Found::Bytes(bytes, _) => match Document::parse(bytes.clone()) {
                Ok(document) => Live::State(Box::new(document)),
                Err(error) => Live::Broken(bytes.clone(), error),
            },
        };
        Ok(Self { target, held, before, live, is_doubted })
    }

    /// Returns what is there.
    pub fn live(&self) -> &Live {
        &self.live
    }

    /// Returns whether what is there is not what its digest is of, so that it has to be written again
    /// even where it is what it should be.
    pub fn is_doubted(&self) -> bool {
        self.is_doubted
    }

    /// Returns whether the state is locked by this session.
    pub fn is_locked(&self) -> bool {
        self.held.is_some()
    }

    /// Puts other bytes in the place of what was read, and ends the session.
    ///
    /// What was there is kept first. Bytes that are there already are not written again.
    pub fn replace(self, bytes: &[u8], keep: &dyn Keep) -> Result<Report, Error> {
        match self.put(bytes, keep) {
            Ok(report) => self.unlock(report.written, report.kept.clone()).map(|()| report),
            Err(error) => Err(give_up(error, self.held)),
        }
    }

    /// Ends the session with nothing changed, and hands out what is there.
    pub fn leave(mut self) -> Result<Live, Error> {
        let live = std::mem::replace(&mut self.live, Live::Nothing);
        self.unlock(false, None)?;
        Ok(live)
    }

    fn put(&self, bytes: &[u8], keep: &dyn Keep) -> Result<Report, Error> {
        let is_there = matches!(&self.before, Found::Bytes(before, _) if **before == *bytes);
        if is_there && !self.is_doubted {
            return Ok(Report::untouched());
        }
        let kept = self.kept(keep)?;
        self.write(bytes, kept.as_deref())?;
        let after = keep.keep_written(&self.target, bytes);
        let after = after.map(|kept| kept.map_err(|cause| in_one_line(&*cause)));
        Ok(Report { kept, written: true, after })
    }

    fn kept(&self, keep: &dyn Keep) -> Result<Option<String>, Error> {
        let Found::Bytes(before, _) = &self.before else { return Ok(None) };
        let kept = keep.keep(&self.target, before);
        kept.map(Some).map_err(|source| Error::Keep { what: self.target.name(), source })
    }

    /// Writes and reads back. A write whose answer was lost is judged by what is there after it.
    fn write(&self, bytes: &[u8], kept: Option<&str>) -> Result<(), Error> {
        let nothing = Version::default();
        let expected = match &self.before {
            Found::Nothing => Expected::Nothing,
            Found::Empty(version) | Found::Bytes(_, version) => Expected::Version(version),
        };
        debug_assert!(expected != Expected::Version(&nothing), "a store names what it holds");
        let lock = self.held.as_deref().map(Held::id);
        let kept = kept.map(str::to_owned);
        match self.target.store.write(&self.target.key, &Body { bytes, expected, lock }) {
            Ok(_) | Err(store::Error::Unknown { .. }) => {}
            Err(error @ (store::Error::HalfWritten { .. } | store::Error::Undigested { .. })) => {
                return Err(Error::HalfWritten { error: Box::new(error), kept });
            }
            Err(error) => return Err(error.into()),
        }
        let what = self.target.name();
        match self.target.store.read(&self.target.key) {
            Ok(Found::Bytes(found, _)) if *found == *bytes => Ok(()),
            Ok(_) => Err(Error::NotWritten { what, kept, source: None }),
            Err(error) => Err(Error::NotWritten { what, kept, source: Some(Box::new(error)) }),
        }
    }

    fn unlock(self, written: bool, kept: Option<String>) -> Result<(), Error> {
        let Some(held) = self.held else { return Ok(()) };
        let (what, id) = (self.target.name(), held.id().to_owned());
        held.release().map_err(|error| {
            let source = Box::new(error);
            Error::Unlock { what, id, written, kept, source }
        })
    }
}

/// Returns an error and its sources in one line.
fn in_one_line(error: &(dyn std::error::Error + 'static)) -> String {
    let errors = std::iter::successors(Some(error), |error| error.source());
    errors.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Releases the lock of a session that failed: who only drops it can't say that it stays.
fn give_up(error: Error, held: Option<Box<dyn Held>>) -> Error {
    let Some(held) = held else { return error };
    let id = held.id().to_owned();
    match held.release() {
        // Somebody broke it meanwhile, so nothing of it stays.
        Ok(()) | Err(store::Error::NotLocked { .. } | store::Error::LockId { .. }) => error,
        Err(source) => Error::Stuck { error: Box::new(error), id, source: Box::new(source) },
    }
}

#[cfg(test)]
pub(super) mod tests;
