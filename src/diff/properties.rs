//! What holds for any two states, and the small states that the tests are written in.

use proptest::prelude::*;

use super::{Action, Comparison, Options, compare};
use crate::state::document::Document;
use crate::state::value::Value;

/// Writes a state of one instance a line: `m.net/data.x.name["key"] {attributes} "field":value,`.
pub(super) fn state(instances: &[&str]) -> String {
    let resources: Vec<String> = instances.iter().map(|line| resource(line)).collect();
    format!(
        r#"{{"version":4,"serial":1,"lineage":"l","outputs":{{}},"resources":[{}]}}"#,
        resources.join(",")
    )
}

fn resource(line: &str) -> String {
    let (address, rest) = line.split_once(' ').unwrap();
    let (module, address) = match address.split_once('/') {
        Some((module, address)) => (format!(r#""module":"module.{}","#, &module[2..]), address),
        None => (String::new(), address),
    };
    let (mode, address) = match address.strip_prefix("data.") {
        Some(address) => ("data", address),
        None => ("managed", address),
    };
    let (kind, name) = address.split_once('.').unwrap();
    let (name, key) = match name.split_once('[') {
        Some((name, key)) => (name, format!(r#""index_key":{},"#, key.strip_suffix(']').unwrap())),
        None => (name, String::new()),
    };
    let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<serde::de::IgnoredAny>();
    stream.next().unwrap().unwrap();
    let (attributes, fields) = rest.split_at(stream.byte_offset());
    format!(
        r#"{{{module}"mode":"{mode}","type":"{kind}","name":"{name}","provider":"provider[\"registry.terraform.io/acme/acme\"]","instances":[{{{key}{fields}"schema_version":0,"attributes":{attributes}}}]}}"#
    )
}

/// Compares two states with secrets masked.
pub(super) fn compared(before: &str, after: &str) -> Comparison {
    let document = |text: &str| Document::parse(text.as_bytes().to_vec()).unwrap();
    compare(&document(before), &document(after), &Options::default())
}

/// Writes everything in a comparison that anybody could print.
pub(super) fn everything(comparison: &Comparison) -> String {
    let json = |side: &Option<Value<'_>>| side.as_ref().map_or(String::from("-"), Value::to_json);
    let mut lines = vec![format!("{comparison:?}")];
    for change in comparison.resources.iter().flat_map(|resource| &resource.changes) {
        let (path, before, after) = (change.path_text(), json(&change.before), json(&change.after));
        lines.push(format!("{path}: {before} -> {after}"));
    }
    for output in &comparison.outputs {
        lines.push(format!("{}: {} -> {}", output.name, json(&output.before), json(&output.after)));
    }
    lines.join("\n")
}

/// Any JSON that attributes may hold, some of it secret; every secret has `S3CR3T` in it.
fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|b| b.to_string()),
        (0..4u8).prop_map(|n| n.to_string()),
        "[a-c]{0,2}".prop_map(|text| format!("{text:?}")),
        Just(r#""{\"a\":1,\"password\":\"S3CR3T-inner\"}""#.to_owned()),
        Just(r#""{\"a\":2,\"password\":\"S3CR3T-other\"}""#.to_owned()),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(","))),
            proptest::collection::btree_map("[a-c]", inner, 0..4)
                .prop_map(|members| object(&members)),
        ]
    })
}

fn object(members: &std::collections::BTreeMap<String, String>) -> String {
    let members: Vec<String> = members.iter().map(|(k, v)| format!("{k:?}:{v}")).collect();
    format!("{{{}}}", members.join(","))
}

fn attributes() -> impl Strategy<Value = String> {
    let plain = proptest::collection::btree_map("[a-e]", value(), 0..5);
    let secret = prop_oneof![
        Just(None),
        "[x-z]{1,2}".prop_map(|text| Some(("password", format!("\"S3CR3T-{text}\"")))),
        "[x-z]{1,2}".prop_map(|text| Some(("hidden", format!("{{\"deep\":[\"S3CR3T-{text}\"]}}")))),
    ];
    (plain, secret, 0u8..4).prop_map(|(mut members, secret, id)| {
        members.insert("id".to_owned(), format!("\"h-{id}\""));
        members.extend(secret.map(|(key, value)| (key.to_owned(), value)));
        object(&members)
    })
}

/// Any state; an attribute called `hidden` is declared secret.
fn states() -> impl Strategy<Value = String> {
    let place =
        ("(m\\.[pq]/)?(data\\.)?[xy]\\.[ab]", prop_oneof![Just(""), Just("[0]"), Just("[\"k\"]")]);
    let fields = r#""sensitive_attributes":[[{"type":"get_attr","value":"hidden"}]],"#;
    let instance = (attributes(), prop_oneof![Just(""), Just(r#""status":"tainted","#)]);
    proptest::collection::btree_map(place, instance, 0..6).prop_map(move |instances| {
        let lines: Vec<String> = instances
            .iter()
            .map(|((place, key), (attributes, status))| {
                format!("{place}{key} {attributes} {fields}{status}")
            })
            .collect();
        state(&lines.iter().map(String::as_str).collect::<Vec<_>>())
    })
}

/// What a comparison says, in a form that does not depend on which side was first.
fn facts(comparison: &Comparison, swapped: bool) -> Vec<String> {
    let mut facts = Vec::new();
    for resource in &comparison.resources {
        let action = match (resource.action, swapped) {
            (Action::Added, true) => Action::Removed,
            (Action::Removed, true) => Action::Added,
            (action, _) => action,
        };
        let mut ends = [Some(&resource.address), resource.from_address.as_ref()];
        ends.sort();
        let changes = resource.changes.iter().map(|change| {
            let json = |side: &Option<Value<'_>>| side.as_ref().map(Value::to_json);
            let mut sides = [json(&change.before), json(&change.after)];
            if swapped {
                sides.reverse();
            }
            format!("{:?} {sides:?}", change.field)
        });
        let mut changes: Vec<String> = changes.collect();
        changes.sort();
        facts.push(format!("{action:?} {ends:?} {changes:?}"));
    }
    facts.sort();
    facts
}

proptest! {
    #[test]
    fn a_state_does_not_differ_from_itself(state in states()) {
        prop_assert!(compared(&state, &state).is_empty());
        let pretty = Value::parse(state.as_bytes()).unwrap().to_json_pretty();
        prop_assert!(compared(&state, &pretty).is_empty());
    }

    #[test]
    fn swapping_the_sides_swaps_the_result_and_nothing_else(a in states(), b in states()) {
        prop_assert_eq!(facts(&compared(&a, &b), false), facts(&compared(&b, &a), true));
    }

    #[test]
    fn secrets_do_not_get_into_a_comparison(a in states(), b in states()) {
        let text = everything(&compared(&a, &b));
        prop_assert!(!text.contains("S3CR3T"), "{}", text);
    }

    #[test]
    fn every_instance_is_counted_once(a in states(), b in states()) {
        let summary = compared(&a, &b).summary;
        let count = |state: &str| Document::parse(state.as_bytes().to_vec()).unwrap().len();
        let stayed = summary.changed + summary.moved + summary.unchanged;
        prop_assert_eq!(stayed + summary.removed, count(&a));
        prop_assert_eq!(stayed + summary.added, count(&b));
    }
}
