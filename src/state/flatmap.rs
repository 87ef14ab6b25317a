//! Legacy flat attributes, `tags.% = 1` and `tags.Name = x`, shown as the maps and lists they mean.
//!
//! Without the provider's schema the types of the leaves are not known: all stay strings.

use std::borrow::Cow;

use super::value::Value;

/// How deep keys are taken apart; what is deeper keeps its dots.
const MAX_DEPTH: usize = 64;

/// Folds a flat map of strings into nested values; what is no flat map stays as it is.
pub(crate) fn expand<'a>(flat: &Value<'a>) -> Value<'a> {
    let Value::Object(members) = flat else { return flat.clone() };
    let entries: Vec<(&str, &Value<'a>)> = members.iter().map(|(k, v)| (k.as_ref(), v)).collect();
    fold(&entries, 0)
}

/// Folds entries whose keys are relative to the container they make up.
fn fold<'a>(entries: &[(&str, &Value<'a>)], depth: usize) -> Value<'a> {
    let has = |key: &str| entries.iter().any(|(k, _)| *k == key);
    if has("%") || depth == MAX_DEPTH {
        // Every key of a map is an element, dots included.
        let rest = entries.iter().filter(|(key, _)| *key != "%");
        return Value::Object(
            rest.map(|(k, v)| (Cow::Owned((*k).to_owned()), (*v).clone())).collect(),
        );
    }
    let groups = groups(entries);
    let folded = groups.into_iter().filter(|(head, _)| *head != "#").map(|(head, group)| {
        let value = match group.as_slice() {
            [("", leaf)] => (*leaf).clone(),
            group => fold(group, depth + 1),
        };
        (head, value)
    });
    if has("#") {
        let mut items: Vec<_> = folded.collect();
        // Sets have hashes for keys: any order is as good as theirs, but it should be stable.
        items.sort_by_key(|(head, _)| head.parse::<u64>().unwrap_or(u64::MAX));
        return Value::Array(items.into_iter().map(|(_, value)| value).collect());
    }
    Value::Object(folded.map(|(head, value)| (Cow::Owned(head.to_owned()), value)).collect())
}

/// Groups entries by the first part of their keys, in the order of first appearance.
fn groups<'k, 'v, 'a>(
    entries: &[(&'k str, &'v Value<'a>)],
) -> Vec<(&'k str, Vec<(&'k str, &'v Value<'a>)>)> {
    let mut places = std::collections::HashMap::new();
    let mut groups: Vec<(&str, Vec<_>)> = Vec::new();
    for (key, value) in entries {
        let (head, rest) = key.split_once('.').unwrap_or((key, ""));
        let place = *places.entry(head).or_insert_with(|| {
            groups.push((head, Vec::new()));
            groups.len() - 1
        });
        groups[place].1.push((rest, *value));
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_turn_entries_into_maps_and_lists() {
        let flat = r#"{"id":"h","tags.%":"2","tags.a.b":"1","tags.c":"2","ip.#":"2","ip.0":"x","ip.1":"y",
            "rule.#":"1","rule.0.port":"80","rule.0.cidr.#":"1","rule.0.cidr.0":"z"}"#;
        let value = expand(&Value::parse(flat.as_bytes()).unwrap());
        let expected = r#"{"id":"h","tags":{"a.b":"1","c":"2"},"ip":["x","y"],"rule":[{"port":"80","cidr":["z"]}]}"#;
        assert_eq!(value.to_json(), expected);
    }

    #[test]
    fn keys_of_any_depth_do_not_exhaust_the_stack() {
        let flat = format!(r#"{{"{}":"leaf"}}"#, vec!["a"; 1_000_000].join("."));
        assert!(expand(&Value::parse(flat.as_bytes()).unwrap()).get("a").is_some());
    }
}
