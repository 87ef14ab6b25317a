//! What the filter selects is as it was, and everything else is as it is, byte for byte.

use proptest::prelude::*;

use super::*;
use crate::diff;
use crate::ops::merge::properties::{PLACES, Picture, any_picture, compact, document, written};

fn put(live: &str, past: &str, filter: &str) -> Result<String, Error> {
    let bytes = put_back(&document(live), &document(past), &filter.parse().unwrap())?;
    Ok(String::from_utf8(bytes).unwrap())
}

/// Filters, and which of the places they select, by module, type, name, key and version.
type Selects = fn(usize, Option<u8>) -> bool;

const FILTERS: [(&str, Selects); 9] = [
    ("", |_, _| true),
    ("type:none", |_, _| false),
    ("type:x", |at, _| PLACES[at].1 == "x"),
    ("name:b", |at, _| PLACES[at].2 == "b"),
    ("module:m", |at, _| PLACES[at].0 == "module.m"),
    ("module:n", |at, _| PLACES[at].0.starts_with("module.n")),
    ("addr:x.b[2]", |at, _| (PLACES[at].0, PLACES[at].2, PLACES[at].3) == ("", "b", "2")),
    ("key:k", |at, _| PLACES[at].3 == "\"k\""),
    ("attr:n=1", |_, version| version == Some(1)),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_selected_is_as_it_was_and_all_else_is_as_it_is(
        live in any_picture(), past in any_picture(), filter in 0..FILTERS.len(),
        one_line: [bool; 2],
    ) {
        let (filter, selects) = FILTERS[filter];
        let as_is = |text: String, one_line| if one_line { compact(&text) } else { text };
        let expected: Picture = (0..live.len())
            .map(|at| {
                let is_place = at < PLACES.len();
                let is_selected = is_place && (selects(at, live[at]) || selects(at, past[at]));
                if is_selected { past[at] } else { live[at] }
            })
            .collect();
        let some = (0..PLACES.len()).any(|at| {
            [live[at], past[at]].iter().any(|side| side.is_some() && selects(at, *side))
        });
        let (live, past) = (written(7, &live), written(5, &past));
        let result = put(&as_is(live, one_line[0]), &as_is(past, one_line[1]), filter);
        if some {
            prop_assert_eq!(result.unwrap(), as_is(written(7, &expected), one_line[0]));
        } else {
            prop_assert_eq!(result.unwrap_err(), Error::NothingSelected);
        }
    }
}

fn resource(name: &str, provider: &str, instances: &str) -> String {
    format!(
        r#"{{"mode":"managed","type":"x","name":"{name}","provider":"provider[\"acme/{provider}\"]","instances":[{instances}]}}"#
    )
}

