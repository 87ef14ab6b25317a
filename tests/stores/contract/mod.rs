//! What every store must do, as one function that takes any of them.
//!
//! A store says with its [`Traits`] what it can do; all the rest is the same for everybody. What
//! is checked here is written in the documentation of `tfstate::store::Store` and `Locks`.

mod bytes;
mod keys;
mod locks;
mod races;

use tfstate::store::{Body, Entry, Error, Expected, Found, Held, LockInfo, Store, Version};

/// What a store can do, and how much of it the suite tries.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traits<'a> {
    /// The keys that are free to be used.
    pub(crate) keys: Keys<'a>,
    /// Whether something of no bytes can be there, and be written.
    pub(crate) can_be_empty: bool,
    /// Whether it keeps earlier versions.
    pub(crate) has_versions: bool,
    /// How many keys to list; 0 where it does not list. More than 1,000 shows whether pages work.
    pub(crate) listed: usize,
    /// How long the large body is.
    pub(crate) large: usize,
    /// What its locks can do; none where it has none.
    pub(crate) locks: Option<LockTraits>,
    /// What no name, error or debug output may hold.
    pub(crate) secrets: &'a [&'a str],
}

/// The keys that a store has.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Keys<'a> {
    /// This one; the suite deletes what it holds between checks.
    One(&'a str),
    /// Any that begin with this, under which there never was anything; `odd` are names that
    /// another key may end with.
    Many { prefix: &'a str, odd: &'a [&'a str] },
}

/// What the locks of a store can do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LockTraits {
    /// Whether the holder is told by name.
    pub(crate) names_holder: bool,
    /// Whether a lock can be broken by its id.
    pub(crate) can_be_broken: bool,
    /// Whether a lock that was broken, and taken by another, is told from one's own at its release.
    pub(crate) notices_thief: bool,
}

impl Traits<'_> {
    /// All that a store can be asked for, but versions.
    pub(crate) const EVERYTHING: Traits<'static> = Traits {
        keys: Keys::Many { prefix: "contract/", odd: ODD_KEYS },
        can_be_empty: true,
        has_versions: false,
        listed: 1_100,
        large: 20_000_000,
        locks: Some(LockTraits { names_holder: true, can_be_broken: true, notices_thief: true }),
        secrets: &[],
    };
}

/// Names that libraries like to rewrite.
pub(crate) const ODD_KEYS: &[&str] = &[
    "tilde~",
    "percent%41%",
    "bracket[1]{2}",
    "plus+ and space",
    "at@-1",
    "hash#question?star*",
    "amp&=;:,",
    "quote'\"",
    "ünï-日本",
    "env:/dev/app.tfstate",
    "back`tick|^",
];

/// A store under test, and the key that one check may use.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) traits: &'a Traits<'a>,
}

/// Fails unless a store does all that its traits say.
pub(crate) fn holds(store: &dyn Store, traits: &Traits<'_>) {
    let subject = Subject { store, traits };
    bytes::hold(subject);
    keys::hold(subject);
    races::hold(subject);
    if let Some(locks) = traits.locks {
        locks::hold(subject, locks);
    } else {
        assert!(store.locks().is_none(), "it has locks after all");
    }
}

impl Subject<'_> {
    /// Returns a key that holds nothing, and is used by this check only where there are many.
    fn key(&self, check: &str) -> String {
        let key = match self.traits.keys {
            Keys::One(key) => key.to_owned(),
            Keys::Many { prefix, .. } => format!("{prefix}{check}"),
        };
        self.clear(&key);
        key
    }

    fn clear(&self, key: &str) {
        match self.store.read(key).unwrap() {
            Found::Nothing => {}
            Found::Empty(version) | Found::Bytes(_, version) => {
                self.store.delete(key, &version, None).unwrap();
            }
        }
    }

    fn create(&self, key: &str, bytes: &[u8]) -> Result<Version, Error> {
        self.check(self.store.write(key, &Body { bytes, expected: Expected::Nothing, lock: None }))
    }

    fn replace(&self, key: &str, old: &Version, bytes: &[u8]) -> Result<Version, Error> {
        let body = Body { bytes, expected: Expected::Version(old), lock: None };
        self.check(self.store.write(key, &body))
    }

    /// Returns the bytes and their version, where there must be some.
    #[track_caller]
    fn bytes(&self, key: &str) -> (Vec<u8>, Version) {
        match self.store.read(key).unwrap() {
            Found::Bytes(bytes, version) => (bytes.to_vec(), version),
            other => panic!("{}: {other:?} where bytes were expected", self.store.name(key)),
        }
    }

    #[track_caller]
    fn is_nothing(&self, key: &str) {
        let found = self.store.read(key).unwrap();
        assert!(matches!(found, Found::Nothing), "{}: {found:?}", self.store.name(key));
    }

    fn list(&self, prefix: &str) -> Vec<Entry> {
        let mut entries = Vec::new();
        let mut each = |entry| {
            entries.push(entry);
            Ok(())
        };
        self.check(self.store.list(prefix, &mut each)).unwrap();
        entries
    }

    fn acquire(&self, key: &str, info: &LockInfo) -> Result<Box<dyn Held>, Error> {
        let held = self.check(self.store.locks().unwrap().acquire(key, info))?;
        self.is_free_of_secrets(&format!("{held:?}"));
        Ok(held)
    }

    /// Passes a result on, having looked for credentials in its error.
    fn check<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        if let Err(error) = &result {
            self.is_free_of_secrets(&told(error));
        }
        result
    }

    fn is_free_of_secrets(&self, text: &str) {
        for secret in self.traits.secrets {
            assert!(!text.contains(secret), "a credential shows: {text}");
        }
    }
}

/// Returns all that an error says, its causes and debug output included.
pub(crate) fn told(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str("\nbecause: ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    format!("{text}\n{error:?}")
}

/// Fails unless this is the error of a write that found something else than it expected.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "it reads better where it is called")]
fn is_changed<T: std::fmt::Debug>(result: Result<T, Error>) {
    assert!(matches!(result, Err(Error::Changed { .. })), "{result:?}");
}

/// Returns what a caller says of itself when it asks for a lock; `number` makes its id.
pub(crate) fn info(number: u8) -> LockInfo {
    LockInfo {
        id: format!("5b3c1a52-0000-4000-8000-0000000000{number:02x}"),
        operation: "contract".to_owned(),
        who: format!("user{number}@host"),
        version: "0.1.0".to_owned(),
        created: "2026-11-21T01:58:50.747536412Z".to_owned(),
        ..LockInfo::default()
    }
}
