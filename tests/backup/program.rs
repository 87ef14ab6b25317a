//! The program itself, in a folder and an environment of its own.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use age::secrecy::ExposeSecret as _;
use tempfile::TempDir;
use tfstate::backup::vault::Folder;
use tfstate::backup::{Error, Identities, Keys, Repository};
use tfstate::base::fs;

use crate::place;

/// A folder with a state, a repository, a home and a key.
pub(crate) struct Program {
    folder: TempDir,
    recipient: String,
}

impl Program {
    pub(crate) fn new() -> Self {
        Self::below(tempfile::tempdir().unwrap())
    }

    /// Does as [`new`](Self::new), where nothing has to be synced.
    pub(crate) fn in_memory() -> Self {
        Self::below(place::folder())
    }

    fn below(folder: TempDir) -> Self {
        let key = age::x25519::Identity::generate();
        let secret = key.to_string();
        fs::write_new(&folder.path().join("key.txt"), secret.expose_secret().as_bytes()).unwrap();
        Self { folder, recipient: key.to_public().to_string() }
    }

    /// Returns another folder that holds the same. What is in it is elsewhere: a state there has a
    /// history of its own.
    pub(crate) fn copy(&self) -> Self {
        let folder = place::folder();
        place::copy_folder(self.folder.path(), folder.path());
        Self { folder, recipient: self.recipient.clone() }
    }

    /// Makes its folder what it was when it was copied.
    pub(crate) fn go_back_to(&self, copy: &Self) {
        for entry in std::fs::read_dir(self.folder.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                std::fs::remove_dir_all(path).unwrap();
            } else {
                std::fs::remove_file(path).unwrap();
            }
        }
        place::copy_folder(copy.folder.path(), self.folder.path());
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn recipient(&self) -> &str {
        &self.recipient
    }

    /// Writes the state.
    pub(crate) fn write(&self, state: &[u8]) {
        fs::replace(&self.path("prod.tfstate"), state).unwrap();
    }

    /// Returns a command that sees nothing but this folder.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("HOME", self.path("home"))
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        if let Some(path) = path_variable() {
            command.env("PATH", path);
        }
        command
    }

    /// Returns `tfstate backup` of the state, with more words.
    pub(crate) fn backup(&self, more: &[&str]) -> Command {
        let mut command = self.command(BINARY);
        let recipient =
            ["backup", "prod.tfstate", "--repo", "repo", "--recipient", &self.recipient];
        command.args(recipient).args(more);
        command
    }

    /// Runs it, which has to succeed.
    pub(crate) fn back_up(&self, more: &[&str]) -> Output {
        let output = self.backup(more).output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
        output
    }

    pub(crate) fn repository(&self) -> Repository {
        self.try_repository().unwrap()
    }

    pub(crate) fn try_repository(&self) -> Result<Repository, Error> {
        Repository::open(Arc::new(Folder::new(self.path("repo"))), Keys::default())
    }

    pub(crate) fn identities(&self) -> Identities {
        Identities::read(&[self.path("key.txt")]).unwrap()
    }

    /// Restores everything that is listed; returns the states, the oldest first.
    pub(crate) fn restore_all(&self) -> Vec<Vec<u8>> {
        let (repository, identities) = (self.repository(), self.identities());
        let listed = repository.list().unwrap();
        let restored = |snapshot| repository.get(snapshot, &identities).unwrap().state.to_vec();
        listed.iter().map(restored).collect()
    }
}

/// The program.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_tfstate");

/// Returns all that a process said.
pub(crate) fn text(output: &Output) -> String {
    let part = |bytes| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}{}", part(&output.stdout), part(&output.stderr), output.status)
}

/// Returns whether a program is there.
pub(crate) fn is_installed(program: &str) -> bool {
    let path = path_variable().unwrap_or_default();
    std::env::split_paths(&path).any(|folder| Path::new(&folder).join(program).is_file())
}

#[expect(clippy::disallowed_methods, reason = "where other programs are, is no setting of ours")]
pub(crate) fn path_variable() -> Option<std::ffi::OsString> {
    std::env::var_os("PATH")
}
