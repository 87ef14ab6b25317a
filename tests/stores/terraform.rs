//! The real Terraform as the other party, where it is installed: what it writes is read, what it
//! locks is locked, and what is locked here keeps it out.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tfstate::base::env::Env;
use tfstate::base::fs;
use tfstate::base::secret::Secret;
use tfstate::store::backend::{Http, Local, Pg};
use tfstate::store::{Backend, Body, Error, Expected, Found, Holder, Store, Version, connect};

use crate::cluster::Cluster;
use crate::contract::info;
use crate::server::Server;

/// A resource whose making waits for a file, so that the lock is held until the test has looked.
const RESOURCE: &str = r#"
resource "terraform_data" "a" {
  input = var.input
  triggers_replace = var.input
  provisioner "local-exec" {
    command = "touch started; while [ ! -e go ]; do sleep 0.05; done"
  }
}
variable "input" {}
"#;

/// A working directory, and the store that Terraform uses there.
struct Place {
    folder: TempDir,
    store: Arc<dyn Store>,
    key: &'static str,
}

impl Place {
    /// Makes one with this backend; `None`, and a word about it, where there is no Terraform.
    fn new(block: &str, key: &'static str, backend: impl Fn(&Path) -> Backend) -> Option<Self> {
        if Command::new("terraform").arg("-version").output().is_err() {
            eprintln!("skipped: needs terraform");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let store = connect(&backend(folder.path()), &Env::default()).unwrap();
        let place = Self { folder, store, key };
        let text = format!("terraform {{\n{block}\n}}\n{RESOURCE}");
        fs::write_new(&place.path("main.tf"), text.as_bytes()).unwrap();
        let init = place.terraform(&["init", "-input=false"]);
        assert!(init.status.success(), "{}", said(&init));
        Some(place)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("terraform");
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command.env_remove("TF_CLI_CONFIG_FILE").env("CHECKPOINT_DISABLE", "1");
        command
    }

    fn terraform(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn apply(&self, input: &str) -> Output {
        self.terraform(&["apply", "-auto-approve", "-no-color", &format!("-var=input={input}")])
    }

    /// Starts an apply, and returns once it is under way; it ends when there is a file `go`.
    fn waiting_apply(&self, more: &[&str]) -> std::process::Child {
        let mut arguments = vec!["apply", "-auto-approve", "-no-color", "-var=input=waiting"];
        arguments.extend(more);
        let mut command = self.command(&arguments);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        self.await_file("started");
        child
    }

    fn await_file(&self, name: &str) {
        let start = Instant::now();
        while !self.path(name).exists() {
            assert!(start.elapsed() < Duration::from_mins(1), "{name} does not come");
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn go(&self) {
        fs::replace(&self.path("go"), b"").unwrap();
    }

    fn state(&self) -> (Vec<u8>, Version) {
        match self.store.read(self.key).unwrap() {
            Found::Bytes(bytes, version) => (bytes.to_vec(), version),
            other => panic!("{other:?}"),
        }
    }

    fn serial(&self) -> u64 {
        let state: serde_json::Value = serde_json::from_slice(&self.state().0).unwrap();
        state["serial"].as_u64().unwrap()
    }

    /// Terraform holds the lock, and we are told so; then it lets go.
    fn terraform_keeps_us_out(&self, is_named: bool) {
        let mut apply = self.waiting_apply(&[]);
        let locks = self.store.locks().unwrap();
        match locks.acquire(self.key, &info(1)) {
            Err(Error::Locked { holder, .. }) => match *holder {
                Holder::Somebody { info, .. } if is_named => {
                    assert_eq!(
                        (info.operation.as_str(), info.version.len() > 3),
                        ("OperationTypeApply", true)
                    );
                }
                Holder::Unnamed { why } if !is_named => assert!(why.contains("process"), "{why}"),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
        self.go();
        assert!(apply.wait().unwrap().success());
        assert_eq!(locks.holder(self.key).unwrap(), Holder::Nobody);
        assert!(String::from_utf8(self.state().0).unwrap().contains("waiting"));
    }

    /// We hold the lock and write under it, and Terraform is kept out, then plans no change.
    fn we_keep_terraform_out(&self) {
        let held = self.store.locks().unwrap().acquire(self.key, &info(1)).unwrap();
        let refused = self.apply("refused");
        assert!(!refused.status.success());
        assert!(said(&refused).contains("Error acquiring the state lock"), "{}", said(&refused));
        let (bytes, version) = self.state();
        let serial = self.serial();
        let (old, new) = (format!("\"serial\": {serial}"), format!("\"serial\": {}", serial + 1));
        let bytes = String::from_utf8(bytes).unwrap().replacen(&old, &new, 1);
        let expected = Expected::Version(&version);
        let body = Body { bytes: bytes.as_bytes(), expected, lock: Some(held.id()) };
        self.store.write(self.key, &body).unwrap();
        held.release().unwrap();
        assert_eq!(self.serial(), serial + 1);
        let plan = ["plan", "-detailed-exitcode", "-no-color", "-var=input=waiting"];
        let plan = self.terraform(&plan);
        assert_eq!(plan.status.code(), Some(0), "{}", said(&plan));
    }
}

fn said(output: &Output) -> String {
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("{out}{err}")
}

fn local() -> Option<Place> {
    Place::new("", "", |folder| {
        let path = Some(folder.join("terraform.tfstate"));
        Backend::Local(Local { path, workspace_dir: None })
    })
}

#[test]
fn local_files_are_shared_with_terraform() {
    let Some(place) = local() else { return };
    place.terraform_keeps_us_out(true);
    place.we_keep_terraform_out();
}

#[test]
fn a_terraform_that_waits_for_a_file_finds_what_was_written_meanwhile() {
    let Some(place) = local() else { return };
    place.go();
    assert!(place.apply("waiting").status.success());
    let held = place.store.locks().unwrap().acquire("", &info(1)).unwrap();
    let arguments =
        ["apply", "-auto-approve", "-no-color", "-var=input=later", "-lock-timeout=20s"];
    let apply = place.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    // By then it has opened the file, and tries its lock again and again.
    thread::sleep(Duration::from_secs(2));
    let (bytes, version) = place.state();
    let serial = place.serial();
    let text = String::from_utf8(bytes).unwrap();
    let text = text.replacen(&format!("\"serial\": {serial}"), "\"serial\": 1000", 1);
    let expected = Expected::Version(&version);
    let body = Body { bytes: text.as_bytes(), expected, lock: Some(held.id()) };
    place.store.write("", &body).unwrap();
    held.release().unwrap();
    let apply = apply.unwrap().wait_with_output().unwrap();
    assert!(apply.status.success(), "{}", said(&apply));
    assert!(place.serial() > 1000, "Terraform went on from what was written");
    assert!(String::from_utf8(place.state().0).unwrap().contains("later"));
}

fn http(server: &Server) -> Option<Place> {
    let (state, lock) = (server.url("/state"), server.url("/lock"));
    let block = format!(
        "backend \"http\" {{\n address = \"{state}\"\n lock_address = \"{lock}\"\n \
         unlock_address = \"{lock}\"\n}}"
    );
    Place::new(&block, "", |_| {
        Backend::Http(Box::new(Http {
            address: state.clone(),
            lock_address: Some(lock.clone()),
            unlock_address: Some(lock.clone()),
            ..Http::default()
        }))
    })
}

#[test]
fn a_state_behind_http_is_shared_with_terraform() {
    let server = Server::start();
    let Some(place) = http(&server) else { return };
    place.terraform_keeps_us_out(true);
    place.we_keep_terraform_out();
    let sent = server.kept().seen.iter().rev().find(|seen| seen.method == "LOCK").cloned();
    let theirs: serde_json::Value = serde_json::from_slice(&sent.unwrap().body).unwrap();
    assert_eq!(theirs["Path"], "", "as ours is");
    let held = place.store.locks().unwrap().acquire("", &info(1)).unwrap();
    let unlock = place.terraform(&["force-unlock", "-force", held.id()]);
    assert!(unlock.status.success(), "{}", said(&unlock));
    assert!(held.release().is_err(), "the lock was broken");
}

#[test]
fn a_terraform_that_died_is_unlocked_by_its_id() {
    let server = Server::start();
    let Some(place) = http(&server) else { return };
    let mut apply = place.waiting_apply(&[]);
    apply.kill().unwrap();
    apply.wait().unwrap();
    place.go();
    let locks = place.store.locks().unwrap();
    let Holder::Somebody { id, .. } = locks.holder("").unwrap() else { panic!("nobody") };
    locks.break_lock("", &id).unwrap();
    assert!(place.apply("again").status.success());
}

#[test]
fn rows_of_a_table_are_shared_with_terraform() {
    let Some(cluster) = Cluster::shared() else { return };
    let address = cluster.database("terraform");
    let block = format!("backend \"pg\" {{ conn_str = \"{address}\" }}");
    let place = Place::new(&block, "default", |_| {
        let conn_str = Some(Secret::new(address.clone()));
        Backend::Pg(Box::new(Pg { conn_str, ..Pg::default() }))
    });
    let Some(place) = place else { return };
    place.terraform_keeps_us_out(false);
    place.we_keep_terraform_out();
}

#[test]
fn terraform_uses_the_table_that_we_made() {
    let Some(cluster) = Cluster::shared() else { return };
    let address = cluster.database("ours");
    let settings = Pg { conn_str: Some(Secret::new(address.clone())), ..Pg::default() };
    let store = connect(&Backend::Pg(Box::new(settings.clone())), &Env::default()).unwrap();
    let state = br#"{"version":4,"terraform_version":"1.11.4","serial":7,"lineage":"l","outputs":{},"resources":[]}"#;
    let body = Body { bytes: state, expected: Expected::Nothing, lock: None };
    store.write("default", &body).unwrap();
    let block = format!("backend \"pg\" {{ conn_str = \"{address}\" }}");
    let place = Place::new(&block, "default", |_| Backend::Pg(Box::new(settings.clone())));
    let Some(place) = place else { return };
    place.go();
    let apply = place.apply("a");
    assert!(apply.status.success(), "{}", said(&apply));
    assert!(place.serial() > 7);
}
