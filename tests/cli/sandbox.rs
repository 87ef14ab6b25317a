//! A folder and an environment of its own for each test, so that nothing of the machine shows.

use std::ffi::OsStr;
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// Where a test runs the program.
pub(crate) struct Sandbox {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

/// What a run printed, and how it ended.
pub(crate) struct Ran {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) status: Option<i32>,
}

impl Sandbox {
    /// Makes an empty folder below the working directory of the tests.
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), variables: Vec::new() }
    }

    /// Makes a folder with the state of a shop in it, `shop.tfstate`.
    pub(crate) fn shop() -> Self {
        let sandbox = Self::new();
        sandbox.write("shop.tfstate", include_str!("../../testdata/states/shop-before.tfstate"));
        sandbox
    }

    /// Sets a variable for all runs from now on.
    pub(crate) fn set(&mut self, name: &str, value: impl AsRef<str>) -> &mut Self {
        self.variables.push((name.to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Returns the path of something in the folder, without links.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    /// Writes a file and the folders it is in.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)
            .unwrap();
        file.write_all(text.as_ref()).unwrap();
        path
    }

    /// Runs the program with these arguments, with nothing on standard input.
    pub(crate) fn run<I: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = I>) -> Ran {
        self.run_in("", args)
    }

    /// Runs the program in an inner folder.
    pub(crate) fn run_in<I: AsRef<OsStr>>(
        &self,
        folder: &str,
        args: impl IntoIterator<Item = I>,
    ) -> Ran {
        let mut command = self.command(Path::new(env!("CARGO_BIN_EXE_tfstate")));
        command.args(args).current_dir(self.path(folder)).stdin(Stdio::null());
        self.ran(command.output().unwrap())
    }

    /// Returns a command that sees only the sandbox.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("HOME", self.path("home"))
            .env("COLUMNS", "100")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.path(""));
        command
    }

    /// Makes output readable and the same in every folder.
    pub(crate) fn ran(&self, output: Output) -> Ran {
        let folder = self.path("").to_string_lossy().trim_end_matches('/').to_owned();
        let text = |bytes| String::from_utf8(bytes).unwrap().replace(&folder, "$DIR");
        Ran {
            stdout: text(output.stdout),
            stderr: text(output.stderr),
            status: output.status.code(),
        }
    }
}

/// Standard output, standard error and the exit status, so that a snapshot shows everything.
impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.stdout)?;
        if !self.stderr.is_empty() {
            write!(f, "[stderr]\n{}", self.stderr)?;
        }
        match self.status {
            Some(status) => writeln!(f, "[exit {status}]"),
            None => writeln!(f, "[killed by a signal]"),
        }
    }
}
