//! What can go wrong between a reference and the bytes of a state.

use std::io;
use std::path::PathBuf;

use crate::base::git;

/// A reference that can't be resolved, or a state that can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is nothing of that name.
    #[error("cannot find {what}")]
    NotFound {
        /// The name of what was looked for.
        what: String,
    },
    /// A directory in which Terraform would find no state.
    #[error("there is no state in {}: no file {}", dir.display(), looked_for.display())]
    NoStateInDirectory {
        /// The directory.
        dir: PathBuf,
        /// The file that Terraform would use there.
        looked_for: PathBuf,
    },
    /// The operating system does not let this user read it.
    #[error("not allowed to read {what}")]
    Denied {
        /// The name of what was to be read.
        what: String,
        /// The system's answer.
        source: io::Error,
    },
    /// A kind of reference that this build can't read.
    #[error("cannot read {reference}: this version does not read {kind}")]
    Unsupported {
        /// The reference, without anything that could be a credential.
        reference: String,
        /// What it is, in words.
        kind: &'static str,
    },
    /// A working directory whose state is kept in a backend that this build can't read.
    #[error("cannot read the state of {}: this version does not read the {backend} backend", dir.display())]
    Backend {
        /// The working directory.
        dir: PathBuf,
        /// The type of the recorded backend.
        backend: String,
    },
    /// A record of the backend that Terraform would not read either.
    #[error("cannot use the backend record {}: {problem}", path.display())]
    Record {
        /// The record's path.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A name that no workspace can have.
    #[error("`{name}`, from {origin}, cannot be the name of a workspace")]
    WorkspaceName {
        /// The name.
        name: String,
        /// Where it was set.
        origin: &'static str,
    },
    /// A workspace was asked for where there are none.
    #[error("cannot pick workspace {name} of {what}, which has no workspaces")]
    NoWorkspaces {
        /// The workspace.
        name: String,
        /// The name of what was to be read.
        what: String,
    },
    /// Compressed data that ends too early or is damaged.
    #[error("cannot decompress {what} as {format}")]
    Compression {
        /// The name of what was read.
        what: String,
        /// The compression's name.
        format: &'static str,
        /// What the decompressor found.
        source: io::Error,
    },
    /// A reference that begins with `git:` and names no file.
    #[error("cannot read `{reference}`: a file in git is named git:REV:PATH")]
    GitReference {
        /// The reference.
        reference: String,
    },
    /// Git can't be asked.
    #[error("cannot read {what}")]
    Git {
        /// The name of what was to be read.
        what: String,
        /// Why not.
        source: git::Error,
    },
    /// Git knows no such revision.
    #[error("cannot read {what}: there is no revision `{revision}`")]
    NoRevision {
        /// The name of what was to be read.
        what: String,
        /// The revision.
        revision: String,
    },
    /// A revision, or the index, has no such file.
    #[error("there is no file {path} in {}", in_words(revision))]
    NoFileInRevision {
        /// The revision; empty for the index.
        revision: String,
        /// The file, counted from the current directory.
        path: String,
    },
    /// More bytes than any state can have.
    #[error("{what} holds more than {limit} bytes")]
    TooLarge {
        /// The name of what was read.
        what: String,
        /// The limit.
        limit: u64,
    },
    /// The file changed each time it was read.
    #[error("{what} keeps changing while it is read")]
    Changing {
        /// The name of what was read.
        what: String,
    },
    /// Reading failed for another reason.
    #[error("cannot read {what}")]
    Io {
        /// The name of what was to be read.
        what: String,
        /// The system's answer.
        source: io::Error,
    },
}

fn in_words(revision: &str) -> String {
    if revision.is_empty() { "the index".to_owned() } else { format!("revision `{revision}`") }
}

impl Error {
    /// Sorts the system's answer by what the caller can do about it.
    pub(super) fn reading(what: &str, source: io::Error) -> Self {
        let what = what.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::NotFound { what },
            io::ErrorKind::PermissionDenied => Self::Denied { what, source },
            _ => Self::Io { what, source },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_answer_is_sorted_by_what_can_be_done() {
        let said = |kind: io::ErrorKind| Error::reading("a.tfstate", kind.into()).to_string();
        assert_eq!(said(io::ErrorKind::PermissionDenied), "not allowed to read a.tfstate");
        assert_eq!(said(io::ErrorKind::NotFound), "cannot find a.tfstate");
        assert_eq!(said(io::ErrorKind::NotADirectory), "cannot find a.tfstate");
        assert_eq!(said(io::ErrorKind::TimedOut), "cannot read a.tfstate");
    }
}
