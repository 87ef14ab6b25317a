//! What can go wrong between a reference and the bytes of a state.

use std::io;
use std::path::PathBuf;

use super::{Found, Holder, Problem};
use crate::base::git;

/// A reference that can't be resolved, or a state that can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something that can be read, but where no state lives that could be locked or changed.
    #[error("cannot lock or change {what}: it is a copy, not where a state lives")]
    NotAHome {
        /// Its name.
        what: String,
    },
    /// The URI of a snapshot that does not say where the state lives.
    #[error("cannot tell where the state of {uri} lives: {problem}")]
    NoWayBack {
        /// The URI.
        uri: String,
        /// Why not.
        problem: String,
    },
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
    /// A backend block that can't be used before `terraform init` has run.
    #[error("cannot use the backend block in {}:{line}:{column}: {problem}", path.display())]
    Block {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong. Holds no value of the block.
        problem: String,
    },
    /// A configuration with more than one backend.
    #[error("there are two backends: {}:{} and {}:{}", first.0.display(), first.1, second.0.display(), second.1)]
    TwoBlocks {
        /// File and line of the first.
        first: (PathBuf, usize),
        /// File and line of the second.
        second: (PathBuf, usize),
    },
    /// Partial configuration that can't be used.
    #[error("cannot use {what}, given as backend configuration: {problem}")]
    Given {
        /// The setting, or the file and the place in it.
        what: String,
        /// What is wrong. Holds no value.
        problem: String,
    },
    /// A working directory whose state would be in a store, and is not there.
    #[error("there is no state of workspace {workspace} of {}: nothing at {looked_for}", dir.display())]
    NoStateInStore {
        /// The directory.
        dir: PathBuf,
        /// The workspace.
        workspace: String,
        /// What Terraform would read.
        looked_for: String,
    },
    /// Something that holds no bytes, which Terraform takes for no state.
    #[error("{what} is empty, which is no state for Terraform either")]
    Empty {
        /// The name of what was read.
        what: String,
    },
    /// A reference to a store that names nothing there.
    #[error("cannot read the reference {reference}: {problem}")]
    Reference {
        /// The reference, without anything that could be a credential.
        reference: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// A reference to several states where one is needed.
    #[error("{reference} can be several states, and one is needed")]
    Several {
        /// The reference.
        reference: String,
    },
    /// A glob or a prefix that no state is found by.
    #[error("no state matches {reference}")]
    NoMatch {
        /// The reference.
        reference: String,
    },
    /// More states than can be worked on at once.
    #[error("more than {limit} states match {reference}")]
    TooMany {
        /// The reference.
        reference: String,
        /// The limit.
        limit: usize,
    },
    /// What follows an `@` names no earlier version.
    #[error("cannot read `{reference}`: `@{revision}` is no earlier version")]
    NotEarlier {
        /// The reference.
        reference: String,
        /// What follows the `@`.
        revision: String,
    },
    /// There is no such earlier version.
    #[error("there is no {what}: {why}")]
    NoEarlier {
        /// The name of the earlier version.
        what: String,
        /// What there is.
        why: String,
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
    /// What is there is not what was expected, so nothing was written.
    #[error("{what} was changed by somebody else meanwhile, so it was not written")]
    Changed {
        /// The name of what was to be written.
        what: String,
    },
    /// The answer to a write was lost, and reading back did not tell what became of it.
    #[error("cannot tell whether {what} was written")]
    Unknown {
        /// The name of what was to be written.
        what: String,
        /// What happened to the answer.
        source: Cause,
    },
    /// A state that was written, and whose digest was not: whoever compares the two, as Terraform
    /// does, reads neither the old state nor the new one.
    #[error(
        "{what} is written, but not its digest in the table {table}, so that nobody can read it"
    )]
    Undigested {
        /// The name of what was written.
        what: String,
        /// The table.
        table: String,
        /// The key of the row.
        row: String,
        /// The digest that it should have.
        digest: String,
        /// Why it has not.
        source: Box<Error>,
    },
    /// What is there is not what its digest in the table is of. Terraform does not read it either.
    #[error("cannot read {what}: {why}")]
    Digest {
        /// The name of what was to be read.
        what: String,
        /// What is there instead, and the row that says otherwise.
        why: String,
        /// What is there, for those who keep or replace it knowingly.
        found: Box<Found>,
    },
    /// A store that keeps no earlier versions.
    #[error("cannot look for earlier versions of {what}: {why}")]
    NoVersions {
        /// The name of what was looked at.
        what: String,
        /// Why there are none.
        why: String,
    },
    /// Somebody else holds the lock.
    #[error("{what} is locked{}", by(holder))]
    Locked {
        /// The name of what is locked.
        what: String,
        /// Who holds the lock.
        holder: Box<Holder>,
    },
    /// Another lock than the one that was named.
    #[error("cannot unlock {what}: the lock has the id {found}, not {asked}")]
    LockId {
        /// The name of what is locked.
        what: String,
        /// The id that was named.
        asked: String,
        /// The id of the lock that is held.
        found: String,
    },
    /// There is no lock to break.
    #[error("cannot unlock {what}: it is not locked")]
    NotLocked {
        /// The name of what is not locked.
        what: String,
    },
    /// The lock can't be taken from its holder.
    #[error("cannot unlock {what}: {why}")]
    Unbreakable {
        /// The name of what is locked.
        what: String,
        /// Why not, and what frees it.
        why: String,
    },
    /// A lock that was taken, or may have been, and was not given back.
    #[error("cannot be sure that no lock of {what} stays: its id is {id}")]
    LockStays {
        /// The name of what is locked.
        what: String,
        /// The lock's id.
        id: String,
        /// What went wrong.
        source: Cause,
    },
    /// The configuration of a backend that can't work.
    #[error("cannot use the {backend} backend: {problem}")]
    Settings {
        /// The backend's type.
        backend: &'static str,
        /// What is wrong. Holds no credential.
        problem: String,
    },
    /// A store that is reached over the network did not do what was asked.
    #[error("cannot {doing} {what}: {problem}")]
    Remote {
        /// What was being done: `read`, `write`, `lock`, `list`.
        doing: &'static str,
        /// The name of what it was done to.
        what: String,
        /// What went wrong, by what can be done about it.
        problem: Problem,
        /// The store's own words, without credentials.
        source: Option<Cause>,
    },
    /// A file whose last write was interrupted; what should be in it is beside it.
    #[error("cannot read {what}: writing it was interrupted; the whole state is in {}", copy.display())]
    Unfinished {
        /// The name of the file.
        what: String,
        /// Where the whole state is.
        copy: PathBuf,
    },
    /// A file that could neither be written nor be put back as it was.
    #[error("cannot write {what}, which is damaged now; the whole state is in {}", copy.display())]
    HalfWritten {
        /// The name of the file.
        what: String,
        /// Where the whole state is.
        copy: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The operating system refused something else than reading.
    #[error("cannot {doing} {what}")]
    File {
        /// What was being done: `write`, `lock`, `delete`.
        doing: &'static str,
        /// The name of what it was done to.
        what: String,
        /// The system's answer.
        source: io::Error,
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

/// The cause of an error, of whatever library it comes from.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

fn by(holder: &Holder) -> String {
    match holder {
        Holder::Nobody => String::new(),
        Holder::Somebody { info, .. } => format!(" by {}", info.who),
        Holder::Unnamed { why } => format!(": {why}"),
    }
}

fn in_words(revision: &str) -> String {
    if revision.is_empty() { "the index".to_owned() } else { format!("revision `{revision}`") }
}

impl Error {
    /// Says that a reference is empty, as of a variable that is not set.
    pub(crate) fn nameless() -> Self {
        Self::Reference { reference: "\"\"".to_owned(), problem: "it names nothing" }
    }

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
