//! A state around a command: kept before and after it, and compared.

use std::ffi::OsStr;

use super::context::Context;
use super::diff::brief;
use super::error::Failure;
use super::kept::{AFTER, InRepository};
use super::repository::{RepositoryOption, SignerOption};
use super::state;
use crate::backup::BEFORE_GUARDED;
use crate::base::clock::System;
use crate::base::text::{escape, shell_word};
use crate::ops::guard::{self, Kept};
use crate::state::bytes::Bytes;
use crate::store::Location;

/// A state, and what it was before the command.
#[derive(Debug)]
pub(crate) struct Guarded {
    location: Location,
    before: Option<(Bytes, Kept)>,
    repository: InRepository,
    /// What the command that takes it back ends with.
    options: String,
}

impl Guarded {
    /// Keeps what the command may change.
    pub(crate) fn begin(
        state: Option<&OsStr>,
        (repository, signer): (&RepositoryOption, &SignerOption),
        context: &mut Context<'_>,
    ) -> Result<Self, Failure> {
        let reference = state.map(OsStr::to_owned).or_else(|| state::default(context));
        let location = Location::resolve(reference.as_deref(), state::place(context))?;
        let name = location.name();
        if location.home().is_err() {
            let text =
                format!("cannot guard {}: it is a copy, not where a state lives", escape(&name));
            return Err(Failure::new(text)
                .hint("name the file, the directory or the URL that the command changes"));
        }
        let repo = repository.typed().map(|folder| folder.to_string_lossy().into_owned());
        let to = state.map(|_| name.clone());
        let options = [(" --repo ", repo), (" --to ", to)].map(|(option, value)| {
            value.map_or_else(String::new, |value| option.to_owned() + &shell_word(&value))
        });
        let options = options.concat();
        let repository = InRepository::new(repository, signer, context)?;
        let mut guarded = Self { location, before: None, repository, options };
        if let Some(bytes) = guard::read(&guarded.location)? {
            let kept = guarded.keep(&bytes, BEFORE_GUARDED, context)?;
            guarded.before = Some((bytes, kept));
        } else {
            context.out.note(&format!("There is no state in {} yet", escape(&name)));
        }
        Ok(guarded)
    }

    fn keep(&self, bytes: &Bytes, tag: &str, context: &mut Context<'_>) -> Result<Kept, Failure> {
        let tags = [tag.to_owned()];
        let mut options = self.repository.options(&tags);
        // By it prune knows what to spare.
        options.manner.insists_on_tags = tag == BEFORE_GUARDED;
        let mut kept = None;
        let held = context.interrupt.hold(|_| {
            kept = Some(guard::keep(&self.location, bytes, (&options, &System))?);
            Ok(())
        });
        // Who interrupts this after the command must not be told that it was not kept.
        let kept = match (kept, held) {
            (Some(kept), Err(_)) if tag == AFTER => kept,
            (_, Err(failure)) => return Err(failure),
            (Some(kept), Ok(())) => kept,
            (None, Ok(())) => unreachable!("what was kept is there"),
        };
        if kept.made {
            self.repository.tell_made(context);
        }
        Ok(kept)
    }

    /// Keeps what is there now, and tells what changed.
    pub(crate) fn end(self, context: &mut Context<'_>) -> Result<(), Failure> {
        let name = escape(&self.location.name()).into_owned();
        let after = guard::read(&self.location)?;
        match (&self.before, after) {
            (Some((before, kept)), Some(after)) if *before == after => {
                context.out.note(&format!("{name} did not change; snapshot {} has it", kept.id));
            }
            (Some(before), Some(after)) => {
                return self.tell_change(&name, (before, &after), context);
            }
            (Some((_, kept)), None) => {
                context.out.note(&format!("{name} is gone; snapshot {} has it", kept.id));
                self.tell_undo(kept, "", context);
            }
            (None, Some(after)) => {
                let kept = self.keep(&after, AFTER, context)?;
                let text = format!("{name} is new; snapshot {} has it{}", kept.id, openly(&kept));
                context.out.note(&text);
            }
            (None, None) => context.out.note(&format!("There is still no state in {name}")),
        }
        Ok(())
    }

    /// Tells what changed whether or not it can be kept.
    fn tell_change(
        &self,
        name: &str,
        ((before, kept), after): (&(Bytes, Kept), &Bytes),
        context: &mut Context<'_>,
    ) -> Result<(), Failure> {
        let now = self.keep(after, AFTER, context);
        // Over what is no state, or another one, nothing is put unasked.
        let force = match guard::compare(before, after) {
            Ok(comparison) => {
                let lines = brief::lines(&comparison).join("\n");
                context.out.note(&format!("{name}: {lines}"));
                if comparison.lineage_differs() { " --force" } else { "" }
            }
            Err(error) => {
                let text = format!("{name} changed, and cannot be compared: {error}");
                context.out.warning(&text, None);
                " --force"
            }
        };
        if let Ok(now) = &now {
            let text = format!("Snapshots: {} before, {} after{}", kept.id, now.id, openly(now));
            context.out.note(&text);
        }
        self.tell_undo(kept, force, context);
        now.map(drop)
    }

    fn tell_undo(&self, kept: &Kept, force: &str, context: &mut Context<'_>) {
        let text = format!("Take it back: tfstate restore {}{}{force}", kept.id, self.options);
        context.out.note(&text);
    }
}

/// Says aloud what is not encrypted.
fn openly(kept: &Kept) -> &'static str {
    if kept.encrypted { "" } else { ", not encrypted" }
}
