//! The bytes of a state, wherever they are kept: in a buffer, or in a file mapped into memory.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// Bytes that can be shared and are never copied; cloning is cheap.
#[derive(Clone)]
pub struct Bytes(Arc<dyn AsRef<[u8]> + Send + Sync>);

impl Bytes {
    /// Takes over whatever holds the bytes.
    pub fn new(holder: impl AsRef<[u8]> + Send + Sync + 'static) -> Self {
        Self(Arc::new(holder))
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(bytes)
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        Self::new(bytes.to_vec())
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        (*self.0).as_ref()
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

/// Shows the length only: states hold secrets.
impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bytes({})", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_shows_the_length_only() {
        let bytes = Bytes::from(b"hunter2".to_vec());
        assert_eq!(&*bytes.clone(), b"hunter2");
        assert_eq!(format!("{bytes:?}"), "Bytes(7)");
    }
}
