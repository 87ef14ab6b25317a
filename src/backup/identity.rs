//! Identities that a repository keeps under a passphrase.

use super::Error;
use super::snapshot::hex;
use super::vault::{Object, Vault};

/// Where they are.
pub(super) const FOLDER: &str = "keys/";

/// What is kept as one.
#[derive(Debug)]
pub(super) struct Kept {
    /// Its key.
    pub key: String,
    /// Whether it is called as one.
    pub is_one: bool,
}

impl Kept {
    /// Returns whether it goes with one of these recipients.
    pub(super) fn is_of(&self, recipients: &[String]) -> bool {
        recipients.iter().any(|recipient| key_of(recipient) == self.key)
    }
}

/// Returns the key of the identity that goes with a recipient.
pub(super) fn key_of(recipient: &str) -> String {
    let fingerprint = &blake3::hash(recipient.as_bytes()).to_hex()[..16];
    format!("{FOLDER}{fingerprint}.age")
}

/// Lists them.
pub(super) fn list(vault: &dyn Vault) -> Result<Vec<Kept>, Error> {
    let kept = |Object { key, .. }: Object| {
        let name = key.strip_prefix(FOLDER).and_then(|name| name.strip_suffix(".age"));
        let is_one = name.is_some_and(|name| hex(name, 16).is_some());
        Kept { key, is_one }
    };
    Ok(vault.list(FOLDER)?.into_iter().map(kept).collect())
}

/// Returns whether that of one of these recipients is there.
pub(super) fn is_kept(vault: &dyn Vault, recipients: &[String]) -> Result<bool, Error> {
    Ok(list(vault)?.iter().any(|kept| kept.is_of(recipients)))
}
