//! The one place where errors of the library become what the user reads: what failed, why, and
//! what to do next, with the exit status that goes with it.

mod change;
mod from;
mod remote;
mod schedule;

use std::error::Error;
use std::io;
use std::process::{ExitCode, ExitStatus};

/// The exit statuses; they are part of the contract with scripts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Exit {
    /// Done, and the answer is yes.
    Done,
    /// Could not do it; nothing was changed.
    Failed,
    /// Done, and the answer is no.
    No,
    /// Done for some of several states.
    Partly,
    /// Somebody else holds the lock.
    Locked,
    /// Stopped by the user.
    Interrupted,
    /// As a command did that was run.
    Command(u8),
}

impl Exit {
    /// Returns the status that stands for how a command ended, as shells tell it.
    pub(crate) fn of_command(status: ExitStatus) -> Self {
        #[cfg(unix)]
        if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
            return Self::Command(u8::try_from(128 + signal).unwrap_or(u8::MAX));
        }
        Self::Command(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
    }

    /// Returns the number of it.
    pub(crate) fn status(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::No => 2,
            Self::Partly => 3,
            Self::Locked => 4,
            Self::Interrupted => 130,
            Self::Command(status) => status,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.status())
    }
}

/// Why a command did not do what it was asked, as it is shown.
///
/// One whose exit is [`Exit::Done`] says nothing: whoever read the output has seen enough of it.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// The status to exit with.
    pub(crate) exit: Exit,
    /// What was being done, to what.
    pub(crate) error: String,
    /// Why it failed: the causes, from the outside in.
    pub(crate) because: Vec<String>,
    /// What to do next: imperative, with a command to paste where there is one.
    pub(crate) hints: Vec<String>,
}

impl Failure {
    /// Makes a failure without a cause.
    pub(crate) fn new(error: impl Into<String>) -> Self {
        Self { exit: Exit::Failed, error: error.into(), because: Vec::new(), hints: Vec::new() }
    }

    /// Makes a failure of an error and the chain of its sources.
    pub(crate) fn of(error: &dyn Error) -> Self {
        Self { because: chain(error.source()), ..Self::new(error.to_string()) }
    }

    /// Adds an error and the chain of its sources as the causes.
    pub(crate) fn because(mut self, cause: &(dyn Error + 'static)) -> Self {
        self.because.extend(chain(Some(cause)));
        self
    }

    /// Returns what failed and why in one line.
    pub(crate) fn in_short(&self) -> String {
        let causes = self.because.iter().map(String::as_str);
        std::iter::once(self.error.as_str()).chain(causes).collect::<Vec<_>>().join(": ")
    }

    /// Sets another exit status.
    pub(crate) fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// Adds advice.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds advice where there is some.
    pub(crate) fn hints(mut self, hint: Option<impl Into<String>>) -> Self {
        self.hints.extend(hint.map(Into::into));
        self
    }
}

/// Returns an error's text and those of its sources; one that repeats the text before it, as
/// wrappers do that show their source, is left out.
fn chain(first: Option<&(dyn Error + 'static)>) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    let errors = std::iter::successors(first, |&error| error.source());
    for text in errors.map(system_text) {
        if texts.last() != Some(&text) {
            texts.push(text);
        }
    }
    texts
}

/// Returns an error's text, without the number that the standard library adds to those of the
/// operating system.
fn system_text(error: &(dyn Error + 'static)) -> String {
    let text = error.to_string();
    let system = error.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error);
    let Some(number) = system else { return text };
    let shown = text.strip_suffix(&format!(" (os error {number})")).unwrap_or(&text);
    let mut letters = shown.chars();
    let lower = letters.next().map(|first| first.to_lowercase().chain(letters).collect());
    lower.unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot open a.tfstate")]
    struct Outer(#[source] io::Error);

    #[test]
    fn every_source_becomes_a_cause_once() {
        let outer = Outer(io::Error::other(Outer(io::Error::other("the disk is on fire"))));
        let failure = Failure::of(&outer);
        assert_eq!(failure.error, "cannot open a.tfstate");
        assert_eq!(failure.because, ["cannot open a.tfstate", "the disk is on fire"]);
    }

    #[test]
    fn the_systems_errors_read_like_ours() {
        let failure = Failure::of(&Outer(io::Error::from_raw_os_error(2)));
        assert_eq!(failure.because, ["no such file or directory"]);
    }

    #[test]
    fn a_closed_pipe_is_no_failure_and_a_full_disk_is() {
        let closed = crate::cli::output::Error::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(Failure::from(closed).exit, Exit::Done);
        let full = crate::cli::output::Error::from(io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(Failure::from(full).exit, Exit::Failed);
    }
}
