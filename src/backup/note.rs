//! Signed notes: everything in a repository that is no snapshot.
//!
//! ```text
//! line 1   the note: one JSON document, signed as it stands
//! line 2   {"key":"ed25519:…","signature":"…"}: base 64 (URL, no padding) of the Ed25519 signature
//!          of DOMAIN, a zero byte and the bytes of line 1 without its end
//! ```
//!
//! Each kind of note has a domain of its own, which the place that reads it knows.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Error;
use super::body::Flaw;
use super::container::check_version;
use super::sign::{PublicKey, SIGNATURE, Signer};
use super::vault::{Created, Vault};

/// A note that was read.
#[derive(Clone, Debug)]
pub(super) struct Note<T> {
    /// What it says.
    pub says: T,
    /// Who signed it; whether that key counts, the reader knows.
    pub signer: PublicKey,
    /// BLAKE3 of its first line, by which other notes refer to it.
    pub hash: String,
}

#[derive(Deserialize, Serialize)]
struct Seal {
    key: PublicKey,
    signature: String,
}

/// Writes a note.
pub(super) fn seal(domain: &str, says: &impl Serialize, signer: &Signer) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(says).expect("a note has only strings for keys");
    let signature = BASE64.encode(signer.sign(domain, &bytes));
    let seal = Seal { key: signer.public(), signature };
    bytes.push(b'\n');
    serde_json::to_writer(&mut bytes, &seal).expect("a seal is two strings");
    bytes.push(b'\n');
    bytes
}

/// Creates a note's object, and looks whether it is there: what it says is relied on from then on,
/// and nobody would miss it.
pub(super) fn create(vault: &dyn Vault, key: &str, bytes: &[u8]) -> Result<Created, Error> {
    let created = vault.create(key, bytes)?;
    let found = vault.read(key)?;
    if found.is_some_and(|found| created == Created::Exists || found == bytes) {
        return Ok(created);
    }
    Err(Error::Note { what: vault.name(key), problem: "is not there after it was written" })
}

/// Reads a note whose signature holds.
pub(super) fn open<T: DeserializeOwned>(domain: &str, bytes: &[u8]) -> Result<Note<T>, Flaw> {
    let (text, signer) = signed(domain, bytes)?;
    check_version(text)?;
    let says = serde_json::from_slice(text).map_err(|_| Flaw::Damaged("it makes no sense"))?;
    Ok(Note { says, signer, hash: hash(text) })
}

/// Returns the text of a note, of whatever version, and who signed it.
pub(super) fn signed<'b>(domain: &str, bytes: &'b [u8]) -> Result<(&'b [u8], PublicKey), Flaw> {
    let damaged = Flaw::Damaged;
    let end = memchr::memchr(b'\n', bytes).ok_or(damaged("it has no signature"))?;
    let (text, seal) = (&bytes[..end], &bytes[end + 1..]);
    let seal = seal.strip_suffix(b"\n").ok_or(damaged("it is cut short"))?;
    let seal: Seal =
        serde_json::from_slice(seal).map_err(|_| damaged("its signature makes no sense"))?;
    let signature = BASE64.decode(&seal.signature).ok();
    let signature = signature.and_then(|bytes| <[u8; SIGNATURE]>::try_from(bytes).ok());
    let signature = signature.ok_or(damaged("its signature makes no sense"))?;
    if !seal.key.verifies(domain, text, signature) {
        return Err(damaged("its signature does not hold"));
    }
    Ok((text, seal.key))
}

/// Returns the hash by which a note is referred to.
fn hash(text: &[u8]) -> String {
    blake3::hash(text).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, Serialize)]
    struct Says {
        v: u32,
        must_understand: Vec<String>,
        text: String,
    }

    #[test]
    fn a_note_with_any_bit_flipped_or_cut_anywhere_is_refused() {
        let signer = Signer::generate().unwrap();
        let says = Says { v: 1, must_understand: Vec::new(), text: "héllo\n".to_owned() };
        let mut bytes = seal("test", &says, &signer);
        let note: Note<Says> = open("test", &bytes).unwrap();
        assert_eq!((note.says.text.as_str(), note.signer), ("héllo\n", signer.public()));
        assert!(open::<Says>("other", &bytes).is_err());
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(open::<Says>("test", &bytes).is_err(), "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        for end in 0..bytes.len() {
            assert!(open::<Says>("test", &bytes[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn a_later_version_is_known_as_such_only_if_it_is_signed() {
        let signer = Signer::generate().unwrap();
        let says = Says { v: 2, must_understand: Vec::new(), text: String::new() };
        let bytes = seal("test", &says, &signer);
        assert!(matches!(open::<Says>("test", &bytes), Err(Flaw::Newer(_))));
    }
}
