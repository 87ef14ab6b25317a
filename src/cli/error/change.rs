//! What errors of commands that change a state mean to a person.

use super::Failure;
use super::remote::unlock_hint;
use crate::ops::push::{self, Refusal};
use crate::ops::restore::{self, only};
use crate::ops::session;
use crate::state::parse::ParseError;

impl From<session::Error> for Failure {
    fn from(error: session::Error) -> Self {
        match error {
            session::Error::Store(error) => error.into(),
            session::Error::Keep { .. } => Self::of(&error)
                .hint("name a place for the copy that can be written: `--repo FOLDER`"),
            session::Error::HalfWritten { error, kept } => {
                Self::from(*error).hints(kept.as_deref().map(copy_hint))
            }
            session::Error::NotWritten { ref kept, .. } => Self::of(&error)
                .hint("look at what is there before anybody runs `terraform apply`: `tfstate pull`")
                .hints(kept.as_deref().map(copy_hint)),
            session::Error::Unlock { ref id, ref kept, .. } => {
                Self::of(&error).hint(unlock_hint(id)).hints(kept.as_deref().map(copy_hint))
            }
            session::Error::Stuck { error, id, source } => {
                let mut failure = Self::from(*error);
                failure.because.push("the lock stays, since it could not be released".to_owned());
                failure.because(&*source).hint(unlock_hint(&id))
            }
        }
    }
}

fn copy_hint(kept: &str) -> String {
    format!("what was there before is kept as {kept}")
}

impl From<push::Error> for Failure {
    fn from(error: push::Error) -> Self {
        match error {
            push::Error::Session(error) => error.into(),
            push::Error::Refused { ref refusal, .. } => Self::of(&error).hint(refusal_hint(refusal)),
            push::Error::Broken { .. } => Self::of(&error)
                .hint("keep what is there: `tfstate pull --to FILE`; then replace it: `tfstate push --force`"),
        }
    }
}

fn refusal_hint(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Lineage { .. } => {
            "see that this is the right place: the two were never the same state; to push all the same: `--force`"
        }
        Refusal::Older { .. } | Refusal::Diverged { .. } => {
            "see what would be lost: `tfstate diff STATE FILE`; to push all the same: `--force`"
        }
    }
}

impl From<restore::Error> for Failure {
    fn from(error: restore::Error) -> Self {
        let error = match error {
            restore::Error::Open(error) => return error.into(),
            restore::Error::Session(error @ session::Error::Keep { .. }) => {
                let hint = "let the repository be written; or write it to a new file, which needs no copy: `--to FILE`, and put that there with a copy kept elsewhere: `tfstate push --force --repo FOLDER STATE FILE`";
                return Self::of(&error).hint(hint);
            }
            restore::Error::Session(error) => return error.into(),
            error => error,
        };
        let hint = match &error {
            restore::Error::OneVersion { .. } => "leave out `--at`, or name the state alone",
            restore::Error::Exists { .. } | restore::Error::Write { .. } => "name another new file",
            restore::Error::Refused { refusal, .. } => restore_hint(refusal),
            restore::Error::Broken { .. } => {
                "to replace it all the same, with a copy kept: `--force`"
            }
            restore::Error::Unreadable { source, .. } if is_encrypted(source) => {
                "its serial is encrypted too: write it to a new file, `--to FILE`, and let OpenTofu raise it: `tofu state push FILE`"
            }
            restore::Error::Unreadable { .. } => {
                "look for a version that can be read: `tfstate snapshots STATE`; to have this one: `--to FILE`"
            }
            restore::Error::Part { source, .. } => part_hint(source),
            _ => return Self::of(&error),
        };
        Self::of(&error).hint(hint)
    }
}

fn is_encrypted(error: &ParseError) -> bool {
    matches!(error, ParseError::Encrypted { .. })
}

fn restore_hint(refusal: &restore::Refusal) -> &'static str {
    match refusal {
        restore::Refusal::Lineage { .. } => {
            "see that this is the right place: the two were never the same state; to restore it all the same: `--force`"
        }
        restore::Refusal::NoState => "restore all of it: leave out `--only`",
        restore::Refusal::Serial(_) => {
            "write it to a new file: `--to FILE`; a serial this high was set by hand"
        }
    }
}

fn part_hint(error: &only::Error) -> &'static str {
    match error {
        only::Error::NothingSelected => "see what a filter selects: `tfstate list STATE -f FILTER`",
        only::Error::Provider { .. } => "select all instances of the resource",
        _ => "restore all of it: leave out `--only`",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Error, Problem};

    #[test]
    fn a_digest_that_was_not_written_comes_with_its_command_and_the_copy() {
        let text = |text: &str| text.to_owned();
        let source = Box::new(Error::Remote {
            doing: "write",
            what: text("the row `b/a-md5` in the table locks"),
            problem: Problem::Denied,
            source: None,
        });
        let (what, table, row) = (text("s3://b/a"), text("locks"), text("b/a-md5"));
        let error = Error::Undigested { what, table, row, digest: text("99914b93"), source };
        let kept = Some(text("the snapshot 4f0c"));
        let failure = Failure::from(session::Error::HalfWritten { error: Box::new(error), kept });
        assert_eq!(
            failure.error,
            "s3://b/a is written, but not its digest in the table locks, so that nobody can read it"
        );
        assert_eq!(
            failure.because,
            ["cannot write the row `b/a-md5` in the table locks: access is denied"]
        );
        assert_eq!(
            failure.hints,
            [
                "write it: `aws dynamodb put-item --table-name locks --item \
                 '{\"Digest\":{\"S\":\"99914b93\"},\"LockID\":{\"S\":\"b/a-md5\"}}'`",
                "what was there before is kept as the snapshot 4f0c",
            ]
        );
    }
}
