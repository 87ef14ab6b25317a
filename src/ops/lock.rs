//! Takes the lock of a state, waiting for it as long as was asked.

use std::fmt;
use std::time::Duration;

use crate::store::{Error, Held, Holder, LockInfo, Locks};

/// The first time between two tries; it doubles up to [`LONGEST`], as Terraform's does.
const FIRST: Duration = Duration::from_secs(1);

const LONGEST: Duration = Duration::from_secs(16);

/// How finely waiting is cut, so that an interrupt ends it soon.
const SLICE: Duration = Duration::from_millis(100);

/// How long to wait for a lock, and what to do meanwhile.
#[derive(Clone, Copy)]
pub struct Wait<'a> {
    /// After this it is given up; zero tries once.
    pub timeout: Duration,
    /// Is told who holds the lock, once for each try that finds it held.
    pub told: &'a dyn Fn(&Holder),
    /// Says when to give up early.
    pub stop: &'a dyn Fn() -> bool,
    /// Passes the time.
    pub sleep: &'a dyn Fn(Duration),
}

impl fmt::Debug for Wait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

impl Default for Wait<'_> {
    fn default() -> Self {
        Self { timeout: Duration::ZERO, told: &|_| {}, stop: &|| false, sleep: &std::thread::sleep }
    }
}

/// Takes the lock of a key.
///
/// # Errors
///
/// [`Error::Locked`] with the last holder where the time ran out.
pub fn acquire(
    locks: &dyn Locks,
    key: &str,
    info: &LockInfo,
    wait: Wait<'_>,
) -> Result<Box<dyn Held>, Error> {
    let (mut left, mut pause) = (wait.timeout, FIRST);
    loop {
        let error = match locks.acquire(key, info) {
            Err(error @ Error::Locked { .. }) => error,
            done => return done,
        };
        if left.is_zero() || (wait.stop)() {
            return Err(error);
        }
        if let Error::Locked { holder, .. } = &error {
            (wait.told)(holder);
        }
        let mut now = pause.min(left);
        left -= now;
        while !now.is_zero() && !(wait.stop)() {
            let slice = now.min(SLICE);
            (wait.sleep)(slice);
            now -= slice;
        }
        pause = (pause * 2).min(LONGEST);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;
    use crate::store::{Memory, Store};

    fn info(who: &str) -> LockInfo {
        LockInfo { id: who.to_owned(), who: who.to_owned(), ..LockInfo::default() }
    }

    #[test]
    fn a_free_lock_is_taken_at_once() {
        let store = Memory::default();
        let held = acquire(store.locks().unwrap(), "a", &info("me"), Wait::default()).unwrap();
        assert_eq!(held.id(), "me");
    }

    #[test]
    fn a_held_lock_is_tried_as_long_as_was_asked_and_then_its_holder_is_named() {
        let store = Memory::default();
        let locks = store.locks().unwrap();
        let held = acquire(locks, "a", &info("them"), Wait::default()).unwrap();
        let (slept, tries) = (Cell::new(Duration::ZERO), Cell::new(0));
        let wait = Wait {
            timeout: Duration::from_secs(20),
            told: &|_| tries.set(tries.get() + 1),
            sleep: &|time| slept.set(slept.get() + time),
            ..Wait::default()
        };
        let error = acquire(locks, "a", &info("me"), wait).unwrap_err();
        assert!(error.to_string().ends_with("is locked by them"), "{error}");
        assert_eq!((slept.get(), tries.get()), (Duration::from_secs(20), 5));
        drop(held);
    }

    #[test]
    fn a_lock_that_is_released_meanwhile_is_taken() {
        let store = Memory::default();
        let locks = store.locks().unwrap();
        let held = RefCell::new(Some(acquire(locks, "a", &info("them"), Wait::default()).unwrap()));
        let wait = Wait {
            timeout: Duration::from_secs(20),
            sleep: &|_| drop(held.take()),
            ..Wait::default()
        };
        assert_eq!(acquire(locks, "a", &info("me"), wait).unwrap().id(), "me");
    }

    #[test]
    fn an_interrupt_ends_the_waiting() {
        let store = Memory::default();
        let locks = store.locks().unwrap();
        let held = acquire(locks, "a", &info("them"), Wait::default()).unwrap();
        let naps = Cell::new(0);
        let wait = Wait {
            timeout: Duration::from_mins(10),
            stop: &|| naps.get() == 3,
            sleep: &|_| naps.set(naps.get() + 1),
            ..Wait::default()
        };
        assert!(matches!(acquire(locks, "a", &info("me"), wait), Err(Error::Locked { .. })));
        assert_eq!(naps.get(), 3);
        drop(held);
    }
}
