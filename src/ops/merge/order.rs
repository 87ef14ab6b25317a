//! Where new items go among those that are there.

use std::collections::HashSet;

use crate::state::edit::Slot;

/// Returns the slots of a container: the old items without those that are gone, and each new one
/// behind the last old one that sorts before it.
///
/// In a text that is sorted, as Terraform writes it, the result is sorted.
pub(in crate::ops) fn slots<K: Ord>(
    old: &[K],
    gone: &HashSet<usize>,
    mut new: Vec<(K, Vec<u8>)>,
) -> Vec<Slot> {
    new.sort_by(|a, b| a.0.cmp(&b.0));
    // The smallest key from each item on; so the last smaller item is found by halving.
    let mut smallest: Vec<&K> = old.iter().collect();
    for at in (1..smallest.len()).rev() {
        if smallest[at] < smallest[at - 1] {
            smallest[at - 1] = smallest[at];
        }
    }
    let mut new = new.into_iter().peekable();
    let mut slots = Vec::with_capacity(old.len());
    for at in 0..=old.len() {
        let stands_here = |key: &K| smallest.partition_point(|old| *old < key) == at;
        while let Some((_, text)) = new.next_if(|(key, _)| stands_here(key)) {
            slots.push(Slot::New(text));
        }
        if at < old.len() && !gone.contains(&at) {
            slots.push(Slot::Keep(at));
        }
    }
    slots
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arranged(old: &[i32], gone: &[usize], new: &[i32]) -> Vec<i32> {
        let new = new.iter().map(|key| (*key, vec![u8::try_from(*key).unwrap()])).collect();
        let slots = slots(old, &gone.iter().copied().collect(), new);
        let key = |slot: &Slot| match slot {
            Slot::Keep(at) => old[*at],
            Slot::New(text) => i32::from(text[0]),
        };
        slots.iter().map(key).collect()
    }

    #[test]
    fn new_items_stand_in_order() {
        assert_eq!(arranged(&[2, 4, 6], &[], &[7, 1, 5, 3]), [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(arranged(&[2, 4, 6], &[1], &[5, 3]), [2, 3, 5, 6]);
        assert_eq!(arranged(&[], &[], &[2, 1]), [1, 2]);
        assert_eq!(arranged(&[2], &[0], &[]), [0; 0]);
    }

    #[test]
    fn what_is_not_in_order_stays_as_it_is() {
        assert_eq!(arranged(&[9, 1, 5], &[], &[3, 7]), [9, 1, 3, 5, 7]);
        assert_eq!(arranged(&[1, 5, 2], &[], &[3]), [1, 5, 2, 3]);
    }
}
