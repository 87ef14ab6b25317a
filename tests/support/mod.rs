//! What the end-to-end test binaries share: running `tfstate` with nothing of the environment of
//! whoever runs the tests.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

/// What a finished process left.
pub(crate) struct Run {
    /// The exit status; `None` where a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

/// Runs `tfstate` in an empty folder with an empty environment.
pub(crate) fn tfstate<I: IntoIterator<Item: AsRef<OsStr>>>(arguments: I) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tfstate"));
    command.args(arguments);
    run_apart(command)
}

/// Runs a command in an empty folder, which is its home too, with no variables but those that
/// were set on it.
pub(crate) fn run_apart(mut command: Command) -> Run {
    let set: Vec<_> = command
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let output = command
        .env_clear()
        .env("HOME", folder.path())
        .envs(set)
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Run { code: output.status.code(), stdout: output.stdout, stderr: output.stderr }
}
