//! A store that fails when it is told to, around any other.
//!
//! Each call takes the next fault that the script has for it, if there is one. `Before` fails with
//! nothing done, `After` with everything done, and `Torn` with half of it.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tfstate::state::bytes::Bytes;
use tfstate::store::{
    Body, Entry, Error, Found, Guarantees, Held, Holder, LockInfo, Locks, Problem, Revision, Store,
    Version,
};

/// A call that can fail.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Call {
    Read,
    ReadVersion,
    Head,
    Write,
    Delete,
    List,
    Versions,
    Acquire,
    Holder,
    Break,
    Release,
}

/// What somebody else does to the store inside.
pub(crate) type Other = Box<dyn FnOnce(&dyn Store) + Send>;

/// What goes wrong with a call.
pub(crate) enum Fault {
    /// Nothing is done, and the call fails.
    Before,
    /// It is done, and the call fails; of a write nobody knows what became of it.
    After,
    /// Half of the bytes are read or written; the read succeeds, the write fails.
    Torn,
    /// It is done, later.
    Late(Duration),
    /// Something else happens first: another's write, a broken lock.
    Meanwhile(Other),
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Before => "Before",
            Self::After => "After",
            Self::Torn => "Torn",
            Self::Late(_) => "Late",
            Self::Meanwhile(_) => "Meanwhile",
        })
    }
}

/// A store that fails when it is told to.
#[derive(Clone, Debug)]
pub(crate) struct Faulty {
    inner: Arc<dyn Store>,
    script: Arc<Mutex<Script>>,
}

#[derive(Debug, Default)]
struct Script {
    faults: VecDeque<(Call, Fault)>,
    seen: Vec<Call>,
}

impl Faulty {
    pub(crate) fn new(inner: Arc<dyn Store>) -> Self {
        Self { inner, script: Arc::default() }
    }

    /// Lets the next call of this kind that has no fault yet go wrong.
    pub(crate) fn fail(&self, call: Call, fault: Fault) {
        self.script.lock().unwrap().faults.push_back((call, fault));
    }

    /// Returns the calls that came, oldest first.
    pub(crate) fn seen(&self) -> Vec<Call> {
        self.script.lock().unwrap().seen.clone()
    }

    /// Returns the faults that no call met.
    pub(crate) fn left(&self) -> usize {
        self.script.lock().unwrap().faults.len()
    }

    fn next(&self, call: Call) -> Option<Fault> {
        let mut script = self.script.lock().unwrap();
        script.seen.push(call);
        let at = script.faults.iter().position(|(of, _)| *of == call)?;
        script.faults.remove(at).map(|(_, fault)| fault)
    }

    /// Does what a call does, with the fault that it meets.
    fn act<T>(
        &self,
        call: Call,
        key: &str,
        act: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        match self.next(call) {
            None => act(),
            Some(Fault::Before | Fault::Torn) => Err(self.broken(key)),
            Some(Fault::After) => {
                act()?;
                Err(self.broken(key))
            }
            Some(Fault::Late(wait)) => {
                thread::sleep(wait);
                act()
            }
            Some(Fault::Meanwhile(other)) => {
                other(&*self.inner);
                act()
            }
        }
    }

    fn broken(&self, key: &str) -> Error {
        Error::Remote {
            doing: "reach",
            what: self.inner.name(key),
            problem: Problem::Unavailable(503),
            source: Some("a fault that was asked for".into()),
        }
    }

    fn write_faultily(&self, key: &str, body: &Body<'_>, fault: Fault) -> Result<Version, Error> {
        let lost = || Error::Unknown { what: self.inner.name(key), source: "it was lost".into() };
        match fault {
            Fault::Before => Err(self.broken(key)),
            Fault::After => self.inner.write(key, body).and_then(|_| Err(lost())),
            Fault::Torn => {
                let half = Body { bytes: &body.bytes[..body.bytes.len() / 2], ..*body };
                self.inner.write(key, &half).and_then(|_| Err(lost()))
            }
            Fault::Late(wait) => {
                thread::sleep(wait);
                self.inner.write(key, body)
            }
            Fault::Meanwhile(other) => {
                other(&*self.inner);
                self.inner.write(key, body)
            }
        }
    }
}