fn state(resources: &[String]) -> String {
    let resources = resources.join(",");
    format!(r#"{{"version":4,"serial":1,"lineage":"l","outputs":{{}},"resources":[{resources}]}}"#)
}

fn numbered(number: u8, id: &str) -> String {
    format!(r#"{{"index_key":{number},"attributes":{{"id":"{id}"}}}}"#)
}

#[test]
fn another_provider_comes_back_with_all_instances_or_not_at_all() {
    let both = |provider, id| {
        state(&[resource("a", provider, &[numbered(0, id), numbered(1, id)].join(","))])
    };
    let (live, past) = (both("new", "n"), both("old", "o"));
    assert_eq!(put(&live, &past, "name:a").unwrap(), past);
    let error = put(&live, &past, "key:0").unwrap_err();
    assert_eq!(error, Error::Provider { address: "x.a".to_owned() });
}

#[test]
fn what_is_left_of_a_resource_keeps_its_element() {
    let live = state(&[resource("a", "p", &numbered(1, "live"))]);
    let past = state(&[resource("a", "p", &[numbered(0, "old"), numbered(1, "old")].join(","))]);
    let expected =
        state(&[resource("a", "p", &[numbered(0, "old"), numbered(1, "live")].join(","))]);
    assert_eq!(put(&live, &past, "key:0").unwrap(), expected);
    assert_eq!(
        put(&past, &live, "key:0").unwrap(),
        state(&[resource("a", "p", &numbered(1, "old"))])
    );
    assert_eq!(
        put(&state(&[]), &past, "key:1").unwrap(),
        state(&[resource("a", "p", &numbered(1, "old"))])
    );
    assert_eq!(put(&live, &state(&[]), "name:a").unwrap(), state(&[]));
}

#[test]
fn a_state_without_a_list_of_resources_gets_one() {
    let past = state(&[resource("a", "p", &numbered(0, "old"))]);
    for live in [r#"{"version":4,"serial":1,"lineage":"l"}"#, r#"{"version":4,"resources":null}"#] {
        let after = document(&put(live, &past, "name:a").unwrap());
        assert_eq!(after.len(), 1, "{live}");
    }
}

#[test]
fn a_deposed_object_is_selected_with_its_address() {
    let deposed = r#"{"deposed":"00000001","attributes":{"id":"d"}}"#;
    let current = r#"{"attributes":{"id":"c"}}"#;
    let past = state(&[resource("a", "p", &[current, deposed].join(","))]);
    let live = state(&[resource("a", "p", current)]);
    assert_eq!(put(&live, &past, "name:a").unwrap(), past);
    assert_eq!(put(&past, &live, "name:a").unwrap(), live);
}

#[test]
fn what_can_not_be_edited_safely_is_refused() {
    let twice =
        state(&[resource("a", "p", &numbered(0, "1")), resource("a", "p", &numbered(1, "1"))]);
    let once = state(&[resource("a", "p", &numbered(0, "2"))]);
    let spread = Error::Spread { address: "x.a".to_owned() };
    assert_eq!(put(&twice, &once, "name:a").unwrap_err(), spread);
    assert_eq!(put(&once, &twice, "key:1").unwrap_err(), spread);
    let old = r#"{"version":3,"serial":1,"lineage":"l","modules":[]}"#;
    let error = put(&once, old, "name:a").unwrap_err();
    assert_eq!(error, Error::Version { state: Side::Past, version: 3 });
    let said = error.to_string();
    assert_eq!(said, "the earlier version has format version 3, and only version 4 is edited");
    let keys = once.replacen("\"serial\":1", "\"serial\":1,\"serial\":1", 1);
    let error = put(&keys, &once, "name:a").unwrap_err();
    assert_eq!(error, Error::Twice { state: Side::Live, key: "serial".to_owned() });
}

#[test]
fn what_is_depended_on_and_is_not_there_is_told() {
    let depends = |on: &str| format!(r#"{{"attributes":{{}},"dependencies":["{on}"]}}"#);
    let [a, b] = ["a", "b"].map(|name| resource(name, "p", r#"{"attributes":{}}"#));
    let past = state(&[a.clone(), resource("c", "p", &depends("x.a"))]);
    let told = |live: &str, past: &str, filter: &str| -> Vec<String> {
        let after = document(&put(live, past, filter).unwrap());
        let missing = missing(&document(live), &document(past), &after);
        missing.into_iter().map(|m| format!("{} {}", m.address, m.dependency)).collect()
    };
    assert_eq!(told(&state(std::slice::from_ref(&b)), &past, "name:c"), ["x.c x.a"]);
    assert_eq!(told(&state(std::slice::from_ref(&a)), &past, "name:c"), [""; 0]);
    assert_eq!(told(&past, &state(&[b]), "name:a"), ["x.c x.a"]);
    // What was never there is nothing that a restore did.
    let dangling = state(&[resource("c", "p", &depends("x.gone"))]);
    assert_eq!(told(&state(&[a]), &dangling, "name:c"), [""; 0]);
}

#[test]
fn every_state_comes_back_into_another_and_stays_as_it_was_in_itself() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/states");
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let live = ["minimal", "crlf", "each", "compact"]
        .map(|name| Document::parse(read(&format!("{name}.tfstate"))).unwrap());
    let all = Filter::all();
    let mut restored = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Ok(past) = Document::parse(read(&name)) else { continue };
        let Ok(same) = put_back(&past, &past, &all) else { continue };
        assert_eq!(same, past.bytes(), "{name}");
        // On lines of their own, its levels are indented by hundreds of megabytes.
        let lives = if name == "deep-nesting.tfstate" { &[][..] } else { &live[..] };
        for live in lives {
            let Ok(after) = put_back(live, &past, &all) else { continue };
            let after = Document::parse(after).unwrap();
            let options = diff::Options { noise: diff::Noise::Shown, ..diff::Options::default() };
            assert_eq!(diff::compare(&past, &after, &options).resources, [], "{name}");
            restored += 1;
        }
    }
    assert!(restored > 100, "{restored}");
}
