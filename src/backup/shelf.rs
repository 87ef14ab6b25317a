//! A place in memory to test with, that can be copied and that can break.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard};

use jiff::Timestamp;

use super::Error;
use super::vault::{Created, Object, Vault};

/// When the process dies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Death {
    /// Before this operation, counted from 0, is done.
    Before(usize),
    /// After it was done, and before anybody hears of it.
    After(usize),
}

#[derive(Debug, Default)]
pub(crate) struct Shelf {
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
    death: Mutex<(Option<Death>, usize)>,
    /// What is not let go.
    pub(crate) stuck: Mutex<BTreeSet<String>>,
    /// When things came there, as far as it says so.
    pub(crate) came: Mutex<BTreeMap<String, Timestamp>>,
}

impl Shelf {
    /// Returns another one that holds the same, and is in order.
    pub(crate) fn copy(&self) -> Self {
        Self { objects: Mutex::new(self.objects().clone()), ..Self::default() }
    }

    pub(crate) fn objects(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.objects.lock().unwrap()
    }

    pub(crate) fn keys(&self, prefix: &str) -> Vec<String> {
        self.objects().keys().filter(|key| key.starts_with(prefix)).cloned().collect()
    }

    /// Counts operations from now on, up to this one.
    pub(crate) fn die(&self, death: Option<Death>) {
        *self.death.lock().unwrap() = (death, 0);
    }

    fn step<T>(&self, work: impl FnOnce() -> T) -> Result<T, Error> {
        let mut death = self.death.lock().unwrap();
        let at = death.1;
        death.1 += 1;
        match death.0 {
            Some(Death::Before(n) | Death::After(n)) if at > n => Err(broken()),
            Some(Death::Before(n)) if at == n => Err(broken()),
            Some(Death::After(n)) if at == n => {
                work();
                Err(broken())
            }
            _ => Ok(work()),
        }
    }
}

fn broken() -> Error {
    failed(io::Error::other("the process died"))
}

fn failed(source: io::Error) -> Error {
    Error::Io { action: "use", path: PathBuf::from("shelf"), source }
}

impl Vault for Shelf {
    fn name(&self, key: &str) -> String {
        format!("shelf:{key}")
    }

    fn read(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.step(|| self.objects().get(key).cloned())
    }

    fn start(&self, key: &str, len: u64) -> Result<Option<Vec<u8>>, Error> {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        self.step(|| self.objects().get(key).map(|bytes| bytes[..len.min(bytes.len())].to_vec()))
    }

    fn create(&self, key: &str, bytes: &[u8]) -> Result<Created, Error> {
        self.step(|| {
            let mut objects = self.objects();
            if objects.contains_key(key) {
                return Created::Exists;
            }
            objects.insert(key.to_owned(), bytes.to_vec());
            Created::New
        })
    }

    fn delete(&self, key: &str) -> Result<(), Error> {
        if self.stuck.lock().unwrap().contains(key) {
            return Err(failed(io::ErrorKind::PermissionDenied.into()));
        }
        self.step(|| drop(self.objects().remove(key)))
    }

    fn list(&self, prefix: &str) -> Result<Vec<Object>, Error> {
        self.step(|| {
            let (objects, came) = (self.objects(), self.came.lock().unwrap());
            let found = objects.iter().filter(|(key, _)| key.starts_with(prefix));
            let object = |(key, bytes): (&String, &Vec<u8>)| Object {
                key: key.clone(),
                len: bytes.len() as u64,
                modified: came.get(key).copied(),
                tag: None,
            };
            found.map(object).collect()
        })
    }

    fn sweep(&self, _before: Timestamp) -> Result<usize, Error> {
        self.step(|| 0)
    }

    fn is_near(&self) -> bool {
        false
    }
}
