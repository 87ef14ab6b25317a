//! What every store does when its server fails: at each method, in each way, once and for good.
//!
//! What is passing and happens once goes unnoticed. Whatever else happens is an error that one can
//! understand and that holds no credential, and the state is as it was.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use tfstate::store::{Body, Error, Expected, Found, Held, Holder, Problem, Store, Version};

use crate::contract::{info, told};
use crate::fake::{Fake, Service};
use crate::s3_server::fault::{Fault, When};

/// A server whose requests can be made to fail.
pub(crate) trait Breakable: Send {
    fn fail(&self, fault: Fault);
    fn heal(&self) -> bool;
    fn requests(&self) -> Vec<String>;
}

impl<S: Service> Breakable for Fake<S> {
    fn fail(&self, fault: Fault) {
        Self::fail(self, fault);
    }

    fn heal(&self) -> bool {
        Self::heal(self)
    }

    fn requests(&self) -> Vec<String> {
        Self::requests(self)
    }
}

/// A store, and the server that it is connected to.
pub(crate) type Pair = (Arc<dyn Store>, Box<dyn Breakable>);

const OLD: &[u8] = br#"{"version":4,"serial":1}"#;
const NEW: &[u8] = br#"{"version":4,"serial":2}"#;

/// How long the store under test waits, in seconds, and how late an answer is that is too late.
pub(crate) const PATIENCE: &str = "1";
const TOO_LATE: Duration = Duration::from_millis(1_500);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verb {
    Read,
    Head,
    List,
    Versions,
    Create,
    Replace,
    Delete,
    Acquire,
    Holder,
    Break,
    Release,
}

const VERBS: [Verb; 11] = [
    Verb::Read,
    Verb::Head,
    Verb::List,
    Verb::Versions,
    Verb::Create,
    Verb::Replace,
    Verb::Delete,
    Verb::Acquire,
    Verb::Holder,
    Verb::Break,
    Verb::Release,
];

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Status(u16, When),
    Drop(When),
    Slow(When),
    Truncated,
    Flipped,
}

const KINDS: [Kind; 16] = [
    Kind::Status(301, When::Before),
    Kind::Status(401, When::Before),
    Kind::Status(403, When::Before),
    Kind::Status(404, When::Before),
    Kind::Status(412, When::Before),
    Kind::Status(429, When::Before),
    Kind::Status(500, When::Before),
    Kind::Status(503, When::Before),
    Kind::Status(500, When::After),
    Kind::Status(503, When::After),
    Kind::Drop(When::Before),
    Kind::Drop(When::After),
    Kind::Slow(When::Before),
    Kind::Slow(When::After),
    Kind::Truncated,
    Kind::Flipped,
];

impl Kind {
    fn fault(self, method: &str) -> Fault {
        match self {
            Self::Status(status, when) => Fault::status(method, when, status, "AsTold"),
            Self::Drop(when) => Fault::drop(method, when),
            Self::Slow(when) => Fault::slow(method, when, TOO_LATE),
            Self::Truncated => Fault::truncated(method, 5),
            Self::Flipped => Fault::flipped(method),
        }
    }

    /// Whether trying again helps.
    fn is_passing(self) -> bool {
        !matches!(self, Self::Status(301..=412, _) | Self::Flipped)
    }

    /// Whether it is worth the time to see what becomes of a server that fails so each time.
    fn is_tried_for_good(self) -> bool {
        !self.is_passing() && self != Self::Flipped
            || matches!(self, Self::Status(429, _) | Self::Drop(When::Before))
            || matches!(self, Self::Status(500, When::Before) | Self::Status(503, When::After))
    }

    /// Whether the request has taken effect for all that the store can know.
    fn may_have_happened(self) -> bool {
        matches!(
            self,
            Self::Status(_, When::After)
                | Self::Drop(When::After)
                | Self::Slow(When::After)
                | Self::Truncated
                | Self::Flipped
        )
    }

    /// What the error must say, where only one thing is right.
    fn problem(self) -> Option<fn(&Problem) -> bool> {
        Some(match self {
            Self::Status(301, _) => |problem| matches!(problem, Problem::Redirected(_)),
            Self::Status(401, _) => |problem| *problem == Problem::Unauthenticated,
            Self::Status(403, _) => |problem| *problem == Problem::Denied,
            Self::Status(429, _) => |problem| *problem == Problem::Throttled,
            Self::Status(500, _) => |problem| *problem == Problem::Unavailable(500),
            Self::Status(503, _) => |problem| *problem == Problem::Unavailable(503),
            Self::Drop(_) => |problem| matches!(problem, Problem::Unreachable(_)),
            Self::Slow(_) => |problem| *problem == Problem::TimedOut,
            _ => return None,
        })
    }
}

