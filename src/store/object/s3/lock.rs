//! Locks as Terraform takes them: an object beside the state, a row in a table, or both, and then
//! the object first.

use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path;

use super::bucket::{Bucket, Condition, Conditions};
use super::table::Table;
use super::write::is_refusal;
use crate::store::object::error::Fault;
use crate::store::{Cause, Error, Held, Holder, LockInfo, runtime};

/// The locks of a bucket.
#[derive(Debug)]
pub(super) struct Locking {
    /// The bucket.
    pub(super) bucket: Arc<Bucket>,
    /// Whether there is an object for each lock.
    pub(super) use_lockfile: bool,
    /// The table in which there is a row for each lock.
    pub(super) table: Option<Arc<Table>>,
}

/// Where a lock is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Part {
    Object,
    Row,
}

/// What is in one of the places of a lock.
enum Note {
    Nothing,
    Info(LockInfo),
    Unreadable,
}

impl Note {
    fn read(bytes: &[u8]) -> Self {
        LockInfo::from_json(bytes).map_or(Self::Unreadable, Self::Info)
    }
}

impl Locking {
    fn parts(&self) -> impl DoubleEndedIterator<Item = Part> {
        let object = self.use_lockfile.then_some(Part::Object);
        object.into_iter().chain(self.table.is_some().then_some(Part::Row))
    }

    /// Takes the lock of a key.
    pub(super) async fn acquire(&self, key: &str, info: &LockInfo) -> Result<LockInfo, Error> {
        let info = LockInfo { path: self.row(key), ..info.clone() };
        let mut taken = Vec::new();
        for part in self.parts() {
            let result = match part {
                Part::Object => self.create_object(key, &info).await,
                Part::Row => self.create_row(key, &info).await,
            };
            if let Err(error) = result {
                for part in taken {
                    if let Err(left) = self.remove(part, key, &info.id).await {
                        tracing::warn!(error = %left, "half of a lock stays");
                        return Err(self.stays(key, info.id, error.into()));
                    }
                }
                return Err(error);
            }
            taken.push(part);
        }
        Ok(info)
    }

    /// Returns who holds the lock of a key.
    pub(super) async fn holder(&self, key: &str) -> Result<Holder, Error> {
        for part in self.parts() {
            match self.look(part, key).await? {
                Note::Nothing => {}
                Note::Info(info) => return Ok(Holder::Somebody { id: info.id.clone(), info }),
                Note::Unreadable => return Ok(Holder::Unnamed { why: self.unreadable(part, key) }),
            }
        }
        Ok(Holder::Nobody)
    }

