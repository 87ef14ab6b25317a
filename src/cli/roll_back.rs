//! How a restore talks to the user: what it would do, the question, what was done and how to undo
//! it.

use std::ffi::OsStr;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use super::args::Format;
use super::context::Context;
use super::diff::heads;
use super::error::{Exit, Failure};
use super::json::restore::{Restore, Serials};
use super::kept::{KeepOption, Kept};
use super::locking::{LockingOption, warn_of_no_lock};
use super::output;
use crate::base::size;
use crate::base::text::{escape, shell_word};
use crate::ops::restore::roll_back::{self, Answer, Done, Options};
use crate::ops::restore::{self, Past, Plan, PlanOptions, Refusal, new_file};
use crate::ops::session::Rules;
use crate::ops::session::{Locking, Target};
use crate::query::filter::Filter;
use crate::state::document::Document;
use crate::store::{self, Location};

/// How many resources are named before somebody is asked.
const MOST_NAMED: usize = 40;

/// A restore as it was asked for.
#[derive(Debug)]
pub(crate) struct RollBack<'a> {
    pub(crate) past: &'a Past,
    pub(crate) only: Option<&'a Filter>,
    pub(crate) rules: Rules,
    pub(crate) ask: Ask,
    pub(crate) no_lock: bool,
    pub(crate) locking: &'a LockingOption,
    pub(crate) keep: &'a KeepOption,
    /// The files of the keys, and the place, as they were typed.
    pub(crate) identities: &'a [PathBuf],
    pub(crate) to: Option<&'a OsStr>,
}

/// Who says whether it is to be done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ask {
    /// Whoever sits at the terminal.
    Person,
    /// Whoever typed the command did.
    Agreed,
    /// It is not to be done.
    DryRun,
}

/// Says why there is nowhere to restore to.
pub(crate) fn no_home(error: &store::Error) -> Failure {
    Failure::of(error).hint("name the place: `--to STATE`")
}

