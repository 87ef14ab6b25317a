//! A store that forgets, for tests.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::{
    Body, Entry, Error, Expected, Found, Guarantee, Guarantees, Held, Holder, LockInfo, Locks,
    Pages, Revision, Store, Version,
};
use crate::state::bytes::Bytes;

/// A store in the memory of this process. It keeps every version, and has locks.
///
/// Its time stands still: a version is written one second after the one before it.
#[derive(Default)]
pub struct Memory {
    keys: Mutex<BTreeMap<String, Vec<Kept>>>,
    locks: Arc<Mutex<BTreeMap<String, LockInfo>>>,
}

/// One version of a key; the last one is what a read returns.
struct Kept {
    /// Counted from 1; also the second of its time.
    number: i64,
    /// Nothing marks a deletion.
    bytes: Option<Bytes>,
}

/// A lock that was taken.
struct Taken {
    locks: Arc<Mutex<BTreeMap<String, LockInfo>>>,
    key: String,
    id: String,
    is_released: bool,
}

impl Kept {
    fn version(&self) -> Version {
        let tag = self.bytes.as_ref().map(|bytes| blake3::hash(bytes).to_hex().to_string());
        Version { tag, id: Some(self.number.to_string()) }
    }

    fn found(&self) -> Found {
        match &self.bytes {
            None => Found::Nothing,
            Some(bytes) if bytes.is_empty() => Found::Empty(self.version()),
            Some(bytes) => Found::Bytes(bytes.clone(), self.version()),
        }
    }

    fn len(&self) -> u64 {
        self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)
    }

    fn modified(&self) -> Timestamp {
        Timestamp::from_second(self.number).unwrap_or_default()
    }

    fn entry(&self, key: &str) -> Option<Entry> {
        self.bytes.as_ref()?;
        let (len, modified) = (self.len(), Some(self.modified()));
        Some(Entry { key: key.to_owned(), len, modified, version: self.version() })
    }
}

/// What a panic left half done in a test is still worth reading.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Memory {
    /// Adds a version if the last one is what is expected.
    fn put(
        &self,
        key: &str,
        bytes: Option<Bytes>,
        expected: Expected<'_>,
    ) -> Result<Version, Error> {
        let mut keys = locked(&self.keys);
        let last = keys.get(key).and_then(|kept| kept.last()).filter(|last| last.bytes.is_some());
        let is_expected = match (expected, last) {
            (Expected::Nothing, None) => true,
            (Expected::Version(version), Some(last)) => *version == last.version(),
            _ => false,
        };
        if !is_expected {
            return Err(Error::Changed { what: self.name(key) });
        }
        let kept = keys.entry(key.to_owned()).or_default();
        let number = kept.last().map_or(1, |last| last.number + 1);
        let new = Kept { number, bytes };
        let version = new.version();
        kept.push(new);
        Ok(version)
    }
}

impl Store for Memory {
    fn name(&self, key: &str) -> String {
        format!("memory:{key}")
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees { create: Guarantee::Atomic, replace: Guarantee::Atomic }
    }

    fn read(&self, key: &str) -> Result<Found, Error> {
        let keys = locked(&self.keys);
        Ok(keys.get(key).and_then(|kept| kept.last()).map_or(Found::Nothing, Kept::found))
    }

    fn read_version(&self, key: &str, id: &str) -> Result<Found, Error> {
        let keys = locked(&self.keys);
        let mut kept = keys.get(key).into_iter().flatten();
        Ok(kept.find(|kept| kept.number.to_string() == id).map_or(Found::Nothing, Kept::found))
    }

    fn head(&self, key: &str) -> Result<Option<Entry>, Error> {
        Ok(locked(&self.keys).get(key).and_then(|kept| kept.last()?.entry(key)))
    }

    fn write(&self, key: &str, body: &Body<'_>) -> Result<Version, Error> {
        self.put(key, Some(body.bytes.into()), body.expected)
    }

    fn delete(&self, key: &str, expected: &Version, _lock: Option<&str>) -> Result<(), Error> {
        self.put(key, None, Expected::Version(expected)).map(drop)
    }

