//! Fingerprints of secrets: equal values look equal, and nothing else is told.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, Hasher};

use crate::state::value::Value;

/// Makes fingerprints under a key that lives as long as the session.
///
/// Sixteen bits of a keyed hash show whether two secrets differ, and are useless to anyone who
/// does not hold the key.
#[derive(Clone)]
pub(crate) struct Fingerprints([u8; 32]);

impl Fingerprints {
    /// Draws a fresh key from the randomness that the standard library keys its hash maps with.
    pub(crate) fn new() -> Self {
        let mut key = [0; 32];
        for chunk in key.chunks_mut(8) {
            let hasher = RandomState::new().build_hasher();
            chunk.copy_from_slice(&hasher.finish().to_le_bytes());
        }
        Self(key)
    }

    /// Takes a known key, so that what is drawn is the same in every test.
    #[cfg(test)]
    pub(crate) fn fixed() -> Self {
        Self([7; 32])
    }

    /// Returns the fingerprint of a value.
    pub(crate) fn of(&self, value: &Value<'_>) -> u16 {
        let hash = blake3::keyed_hash(&self.0, value.to_json().as_bytes());
        let bytes = hash.as_bytes();
        u16::from_le_bytes([bytes[0], bytes[1]])
    }
}

impl fmt::Debug for Fingerprints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprints")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_share_a_fingerprint_and_others_do_not() {
        let prints = Fingerprints::new();
        let [one, same, other] = ["hunter2", "hunter2", "hunter3"].map(|t| Value::String(t.into()));
        assert_eq!(prints.of(&one), prints.of(&same));
        let fixed = Fingerprints::fixed();
        assert_ne!(fixed.of(&one), fixed.of(&other));
    }

    #[test]
    fn every_session_has_its_own_key() {
        assert_ne!(Fingerprints::new().0, Fingerprints::new().0);
    }
}