fn half(found: Found) -> Found {
    match found {
        Found::Bytes(bytes, version) => {
            Found::Bytes(Bytes::from(&bytes[..bytes.len() / 2]), version)
        }
        other => other,
    }
}

impl Store for Faulty {
    fn name(&self, key: &str) -> String {
        self.inner.name(key)
    }

    fn guarantees(&self) -> Guarantees {
        self.inner.guarantees()
    }

    fn read(&self, key: &str) -> Result<Found, Error> {
        match self.next(Call::Read) {
            None => self.inner.read(key),
            Some(Fault::Torn) => self.inner.read(key).map(half),
            Some(Fault::Before | Fault::After) => Err(self.broken(key)),
            Some(Fault::Late(wait)) => {
                thread::sleep(wait);
                self.inner.read(key)
            }
            Some(Fault::Meanwhile(other)) => {
                other(&*self.inner);
                self.inner.read(key)
            }
        }
    }

    fn read_version(&self, key: &str, id: &str) -> Result<Found, Error> {
        self.act(Call::ReadVersion, key, || self.inner.read_version(key, id))
    }

    fn head(&self, key: &str) -> Result<Option<Entry>, Error> {
        self.act(Call::Head, key, || self.inner.head(key))
    }

    fn write(&self, key: &str, body: &Body<'_>) -> Result<Version, Error> {
        match self.next(Call::Write) {
            None => self.inner.write(key, body),
            Some(fault) => self.write_faultily(key, body, fault),
        }
    }

    fn delete(&self, key: &str, expected: &Version, lock: Option<&str>) -> Result<(), Error> {
        self.act(Call::Delete, key, || self.inner.delete(key, expected, lock))
    }

    fn list(
        &self,
        prefix: &str,
        each: &mut dyn FnMut(Entry) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.act(Call::List, prefix, || self.inner.list(prefix, each))
    }

    fn versions(&self, key: &str) -> Result<Vec<Revision>, Error> {
        self.act(Call::Versions, key, || self.inner.versions(key))
    }

    fn locks(&self) -> Option<&dyn Locks> {
        self.inner.locks().map(|_| self as &dyn Locks)
    }
}

impl Faulty {
    fn inner_locks(&self) -> &dyn Locks {
        self.inner.locks().unwrap()
    }
}

impl Locks for Faulty {
    fn acquire(&self, key: &str, info: &LockInfo) -> Result<Box<dyn Held>, Error> {
        match self.next(Call::Acquire) {
            // The lock stays, and nobody here can release it.
            Some(Fault::After) => {
                std::mem::forget(self.inner_locks().acquire(key, info)?);
                return Err(self.broken(key));
            }
            Some(Fault::Before | Fault::Torn) => return Err(self.broken(key)),
            Some(Fault::Late(wait)) => thread::sleep(wait),
            Some(Fault::Meanwhile(other)) => other(&*self.inner),
            None => {}
        }
        let held = self.inner_locks().acquire(key, info)?;
        Ok(Box::new(FaultyHeld { held, store: self.clone(), key: key.to_owned() }))
    }

    fn holder(&self, key: &str) -> Result<Holder, Error> {
        self.act(Call::Holder, key, || self.inner_locks().holder(key))
    }

    fn break_lock(&self, key: &str, id: &str) -> Result<(), Error> {
        self.act(Call::Break, key, || self.inner_locks().break_lock(key, id))
    }
}

/// A lock whose release can fail.
#[derive(Debug)]
struct FaultyHeld {
    held: Box<dyn Held>,
    store: Faulty,
    key: String,
}

impl Held for FaultyHeld {
    fn id(&self) -> &str {
        self.held.id()
    }

    fn release(self: Box<Self>) -> Result<(), Error> {
        let Self { held, store, key } = *self;
        match store.next(Call::Release) {
            // The lock stays.
            Some(Fault::Before | Fault::Torn) => {
                std::mem::forget(held);
                return Err(store.broken(&key));
            }
            Some(Fault::After) => {
                held.release()?;
                return Err(store.broken(&key));
            }
            Some(Fault::Late(wait)) => thread::sleep(wait),
            Some(Fault::Meanwhile(other)) => other(&*store.inner),
            None => {}
        }
        held.release()
    }
}
