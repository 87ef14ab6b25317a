//! The generator of large states, which is a Python script that does not come with the package:
//! `$TFSTATE_GENERATOR`, or its usual place beside the checkout.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The script and the Python to run it with.
pub(crate) struct Generator {
    script: PathBuf,
}

impl Generator {
    /// Returns the generator; `None`, and a word about it, where it or Python is missing.
    pub(crate) fn find() -> Option<Self> {
        let script = script();
        let python = Command::new("python3").arg("--version").output();
        if script.is_file() && python.is_ok_and(|output| output.status.success()) {
            return Some(Self { script });
        }
        // Not `eprintln!`: that is kept back for as long as a test passes.
        let why = format!("needs python3 and {}", script.display());
        std::io::stderr().write_all(format!("skipped: {why}\n").as_bytes()).unwrap();
        None
    }

    /// Runs the generator; `arguments` name the files that it writes.
    pub(crate) fn run(&self, arguments: &[&str]) {
        let output = Command::new("python3").arg(&self.script).args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "the generator failed with {arguments:?}: {said}");
    }
}

#[expect(clippy::disallowed_methods, reason = "where the generator is, is no setting of ours")]
fn script() -> PathBuf {
    std::env::var_os("TFSTATE_GENERATOR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/tools/gen_state.py"),
        PathBuf::from,
    )
}
