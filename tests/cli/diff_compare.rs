//! `tfstate diff`: two environments, schemas of providers, documents in strings.

use std::process::Command;

use crate::sandbox::{Ran, Sandbox};

fn state(id: &str, attributes: &str) -> String {
    format!(
        r#"{{"version":4,"serial":1,"lineage":"l","resources":[{{"mode":"managed","type":"acme_x","name":"a",
        "provider":"provider[\"registry.terraform.io/acme/acme\"]",
        "instances":[{{"schema_version":0,"attributes":{{"id":"{id}",{attributes}}}}}]}}]}}"#
    )
}

fn compared(sandbox: &Sandbox, (before, after): (&str, &str), args: &[&str]) -> Ran {
    sandbox.write("a.tfstate", before);
    sandbox.write("b.tfstate", after);
    sandbox.run(["diff", "a.tfstate", "b.tfstate"].iter().chain(args))
}

#[test]
fn two_environments_are_compared_by_role() {
    let sandbox = Sandbox::new();
    let (here, there) = (
        state("vpc-11111111", r#""name":"net-staging","size":1"#),
        state("vpc-22222222", r#""name":"net-prod","size":2"#),
    );
    let ran = compared(&sandbox, (&here, &there), &["--env"]);
    assert!(ran.stdout.contains("~ size  1 → 2"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("vpc-"), "{}", ran.stdout);
    assert!(ran.stdout.contains("2 differences matched by role (--noise)"), "{}", ran.stdout);
    let json = |args: &[&str]| -> serde_json::Value {
        let args = [&["--env", "-o", "json"], args].concat();
        serde_json::from_str(&compared(&sandbox, (&here, &there), &args).stdout).unwrap()
    };
    assert_eq!(json(&[])["summary"]["by_role"], 2);
    let all = json(&["--noise"]);
    assert_eq!(all["summary"]["by_role"], 0);
    assert_eq!(all["resources"][0]["changes"][0]["quiet"], "role");
    assert_eq!(
        compared(&sandbox, (&here, &here), &["--env", "--detailed-exitcode"]).status,
        Some(0)
    );
}

const SCHEMAS: &str = r#"{"format_version":"1.0","provider_schemas":{"registry.terraform.io/acme/acme":
    {"resource_schemas":{"acme_x":{"version":0,"block":{"attributes":{
    "id":{"type":"string","computed":true},"tags":{"type":["set","string"],"optional":true},
    "note":{"type":"string","sensitive":true}}}}}}}}"#;

#[test]
fn schemas_tell_what_is_a_set_and_what_is_a_secret() {
    let sandbox = Sandbox::new();
    sandbox.write("schemas.json", SCHEMAS);
    let before = state("i", r#""tags":["a","b"],"note":"S3CR3T-1""#);
    let after = state("i", r#""tags":["b","a"],"note":"S3CR3T-2""#);
    let ran = compared(&sandbox, (&before, &after), &[]);
    assert!(ran.stdout.contains("tags[") && ran.stdout.contains("S3CR3T"), "{}", ran.stdout);
    let ran = compared(&sandbox, (&before, &after), &["--schemas", "schemas.json"]);
    assert!(ran.stdout.contains("note  (sensitive value, changed)"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("tags") && !ran.stdout.contains("S3CR3T"), "{}", ran.stdout);
}

#[test]
fn a_file_that_holds_no_schemas_is_refused_by_what_it_is() {
    let sandbox = Sandbox::new();
    let state = state("i", r#""n":1"#);
    for (text, reason) in [
        (Some(state.as_str()), "this is a state, and not provider schemas"),
        (Some("{"), "line 1, column 2: the text ends in the middle of"),
        (Some("{\"format_version\":\"9.0\"}"), "the format version is 9.0"),
        (Some("\u{1b}[2J"), "line 1, column 1"),
        (None, "no such file"),
    ] {
        if let Some(text) = text {
            sandbox.write("s.json", text);
        } else {
            std::fs::remove_file(sandbox.path("s.json")).unwrap();
        }
        let ran = compared(&sandbox, (&state, &state), &["--schemas", "s.json"]);
        assert_eq!((ran.status, ran.stdout.as_str()), (Some(1), ""), "{reason}");
        assert!(ran.stderr.contains("cannot read the schemas in s.json"), "{}", ran.stderr);
        assert!(ran.stderr.contains(reason), "{}", ran.stderr);
        assert!(ran.stderr.contains("hint: "), "{}", ran.stderr);
    }
}

#[test]
fn what_terraform_prints_as_schemas_is_read() {
    let sandbox = Sandbox::new();
    sandbox.write("main.tf", "resource \"terraform_data\" \"a\" {}\n");
    let terraform = |args: &[&str]| {
        let mut command = Command::new("terraform");
        command.args(args).current_dir(sandbox.path("")).env("CHECKPOINT_DISABLE", "1");
        command.env_remove("TF_CLI_CONFIG_FILE").output()
    };
    let Ok(init) = terraform(&["init", "-input=false"]) else {
        std::io::Write::write_all(&mut std::io::stderr(), b"skipped: needs terraform\n").unwrap();
        return;
    };
    assert!(init.status.success(), "{}", String::from_utf8_lossy(&init.stderr));
    let schemas = terraform(&["providers", "schema", "-json"]).unwrap();
    sandbox.write("schemas.json", schemas.stdout);
    let data = |id: &str| {
        state(id, r#""input":null"#)
            .replace("acme_x", "terraform_data")
            .replace("registry.terraform.io/acme/acme", "terraform.io/builtin/terraform")
    };
    let args = ["--schemas", "schemas.json"];
    let ran = compared(&sandbox, (&data("one"), &data("two")), &args);
    assert!(ran.stdout.contains("1 changed"), "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn yaml_in_a_string_is_compared_by_its_keys() {
    let sandbox = Sandbox::new();
    let with = |yaml: &str| state("i", &format!(r#""user_data":"{yaml}""#));
    let before = with(r"#cloud-config\nport: 80\npassword: S3CR3T-1\n");
    let after = with(r"#cloud-config\n\nport:   8080  # web\npassword: S3CR3T-2\n");
    let ran = compared(&sandbox, (&before, &after), &[]);
    assert!(ran.stdout.contains("~ user_data.port      80 → 8080"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("S3CR3T"), "{}", ran.stdout);
    let relaid = with(r"#cloud-config\n# The same.\npassword: S3CR3T-1\nport: 80\n");
    let ran = compared(&sandbox, (&before, &relaid), &[]);
    assert!(
        ran.stdout.contains("no differences · 1 unchanged · 1 change not told"),
        "{}",
        ran.stdout
    );
    let ran = compared(&sandbox, (&before, &relaid), &["--noise"]);
    assert!(ran.stdout.contains("user_data (formatting only)"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("S3CR3T"), "{}", ran.stdout);
}
