//! What went wrong with a database, and what that means for whoever reads or writes a state.

use std::error::Error as _;

use tokio_postgres::error::SqlState;

use crate::store::object::error::root;
use crate::store::{Cause, Error, Problem, object};

/// Where something went wrong.
#[derive(Clone, Debug)]
pub(super) struct Where {
    /// The host and port.
    pub(super) host: String,
    /// The database.
    pub(super) database: String,
}

/// What went wrong.
#[derive(Debug)]
pub(super) enum Failed {
    /// The database, or the way to it.
    Database(tokio_postgres::Error),
    /// There was no answer in time.
    TimedOut,
    /// What there is to say about it is known already.
    Told(Error),
}

impl From<tokio_postgres::Error> for Failed {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error)
    }
}

impl Failed {
    /// Whether the database says with one of these codes why not.
    pub(super) fn is(&self, codes: &[SqlState]) -> bool {
        match self {
            Self::Database(error) => error.code().is_some_and(|code| codes.contains(code)),
            Self::TimedOut | Self::Told(_) => false,
        }
    }

    /// Whether it may have been done although it failed: the connection broke.
    pub(super) fn is_ambiguous(&self) -> bool {
        match self {
            Self::Database(error) => error.as_db_error().is_none(),
            Self::TimedOut => true,
            Self::Told(_) => false,
        }
    }

    /// Returns the error of doing something to what is called `what`.
    pub(super) fn while_doing(self, doing: &'static str, what: String, place: &Where) -> Error {
        let (problem, source) = match self {
            Self::Told(error) => return error,
            Self::TimedOut => (Problem::TimedOut, None),
            Self::Database(error) => (problem(&error, place), Some(cause(&error))),
        };
        Error::Remote { doing, what, problem, source }
    }
}

fn problem(error: &tokio_postgres::Error, place: &Where) -> Problem {
    let Some(code) = error.code() else {
        let host = place.host.clone();
        return if is_tls(error) { Problem::Tls(host) } else { Problem::Unreachable(host) };
    };
    match code {
        code if *code == SqlState::INVALID_PASSWORD
            || *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION =>
        {
            Problem::Unauthenticated
        }
        code if *code == SqlState::INSUFFICIENT_PRIVILEGE => Problem::Denied,
        code if *code == SqlState::INVALID_CATALOG_NAME => {
            Problem::NoContainer(format!("database {}", place.database))
        }
        code if *code == SqlState::TOO_MANY_CONNECTIONS => Problem::Throttled,
        code if *code == SqlState::QUERY_CANCELED || *code == SqlState::LOCK_NOT_AVAILABLE => {
            Problem::TimedOut
        }
        _ => Problem::Refused,
    }
}

fn is_tls(error: &tokio_postgres::Error) -> bool {
    // The library has no kind of its own for a server that does not encrypt.
    error.to_string().contains("TLS") || error.source().is_some_and(object::error::is_tls)
}

/// Returns the database's own sentence; its details may hold what is in the table.
fn cause(error: &tokio_postgres::Error) -> Cause {
    match error.as_db_error() {
        Some(said) => Cause::from(said.message().to_owned()),
        None if error.source().is_none() => Cause::from(error.to_string()),
        None => Cause::from(root(error)),
    }
}
