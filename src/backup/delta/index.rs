//! What a writer keeps of a state in order to tell later ones by it: a keyed hash and the length of
//! each piece.
//!
//! With the key the index lets one confirm a guess of a whole piece, and nothing more; without it,
//! not even that. It stays on the computer that writes backups.

use std::fmt;

use super::segments;
use crate::state::document::Document;

/// The secret that the hashes of one index depend on.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl Key {
    /// Takes 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns a hash that is short, for counting only.
    pub(in crate::backup) fn short_hash(&self, bytes: &[u8]) -> [u8; 8] {
        let mut hash = [0; 8];
        hash.copy_from_slice(&blake3::keyed_hash(&self.0, bytes).as_bytes()[..8]);
        hash
    }

    fn hash(&self, piece: &[u8]) -> [u8; 16] {
        let mut hash = [0; 16];
        hash.copy_from_slice(&blake3::keyed_hash(&self.0, piece).as_bytes()[..16]);
        hash
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// The pieces of a state in their order.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Index {
    pieces: Vec<([u8; 16], u64)>,
}

impl Index {
    /// Makes the index of a state.
    pub fn of(state: &[u8], key: &Key) -> Self {
        Self::cut(state, &segments::cuts(state), key)
    }

    /// Makes the index of a state that was parsed, in finer pieces: each instance is one.
    ///
    /// An index of the one kind tells a state that has one of the other in more than it needs.
    pub fn of_document(document: &Document, key: &Key) -> Self {
        let state = document.bytes();
        match segments::cuts_of(document) {
            Some(cuts) => Self::cut(state, &cuts, key),
            None => Self::of(state, key),
        }
    }

    fn cut(state: &[u8], cuts: &[usize], key: &Key) -> Self {
        let ends = cuts.iter().skip(1).copied().chain([state.len()]);
        let pieces = cuts.iter().zip(ends).filter(|&(&start, end)| end > start);
        let piece =
            |(&start, end): (&usize, usize)| (key.hash(&state[start..end]), (end - start) as u64);
        Self { pieces: pieces.map(piece).collect() }
    }

    /// Returns where each piece starts.
    pub(in crate::backup) fn starts(&self) -> Vec<usize> {
        let mut start = 0_usize;
        let starts = self.pieces().map(|(_, len)| {
            let this = start;
            start = start.saturating_add(len);
            this
        });
        starts.collect()
    }

    /// Returns the beginning of the hash of a piece, if it has this length: its
    /// [short hash](Key::short_hash).
    pub(in crate::backup) fn short_hash(&self, piece: usize, len: usize) -> Option<[u8; 8]> {
        let (hash, found) = self.pieces.get(piece)?;
        (*found == len as u64).then(|| *hash.first_chunk().unwrap_or(&[0; 8]))
    }

    /// Returns the hash and the length of each piece.
    pub(super) fn pieces(&self) -> impl Iterator<Item = (&[u8; 16], usize)> {
        self.pieces.iter().map(|(hash, len)| (hash, usize::try_from(*len).unwrap_or(usize::MAX)))
    }

    /// Returns how long the state is.
    pub fn len(&self) -> u64 {
        self.pieces.iter().map(|(_, len)| len).sum()
    }

    /// Returns whether the state has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns what finds the pieces by their hashes.
    pub(super) fn places(&self) -> Places<'_> {
        let starts = self.starts();
        let mut by_hash: Vec<usize> = (0..self.pieces.len()).collect();
        by_hash.sort_unstable_by_key(|&place| (self.pieces[place], place));
        Places { pieces: &self.pieces, starts, by_hash }
    }

    /// Returns the index as bytes: for each piece its hash and its length, little endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.pieces.len() * 24);
        for (hash, len) in &self.pieces {
            bytes.extend_from_slice(hash);
            bytes.extend_from_slice(&len.to_le_bytes());
        }
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) made; nothing where it is no index.
    ///
    /// Whether it is the one that was written must be known before: a wrong index makes a delta
    /// that can't be restored.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (chunks, rest) = bytes.as_chunks::<24>();
        if !rest.is_empty() {
            return None;
        }
        let mut pieces = Vec::with_capacity(chunks.len());
        let mut total = 0_u64;
        for chunk in chunks {
            let (hash, len) = chunk.split_first_chunk::<16>()?;
            let len = u64::from_le_bytes(len.try_into().ok()?);
            total = total.checked_add(len)?;
            pieces.push((*hash, len));
        }
        Some(Self { pieces })
    }
}

/// Where the pieces of an index stand.
///
/// Sorted numbers instead of a map: most pieces are found without a search, right behind the last.
#[derive(Debug)]
pub(super) struct Places<'a> {
    pieces: &'a [([u8; 16], u64)],
    starts: Vec<usize>,
    by_hash: Vec<usize>,
}

impl Places<'_> {
    /// Returns the number of a piece with this hash and length: the first from `from` on, or else
    /// the last before it.
    pub(super) fn find(&self, hash: &[u8; 16], len: usize, from: usize) -> Option<usize> {
        let wanted = (*hash, len as u64);
        if self.pieces.get(from) == Some(&wanted) {
            return Some(from);
        }
        let is_before = |&place: &usize| (self.pieces[place], place) < (wanted, from);
        let (before, after) = self.by_hash.split_at(self.by_hash.partition_point(is_before));
        let is_equal = |&place: &usize| self.pieces[place] == wanted;
        after.first().copied().filter(is_equal).or_else(|| before.last().copied().filter(is_equal))
    }

    /// Returns where a piece starts.
    pub(super) fn start(&self, place: usize) -> usize {
        self.starts[place]
    }
}
