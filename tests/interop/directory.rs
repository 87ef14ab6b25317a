//! A working directory of real terraform.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tfstate::base::fs;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(90);

/// A working directory with one backend.
pub(crate) struct Directory {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

/// What a program said.
pub(crate) struct Said {
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { status: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }
}

impl Said {
    /// Returns what was printed, where the program was content.
    #[track_caller]
    fn fine(self) -> String {
        assert_eq!(self.status, Some(0), "{}\n{}", self.out, self.err);
        self.out
    }
}

impl Directory {
    /// Makes one; nothing, said aloud, where there is no terraform.
    pub(crate) fn new(backend: &str) -> Option<Self> {
        if Command::new("terraform").arg("version").output().is_err() {
            eprintln!("there is no terraform on the PATH: skipped");
            return None;
        }
        let directory = Self { folder: tempfile::tempdir().unwrap(), variables: Vec::new() };
        directory.write("backend.tf", &format!("terraform {{\n  {backend}\n}}\n"));
        directory.configure(2, "");
        Some(directory)
    }

    /// Sets a variable for all programs from now on.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, text: &str) {
        fs::replace(&self.path().join(name), text.as_bytes()).unwrap();
    }

    /// Writes a configuration of so many instances, and what else it is to hold.
    fn configure(&self, count: usize, more: &str) {
        let text = format!(
            "resource \"terraform_data\" \"it\" {{\n  count = {count}\n  input = \"S3CR3T-${{count.index}}\"\n}}\n\
             output \"size\" {{\n  value = {count}\n}}\n{more}"
        );
        self.write("main.tf", &text);
    }

    fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(args).current_dir(self.path()).stdin(Stdio::null());
        command.env("CHECKPOINT_DISABLE", "1").env_remove("TF_CLI_CONFIG_FILE");
        command.env("HOME", self.path()).env("XDG_STATE_HOME", self.path().join("home"));
        command.env("TF_IN_AUTOMATION", "1").env_remove("TF_WORKSPACE");
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    fn terraform(&self, args: &[&str]) -> Said {
        self.command("terraform", args).output().unwrap().into()
    }

    fn tfstate(&self, args: &[&str]) -> Said {
        self.command(env!("CARGO_BIN_EXE_tfstate"), args).output().unwrap().into()
    }

    /// Holds everything that must hold of a backend.
    pub(crate) fn everything(&self, names_holder: bool) {
        self.terraform(&["init", "-no-color"]).fine();
        self.terraform(&["apply", "-auto-approve", "-no-color"]).fine();
        self.what_terraform_writes_is_read();
        self.what_is_pushed_is_what_terraform_plans_with();
        self.what_is_rolled_back_is_what_terraform_plans_with();
        self.terraforms_lock_is_respected(names_holder);
        self.our_lock_is_respected();
        self.workspaces_are_found();
    }

    fn what_terraform_writes_is_read(&self) {
        let ours = self.tfstate(&["list"]).fine();
        assert_eq!(ours, self.terraform(&["state", "list"]).fine());
        assert_eq!(ours.lines().count(), 2);
        let pulled = self.tfstate(&["pull"]).fine();
        let theirs = self.terraform(&["state", "pull"]).fine();
        // Terraform prints a line feed more than it stores.
        assert_eq!(pulled.trim_end(), theirs.trim_end());
    }

    fn what_is_pushed_is_what_terraform_plans_with(&self) {
        self.tfstate(&["pull", "--to", "two.tfstate"]).fine();
        self.configure(1, "");
        self.terraform(&["apply", "-auto-approve", "-no-color"]).fine();
        let older = self.tfstate(&["push", "two.tfstate"]);
        assert_eq!(older.status, Some(1), "{}", older.err);
        assert!(older.err.contains("serial"), "{}", older.err);
        self.tfstate(&["push", "two.tfstate", "--force"]).fine();
        self.configure(2, "");
        let plan = self.terraform(&["plan", "-detailed-exitcode", "-no-color"]);
        assert_eq!(plan.status, Some(0), "{}\n{}", plan.out, plan.err);
        self.terraform(&["apply", "-auto-approve", "-no-color"]).fine();
    }

    fn what_is_rolled_back_is_what_terraform_plans_with(&self) {
        self.tfstate(&["backup", "--no-encryption", "--repo", "backups"]).fine();
        self.configure(1, "");
        self.terraform(&["apply", "-auto-approve", "-no-color"]).fine();
        let restored = self.tfstate(&["restore", "--repo", "backups", "--yes"]);
        assert!(restored.err.contains("Undo it"), "{}", restored.err);
        restored.fine();
        self.configure(2, "");
        let plan = self.terraform(&["plan", "-detailed-exitcode", "-no-color"]);
        assert_eq!(plan.status, Some(0), "{}\n{}", plan.out, plan.err);
        self.terraform(&["apply", "-auto-approve", "-no-color"]).fine();
        // The one before the roll-back was kept, too.
        self.tfstate(&["verify", "--read-data", "--repo", "backups"]).fine();
        assert!(self.tfstate(&["snapshots", "--repo", "backups"]).fine().contains("before-change"));
    }

    fn terraforms_lock_is_respected(&self, names_holder: bool) {
        self.configure(
            2,
            "resource \"terraform_data\" \"slow\" {\n  provisioner \"local-exec\" {\n    \
             command = \"touch started; while [ ! -e release ]; do sleep 0.1; done\"\n  }\n}\n",
        );
        let mut apply = self.spawn("terraform", &["apply", "-auto-approve", "-no-color"]);
        self.wait_for("started", &mut apply);
        let shown = self.tfstate(&["lock", "show"]).fine();
        assert!(shown.contains("is locked"), "{shown}");
        assert!(!names_holder || shown.contains("OperationTypeApply"), "{shown}");
        let refused = self.tfstate(&["push", "two.tfstate", "--force"]);
        assert_eq!(refused.status, Some(4), "{}", refused.err);
        assert!(!names_holder || refused.err.contains('@'), "the holder is named: {}", refused.err);
        self.write("release", "");
        assert!(apply.wait().unwrap().success());
        assert!(!self.tfstate(&["lock", "show"]).fine().contains("is locked"));
    }

    fn our_lock_is_respected(&self) {
        let inside = ["lock", "run", "--", "terraform", "plan", "-no-color"];
        let refused = self.tfstate(&inside);
        assert_eq!(refused.status, Some(1), "{}\n{}", refused.out, refused.err);
        assert!(refused.err.contains("Error acquiring the state lock"), "{}", refused.err);
        self.terraform(&["plan", "-no-color"]).fine();
    }

    fn workspaces_are_found(&self) {
        if !self.terraform(&["workspace", "new", "second"]).fine().contains("second") {
            return;
        }
        self.configure(4, "");
        self.terraform(&["apply", "-auto-approve", "-no-color"]).fine();
        assert_eq!(self.tfstate(&["list"]).fine().lines().count(), 4);
        assert_eq!(self.tfstate(&["list", "--workspace", "default"]).fine().lines().count(), 3);
        self.terraform(&["workspace", "select", "default"]).fine();
        assert_eq!(self.tfstate(&["list", "--workspace", "second"]).fine().lines().count(), 4);
    }

    fn spawn(&self, program: &str, args: &[&str]) -> Child {
        let mut command = self.command(program, args);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn wait_for(&self, file: &str, child: &mut Child) {
        let start = Instant::now();
        while !self.path().join(file).exists() {
            assert!(start.elapsed() < PATIENCE, "terraform did not get as far as `{file}`");
            assert!(child.try_wait().unwrap().is_none(), "terraform ended early");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
