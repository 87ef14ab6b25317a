//! `tfstate diff`: what is told, what is only counted, and what is left out.

use crate::sandbox::{Ran, Sandbox};

const CONFIG: &str = "[diff]\nignore = ['aws_*.tags_all']\n";

fn state(tag: &str, etag: &str, name: &str) -> String {
    let instance = |kind: &str, attributes: String| {
        format!(
            r#"{{"mode":"managed","type":"{kind}","name":"a",
                "provider":"provider[\"registry.terraform.io/hashicorp/aws\"]",
                "instances":[{{"schema_version":0,"attributes":{attributes}}}]}}"#
        )
    };
    let bucket = instance("aws_s3_object", format!(r#"{{"id":"k","etag":"{etag}"}}"#));
    let vpc = instance(
        "aws_vpc",
        format!(r#"{{"id":"v","tags_all":{{"env":"{tag}"}},"name":"{name}"}}"#),
    );
    format!(r#"{{"version":4,"serial":1,"lineage":"l","resources":[{bucket},{vpc}]}}"#)
}

/// Compares two states in which a tag, an etag and a name differ; returns the paths and `ignored`.
fn compared(sandbox: &Sandbox, args: &[&str]) -> (Vec<String>, u64) {
    let ran = run(sandbox, args);
    let diff: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let resources = diff["resources"].as_array().unwrap().iter();
    let changes = resources.flat_map(|resource| resource["changes"].as_array().unwrap());
    let paths = changes.map(|change| change["path"].as_str().unwrap().to_owned()).collect();
    (paths, diff["summary"]["ignored"].as_u64().unwrap())
}

fn run(sandbox: &Sandbox, args: &[&str]) -> Ran {
    sandbox.write("a.tfstate", state("dev", "e-1", "one"));
    sandbox.write("b.tfstate", state("prod", "e-2", "two"));
    sandbox.run(["diff", "a.tfstate", "b.tfstate", "-o", "json"].iter().chain(args))
}

#[test]
fn noise_is_counted_and_one_flag_away() {
    let sandbox = Sandbox::new();
    assert_eq!(compared(&sandbox, &[]).0, ["name", "tags_all.env"]);
    assert_eq!(compared(&sandbox, &[]).1, 1);
    let all = ["etag", "name", "tags_all.env"].map(str::to_owned).to_vec();
    assert_eq!(compared(&sandbox, &["--noise"]), (all, 0));
}

#[test]
fn rules_are_typed_or_configured_and_noise_tells_what_the_file_ignores() {
    let sandbox = Sandbox::new();
    assert_eq!(compared(&sandbox, &["--ignore", "*.name"]).0, ["tags_all.env"]);
    sandbox.write("tfstate.toml", CONFIG);
    assert_eq!(compared(&sandbox, &[]), (vec!["name".to_owned()], 2));
    assert_eq!(compared(&sandbox, &["--ignore", "aws_vpc.n*"]), (Vec::new(), 3));
    let shown = compared(&sandbox, &["--noise", "--ignore", "*.name"]);
    assert_eq!(shown, (vec!["etag".to_owned(), "tags_all.env".to_owned()], 1));
}

#[test]
fn states_in_which_only_what_is_ignored_changed_do_not_differ() {
    let sandbox = Sandbox::new();
    let status = |args: &[&str]| run(&sandbox, &[&["--detailed-exitcode"], args].concat()).status;
    assert_eq!(status(&["--ignore", "aws_vpc.*"]), Some(0));
    assert_eq!(status(&["--ignore", "aws_vpc.*", "--noise"]), Some(2));
}

#[test]
fn a_filter_keeps_what_matches() {
    let sandbox = Sandbox::new();
    let only = |filter| compared(&sandbox, &["--noise", "--only", filter]).0;
    assert_eq!(only("type:aws_s3_object"), ["etag"]);
    assert_eq!(only("attr:name=two"), ["name", "tags_all.env"]);
    assert!(only("type:none").is_empty());
}

#[test]
fn a_rule_that_can_not_be_read_is_refused_with_an_example() {
    insta::assert_snapshot!(run(&Sandbox::new(), &["--ignore", "etag"]), @r"
    [stderr]
    error: cannot read the rule `etag`
      because: a rule is a type, a dot and a path
    hint: write a type, a dot and a path, such as `aws_*.tags_all`
    [exit 1]
    ");
}

#[test]
fn what_belongs_together_is_published_beside_the_instances() {
    let sandbox = Sandbox::new();
    let state = |module: &str, key: &str, status: &str| {
        let instance = |place: &str, id: &str, key: &str| {
            format!(
                r#"{{{place}"mode":"managed","type":"x","name":"a","provider":"provider[\"acme/acme\"]",
                    "instances":[{{{key}"schema_version":0,"attributes":{{"id":"{id}"}}}}]}}"#
            )
        };
        let moved = instance(&format!(r#""module":"module.{module}","#), "h-1", "");
        let keyed = instance("", "h-2", &format!(r#""index_key":{key},"#));
        format!(
            r#"{{"version":4,"serial":1,"lineage":"l","resources":[{moved},{keyed}],"check_results":[
                {{"object_kind":"check","config_addr":"check.c","status":"{status}","objects":null}}]}}"#
        )
    };
    sandbox.write("a.tfstate", state("p", "0", "pass"));
    sandbox.write("b.tfstate", state("q", "\"k\"", "fail"));
    let ran = sandbox.run(["diff", "a.tfstate", "b.tfstate", "-o", "json"]);
    let diff: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let expected = serde_json::json!({
        "checks": [{"address": "check.c", "kind": "check", "before": "pass", "after": "fail"}],
        "module_moves": [{"from": "module.p", "to": "module.q", "instances": 1}],
        "key_conversions": [
            {"resource": "x.a", "from": "count", "to": "for_each", "instances": 1}],
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&diff[key], value);
    }
    assert_eq!(diff["resources"][0]["key_conversion"], 0);
    assert_eq!(diff["resources"][1]["module_move"], 0);
}
