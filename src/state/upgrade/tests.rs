//! Upgrades held against what Terraform makes of the same files.
//!
//! `testdata/upgrade/NAME.out.tfstate` is what `terraform state pull` of Terraform 1.11.4 prints
//! for `NAME.in.tfstate`. It stamps its own version and adds a newline; all else must be equal.

use std::fs;
use std::path::{Path as FilePath, PathBuf};

use proptest::prelude::*;

use super::*;

fn upgrade(bytes: &[u8]) -> Result<Upgraded, Error> {
    let version = Value::parse(bytes).map_err(Error::Syntax)?;
    let version = version.get("version").and_then(Value::scalar_text).unwrap_or("").parse();
    to_v4(bytes, version.unwrap())
}

fn text(bytes: &[u8]) -> String {
    let upgraded = upgrade(bytes).unwrap();
    String::from_utf8(upgraded.bytes).unwrap()
}

/// Returns the pairs of files `NAME.in.tfstate` and `NAME.out.tfstate` of a folder.
fn pairs(folder: &FilePath) -> Vec<(PathBuf, PathBuf)> {
    let mut pairs: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter_map(|path| {
            let stem = path.file_name()?.to_str()?.strip_suffix(".in.tfstate")?.to_owned();
            Some((path, folder.join(format!("{stem}.out.tfstate"))))
        })
        .collect();
    pairs.sort();
    pairs
}

fn version_line(text: &str) -> &str {
    text.lines().nth(2).unwrap()
}

#[test]
fn the_result_is_what_terraform_prints() {
    let folder = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("testdata/upgrade");
    let pairs = pairs(&folder);
    assert!(pairs.len() >= 6, "{pairs:?}");
    for (input, output) in pairs {
        let upgraded = text(&fs::read(&input).unwrap());
        let pulled = fs::read_to_string(&output).unwrap();
        let pulled = pulled.replacen(version_line(&pulled), version_line(&upgraded), 1);
        assert_eq!(format!("{upgraded}\n"), pulled, "{}", input.display());
    }
}

#[test]
fn terraforms_own_test_files_come_out_as_it_expects() {
    let Some(folder) = corpus() else {
        println!("skipped: set TFSTATE_CORPUS to the folder that holds statefile/");
        return;
    };
    let mut seen = 0;
    for (input, output) in pairs(&folder.join("statefile")) {
        let bytes = fs::read(&input).unwrap();
        if Value::parse(&bytes).unwrap().get("version").unwrap().scalar_text() == Some("4") {
            continue;
        }
        let upgraded = text(&bytes);
        let expected = fs::read(&output).unwrap();
        let (upgraded, expected) =
            (Value::parse(upgraded.as_bytes()).unwrap(), Value::parse(&expected).unwrap());
        assert_same_state(&upgraded, &expected, &input);
        seen += 1;
    }
    assert!(seen > 0, "no older states in {}", folder.display());
}

#[expect(clippy::disallowed_methods, reason = "only tests look for the corpus")]
fn corpus() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("TFSTATE_CORPUS") {
        return Some(PathBuf::from(folder));
    }
    let folder = FilePath::new(env!("CARGO_MANIFEST_DIR")).parent()?.join("shared/corpus");
    folder.is_dir().then_some(folder)
}

/// Compares as Terraform would after reading both: the expected files are of its version 0.12,
/// which spelt providers and dependencies differently.
fn assert_same_state(ours: &Value<'_>, theirs: &Value<'_>, file: &FilePath) {
    for field in ["serial", "lineage", "outputs"] {
        assert!(same(ours.get(field), theirs.get(field)), "{}: {field}", file.display());
    }
    let (ours, theirs) = (items(ours, "resources"), items(theirs, "resources"));
    assert_eq!(ours.len(), theirs.len(), "{}", file.display());
    for (ours, theirs) in ours.iter().zip(theirs) {
        for field in ["module", "mode", "type", "name"] {
            assert!(same(ours.get(field), theirs.get(field)), "{}: {field}", file.display());
        }
        let legacy = theirs.get("provider").and_then(Value::as_str).unwrap();
        assert_eq!(ours.get("provider").and_then(Value::as_str), Some(&*in_full(legacy)));
        let (ours, theirs) = (items(ours, "instances"), items(theirs, "instances"));
        assert_eq!(ours.len(), theirs.len(), "{}", file.display());
        for (ours, theirs) in ours.iter().zip(theirs) {
            for field in
                ["index_key", "status", "deposed", "schema_version", "attributes_flat", "private"]
            {
                assert!(same(ours.get(field), theirs.get(field)), "{}: {field}", file.display());
            }
        }
    }
}

