//! Brings a state back to what it was.
//!
//! [`Past`] is what it was: a snapshot, or an earlier version that its store keeps. [`new_file`]
//! writes it byte for byte to a file that does not exist yet. [`roll_back`] brings it into the place
//! where a state lives, as one more change of that state: under its lock, after a copy of the
//! present was kept, with a serial above both. Of the text only the serial changes, and the lineage
//! where that of another history was asked for; with a filter, `only` makes the text.

mod find;
pub mod new_file;
pub mod only;
mod past;
mod plan;
pub mod roll_back;

use std::io;
use std::path::PathBuf;

pub use find::{Reference, find};
pub use past::{Past, Wanted};
pub use plan::{Plan, PlanOptions, Refusal};

use super::open;
use super::session;
use crate::state::parse::ParseError;

/// A restore that did not happen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What it was can't be had, or the place can't be found.
    #[error(transparent)]
    Open(#[from] open::Error),
    /// What happened between the lock and the unlock.
    #[error(transparent)]
    Session(#[from] session::Error),
    /// A time was asked of something that is one version already.
    #[error("{what} is one version already: it was no other one at that time")]
    OneVersion {
        /// Its name.
        what: String,
    },
    /// The new file is there already.
    #[error("cannot restore to {}: it exists", to.display())]
    Exists {
        /// The file.
        to: PathBuf,
    },
    /// The new file can't be written.
    #[error("cannot write {}", to.display())]
    Write {
        /// The file.
        to: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A rule is against it.
    #[error("cannot restore to {what}: {refusal}")]
    Refused {
        /// The name of the state that is there.
        what: String,
        /// Why not.
        refusal: Refusal,
    },
    /// What is there is no state.
    #[error("cannot restore to {what}: what is there cannot be read")]
    Broken {
        /// The name of what is there.
        what: String,
        /// Why not.
        source: Box<ParseError>,
    },
    /// What it was is no state that a serial could be given.
    #[error("cannot restore {past} to {what}: it cannot be read as a state")]
    Unreadable {
        /// What is to be restored.
        past: String,
        /// The name of the state that is there.
        what: String,
        /// Why not.
        source: Box<ParseError>,
    },
    /// The resources that were selected can't be put back on their own.
    #[error("cannot restore a part of {what}")]
    Part {
        /// The name of the state that is there.
        what: String,
        /// Why not.
        source: only::Error,
    },
}

#[cfg(test)]
mod tests;
