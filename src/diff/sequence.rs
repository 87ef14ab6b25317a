//! The shortest edit between two sequences, of lines or of elements, in bounded time.
//!
//! Finding the shortest edit takes time with the square of what differs: minutes, for half a
//! million lines in another order. So long sequences are cut first, where something stands once in
//! both and in the same order; each piece between two cuts is edited for itself, and a piece that
//! is still long is replaced as a whole. For short sequences the edit is the shortest.

use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Range;

use similar::{Algorithm, DiffOp};

/// Up to this many elements of both sides together the shortest edit is looked for.
const SHORT: usize = 8192;

/// How often a piece is cut again: what stands several times in the whole may stand once in a piece.
const MAX_CUTS: usize = 8;

/// Returns the steps that make `new` of `old`, in order.
pub(super) fn edits<T: Eq + Hash>(old: &[T], new: &[T]) -> Vec<DiffOp> {
    if old.len() + new.len() <= SHORT {
        return similar::capture_diff_slices(Algorithm::Myers, old, new);
    }
    let mut pieces = Pieces { old, new, ops: Vec::new() };
    pieces.edit((0..old.len(), 0..new.len()), MAX_CUTS);
    pieces.ops
}

/// Returns the places of what stands once on each side, as many as are in one order on both.
fn common<T: Eq + Hash>(old: &[T], new: &[T]) -> Vec<(usize, usize)> {
    /// Where something stands, if it stands there alone.
    type Once = Option<usize>;
    let mut places: HashMap<&T, (Once, Once, bool)> = HashMap::new();
    for (at, item) in old.iter().enumerate() {
        places.entry(item).and_modify(|place| place.0 = None).or_insert((Some(at), None, false));
    }
    for (at, item) in new.iter().enumerate() {
        if let Some((_, once, seen)) = places.get_mut(item) {
            *once = (!*seen).then_some(at);
            *seen = true;
        }
    }
    let mut pairs: Vec<(usize, usize)> =
        places.into_values().filter_map(|(old, new, _)| Some((old?, new?))).collect();
    pairs.sort_unstable();
    longest_ascent(&pairs)
}

/// Returns the most pairs, in order of the first side, that are in order of the second too.
fn longest_ascent(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // For each length the pair with the lowest end, and for each pair the one before it.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    for (at, pair) in pairs.iter().enumerate() {
        let length = ends.partition_point(|&end| pairs[end].1 < pair.1);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        if length == ends.len() {
            ends.push(at);
        } else {
            ends[length] = at;
        }
    }
    let mut ascent: Vec<(usize, usize)> =
        std::iter::successors(ends.last().copied(), |&at| before[at]).map(|at| pairs[at]).collect();
    ascent.reverse();
    ascent
}

struct Pieces<'t, T> {
    old: &'t [T],
    new: &'t [T],
    ops: Vec<DiffOp>,
}

impl<T: Eq + Hash> Pieces<'_, T> {
    /// Edits a piece, which may be cut so many times.
    fn edit(&mut self, (old, new): (Range<usize>, Range<usize>), cuts: usize) {
        let (a, b) = (&self.old[old.clone()], &self.new[new.clone()]);
        let head = a.iter().zip(b).take_while(|(a, b)| a == b).count();
        let rest = a[head..].iter().rev().zip(b[head..].iter().rev());
        let tail = rest.take_while(|(a, b)| a == b).count();
        self.equal(old.start, new.start, head);
        let inner = (old.start + head..old.end - tail, new.start + head..new.end - tail);
        self.differing(inner, cuts);
        self.equal(old.end - tail, new.end - tail, tail);
    }

    fn differing(&mut self, (old, new): (Range<usize>, Range<usize>), cuts: usize) {
        let (old_index, new_index) = (old.start, new.start);
        let (old_len, new_len) = (old.len(), new.len());
        match (old_len, new_len) {
            (0, 0) => {}
            (0, _) => self.ops.push(DiffOp::Insert { old_index, new_index, new_len }),
            (_, 0) => self.ops.push(DiffOp::Delete { old_index, old_len, new_index }),
            _ if old_len + new_len > SHORT => self.cut((old, new), cuts),
            _ => {
                let ops =
                    similar::capture_diff_slices(Algorithm::Myers, &self.old[old], &self.new[new]);
                self.ops.extend(ops.into_iter().map(|op| moved(op, old_index, new_index)));
            }
        }
    }

    /// Cuts a long piece where something stands once on both sides.
    fn cut(&mut self, (old, new): (Range<usize>, Range<usize>), cuts: usize) {
        let (mut row, mut column) = (old.start, new.start);
        let places = match cuts {
            0 => Vec::new(),
            _ => common(&self.old[old.clone()], &self.new[new.clone()]),
        };
        if places.is_empty() {
            let (old_len, new_len) = (old.len(), new.len());
            let (old_index, new_index) = (row, column);
            self.ops.push(DiffOp::Replace { old_index, old_len, new_index, new_len });
            return;
        }
        for (at, to) in places {
            let (at, to) = (old.start + at, new.start + to);
            self.edit((row..at, column..to), cuts - 1);
            self.equal(at, to, 1);
            (row, column) = (at + 1, to + 1);
        }
        self.edit((row..old.end, column..new.end), cuts - 1);
    }

    fn equal(&mut self, old_index: usize, new_index: usize, len: usize) {
        if len > 0 {
            self.ops.push(DiffOp::Equal { old_index, new_index, len });
        }
    }
}

