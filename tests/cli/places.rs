//! How a state is named: directories with a backend, URLs, and what is wrong with them.

use insta::assert_snapshot;

use crate::sandbox::Sandbox;

const STATE: &str = include_str!("../../testdata/states/shop-before.tfstate");

/// Makes a folder that `terraform init` has recorded this backend in.
fn recorded(backend: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(".terraform/terraform.tfstate", backend);
    sandbox
}

fn record(kind: &str) -> String {
    let config = r#"{"token":"S3CR3T"}"#;
    format!(r#"{{"version":3,"backend":{{"type":"{kind}","config":{config},"hash":1}}}}"#)
}

#[test]
fn a_backend_that_can_not_be_read_says_what_works_today() {
    assert_snapshot!(recorded(&record("consul")).run(["list"]), @r#"
    [stderr]
    error: cannot read the state of .: this version does not read the consul backend
    hint: pipe it in instead: `terraform state pull | tfstate list -`
    [exit 1]
    "#);
    let cloud = Sandbox::new();
    cloud.write("main.tf", "terraform {\n  cloud {\n    organization = \"acme\"\n  }\n}\n");
    assert_snapshot!(cloud.run(["list"]), @r#"
    [stderr]
    error: cannot read the state of .: this version does not read the cloud backend
    hint: pipe it in instead: `terraform state pull | tfstate list -`
    [exit 1]
    "#);
}

#[test]
fn a_recorded_local_backend_is_read_as_files() {
    let sandbox = recorded(include_str!("../../testdata/backends/local.json"));
    sandbox.write("states/prod.tfstate", STATE);
    sandbox.write("states/workspaces/dev/terraform.tfstate", STATE);
    let listed = sandbox.run(["list"]);
    assert_eq!(listed.status, Some(0), "{listed}");
    assert_eq!(sandbox.run(["list", "--workspace", "dev"]).stdout, listed.stdout);
    let backed = sandbox.run(["backup", "--no-encryption", "-q", "--workspace", "*"]);
    let names: Vec<&str> =
        backed.stdout.lines().filter_map(|line| line.split("  ").nth(1)).collect();
    assert_eq!(names, ["states/prod.tfstate", "states/workspaces/dev/terraform.tfstate"]);
}

#[test]
fn a_block_that_needs_a_variable_says_where_and_what_to_do() {
    let sandbox = Sandbox::new();
    let block =
        "terraform {\n  backend \"s3\" {\n    bucket = \"acme\"\n    key    = var.key\n  }\n}\n";
    sandbox.write("backend.tf", block);
    assert_snapshot!(sandbox.run(["list"]), @r#"
    [stderr]
    error: cannot use the backend block in backend.tf:4:14: `key` is not a literal value
    hint: run `terraform init`, or give the setting: `--backend-config KEY=VALUE`
    [exit 1]
    "#);
    sandbox.write("backend.tf", "terraform {\n  backend \"s3\" {}\n}\n");
    assert_snapshot!(sandbox.run(["list"]), @r#"
    [stderr]
    error: cannot use the s3 backend: `bucket` is not set
    hint: look at the backend block, and at what `terraform init` was given: `--backend-config KEY=VALUE`
    [exit 1]
    "#);
    sandbox.write("more.tf", "terraform {\n  backend \"gcs\" {}\n}\n");
    assert_snapshot!(sandbox.run(["list"]), @r#"
    [stderr]
    error: there are two backends: backend.tf:2 and more.tf:2
    hint: a configuration has one backend: remove one
    [exit 1]
    "#);
    assert_snapshot!(sandbox.run(["list", "-backend-config=absent.tfbackend"]), @r#"
    [stderr]
    error: there are two backends: backend.tf:2 and more.tf:2
    hint: a configuration has one backend: remove one
    [exit 1]
    "#);
}

#[test]
fn a_reference_that_names_nothing_is_refused_without_its_credentials() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.run(["list", "s3:///net.tfstate"]), @r#"
    [stderr]
    error: cannot read the reference s3:///net.tfstate: it names no bucket
    hint: references look like s3://BUCKET/KEY, gs://BUCKET/OBJECT, az://CONTAINER/BLOB, https://HOST/PATH or postgres://HOST/DATABASE?schema=NAME
    [exit 1]
    "#);
    assert_snapshot!(sandbox.run(["list", "https://me:S3CR3T@/net"]), @r#"
    [stderr]
    error: cannot read the reference https:///net: it names no host
    hint: references look like s3://BUCKET/KEY, gs://BUCKET/OBJECT, az://CONTAINER/BLOB, https://HOST/PATH or postgres://HOST/DATABASE?schema=NAME
    [exit 1]
    "#);
    assert_snapshot!(sandbox.run(["list", "ftp://me:S3CR3T@host/net?token=S3CR3T"]), @r#"
    [stderr]
    error: cannot read ftp://host/net: this version does not read this kind of location
    hint: pipe it in instead: `terraform state pull | tfstate list -`
    [exit 1]
    "#);
}

#[test]
fn several_states_are_backed_up_by_a_glob_in_the_order_of_their_names() {
    let sandbox = Sandbox::new();
    for name in ["envs/prod/terraform.tfstate", "envs/dev/terraform.tfstate", "envs/notes.txt"] {
        sandbox.write(name, STATE);
    }
    let backed = sandbox.run(["backup", "envs/*", "--no-encryption", "-q"]);
    let names: Vec<&str> =
        backed.stdout.lines().filter_map(|line| line.split("  ").nth(1)).collect();
    assert_eq!(names, ["envs/dev/terraform.tfstate", "envs/prod/terraform.tfstate"]);
    assert_snapshot!(sandbox.run(["backup", "none/*.tfstate", "--no-encryption"]), @r#"
    [stderr]
    error: no state matches none/*.tfstate
    hint: `*` stays between two `/`, and `**` does not: `s3://BUCKET/**/*.tfstate`; quote it for the shell
    [exit 1]
    "#);
}

#[test]
fn one_state_is_needed_where_several_are_named() {
    let sandbox = Sandbox::new();
    sandbox.write("terraform.tfstate", STATE);
    assert_snapshot!(sandbox.run(["stats", "--workspace", "*"]), @r#"
    [stderr]
    error: the workspaces `*` can be several states, and one is needed
    hint: name one; `tfstate backup` and other commands that take several list them all
    [exit 1]
    "#);
}

#[test]
fn several_states_are_listed_each_line_with_its_state() {
    let sandbox = Sandbox::new();
    for name in ["envs/dev.tfstate", "envs/prod.tfstate"] {
        sandbox.write(name, STATE);
    }
    let addresses = ["list", "envs/*.tfstate", "aws_lb.main"];
    assert_eq!(
        sandbox.run(addresses).stdout,
        "envs/dev.tfstate\taws_lb.main\nenvs/prod.tfstate\taws_lb.main\n"
    );
    let json = sandbox.run(["list", "envs/*.tfstate", "aws_lb.main", "-o", "json"]).stdout;
    assert_eq!(json.matches(r#""state":"envs/"#).count(), 2, "{json}");
    sandbox.write("envs/broken.tfstate", "{");
    let partly = sandbox.run(addresses);
    assert_eq!((partly.status, partly.stdout.lines().count()), (Some(3), 2));
    assert!(partly.stderr.contains("envs/broken.tfstate"), "{}", partly.stderr);
    let nowhere = sandbox.run(["list", "envs/*.tfstate", "aws_lb.none"]);
    assert_eq!(nowhere.status, Some(3), "one of them can't be read: {}", nowhere.stderr);
}
