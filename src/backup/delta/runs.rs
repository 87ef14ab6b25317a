//! Runs of pieces, each hashed as a whole too: where a run is as it was, so are its pieces, and none
//! of them has to be hashed. BLAKE3 hashes one long text several times as fast as many short ones.

use std::ops::Range;

/// A run has at least so many bytes, as many as BLAKE3 takes at once on most processors.
const SHORTEST: usize = 8 * 1024;

/// A run ends with the piece that makes it so long.
const LONGEST: usize = 64 * 1024;

/// Returns the pieces of each run, given the length of each piece.
///
/// Where a run ends is told by the lengths in it alone: so what was added or removed changes the run
/// that it is in and a few behind it, until one ends where one ended before.
pub(super) fn of(lengths: impl IntoIterator<Item = usize>) -> impl Iterator<Item = Range<usize>> {
    let mut lengths = lengths.into_iter();
    let mut start = 0;
    std::iter::from_fn(move || {
        let (mut end, mut bytes) = (start, 0_usize);
        for length in lengths.by_ref() {
            end += 1;
            bytes = bytes.saturating_add(length);
            if bytes >= LONGEST || bytes >= SHORTEST && is_last(length) {
                break;
            }
        }
        let run = start..end;
        start = end;
        (!run.is_empty()).then_some(run)
    })
}

/// Returns whether a run may end with a piece of this length, as with one in eight; the odd number
/// spreads lengths that have much in common.
fn is_last(length: usize) -> bool {
    (length as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 61 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lengths of pieces as those of many resources.
    fn lengths(seed: usize) -> Vec<usize> {
        (0..3000).map(|n| 100 + (n * 7919 + seed) * 104_729 % 1901).collect()
    }

    #[test]
    fn runs_are_of_all_pieces_in_their_order_and_none_is_short_but_the_last() {
        let lengths = lengths(1);
        let runs: Vec<_> = of(lengths.iter().copied()).collect();
        assert_eq!(runs.first().unwrap().start, 0);
        assert_eq!(runs.last().unwrap().end, lengths.len());
        assert!(runs.windows(2).all(|two| two[0].end == two[1].start));
        let (_, but_last) = runs.split_last().unwrap();
        for run in but_last {
            let bytes: usize = lengths[run.clone()].iter().sum();
            assert!((SHORTEST..LONGEST + 2000).contains(&bytes), "{bytes}");
        }
        // With pieces of 1 KB: 8 are the fewest, and 8 more are looked at for the last on average.
        assert!((140..260).contains(&runs.len()), "{}", runs.len());
        assert_eq!(of([]).count(), 0);
        assert_eq!(of([0, 5]).map(|run| run.len()).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn what_comes_before_changes_where_the_next_few_runs_end_and_no_others() {
        let before = lengths(1);
        let after = [&[300, 200], &before[..]].concat();
        let ends = |lengths: &[usize]| of(lengths.iter().copied()).map(|run| run.end).collect();
        let (before, after): (Vec<usize>, Vec<usize>) = (ends(&before), ends(&after));
        let same = before.iter().filter(|&&end| after.contains(&(end + 2))).count();
        assert!(same + 8 > before.len(), "{same} of {}", before.len());
    }

    #[test]
    fn pieces_of_one_length_make_runs_of_bounded_length() {
        for length in [1, 500, 5000, 1 << 20] {
            let longest = of(vec![length; 1000]).map(|run| run.len() * length).max().unwrap();
            assert!(longest < LONGEST + length, "{longest} of {length}");
        }
    }
}
