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
    /// Whether it reads what is written now.
    pub is_needed: bool,
}

/// Returns the key of the identity that goes with a recipient.
pub(super) fn key_of(recipient: &str) -> String {
    let fingerprint = &blake3::hash(recipient.as_bytes()).to_hex()[..16];
    format!("{FOLDER}{fingerprint}.age")
}

/// Lists them, given for whom is written now.
pub(super) fn list(vault: &dyn Vault, recipients: &[String]) -> Result<Vec<Kept>, Error> {
    let needed: Vec<String> = recipients.iter().map(|text| key_of(text)).collect();
    let kept = |Object { key, .. }: Object| {
        let name = key.strip_prefix(FOLDER).and_then(|name| name.strip_suffix(".age"));
        let is_one = name.is_some_and(|name| hex(name, 16).is_some());
        Kept { is_needed: needed.contains(&key), is_one, key }
    };
    Ok(vault.list(FOLDER)?.into_iter().map(kept).collect())
}

/// Returns whether that of one of these recipients is there.
pub(super) fn is_kept(vault: &dyn Vault, recipients: &[String]) -> Result<bool, Error> {
    Ok(list(vault, recipients)?.iter().any(|kept| kept.is_needed))
}
