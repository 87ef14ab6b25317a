//! A fault at every step: the state is the old one or the new one, what was there is kept before
//! it is touched, and whoever is told of a failure is told the truth.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::store::{
    Entry, Expected, Guarantees, Holder, Locks, Memory, Problem, Revision, Version,
};

const OLD: &[u8] = br#"{"version":4,"serial":1,"lineage":"a"}"#;
pub(in crate::ops) const THEIRS: &[u8] = br#"{"version":4,"serial":9,"lineage":"a"}"#;
const NEW: &[u8] = br#"{"version":4,"serial":2,"lineage":"a"}"#;

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::ops) enum Fault {
    /// It has no effect and fails.
    Before,
    /// It has its effect, and its answer is lost.
    After,
    /// It says that it is done, and has no effect.
    Lie,
    /// Somebody else writes just before it.
    Race,
    /// From this call on, none has an effect.
    Gone,
    /// It has its effect, but what belongs to it is not done.
    Half,
    /// What is there is not what its digest is of.
    Digest,
}

/// A store in memory, one of whose calls goes wrong.
#[derive(Debug)]
struct Faulty {
    inner: Memory,
    calls: Arc<Calls>,
}

#[derive(Debug)]
struct Calls {
    /// Which call goes wrong, counted from 0.
    wrong: usize,
    fault: Fault,
    made: AtomicUsize,
}

impl Calls {
    fn next(&self) -> Option<Fault> {
        let call = self.made.fetch_add(1, Ordering::SeqCst);
        let is_wrong = call == self.wrong || (self.fault == Fault::Gone && call > self.wrong);
        is_wrong.then_some(self.fault)
    }
}

fn lost(doing: &'static str) -> store::Error {
    store::Error::Remote {
        doing,
        what: "a".to_owned(),
        problem: Problem::Unavailable(503),
        source: None,
    }
}

impl Faulty {
    fn somebody_writes(&self) {
        let Ok(Found::Bytes(_, version)) = self.inner.read("a") else { return };
        let body = Body { bytes: THEIRS, expected: Expected::Version(&version), lock: None };
        self.inner.write("a", &body).unwrap();
    }
}

impl Store for Faulty {
    fn name(&self, key: &str) -> String {
        self.inner.name(key)
    }

    fn guarantees(&self) -> Guarantees {
        self.inner.guarantees()
    }

    fn read(&self, key: &str) -> Result<Found, store::Error> {
        match self.calls.next() {
            Some(Fault::Before | Fault::After | Fault::Gone) => Err(lost("read")),
            Some(Fault::Race) => {
                self.somebody_writes();
                self.inner.read(key)
            }
            Some(Fault::Digest) => {
                let (what, found) = (self.name(key), Box::new(self.inner.read(key)?));
                let why = "its MD5 is another".to_owned();
                Err(store::Error::Digest { what, why, found })
            }
            Some(Fault::Lie | Fault::Half) | None => self.inner.read(key),
        }
    }

    fn read_version(&self, key: &str, id: &str) -> Result<Found, store::Error> {
        self.inner.read_version(key, id)
    }

    fn head(&self, key: &str) -> Result<Option<Entry>, store::Error> {
        self.inner.head(key)
    }

    fn write(&self, key: &str, body: &Body<'_>) -> Result<Version, store::Error> {
        match self.calls.next() {
            Some(Fault::Before | Fault::Gone) => Err(lost("write")),
            Some(Fault::After) => {
                self.inner.write(key, body)?;
                let source = "the connection was lost".into();
                Err(store::Error::Unknown { what: self.name(key), source })
            }
            Some(Fault::Half) => {
                self.inner.write(key, body)?;
                let text = |text: &str| text.to_owned();
                let (what, table, row) = (self.name(key), text("locks"), text("a-md5"));
                let (digest, source) = (text("0123"), Box::new(lost("write")));
                Err(store::Error::Undigested { what, table, row, digest, source })
            }
            Some(Fault::Lie) => Ok(Version::default()),
            Some(Fault::Race) => {
                self.somebody_writes();
                self.inner.write(key, body)
            }
            Some(Fault::Digest) | None => self.inner.write(key, body),
        }
    }

