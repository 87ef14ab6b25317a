//! `tfstate.lock/1`.

use jiff::Timestamp;
use serde::Serialize;

use crate::store::Holder;

/// The locks of some states.
#[derive(Debug, Serialize)]
pub(crate) struct Locks {
    schema: &'static str,
    locks: Vec<Lock>,
}

#[derive(Debug, Default, Serialize)]
struct Lock {
    state: String,
    locked: bool,
    /// Whether this state can be locked at all.
    lockable: bool,
    id: Option<String>,
    who: Option<String>,
    operation: Option<String>,
    info: Option<String>,
    version: Option<String>,
    created: Option<String>,
    age_seconds: Option<i64>,
    /// What is known of a holder that did not say who it is.
    why: Option<String>,
}

impl Locks {
    pub(crate) fn new() -> Self {
        Self { schema: "tfstate.lock/1", locks: Vec::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.locks.is_empty()
    }

    /// Adds a state, with nothing in the place of a holder where it has no locks.
    pub(crate) fn add(&mut self, state: &str, holder: Option<&Holder>, now: Timestamp) {
        let lock = Lock { state: state.to_owned(), lockable: holder.is_some(), ..Lock::default() };
        self.locks.push(match holder {
            None | Some(Holder::Nobody) => lock,
            Some(Holder::Unnamed { why }) => Lock { locked: true, why: Some(why.clone()), ..lock },
            Some(Holder::Somebody { id, info }) => Lock {
                locked: true,
                id: Some(id.clone()),
                who: Some(info.who.clone()),
                operation: Some(info.operation.clone()),
                info: Some(info.info.clone()),
                version: Some(info.version.clone()),
                created: Some(info.created.clone()),
                age_seconds: info
                    .created
                    .parse::<Timestamp>()
                    .ok()
                    .map(|created| now.duration_since(created).as_secs()),
                ..lock
            },
        });
    }
}
