//! Why a backup can't be scheduled.

/// A plan that can't be made, or not for this runner.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A reference to something that does not change.
    #[error("cannot schedule a backup of {reference}: {what} does not change")]
    NotAHome {
        /// The reference.
        reference: String,
        /// What it is, in words.
        what: &'static str,
    },
    /// A reference with a credential, or with what could be one.
    #[error("cannot write {reference} into a unit: {what} would be for everybody to read")]
    Credentials {
        /// The reference, without anything that could be a credential.
        reference: String,
        /// What there is, in words.
        what: &'static str,
    },
    /// A place of a kind that this version does not know.
    #[error("cannot use {reference}: this version does not know this kind of place")]
    Unsupported {
        /// The reference, without anything that could be a credential.
        reference: String,
    },
    /// Text that has no place in a unit.
    #[error("cannot write `{text}` into a unit: it holds {what}")]
    Text {
        /// The text, escaped.
        text: String,
        /// What it must not hold.
        what: &'static str,
    },
    /// A length of time that does not divide a day.
    #[error("cannot run a backup every {text}")]
    Every {
        /// What was asked for.
        text: String,
    },
    /// Times in a language that the runner does not know.
    #[error("cannot run a backup at `{text}`: {problem}")]
    Calendar {
        /// What was asked for.
        text: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A name that units and jobs can't have.
    #[error("`{name}` cannot be the name of a unit")]
    Name {
        /// The name.
        name: String,
    },
    /// A name that no user can have.
    #[error("`{user}` cannot be the name of a user")]
    User {
        /// The name, escaped.
        user: String,
    },
    /// A state that is not where the backup runs.
    #[error("{runner} cannot reach {state}")]
    Reach {
        /// What runs the backup.
        runner: &'static str,
        /// The state.
        state: String,
    },
    /// A folder of snapshots that would be gone after the run.
    #[error("{runner} keeps no folder from one run to the next")]
    Repository {
        /// What runs the backup.
        runner: &'static str,
    },
    /// No key to sign with, where each run is on another computer.
    #[error("{runner} runs on a new computer each time, whose own signing key nobody knows")]
    NoSigningKey {
        /// What runs the backup.
        runner: &'static str,
    },
    /// A line that cron would cut.
    #[error("the line has {length} bytes, and cron takes {limit} at most")]
    Long {
        /// Its length.
        length: usize,
        /// The most there can be.
        limit: usize,
    },
}
