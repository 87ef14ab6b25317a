//! `tfstate config show`, and the files it reads.

use insta::assert_snapshot;

use crate::sandbox::Sandbox;

#[test]
fn every_setting_is_shown_with_where_it_came_from() {
    let mut sandbox = Sandbox::new();
    sandbox.set("TFSTATE_REPO", "s3://acme/backups").set("TF_WORKSPACE", "prod");
    let file = "state = 's3://acme/prod'\n\n[backup]\nrecipients = ['age1aaa', 'age1bbb']\n\n[diff]\nignore = ['*.etag']\n";
    sandbox.write("our.toml", file);
    let args = ["config", "show", "--color", "never", "--config", "our.toml"];
    assert_snapshot!(sandbox.run(args), @r#"
    SETTING               VALUE                  FROM
    state                 s3://acme/prod         our.toml:1
    workspace             prod                   TF_WORKSPACE
    color                 never                  --color
    log-format            text                   default
    backup.repo           s3://acme/backups      TFSTATE_REPO
    backup.recipients     ["age1aaa","age1bbb"]  our.toml:4
    backup.encryption     true                   default
    backup.states         []                     default
    backup.keep.last      (not set)              default
    backup.keep.hourly    (not set)              default
    backup.keep.daily     (not set)              default
    backup.keep.weekly    (not set)              default
    backup.keep.monthly   (not set)              default
    backup.keep.yearly    (not set)              default
    backup.keep.within    (not set)              default
    backup.keep.tags      []                     default
    backup.keep.timezone  (not set)              default
    backup.identity       (not set)              default
    diff.ignore           ["*.etag"]             our.toml:7
    [exit 0]
    "#);
}

#[test]
fn the_file_of_a_parent_folder_is_found_and_its_paths_count_from_there() {
    let sandbox = Sandbox::new();
    sandbox.write("tfstate.toml", "state = 'envs/prod.tfstate'\n");
    sandbox.write("envs/deep/.keep", "");
    let shown = sandbox.run_in("envs/deep", ["config", "show", "-o", "json"]).stdout;
    assert!(shown.contains("\"value\": \"$DIR/envs/prod.tfstate\""), "{shown}");
    assert!(shown.contains("\"from\": \"$DIR/tfstate.toml:1\""), "{shown}");
}

#[test]
fn the_flag_wins_over_the_variable_and_that_over_the_file() {
    let mut sandbox = Sandbox::new();
    sandbox.write("tfstate.toml", "workspace = 'file'\n");
    let workspace = |sandbox: &Sandbox, args: &[&str]| {
        let ran = sandbox.run(["config", "show", "-o", "json"].iter().chain(args));
        let shown: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert!(ran.stdout.starts_with("{\n  \"schema\": \"tfstate.config/1\""));
        let rows = shown["settings"].as_array().unwrap();
        let row = rows.iter().find(|row| row["name"] == "workspace").unwrap();
        format!("{} from {} {}", row["value"], row["origin"], row["from"]).replace('"', "")
    };
    assert_eq!(workspace(&sandbox, &[]), "file from file $DIR/tfstate.toml:1");
    sandbox.set("TF_WORKSPACE", "env");
    assert_eq!(workspace(&sandbox, &[]), "env from environment TF_WORKSPACE");
    assert_eq!(workspace(&sandbox, &["--workspace", "flag"]), "flag from flag --workspace");
}

#[test]
fn a_named_file_is_read_instead_of_the_one_that_is_found() {
    let mut sandbox = Sandbox::new();
    sandbox.write("tfstate.toml", "nonsense");
    sandbox.write("mine.toml", "color = 'never'\n");
    sandbox.write("broken.toml", "color = 'red'\n");
    assert_eq!(sandbox.run(["config", "show", "--config", "mine.toml"]).status, Some(0));
    sandbox.set("TFSTATE_CONFIG", "broken.toml");
    assert_eq!(sandbox.run(["config", "show"]).status, Some(1));
    assert_eq!(sandbox.run(["config", "show", "--config", "mine.toml"]).status, Some(0));
}

#[test]
fn an_unknown_key_is_named_with_file_line_column_and_the_nearest_key() {
    let sandbox = Sandbox::new();
    sandbox.write("tfstate.toml", "# ours\n[backup]\nreciipents = []\n");
    assert_snapshot!(sandbox.run(["config", "show"]), @r#"
    [stderr]
    error: cannot use the configuration $DIR/tfstate.toml
      because: line 3, column 1: unknown key `backup.reciipents`
    hint: did you mean `backup.recipients`?
    [exit 1]
    "#);
}

#[test]
fn a_repository_cannot_switch_off_masking() {
    let sandbox = Sandbox::new();
    sandbox.write("tfstate.toml", "reveal = true\n");
    assert_snapshot!(sandbox.run(["config", "show"]), @r#"
    [stderr]
    error: cannot use the configuration $DIR/tfstate.toml
      because: line 1, column 1: `reveal` cannot be set in a file: whoever writes to a repository could switch off masking for everybody who works in it
    hint: give `--reveal` to the command that is to show sensitive values
    [exit 1]
    "#);
}

#[test]
fn a_file_that_is_not_there_is_a_failure_when_it_was_named() {
    assert_snapshot!(Sandbox::new().run(["config", "show", "--config", "none.toml"]), @r#"
    [stderr]
    error: cannot read the configuration none.toml
      because: no such file or directory
    [exit 1]
    "#);
}

#[test]
fn a_password_in_a_url_is_masked_unless_revealed() {
    let mut sandbox = Sandbox::new();
    sandbox.set("TFSTATE_STATE", "https://me:hunter2@state.example/prod?token=hunter2");
    let masked = sandbox.run(["config", "show"]).to_string();
    assert!(!masked.contains("hunter2") && masked.contains("@state.example/prod"), "{masked}");
    assert!(sandbox.run(["config", "show", "--reveal"]).stdout.contains("me:hunter2@"));
}
