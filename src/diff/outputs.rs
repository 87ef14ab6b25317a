//! Compares the outputs of the root module.

use std::collections::BTreeMap;

use super::Action;
use super::change::{Change, Field, Quiet};
use super::instance::Rules;
use super::roles::Roles;
use super::values::{self, Spelling, Terms};
use crate::state::document::{Document, Output};
use crate::state::embedded;
use crate::state::path::Path;
use crate::state::sensitive::{Reveal, Secrets};
use crate::state::value::Value;

/// An output that differs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OutputChange {
    /// Its name.
    pub name: String,
    /// What became of it; an output is never moved.
    pub action: Action,
    /// Its value before. Masked if it is sensitive on either side.
    pub before: Option<Value<'static>>,
    /// Its value now. Masked if it is sensitive on either side.
    pub after: Option<Value<'static>>,
    /// Whether it was declared sensitive.
    pub sensitive_before: Option<bool>,
    /// Whether it is declared sensitive now.
    pub sensitive_after: Option<bool>,
    /// What differs inside, where both values are objects or lists; empty where they differ in
    /// another way, or only in their spelling.
    pub changes: Vec<Change>,
    /// OpenTofu's message that it was deprecated.
    pub deprecated_before: Option<String>,
    /// OpenTofu's message that it is deprecated now.
    pub deprecated_after: Option<String>,
    /// Why it is told only where noise is told too; `None` for what is always told.
    pub quiet: Option<Quiet>,
}

/// Returns the outputs that differ, by name.
pub(super) fn compare(
    from: &Document,
    to: &Document,
    Rules { reveal, roles, .. }: Rules<'_>,
) -> Vec<OutputChange> {
    let mut pairs: BTreeMap<&str, (Option<Output<'_>>, Option<Output<'_>>)> = BTreeMap::new();
    for output in from.outputs() {
        pairs.entry(output.name()).or_default().0 = Some(output);
    }
    for output in to.outputs() {
        pairs.entry(output.name()).or_default().1 = Some(output);
    }
    let changes = pairs.into_iter().filter_map(|(name, (before, after))| {
        let quiet = before.zip(after).and_then(|(before, after)| by_role(before, after, roles?));
        Some(OutputChange { quiet, ..change(name, (before, after), (reveal, roles))? })
    });
    changes.collect()
}

/// Returns whether two outputs differ in nothing but what plays the same role.
fn by_role(before: Output<'_>, after: Output<'_>, roles: &Roles) -> Option<Quiet> {
    let same =
        before.is_sensitive() == after.is_sensitive() && before.deprecated() == after.deprecated();
    let (Ok(a), Ok(b)) = (before.value(), after.value()) else { return None };
    (same && roles.match_up((&a, &b), before.name())).then_some(Quiet::Role)
}

fn change(
    name: &str,
    (before, after): (Option<Output<'_>>, Option<Output<'_>>),
    (reveal, roles): (Reveal, Option<&Roles>),
) -> Option<OutputChange> {
    let action = match (before, after) {
        (Some(before), Some(after)) if same(before, after) => return None,
        (Some(_), Some(_)) => Action::Changed,
        (Some(_), None) => Action::Removed,
        (None, _) => Action::Added,
    };
    let sides = || [before, after].into_iter().flatten();
    let sensitive = sides().any(Output::is_sensitive);
    let mut secrets = Secrets::default();
    for value in sides().filter_map(|output| output.value().ok()) {
        secrets.extend(Secrets::of_output(name, sensitive, &value));
    }
    let changes = inside((before, after), (&secrets, reveal), roles);
    // What is inside a string was compared there; told as a whole it is masked as a whole.
    for value in sides().filter_map(|output| output.value().ok()) {
        secrets = secrets.with_embedded(&value);
    }
    let show = |output: Output<'_>| match (output.value(), reveal) {
        // Text that can't be decoded can't be searched for secrets either.
        (Err(_), _) => Value::Sensitive,
        (Ok(value), Reveal::Yes) => value.into_owned(),
        (Ok(value), Reveal::No) => secrets.mask(value).into_owned(),
    };
    Some(OutputChange {
        name: name.to_owned(),
        action,
        before: before.map(show),
        after: after.map(show),
        sensitive_before: before.map(Output::is_sensitive),
        sensitive_after: after.map(Output::is_sensitive),
        changes,
        deprecated_before: before.and_then(deprecated),
        deprecated_after: after.and_then(deprecated),
        quiet: None,
    })
}

/// Compares two values of which there is something inside, and that are not secret as a whole.
fn inside(
    (before, after): (Option<Output<'_>>, Option<Output<'_>>),
    (secrets, reveal): (&Secrets, Reveal),
    roles: Option<&Roles>,
) -> Vec<Change> {
    let (Some(before), Some(after)) = (before, after) else { return Vec::new() };
    let (Ok(before), Ok(after)) = (before.value(), after.value()) else { return Vec::new() };
    let both_are = matches!(
        (&before, &after),
        (Value::Object(_), Value::Object(_)) | (Value::Array(_), Value::Array(_))
    );
    if !both_are || (reveal == Reveal::No && secrets.cover(&Path::root())) {
        return Vec::new();
    }
    let (field, spelling) = (Field::Other, Spelling::Typed);
    let terms = Terms { kind: "", field, spelling, reveal, secrets, schema: None, roles };
    let mut changes = values::compare(&before, &after, terms);
    // What only plays another role is told of the whole output, or not at all.
    changes.retain(|change| change.quiet.is_none());
    changes
}

