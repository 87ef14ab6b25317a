//! What a state says of itself, without reading all of it.

use super::bytes::Bytes;
use super::parse;

/// What stands before the resources.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Glance {
    /// The serial.
    pub serial: u64,
    /// The lineage; it may be empty.
    pub lineage: String,
}

impl Glance {
    /// Looks at the beginning and at the very end of a version 4 state as Terraform writes it.
    ///
    /// What is wrong between them is not seen. Returns nothing where this is something else, or
    /// where only [reading](super::document::Document::parse) it can tell.
    pub fn of(bytes: &Bytes) -> Option<Self> {
        if !matches!(parse::version(bytes), Ok(4)) {
            return None;
        }
        let header = parse::glance(bytes)?;
        Some(Self { serial: header.serial, lineage: header.lineage })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATE: &str = r#"{"version":4,"terraform_version":"1.11.4","serial":7,"lineage":"l","outputs":{},"resources":[],"check_results":null}"#;

    fn glance(text: &str) -> Option<Glance> {
        Glance::of(&Bytes::from(text.as_bytes()))
    }

    #[test]
    fn a_state_is_known_by_its_beginning_and_its_end() {
        let expected = Glance { serial: 7, lineage: "l".to_owned() };
        assert_eq!(glance(STATE), Some(expected.clone()));
        assert_eq!(glance(&STATE.replace("[]", "[{\"anything\"")), Some(expected));
    }

    #[test]
    fn what_may_be_none_has_to_be_read() {
        for (from, to) in [
            ("\"version\":4", "\"version\":3"),
            ("\"serial\":7", "\"serial\":-7"),
            ("\"serial\":7,", ""),
            ("\"serial\":7", "\"serial\":7,\"version\":3"),
            ("\"serial\":7", "\"serial\":7,\"Serial\":8"),
            ("\"resources\"", "\"Reports\""),
            ("\"outputs\":{}", "\"outputs\":["),
            ("null}", "null"),
        ] {
            assert_eq!(glance(&STATE.replacen(from, to, 1)), None, "{to}");
        }
        assert_eq!(glance(""), None);
        assert_eq!(glance("<html>"), None);
    }
}
