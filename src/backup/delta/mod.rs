//! A state told by what it shares with an earlier one: copy this range, add these bytes.
//!
//! # To the byte
//!
//! ```text
//! varint   number of operations
//! ..       operations, each a varint: length << 1, plus 1 where bytes are added;
//!          a copy is followed by a varint of how far its start is from the end of the copy
//!          before it (0 at first), zig-zag: 0, -1, 1, -2, … are 0, 1, 2, 3, …
//! ..       one zstd frame, to the end: the bytes that are added, one after the other, compressed
//!          with the context as its prefix (`zstd --patch-from`); absent where none are
//! ```
//!
//! A varint is little endian base 128, at most 10 bytes, as in Protocol Buffers. Nothing in it
//! depends on what a state is: what can't be cut into pieces is added as a whole.
//!
//! The *context* is made of the copies that stand next to added bytes, in their order: of each the
//! first 4,096 bytes if bytes are added right before it, and its last 4,096 if some are right
//! behind it; where that would be all of it or more, all of it, once. It ends after 131,072 bytes.
//! The frame's window is at most 8 MiB.
//!
//! The writer needs no earlier state, only its [`Index`]: a keyed hash and the length of each of
//! its pieces. What a hash can't do is to prove equality, so whoever restores compares the hash of
//! the whole.

mod added;
mod index;
mod runs;
mod segments;

use std::io;

pub use index::{Index, Key};

/// A delta that can't be applied.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// It ends too early, or goes on after its end.
    #[error("it has another length than it says")]
    Length,
    /// It copies what the earlier state does not have.
    #[error("it copies from beyond the state that it builds on")]
    Copy,
    /// It makes more or fewer bytes than were announced.
    #[error("it makes a state of another length")]
    Size,
    /// What it adds can't be decompressed.
    #[error("what it adds cannot be read")]
    Added,
}

/// One step of building a state.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Step {
    /// Copies from this place of the earlier state.
    Copy {
        start: usize,
        len: usize,
    },
    Add {
        len: usize,
    },
}

/// Returns what tells `state`, which has this index, by the state that has the index `base`; both
/// were made with the same key.
///
/// # Errors
///
/// What zstd says, which is that there is no memory.
pub fn encode(state: &[u8], index: &Index<'_>, base: &Index<'_>) -> io::Result<Vec<u8>> {
    write(state, &steps(index, base))
}

fn steps(index: &Index<'_>, base: &Index<'_>) -> Vec<Step> {
    let places = base.places();
    let mut steps: Vec<Step> = Vec::new();
    // Where a piece occurs several times, the one that goes on from the last is told in nothing,
    // and the next one from there, where something was replaced or removed, in little.
    let mut next = 0;
    for (piece, len) in index.pieces() {
        let found = places.find(piece, next);
        next = found.map_or(next, |place| place + 1);
        let from = found.map(|place| places.start(place));
        match (from, steps.last_mut()) {
            (Some(from), Some(Step::Copy { start, len: so_far })) if *start + *so_far == from => {
                *so_far += len;
            }
            (Some(from), _) => steps.push(Step::Copy { start: from, len }),
            (None, Some(Step::Add { len: so_far })) => *so_far += len,
            (None, _) => steps.push(Step::Add { len }),
        }
    }
    steps
}

fn write(state: &[u8], steps: &[Step]) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    put(&mut out, steps.len() as u64);
    let mut end = 0_usize;
    for step in steps {
        match *step {
            Step::Copy { start, len } => {
                put(&mut out, (len as u64) << 1);
                put(&mut out, zigzag(start, end));
                end = start + len;
            }
            Step::Add { len } => put(&mut out, (len as u64) << 1 | 1),
        }
    }
    let mut at = 0;
    let texts = steps.iter().map(|step| {
        let (Step::Copy { len, .. } | Step::Add { len }) = *step;
        at += len;
        (matches!(step, Step::Add { .. }), &state[at - len..at])
    });
    let texts: Vec<(bool, &[u8])> = texts.collect();
    let context = added::context(texts.iter().map(|&(is_added, text)| (!is_added).then_some(text)));
    let added: Vec<&[u8]> =
        texts.iter().filter(|(is_added, _)| *is_added).map(|&(_, text)| text).collect();
    if !added.is_empty() {
        out.extend_from_slice(&added::compress(&added, &context)?);
    }
    Ok(out)
}