fn same(a: Option<&Value<'_>>, b: Option<&Value<'_>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.same(b),
        (a, b) => a.is_none() && b.is_none(),
    }
}

fn items<'v>(value: &'v Value<'v>, field: &str) -> &'v [Value<'v>] {
    match value.get(field) {
        Some(Value::Array(items)) => items,
        _ => panic!("{field} is no array"),
    }
}

/// Returns the provider as it is spelt since version 0.13.
fn in_full(spelt: &str) -> String {
    match spelt.split_once("provider.") {
        Some((module, "terraform")) => {
            format!("{module}provider[\"terraform.io/builtin/terraform\"]")
        }
        Some((module, name)) => format!("{module}provider[\"registry.terraform.io/-/{name}\"]"),
        None => spelt.to_owned(),
    }
}

/// Returns the notes for a document as people read them.
fn notes(bytes: &[u8]) -> Vec<String> {
    upgrade(bytes).unwrap().notes.iter().map(ToString::to_string).collect()
}

#[test]
fn every_loss_is_told() {
    let v1 = include_bytes!("../../../testdata/upgrade/v1-tainted-deposed-outputs.in.tfstate");
    assert_eq!(
        notes(v1),
        [
            "the record of the remote storage is dropped",
            "acme_host.web: dependencies are dropped",
            "acme_host.web: 2 tainted objects are dropped, which may still exist",
            "module.inner: 1 output is dropped",
            "module.inner.acme_disk.gone: 1 tainted object is dropped, which may still exist",
        ]
    );
    let v3 = br#"{"version":3,"backend":{"type":"s3"},"modules":[{"path":["root"],
        "locals":{"a":1},"depends_on":["x"],"outputs":{"tiny":{"value":[1e-400]}},"resources":{
        "a_b.c.0":{"type":"z_b","primary":{"id":"","meta":{"schema_version":"x"}}},
        "a_b.c.1":{"provider":"z"}}},{"path":["root","m"],"outputs":{"o":{},"p":{}}}]}"#;
    assert_eq!(
        notes(v3),
        [
            "the record of the backend is dropped",
            "the root module: local values are dropped",
            "the root module: dependencies are dropped",
            "a_b.c[0]: the type `z_b` is dropped, as the key names another",
            "a_b.c[0]: the version of the schema is not a version; 0 is assumed",
            "a_b.c: provider[\"registry.terraform.io/-/a\"] is kept as the provider and \
             provider[\"registry.terraform.io/-/z\"] dropped",
            "output tiny: a number too close to zero becomes 0",
            "module.m: 2 outputs are dropped",
        ]
    );
}

#[test]
fn a_provider_that_terraform_would_not_read_again_is_told() {
    let document = with_entry("a_b.c", r#"{"provider":"provider.my_cloud.west"}"#);
    assert_eq!(
        notes(document.as_bytes()),
        ["a_b.c: Terraform will not read provider[\"registry.terraform.io/-/my_cloud\"].west \
          from version 4"]
    );
}

#[test]
fn numbers_keep_digits_that_a_float_would_lose() {
    let upgraded = text(
        br#"{"version":3,"modules":[{"path":["root"],"outputs":{
        "n":{"value":[9007199254740993, 0.12345678901234567890123, 1.234567890123456789e2]}}}]}"#,
    );
    for digits in ["9007199254740993", "0.12345678901234567890123", "123.4567890123456789"] {
        assert!(upgraded.contains(&format!("        {digits}")), "{upgraded}");
    }
}

