//! A state told by what it shares with an earlier one: copy this range, add these bytes.
//!
//! # To the byte
//!
//! ```text
//! varint   number of operations
//! ..       operations, each a varint: length << 1, plus 1 where bytes are added;
//!          a copy is followed by a varint of how far its start is from the end of the copy
//!          before it (0 at first), zig-zag: 0, -1, 1, -2, … are 0, 1, 2, 3, …
//! ..       the bytes that are added, one after the other, to the end
//! ```
//!
//! A varint is little endian base 128, at most 10 bytes, as in Protocol Buffers. Nothing in it
//! depends on what a state is: what can't be cut into pieces is added as a whole.
//!
//! The writer needs no earlier state, only its [`Index`]: a keyed hash and the length of each of
//! its pieces. What a hash can't do is to prove equality, so whoever restores compares the hash of
//! the whole.

mod index;
mod segments;

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
}

/// One step of building a state.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Step {
    Copy { start: usize, len: usize },
    Add { start: usize, len: usize },
}

/// Returns what tells `state`, which has this index, by the state that has the index `base`; both
/// were made with the same key.
pub fn encode(state: &[u8], index: &Index<'_>, base: &Index<'_>) -> Vec<u8> {
    let places = base.places();
    let mut steps: Vec<Step> = Vec::new();
    // Where a piece occurs several times, the one that goes on from the last is told in nothing,
    // and the next one from there, where something was replaced or removed, in little.
    let (mut start, mut next) = (0, 0);
    for (piece, len) in index.pieces() {
        let found = places.find(piece, next);
        next = found.map_or(next, |place| place + 1);
        let from = found.map(|place| places.start(place));
        match (from, steps.last_mut()) {
            (Some(from), Some(Step::Copy { start, len: so_far })) if *start + *so_far == from => {
                *so_far += len;
            }
            (Some(from), _) => steps.push(Step::Copy { start: from, len }),
            (None, Some(Step::Add { len: so_far, .. })) => *so_far += len,
            (None, _) => steps.push(Step::Add { start, len }),
        }
        start += len;
    }
    write(state, &steps)
}

fn write(state: &[u8], steps: &[Step]) -> Vec<u8> {
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
            Step::Add { len, .. } => put(&mut out, (len as u64) << 1 | 1),
        }
    }
    for step in steps {
        if let Step::Add { start, len } = *step {
            out.extend_from_slice(&state[start..start + len]);
        }
    }
    out
}

/// Returns the state of `len` bytes that a delta tells by `base`.
///
/// Nothing is allocated beyond `len`, whatever the delta says.
pub fn decode(delta: &[u8], base: &[u8], len: usize) -> Result<Vec<u8>, Error> {
    let mut rest = delta;
    let count = take(&mut rest)?;
    let (mut steps, mut literals) = (rest, rest);
    let (mut total, mut added) = (0_usize, 0_usize);
    // A first walk finds where the added bytes begin, and refuses what does not add up.
    for _ in 0..count {
        let (is_add, step_len) = step(&mut literals)?;
        if is_add {
            added = added.checked_add(step_len).ok_or(Error::Size)?;
        } else {
            take(&mut literals)?;
        }
        total = total.checked_add(step_len).filter(|&total| total <= len).ok_or(Error::Size)?;
    }
    if total != len {
        return Err(Error::Size);
    }
    if literals.len() != added {
        return Err(Error::Length);
    }
    let (mut state, mut end) = (Vec::with_capacity(len), 0_usize);
    for _ in 0..count {
        let (is_add, step_len) = step(&mut steps)?;
        if is_add {
            let (bytes, after) = literals.split_at_checked(step_len).ok_or(Error::Length)?;
            state.extend_from_slice(bytes);
            literals = after;
        } else {
            let start = unzigzag(take(&mut steps)?, end).ok_or(Error::Copy)?;
            end = start.checked_add(step_len).ok_or(Error::Copy)?;
            state.extend_from_slice(base.get(start..end).ok_or(Error::Copy)?);
        }
    }
    Ok(state)
}

fn step(rest: &mut &[u8]) -> Result<(bool, usize), Error> {
    let number = take(rest)?;
    let len = usize::try_from(number >> 1).map_err(|_| Error::Size)?;
    Ok((number & 1 == 1, len))
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
