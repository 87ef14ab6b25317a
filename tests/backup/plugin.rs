//! Snapshots for a recipient of a plugin, by a plugin that runs.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::place::state;
use crate::program::{BINARY, Program, is_installed, path_variable, text};

/// Both hold the sixteen bytes `mirror, mirror..`.
const RECIPIENT: &str = "age1mirror1d45hyun0wgkzqmtfwfex7u3w9c3cfl7p";
const IDENTITY: &str = "AGE-PLUGIN-MIRROR-1D45HYUN0WGKZQMTFWFEX7U3W9CKS3937";

const PLUGIN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/backup/age-plugin-mirror");

/// Returns a command that finds the plugin.
fn command(program: &Program, words: &[&str]) -> Command {
    let folder = program.path("bin");
    fs::create_dir_all(&folder).unwrap();
    let plugin = folder.join("age-plugin-mirror");
    fs::copy(PLUGIN, &plugin).unwrap();
    fs::set_permissions(&plugin, fs::Permissions::from_mode(0o755)).unwrap();
    let others = path_variable().unwrap();
    let folders = std::iter::once(folder).chain(std::env::split_paths(&others));
    let mut command = program.command(BINARY);
    command.args(words).env("PATH", std::env::join_paths(folders).unwrap());
    command
}

const BACKUP: [&str; 6] = ["backup", "prod.tfstate", "--repo", "repo", "--recipient", RECIPIENT];

#[test]
fn a_plugin_encrypts_and_decrypts_what_its_recipient_and_identity_are_for() {
    if !is_installed("python3") {
        return crate::place::skipped("the plugin, which wants python3");
    }
    let program = Program::new();
    let versions = [state(300, 1), state(300, 2)];
    for version in &versions {
        program.write(version);
        let words = [BACKUP.as_slice(), &["--strategy", "incremental"]].concat();
        let output = command(&program, &words).output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
    }
    tfstate::base::fs::write_new(&program.path("mirror.txt"), IDENTITY.as_bytes()).unwrap();
    for (reference, version) in [("prod.tfstate@-1", &versions[0]), ("prod.tfstate", &versions[1])]
    {
        let words = ["restore", reference, "--repo", "repo", "--to", "old.tfstate"];
        let mut restore = command(&program, &words);
        let output = restore.args(["--identity", "mirror.txt"]).output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
        assert_eq!(fs::read(program.path("old.tfstate")).unwrap(), *version);
        fs::remove_file(program.path("old.tfstate")).unwrap();
    }
    let words = ["restore", "prod.tfstate", "--repo", "repo", "--to", "old.tfstate"];
    let output = command(&program, &words).args(["--identity", "key.txt"]).output().unwrap();
    let said = text(&output);
    assert!(
        !output.status.success() && said.contains("not encrypted for any of the given"),
        "{said}"
    );
}

#[test]
fn a_plugin_that_is_not_installed_is_named() {
    let program = Program::new();
    program.write(&state(3, 1));
    let output = program.command(BINARY).args(BACKUP).output().unwrap();
    assert!(!output.status.success());
    let said = text(&output);
    assert!(said.contains("there is no program `age-plugin-mirror`"), "{said}");
}