fn deprecated(output: Output<'_>) -> Option<String> {
    output.deprecated().map(str::to_owned)
}

pub(super) fn same(before: Output<'_>, after: Output<'_>) -> bool {
    let differ = before.is_sensitive() != after.is_sensitive();
    if differ || before.deprecated() != after.deprecated() {
        return false;
    }
    if before.value_raw() == after.value_raw() {
        return true;
    }
    match (before.value(), after.value()) {
        (Ok(Value::String(a)), Ok(Value::String(b))) => {
            a == b || embedded::pair(&a, &b).is_some_and(|(a, b)| a.same(&b))
        }
        (Ok(before), Ok(after)) => before.same(&after),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::properties::{compared, everything};

    /// Compares two sets of outputs and shows each change as `name action before after`.
    fn shown(before: &str, after: &str) -> Vec<String> {
        let state = |outputs: &str| format!(r#"{{"version":4,"outputs":{{{outputs}}}}}"#);
        let comparison = compared(&state(before), &state(after));
        assert!(!everything(&comparison).contains("S3CR3T"), "{before} {after}");
        let json = |side: &Option<Value<'_>>| side.as_ref().map_or("-".to_owned(), Value::to_json);
        let show = |change: &OutputChange| {
            let action = change.action.name();
            format!("{} {action} {} {}", change.name, json(&change.before), json(&change.after))
        };
        comparison.outputs.iter().map(show).collect()
    }

    #[test]
    fn outputs_are_added_removed_and_changed() {
        let output =
            |name: &str, value: u8| format!(r#""{name}":{{"value":{value},"type":"number"}}"#);
        let before = [output("a", 1), output("b", 1), output("c", 1)].join(",");
        let after = [output("b", 2), output("c", 1), output("d", 1)].join(",");
        assert_eq!(shown(&before, &after), ["a removed 1 -", "b changed 1 2", "d added - 1"]);
    }

    #[test]
    fn an_output_that_is_sensitive_on_one_side_is_masked_on_both() {
        let open = r#""o":{"value":"S3CR3T","type":"string"}"#;
        let secret = r#""o":{"value":"S3CR3T","type":"string","sensitive":true}"#;
        let masked = r#"{"sensitive":true}"#;
        assert_eq!(shown(open, secret), [format!("o changed {masked} {masked}")]);
        assert_eq!(shown("", secret), [format!("o added - {masked}")]);
        assert!(shown(secret, secret).is_empty());
    }

    #[test]
    fn what_differs_inside_an_output_has_its_path_and_no_secret() {
        let state = |port: u16, password: &str| {
            format!(
                r#"{{"version":4,"outputs":{{"o":{{"type":["object",{{"ports":["list","number"],
                    "password":"string","same":"number"}}],
                    "value":{{"ports":[80,{port}],"password":"{password}","same":1}}}}}}}}"#
            )
        };
        let comparison = compared(&state(81, "S3CR3T-1"), &state(82, "S3CR3T-2"));
        assert!(!everything(&comparison).contains("S3CR3T"));
        let changes = &comparison.outputs[0].changes;
        let paths: Vec<String> = changes.iter().map(|change| change.path.to_string()).collect();
        assert_eq!(paths, ["password", "ports[1]"]);
        assert_eq!(changes[0].after, Some(Value::Sensitive));
        let same = compared(&state(81, "S3CR3T-1"), &state(82, "S3CR3T-1"));
        assert_eq!(same.outputs[0].changes.len(), 1);
    }

    #[test]
    fn an_output_that_became_deprecated_is_a_change() {
        let output = |fields: &str| {
            format!(r#"{{"version":4,"outputs":{{"o":{{"value":1,"type":"number"{fields}}}}}}}"#)
        };
        let after = output(r#","deprecated":"use p""#);
        let change = compared(&output(""), &after).outputs.remove(0);
        let messages = (change.deprecated_before, change.deprecated_after.as_deref());
        assert_eq!((change.action, messages), (Action::Changed, (None, Some("use p"))));
        assert!(compared(&output(""), &output(r#","deprecated":"""#)).is_empty());
    }

    #[test]
    fn another_spelling_of_a_value_is_no_change() {
        let map = |value: &str| format!(r#""o":{{"value":{value},"type":["map","number"]}}"#);
        assert!(shown(&map(r#"{"a":1,"b":2}"#), &map(r#"{"b":2.0,"a":1}"#)).is_empty());
        let text = |value: &str| format!(r#""o":{{"value":"{value}","type":"string"}}"#);
        assert!(shown(&text(r#"{\"a\":1}"#), &text(r#"{ \"a\": 1 }"#)).is_empty());
    }
}
