//! Compares the outputs of the root module.

use std::collections::BTreeMap;

use super::Action;
use super::change::{Change, Field, Quiet};
use super::instance::Rules;
use super::options::Untold;
use super::values::{self, Spelling, Terms};
use crate::state::document::{Document, Output};
use crate::state::embedded;
use crate::state::sensitive::Secrets;
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
    /// What differs inside, where both values are objects, lists, or strings that hold documents;
    /// empty where they differ in another way.
    pub changes: Vec<Change>,
    /// OpenTofu's message that it was deprecated.
    pub deprecated_before: Option<String>,
    /// OpenTofu's message that it is deprecated now.
    pub deprecated_after: Option<String>,
    /// Why it is told only where noise is told too; `None` for what is always told.
    pub quiet: Option<Quiet>,
}

/// Returns the outputs that differ, by name.
pub(super) fn compare(from: &Document, to: &Document, rules: Rules<'_>) -> Vec<OutputChange> {
    let mut pairs: BTreeMap<&str, (Option<Output<'_>>, Option<Output<'_>>)> = BTreeMap::new();
    for output in from.outputs() {
        pairs.entry(output.name()).or_default().0 = Some(output);
    }
    for output in to.outputs() {
        pairs.entry(output.name()).or_default().1 = Some(output);
    }
    pairs.into_iter().filter_map(|(name, sides)| change(name, sides, rules)).collect()
}

/// Takes out what is told only where noise is, and returns how much that was.
pub(super) fn hush(outputs: &mut Vec<OutputChange>) -> Untold {
    let mut untold = Untold::default();
    let mut count = |quiet: Option<Quiet>| {
        untold += Untold::of(quiet);
        quiet.is_none()
    };
    outputs.retain_mut(|output| {
        if output.changes.is_empty() {
            return count(output.quiet);
        }
        output.changes.retain(|change| count(change.quiet));
        output.quiet.is_none()
    });
    untold
}

fn change(
    name: &str,
    (before, after): (Option<Output<'_>>, Option<Output<'_>>),
    Rules { reveal, roles, .. }: Rules<'_>,
) -> Option<OutputChange> {
    let alike = before.zip(after).is_some_and(|(before, after)| are_declared_alike(before, after));
    let action = match (before, after) {
        (Some(before), Some(after)) if alike && is_same_text(before, after) => return None,
        (Some(_), Some(_)) => Action::Changed,
        (Some(_), None) => Action::Removed,
        (None, _) => Action::Added,
    };
    let sensitive = [before, after].into_iter().flatten().any(Output::is_sensitive);
    let values = (before.map(value), after.map(value));
    let mut secrets = Secrets::default();
    for value in [&values.0, &values.1].into_iter().flatten() {
        secrets.extend(Secrets::of_output(name, sensitive, value));
    }
    let (field, spelling) = (Field::Other, Spelling::Typed);
    let terms = Terms { kind: "", field, spelling, reveal, secrets: &secrets, schema: None, roles };
    let mut changes = match (&values.0, &values.1) {
        (Some(before), Some(after)) => values::compare_as(name, (before, after), terms),
        _ => Vec::new(),
    };
    // Two values that can't be decoded are not known to be the same.
    if alike && changes.is_empty() && values.0 != Some(Value::Sensitive) {
        return None;
    }
    // It is quiet if all that differs is, and for the first of the reasons.
    let reason = changes.iter().map(|change| change.quiet).min().flatten();
    let quiet = reason.filter(|_| alike);
    let (shown_before, shown_after) = values::shown((values.0.as_ref(), values.1.as_ref()), terms);
    changes.retain(|change| !change.path.is_root());
    Some(OutputChange {
        name: name.to_owned(),
        action,
        before: shown_before,
        after: shown_after,
        sensitive_before: before.map(Output::is_sensitive),
        sensitive_after: after.map(Output::is_sensitive),
        changes,
        deprecated_before: before.and_then(deprecated),
        deprecated_after: after.and_then(deprecated),
        quiet,
    })
}

/// Returns the value; text that can't be decoded can't be searched for secrets either.
fn value(output: Output<'_>) -> Value<'_> {
    output.value().unwrap_or(Value::Sensitive)
}

fn are_declared_alike(a: Output<'_>, b: Output<'_>) -> bool {
    a.is_sensitive() == b.is_sensitive() && a.deprecated() == b.deprecated()
}

fn is_same_text(a: Output<'_>, b: Output<'_>) -> bool {
    a.value_raw() == b.value_raw()
}

fn deprecated(output: Output<'_>) -> Option<String> {
    output.deprecated().map(str::to_owned)
}

pub(super) fn same(before: Output<'_>, after: Output<'_>) -> bool {
    if !are_declared_alike(before, after) {
        return false;
    }
    if is_same_text(before, after) {
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
    use crate::diff::options::{Noise, Options};
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

    #[test]
    fn a_document_in_an_output_is_compared_as_one_and_hides_its_secrets() {
        let yaml = |size: u8, password: &str| {
            format!(
                r#"{{"version":4,"outputs":{{"o":{{"type":"string",
                    "value":"size: {size}\nenv:\n  - name: PASSWORD\n    value: {password}\n"}}}}}}"#
            )
        };
        let json = |size: u8, password: &str| {
            format!(
                r#"{{"version":4,"outputs":{{"o":{{"type":"string",
                    "value":"{{\"size\":{size},\"password\":\"{password}\"}}"}}}}}}"#
            )
        };
        for (state, path) in
            [(&yaml as &dyn Fn(u8, &str) -> String, "env[0].value"), (&json, "password")]
        {
            let comparison = compared(&state(1, "S3CR3T-111"), &state(2, "S3CR3T-222"));
            assert!(!everything(&comparison).contains("S3CR3T"));
            let output = &comparison.outputs[0];
            let paths: Vec<String> = output.changes.iter().map(|c| c.path.to_string()).collect();
            assert_eq!(paths, [path, "size"]);
            assert_eq!(output.before, Some(Value::Sensitive));
            let added = compared(r#"{"version":4}"#, &state(1, "S3CR3T-111"));
            assert!(!everything(&added).contains("S3CR3T"));
        }
    }

    #[test]
    fn another_layout_of_a_document_is_counted_and_told_with_noise() {
        let state = |value: &str| {
            let output = format!(r#"{{"o":{{"value":"{value}","type":"string"}}}}"#);
            let text = format!(r#"{{"version":4,"outputs":{output}}}"#);
            Document::parse(text.into_bytes()).unwrap()
        };
        let (before, after) = (state(r#"{\"a\":1}"#), state(r#"{ \"a\": 1 }"#));
        let hidden = super::super::compare(&before, &after, &Options::default());
        assert_eq!((hidden.outputs.len(), hidden.summary.ignored), (0, 1));
        let shown = Options { noise: Noise::Shown, ..Options::default() };
        let told = super::super::compare(&before, &after, &shown).outputs;
        assert_eq!(told[0].quiet, Some(Quiet::Formatting));
        assert!(told[0].changes.is_empty());
    }
}
