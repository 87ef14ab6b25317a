//! What holds for any three states.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Error, merge};
use crate::diff::{self, Noise, Options};
use crate::state::document::Document;
use crate::state::edit::Layout;

/// The places that instances may have: module, type, name, key; in Terraform's order.
pub(in crate::ops) const PLACES: [(&str, &str, &str, &str); 12] = [
    ("", "x", "a", ""),
    ("", "x", "b", "0"),
    ("", "x", "b", "2"),
    ("", "x", "b", "10"),
    ("", "x", "c", "\"k\""),
    ("", "x", "c", "\"l\""),
    ("", "y", "a", ""),
    ("module.m", "x", "a", ""),
    ("module.m", "x", "b", "1"),
    ("module.m", "x", "b", "3"),
    ("module.n[\\\"k\\\"]", "x", "a", ""),
    ("module.n[\\\"k\\\"]", "y", "c", "\"k\""),
];

const OUTPUTS: [&str; 3] = ["a", "b", "c"];

/// What a state has in each place: nothing, or one of several versions.
pub(in crate::ops) type Picture = Vec<Option<u8>>;

/// Writes a state as Terraform does, on many lines.
pub(in crate::ops) fn written(serial: u64, picture: &[Option<u8>]) -> String {
    let mut resources: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let head = |at: usize| (PLACES[at].0, PLACES[at].1, PLACES[at].2);
    for (at, version) in picture.iter().enumerate().take(PLACES.len()) {
        let Some(version) = version else { continue };
        let first = (0..=at).find(|&first| head(first) == head(at)).unwrap();
        let key = PLACES[at].3;
        let key = if key.is_empty() { String::new() } else { format!("\"index_key\":{key},") };
        let tags = if *version % 2 == 0 { "[]" } else { "[\"a: {\",1.50,{}]" };
        resources.entry(first).or_default().push(format!(
            r#"{{{key}"schema_version":0,"attributes":{{"id":"i-{at}","n":{version},"t":{tags}}}}}"#
        ));
    }
    let resources: Vec<String> = resources
        .into_iter()
        .map(|(at, instances)| {
            let (module, kind, name) = head(at);
            let module =
                if module.is_empty() { String::new() } else { format!("\"module\":\"{module}\",") };
            let provider = r#""provider":"provider[\"registry.terraform.io/acme/acme\"]""#;
            let instances = instances.join(",");
            format!(
                r#"{{{module}"mode":"managed","type":"{kind}","name":"{name}",{provider},"instances":[{instances}]}}"#
            )
        })
        .collect();
    let outputs: Vec<String> = OUTPUTS
        .iter()
        .zip(&picture[PLACES.len()..])
        .filter_map(|(name, version)| {
            Some(format!(r#""{name}":{{"value":{},"type":"number"}}"#, (*version)?))
        })
        .collect();
    let compact = format!(
        r#"{{"version":4,"terraform_version":"1.11.4","serial":{serial},"lineage":"l","outputs":{{{}}},"resources":[{}],"check_results":null}}"#,
        outputs.join(","),
        resources.join(",")
    );
    let laid = lay(&compact, "{\n  \"v\": 4\n}");
    format!("{laid}\n")
}

fn lay(text: &str, like: &str) -> String {
    let laid = Layout::of(like.as_bytes()).lay(text.as_bytes(), &Layout::of(b"{\n\"v\" :4}"), 0);
    String::from_utf8(laid).unwrap()
}

pub(in crate::ops) fn compact(text: &str) -> String {
    lay(text, "{\"v\":4}")
}

pub(in crate::ops) fn document(text: &str) -> Document {
    Document::parse(text.as_bytes().to_vec()).unwrap()
}

fn merged(base: &str, ours: &str, theirs: &str) -> Result<String, Error> {
    let bytes = merge(Some(&document(base)), &document(ours), &document(theirs))?;
    Ok(String::from_utf8(bytes).unwrap())
}

/// What becomes of one place: what the base, our side, their side and the merged state have.
fn fate() -> impl Strategy<Value = [Option<u8>; 4]> {
    (0..4u8, 4..8u8, 0..10u8).prop_map(|(old, new, fate)| {
        let (old, new, none) = (Some(old), Some(new), None);
        match fate {
            0 => [none; 4],
            1 => [none, new, none, new],
            2 => [none, none, new, new],
            3 => [old, none, old, none],
            4 => [old, old, none, none],
            5 => [old, new, old, new],
            6 => [old, old, new, new],
            7 => [old, new, new, new],
            8 => [old, none, none, none],
            _ => [old; 4],
        }
    })
}

fn pictures() -> impl Strategy<Value = [Picture; 4]> {
    proptest::collection::vec(fate(), PLACES.len() + OUTPUTS.len()).prop_map(|fates| {
        [0, 1, 2, 3].map(|side: usize| fates.iter().map(|fate| fate[side]).collect())
    })
}

pub(in crate::ops) fn any_picture() -> impl Strategy<Value = Picture> {
    let version = prop_oneof![3 => Just(Some(1)), 1 => Just(None), 1 => Just(Some(2))];
    proptest::collection::vec(version, PLACES.len() + OUTPUTS.len())
}

fn same_meaning(a: &str, b: &str) -> bool {
    let options = Options { noise: Noise::Shown, ..Options::default() };
    diff::compare(&document(a), &document(b), &options).is_empty()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn independent_edits_are_both_had_and_all_else_is_ours_byte_for_byte(
        [base, ours, theirs, expected] in pictures(), one_line: [bool; 2],
    ) {
        let as_is = |text: String, one_line| if one_line { compact(&text) } else { text };
        let (our_text, their_text) = (written(7, &ours), written(9, &theirs));
        let serial = match (expected == ours, expected == theirs) {
            (_, true) => 9,
            _ => 10,
        };
        let result = merged(
            &written(5, &base),
            &as_is(our_text, one_line[0]),
            &as_is(their_text, one_line[1]),
        );
        prop_assert_eq!(result.unwrap(), as_is(written(serial, &expected), one_line[0]));
    }

    #[test]
    fn which_side_is_ours_decides_nothing_but_the_spelling(
        base in any_picture(), a in any_picture(), b in any_picture(),
    ) {
        let [base, a, b] = [(1, base), (3, a), (2, b)].map(|(serial, p)| written(serial, &p));
        match (merged(&base, &a, &b), merged(&base, &b, &a)) {
            (Ok(one), Ok(other)) => {
                prop_assert!(same_meaning(&one, &other));
                prop_assert_eq!(document(&one).serial(), document(&other).serial());
            }
            (Err(Error::Conflicts(one)), Err(Error::Conflicts(other))) => {
                let subjects = |conflicts: &[super::Conflict]| {
                    let mut subjects: Vec<String> =
                        conflicts.iter().map(|conflict| conflict.subject.clone()).collect();
                    subjects.sort();
                    subjects
                };
                prop_assert_eq!(subjects(&one), subjects(&other));
            }
            (one, other) => prop_assert!(false, "{:?} {:?}", one.err(), other.err()),
        }
    }

    #[test]
    fn a_side_that_did_nothing_leaves_the_other_as_it_is(a in any_picture(), b in any_picture()) {
        let (a, b) = (written(1, &a), written(2, &b));
        prop_assert_eq!(&merged(&a, &b, &b).unwrap(), &b);
        prop_assert_eq!(&merged(&a, &b, &a).unwrap(), &b);
        prop_assert_eq!(&merged(&a, &a, &b).unwrap(), &b);
        prop_assert_eq!(&merged(&b, &compact(&b), &b).unwrap(), &compact(&b));
    }
}
