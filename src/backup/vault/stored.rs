//! A repository under a prefix of a store of objects.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::ahead::{Ahead, Listed};
use super::{Created, Object, Vault};
use crate::backup::Error;
use crate::store::{self, Body, Entry, Expected, Found, PROBE, Store};

/// A prefix in a store.
///
/// Where a store can't create atomically, two that create one key at once may both succeed. Names
/// hold random digits and the hash of what they name, so two such objects would be the same.
#[derive(Debug)]
pub struct Stored {
    store: Arc<dyn Store>,
    prefix: String,
    ahead: Ahead,
    leftovers: Leftovers,
}

/// What a store was tried out with and is still there, as far as listings showed it.
#[derive(Clone, Debug, Default)]
struct Leftovers(Arc<Mutex<BTreeMap<String, Entry>>>);

impl Leftovers {
    fn found(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        // Each change of it is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stored {
    /// Takes a store and what all keys begin with; nothing for the whole store.
    pub fn new(store: Arc<dyn Store>, prefix: &str) -> Self {
        let prefix = prefix.trim_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Self { store, prefix, ahead: Ahead::default(), leftovers: Leftovers::default() }
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }
}

/// Lists what begins with both prefixes, by what stands behind the first.
fn list(store: &dyn Store, (all, prefix): (&str, &str), leftovers: &Leftovers) -> Listed {
    let mut objects = Vec::new();
    store.list(&format!("{all}{prefix}"), &mut |entry| {
        if entry.key.rsplit('/').next().is_some_and(|name| name.starts_with(PROBE)) {
            leftovers.found().insert(entry.key.clone(), entry);
            return Ok(());
        }
        let key = entry.key.strip_prefix(all).unwrap_or(&entry.key).to_owned();
        let (modified, tag) = (entry.modified, entry.version.tag);
        objects.push(Object { key, len: entry.len, modified, tag });
        Ok(())
    })?;
    Ok(objects)
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
        let key = self.key(key);
        let body = Body { bytes, expected: Expected::Nothing, lock: None };
        match self.store.write(&key, &body) {
            Ok(_) => Ok(Created::New),
            Err(store::Error::Changed { .. }) => Ok(Created::Exists),
            // The answer was lost; what is there now tells.
            Err(error @ store::Error::Unknown { .. }) => match self.store.read(&key)? {
                Found::Bytes(found, _) if *found == *bytes => Ok(Created::New),
                _ => Err(error.into()),
            },
            Err(error) => Err(error.into()),
        }
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
        let now = || list(&*self.store, (&self.prefix, prefix), &self.leftovers);
        self.ahead.take(prefix).unwrap_or_else(now)
    }

    fn expect(&self, prefixes: &[&str]) {
        for &prefix in prefixes {
            let (store, leftovers) = (Arc::clone(&self.store), self.leftovers.clone());
            let (all, wanted) = (self.prefix.clone(), prefix.to_owned());
            self.ahead.begin(prefix, move || list(&*store, (&all, &wanted), &leftovers));
        }
    }

    /// Objects appear whole or not at all: all there is to remove is what the store was tried out
    /// with, where a listing showed some.
    fn sweep(&self, before: Timestamp) -> Result<usize, Error> {
        let found = std::mem::take(&mut *self.leftovers.found());
        let is_old = |entry: &&Entry| entry.modified.is_some_and(|time| time < before);
        let mut swept = 0;
        for Entry { key, version, .. } in found.values().filter(is_old) {
            match self.store.delete(key, version, None) {
                Ok(()) => swept += 1,
                Err(store::Error::NotFound { .. } | store::Error::Changed { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(swept)
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
    fn what_the_store_was_tried_out_with_is_no_object_and_goes_when_it_is_old() {
        let store = Arc::new(Memory::default());
        let vault = Stored::new(Arc::<Memory>::clone(&store), "a");
        vault.create("s/b/.tfstate-probe-00", b"x").unwrap();
        vault.create("s/b/1", b"x").unwrap();
        assert_eq!(vault.sweep(Timestamp::MAX).unwrap(), 0, "no listing showed it yet");
        for (before, swept) in [(Timestamp::MIN, 0), (Timestamp::MAX, 1), (Timestamp::MAX, 0)] {
            assert_eq!(vault.list("s/").unwrap().len(), 1);
            assert_eq!(vault.sweep(before).unwrap(), swept, "{before}");
        }
        assert_eq!(vault.read("s/b/.tfstate-probe-00").unwrap(), None);
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
