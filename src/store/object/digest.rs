//! The digests that stores keep of what they hold.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

use super::error::Fault;

/// Returns the digest of some bytes, as base64.
pub(in crate::store) fn of(bytes: &[u8]) -> String {
    STANDARD.encode(Md5::digest(bytes))
}

/// Compares what came with the digest that the store has of it, where it has one.
pub(in crate::store) fn check(bytes: &[u8], expected: Option<&str>) -> Result<(), Fault> {
    if expected.is_none_or(|expected| of(bytes) == expected) {
        return Ok(());
    }
    Err(Fault::Damaged("its digest is another than the store says".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_damaged_is_told() {
        assert!(check(b"", Some("1B2M2Y8AsgTpgAmY7PhCfg==")).is_ok());
        assert!(check(b"a", Some("1B2M2Y8AsgTpgAmY7PhCfg==")).is_err());
        assert!(check(b"a", None).is_ok());
    }
}
