//! What a writer keeps of a state in order to tell later ones by it: a keyed hash and the length of
//! each piece, and a hash of each run of pieces.
//!
//! With the key the index lets one confirm a guess of a whole piece, and nothing more; without it,
//! not even that. It stays on the computer that writes backups.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::hash::Hasher;
use std::ops::Range;

use siphasher::sip128::{Hasher128, SipHasher24};

use super::{runs, segments};
use crate::state::document::Document;

/// The secret that the hashes of one index depend on.
///
/// Pieces are short, and SipHash-2-4 takes less than half the time of BLAKE3 for them. Runs are long
/// enough for BLAKE3 to be the faster one.
#[derive(Clone)]
pub struct Key {
    runs: [u8; 32],
    pieces: SipHasher24,
}

impl Key {
    /// Takes 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        let derived = blake3::derive_key("tfstate 2026 short pieces of a state", &bytes);
        let pieces = SipHasher24::new_with_key(derived.first_chunk().unwrap_or(&[0; 16]));
        Self { runs: bytes, pieces }
    }

    /// Returns a hash that is short, for counting only.
    pub(in crate::backup) fn short_hash(&self, bytes: &[u8]) -> [u8; 8] {
        self.piece(bytes)
    }

    fn piece<const N: usize>(&self, bytes: &[u8]) -> [u8; N] {
        let mut hasher = self.pieces;
        hasher.write(bytes);
        beginning(&hasher.finish128().as_bytes())
    }

    fn run(&self, bytes: &[u8]) -> Run {
        beginning(blake3::keyed_hash(&self.runs, bytes).as_bytes())
    }
}

fn beginning<const N: usize>(hash: &[u8]) -> [u8; N] {
    let mut beginning = [0; N];
    beginning.copy_from_slice(&hash[..N]);
    beginning
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// How many bytes of a hash are kept. With a key that nobody else has, two of 100 million pieces are
/// taken for each other once in 10^13 states.
const HASH: usize = 12;

/// A piece: its hash, and its length in 4 bytes, little endian.
type Piece = [u8; HASH + 4];

/// The hash of a run of pieces.
type Run = [u8; 16];

/// The pieces of a state in their order.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Index<'a> {
    pieces: Cow<'a, [Piece]>,
    /// The hash of each [run](runs::of); none where a later state is not to be hashed by it, as of the
    /// first of a state.
    runs: Cow<'a, [Run]>,
}

impl<'a> Index<'a> {
    /// Makes the index of a state, by that of an earlier one with the same key where there is one:
    /// what it has in common with that is hashed in a fraction of the time.
    pub fn of(state: &[u8], key: &Key, before: Option<&Index<'_>>) -> Self {
        Self::cut(state, &segments::cuts(state), key, before)
    }

    /// Does the same for a state that was parsed, in finer pieces: each instance is one.
    ///
    /// An index of the one kind tells a state that has one of the other in more than it needs.
    pub fn of_document(document: &Document, key: &Key, before: Option<&Index<'_>>) -> Self {
        let state = document.bytes();
        match segments::cuts_of(document) {
            Some(cuts) => Self::cut(state, &cuts, key, before),
            None => Self::of(state, key, before),
        }
    }

    fn cut(state: &[u8], cuts: &[usize], key: &Key, before: Option<&Index<'_>>) -> Self {
        let ends = cuts.iter().skip(1).copied().chain([state.len()]);
        let texts = cuts.iter().zip(ends).map(|(&start, end)| &state[start..end]);
        // No more than a length can say.
        let texts = texts.flat_map(|text| text.chunks(u32::MAX as usize));
        let known = before.map(Index::by_run).unwrap_or_default();
        let (mut pieces, mut runs) = (Vec::with_capacity(cuts.len()), Vec::new());
        let (mut left, mut rest) = (texts.clone(), state);
        for run in runs::of(texts.map(<[u8]>::len)) {
            let texts = left.clone().take(run.len());
            let lengths = texts.clone().map(<[u8]>::len);
            let (bytes, after) = rest.split_at(lengths.clone().sum());
            // Where there is nothing to find by it, it can wait for a state that comes after this one.
            let hash: Option<Run> = before.map(|_| key.run(bytes));
            runs.extend(hash);
            // The same bytes may have been cut elsewhere.
            let same = |pieces: &&&[Piece]| pieces.iter().map(length).eq(lengths.clone());
            match hash.and_then(|hash| known.get(&hash).filter(same)) {
                Some(same) => pieces.extend_from_slice(same),
                None => pieces.extend(texts.map(|text| piece_of(text, key))),
            }
            left.nth(run.len() - 1);
            rest = after;
        }
        Self { pieces: Cow::Owned(pieces), runs: Cow::Owned(runs) }
    }

