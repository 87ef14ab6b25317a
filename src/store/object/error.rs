//! What went wrong with a request, and what that means for whoever reads or writes a state.

use std::error::Error as _;

use super::answer::Answer;
use crate::store::{Cause, Error, Problem};

/// A request that failed. Holds no credential.
#[derive(Clone, Debug, thiserror::Error)]
pub(in crate::store) enum Fault {
    /// The store answered that it did not do it.
    #[error("{0}")]
    Answer(Box<Answer>),
    /// There is nothing to sign requests with.
    #[error("{0}")]
    NoCredentials(String),
    /// There are credentials, and they are not to be used, or were not given out.
    #[error("{0}")]
    WrongCredentials(String),
    /// There was no connection.
    #[error("{why}")]
    Unreachable {
        /// The host.
        host: String,
        /// Why not.
        why: String,
    },
    /// There was no trust in the connection.
    #[error("{why}")]
    Tls {
        /// The host.
        host: String,
        /// Why not.
        why: String,
    },
    /// The connection was there, and broke before the answer was complete.
    #[error("{why}")]
    Broken {
        /// The host.
        host: String,
        /// How it broke.
        why: String,
    },
    /// The store was silent for too long.
    #[error("{0} was silent for too long")]
    TimedOut(String),
    /// The answer is not what was asked for.
    #[error("{0}")]
    Damaged(String),
    /// Something else.
    #[error("{0}")]
    Other(String),
}

impl Fault {
    /// Returns the status of the answer, if there was one.
    pub(in crate::store) fn status(&self) -> Option<u16> {
        match self {
            Self::Answer(answer) => Some(answer.status),
            _ => None,
        }
    }

    /// Returns the store's word for what is wrong, if it has one.
    pub(in crate::store) fn code(&self) -> &str {
        match self {
            Self::Answer(answer) => &answer.code,
            _ => "",
        }
    }

    /// Whether there is nothing of that name, in a container that is there.
    pub(in crate::store) fn is_not_found(&self) -> bool {
        let container = ["NoSuchBucket", "ContainerNotFound", "ResourceNotFoundException"];
        self.status() == Some(404) && !container.contains(&self.code())
    }

    /// Whether the request may have been carried out although it failed.
    pub(in crate::store) fn is_ambiguous(&self) -> bool {
        match self {
            Self::Answer(answer) => {
                (answer.status >= 500 && !answer.is_throttling()) || answer.status == 408
            }
            Self::Broken { .. } | Self::TimedOut(_) | Self::Damaged(_) | Self::Other(_) => true,
            Self::NoCredentials(_)
            | Self::WrongCredentials(_)
            | Self::Unreachable { .. }
            | Self::Tls { .. } => false,
        }
    }

    /// Whether the same request may succeed a little later.
    pub(in crate::store) fn is_passing(&self) -> bool {
        match self {
            Self::Answer(answer) => {
                answer.is_throttling()
                    || matches!(answer.status, 408 | 500 | 502 | 503 | 504)
                    || answer.code == "RequestTimeout"
            }
            Self::Unreachable { .. }
            | Self::Broken { .. }
            | Self::TimedOut(_)
            | Self::Damaged(_) => true,
            Self::NoCredentials(_)
            | Self::WrongCredentials(_)
            | Self::Tls { .. }
            | Self::Other(_) => false,
        }
    }

    /// Finds the fault behind an error of the crate `object_store`: every request that it makes
    /// goes through our client, which fails with one.
    pub(in crate::store) fn of(error: &object_store::Error) -> Self {
        let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
        let mut last = String::new();
        while let Some(error) = next {
            if let Some(fault) = error.downcast_ref::<Self>() {
                return fault.clone();
            }
            last = error.to_string();
            next = error.source();
        }
        Self::Damaged(last)
    }

    /// Returns what went wrong, by what can be done about it; `container` is what to call the
    /// bucket: `bucket acme-tf`.
    pub(in crate::store) fn problem(&self, container: &str) -> Problem {
        match self {
            Self::Answer(answer) => answer.problem(container),
            Self::NoCredentials(_) => Problem::NoCredentials,
            Self::WrongCredentials(_) => Problem::Unauthenticated,
            Self::Unreachable { host, .. } | Self::Broken { host, .. } => {
                Problem::Unreachable(host.clone())
            }
            Self::Tls { host, .. } => Problem::Tls(host.clone()),
            Self::TimedOut(_) => Problem::TimedOut,
            Self::Damaged(why) => Problem::Damaged(why.clone()),
            Self::Other(_) => Problem::Refused,
        }
    }

    /// Returns the error of doing something to what is called `what`.
    pub(in crate::store) fn while_doing(
        self,
        doing: &'static str,
        what: String,
        container: &str,
    ) -> Error {
        let problem = self.problem(container);
        // What the problem says already is not said again.
        let source = match self {
            Self::Damaged(_) | Self::TimedOut(_) => None,
            Self::NoCredentials(why) if why.is_empty() => None,
            fault => Some(Cause::from(fault)),
        };
        Error::Remote { doing, what, problem, source }
    }
}

/// Returns the innermost cause of an error, worded like ours: without the number that the standard
/// library adds to those of the operating system.
pub(in crate::store) fn root(error: &(dyn std::error::Error + 'static)) -> String {
    let mut root = error;
    while let Some(source) = root.source() {
        root = source;
    }
    let text = root.to_string();
    let text = text.split_once(" (os error").map_or(text.as_str(), |(text, _)| text);
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// Sorts the failure of a request to `host`.
pub(in crate::store) fn transport(error: &reqwest::Error, host: &str) -> Fault {
    let (host, why) = (host.to_owned(), root(error));
    if error.is_timeout() && !error.is_connect() {
        return Fault::TimedOut(host);
    }
    if error.source().is_some_and(is_tls) {
        return Fault::Tls { host, why };
    }
    if error.is_timeout() {
        return Fault::Unreachable { host, why: "there was no answer in time".to_owned() };
    }
    if error.is_connect() {
        return Fault::Unreachable { host, why };
    }
    if error.is_builder() {
        return Fault::Other(why);
    }
    Fault::Broken { host, why }
}

/// Whether rustls is behind an error.
pub(in crate::store) fn is_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    if error.is::<rustls::Error>() {
        return true;
    }
    // What an error of the system wraps is not its source, but its source's error.
    let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    let inner = inner.map(|inner| inner as &(dyn std::error::Error + 'static));
    inner.or_else(|| error.source()).is_some_and(is_tls)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_have_happened_is_ambiguous() {
        let fault = |status, code: &str| {
            Fault::Answer(Box::new(Answer { status, code: code.to_owned(), ..Answer::default() }))
        };
        assert!(fault(500, "").is_ambiguous());
        assert!(fault(503, "").is_ambiguous());
        assert!(!fault(503, "SlowDown").is_ambiguous());
        assert!(!fault(412, "").is_ambiguous());
        assert!(Fault::TimedOut(String::new()).is_ambiguous());
    }
}
