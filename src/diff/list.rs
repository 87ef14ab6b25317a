//! Finds out which elements of two lists belong together.

use std::collections::{HashMap, HashSet};

use similar::DiffOp;

use super::canonical::{self, Likeness};
use super::sequence;
use crate::state::value::Value;

/// Larger blocks of edited elements are paired by place instead of by likeness.
const MAX_LIKENESSES: usize = 1024;

/// Two elements that belong together and differ, or one that came or went.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Edit {
    pub(super) before: Option<usize>,
    pub(super) after: Option<usize>,
}

impl Edit {
    fn swapped(self) -> Self {
        Self { before: self.after, after: self.before }
    }
}

/// Pairs the elements of two sets and returns what is not equal.
///
/// What both have is left out wherever it stands; the rest is paired as in a block of a list.
pub(super) fn match_up(before: &[&Value<'_>], after: &[&Value<'_>]) -> Vec<Edit> {
    let (old, new) = rest(before, after);
    let pick = |items: &[&'_ Value<'_>], rest: &[usize]| -> Vec<String> {
        rest.iter().map(|&at| canonical::text(items[at])).collect()
    };
    let (olds, news): (Vec<_>, Vec<_>) =
        (old.iter().map(|&at| before[at]).collect(), new.iter().map(|&at| after[at]).collect());
    let edits = if pick(before, &old) <= pick(after, &new) {
        pair(&olds, &news)
    } else {
        pair(&news, &olds).into_iter().map(Edit::swapped).collect()
    };
    let place = |edit: Edit| Edit {
        before: edit.before.map(|at| old[at]),
        after: edit.after.map(|at| new[at]),
    };
    edits.into_iter().map(place).collect()
}

/// Returns the places of those elements that the other side does not have as often.
fn rest(before: &[&Value<'_>], after: &[&Value<'_>]) -> (Vec<usize>, Vec<usize>) {
    let mut places: HashMap<String, Vec<usize>> = HashMap::new();
    for (at, item) in before.iter().enumerate().rev() {
        places.entry(canonical::text(item)).or_default().push(at);
    }
    let mut is_new =
        |item: &Value<'_>| places.get_mut(&canonical::text(item)).and_then(Vec::pop).is_none();
    let new = (0..after.len()).filter(|&at| is_new(after[at])).collect();
    let mut old: Vec<usize> = places.into_values().flatten().collect();
    old.sort_unstable();
    (old, new)
}

