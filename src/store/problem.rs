//! What went wrong between here and a store, and what can be done about it.

/// What went wrong between here and a store, by what can be done about it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// There are no credentials.
    #[error("there are no credentials")]
    NoCredentials,
    /// The credentials are not valid any more.
    #[error("the credentials have expired")]
    Expired,
    /// The store does not know these credentials.
    #[error("the credentials are refused")]
    Unauthenticated,
    /// The store knows who asks, and does not let them.
    #[error("access is denied")]
    Denied,
    /// There is no such bucket, container or database.
    #[error("there is no {0}")]
    NoContainer(String),
    /// It is kept elsewhere.
    #[error("it is kept elsewhere: {0}")]
    Redirected(String),
    /// The store asks for fewer requests, and went on doing so.
    #[error("the store asks for fewer requests")]
    Throttled,
    /// The store has trouble of its own.
    #[error("the store answered with status {0}")]
    Unavailable(u16),
    /// The store took too long.
    #[error("there was no answer in time")]
    TimedOut,
    /// The store can't be reached.
    #[error("no connection to {0}")]
    Unreachable(String),
    /// The store's certificate is not to be trusted, or the encryption failed.
    #[error("no secure connection to {0}")]
    Tls(String),
    /// Fewer bytes came than were announced, or others than the digest says.
    #[error("what came is damaged: {0}")]
    Damaged(String),
    /// The store refused for a reason of its own.
    #[error("the store refused")]
    Refused,
}
