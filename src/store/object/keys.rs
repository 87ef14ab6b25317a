//! Keys in addresses.

use object_store::path::Path;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stands for itself in every part of an address.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Returns a key as one segment of an address, or as the value of a parameter.
///
/// A slash is escaped too: segments that are empty, or that are dots, would not survive.
pub(in crate::store) fn encode(key: &str) -> String {
    utf8_percent_encode(key, PLAIN).to_string()
}

/// Returns what `object_store` calls a key, or nothing where it has no word for it.
pub(in crate::store) fn path(key: &str) -> Option<Path> {
    Path::parse(key).ok().filter(|path| path.as_ref() == key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_segment() {
        assert_eq!(encode("env:/a b/ä%~"), "env%3A%2Fa%20b%2F%C3%A4%25~");
        assert_eq!(encode("a//../b"), "a%2F%2F..%2Fb");
    }

    #[test]
    fn keys_that_would_be_rewritten_have_no_path() {
        for key in ["a//b", "/a", "a/", "a/./b", "a/../b"] {
            assert_eq!(path(key), None, "{key}");
        }
        for key in ["env:/a b/c.tfstate", "ä~%[]", "a"] {
            assert_eq!(path(key).unwrap().as_ref(), key);
        }
    }
}
