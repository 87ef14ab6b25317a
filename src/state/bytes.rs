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

/// From this many bytes on, two threads compare faster than one.
const WORTH_TWO_THREADS: usize = 4 << 20;

impl PartialEq for Bytes {
    fn eq(&self, other: &Self) -> bool {
        let (a, b): (&[u8], &[u8]) = (self, other);
        if a.len() != b.len() || a.len() < WORTH_TWO_THREADS {
            return a == b;
        }
        // States that differ do so in the serial, near the beginning.
        let ((a_start, a_rest), (b_start, b_rest)) = (a.split_at(4096), b.split_at(4096));
        if a_start != b_start {
            return false;
        }
        let half = a_rest.len() / 2;
        std::thread::scope(|scope| {
            let tail = scope.spawn(|| a_rest[half..] == b_rest[half..]);
            a_rest[..half] == b_rest[..half] && tail.join().unwrap_or(false)
        })
    }
}

impl Eq for Bytes {}

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
    fn large_bytes_are_equal_only_if_all_of_them_are() {
        let one = Bytes::from(vec![b'x'; WORTH_TWO_THREADS + 1]);
        let other = |at: usize| {
            let mut bytes = one.to_vec();
            bytes[at] = b'y';
            Bytes::from(bytes)
        };
        assert_eq!(one, Bytes::from(one.to_vec()));
        for at in [0, 4096, WORTH_TWO_THREADS / 2, WORTH_TWO_THREADS] {
            assert_ne!(one, other(at), "{at}");
        }
        assert_ne!(one, Bytes::from(&one[1..]));
    }

    #[test]
    fn debug_output_shows_the_length_only() {
        let bytes = Bytes::from(b"hunter2".to_vec());
        assert_eq!(&*bytes.clone(), b"hunter2");
        assert_eq!(format!("{bytes:?}"), "Bytes(7)");
    }
}
