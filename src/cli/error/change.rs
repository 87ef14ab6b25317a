//! What errors of commands that change a state mean to a person.

use super::Failure;
use super::remote::unlock_hint;
use crate::ops::push::{self, Refusal};
use crate::ops::session;

impl From<session::Error> for Failure {
    fn from(error: session::Error) -> Self {
        match error {
            session::Error::Store(error) => error.into(),
            session::Error::Keep { .. } => Self::of(&error)
                .hint("name a place for the copy that can be written: `--repo FOLDER`"),
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
