//! A file that nobody else can lock.

use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use super::record_lock::{Owner, RecordLock, owner};
use super::{in_place, note};
use crate::store::{Error, Holder};

/// How often a file is opened that somebody replaces meanwhile.
const TRIES: usize = 10;

/// What becomes of a file that is to be locked and is not there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Missing {
    /// It is created, and gone again at the end if nothing was written.
    IsCreated,
    /// It stays away, which is [`Error::Changed`].
    Stays,
}

/// A file that nobody else can lock while this is there.
#[derive(Debug)]
pub(super) struct Guarded {
    path: PathBuf,
    lock: RecordLock,
    /// Whether it goes when it is still empty at the end.
    is_passing: bool,
    /// Whether its bytes were deleted; the file itself goes at the end, since others may wait for
    /// the lock, and must not be left with one that nobody finds.
    is_deleted: bool,
}

impl Guarded {
    /// Locks a file.
    pub(super) fn lock(path: &Path, missing: Missing) -> Result<Self, Error> {
        let what = || path.display().to_string();
        let failed = |source| Error::File { doing: "lock", what: what(), source };
        for _ in 0..TRIES {
            let is_passing = fs::metadata(path).is_err();
            let file = match open(path, missing) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => match missing {
                    Missing::Stays => return Err(Error::Changed { what: what() }),
                    Missing::IsCreated => return Err(failed(error)),
                },
                other => other.map_err(failed)?,
            };
            let Some(lock) = RecordLock::take(file).map_err(failed)? else {
                let holder = match holder(path)? {
                    Holder::Nobody => gone(),
                    holder => holder,
                };
                return Err(Error::Locked { what: what(), holder: Box::new(holder) });
            };
            let guarded = Self { path: path.to_owned(), lock, is_passing, is_deleted: false };
            // It may have been deleted between being opened and being locked.
            if !guarded.is_detached() {
                return Ok(guarded);
            }
        }
        Err(Error::Changing { what: what() })
    }

    /// Returns whether its bytes were deleted.
    pub(super) fn is_deleted(&self) -> bool {
        self.is_deleted
    }

    /// Returns whether its path leads to another file by now, or nowhere.
    #[cfg(unix)]
    pub(super) fn is_detached(&self) -> bool {
        use std::os::unix::fs::MetadataExt;
        let name = |found: &fs::Metadata| (found.dev(), found.ino());
        let (own, now) = (self.lock.file().metadata(), fs::metadata(&self.path));
        !matches!((own, now), (Ok(own), Ok(now)) if name(&own) == name(&now))
    }

    #[cfg(not(unix))]
    pub(super) fn is_detached(&self) -> bool {
        !self.path.exists()
    }

    /// Reads the whole file.
    pub(super) fn read(&self) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let mut file = self.lock.file();
        let read = file.rewind().and_then(|()| file.read_to_end(&mut bytes));
        read.map_err(|source| Error::reading(&self.what(), source))?;
        Ok(bytes)
    }

    /// Replaces its bytes, which are these now.
    pub(super) fn write(&mut self, old: &[u8], new: &[u8]) -> Result<(), Error> {
        let what = self.what();
        in_place::write(&self.path, self.lock.file(), old, new).map_err(|failed| match failed {
            in_place::Failed::Undone(source) => Error::File { doing: "write", what, source },
            in_place::Failed::Left(copy, source) => Error::HalfWritten { what, copy, source },
        })?;
        (self.is_passing, self.is_deleted) = (false, false);
        Ok(())
    }

    /// Deletes its bytes.
    pub(super) fn delete(&mut self) -> Result<(), Error> {
        let file = self.lock.file();
        file.set_len(0).and_then(|()| file.sync_all()).map_err(|source| Error::File {
            doing: "delete",
            what: self.what(),
            source,
        })?;
        (self.is_passing, self.is_deleted) = (true, true);
        Ok(())
    }

    /// Unlocks it, after deleting it where it should not stay.
    pub(super) fn finish(self) -> Result<(), Error> {
        let is_empty = self.lock.file().metadata().is_ok_and(|found| found.len() == 0);
        if !(self.is_passing && is_empty) || self.is_detached() {
            return Ok(());
        }
        // A symbolic link stays; what it leads to goes.
        let removed = self.path.canonicalize().and_then(fs::remove_file);
        removed.map_err(|source| Error::File { doing: "delete", what: self.what(), source })
    }

    fn what(&self) -> String {
        self.path.display().to_string()
    }
}

fn open(path: &Path, missing: Missing) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create(missing == Missing::IsCreated).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    if let (Missing::IsCreated, Some(folder)) = (missing, path.parent())
        && folder != Path::new("")
    {
        fs::create_dir_all(folder)?;
    }
    options.open(path)
}

/// Returns who has locked a file.
pub(super) fn holder(path: &Path) -> Result<Holder, Error> {
    let failed = |source| Error::reading(&path.display().to_string(), source);
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Holder::Nobody),
        other => other.map_err(failed)?,
    };
    match owner(&file).map_err(failed)? {
        // A note without a lock is what a crash leaves behind.
        Owner::Nobody => Ok(Holder::Nobody),
        Owner::Process(process) => Ok(note::read(path).unwrap_or_else(|| unnamed(process))),
    }
}

fn unnamed(process: Option<u32>) -> Holder {
    let who = process.map_or("a process".to_owned(), |id| format!("process {id}"));
    Holder::Unnamed { why: format!("{who} has locked the file, and left no note") }
}

/// Who had it when it was asked for, and not any more a moment later.
fn gone() -> Holder {
    Holder::Unnamed { why: "a process had locked the file for a moment".to_owned() }
}
