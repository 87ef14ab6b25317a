//! Compares the results of checks: conditions, validations and `check` blocks.

use std::collections::BTreeMap;

use crate::state::document::Document;
use crate::state::value::Value;

/// A check whose status differs.
///
/// What a failed check says is not told, for it may quote a secret.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CheckChange {
    /// The address of what is checked: a resource, an output, a `check` block, or an instance of one.
    pub address: String,
    /// What is checked: `resource`, `output_value`, `check`.
    pub kind: String,
    /// Its status before: `pass`, `fail`, `error`; `None` where it was not known.
    pub before: Option<String>,
    /// Its status now.
    pub after: Option<String>,
}

/// Returns the checks that differ, by address.
///
/// A check that has not run is as good as none: one writer lists it as `unknown`, another leaves
/// it out. Results that can't be decoded are not compared.
pub(super) fn compare(from: &Document, to: &Document) -> Vec<CheckChange> {
    if from.check_results() == to.check_results() {
        return Vec::new();
    }
    let (mut old, new) = (statuses(from), statuses(to));
    let mut pairs: BTreeMap<Checked, (Option<String>, Option<String>)> = BTreeMap::new();
    for (checked, after) in new {
        pairs.insert(checked.clone(), (old.remove(&checked), Some(after)));
    }
    pairs.extend(old.into_iter().map(|(checked, before)| (checked, (Some(before), None))));
    let differing = pairs.into_iter().filter(|(_, (before, after))| before != after);
    let change = |(checked, (before, after)): (Checked, _)| {
        let (address, kind) = checked;
        CheckChange { address, kind, before, after }
    };
    differing.map(change).collect()
}

/// The address of what is checked, and what it is.
type Checked = (String, String);

fn statuses(document: &Document) -> BTreeMap<Checked, String> {
    let mut statuses = BTreeMap::new();
    let raw = document.check_results().unwrap_or_default();
    let Ok(Value::Array(results)) = Value::parse(raw) else { return statuses };
    for result in &results {
        let kind = text(result, "object_kind").unwrap_or_default();
        let objects = match result.get("objects") {
            Some(Value::Array(objects)) => objects.as_slice(),
            _ => &[],
        };
        let whole = (text(result, "config_addr"), text(result, "status"));
        let parts =
            objects.iter().map(|object| (text(object, "object_addr"), text(object, "status")));
        for (address, status) in std::iter::once(whole).chain(parts) {
            if let (Some(address), Some(status)) = (address, status.filter(|&s| s != "unknown")) {
                statuses.insert((address.to_owned(), kind.to_owned()), status.to_owned());
            }
        }
    }
    statuses
}

fn text<'v>(value: &'v Value<'_>, key: &str) -> Option<&'v str> {
    value.get(key)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::{Comparison, properties::compared};

    fn with_checks(before: &str, after: &str) -> Comparison {
        let state = |checks: &str| format!(r#"{{"version":4,"check_results":{checks}}}"#);
        compared(&state(before), &state(after))
    }

    /// Shows each change as `address before after`.
    fn shown(before: &str, after: &str) -> Vec<String> {
        let comparison = with_checks(before, after);
        assert_eq!(comparison.is_empty(), comparison.checks.is_empty());
        let status = |side: &Option<String>| side.clone().unwrap_or_else(|| "-".to_owned());
        let show = |change: &CheckChange| {
            format!("{} {} {}", change.address, status(&change.before), status(&change.after))
        };
        comparison.checks.iter().map(show).collect()
    }

    fn check(status: &str, objects: &str) -> String {
        format!(
            r#"[{{"object_kind":"resource","config_addr":"x.a","status":"{status}","objects":{objects}}}]"#
        )
    }

    #[test]
    fn a_status_is_told_for_the_whole_and_for_each_object() {
        let objects = |status: &str| {
            format!(
                r#"[{{"object_addr":"x.a[0]","status":"pass"}},{{"object_addr":"x.a[1]","status":"{status}","failure_messages":["S3CR3T"]}}]"#
            )
        };
        let (before, after) = (check("pass", &objects("pass")), check("fail", &objects("fail")));
        assert_eq!(shown(&before, &after), ["x.a pass fail", "x.a[1] pass fail"]);
        assert!(!format!("{:?}", with_checks(&before, &after)).contains("S3CR3T"));
        assert!(shown(&after, &after.replace("S3CR3T", "other")).is_empty());
        assert_eq!(shown(&before, "[]").len(), 3);
    }

    #[test]
    fn a_check_that_has_not_run_is_as_good_as_none() {
        for other in ["[]", "null", &check("unknown", "[]")] {
            assert!(shown(&check("unknown", "null"), other).is_empty(), "{other}");
            assert_eq!(shown(&check("pass", "null"), other), ["x.a pass -"], "{other}");
        }
    }
}
