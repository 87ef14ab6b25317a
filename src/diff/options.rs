//! How to compare, and what not to tell.

use super::change::Change;
use super::noise;
use super::rule::Rule;
use crate::state::document::Instance;
use crate::state::sensitive::Reveal;

/// How to compare.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Whether secrets are shown.
    pub reveal: Reveal,
    /// Whether noise is told.
    pub noise: Noise,
    /// Changes that are not told but counted.
    pub ignore: Vec<Rule>,
}

/// Whether what a mere refresh moves is told: timestamps, etags, fingerprints.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Noise {
    /// It is counted only.
    #[default]
    Hidden,
    /// It is told like any other change.
    Shown,
}

impl Options {
    /// Returns those changes of an instance that are told, and how many are not.
    pub(super) fn told(
        &self,
        instance: Instance<'_>,
        mut changes: Vec<Change>,
    ) -> (Vec<Change>, usize) {
        let noise = match self.noise {
            Noise::Hidden => noise::rules(),
            Noise::Shown => &[],
        };
        if changes.is_empty() {
            return (changes, 0);
        }
        let (all, kind) = (changes.len(), instance.resource().kind());
        let rules: Vec<&Rule> =
            self.ignore.iter().chain(noise).filter(|rule| rule.is_about(&kind)).collect();
        changes.retain(|change| !rules.iter().any(|rule| rule.covers(change)));
        let hidden = all - changes.len();
        (changes, hidden)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::properties::state;
    use crate::diff::{Comparison, Summary, compare};
    use crate::state::document::Document;

    fn compared(before: &[&str], after: &[&str], options: &Options) -> Comparison {
        let document = |lines| Document::parse(state(lines).into_bytes()).unwrap();
        compare(&document(before), &document(after), options)
    }

    fn ignoring(rule: &str) -> Options {
        Options { ignore: vec![rule.parse().unwrap()], ..Options::default() }
    }

    #[test]
    fn an_instance_in_which_only_what_is_ignored_changed_is_unchanged() {
        let (before, after) = ([r#"x_y.a {"t":{"k":1},"n":1}"#], [r#"x_y.a {"t":{"k":2},"n":1}"#]);
        let comparison = compared(&before, &after, &ignoring("x_*.t"));
        assert!(comparison.is_empty());
        let summary = Summary { unchanged: 1, ignored: 1, ..Summary::default() };
        assert_eq!(comparison.summary, summary);
        assert_eq!(compared(&before, &after, &ignoring("z_*.t")).summary.changed, 1);
    }

    #[test]
    fn what_else_changed_or_moved_is_still_told() {
        let before = [r#"x.a {"id":"h-1","t":1,"n":1}"#, r#"x.c {"id":"h-2","t":1}"#];
        let after = [r#"x.a {"id":"h-1","t":2,"n":2}"#, r#"x.d {"id":"h-2","t":2}"#];
        let comparison = compared(&before, &after, &ignoring("*.t"));
        let paths = comparison.resources[0].changes.iter().map(Change::path_text);
        assert_eq!(paths.collect::<Vec<_>>(), ["n"]);
        let summary = Summary { changed: 1, moved: 1, ignored: 2, ..Summary::default() };
        assert_eq!(comparison.summary, summary);
    }

    #[test]
    fn noise_is_counted_and_told_only_when_asked_for() {
        let (before, after) = ([r#"x.a {"etag":"1"}"#], [r#"x.a {"etag":"2"}"#]);
        let quiet = compared(&before, &after, &Options::default());
        assert!(quiet.is_empty() && quiet.summary.ignored == 1);
        let loud =
            compared(&before, &after, &Options { noise: Noise::Shown, ..Options::default() });
        assert_eq!((loud.summary.changed, loud.summary.ignored), (1, 0));
    }
}