    fn delete(
        &self,
        key: &str,
        expected: &Version,
        lock: Option<&str>,
    ) -> Result<(), store::Error> {
        self.inner.delete(key, expected, lock)
    }

    fn list(
        &self,
        prefix: &str,
        each: &mut dyn FnMut(Entry) -> Result<(), store::Error>,
    ) -> Result<(), store::Error> {
        self.inner.list(prefix, each)
    }

    fn versions(&self, key: &str) -> Result<Vec<Revision>, store::Error> {
        self.inner.versions(key)
    }

    fn locks(&self) -> Option<&dyn Locks> {
        Some(self)
    }
}

impl Locks for Faulty {
    fn acquire(&self, key: &str, info: &LockInfo) -> Result<Box<dyn Held>, store::Error> {
        let locks = self.inner.locks().unwrap();
        let held = match self.calls.next() {
            Some(Fault::Before | Fault::After | Fault::Lie | Fault::Gone) => {
                return Err(lost("lock"));
            }
            Some(Fault::Race) => {
                let theirs = LockInfo { id: "theirs".to_owned(), ..LockInfo::default() };
                std::mem::forget(locks.acquire(key, &theirs)?);
                locks.acquire(key, info)?
            }
            Some(Fault::Half | Fault::Digest) | None => locks.acquire(key, info)?,
        };
        Ok(Box::new(FaultyHeld { held, calls: Arc::clone(&self.calls) }))
    }

    fn holder(&self, key: &str) -> Result<Holder, store::Error> {
        self.inner.locks().unwrap().holder(key)
    }

    fn break_lock(&self, key: &str, id: &str) -> Result<(), store::Error> {
        self.inner.locks().unwrap().break_lock(key, id)
    }
}

#[derive(Debug)]
struct FaultyHeld {
    held: Box<dyn Held>,
    calls: Arc<Calls>,
}

impl Held for FaultyHeld {
    fn id(&self) -> &str {
        self.held.id()
    }

    fn release(self: Box<Self>) -> Result<(), store::Error> {
        match self.calls.next() {
            Some(Fault::Before | Fault::Gone) => {
                std::mem::forget(self.held);
                Err(lost("unlock"))
            }
            Some(Fault::After) => {
                self.held.release()?;
                Err(lost("unlock"))
            }
            Some(Fault::Lie | Fault::Race | Fault::Half | Fault::Digest) | None => {
                self.held.release()
            }
        }
    }
}

/// Keeps copies where the test can see them.
#[derive(Debug, Default)]
struct Copies {
    kept: Mutex<Vec<Vec<u8>>>,
    fails: bool,
}

impl Keep for Copies {
    fn keep(&self, _target: &Target, bytes: &Bytes) -> Result<String, Cause> {
        if self.fails {
            return Err("the disk is full".into());
        }
        self.kept.lock().unwrap().push(bytes.to_vec());
        Ok("a copy".to_owned())
    }
}

/// What came of work on a store that goes wrong.
#[derive(Debug)]
pub(in crate::ops) struct Ran<R = Result<Report, Error>> {
    pub(in crate::ops) result: R,
    pub(in crate::ops) now: Vec<u8>,
    pub(in crate::ops) copies: Vec<Vec<u8>>,
    pub(in crate::ops) is_locked: bool,
    pub(in crate::ops) calls: usize,
}

/// Replaces `OLD` by `NEW` in a store whose call number `wrong` goes wrong.
fn run(wrong: usize, fault: Fault, before: Option<&[u8]>, fails: bool) -> Ran {
    run_with((wrong, fault), before, fails, |target, locking, copies| {
        Session::open(target, locking, Rules::Heeded)
            .and_then(|session| session.replace(NEW, copies))
    })
}

