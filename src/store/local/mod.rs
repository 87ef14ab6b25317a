//! The backend `local`: files on this computer.
//!
//! Terraform keeps a local state in one file, which it locks itself with a record lock and then
//! writes in place. So does this store: a file of a new name would leave a Terraform that waits
//! for the lock with one that nobody finds any more, and what it then writes would be lost.

mod guarded;
mod in_place;
mod lock;
mod note;
mod record_lock;
mod walk;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use guarded::{Guarded, Missing};
use jiff::Timestamp;

use super::{
    Body, Entry, Error, Expected, Found, Guarantee, Guarantees, Locks, Revision, Store, Version,
    backend,
};
use crate::base::fs;
use crate::state::bytes::Bytes;

/// Returns the store of these settings.
pub(super) fn connect(settings: &backend::Local) -> Arc<dyn Store> {
    let set = settings.path.clone().filter(|path| !path.as_os_str().is_empty());
    let state = set.unwrap_or_else(|| "terraform.tfstate".into());
    Arc::new(Local { state, held: lock::Registry::default() })
}

/// Files. The empty key is the state of the default workspace, every other is a path.
#[derive(Debug)]
struct Local {
    state: PathBuf,
    /// The locks that are held through this store.
    held: lock::Registry,
}

impl Local {
    fn path(&self, key: &str) -> PathBuf {
        if key.is_empty() { self.state.clone() } else { PathBuf::from(key) }
    }

    /// Does something to a file while nobody else may, with the lock that is held or with one
    /// that lasts only for this.
    fn locked<T>(
        &self,
        key: &str,
        lock: Option<&str>,
        act: impl FnOnce(&mut Guarded) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if let Some(id) = lock
            && let Some(held) = self.held.find(key, Some(id))
        {
            return act(&mut lock::locked(&held));
        }
        let mut guarded = Guarded::lock(&self.path(key), Missing::Stays)?;
        let result = act(&mut guarded)?;
        guarded.finish()?;
        Ok(result)
    }
}

impl Store for Local {
    fn name(&self, key: &str) -> String {
        self.path(key).display().to_string()
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees { create: Guarantee::Atomic, replace: Guarantee::Atomic }
    }

    fn read(&self, key: &str) -> Result<Found, Error> {
        let name = self.name(key);
        let path = self.path(key);
        if let Some(held) = self.held.find(key, None) {
            let guarded = lock::locked(&held);
            return if guarded.is_deleted() {
                Ok(Found::Nothing)
            } else {
                found(guarded.read()?, &name, &path)
            };
        }
        match super::read::settled(&path, &name, u64::MAX) {
            Ok((bytes, _)) => found(bytes, &name, &path),
            Err(Error::NotFound { .. }) => Ok(Found::Nothing),
            Err(error) => Err(error),
        }
    }

    fn read_start(&self, key: &str, len: u64) -> Result<Found, Error> {
        // Whoever closes a file gives up the locks on it.
        if self.held.find(key, None).is_some() {
            return Ok(self.read(key)?.start(len));
        }
        let (name, path) = (self.name(key), self.path(key));
        let most = len.max(in_place::KNOWN as u64);
        let (bytes, size) = match super::read::settled(&path, &name, most) {
            Ok(read) => read,
            Err(Error::NotFound { .. }) => return Ok(Found::Nothing),
            Err(error) => return Err(error),
        };
        if size <= most {
            return Ok(found(bytes, &name, &path)?.start(len));
        }
        check_finished(&bytes, &name, &path)?;
        // Only the whole file has a version.
        Ok(Found::of(bytes, Version::default()).start(len))
    }

    fn read_version(&self, key: &str, _id: &str) -> Result<Found, Error> {
        Err(no_versions(self.name(key)))
    }

    fn head(&self, key: &str) -> Result<Option<Entry>, Error> {
        let (len, version) = match self.read(key)? {
            Found::Nothing => return Ok(None),
            Found::Empty(version) => (0, version),
            Found::Bytes(bytes, version) => (bytes.len() as u64, version),
        };
        let modified = self.path(key).metadata().and_then(|found| found.modified()).ok();
        let modified = modified.and_then(|time| Timestamp::try_from(time).ok());
        Ok(Some(Entry { key: key.to_owned(), len, modified, version }))
    }

    fn write(&self, key: &str, body: &Body<'_>) -> Result<Version, Error> {
        let path = self.path(key);
        let is_new = path.symlink_metadata().is_err();
        if is_new && body.expected == Expected::Nothing {
            return create(&path, body.bytes).map(|()| version(body.bytes));
        }
        let name = self.name(key);
        self.locked(key, body.lock, |guarded| {
            let old = guarded.read()?;
            let is_expected = match body.expected {
                Expected::Nothing => old.is_empty(),
                Expected::Version(expected) => *expected == version(&old),
            };
            if !is_expected || guarded.is_detached() {
                return Err(Error::Changed { what: name });
            }
            guarded.write(&old, body.bytes)?;
            Ok(version(body.bytes))
        })
    }

    fn delete(&self, key: &str, expected: &Version, lock: Option<&str>) -> Result<(), Error> {
        let what = self.name(key);
        self.locked(key, lock, |guarded| {
            let is_there = !guarded.is_deleted() && !guarded.is_detached();
            if is_there && *expected == version(&guarded.read()?) {
                return guarded.delete();
            }
            Err(Error::Changed { what })
        })
    }

    fn list(
        &self,
        prefix: &str,
        each: &mut dyn FnMut(Entry) -> Result<(), Error>,
    ) -> Result<(), Error> {
        walk::files(prefix, each)
    }

    fn versions(&self, key: &str) -> Result<Vec<Revision>, Error> {
        Err(no_versions(self.name(key)))
    }

    fn locks(&self) -> Option<&dyn Locks> {
        Some(self)
    }
}

fn no_versions(what: String) -> Error {
    Error::NoVersions { what, why: "files have no versions".to_owned() }
}

/// Returns the version of these bytes: a file has no tag but its content.
fn version(bytes: &[u8]) -> Version {
    Version { tag: Some(blake3::hash(bytes).to_hex().to_string()), id: None }
}

/// Fails for a file whose last write was interrupted, and says where the whole state is.
pub(super) fn check_finished(bytes: &[u8], name: &str, path: &Path) -> Result<(), Error> {
    if !in_place::is_unfinished(bytes) {
        return Ok(());
    }
    let copy = in_place::copy_of(path).map_err(|source| Error::reading(name, source))?;
    Err(Error::Unfinished { what: name.to_owned(), copy })
}

fn found(bytes: Vec<u8>, name: &str, path: &Path) -> Result<Found, Error> {
    check_finished(&bytes, name, path)?;
    let version = version(&bytes);
    let is_empty = bytes.is_empty();
    Ok(if is_empty { Found::Empty(version) } else { Found::Bytes(Bytes::from(bytes), version) })
}

/// Creates a file where there is none: whole, or not at all.
fn create(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let failed = |source: io::Error| {
        let what = path.display().to_string();
        match source.kind() {
            io::ErrorKind::AlreadyExists => Error::Changed { what },
            _ => Error::File { doing: "write", what, source },
        }
    };
    if let Some(folder) = path.parent().filter(|folder| *folder != Path::new("")) {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write_new(path, bytes).map_err(failed)
}