/// Puts one entry into the root module of a state of version 3.
fn with_entry(key: &str, entry: &str) -> String {
    format!(r#"{{"version":3,"modules":[{{"path":["root"],"resources":{{"{key}":{entry}}}}}]}}"#)
}

fn message(document: &str) -> String {
    upgrade(document.as_bytes()).unwrap_err().to_string()
}

#[test]
fn a_malformed_state_is_refused_where_it_is_malformed() {
    for (document, expected) in [
        (r#"{"version":3,"serial":-1}"#, "serial is less than zero"),
        (r#"{"version":3,"serial":1.0}"#, "serial is not a whole number of 64 bits"),
        (r#"{"version":3,"modules":{}}"#, "modules must be an array, not object"),
        (r#"{"version":3,"modules":[null]}"#, "modules[0] must be an object, not null"),
        (r#"{"version":1,"modules":[null]}"#, "modules[0] must be an object, not null"),
        (r#"{"version":3,"modules":[{}]}"#, "modules[0].path must start with `root`"),
        (r#"{"version":3,"modules":[{"path":["x"]}]}"#, "modules[0].path must start with `root`"),
        (
            r#"{"version":3,"modules":[{"path":["root","a[0]"]}]}"#,
            "modules[0].path[1] is not the name of a module: `a[0]`",
        ),
        (r#"{"version":3,"backend":{"hash":-1}}"#, "backend.hash is not a whole number from 0 on"),
        (
            r#"{"version":3,"modules":[{"path":["root"],"outputs":{"o":null}}]}"#,
            "modules[0].outputs.o must be an object, not null",
        ),
        (
            r#"{"version":3,"modules":[{"path":["root"],"outputs":{"o":{"value":[1e400]}}}]}"#,
            "modules[0].outputs.o.value is not free of numbers too large for a float",
        ),
        (
            r#"{"version":1,"modules":[{"outputs":{"o":1}}]}"#,
            "modules[0].outputs.o must be a string, not number",
        ),
    ] {
        assert_eq!(message(document), expected, "{document}");
    }
    assert_eq!(to_v4(b"{}", 4), Err(Error::Version(4)));
    assert!(matches!(to_v4(b"{", 3), Err(Error::Syntax(_))));
}

#[test]
fn a_malformed_resource_is_refused_by_its_name() {
    for (key, entry, expected) in [
        ("a_b.c", "null", "modules[0].resources[\"a_b.c\"] must be an object, not null"),
        (
            "a_b.c",
            r#"{"deposed":[null]}"#,
            "modules[0].resources[\"a_b.c\"].deposed[0] must be an object, not null",
        ),
        (
            "a_b.c",
            r#"{"primary":{"attributes":{"n":1}}}"#,
            "modules[0].resources[\"a_b.c\"].primary.attributes.n must be a string, not number",
        ),
        ("abc", "{}", "modules[0].resources.abc is not the address of a resource: it has no name"),
        (
            "a.b.c.1",
            "{}",
            "modules[0].resources[\"a.b.c.1\"] is not the address of a resource: it has too many \
             parts",
        ),
        (
            "a.b.x",
            "{}",
            "modules[0].resources[\"a.b.x\"] is not the address of a resource: the index is not a \
             whole number",
        ),
        (
            "a_b.c.0",
            r#"{"provider":"provider.aws.${var.x}"}"#,
            "cannot tell the provider of a_b.c[0] from `provider.aws.${var.x}`: the alias is a \
             template, which Terraform never supported there",
        ),
        (
            "a_b.c",
            r#"{"provider":"aws.1"}"#,
            "cannot tell the provider of a_b.c from `aws.1`: not every part of it is a name",
        ),
        (
            "a_b.c",
            r#"{"provider":"xprovider.aws"}"#,
            "cannot tell the provider of a_b.c from `xprovider.aws`: it is not of the form \
             [module.NAME.]provider.NAME[.ALIAS]",
        ),
        (
            "1a_b.c",
            "{}",
            "cannot tell the provider of 1a_b.c from `1a_b`: the type does not start with the \
             name of a provider",
        ),
    ] {
        assert_eq!(message(&with_entry(key, entry)), expected, "{key}");
    }
}

#[test]
fn an_instance_that_two_entries_hold_is_refused() {
    let twice = with_entry("a.b.8", r#"{"primary":{}},"a.b.010":{"primary":{}}"#);
    assert_eq!(message(&twice), "a.b[8] is in the state twice");
}

#[test]
fn errors_and_debug_output_show_no_value() {
    let document = with_entry("a_b.c", r#"{"primary":{"id":"hunter2","attributes":["hunter2"]}}"#);
    let error = upgrade(document.as_bytes()).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    let document = with_entry("a_b.c", r#"{"primary":{"id":"hunter2"}}"#);
    let upgraded = upgrade(document.as_bytes()).unwrap();
    assert!(!format!("{upgraded:?}").contains("hunter2"), "{upgraded:?}");
}

#[test]
fn what_nests_as_deep_as_can_be_read_is_upgraded() {
    let deep = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let document = |depth| {
        let value = deep(depth);
        format!(
            r#"{{"version":3,"modules":[{{"path":["root"],"outputs":{{"o":{{"value":{value}}}}},
            "resources":{{"a.b":{{"primary":{{"meta":{{"m":{value}}}}}}}}}}}]}}"#
        )
    };
    assert!(upgrade(document(500).as_bytes()).is_ok());
    assert!(matches!(to_v4(document(600).as_bytes(), 3), Err(Error::Syntax(_))));
}

/// Something that may stand where `right` is due, and mostly is that.
fn or_junk(right: impl Strategy<Value = String> + 'static) -> BoxedStrategy<String> {
    let junk = prop_oneof![
        Just("null".to_owned()),
        Just("[null]".to_owned()),
        Just("{\"\":[1e999]}".to_owned()),
        Just("-1.5e3".to_owned()),
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    prop_oneof![99 => right, 1 => junk].boxed()
}

fn members(names: &[&'static str], of: BoxedStrategy<String>) -> BoxedStrategy<String> {
    let name = prop::sample::select(names.to_vec());
    let member = (name, of).prop_map(|(name, value)| format!("\"{name}\":{value}"));
    let members = prop::collection::vec(member, 0..5);
    or_junk(members.prop_map(|members| format!("{{{}}}", members.join(","))))
}

fn list(of: BoxedStrategy<String>) -> BoxedStrategy<String> {
    or_junk(prop::collection::vec(of, 0..3).prop_map(|items| format!("[{}]", items.join(","))))
}

fn words(words: &[&'static str]) -> BoxedStrategy<String> {
    or_junk(prop::sample::select(words.to_vec()).prop_map(str::to_owned))
}

/// Documents that look like states of version 1 to 3, with something wrong here and there.
fn documents() -> impl Strategy<Value = String> {
    let flat = words(&["\"1\"", "\"x\"", "\"\""]);
    let flat = members(&["id", "a.#", "a.0", "a.x", "a.0.m.#", "a.0.m.k", ".#", "#", "a..#"], flat);
    let meta = words(&["1", "1.5", "\"2\"", "\"x\"", "-1", "1e300", "0.1e-300", "[{}]"]);
    let meta = members(&["schema_version", "other", "a"], meta);
    let tainted = words(&["true", "false", "null"]);
    let object = (or_junk(Just("\"i\"".to_owned())), flat, meta, tainted).prop_map(
        |(id, attributes, meta, tainted)| {
            format!(r#"{{"id":{id},"attributes":{attributes},"meta":{meta},"TAINTED":{tainted}}}"#)
        },
    );
    let object = or_junk(object);
    let provider =
        words(&["\"\"", "\"aws\"", "\"aws.x.y\"", "\"provider.aws\"", "\"module.a.provider.x.y\""]);
    let entry = (object.clone(), list(object), provider, words(&["[{}]", "[]"])).prop_map(
        |(primary, deposed, provider, tainted)| {
            format!(
                r#"{{"primary":{primary},"deposed":{deposed},"provider":{provider},"tainted":{tainted}}}"#
            )
        },
    );
    let keys = &["a.b", "a.b.0", "a.b.0x_1", "data.a.b", "data.a.b.1", "é.b", "a.b.7"];
    let entries = members(keys, or_junk(entry));
    let value = words(&["1", "[1,\"a\"]", "{\"a\":[1e300,-0.00e5]}", "[[],[]]", "{\"\":null}"]);
    let outputs = members(&["a", "b"], members(&["value", "sensitive", "Value"], value));
    let path = words(&["[\"root\"]", "[\"root\",\"a\"]"]);
    let module = (path, outputs, entries).prop_map(|(path, outputs, resources)| {
        format!(r#"{{"path":{path},"outputs":{outputs},"resources":{resources}}}"#)
    });
    list(or_junk(module)).prop_map(|modules| format!(r#"{{"serial":1,"modules":{modules}}}"#))
}

proptest! {
    #[test]
    fn no_document_makes_it_panic(document in documents(), version in 1u64..4) {
        if let Ok(upgraded) = to_v4(document.as_bytes(), version) {
            prop_assert!(Value::parse(&upgraded.bytes).is_ok());
        }
    }

    #[test]
    fn no_text_makes_it_panic(bytes in any::<Vec<u8>>(), version in 0u64..6) {
        drop(to_v4(&bytes, version));
    }
}