/// How many servers are made to fail at once; most of the time is spent waiting.
const WORKERS: usize = 24;

/// Fails unless a store survives every fault at every method of every verb.
pub(crate) fn survives(open: &(dyn Fn() -> Pair + Sync), secrets: &[&str]) {
    let cases = cases(&open());
    assert!(cases.len() > VERBS.len() * KINDS.len(), "every verb asks something");
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                let (store, server) = open();
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some((verb, method, kind)) = cases.get(at) else { return };
                    let case = Case { verb: *verb, kind: *kind, method, secrets, at };
                    case.once(&*store, &*server);
                    if kind.is_tried_for_good() {
                        case.for_good(&*store, &*server);
                    }
                }
            });
        }
    });
}

/// Returns every verb with every method that it uses and every kind of fault.
fn cases((store, server): &Pair) -> Vec<(Verb, String, Kind)> {
    let mut cases = Vec::new();
    for (at, verb) in VERBS.into_iter().enumerate() {
        let (kind, method, secrets) = (Kind::Truncated, "", &[][..]);
        let case = Case { verb, kind, method, secrets, at: usize::MAX - at };
        let (version, held) = case.prepare(&**store);
        server.requests();
        drop(case.act(&**store, &version, held));
        let line = |line: &String| Some(format!("{} ", line.split_once(' ')?.0));
        let methods: BTreeSet<_> = server.requests().iter().filter_map(line).collect();
        for method in methods {
            cases.extend(KINDS.map(|kind| (verb, method.clone(), kind)));
        }
    }
    cases
}

#[derive(Clone, Copy, Debug)]
struct Case<'a> {
    verb: Verb,
    kind: Kind,
    method: &'a str,
    secrets: &'a [&'a str],
    /// Its keys are its own.
    at: usize,
}

/// What is there before and after.
#[derive(Debug, Eq, PartialEq)]
struct Seen {
    a: Option<Vec<u8>>,
    b: Option<Vec<u8>>,
}

