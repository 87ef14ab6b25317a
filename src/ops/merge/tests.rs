//! Each rule on a state that shows it.

use super::{Clash, Conflict, Error, Files, Side, merge, merge_files};
use crate::diff::{self, Noise, Options};
use crate::state::document::Document;

const PROVIDER: &str = r#"provider[\"registry.terraform.io/acme/acme\"]"#;

/// Writes a resource: `x.a`, the fields of the resource, its instances.
fn resource(address: &str, fields: &str, instances: &[&str]) -> String {
    let (kind, name) = address.split_once('.').unwrap();
    let instances = instances.join(",");
    format!(
        r#"{{"mode":"managed","type":"{kind}","name":"{name}",{fields}"provider":"{PROVIDER}","instances":[{instances}]}}"#
    )
}

/// Writes an instance whose only attribute is `n`, with some more fields.
fn instance(fields: &str, n: u32) -> String {
    format!(r#"{{{fields}"schema_version":0,"attributes":{{"id":"i-{n}","n":{n}}}}}"#)
}

/// Writes `x.a`, `x.b`, … with one instance each: `a1` is `x.a` of version 1.
fn resources(words: &str) -> Vec<String> {
    let one = |word: &str| {
        let (name, version) = word.split_at(1);
        let instance =
            format!(r#"{{"schema_version":0,"attributes":{{"id":"i-{name}","n":{version}}}}}"#);
        resource(&format!("x.{name}"), "", &[&instance])
    };
    words.split_whitespace().map(one).collect()
}

fn state(resources: &[String]) -> String {
    format!(
        r#"{{"version":4,"terraform_version":"1.11.4","serial":3,"lineage":"l","outputs":{{}},"resources":[{}]}}"#,
        resources.join(",")
    )
}

fn document(text: &str) -> Document {
    Document::parse(text.as_bytes().to_vec()).unwrap()
}

fn merged(base: &str, ours: &str, theirs: &str) -> Result<String, Error> {
    let bytes = merge(Some(&document(base)), &document(ours), &document(theirs))?;
    Ok(String::from_utf8(bytes).unwrap())
}

/// Merges and returns the conflicts, which are the same from both sides.
fn conflicts(base: &str, ours: &str, theirs: &str) -> Vec<Conflict> {
    let [one, other] = [merged(base, ours, theirs), merged(base, theirs, ours)].map(|result| {
        let Err(Error::Conflicts(conflicts)) = result else { panic!("{result:?}") };
        conflicts
    });
    assert_eq!(one.len(), other.len(), "{one:?} {other:?}");
    one
}

fn clash(base: &str, ours: &str, theirs: &str) -> (String, Clash) {
    let mut found = conflicts(base, ours, theirs);
    assert_eq!(found.len(), 1, "{found:?}");
    let conflict = found.remove(0);
    (conflict.subject, conflict.clash)
}

fn clash_of(base: &str, ours: &str, theirs: &str) -> (String, Clash) {
    let [base, ours, theirs] = [base, ours, theirs].map(|words| state(&resources(words)));
    clash(&base, &ours, &theirs)
}

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

#[test]
fn changes_of_different_attributes_of_one_instance_are_a_conflict() {
    let base = state(&resources("a1"));
    let (ours, theirs) =
        (base.replace("\"n\":1", "\"n\":2"), base.replace("\"id\":", "\"m\":1,\"id\":"));
    let clash = clash(&base, &ours, &theirs);
    let changed = Clash::Changed { ours: texts(&["n"]), theirs: texts(&["m"]) };
    assert_eq!(clash, ("x.a".to_owned(), changed));
}

#[test]
fn the_same_change_in_another_spelling_is_no_conflict() {
    let base = state(&resources("a1 b1"));
    let ours = state(&resources("a2 b1"));
    let theirs = state(&resources("a2 b2")).replacen("\"n\":2", "\"n\" : 2.0", 1);
    let expected = state(&resources("a2 b2")).replace("\"serial\":3", "\"serial\":4");
    assert_eq!(merged(&base, &ours, &theirs).unwrap(), expected);
}

#[test]
fn both_sides_may_not_add_one_instance_in_two_ways() {
    let (subject, clash) = clash_of("b1", "a1 b1", "a2 b1");
    assert_eq!((subject.as_str(), clash), ("x.a", Clash::Added(texts(&["n"]))));
}

#[test]
fn what_one_side_removed_and_the_other_changed_is_a_conflict() {
    let removed = Clash::Removed { by: Side::Ours, moved_to: None, changed: texts(&["n"]) };
    assert_eq!(clash_of("a1 b1", "b1", "a2 b1"), ("x.a".to_owned(), removed));
}

#[test]
fn what_one_side_moved_and_the_other_changed_or_removed_is_a_conflict() {
    let moved = resources("a1")[0].replace("\"name\":\"a\"", "\"name\":\"z\"");
    let moved = state(&[resources("b1")[0].clone(), moved]);
    let [base, changed, removed] = ["a1 b1", "a2 b1", "b1"].map(|words| state(&resources(words)));
    let to = || "x.z".to_owned();
    let clash_of_change = clash(&base, &moved, &changed);
    let expected = Clash::Removed { by: Side::Ours, moved_to: Some(to()), changed: texts(&["n"]) };
    assert_eq!(clash_of_change, ("x.a".to_owned(), expected));
    let expected = Clash::MovedAndRemoved { by: Side::Ours, to: to() };
    assert_eq!(clash(&base, &moved, &removed), ("x.a".to_owned(), expected));
    assert!(merged(&base, &moved, &base).is_ok());
}

#[test]
fn an_object_that_both_sides_moved_or_imported_elsewhere_is_a_conflict() {
    let named =
        |name: &str| resources("a1")[0].replace("\"name\":\"a\"", &format!("\"name\":\"{name}\""));
    let (base, y, z) = (state(&[named("a")]), state(&[named("y")]), state(&[named("z")]));
    let expected = Clash::Moved { ours: "x.y".to_owned(), theirs: "x.z".to_owned() };
    assert_eq!(clash(&base, &y, &z), ("x.a".to_owned(), expected));
    let expected = Clash::SameObject { other: "x.y".to_owned() };
    assert_eq!(clash(&state(&[]), &y, &z), ("x.z".to_owned(), expected));
    // In another region it is another object.
    let elsewhere = z.replace("acme\\\"]", "acme\\\"].west");
    assert!(merged(&state(&[]), &y, &elsewhere).is_ok());
}

#[test]
fn another_provider_and_a_new_instance_are_a_conflict() {
    let keyed = |keys: &[u32]| {
        let instances: Vec<String> =
            keys.iter().map(|key| instance(&format!("\"index_key\":{key},"), *key)).collect();
        state(&[resource("x.a", "", &instances.iter().map(String::as_str).collect::<Vec<_>>())])
    };
    let (base, more) = (keyed(&[0]), keyed(&[0, 1]));
    let forked = base.replace("acme/acme", "acme/fork");
    let expected = Clash::Provider { by: Side::Ours };
    assert_eq!(clash(&base, &forked, &more), ("x.a".to_owned(), expected));
    let other = base.replace("acme/acme", "acme/other");
    let subjects: Vec<String> =
        conflicts(&base, &forked, &other).into_iter().map(|conflict| conflict.subject).collect();
    assert_eq!(subjects, ["x.a[0]", "x.a (provider)"]);
    assert_eq!(
        merged(&base, &base, &forked).unwrap(),
        forked.replace("\"serial\":3", "\"serial\":4")
    );
}

#[test]
fn a_schema_version_that_both_sides_raised_is_a_conflict() {
    let base = state(&resources("a1"));
    let raised =
        |to: u32| base.replace("\"schema_version\":0", &format!("\"schema_version\":{to}"));
    let (_, clash) = clash(&base, &raised(1), &raised(2));
    let changed = || texts(&["(schema_version)"]);
    assert_eq!(clash, Clash::Changed { ours: changed(), theirs: changed() });
}

#[test]
fn keys_of_two_kinds_are_a_conflict_where_no_side_has_them() {
    let with = |keys: &[&str]| {
        let instances: Vec<String> =
            (1..).zip(keys).map(|(n, key)| instance(&format!("\"index_key\":{key},"), n)).collect();
        state(&[resource("x.a", "", &instances.iter().map(String::as_str).collect::<Vec<_>>())])
    };
    let (numbered, named) = (with(&["0"]), with(&["\"k\""]));
    let more = numbered.replace(
        "\"instances\":[",
        &format!("\"instances\":[{},", instance("\"index_key\":7,", 9)),
    );
    assert_eq!(clash(&numbered, &named, &more), ("x.a".to_owned(), Clash::Keys));
}

#[test]
fn what_depends_on_something_the_other_side_removed_is_a_conflict() {
    let [base, removed] = ["a1 b1", "b1"].map(|words| state(&resources(words)));
    let depending = instance("\"dependencies\":[\"x.a\"],", 7);
    let mut added = resources("a1 b1");
    added.push(resource("y.c", "", &[&depending]));
    let expected = Clash::Dependency { by: Side::Ours, on: "x.a".to_owned() };
    assert_eq!(clash(&base, &state(&added), &removed), ("y.c".to_owned(), expected));
    // What depended on it before is no affair of this merge.
    let mut all = resources("b2");
    all.push(resource("y.c", "", &[&depending]));
    assert!(merged(&state(&added), &state(&all), &state(&added)).is_ok());
}

#[test]
fn outputs_and_checks_and_unknown_fields_are_merged_as_wholes() {
    let with = |out: u32, check: &str, field: &str| {
        state(&[])
            .replace("\"outputs\":{}", &format!(r#""outputs":{{"o":{{"value":{out},"type":"number"}}}}"#))
            .replace("\"resources\"", &format!(
                r#""check_results":[{{"object_kind":"check","config_addr":"check.c","status":"{check}","objects":null}}],"field":{field},"resources""#,
            ))
    };
    let base = with(1, "pass", "{}");
    let both = merged(&base, &with(2, "pass", "[1]"), &with(1, "fail", "{ }")).unwrap();
    assert_eq!(both, with(2, "fail", "[1]").replace("\"serial\":3", "\"serial\":4"));
    let found = conflicts(&base, &with(2, "fail", "1"), &with(3, "error", "2"));
    let subjects: Vec<&str> = found.iter().map(|conflict| conflict.subject.as_str()).collect();
    assert_eq!(subjects, ["output.o", "check of check check.c", "field"]);
}

#[test]
fn fields_that_ours_does_not_have_are_made() {
    let base = r#"{"version":4,"serial":3,"lineage":"l"}"#;
    let theirs = state(&resources("a1")).replace("\"resources\"", "\"later\":[],\"resources\"");
    let theirs = theirs.replace("{},", r#"{"o":{"value":1,"type":"number"}},"#);
    let merged = merged(base, base, &theirs).unwrap();
    let merged = document(&merged);
    assert_eq!((merged.len(), merged.outputs().len(), merged.serial()), (1, 1, 4));
    assert_eq!(merged.terraform_version(), "1.11.4");
    assert!(String::from_utf8_lossy(merged.bytes()).contains("\"later\":[]"));
}

#[test]
fn an_instance_goes_and_comes_where_its_resource_has_others() {
    let with = |keys: &[u32]| {
        let instances: Vec<String> =
            keys.iter().map(|key| instance(&format!("\"index_key\":{key},"), *key)).collect();
        state(&[resource("x.a", "", &instances.iter().map(String::as_str).collect::<Vec<_>>())])
    };
    let expected = |keys: &[u32]| with(keys).replace("\"serial\":3", "\"serial\":4");
    assert_eq!(
        merged(&with(&[1, 2]), &with(&[1, 2, 3]), &with(&[0, 2])).unwrap(),
        expected(&[0, 2, 3])
    );
    // All that was there went, what the other side added stays.
    assert_eq!(merged(&with(&[1, 2]), &with(&[1, 2, 3]), &state(&[])).unwrap(), expected(&[3]));
    assert_eq!(merged(&with(&[1, 2]), &state(&[]), &with(&[1, 2, 3])).unwrap(), expected(&[3]));
    assert_eq!(
        merged(&with(&[1, 2]), &with(&[1]), &with(&[2])).unwrap(),
        state(&[]).replace("\"serial\":3", "\"serial\":4")
    );
}

#[test]
fn a_resource_in_several_blocks_is_left_to_people() {
    let block = |key: u32| resource("x.a", "", &[&instance(&format!("\"index_key\":{key},"), key)]);
    let base = state(&[block(0), block(1)]);
    let theirs = base.replace("\"n\":1", "\"n\":8");
    let Err(Error::Conflicts(found)) = merged(&base, &base, &theirs) else { panic!("merged") };
    assert_eq!(found, [Conflict { subject: "x.a".to_owned(), clash: Clash::Blocks }]);
    // To keep what is there takes no edit.
    assert_eq!(
        merged(&base, &theirs, &base).unwrap(),
        theirs.replace("\"serial\":3", "\"serial\":4")
    );
    let other = state(&[block(0), block(1), resources("b1")[0].clone()]);
    assert!(merged(&base, &base, &other).is_ok());
}

#[test]
fn states_that_can_not_be_merged_are_refused() {
    let base = state(&resources("a1"));
    let ours = state(&resources("a2"));
    let error = |theirs: &str| merged(&base, &ours, theirs).unwrap_err();
    let changed = |from: &str, to: &str| state(&resources("a1 b1")).replace(from, to);
    assert!(matches!(error(&changed("\"l\"", "\"k\"")), Error::Lineage));
    let twice = error(&changed("\"serial\":3", "\"serial\":3,\"Serial\":3"));
    assert!(matches!(twice, Error::Twice { side: Side::Theirs, .. }), "{twice:?}");
    let last = error(&changed("\"serial\":3", &format!("\"serial\":{}", u64::MAX)));
    assert!(matches!(last, Error::Serial(u64::MAX)), "{last:?}");
    let old = r#"{"version":3,"serial":3,"lineage":"l","modules":[]}"#;
    assert!(matches!(error(old), Error::Version { side: Side::Theirs, version: 3 }));
}

#[test]
fn files_are_merged_in_place_and_left_alone_on_every_error() {
    let folder = tempfile::tempdir().unwrap();
    let [base, ours, theirs] = ["base", "ours", "theirs"].map(|name| folder.path().join(name));
    let write = |path, text: &str| crate::base::fs::replace(path, text.as_bytes()).unwrap();
    let files = Files { base: &base, ours: &ours, theirs: &theirs };
    let our_text = state(&resources("a1"));
    let read = || std::fs::read_to_string(&ours).unwrap();
    write(&base, "");
    write(&ours, &our_text);
    for (text, is_it) in [
        ("", "cannot read their side as a state"),
        (state(&resources("a2")).as_str(), "both sides changed the same"),
    ] {
        write(&theirs, text);
        assert_eq!(merge_files(files).unwrap_err().to_string(), is_it);
        assert_eq!(read(), our_text);
    }
    write(&theirs, &state(&resources("a1 b1")));
    merge_files(files).unwrap();
    assert_eq!(read(), state(&resources("a1 b1")).replace("\"serial\":3", "\"serial\":4"));
    // Ancestors that can't be merged become what they come from.
    write(&theirs, &state(&resources("a3 b1")));
    write(&base, &state(&resources("a1")));
    super::merge_ancestors(files).unwrap();
    assert_eq!(read(), state(&resources("a3 b1")).replace("\"serial\":3", "\"serial\":5"));
    write(&theirs, &state(&resources("a4")));
    super::merge_ancestors(files).unwrap();
    assert_eq!(read(), state(&resources("a1")));
    std::fs::remove_file(&theirs).unwrap();
    assert!(matches!(merge_files(files), Err(Error::Read { side: Side::Theirs, .. })));
    let gone = Files { ours: &folder.path().join("no/such"), ..files };
    assert!(matches!(merge_files(gone), Err(Error::Read { side: Side::Ours, .. })));
}

#[test]
fn every_sample_can_come_from_one_side_and_go_again() {
    let samples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/states");
    let (mut merged, mut refused) = (0, Vec::new());
    for entry in std::fs::read_dir(samples).unwrap() {
        let path = entry.unwrap().path();
        let Ok(sample) = Document::parse(std::fs::read(&path).unwrap()) else { continue };
        if sample.version() != 4 {
            continue;
        }
        let lineage = serde_json::to_string(sample.lineage()).unwrap();
        let nothing =
            document(&format!(r#"{{ "version": 4, "serial": 1, "lineage": {lineage} }}"#));
        match merge(Some(&nothing), &nothing, &sample) {
            Ok(bytes) => {
                let come = Document::parse(bytes).unwrap();
                let options = Options { noise: Noise::Shown, ..Options::default() };
                assert!(diff::compare(&sample, &come, &options).is_empty(), "{}", path.display());
                let gone = match merge(Some(&sample), &sample, &nothing) {
                    Err(Error::Serial(u64::MAX)) => continue,
                    gone => Document::parse(gone.unwrap()).unwrap(),
                };
                assert_eq!((gone.len(), gone.outputs().len()), (0, 0), "{}", path.display());
                assert_eq!(merge(None, &sample, &sample).unwrap(), sample.bytes());
                merged += 1;
            }
            Err(_) => refused.push(path.file_stem().unwrap().to_string_lossy().into_owned()),
        }
    }
    refused.sort();
    assert!(merged > 40, "{merged}");
    // What stands twice is what no edit can be sure of.
    assert_eq!(refused, ["duplicate-envelope-key", "duplicate-resource-blocks"]);
}
