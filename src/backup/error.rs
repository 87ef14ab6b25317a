//! What can go wrong with a backup repository.

use std::io;
use std::path::PathBuf;

use super::record::FIRST;
use super::sign::PublicKey;
use crate::store;

/// A repository or a snapshot that can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no repository at that place.
    #[error("there is no backup repository in {}", place)]
    NoRepository {
        /// The place.
        place: String,
    },
    /// There are backups at that place, and the record that says whose they are is gone.
    #[error(
        "there are backups in {place}, but its {FIRST} is missing, without which they are nobody's"
    )]
    Headless {
        /// The place.
        place: String,
    },
    /// A repository is to be made, and nobody said for whom to encrypt.
    #[error(
        "cannot make a backup repository in {}: neither recipients nor no encryption chosen",
        place
    )]
    Undecided {
        /// The place.
        place: String,
    },
    /// What was asked for is not how the repository was made.
    #[error("the backup repository in {} {problem}", place)]
    Protection {
        /// The place.
        place: String,
        /// How it differs.
        problem: &'static str,
    },
    /// Another owner changed the repository's record at the same time.
    #[error("another computer is changing the backup repository in {place} too")]
    Overtaken {
        /// The place.
        place: String,
    },
    /// What a run noted makes no sense.
    #[error("the note {what} {problem}")]
    Note {
        /// What the note is called.
        what: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The repository's record makes no sense.
    #[error("the record {what} {problem}")]
    Record {
        /// What the record is called.
        what: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Another repository was at this place before.
    #[error("the backup repository in {place} {problem}")]
    Stranger {
        /// The place.
        place: String,
        /// What shows it.
        problem: &'static str,
        /// The file in which the one before is remembered.
        path: PathBuf,
    },
    /// There was a repository at this place before, and there is none now.
    #[error("the backup repository that was in {place} is not there")]
    Vanished {
        /// The place.
        place: String,
        /// The file in which it is remembered.
        path: PathBuf,
    },
    /// The signatures of this computer do not count in the repository.
    #[error("the backup repository in {place} does not know the signing key of this computer")]
    NotAuthorised {
        /// The place.
        place: String,
        /// The public key.
        key: PublicKey,
    },
    /// The signatures of this computer no longer count in the repository.
    #[error("the signing key of this computer was revoked in the backup repository in {place}")]
    Revoked {
        /// The place.
        place: String,
        /// The public key.
        key: PublicKey,
    },
    /// Only an owner of the repository can change its record.
    #[error(
        "the signing key of this computer is not an owner's of the backup repository in {place}"
    )]
    NotOwner {
        /// The place.
        place: String,
        /// The public key.
        key: PublicKey,
    },
    /// A key that is to be revoked is no writer's.
    #[error("{key} is no writer's key in the backup repository in {place}")]
    NotWriter {
        /// The place.
        place: String,
        /// The public key.
        key: PublicKey,
    },
    /// A text that is no public key.
    #[error("a public signing key looks like `ed25519:` and 43 letters and digits")]
    PublicKey,
    /// A file that holds no signing key.
    #[error("{} holds no signing key", path.display())]
    SigningKey {
        /// The file.
        path: PathBuf,
    },
    /// There is nothing to sign with.
    #[error("there is no signing key to write to the backup repository with")]
    NoSigner,
    /// The passphrase does not open the identity that the repository keeps.
    #[error("the passphrase does not open the identity in the backup repository")]
    Passphrase,
    /// An identity that was just kept under a passphrase does not read back.
    #[error(
        "{what} does not read back as the identity that was written, so nothing is encrypted for it"
    )]
    KeptIdentity {
        /// Its place.
        what: String,
    },
    /// A recipient needs a program that is not installed.
    #[error("cannot encrypt: there is no program `age-plugin-{name}`")]
    Plugin {
        /// The plugin.
        name: String,
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
    /// An identity under a passphrase, and none was given.
    #[error("cannot use the identity file {}: it is protected by a passphrase", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
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
    /// The snapshot is signed, but by nobody whose signature counts in the repository.
    #[error("snapshot {id} cannot be trusted: it is signed by {signer}, which is no writer's key")]
    Untrusted {
        /// The snapshot.
        id: String,
        /// Who signed it.
        signer: PublicKey,
    },
    /// What the snapshot builds on is not there.
    #[error("snapshot {id} cannot be restored: {parent}, which it builds on, {problem}")]
    Parent {
        /// The snapshot.
        id: String,
        /// The one that it needs.
        parent: String,
        /// What is wrong with that.
        problem: &'static str,
    },
    /// What a snapshot builds on could not be encrypted anew.
    #[error("snapshot {id} stays as it is: what it builds on could not be encrypted anew")]
    NotAnew {
        /// The snapshot.
        id: String,
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
    /// The store of the repository did not do what was asked.
    #[error(transparent)]
    Store(#[from] store::Error),
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