/// Returns a step of a piece as one of the whole.
fn moved(op: DiffOp, old: usize, new: usize) -> DiffOp {
    match op {
        DiffOp::Equal { old_index, new_index, len } => {
            DiffOp::Equal { old_index: old_index + old, new_index: new_index + new, len }
        }
        DiffOp::Delete { old_index, old_len, new_index } => {
            DiffOp::Delete { old_index: old_index + old, old_len, new_index: new_index + new }
        }
        DiffOp::Insert { old_index, new_index, new_len } => {
            DiffOp::Insert { old_index: old_index + old, new_index: new_index + new, new_len }
        }
        DiffOp::Replace { old_index, old_len, new_index, new_len } => DiffOp::Replace {
            old_index: old_index + old,
            old_len,
            new_index: new_index + new,
            new_len,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Applies the edit and asserts that it makes `new` of `old`; returns how much it keeps.
    fn kept(old: &[usize], new: &[usize]) -> usize {
        let (mut made, mut used, mut kept) = (Vec::new(), 0, 0);
        for op in edits(old, new) {
            assert_eq!((op.old_range().start, op.new_range().start), (used, made.len()));
            used = op.old_range().end;
            match op {
                DiffOp::Equal { len, .. } => {
                    assert_eq!(old[op.old_range()], new[op.new_range()]);
                    made.extend_from_slice(&old[op.old_range()]);
                    kept += len;
                }
                DiffOp::Delete { .. } | DiffOp::Insert { .. } | DiffOp::Replace { .. } => {
                    made.extend_from_slice(&new[op.new_range()]);
                }
            }
        }
        assert_eq!((used, made.as_slice()), (old.len(), new));
        kept
    }

    #[test]
    fn few_changes_in_a_long_sequence_are_found_exactly() {
        let old: Vec<usize> = (0..100_000).map(|n| n % 60_000).collect();
        let mut new = old.clone();
        new[70_000] = 1_000_000;
        new.remove(30_000);
        new.insert(10, 2_000_000);
        assert_eq!(kept(&old, &new), old.len() - 2);
        assert_eq!(kept(&new, &old), old.len() - 2);
        assert_eq!(kept(&old, &old), old.len());
    }

    #[test]
    fn sequences_with_little_in_common_take_no_time_to_speak_of() {
        let start = std::time::Instant::now();
        let old: Vec<usize> = (0..60_000).collect();
        let shuffled: Vec<usize> = (0..60_000).map(|n| n * 77_773 % 60_000).collect();
        assert!(kept(&old, &shuffled) > 0);
        let other: Vec<usize> = (60_000..120_000).collect();
        assert_eq!(kept(&old, &other), 0);
        let same: Vec<usize> = (0..60_000).map(|n| n % 7).collect();
        let almost: Vec<usize> = (0..60_000).map(|n| n * n % 7).collect();
        kept(&same, &almost);
        assert!(start.elapsed() < std::time::Duration::from_secs(20));
    }
}