impl Case<'_> {
    fn once(self, store: &dyn Store, server: &dyn Breakable) {
        let (version, held) = self.prepare(store);
        server.fail(self.kind.fault(self.method));
        let (result, held) = self.act(store, &version, held);
        let was_hit = server.heal();
        let seen = self.see(store);
        match &result {
            Ok(()) => assert_eq!(seen, self.after(), "{self:?}"),
            Err(error) => {
                assert!(was_hit, "{self:?} failed by itself: {error}");
                self.is_clear(error);
                assert!(
                    !self.kind.is_passing() || is_timeout(error) || self.is_inconclusive(error),
                    "{self:?} must go unnoticed: {}",
                    told(error)
                );
                self.is_as_it_was(&seen, error);
            }
        }
        self.locks_fit(store, result.is_ok(), held);
    }

    fn for_good(mut self, store: &dyn Store, server: &dyn Breakable) {
        self.at += 1_000_000;
        let (version, held) = self.prepare(store);
        server.fail(self.kind.fault(self.method).times(u32::MAX));
        let (result, held) = self.act(store, &version, held);
        server.heal();
        let seen = self.see(store);
        match &result {
            Ok(()) => assert_eq!(seen, self.after(), "{self:?}"),
            Err(error) => {
                self.is_clear(error);
                self.is_as_it_was(&seen, error);
                if let (Some(fits), Error::Remote { problem, .. }) = (self.kind.problem(), error) {
                    assert!(fits(problem), "{self:?}: {problem:?}");
                }
            }
        }
        self.locks_fit(store, result.is_ok(), held);
    }

    fn prepare(&self, store: &dyn Store) -> (Version, Option<Box<dyn Held>>) {
        let body = Body { bytes: OLD, expected: Expected::Nothing, lock: None };
        let version = store.write(&self.key("a"), &body).unwrap();
        let locks = matches!(self.verb, Verb::Break | Verb::Release | Verb::Holder);
        (version, locks.then(|| store.locks().unwrap().acquire(&self.key("a"), &info(1)).unwrap()))
    }

    fn act(
        &self,
        store: &dyn Store,
        version: &Version,
        mut held: Option<Box<dyn Held>>,
    ) -> (Result<(), Error>, Option<Box<dyn Held>>) {
        let a = &self.key("a");
        let write = |key: &str, expected| {
            store.write(&self.key(key), &Body { bytes: NEW, expected, lock: None }).map(drop)
        };
        let locks = store.locks().unwrap();
        let result = match self.verb {
            Verb::Read => store.read(a).map(|found| match found {
                Found::Bytes(bytes, _) => assert_eq!(&*bytes, OLD, "{self:?}"),
                // A refusal that says so once is to be believed.
                other => assert_eq!(self.kind, Kind::Status(404, When::Before), "{other:?}"),
            }),
            Verb::Head => store.head(a).map(drop),
            Verb::List => store.list(&self.key(""), &mut |_| Ok(())),
            Verb::Versions => match store.versions(a) {
                Err(Error::NoVersions { .. }) => Ok(()),
                other => other.map(drop),
            },
            Verb::Create => write("b", Expected::Nothing),
            Verb::Replace => write("a", Expected::Version(version)),
            Verb::Delete => store.delete(a, version, None),
            Verb::Acquire => locks.acquire(a, &info(1)).map(|lock| held = Some(lock)),
            Verb::Holder => locks.holder(a).map(drop),
            Verb::Break => {
                let id = held.as_ref().unwrap().id().to_owned();
                locks.break_lock(a, &id)
            }
            Verb::Release => held.take().unwrap().release(),
        };
        (result, held)
    }

    fn key(&self, name: &str) -> String {
        format!("{}/{name}", self.at)
    }

    fn see(&self, store: &dyn Store) -> Seen {
        let read = |key| match store.read(&self.key(key)).unwrap() {
            Found::Bytes(bytes, _) => Some(bytes.to_vec()),
            Found::Nothing => None,
            Found::Empty(_) => panic!("{self:?}: {key} is empty"),
        };
        Seen { a: read("a"), b: read("b") }
    }

    fn after(&self) -> Seen {
        let (old, new) = (Some(OLD.to_vec()), Some(NEW.to_vec()));
        match self.verb {
            Verb::Create => Seen { a: old, b: new },
            Verb::Replace => Seen { a: new, b: None },
            Verb::Delete => Seen { a: None, b: None },
            _ => Seen { a: old, b: None },
        }
    }

    fn is_as_it_was(&self, seen: &Seen, error: &Error) {
        let before = Seen { a: Some(OLD.to_vec()), b: None };
        let happened = self.kind.may_have_happened() && *seen == self.after();
        assert!(*seen == before || happened, "{self:?}: {seen:?} after {error}");
        if happened && *seen != before {
            // Whoever is told that nothing was written must be able to rely on it.
            assert!(!matches!(error, Error::Changed { .. }), "{self:?}: {error}");
        }
    }

    /// Whether the answer was read and made no sense, which is no fault of the connection.
    fn is_inconclusive(&self, error: &Error) -> bool {
        let damaged = |problem: &Problem| matches!(problem, Problem::Damaged(_));
        self.kind == Kind::Truncated
            && matches!(error, Error::Remote { problem, .. } if damaged(problem))
    }

    /// Fails unless an error says what happened to what, and no credential.
    fn is_clear(&self, error: &Error) {
        let text = told(error);
        assert!(text.contains("://"), "{self:?} names nothing: {text}");
        for secret in self.secrets {
            assert!(!text.contains(secret), "{self:?} shows a credential: {text}");
        }
    }

    fn locks_fit(&self, store: &dyn Store, is_done: bool, held: Option<Box<dyn Held>>) {
        let holder = store.locks().unwrap().holder(&self.key("a")).unwrap();
        match self.verb {
            Verb::Acquire if is_done => {
                assert!(matches!(holder, Holder::Somebody { .. }), "{self:?}: {holder:?}");
            }
            Verb::Break | Verb::Release if is_done => {
                assert_eq!(holder, Holder::Nobody, "{self:?}");
            }
            Verb::Acquire if !self.kind.may_have_happened() => {
                assert_eq!(holder, Holder::Nobody, "{self:?} left a lock behind");
            }
            _ => {}
        }
        drop(held);
    }
}

fn is_timeout(error: &Error) -> bool {
    matches!(
        error,
        Error::Remote { problem: Problem::TimedOut, .. }
            | Error::Unknown { .. }
            | Error::LockStays { .. }
    )
}
