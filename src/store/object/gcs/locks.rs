//! Locks: an object beside the state, which only one can create.
//!
//! What releases a lock is the generation of its object, not the id that is written in it.

use std::fmt;

use super::bucket::{self, Bucket, is_precondition};
use super::requests::Resource;
use crate::store::object::certainty::{self, Outcome};
use crate::store::object::error::Fault;
use crate::store::{Error, Held, Holder, LockInfo, Locks, Store};

impl Locks for Bucket {
    fn acquire(&self, key: &str, info: &LockInfo) -> Result<Box<dyn Held>, Error> {
        let lock = object(key);
        let info = LockInfo { path: self.name(&lock), ..info.clone() };
        let generation = self.run(key, self.create(key, &lock, &info))?;
        let (bucket, key) = (self.clone(), key.to_owned());
        Ok(Box::new(Lock { bucket, key, generation, is_held: true }))
    }

    fn holder(&self, key: &str) -> Result<Holder, Error> {
        self.run(key, self.look_for_holder(key))
    }

    fn break_lock(&self, key: &str, id: &str) -> Result<(), Error> {
        self.run(key, async {
            match self.lock_object(key).await? {
                None => Err(Error::NotLocked { what: self.name(key) }),
                Some((found, _)) if found != id => Err(self.other_lock(key, id, found)),
                Some((found, _)) => self.unlock(key, &found).await,
            }
        })
    }
}

/// Returns the object that locks a state: `default.tflock` beside `default.tfstate`.
fn object(key: &str) -> String {
    format!("{}.tflock", key.strip_suffix(".tfstate").unwrap_or(key))
}

impl Bucket {
    fn other_lock(&self, key: &str, asked: &str, found: String) -> Error {
        Error::LockId { what: self.name(key), asked: asked.to_owned(), found }
    }

    /// Creates the object, and returns its generation.
    async fn create(&self, key: &str, lock: &str, info: &LockInfo) -> Result<String, Error> {
        let request = self.0.requests.lock(lock, info.to_json().as_bytes());
        let fault = match certainty::send(&self.0.client, request).await {
            Outcome::Done(answer) => match Resource::parse(answer.body()) {
                Ok(resource) => return Ok(resource.generation),
                Err(fault) => fault,
            },
            Outcome::Failed(fault) if !is_precondition(&fault) => {
                return Err(self.fault(fault, "lock", key));
            }
            Outcome::Failed(fault) | Outcome::Doubtful(fault) => fault,
        };
        let lost = |source: Fault| Error::Unknown { what: self.name(lock), source: source.into() };
        match self.lock_object(key).await {
            Err(_) if !is_precondition(&fault) => Err(lost(fault)),
            Err(error) => Err(error),
            Ok(Some((generation, bytes))) => match LockInfo::from_json(&bytes) {
                // An answer was lost, and the lock is this one.
                Some(found) if found.id == info.id => Ok(generation),
                _ => {
                    let holder = Box::new(self.holder_of(key, generation, &bytes));
                    Err(Error::Locked { what: self.name(key), holder })
                }
            },
            // A request on its way may still arrive.
            Ok(None) if matches!(fault, Fault::TimedOut(_)) => Err(lost(fault)),
            // It was released just now.
            Ok(None) if is_precondition(&fault) => {
                let why = "the lock was released this moment".to_owned();
                let holder = Box::new(Holder::Unnamed { why });
                Err(Error::Locked { what: self.name(key), holder })
            }
            Ok(None) => Err(self.fault(fault, "lock", key)),
        }
    }

    /// Returns the generation of the lock, and what is written in it.
    async fn lock_object(&self, key: &str) -> Result<Option<(String, Vec<u8>)>, Error> {
        let request = self.0.requests.content(&object(key), None);
        let answer = match self.0.client.send(request).await {
            Err(fault) if fault.is_not_found() => return Ok(None),
            Err(fault) => return Err(self.fault(fault, "read the lock of", key)),
            Ok(answer) => answer,
        };
        let Some(generation) = bucket::header(answer.headers(), "x-goog-generation") else {
            let fault = Fault::Damaged("the answer names no generation".to_owned());
            return Err(self.fault(fault, "read the lock of", key));
        };
        Ok(Some((generation.to_owned(), answer.body().to_vec())))
    }

    fn holder_of(&self, key: &str, generation: String, bytes: &[u8]) -> Holder {
        if let Some(info) = LockInfo::from_json(bytes) {
            return Holder::Somebody { id: generation, info };
        }
        let lock = self.name(&object(key));
        let why = format!("{lock} is not readable as a lock; its id is {generation}");
        Holder::Unnamed { why }
    }

    async fn look_for_holder(&self, key: &str) -> Result<Holder, Error> {
        let found = self.lock_object(key).await?;
        Ok(found.map_or(Holder::Nobody, |(id, bytes)| self.holder_of(key, id, &bytes)))
    }

    /// Deletes the object, if it is of this generation.
    async fn unlock(&self, key: &str, generation: &str) -> Result<(), Error> {
        let request = self.0.requests.delete(&object(key), generation);
        let (fault, lost) = match certainty::send(&self.0.client, request).await {
            Outcome::Done(_) => return Ok(()),
            Outcome::Failed(fault) => (fault, false),
            Outcome::Doubtful(fault) => (fault, true),
        };
        if fault.is_not_found() {
            let gone = Err(Error::NotLocked { what: self.name(key) });
            return if lost { Ok(()) } else { gone };
        }
        if !is_precondition(&fault) {
            return Err(self.fault(fault, "unlock", key));
        }
        match self.lock_object(key).await? {
            Some((found, _)) => Err(self.other_lock(key, generation, found)),
            None => Err(Error::NotLocked { what: self.name(key) }),
        }
    }
}

/// A lock that is held.
struct Lock {
    bucket: Bucket,
    key: String,
    generation: String,
    is_held: bool,
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lock({} of {})", self.generation, self.bucket.name(&self.key))
    }
}

impl Lock {
    fn give_back(&mut self) -> Result<(), Error> {
        self.is_held = false;
        self.bucket.run(&self.key, self.bucket.unlock(&self.key, &self.generation))
    }
}

impl Held for Lock {
    fn id(&self) -> &str {
        &self.generation
    }

    fn release(mut self: Box<Self>) -> Result<(), Error> {
        self.give_back()
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.is_held
            && let Err(error) = self.give_back()
        {
            tracing::warn!(%error, "the lock is left behind");
        }
    }
}