/// Returns the state of `len` bytes that a delta tells by `base`.
///
/// No more than twice `len` is allocated, whatever the delta says, and 8 MiB.
pub fn decode(delta: &[u8], base: &[u8], len: usize) -> Result<Vec<u8>, Error> {
    let mut rest = delta;
    let count = take(&mut rest)?;
    let steps = Steps { rest, left: count, end: 0 };
    // A first walk finds where the added bytes begin, and refuses what does not add up.
    let (mut walk, mut total, mut added) = (steps.clone(), 0_usize, 0_usize);
    for step in walk.by_ref() {
        let step_len = match step? {
            Step::Copy { start, len } => base.get(start..start + len).ok_or(Error::Copy)?.len(),
            Step::Add { len } => {
                added = added.checked_add(len).ok_or(Error::Size)?;
                len
            }
        };
        total = total.checked_add(step_len).filter(|&total| total <= len).ok_or(Error::Size)?;
    }
    if total != len {
        return Err(Error::Size);
    }
    let sound = || steps.clone().map_while(Result::ok);
    let copied = |step| match step {
        Step::Copy { start, len } => base.get(start..start + len),
        Step::Add { .. } => None,
    };
    let context = added::context(sound().map(copied));
    let added = match added {
        0 if walk.rest.is_empty() => Vec::new(),
        0 => return Err(Error::Length),
        len => added::decompress(walk.rest, &context, len).map_err(|_| Error::Added)?,
    };
    let (mut state, mut added) = (Vec::with_capacity(len), added.as_slice());
    for step in sound() {
        if let Step::Add { len } = step {
            let (bytes, after) = added.split_at_checked(len).ok_or(Error::Length)?;
            state.extend_from_slice(bytes);
            added = after;
        } else {
            state.extend_from_slice(copied(step).ok_or(Error::Copy)?);
        }
    }
    Ok(state)
}

/// Reads the steps of a delta.
#[derive(Clone, Debug)]
struct Steps<'d> {
    rest: &'d [u8],
    left: u64,
    /// Where the last copy ended.
    end: usize,
}

impl Iterator for Steps<'_> {
    type Item = Result<Step, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        Some(self.step())
    }
}

impl Steps<'_> {
    fn step(&mut self) -> Result<Step, Error> {
        let number = take(&mut self.rest)?;
        let len = usize::try_from(number >> 1).map_err(|_| Error::Size)?;
        if number & 1 == 1 {
            return Ok(Step::Add { len });
        }
        let start = unzigzag(take(&mut self.rest)?, self.end).ok_or(Error::Copy)?;
        self.end = start.checked_add(len).ok_or(Error::Copy)?;
        Ok(Step::Copy { start, len })
    }
}

fn put(out: &mut Vec<u8>, mut number: u64) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            return out.push(low & 0x7f);
        }
        out.push(low | 0x80);
    }
}

fn take(rest: &mut &[u8]) -> Result<u64, Error> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, after) = rest.split_first().ok_or(Error::Length)?;
        *rest = after;
        let bits = u64::from(byte & 0x7f);
        if bits << shift >> shift != bits {
            return Err(Error::Length);
        }
        number |= bits << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(Error::Length)
}

/// Tells `start` by how far it is from `end`.
fn zigzag(start: usize, end: usize) -> u64 {
    if start >= end { ((start - end) as u64) << 1 } else { ((end - start) as u64) * 2 - 1 }
}

fn unzigzag(number: u64, end: usize) -> Option<usize> {
    let distance = usize::try_from(number.div_ceil(2)).ok()?;
    if number & 1 == 0 { end.checked_add(distance) } else { end.checked_sub(distance) }
}

#[cfg(test)]
mod tests;