    /// Gives back a lock, or breaks one, if it has this id: all of its parts that are there.
    pub(super) async fn release(&self, key: &str, id: &str) -> Result<(), Error> {
        let (mut released, mut failed) = (false, None);
        for part in self.parts() {
            match self.remove(part, key, id).await {
                Ok(was_there) => released |= was_there,
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        match failed {
            Some(error) => Err(error),
            None if released => Ok(()),
            None => Err(Error::NotLocked { what: self.bucket.call(key) }),
        }
    }

    async fn create_object(&self, key: &str, info: &LockInfo) -> Result<(), Error> {
        let lock = lock_key(key);
        let path = self.bucket.path(&lock)?;
        let bytes = Bytes::from(info.to_json());
        if !self.is_sure() {
            // A store that ignores the condition would write over somebody's lock.
            self.free_or_ours(key, info).await?;
        }
        let (mut tries, mut in_doubt) = (0, false);
        loop {
            let fault = match self.bucket.put(&path, bytes.clone(), Condition::Nothing).await {
                Ok(_) if self.bucket.is_amazon => return Ok(()),
                Ok(version) => {
                    return self.confirm(key, info, &bytes, version.tag.as_deref()).await;
                }
                Err(fault) => fault,
            };
            in_doubt |= fault.is_ambiguous();
            let is_clear = !is_refusal(&fault) && !fault.is_ambiguous() && !fault.is_passing();
            let is_last = is_clear || tries >= self.bucket.retries;
            match self.free_or_ours(key, info).await {
                Ok(true) => return Ok(()),
                // What was sent may be carried out late.
                Ok(false) if is_last && matches!(fault, Fault::TimedOut(_)) => {
                    return Err(self.stays(key, info.id.clone(), fault.into()));
                }
                Ok(false) if is_last => return Err(self.bucket.failed(fault, "lock", key)),
                Ok(false) => {}
                Err(error @ Error::Locked { .. }) => return Err(error),
                Err(_) if in_doubt => {
                    return Err(self.stays(key, info.id.clone(), fault.into()));
                }
                Err(_) => return Err(self.bucket.failed(fault, "lock", key)),
            }
            tries += 1;
            tracing::info!(%fault, "locking again, {tries} of {}", self.bucket.retries);
            self.bucket.pause(tries).await;
        }
    }

    /// Makes sure of a lock that was written where the store may ignore conditions.
    async fn confirm(
        &self,
        key: &str,
        info: &LockInfo,
        bytes: &Bytes,
        tag: Option<&str>,
    ) -> Result<(), Error> {
        let path = self.bucket.path(&lock_key(key))?;
        let conditions = &self.bucket.conditions;
        if !Conditions::has(&conditions.create) && !Conditions::has(&conditions.ignored) {
            self.prove(&path, bytes, tag).await;
        }
        // A store that refuses a second lock may still let through two at the same moment, as some
        // do on buckets with versions. Of two who wrote, the one whose lock stayed holds it.
        let error = match self.free_or_ours(key, info).await {
            Ok(true) => return Ok(()),
            Err(error @ Error::Locked { .. }) => return Err(error),
            Ok(false) => {
                let why = "the lock that was just written is not there".to_owned();
                self.bucket.failed(Fault::Other(why), "lock", key)
            }
            Err(error) => error,
        };
        match self.delete_object(key).await {
            Ok(()) => Err(error),
            Err(_) => Err(self.stays(key, info.id.clone(), error.into())),
        }
    }

    fn stays(&self, key: &str, id: String, source: Cause) -> Error {
        Error::LockStays { what: self.bucket.call(key), id, source }
    }

    /// Whether the lock object is the one that this info made, or is not there; an error where it
    /// is somebody else's.
    async fn free_or_ours(&self, key: &str, info: &LockInfo) -> Result<bool, Error> {
        match self.look(Part::Object, key).await? {
            Note::Nothing => Ok(false),
            Note::Info(found) if found.id == info.id => Ok(true),
            Note::Info(found) => Err(self.locked(key, found)),
            Note::Unreadable => Err(self.unnamed(Part::Object, key)),
        }
    }

    /// Whether the store is known to refuse a second lock.
    fn is_sure(&self) -> bool {
        self.bucket.is_amazon || Conditions::has(&self.bucket.conditions.create)
    }

    /// Finds out whether the store heeds conditions, with the lock that is held: writing the same
    /// bytes again changes nothing, whether it is refused or not.
    async fn prove(&self, path: &Path, bytes: &Bytes, tag: Option<&str>) {
        let conditions = &self.bucket.conditions;
        match self.bucket.put(path, bytes.clone(), Condition::Nothing).await {
            Err(fault) if matches!(fault.status(), Some(409 | 412)) => {
                Conditions::note(&conditions.create);
            }
            Ok(_) => {
                Conditions::note(&conditions.ignored);
                tracing::warn!(
                    bucket = self.bucket.name,
                    "this store ignores `If-None-Match`: two who lock at once may both succeed"
                );
            }
            Err(_) => {}
        }
        // One that refuses a stale tag proves something only if it accepts the right one.
        let stale = self.bucket.put(path, bytes.clone(), Condition::Tag("\"0\"")).await;
        if let (Err(fault), Some(tag)) = (stale, tag)
            && fault.status() == Some(412)
            && self.bucket.put(path, bytes.clone(), Condition::Tag(tag)).await.is_ok()
        {
            Conditions::note(&conditions.replace);
        }
    }

    async fn create_row(&self, key: &str, info: &LockInfo) -> Result<(), Error> {
        let Some(table) = &self.table else { return Ok(()) };
        match table.create_lock(&self.row(key), info).await {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(fault) => {
                let in_doubt = fault.is_ambiguous();
                let error = table.failed(fault, "lock", &self.bucket.call(key));
                if in_doubt && self.remove(Part::Row, key, &info.id).await.is_err() {
                    return Err(self.stays(key, info.id.clone(), error.into()));
                }
                return Err(error);
            }
        }
        match self.look(Part::Row, key).await? {
            Note::Info(found) => Err(self.locked(key, found)),
            Note::Unreadable => Err(self.unnamed(Part::Row, key)),
            // It was there a moment ago.
            Note::Nothing => {
                let why = "somebody held it until just now".to_owned();
                let holder = Box::new(Holder::Unnamed { why });
                Err(Error::Locked { what: self.bucket.call(key), holder })
            }
        }
    }

    async fn look(&self, part: Part, key: &str) -> Result<Note, Error> {
        match (part, &self.table) {
            (Part::Object, _) => {
                let found = self.bucket.get(&lock_key(key), None).await?;
                Ok(found.map_or(Note::Nothing, |object| Note::read(&object.bytes)))
            }
            (Part::Row, Some(table)) => {
                let failed =
                    |fault| table.failed(fault, "read the lock of", &self.bucket.call(key));
                let found = table.lock(&self.row(key)).await.map_err(failed)?;
                Ok(found.map_or(Note::Nothing, |text| Note::read(text.as_bytes())))
            }
            (Part::Row, None) => Ok(Note::Nothing),
        }
    }

    /// Removes one part of a lock if it has this id; whether it was there.
    async fn remove(&self, part: Part, key: &str, id: &str) -> Result<bool, Error> {
        match self.look(part, key).await? {
            Note::Nothing => return Ok(false),
            Note::Info(found) if found.id == id => {}
            Note::Info(found) => {
                let (what, asked) = (self.bucket.call(key), id.to_owned());
                return Err(Error::LockId { what, asked, found: found.id });
            }
            Note::Unreadable => {
                let (what, why) = (self.bucket.call(key), self.unreadable(part, key));
                return Err(Error::Unbreakable { what, why });
            }
        }
        match (part, &self.table) {
            (Part::Row, Some(table)) => {
                let failed = |fault| table.failed(fault, "unlock", &self.bucket.call(key));
                table.delete(&self.row(key)).await.map_err(failed)?;
            }
            _ => self.delete_object(key).await?,
        }
        Ok(true)
    }

    async fn delete_object(&self, key: &str) -> Result<(), Error> {
        let (lock, retries) = (lock_key(key), self.bucket.retries);
        let mut tries = 0;
        loop {
            // As Terraform does it, on no condition: whose lock it is has just been read.
            match self.bucket.delete(&lock, None).await {
                Ok(()) => return Ok(()),
                Err(fault) if fault.is_not_found() => return Ok(()),
                // Deleted or not, it is deleted after one more.
                Err(fault) if tries < retries && (fault.is_ambiguous() || fault.is_passing()) => {
                    tries += 1;
                    tracing::info!(%fault, "unlocking again, {tries} of {retries}");
                    self.bucket.pause(tries).await;
                }
                Err(fault) => return Err(self.bucket.failed(fault, "unlock", key)),
            }
        }
    }

    /// Returns the name of a key's row, which is also what its lock says that it locks.
    pub(super) fn row(&self, key: &str) -> String {
        format!("{}/{key}", self.bucket.name)
    }

    fn locked(&self, key: &str, info: LockInfo) -> Error {
        let holder = Box::new(Holder::Somebody { id: info.id.clone(), info });
        Error::Locked { what: self.bucket.call(key), holder }
    }

    fn unnamed(&self, part: Part, key: &str) -> Error {
        let holder = Box::new(Holder::Unnamed { why: self.unreadable(part, key) });
        Error::Locked { what: self.bucket.call(key), holder }
    }

    /// Says of a lock that nobody can read what frees it: no id does.
    fn unreadable(&self, part: Part, key: &str) -> String {
        match (part, &self.table) {
            (Part::Row, Some(table)) => format!(
                "the row `{}` in the table {} says nothing of its holder; delete that row",
                self.row(key),
                table.name(),
            ),
            _ => format!(
                "{} says nothing of its holder; delete that object",
                self.bucket.call(&lock_key(key)),
            ),
        }
    }
}

fn lock_key(key: &str) -> String {
    format!("{key}.tflock")
}

/// A lock that is held.
#[derive(Debug)]
pub(super) struct S3Held {
    locking: Arc<Locking>,
    key: String,
    id: String,
    is_held: bool,
}

impl S3Held {
    /// Returns the lock of a key that was acquired with this info.
    pub(super) fn new(locking: Arc<Locking>, key: &str, info: LockInfo) -> Self {
        Self { locking, key: key.to_owned(), id: info.id, is_held: true }
    }

    fn give_back(&mut self) -> Result<(), Error> {
        if !std::mem::take(&mut self.is_held) {
            return Ok(());
        }
        let release = self.locking.release(&self.key, &self.id);
        runtime::block_on(release)
            .map_err(|source| Error::Io { what: self.locking.bucket.call(&self.key), source })?
    }
}

impl Held for S3Held {
    fn id(&self) -> &str {
        &self.id
    }

    fn release(mut self: Box<Self>) -> Result<(), Error> {
        self.give_back()
    }
}

impl Drop for S3Held {
    fn drop(&mut self) {
        if let Err(error) = self.give_back() {
            tracing::warn!(%error, "a lock stays");
        }
    }
}
