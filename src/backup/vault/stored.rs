//! A repository under a prefix of a store of objects.

use std::sync::Arc;

use jiff::Timestamp;

use super::ahead::{Ahead, Listed};
use super::{Created, Object, Vault};
use crate::backup::Error;
use crate::store::{self, Body, Cuts, Entry, Expected, Found, Store, Version};

/// A prefix in a store.
///
/// Where a store can't create atomically, two that create one key at once may both succeed.
#[derive(Debug)]
pub struct Stored {
    store: Arc<dyn Store>,
    prefix: String,
    cuts: Option<Cuts>,
    ahead: Ahead,
}

impl Stored {
    /// Takes a store and what all keys begin with; nothing for the whole store.
    pub fn new(store: Arc<dyn Store>, prefix: &str) -> Self {
        let prefix = prefix.trim_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Self { store, prefix, cuts: None, ahead: Ahead::default() }
    }

    /// Returns the same, which knows where long lists of that store can be cut that are
    /// [expected](Vault::expect).
    ///
    /// Whoever expects one writes a snapshot, and at worst a whole one, where another is missed. Whoever
    /// checks or removes what is there lists it from the front.
    #[must_use]
    pub fn with_cuts(self, cuts: Option<Cuts>) -> Self {
        Self { cuts, ..self }
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// Returns what lists what begins with a prefix, wherever it does that.
    fn lister(&self, prefix: &str, cuts: Option<Cuts>) -> impl FnOnce() -> Listed + Send + use<> {
        let store = Arc::clone(&self.store);
        let (all, whole) = (self.prefix.clone(), self.key(prefix));
        move || {
            let listed = store::list((&*store, &whole), cuts.as_ref(), &mut |objects, entry| {
                objects.push(object(entry, &all));
                Ok(())
            });
            Ok(listed?)
        }
    }

    /// Returns what became of an object that was to be created.
    fn created(
        &self,
        (key, bytes): (&str, &[u8]),
        written: Result<Version, store::Error>,
    ) -> Result<Created, Error> {
        match written {
            Ok(_) => Ok(Created::New),
            Err(store::Error::Changed { .. }) => Ok(Created::Exists),
            // The answer was lost; what is there now tells.
            Err(error @ store::Error::Unknown { .. }) => match self.store.read(key)? {
                Found::Bytes(found, _) if *found == *bytes => Ok(Created::New),
                _ => Err(error.into()),
            },
            Err(error) => Err(error.into()),
        }
    }
}

/// Returns what a store lists as what it is behind the prefix of the whole place.
fn object(entry: Entry, all: &str) -> Object {
    let key = entry.key.strip_prefix(all).unwrap_or(&entry.key).to_owned();
    Object { key, len: entry.len, modified: entry.modified, tag: entry.version.tag }
}

/// Returns the bytes that were found; an object that holds none is one all the same.
fn bytes(found: &Found) -> Option<Vec<u8>> {
    match found {
        Found::Nothing => None,
        Found::Empty(_) => Some(Vec::new()),
        Found::Bytes(bytes, _) => Some(bytes.to_vec()),
    }
}

impl Vault for Stored {
    fn name(&self, key: &str) -> String {
        self.store.name(&self.key(key)).trim_end_matches('/').to_owned()
    }

    fn read(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        Ok(bytes(&self.store.read(&self.key(key))?))
    }

    fn start(&self, key: &str, len: u64) -> Result<Option<Vec<u8>>, Error> {
        Ok(bytes(&self.store.read_start(&self.key(key), len)?))
    }

    fn create(&self, key: &str, bytes: &[u8]) -> Result<Created, Error> {
        let (key, body) = (self.key(key), Body { bytes, expected: Expected::Nothing, lock: None });
        self.created((&key, bytes), self.store.write(&key, &body))
    }

    fn add(&self, key: &str, bytes: &[u8]) -> Result<Created, Error> {
        let key = self.key(key);
        self.created((&key, bytes), self.store.add(&key, bytes))
    }

    fn delete(&self, key: &str) -> Result<(), Error> {
        let key = self.key(key);
        let Some(entry) = self.store.head(&key)? else { return Ok(()) };
        match self.store.delete(&key, &entry.version, None) {
            Err(store::Error::NotFound { .. }) => Ok(()),
            done => Ok(done?),
        }
    }

    fn list(&self, prefix: &str) -> Result<Vec<Object>, Error> {
        self.ahead.take(prefix).unwrap_or_else(self.lister(prefix, None))
    }

    fn expect(&self, prefixes: &[&str]) {
        for &prefix in prefixes {
            self.ahead.begin(prefix, self.lister(prefix, self.cuts.clone()));
        }
    }

    /// Objects appear whole or not at all.
    fn sweep(&self, _before: Timestamp) -> Result<usize, Error> {
        Ok(0)
    }

    fn is_near(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Memory;

    #[test]
    fn what_was_expected_is_listed_once_and_then_anew() {
        let vault = Stored::new(Arc::new(Memory::default()), "a");
        vault.create("s/1", b"").unwrap();
        vault.expect(&["s/", "c/"]);
        vault.create("s/2", b"").unwrap();
        assert!((1..=2).contains(&vault.list("s/").unwrap().len()));
        assert_eq!(vault.list("s/").unwrap().len(), 2);
        assert!(vault.list("c/").unwrap().is_empty());
    }

    #[test]
    fn what_is_expected_is_listed_in_parts_and_all_else_from_the_front() {
        let (store, cache) = (Arc::new(Memory::default()), tempfile::tempdir().unwrap());
        let cuts = Cuts::below(cache.path(), "here".to_owned());
        let vault = Stored::new(store, "a").with_cuts(Some(cuts));
        for n in 0..1_200 {
            vault.create(&format!("s/{n:04}"), b"").unwrap();
        }
        let remembered = || cache.path().join("lists").exists();
        assert_eq!((vault.list("s/").unwrap().len(), remembered()), (1_200, false));
        for _ in 0..2 {
            vault.expect(&["s/"]);
            assert_eq!((vault.list("s/").unwrap().len(), remembered()), (1_200, true));
        }
    }

    #[test]
    fn keys_are_below_the_prefix_and_nothing_is_replaced() {
        let store = Arc::new(Memory::default());
        let vault = Stored::new(Arc::<Memory>::clone(&store), "/backups/tf/");
        assert_eq!(vault.create("s/a/1", b"one").unwrap(), Created::New);
        assert_eq!(vault.create("s/a/1", b"two").unwrap(), Created::Exists);
        assert_eq!(vault.create("s/a/0", b"").unwrap(), Created::New);
        assert_eq!(vault.name("s/a/1"), "memory:backups/tf/s/a/1");
        let mut listed: Vec<String> =
            vault.list("s/").unwrap().into_iter().map(|o| o.key).collect();
        listed.sort();
        assert_eq!(listed, ["s/a/0", "s/a/1"]);
        assert_eq!(vault.read("s/a/0").unwrap().unwrap(), b"");
        assert_eq!(vault.start("s/a/1", 1).unwrap().unwrap(), b"o");
        vault.delete("s/a/1").unwrap();
        vault.delete("s/a/1").unwrap();
        assert_eq!(vault.read("s/a/1").unwrap(), None);
        assert_eq!(Stored::new(store, "").list("").unwrap().len(), 1);
    }
}
