//! Locks of files, as Terraform takes them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::guarded::{Guarded, Missing, holder};
use super::{Local, note};
use crate::store::{Error, Held, Holder, LockInfo, Locks, Store};

/// The locks that are held through one store, by key: what is locked must be read and written
/// through the descriptor that locked it.
#[derive(Clone, Debug, Default)]
pub(super) struct Registry(Arc<Mutex<BTreeMap<String, Entry>>>);

#[derive(Clone, Debug)]
struct Entry {
    id: String,
    file: Arc<Mutex<Guarded>>,
}

impl Registry {
    /// Returns the file of a lock that is held, if it is held with this id where one is given.
    pub(super) fn find(&self, key: &str, id: Option<&str>) -> Option<Arc<Mutex<Guarded>>> {
        let entries = locked(&self.0);
        let entry = entries.get(key).filter(|entry| id.is_none_or(|id| id == entry.id))?;
        Some(Arc::clone(&entry.file))
    }
}

/// What a panic left half done elsewhere does not change who holds a lock.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file that is locked.
struct Taken {
    registry: Registry,
    key: String,
    path: PathBuf,
    id: String,
}

impl Locks for Local {
    fn acquire(&self, key: &str, info: &LockInfo) -> Result<Box<dyn Held>, Error> {
        let path = self.path(key);
        let what = path.display().to_string();
        let guarded = Guarded::lock(&path, Missing::IsCreated)?;
        let info = LockInfo { path: what.clone(), ..info.clone() };
        if let Err(source) = note::write(&path, &info) {
            guarded.finish()?;
            return Err(Error::File { doing: "lock", what, source });
        }
        let entry = Entry { id: info.id.clone(), file: Arc::new(Mutex::new(guarded)) };
        locked(&self.held.0).insert(key.to_owned(), entry);
        let registry = self.held.clone();
        Ok(Box::new(Taken { registry, key: key.to_owned(), path, id: info.id }))
    }

    fn holder(&self, key: &str) -> Result<Holder, Error> {
        holder(&self.path(key))
    }

    fn break_lock(&self, key: &str, id: &str) -> Result<(), Error> {
        let what = self.name(key);
        match holder(&self.path(key))? {
            Holder::Nobody => Err(Error::NotLocked { what }),
            Holder::Somebody { id: found, .. } if found != id => {
                Err(Error::LockId { what, asked: id.to_owned(), found })
            }
            _ => {
                let why = "the lock of a file ends with the process that holds it, and not before";
                Err(Error::Unbreakable { what, why: why.to_owned() })
            }
        }
    }
}

impl Taken {
    fn end(&self) -> Result<(), Error> {
        let mut entries = locked(&self.registry.0);
        // Another thread may have locked it since this one was released.
        let is_own = entries.get(&self.key).is_some_and(|entry| entry.id == self.id);
        let entry = if is_own { entries.remove(&self.key) } else { None };
        drop(entries);
        let Some(entry) = entry else { return Ok(()) };
        let what = self.path.display().to_string();
        // Nobody else has it: what writes holds the store's borrow, and is done by now.
        let noted = note::remove(&self.path);
        if let Some(file) = Arc::into_inner(entry.file) {
            file.into_inner().unwrap_or_else(PoisonError::into_inner).finish()?;
        }
        noted.map_err(|source| Error::File { doing: "unlock", what, source })
    }
}

impl Held for Taken {
    fn id(&self) -> &str {
        &self.id
    }

    fn release(self: Box<Self>) -> Result<(), Error> {
        self.end()
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        // After a release there is nothing left to do; else this is the last chance.
        let _ended = self.end();
    }
}

impl fmt::Debug for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Taken")
            .field("path", &self.path)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