impl RollBack<'_> {
    /// Writes the exact bytes to a file that does not exist.
    pub(crate) fn write_new_file(
        &self,
        to: &Path,
        context: &mut Context<'_>,
    ) -> Result<Exit, Failure> {
        let (what, past) = (to.display().to_string(), self.past);
        if self.only.is_some() {
            return Err(restore::Error::Refused { what, refusal: Refusal::NoState }.into());
        }
        let is_written = self.ask != Ask::DryRun;
        if is_written {
            context.interrupt.hold(|_| Ok(new_file::write(past, to)?))?;
        }
        if let Err(error) = &past.state {
            let text = format!("{} cannot be read as a state: {error}", past.name);
            context.out.warning(&escape(&text), None);
        }
        let after = past.state.as_ref().ok().map(Document::serial);
        if context.format == Format::Json {
            let serial = Serials { before: None, after };
            let (snapshot, written) = (past.snapshot.as_deref(), is_written);
            let told = Restore::new(&past.name, &what, None);
            context.out.json(&Restore { snapshot, serial, written, ..told })?;
            return Ok(Exit::Done);
        }
        let serial = after.map(|serial| format!(", serial {serial}")).unwrap_or_default();
        let length = size::to_string(past.bytes.len() as u64);
        let done = if is_written { "Restored" } else { "Would restore" };
        let text = format!("{done} {}{serial} ({length}) to {what}", past.name);
        context.out.note(&escape(&text));
        Ok(Exit::Done)
    }

    /// Brings the place to what it was, where a state lives.
    pub(crate) fn bring_back(
        &self,
        location: &Location,
        context: &mut Context<'_>,
    ) -> Result<Exit, Failure> {
        let target = Target::of(location)?;
        let name = target.name();
        self.check_that_somebody_answers(&name, context)?;
        let keep = self.keep.keep(context)?;
        let plan = PlanOptions { rules: self.rules, only: self.only, reveal: context.reveal };
        if self.ask == Ask::DryRun {
            let options = Options { plan, locking: Locking::Off, keep: &keep };
            let done = roll_back::run(self.past, target, options, |plan| {
                self.agree(plan, &name, context, &|| false)
            })?;
            return self.told(&done, &name, &keep, context);
        }
        warn_of_no_lock(&target, self.no_lock, context);
        self.locking.with_output("state-restore", context, |context, info, wait| {
            let on = Locking::On { info, wait };
            let locking = if self.no_lock { Locking::Off } else { on };
            let options = Options { plan, locking, keep: &keep };
            let done = roll_back::run(self.past, target, options, |plan| {
                self.agree(plan, &name, context, wait.stop)
            })?;
            // Whoever interrupted it must know all the same that it was done.
            self.told(&done, &name, &keep, context)
        })
    }

    fn check_that_somebody_answers(
        &self,
        name: &str,
        context: &Context<'_>,
    ) -> Result<(), Failure> {
        let why = match (self.ask, context.format) {
            (Ask::Person, Format::Json) => "the output is JSON",
            (Ask::Person, _) if !std::io::stdin().is_terminal() => "there is no terminal",
            _ => return Ok(()),
        };
        let text = format!("cannot ask whether to restore {}: {why}", escape(name));
        Err(Failure::new(text).hint("see what it would do: add `--dry-run`; to do it: add `--yes`"))
    }

    /// Shows what would be done, and asks whether to do it.
    fn agree(
        &self,
        plan: &Plan,
        name: &str,
        context: &mut Context<'_>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Answer, Failure> {
        if let Some(comparison) =
            plan.comparison.as_ref().filter(|_| context.format == Format::Text)
        {
            heads::write(context.out, comparison, MOST_NAMED)?;
        }
        if let (Ok(past), Some(comparison)) = (&self.past.state, &plan.comparison) {
            let (from, kept) = (past.lineage(), comparison.to.lineage.as_str());
            if !from.is_empty() && from != kept {
                let text = format!(
                    "{} has another lineage, {from}: it is written with the one that is there, {kept}",
                    self.past.name
                );
                context.out.warning(&escape(&text), None);
            }
        }
        for missing in &plan.missing {
            let (address, dependency) = (&missing.address, &missing.dependency);
            let text = format!("{address} depends on {dependency}, which will not be in the state");
            context.out.warning(&text, Some("select that too, or see what `terraform plan` says"));
        }
        let question = format!("Restore {} to {}?", escape(&self.past.name), escape(name));
        match self.ask {
            Ask::DryRun => return Ok(Answer::No),
            Ask::Agreed => return Ok(Answer::Yes),
            Ask::Person => context.out.flush()?,
        }
        let answer = output::confirm_until(&question, stop)
            .map_err(|error| Failure::new("cannot read the answer").because(&error))?;
        match answer {
            Some(true) => Ok(Answer::Yes),
            Some(false) => Err(Failure::new(format!("{} stays as it is", escape(name)))),
            None => Err(Failure::new("interrupted").exit(Exit::Interrupted)),
        }
    }

    fn told(
        &self,
        done: &Done,
        name: &str,
        keep: &Kept,
        context: &mut Context<'_>,
    ) -> Result<Exit, Failure> {
        let (plan, past) = (&done.plan, &self.past.name);
        if context.format == Format::Json {
            keep.told(&done.report, name, context);
            let after = done.report.after.as_ref().and_then(|after| after.as_deref().ok());
            let told = Restore::new(past, name, plan.comparison.as_ref());
            context.out.json(&Restore {
                snapshot: self.past.snapshot.as_deref(),
                serial: Serials {
                    before: plan.before,
                    after: if plan.is_needed { plan.after } else { plan.before },
                },
                kept: done.report.kept.as_deref().map(|kept| keep.reference(kept)),
                kept_after: after.map(|kept| keep.reference(kept)),
                written: done.report.written,
                ..told
            })?;
            return Ok(Exit::Done);
        }
        let (past, shown) = (escape(past), escape(name));
        if !plan.is_needed {
            let what = self.only.map_or("", |_| "what the filter selects in ");
            let text = format!("Nothing to restore: {what}{shown} says the same as {past}");
            context.out.note(&text);
            return Ok(Exit::Done);
        }
        let is = if done.report.written { "is now" } else { "would be" };
        let serial = match (plan.before, plan.after) {
            (Some(before), Some(after)) => format!(": serial {before} {is} {after}"),
            (None, Some(after)) => format!(": serial {after}"),
            (_, None) => String::new(),
        };
        if !done.report.written {
            context.out.note(&format!("Would restore {past} to {shown}{serial}"));
            return Ok(Exit::Done);
        }
        if let Some(kept) = &done.report.kept {
            context.out.note(&format!("Kept what was there as {}", escape(kept)));
        }
        context.out.note(&format!("Restored {past} to {shown}{serial}"));
        keep.told(&done.report, name, context);
        if let Some(kept) = &done.report.kept {
            let reference = keep.reference(kept);
            let undo = self.undo(&reference, name);
            // What is no state is not put anywhere, by force either.
            let text = match (plan.before, reference.strip_prefix("snapshot:")) {
                (None, Some(id)) => format!(
                    "What was there is no state that can be put back; as a file: `tfstate restore {id} --to FILE`"
                ),
                _ => format!("Undo it: `{}`", escape(&undo)),
            };
            context.out.note(&text);
        }
        Ok(Exit::Done)
    }

    /// Returns the command that brings back what was there before.
    fn undo(&self, kept: &str, name: &str) -> String {
        let Some(id) = kept.strip_prefix("snapshot:") else {
            return format!("tfstate push --force {} {}", shell_word(name), shell_word(kept));
        };
        let mut command = format!("tfstate restore {id}");
        let mut option = |name: &str, value: &OsStr| {
            let value = shell_word(&value.to_string_lossy());
            command.extend([" ", name, " ", &value]);
        };
        if let Some(to) = self.to {
            option("--to", to);
        }
        if let Some(repository) = self.keep.repository().typed() {
            option("--repo", repository.as_os_str());
        }
        for identity in self.identities {
            option("--identity", identity.as_os_str());
        }
        command
    }
}
