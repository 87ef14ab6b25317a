//! What somebody may have meant: the candidates that are nearest to a word.

/// Returns up to `limit` candidates that differ from `word` by a slip or two, nearest first.
///
/// A slip is a letter too many, too few, another one, or two that changed places. A word may
/// have one slip for every three of its characters; letter case counts for nothing. A candidate
/// that `word` begins comes behind those that were mistyped.
pub fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    limit: usize,
) -> Vec<&'a str> {
    let wanted = letters(word);
    let allowed = (wanted.len() / 3).max(1);
    let mut found: Vec<(usize, &str)> = candidates
        .into_iter()
        .filter_map(|candidate| {
            let letters = letters(candidate);
            let begun = wanted.len() > 1 && letters.starts_with(&wanted);
            let slips = distance(&wanted, &letters, allowed);
            Some((slips.or(begun.then_some(allowed + 1))?, candidate))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().take(limit).map(|(_, candidate)| candidate).collect()
}

fn letters(text: &str) -> Vec<char> {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// Counts the slips between two words; `None` where there are more than `most`.
fn distance(a: &[char], b: &[char], most: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > most {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, &x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &y) in b.iter().enumerate() {
            let replaced = above[j] + usize::from(x != y);
            let mut least = replaced.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && x == b[j - 1] && a[i - 1] == y {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        if row.iter().all(|&slips| slips > most) {
            return None;
        }
        before = std::mem::replace(&mut above, row);
    }
    above.last().copied().filter(|&slips| slips <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: [&str; 6] = ["addr", "attr", "type", "module", "mode", "provider"];

    #[test]
    fn one_slip_of_any_kind_is_forgiven() {
        for word in ["moduel", "modul", "modulle", "mosule", "MODULE"] {
            assert_eq!(nearest(word, FIELDS, 1), ["module"], "{word}");
        }
    }

    #[test]
    fn the_nearest_comes_first_and_the_limit_holds() {
        assert_eq!(nearest("atr", FIELDS, 3), ["attr"]);
        assert_eq!(nearest("addr", FIELDS, 3), ["addr"]);
        assert_eq!(nearest("ab", ["aa", "ac", "ad", "ae"], 2), ["aa", "ac"]);
    }

    #[test]
    fn a_beginning_finds_the_whole() {
        assert_eq!(nearest("prov", FIELDS, 1), ["provider"]);
    }

    #[test]
    fn what_is_far_from_everything_finds_nothing() {
        assert!(nearest("colour", FIELDS, 3).is_empty());
        assert!(nearest("", FIELDS, 3).is_empty());
    }
}