    fn list(
        &self,
        prefix: &str,
        each: &mut dyn FnMut(Entry) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let entries: Vec<Entry> = locked(&self.keys)
            .iter()
            .filter(|(key, _)| key.starts_with(prefix))
            .filter_map(|(key, kept)| kept.last()?.entry(key))
            .collect();
        entries.into_iter().try_for_each(each)
    }

    fn pages(&self) -> Option<&dyn Pages> {
        Some(self)
    }

    fn versions(&self, key: &str) -> Result<Vec<Revision>, Error> {
        let keys = locked(&self.keys);
        let kept = keys.get(key).into_iter().flatten().rev().enumerate();
        let revision = |(age, kept): (usize, &Kept)| Revision {
            id: kept.number.to_string(),
            modified: kept.modified(),
            len: kept.len(),
            is_current: age == 0,
            is_deletion: kept.bytes.is_none(),
        };
        Ok(kept.map(revision).collect())
    }

    fn locks(&self) -> Option<&dyn Locks> {
        Some(self)
    }
}

impl Pages for Memory {
    fn list_after(
        &self,
        prefix: &str,
        after: Option<&str>,
        each: &mut dyn FnMut(Vec<Entry>) -> bool,
    ) -> Result<bool, Error> {
        let mut entries = Vec::new();
        self.list(prefix, &mut |entry| {
            entries.extend(after.is_none_or(|after| *entry.key > *after).then_some(entry));
            Ok(())
        })?;
        // As many at once as S3 hands out.
        let mut entries = entries.into_iter();
        loop {
            let page: Vec<Entry> = entries.by_ref().take(1_000).collect();
            let is_last = page.is_empty();
            if !each(page) || is_last {
                return Ok(true);
            }
        }
    }
}

impl Locks for Memory {
    fn acquire(&self, key: &str, info: &LockInfo) -> Result<Box<dyn Held>, Error> {
        let mut locks = locked(&self.locks);
        if let Some(info) = locks.get(key).cloned() {
            let holder = Box::new(Holder::Somebody { id: info.id.clone(), info });
            return Err(Error::Locked { what: self.name(key), holder });
        }
        locks.insert(key.to_owned(), LockInfo { path: key.to_owned(), ..info.clone() });
        let (locks, id) = (Arc::clone(&self.locks), info.id.clone());
        Ok(Box::new(Taken { locks, key: key.to_owned(), id, is_released: false }))
    }

    fn holder(&self, key: &str) -> Result<Holder, Error> {
        Ok(match locked(&self.locks).get(key).cloned() {
            Some(info) => Holder::Somebody { id: info.id.clone(), info },
            None => Holder::Nobody,
        })
    }

    fn break_lock(&self, key: &str, id: &str) -> Result<(), Error> {
        release(&self.locks, key, id)
    }
}

fn release(locks: &Mutex<BTreeMap<String, LockInfo>>, key: &str, id: &str) -> Result<(), Error> {
    let mut locks = locked(locks);
    let what = format!("memory:{key}");
    match locks.get(key) {
        None => Err(Error::NotLocked { what }),
        Some(info) if info.id != id => {
            Err(Error::LockId { what, asked: id.to_owned(), found: info.id.clone() })
        }
        Some(_) => {
            locks.remove(key);
            Ok(())
        }
    }
}

impl Held for Taken {
    fn id(&self) -> &str {
        &self.id
    }

    fn release(mut self: Box<Self>) -> Result<(), Error> {
        self.is_released = true;
        release(&self.locks, &self.key, &self.id)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if !self.is_released {
            // Somebody may have broken it, and then there is nothing to do.
            let _released = release(&self.locks, &self.key, &self.id);
        }
    }
}

/// Shows no bytes: states hold secrets.
impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (keys, locks) = (locked(&self.keys).len(), locked(&self.locks).len());
        write!(f, "Memory({keys} keys, {locks} locks)")
    }
}

impl fmt::Debug for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Taken")
            .field("key", &self.key)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
