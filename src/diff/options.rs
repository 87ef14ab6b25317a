//! How to compare, and what not to tell.

use std::sync::Arc;

use super::change::{Change, Field, Quiet};
use super::instance::schema;
use super::noise;
use super::rule::Rule;
use crate::state::document::Instance;
use crate::state::schema::Schemas;
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
    /// Whether the two states are of one environment.
    pub environments: Environments,
    /// What the providers say of their types: sets, secrets, what nobody can set.
    pub schemas: Option<Arc<Schemas>>,
}

/// Whether what plays the same role in each of two environments is told.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Environments {
    /// The states are of one environment: another id is a difference.
    #[default]
    One,
    /// The states are of two: ids, ARNs, accounts, regions and names of environments are matched
    /// by their role. What was matched is counted, and told where noise is.
    Two,
}

/// How many changes are not told.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Untold {
    pub(super) ignored: usize,
    pub(super) by_role: usize,
}

impl Untold {
    /// Counts one change that is not told for this reason; none is no reason.
    pub(super) fn of(quiet: Option<Quiet>) -> Self {
        Self {
            ignored: usize::from(quiet == Some(Quiet::Formatting)),
            by_role: usize::from(quiet == Some(Quiet::Role)),
        }
    }
}

impl std::ops::AddAssign for Untold {
    fn add_assign(&mut self, other: Self) {
        self.ignored += other.ignored;
        self.by_role += other.by_role;
    }
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
    ) -> (Vec<Change>, Untold) {
        let mut untold = Untold::default();
        if changes.is_empty() {
            return (changes, untold);
        }
        let noise = match self.noise {
            Noise::Hidden => noise::rules(),
            Noise::Shown => &[],
        };
        let kind = instance.resource().kind();
        let rules: Vec<&Rule> =
            self.ignore.iter().chain(noise).filter(|rule| rule.is_about(&kind)).collect();
        changes.retain(|change| {
            let quiet = change.quiet.filter(|_| self.noise == Noise::Hidden);
            let ignored = || rules.iter().any(|rule| rule.covers(change));
            let mut hidden = Untold::of(quiet);
            hidden.ignored += usize::from(quiet.is_none() && ignored());
            untold += hidden;
            hidden == Untold::default()
        });
        if self.noise == Noise::Hidden && self.is_mere_refresh(instance, &changes) {
            untold.ignored += changes.len();
            changes.clear();
        }
        (changes, untold)
    }

    /// Returns whether nothing changed but what the provider alone decides: then somebody looked,
    /// and nobody did anything. Only a schema can tell, and another `id` is another object.
    fn is_mere_refresh(&self, instance: Instance<'_>, changes: &[Change]) -> bool {
        let Some(schema) = schema(self.schemas.as_deref(), instance) else { return false };
        changes.iter().all(|change| {
            let is_name = NAMES.iter().any(|name| change.path_text() == *name);
            change.field == Field::Attributes && !is_name && schema.is_computed(&change.path)
        })
    }
}

/// What tells one object from another.
const NAMES: [&str; 3] = ["id", "arn", "self_link"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::properties::{everything, state};
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

    /// What a provider says of the type `x`: `set` is a set, `key` a secret, and nobody can set
    /// `state` and `id`.
    fn with_schema() -> Options {
        let schemas = r#"{"format_version":"1.0","provider_schemas":{
            "registry.terraform.io/acme/acme":{"resource_schemas":{"x":{"version":0,"block":{
            "attributes":{"set":{"type":["set","string"]},"list":{"type":["list","string"]},
            "key":{"type":"string","sensitive":true},"size":{"type":"number","optional":true},
            "id":{"type":"string","computed":true},"state":{"type":"string","computed":true}}}}}}}}"#;
        let schemas = Schemas::parse(schemas.as_bytes()).unwrap();
        Options { schemas: Some(Arc::new(schemas)), ..Options::default() }
    }

    #[test]
    fn what_only_a_refresh_moved_is_noise_where_a_schema_tells() {
        let before = [r#"x.a {"id":"i","state":"up","size":1}"#];
        let refreshed = [r#"x.a {"id":"i","state":"down","size":1}"#];
        let told = |after: &[&str]| compared(&before, after, &with_schema()).summary;
        assert_eq!(told(&refreshed), Summary { unchanged: 1, ignored: 1, ..Summary::default() });
        // Somebody did something, and another id is another object.
        assert_eq!(told(&[r#"x.a {"id":"i","state":"down","size":2}"#]).ignored, 0);
        assert_eq!(told(&[r#"x.a {"id":"j","state":"up","size":1}"#]).changed, 1);
        let shown = Options { noise: Noise::Shown, ..with_schema() };
        assert_eq!(compared(&before, &refreshed, &shown).summary.changed, 1);
        assert_eq!(compared(&before, &refreshed, &Options::default()).summary.changed, 1);
    }

    #[test]
    fn a_schema_tells_sets_and_secrets() {
        let before = [r#"x.a {"set":["a","b"],"list":["a","b"],"key":"S3CR3T-1"}"#];
        let after = [r#"x.a {"set":["b","a"],"list":["b","a"],"key":"S3CR3T-2"}"#];
        let comparison = compared(&before, &after, &with_schema());
        let paths: std::collections::BTreeSet<String> =
            comparison.resources[0].changes.iter().map(Change::path_text).collect();
        assert!(paths.contains("key") && paths.contains("list[0]"), "{paths:?}");
        assert!(!paths.iter().any(|path| path.starts_with("set")), "{paths:?}");
        assert!(!everything(&comparison).contains("S3CR3T"));
    }
}