/// Returns the pairs of equal elements that no edit is about, of those on the left that are wanted.
pub(super) fn equals(
    before: &[&Value<'_>],
    after: &[&Value<'_>],
    edits: &[Edit],
    is_wanted: impl Fn(usize) -> bool,
) -> Vec<(usize, usize)> {
    let (old, new): (HashSet<_>, HashSet<_>) = (
        edits.iter().filter_map(|edit| edit.before).collect(),
        edits.iter().filter_map(|edit| edit.after).collect(),
    );
    let wanted: Vec<usize> =
        (0..before.len()).filter(|at| is_wanted(*at) && !old.contains(at)).collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let mut places: HashMap<String, Vec<usize>> = HashMap::new();
    for at in (0..after.len()).filter(|at| !new.contains(at)).rev() {
        places.entry(canonical::text(after[at])).or_default().push(at);
    }
    let partner =
        |at: usize| places.get_mut(&canonical::text(before[at]))?.pop().map(|to| (at, to));
    wanted.into_iter().filter_map(partner).collect()
}

/// Aligns two lists by the shortest edit and returns what is not equal.
///
/// Within a block that was replaced, objects are paired with what they are most like, and others
/// by their place. Swapping the lists swaps the sides of the result and nothing else.
pub(super) fn align(before: &[&Value<'_>], after: &[&Value<'_>]) -> Vec<Edit> {
    let texts = |items: &[&Value<'_>]| -> Vec<String> {
        items.iter().map(|item| canonical::text(item)).collect()
    };
    let (old, new) = (texts(before), texts(after));
    // The shortest edit is often not the only one: choose the same one in both directions.
    if old <= new {
        return edits(before, after, (&old, &new));
    }
    edits(after, before, (&new, &old)).into_iter().map(Edit::swapped).collect()
}

fn edits(
    before: &[&Value<'_>],
    after: &[&Value<'_>],
    (old, new): (&[String], &[String]),
) -> Vec<Edit> {
    let mut edits = Vec::new();
    for op in sequence::edits(old, new) {
        match op {
            DiffOp::Equal { .. } => {}
            DiffOp::Delete { .. } | DiffOp::Insert { .. } | DiffOp::Replace { .. } => {
                let (old, new) = (op.old_range(), op.new_range());
                let pairs = pair(&before[old.clone()], &after[new.clone()]);
                edits.extend(pairs.into_iter().map(|edit| Edit {
                    before: edit.before.map(|at| old.start + at),
                    after: edit.after.map(|at| new.start + at),
                }));
            }
        }
    }
    edits
}

/// Pairs the elements of a block in which nothing is equal.
fn pair(before: &[&Value<'_>], after: &[&Value<'_>]) -> Vec<Edit> {
    let containers =
        before.iter().chain(after).all(|item| item.as_str().is_none() && is_container(item));
    let single = before.len().max(after.len()) <= 1;
    if containers && !single && before.len() * after.len() <= MAX_LIKENESSES {
        return pair_alike(before, after);
    }
    let at = |at: usize, items: &[&Value<'_>]| (at < items.len()).then_some(at);
    let longest = before.len().max(after.len());
    (0..longest).map(|place| Edit { before: at(place, before), after: at(place, after) }).collect()
}

fn is_container(value: &Value<'_>) -> bool {
    matches!(value, Value::Array(_) | Value::Object(_))
}

/// Pairs elements in order so that the sum of their likenesses is the greatest.
fn pair_alike(before: &[&Value<'_>], after: &[&Value<'_>]) -> Vec<Edit> {
    let (rows, columns) = (before.len(), after.len());
    // A pair is worth more than none, however little its sides have in common.
    let worth: Vec<Vec<usize>> = before
        .iter()
        .map(|a| after.iter().map(|b| Likeness::of(a, b).per_mille() + 1).collect())
        .collect();
    let mut best = vec![vec![0; columns + 1]; rows + 1];
    for row in (0..rows).rev() {
        for column in (0..columns).rev() {
            best[row][column] = (worth[row][column] + best[row + 1][column + 1])
                .max(best[row + 1][column])
                .max(best[row][column + 1]);
        }
    }
    let (mut row, mut column, mut edits) = (0, 0, Vec::new());
    while row < rows || column < columns {
        let here = best[row][column];
        let (mut before, mut after) = (None, None);
        let both = row < rows && column < columns;
        let pair = both && here == worth[row][column] + best[row + 1][column + 1];
        if pair || (row < rows && here == best[row + 1][column]) {
            before = Some(row);
        }
        if pair || before.is_none() {
            after = Some(column);
        }
        row += usize::from(before.is_some());
        column += usize::from(after.is_some());
        edits.push(Edit { before, after });
    }
    edits
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shows edits as `0>1` for a pair, `0>` for what went and `>1` for what came.
    fn aligned(before: &str, after: &str) -> String {
        let (a, b) =
            (Value::parse(before.as_bytes()).unwrap(), Value::parse(after.as_bytes()).unwrap());
        let (Value::Array(a), Value::Array(b)) = (&a, &b) else { panic!("both are lists") };
        let (a, b): (Vec<_>, Vec<_>) = (a.iter().collect(), b.iter().collect());
        let side = |side: Option<usize>| side.map_or(String::new(), |at| at.to_string());
        let show = |edits: Vec<Edit>| -> Vec<String> {
            edits.iter().map(|edit| format!("{}>{}", side(edit.before), side(edit.after))).collect()
        };
        let swapped = align(&b, &a);
        let back = swapped.iter().map(|e| Edit { before: e.after, after: e.before }).collect();
        assert_eq!(show(align(&a, &b)), show(back));
        show(align(&a, &b)).join(" ")
    }

    #[test]
    fn elements_keep_together_when_others_come_and_go() {
        for (before, after, edits) in [
            (r#"["a","b"]"#, r#"["a","b","c"]"#, ">2"),
            (r#"["a","b"]"#, r#"["x","a","b"]"#, ">0"),
            (r#"["a","b","c"]"#, r#"["a","c"]"#, "1>"),
            (r#"["a","b"]"#, r#"["a","x"]"#, "1>1"),
            (r#"["a"]"#, "[]", "0>"),
            ("[1]", "[1.0]", "0>0"),
        ] {
            assert_eq!(aligned(before, after), edits, "{before} {after}");
        }
    }

    #[test]
    fn the_order_of_a_set_means_nothing() {
        let matched = |before: &str, after: &str| {
            let (a, b) =
                (Value::parse(before.as_bytes()).unwrap(), Value::parse(after.as_bytes()).unwrap());
            let (Value::Array(a), Value::Array(b)) = (&a, &b) else { panic!("both are lists") };
            let (a, b): (Vec<_>, Vec<_>) = (a.iter().collect(), b.iter().collect());
            let (edits, back) = (match_up(&a, &b), match_up(&b, &a));
            assert_eq!(edits, back.into_iter().map(Edit::swapped).collect::<Vec<_>>());
            edits.iter().map(|edit| (edit.before, edit.after)).collect::<Vec<_>>()
        };
        assert_eq!(matched(r#"["a","b","c"]"#, r#"["c","a","b"]"#), []);
        assert_eq!(matched(r#"["a","b"]"#, r#"["x","b","a"]"#), [(None, Some(0))]);
        assert_eq!(matched(r#"["a","b","c"]"#, r#"["c","a"]"#), [(Some(1), None)]);
        assert_eq!(matched(r#"["a","a"]"#, r#"["a"]"#), [(Some(1), None)]);
        let before = r#"[{"p":1,"t":"x"},{"p":2,"t":"y"}]"#;
        let after = r#"[{"p":3,"t":"y"},{"p":1,"t":"x"}]"#;
        assert_eq!(matched(before, after), [(Some(1), Some(0))]);
    }

    #[test]
    fn an_edited_object_is_paired_with_what_it_was() {
        let before = r#"[{"port":80,"proto":"tcp"},{"port":90,"proto":"udp"}]"#;
        let after =
            r#"[{"port":1,"proto":"icmp"},{"port":80,"proto":"TCP"},{"port":91,"proto":"udp"}]"#;
        assert_eq!(aligned(before, after), ">0 0>1 1>2");
        assert_eq!(aligned(after, before), "0> 1>0 2>1");
    }
}
