//! Runs the `git` that is installed; nothing of git is built in.
//!
//! Names of revisions and files go to standard input and never become arguments, so that none of
//! them is taken for an option.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::process::{Command, Stdio};

/// Git did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no git on the `PATH`.
    #[error("git is not installed")]
    Missing,
    /// The current directory is in no repository.
    #[error("this directory is in no git repository")]
    NoRepository,
    /// Git ended with another status than 0.
    #[error("git says: {said}")]
    Refused {
        /// The status; `None` where a signal ended it.
        status: Option<i32>,
        /// The first line it said, in English.
        said: String,
    },
    /// Git could not be started or heard.
    #[error("cannot run git")]
    Io(#[from] io::Error),
}

/// Runs git in the current directory and returns what it prints.
pub fn run<I: AsRef<OsStr>>(args: &[I]) -> Result<Vec<u8>, Error> {
    run_with(args, "")
}

/// Does as [`run`] with a text on standard input, which must be short.
pub fn run_with<I: AsRef<OsStr>>(args: &[I], input: &str) -> Result<Vec<u8>, Error> {
    let mut child = Command::new("git")
        .args(args)
        // What git says is told apart below, whatever language its user speaks.
        .env("LC_ALL", "C")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(Error::starting)?;
    if let Some(mut stdin) = child.stdin.take() {
        // Git that gives up before it reads says why on standard error.
        let _given = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output()?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(Error::refused(output.status.code(), &String::from_utf8_lossy(&output.stderr)))
}

/// Returns what git prints without the line feed at its end.
pub fn line<I: AsRef<OsStr>>(args: &[I]) -> Result<String, Error> {
    let printed = run(args)?;
    let text = String::from_utf8_lossy(&printed);
    Ok(text.strip_suffix('\n').unwrap_or(&text).to_owned())
}

impl Error {
    fn starting(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing,
            _ => Self::Io(error),
        }
    }

    fn refused(status: Option<i32>, said: &str) -> Self {
        let first = said.lines().next().unwrap_or("nothing");
        let first = first.strip_prefix("fatal: ").unwrap_or(first);
        if first.starts_with("not a git repository") {
            return Self::NoRepository;
        }
        Self::Refused { status, said: first.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_says_is_sorted_by_what_can_be_done() {
        let said = "fatal: not a git repository (or any of the parent directories): .git\n";
        assert!(matches!(Error::refused(Some(128), said), Error::NoRepository));
        let dubious = Error::refused(Some(128), "fatal: detected dubious ownership\nTo add\n");
        assert_eq!(dubious.to_string(), "git says: detected dubious ownership");
        let missing = Error::starting(io::ErrorKind::NotFound.into());
        assert_eq!(missing.to_string(), "git is not installed");
    }
}
