//! Who wrote something: Ed25519 keys and signatures (RFC 8032).
//!
//! Encryption does not tell who wrote: anybody who knows a recipient can encrypt for it. So whatever
//! is in a repository is signed by the computer that wrote it.

use std::fmt;
use std::io;
use std::path::Path;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Error;
use super::record::random;
use crate::base::fs;

/// Length of a signature in bytes.
pub(super) const SIGNATURE: usize = 64;

/// How the text of a public key begins, and that of a secret one.
const PUBLIC: &str = "ed25519:";
const SECRET: &str = "TFSTATE-SIGNING-KEY-1:";

/// A public key, by which signatures are checked: `ed25519:` and 43 digits of base 64.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PublicKey([u8; 32]);

/// A secret key, which signs. It never formats itself.
pub struct Signer(SigningKey);

impl PublicKey {
    /// Returns whether `signature` is that of this key on `message`, of something that belongs to
    /// `domain`.
    pub(super) fn verifies(
        &self,
        domain: &str,
        message: &[u8],
        signature: [u8; SIGNATURE],
    ) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(&signature);
        VerifyingKey::from_bytes(&self.0)
            .is_ok_and(|key| key.verify_strict(&in_domain(domain, message), &signature).is_ok())
    }

    /// Returns 8 hex digits that stand for the key in names.
    pub fn fingerprint(&self) -> String {
        blake3::hash(&self.0).to_hex()[..8].to_owned()
    }
}

/// No signature on one kind of thing is one on another.
fn in_domain(domain: &str, message: &[u8]) -> Vec<u8> {
    [domain.as_bytes(), b"\0", message].concat()
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PUBLIC}{}", BASE64.encode(self.0))
    }
}

impl FromStr for PublicKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bytes = text.strip_prefix(PUBLIC).and_then(|text| BASE64.decode(text).ok());
        let key = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        // Not every 32 bytes are a key.
        key.filter(|key| VerifyingKey::from_bytes(key).is_ok()).map(Self).ok_or(Error::PublicKey)
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Signer {
    /// Makes a key.
    pub fn generate() -> Result<Self, Error> {
        let seed = random::<32>().map_err(|source| Error::Build { source })?;
        Ok(Self::of(&seed))
    }

    /// Returns the key that these 32 bytes are.
    pub(super) fn of(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// Reads the key in a file.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::Io {
            action: "read",
            path: path.to_owned(),
            source,
        })?;
        let line = text.lines().find_map(|line| line.trim().strip_prefix(SECRET));
        let seed = line.and_then(|line| BASE64.decode(line).ok());
        let seed = seed.and_then(|seed| <[u8; 32]>::try_from(seed).ok());
        let key = seed.map(|seed| Self::of(&seed));
        key.ok_or_else(|| Error::SigningKey { path: path.to_owned() })
    }

    /// Reads the key in a file, or makes one there where there is no such file.
    pub fn read_or_make(path: &Path) -> Result<Self, Error> {
        match Self::read(path) {
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            read => return read,
        }
        let key = Self::generate()?;
        let failed = |source| Error::Io { action: "write", path: path.to_owned(), source };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_private_folder(folder).map_err(failed)?;
        }
        match fs::write_new(path, key.file().as_bytes()) {
            // Another process made one first: both have to use the same.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Self::read(path),
            written => written.map(|()| key).map_err(failed),
        }
    }

    fn file(&self) -> String {
        format!(
            "# Signs the snapshots that tfstate writes on this computer. Keep it here, and secret.\n\
             # Its public key: {}\n{SECRET}{}\n",
            self.public(),
            BASE64.encode(self.0.to_bytes())
        )
    }

    /// Returns the public key that goes with it.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    pub(super) fn sign(&self, domain: &str, message: &[u8]) -> [u8; SIGNATURE] {
        self.0.sign(&in_domain(domain, message)).to_bytes()
    }
}

/// Shows the public key and nothing of the secret one.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.public())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_key_its_domain_and_its_message_only() {
        let key = Signer::generate().unwrap();
        let signature = key.sign("a", b"message");
        assert!(key.public().verifies("a", b"message", signature));
        assert!(!key.public().verifies("b", b"message", signature));
        assert!(!key.public().verifies("a", b"messagf", signature));
        assert!(!Signer::generate().unwrap().public().verifies("a", b"message", signature));
    }

    #[test]
    fn a_key_is_made_once_for_its_owner_alone_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/signing.key");
        let made = Signer::read_or_make(&path).unwrap();
        assert_eq!(Signer::read_or_make(&path).unwrap().public(), made.public());
        assert_eq!(made.public().to_string().parse::<PublicKey>().unwrap(), made.public());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write_new(&path, b"TFSTATE-SIGNING-KEY-1:hunter2\n").unwrap();
        let error = Signer::read_or_make(&path).unwrap_err();
        assert!(!format!("{error:?} {error}").contains("hunter2"), "{error}");
        for text in ["", "ed25519:", "ed25519:AAAA", "age1xyz"] {
            assert!(matches!(text.parse::<PublicKey>(), Err(Error::PublicKey)), "{text}");
        }
        let key = Signer::generate().unwrap();
        let secret = BASE64.encode(key.0.to_bytes());
        assert!(!format!("{key:?}").contains(&secret));
    }
}
