//! A vault whose `k`th operation goes wrong in one way.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use tfstate::backup::Error;
use tfstate::backup::vault::{Created, Object, Vault};

/// How an operation goes wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mode {
    /// It fails, and nothing was done.
    Fails,
    /// It is done, and then it is said to have failed.
    Lost,
    /// What was created is said to have been there.
    SaysExists,
    /// What was there is said to have been created.
    SaysNew,
    /// A read ends after half of it.
    Half,
    /// A read has no bytes.
    Empty,
    /// A read has one bit flipped, at this part of 8 of it.
    Flipped(usize),
    /// A read returns other bytes of the object than were asked for.
    Shifted,
    /// What was listed is not there when it is read.
    Vanished,
    /// A listing misses the last so many objects.
    Stale(usize),
    /// A listing has each object twice.
    Twice,
    /// A listing goes backwards.
    Reversed,
    /// A listing says that the last object has another length.
    OtherLength,
    /// It is said to be done, and nothing was. No promise holds in such a place, so this is none of
    /// [`MODES`].
    Lies,
}

/// All of them that leave what a place promises.
pub(crate) const MODES: [Mode; 20] = [
    Mode::Fails,
    Mode::Lost,
    Mode::SaysExists,
    Mode::SaysNew,
    Mode::Half,
    Mode::Empty,
    Mode::Flipped(0),
    Mode::Flipped(1),
    Mode::Flipped(2),
    Mode::Flipped(4),
    Mode::Flipped(6),
    Mode::Flipped(7),
    Mode::Shifted,
    Mode::Vanished,
    Mode::Stale(1),
    Mode::Stale(2),
    Mode::Stale(usize::MAX),
    Mode::Twice,
    Mode::Reversed,
    Mode::OtherLength,
];

/// A vault around another.
#[derive(Debug)]
pub(crate) struct Faulty {
    inner: Arc<dyn Vault>,
    mode: Mode,
    at: usize,
    done: AtomicUsize,
    fired: AtomicBool,
    lied: Mutex<Option<String>>,
}

impl Faulty {
    pub(crate) fn new(inner: Arc<dyn Vault>, at: usize, mode: Mode) -> Self {
        let (done, fired, lied) = (AtomicUsize::new(0), AtomicBool::new(false), Mutex::default());
        Self { inner, mode, at, done, fired, lied }
    }

    /// Returns how many operations there were.
    pub(crate) fn operations(&self) -> usize {
        self.done.load(Ordering::SeqCst)
    }

    /// Returns whether the operation went wrong: not every mode is one of every operation.
    pub(crate) fn fired(&self) -> bool {
        self.fired.load(Ordering::SeqCst)
    }

    /// Returns of which object it was said that something was done that was not.
    pub(crate) fn lied(&self) -> Option<String> {
        self.lied.lock().unwrap().clone()
    }

    fn lie(&self, key: &str) {
        *self.lied.lock().unwrap() = Some(key.to_owned());
    }

    /// Counts an operation, and returns how it is to go wrong.
    fn turn(&self, possible: fn(Mode) -> bool) -> Option<Mode> {
        let is_it = self.done.fetch_add(1, Ordering::SeqCst) == self.at && possible(self.mode);
        if is_it {
            self.fired.store(true, Ordering::SeqCst);
        }
        is_it.then_some(self.mode)
    }

    fn failed() -> Error {
        let source = io::Error::other("the line is dead");
        Error::Io { action: "reach", path: PathBuf::from("shelf"), source }
    }

    fn reading(
        &self,
        read: impl FnOnce() -> Result<Option<Vec<u8>>, Error>,
    ) -> Result<Option<Vec<u8>>, Error> {
        let possible = |mode| {
            use Mode::{Empty, Fails, Flipped, Half, Shifted, Vanished};
            matches!(mode, Fails | Half | Empty | Flipped(_) | Shifted | Vanished)
        };
        let Some(mode) = self.turn(possible) else { return read() };
        if mode == Mode::Fails {
            return Err(Self::failed());
        }
        let Some(mut bytes) = read()?.filter(|_| mode != Mode::Vanished) else { return Ok(None) };
        match mode {
            Mode::Half => bytes.truncate(bytes.len() / 2),
            Mode::Empty => bytes.clear(),
            Mode::Shifted if !bytes.is_empty() => bytes.rotate_left(1),
            Mode::Flipped(part) => {
                let place = (bytes.len() * part / 8).min(bytes.len().saturating_sub(1));
                if let Some(byte) = bytes.get_mut(place) {
                    *byte ^= 4;
                }
            }
            _ => {}
        }
        Ok(Some(bytes))
    }
}

impl Vault for Faulty {
    fn name(&self, key: &str) -> String {
        self.inner.name(key)
    }

    fn read(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.reading(|| self.inner.read(key))
    }

    fn start(&self, key: &str, len: u64) -> Result<Option<Vec<u8>>, Error> {
        self.reading(|| self.inner.start(key, len))
    }

    fn create(&self, key: &str, bytes: &[u8]) -> Result<Created, Error> {
        use Mode::{Fails, Lies, Lost, SaysExists, SaysNew};
        let possible = |mode| matches!(mode, Fails | Lies | Lost | SaysExists | SaysNew);
        match self.turn(possible) {
            Some(Fails) => Err(Self::failed()),
            Some(Lost) => self.inner.create(key, bytes).and_then(|_| Err(Self::failed())),
            Some(SaysExists) => self.inner.create(key, bytes).map(|_| Created::Exists),
            Some(SaysNew) => self.inner.create(key, bytes).map(|_| Created::New),
            Some(Lies) => {
                self.lie(key);
                Ok(Created::New)
            }
            _ => self.inner.create(key, bytes),
        }
    }

    fn delete(&self, key: &str) -> Result<(), Error> {
        match self.turn(|mode| matches!(mode, Mode::Fails | Mode::Lies | Mode::Lost)) {
            Some(Mode::Fails) => Err(Self::failed()),
            Some(Mode::Lies) => {
                self.lie(key);
                Ok(())
            }
            Some(_) => self.inner.delete(key).and_then(|()| Err(Self::failed())),
            None => self.inner.delete(key),
        }
    }

    fn list(&self, prefix: &str) -> Result<Vec<Object>, Error> {
        let possible = |mode| {
            use Mode::{Fails, OtherLength, Reversed, Stale, Twice};
            matches!(mode, Fails | Stale(_) | Twice | Reversed | OtherLength)
        };
        let mode = self.turn(possible);
        if mode == Some(Mode::Fails) {
            return Err(Self::failed());
        }
        let mut listed = self.inner.list(prefix)?;
        match mode {
            Some(Mode::Stale(missing)) => listed.truncate(listed.len().saturating_sub(missing)),
            Some(Mode::Twice) => listed.extend(listed.clone()),
            Some(Mode::Reversed) => listed.reverse(),
            Some(Mode::OtherLength) => {
                if let Some(last) = listed.last_mut() {
                    last.len += 1;
                }
            }
            _ => {}
        }
        Ok(listed)
    }

    fn sweep(&self, before: Timestamp) -> Result<usize, Error> {
        self.inner.sweep(before)
    }

    fn is_near(&self) -> bool {
        self.inner.is_near()
    }
}