    /// Returns the pieces of each run by its hash.
    fn by_run(&self) -> HashMap<&Run, &[Piece]> {
        let runs = runs::of(self.pieces().map(|(_, len)| len));
        self.runs.iter().zip(runs.map(|run: Range<usize>| &self.pieces[run])).collect()
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
        let piece = self.pieces.get(piece)?;
        (length(piece) == len).then(|| *piece.first_chunk().unwrap_or(&[0; 8]))
    }

    /// Returns each piece, with its length.
    pub(super) fn pieces(&self) -> impl Iterator<Item = (&Piece, usize)> {
        self.pieces.iter().map(|piece| (piece, length(piece)))
    }

    /// Returns how many bytes the state has.
    pub fn state_len(&self) -> u64 {
        self.pieces().map(|(_, len)| len as u64).sum()
    }

    /// Returns what finds the pieces by their hashes.
    pub(super) fn places(&self) -> Places<'_> {
        let starts = self.starts();
        // More than 4 thousand million pieces have no place in memory.
        let mut by_hash: Vec<u32> = (0..=u32::MAX).zip(self.pieces()).map(|(n, _)| n).collect();
        by_hash.sort_unstable_by_key(|&place| (number(&self.pieces[place as usize]), place));
        Places { pieces: &self.pieces, starts, by_hash }
    }

    /// Returns the pieces as bytes, for each 12 of its hash and its length in 4, little endian, and
    /// the 16 bytes of the hash of each run.
    pub fn as_bytes(&self) -> [&[u8]; 2] {
        [self.pieces.as_flattened(), self.runs.as_flattened()]
    }

    /// Takes what [`as_bytes`](Self::as_bytes) returned; nothing where it is no index. Without
    /// runs, no later state is hashed by it.
    ///
    /// Whether it is the one that was written must be known before: a wrong index makes a delta
    /// that can't be restored.
    pub fn from_bytes([pieces, runs]: [&'a [u8]; 2]) -> Option<Self> {
        let ((pieces, rest), (runs, more)) = (pieces.as_chunks(), runs.as_chunks());
        let is_whole = rest.is_empty() && more.is_empty();
        is_whole.then_some(Self { pieces: Cow::Borrowed(pieces), runs: Cow::Borrowed(runs) })
    }
}

fn piece_of(text: &[u8], key: &Key) -> Piece {
    let hash: [u8; HASH] = key.piece(text);
    let len = u32::try_from(text.len()).unwrap_or(u32::MAX);
    let mut piece = [0; HASH + 4];
    piece[..HASH].copy_from_slice(&hash);
    piece[HASH..].copy_from_slice(&len.to_le_bytes());
    piece
}

fn length(piece: &Piece) -> usize {
    let len = piece.last_chunk().map_or(0, |len| u32::from_le_bytes(*len));
    usize::try_from(len).unwrap_or(usize::MAX)
}

/// Returns what sorts pieces as their bytes do, in less time.
fn number(piece: &Piece) -> u128 {
    u128::from_be_bytes(*piece)
}

/// Where the pieces of an index stand.
///
/// Sorted numbers instead of a map: most pieces are found without a search, right behind the last.
#[derive(Debug)]
pub(super) struct Places<'a> {
    pieces: &'a [Piece],
    starts: Vec<usize>,
    by_hash: Vec<u32>,
}

impl Places<'_> {
    /// Returns the number of such a piece: the first from `from` on, or else the last before it.
    pub(super) fn find(&self, wanted: &Piece, from: usize) -> Option<usize> {
        if self.pieces.get(from) == Some(wanted) {
            return Some(from);
        }
        let is_before = |&place: &u32| {
            let place = place as usize;
            (number(&self.pieces[place]), place) < (number(wanted), from)
        };
        let (before, after) = self.by_hash.split_at(self.by_hash.partition_point(is_before));
        let is_equal = |place: &usize| self.pieces[*place] == *wanted;
        let place = |place: Option<&u32>| place.map(|&place| place as usize).filter(is_equal);
        place(after.first()).or_else(|| place(before.last()))
    }

    /// Returns where a piece starts.
    pub(super) fn start(&self, place: usize) -> usize {
        self.starts[place]
    }
}
