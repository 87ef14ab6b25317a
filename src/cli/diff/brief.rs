//! A comparison in two lines, for a command that has something else to say.

use super::entry::Entry;
use super::summary;
use crate::diff::Comparison;

/// How many names are told.
const NAMES: usize = 4;

/// Returns the counts, and the names of what changed first, if anything did.
pub(crate) fn lines(comparison: &Comparison) -> Vec<String> {
    let entries = Entry::all(comparison);
    let mut lines = vec![summary::line(comparison)];
    let mut names: Vec<String> = entries
        .iter()
        .take(NAMES)
        .map(|entry| format!("{} {}", entry.sign(), entry.name))
        .collect();
    if entries.len() > NAMES {
        names.push(format!("and {} more", entries.len() - NAMES));
    }
    lines.extend((!names.is_empty()).then(|| names.join("  ")));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::{Options, compare};
    use crate::state::document::Document;

    fn state(names: &[&str]) -> Document {
        let resource = |name: &&str| {
            format!(
                r#"{{"mode":"managed","type":"x","name":"{name}","provider":"provider[\"a/b\"]",
                "instances":[{{"attributes":{{"id":"{name}"}}}}]}}"#
            )
        };
        let resources: Vec<String> = names.iter().map(resource).collect();
        let text = format!(r#"{{"version":4,"serial":1,"resources":[{}]}}"#, resources.join(","));
        Document::parse(text.into_bytes()).unwrap()
    }

    fn brief(from: &[&str], to: &[&str]) -> Vec<String> {
        lines(&compare(&state(from), &state(to), &Options::default()))
    }

    #[test]
    fn the_first_names_are_told_and_the_others_counted() {
        let lines = brief(&["a"], &["b", "c", "d", "e", "f", "g"]);
        assert_eq!(lines[0], "6 added · 1 removed · 0 unchanged · serial 1 · same lineage");
        assert_eq!(lines[1], "- x.a  + x.b  + x.c  + x.d  and 3 more");
        assert_eq!(lines.len(), 2);
    }

    #[test]
    fn nothing_has_no_names() {
        assert_eq!(brief(&["a"], &["a"]).len(), 1);
    }
}
