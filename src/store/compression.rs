//! Compressed states: gzip and zstd, known by how they begin, not by their name.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;

/// How many bytes at the beginning tell whether something is compressed.
pub(super) const MAGIC_LENGTH: usize = 4;

/// A compression that can be undone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Compression {
    Gzip,
    Zstd,
}

impl Compression {
    /// Returns the compression of what begins like this.
    pub(super) fn of(beginning: &[u8]) -> Option<Self> {
        match beginning {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// Returns what was compressed, or nothing where that is more than `limit` bytes.
    pub(super) fn undo(self, packed: impl Read, limit: u64) -> io::Result<Option<Vec<u8>>> {
        match self {
            Self::Gzip => at_most(MultiGzDecoder::new(packed), limit),
            Self::Zstd => at_most(zstd::Decoder::new(packed)?, limit),
        }
    }
}

/// Reads to the end, or gives up with nothing after `limit` bytes.
pub(super) fn at_most(source: impl Read, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    source.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}