/// Does work on a store that holds `before` and whose call number `wrong` goes wrong.
pub(in crate::ops) fn run_with<R>(
    (wrong, fault): (usize, Fault),
    before: Option<&[u8]>,
    fails: bool,
    work: impl FnOnce(Target, Locking<'_>, &dyn Keep) -> R,
) -> Ran<R> {
    let inner = Memory::default();
    if let Some(bytes) = before {
        inner.write("a", &Body { bytes, expected: Expected::Nothing, lock: None }).unwrap();
    }
    let calls = Arc::new(Calls { wrong, fault, made: AtomicUsize::new(0) });
    let faulty = Arc::new(Faulty { inner, calls: Arc::clone(&calls) });
    let store: Arc<dyn Store> = Arc::<Faulty>::clone(&faulty);
    let copies = Copies { fails, ..Copies::default() };
    let info = LockInfo { id: "mine".to_owned(), who: "me".to_owned(), ..LockInfo::default() };
    let locking = Locking::On { info: &info, wait: Wait::default() };
    let result = work(Target::of_store(store, "a"), locking, &copies);
    let now = match faulty.inner.read("a").unwrap() {
        Found::Bytes(bytes, _) => bytes.to_vec(),
        Found::Nothing | Found::Empty(_) => Vec::new(),
    };
    let is_locked =
        matches!(faulty.holder("a").unwrap(), Holder::Somebody { id, .. } if id == "mine");
    let copies = copies.kept.into_inner().unwrap();
    Ran { result, now, copies, is_locked, calls: calls.made.load(Ordering::SeqCst) }
}

#[test]
fn without_a_fault_the_state_is_replaced_and_what_was_there_is_kept() {
    let ran = run(usize::MAX, Fault::Before, Some(OLD), false);
    assert_eq!(
        ran.result.unwrap(),
        Report { kept: Some("a copy".to_owned()), written: true, after: None }
    );
    assert_eq!((ran.now, ran.copies), (NEW.to_vec(), vec![OLD.to_vec()]));
    assert!(!ran.is_locked);
}

#[test]
fn bytes_that_are_there_already_are_not_written_again() {
    let ran = run(usize::MAX, Fault::Before, Some(NEW), false);
    assert_eq!(ran.result.unwrap(), Report::untouched());
    assert_eq!(ran.copies.len(), 0);
}

#[test]
fn where_there_is_nothing_nothing_has_to_be_kept() {
    let ran = run(usize::MAX, Fault::Before, None, true);
    assert_eq!(ran.result.unwrap(), Report { kept: None, written: true, after: None });
    assert_eq!(ran.now, NEW);
}

#[test]
fn a_copy_that_cannot_be_kept_leaves_the_state_untouched_and_unlocked() {
    let ran = run(usize::MAX, Fault::Before, Some(OLD), true);
    assert!(matches!(ran.result, Err(Error::Keep { .. })));
    assert_eq!((ran.now.as_slice(), ran.is_locked), (OLD, false));
}

#[test]
fn whatever_goes_wrong_at_whatever_step_what_is_told_is_true() {
    let steps = run(usize::MAX, Fault::Before, Some(OLD), false).calls;
    assert_eq!(steps, 5, "lock, read, write, read back, unlock");
    for fault in [Fault::Before, Fault::After, Fault::Lie, Fault::Race, Fault::Half] {
        for wrong in 0..steps {
            let ran = run(wrong, fault, Some(OLD), false);
            let at = format!("{fault:?} at call {wrong}: {:?}", ran.result);
            let is_new = ran.now == NEW;
            let was_there = if (fault, wrong) == (Fault::Race, 1) { THEIRS } else { OLD };
            assert!(!is_new || ran.copies == [was_there], "kept first: {at}");
            match &ran.result {
                Ok(report) => assert!(report.written && is_new && !ran.is_locked, "{at}"),
                Err(Error::Unlock { written, .. }) => assert_eq!(*written, is_new, "{at}"),
                Err(Error::NotWritten { kept, .. } | Error::HalfWritten { kept, .. }) => {
                    assert!(kept.is_some(), "{at}");
                }
                Err(Error::Store(_) | Error::Keep { .. }) => assert!(!is_new, "{at}"),
                Err(Error::Stuck { .. }) => panic!("only one call goes wrong: {at}"),
            }
            let stuck = matches!(ran.result, Err(Error::Unlock { .. }));
            assert!(!ran.is_locked || stuck, "{at}");
        }
    }
}

#[test]
fn a_network_that_goes_away_leaves_a_lock_that_is_told() {
    for wrong in 1..4 {
        let ran = run(wrong, Fault::Gone, Some(OLD), false);
        assert!(ran.is_locked);
        let Err(Error::Stuck { error, id, .. }) = ran.result else {
            panic!("{wrong}: {:?}", ran.result)
        };
        assert_eq!(id, "mine");
        let is_written = matches!(*error, Error::NotWritten { .. });
        assert_eq!(is_written, ran.now == NEW, "{wrong}: {error:?}");
    }
    let ran = run(4, Fault::Gone, Some(OLD), false);
    let Err(Error::Unlock { kept, written: true, .. }) = ran.result else {
        panic!("{:?}", ran.result)
    };
    assert_eq!(kept.as_deref(), Some("a copy"));
}

#[test]
fn a_write_that_was_not_finished_tells_where_the_copy_is() {
    let ran = run(2, Fault::Half, Some(OLD), false);
    let Err(Error::HalfWritten { error, kept }) = ran.result else { panic!("{:?}", ran.result) };
    assert!(matches!(*error, store::Error::Undigested { .. }));
    assert_eq!(kept.as_deref(), Some("a copy"));
    assert_eq!((ran.now.as_slice(), ran.is_locked), (NEW, false));
}

#[test]
fn a_state_that_somebody_changed_meanwhile_is_not_overwritten() {
    let ran = run(2, Fault::Race, Some(OLD), false);
    assert!(matches!(ran.result, Err(Error::Store(store::Error::Changed { .. }))));
    assert_eq!(ran.now, THEIRS);
}

#[test]
fn a_lock_that_somebody_holds_ends_it_before_anything_is_read() {
    let ran = run(0, Fault::Race, Some(OLD), false);
    assert!(matches!(ran.result, Err(Error::Store(store::Error::Locked { .. }))));
    assert_eq!((ran.calls, ran.now.as_slice()), (1, OLD));
}

#[test]
fn what_is_not_what_its_digest_is_of_is_replaced_where_the_rules_are_overruled() {
    let ran = |before: Option<&[u8]>, new: &[u8], rules| {
        run_with((1, Fault::Digest), before, false, |target, locking, copies| {
            Session::open(target, locking, rules).and_then(|session| {
                assert!(session.is_doubted());
                session.replace(new, copies)
            })
        })
    };
    let refused = ran(Some(OLD), NEW, Rules::Heeded);
    assert!(matches!(refused.result, Err(Error::Store(store::Error::Digest { .. }))));
    assert_eq!((refused.now.as_slice(), refused.is_locked), (OLD, false));
    let replaced = ran(Some(OLD), NEW, Rules::Overruled);
    assert!(replaced.result.unwrap().written);
    assert_eq!((replaced.now.as_slice(), replaced.copies), (NEW, vec![OLD.to_vec()]));
    let same = ran(Some(OLD), OLD, Rules::Overruled);
    assert!(same.result.unwrap().written, "or its digest stays as it is");
    let gone = ran(None, NEW, Rules::Heeded);
    assert!(gone.result.unwrap().written);
    assert_eq!((gone.now.as_slice(), gone.is_locked), (NEW, false));
}

#[test]
fn what_is_no_state_is_handed_out_as_it_is() {
    let inner = Memory::default();
    let body = Body { bytes: b"<html>", expected: Expected::Nothing, lock: None };
    inner.write("a", &body).unwrap();
    let session =
        Session::open(Target::of_store(Arc::new(inner), "a"), Locking::Off, Rules::Heeded).unwrap();
    assert!(!session.is_locked());
    let live = session.leave().unwrap();
    assert!(matches!(live, Live::Broken(bytes, _) if *bytes == *b"<html>"));
}
