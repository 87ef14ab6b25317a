//! Text that must not be shown.

use std::fmt;

/// A credential: its text is only for whom it is sent to.
///
/// Neither `Debug` nor any other trait formats it, and it can't be compared.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Takes the text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text, to be handed to the party that it authenticates to.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_format_itself() {
        assert_eq!(format!("{:?}", Some(Secret::new("S3CR3T"))), "Some(Secret(…))");
    }
}
