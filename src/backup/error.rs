//! What can go wrong with a backup repository.

use std::io;
use std::path::PathBuf;

/// A repository or a snapshot that can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no repository at that place.
    #[error("there is no backup repository in {}", root.display())]
    NoRepository {
        /// The place.
        root: PathBuf,
    },
    /// A repository is to be made, and nobody said for whom to encrypt.
    #[error("cannot make a backup repository in {}: neither recipients nor no encryption chosen", root.display())]
    Undecided {
        /// The place.
        root: PathBuf,
    },
    /// What was asked for is not how the repository was made.
    #[error("the backup repository in {} {problem}", root.display())]
    Protection {
        /// The place.
        root: PathBuf,
        /// How it differs.
        problem: &'static str,
    },
    /// The repository's record makes no sense.
    #[error("the record {} {problem}", path.display())]
    Record {
        /// The record's path.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A recipient that can't be used. Its text is left out: it may be a secret key.
    #[error("recipient {number} {problem}")]
    Recipient {
        /// Its position among the recipients, from 1.
        number: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// An identity that can't be used.
    #[error("cannot use the identity file {}: {problem}", path.display())]
    Identity {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A secret key was given where the name of a file belongs.
    #[error("an identity is given as a file that holds it, not as the key itself")]
    IdentityText,
    /// An encrypted snapshot is to be read without any identity.
    #[error("snapshot {id} is encrypted, and no identity was given")]
    NoIdentity {
        /// The snapshot.
        id: String,
    },
    /// None of the identities can decrypt the snapshot.
    #[error("snapshot {id} is not encrypted for any of the given identities")]
    WrongIdentity {
        /// The snapshot.
        id: String,
    },
    /// No snapshot fits the reference.
    #[error("there is no snapshot {reference}")]
    NoSnapshot {
        /// What was asked for.
        reference: String,
    },
    /// Several snapshots fit the reference.
    #[error("{reference} could be any of the snapshots {}", candidates.join(", "))]
    Ambiguous {
        /// What was asked for.
        reference: String,
        /// The ids that it could mean.
        candidates: Vec<String>,
    },
    /// The snapshot is not what was written.
    #[error("snapshot {id} is damaged: {problem}")]
    Damaged {
        /// The snapshot.
        id: String,
        /// What shows it.
        problem: &'static str,
    },
    /// A later version wrote it.
    #[error("{what} was written by a later version of tfstate: {problem}")]
    Newer {
        /// The snapshot or the record.
        what: String,
        /// What this version does not know.
        problem: &'static str,
    },
    /// What was about to be written did not read back as the state.
    #[error("the snapshot does not read back as the state, so it was not kept: {problem}")]
    SelfCheck {
        /// What differs.
        problem: &'static str,
    },
    /// Encryption failed.
    #[error("cannot encrypt the snapshot")]
    Encrypt {
        /// What age answered.
        source: age::EncryptError,
    },
    /// A file of the repository can't be read or written.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// Compressing failed, or there was no randomness.
    #[error("cannot build the snapshot")]
    Build {
        /// The system's answer.
        source: io::Error,
    },
}
