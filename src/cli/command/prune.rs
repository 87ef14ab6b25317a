//! `tfstate prune`.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::IsTerminal;

use jiff::{SignedDuration, SpanRelativeTo};

use crate::backup;
use crate::backup::prune::{Rules, StreamPlan, Verdict};
use crate::backup::retention::{Policy, Reason, span};
use crate::base::clock::{Clock, System};
use crate::base::size;
use crate::base::theme::Meaning;
use crate::cli::args::Format;
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::json::prune::{Prune, Totals};
use crate::cli::progress::Progress;
use crate::cli::repository::{RepositoryOption, SignerOption};
use crate::cli::retention::KeepingOption;
use crate::cli::{many, output};
use crate::ops::prune::{self, PruneOptions, Report};

/// Remove the snapshots that retention no longer keeps
///
/// Each rule counts on its own, for each state on its own: a snapshot is kept if any rule keeps it. One
/// that has a number left keeps the oldest too.
/// Whatever the rules say, these stay: the newest that is proved to be good, and the newest of a state
/// that could be parsed, what is held, what was there before a change in the last 30 days, what can't
/// be read or trusted, what was made under a clock that was off, as long as the one before it, and what
/// any of these needs. Without an option, the rules are those of the
/// table `backup.keep` in the configuration.
///
/// What goes is named first and deleted by the first run that is at least the grace later, so that
/// a backup at the same moment can't lose what it builds on. Only an owner of the repository can
/// do this: keep that key off the computers that write backups.
///
/// Example: `tfstate prune --keep-daily 30 --keep-monthly 12 --dry-run`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Prune only the snapshots of these states
    #[arg(value_name = "STATE", value_hint = clap::ValueHint::FilePath)]
    states: Vec<OsString>,
    #[command(flatten)]
    keep: KeepingOption,
    /// Delete what was named at least so long ago; `0` at once, where nobody else writes
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = duration)]
    grace: SignedDuration,
    /// Remove what is damaged too, and what can't be restored without it
    ///
    /// Everything is read to find it. A day later any run deletes what was named.
    #[arg(long)]
    damaged: bool,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
    /// Do not ask, even where more than ten and more than half of a state's snapshots go
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    repository: RepositoryOption,
    #[command(flatten)]
    signer: SignerOption,
}

fn duration(text: &str) -> Result<SignedDuration, &'static str> {
    if text == "0" {
        return Ok(SignedDuration::ZERO);
    }
    let days = SpanRelativeTo::days_are_24_hours();
    span(text)?.to_duration(days).map_err(|_| "give hours, days or weeks, as in `24h` or `2d`")
}

/// How it can print.
pub(crate) const FORMATS: &[Format] = &[Format::Text, Format::Json];

/// Runs the command.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let policy = args.keep.policy(context)?;
    let repository = args.repository.open(context)?;
    let streams = streams(args, &repository, context)?;
    let (grace, now, damaged) = (args.grace, System.now(), args.damaged);
    let rules = Rules { policy: &policy, grace, now, damaged };
    let options = PruneOptions { rules, streams: streams.as_ref() };
    let signer = if args.dry_run { None } else { Some(args.signer.existing(context)?) };
    if let Some(signer) = &signer {
        repository.may_remove(signer)?;
    }
    let plans = {
        let _progress = Progress::start(context.out, "Looking at the snapshots …".to_owned());
        prune::plan(&repository, &options)?
    };
    check_tags(&policy, &plans, context)?;
    if context.format == Format::Text {
        show(&plans, context)?;
    }
    let Some(signer) = &signer else {
        return finish(args, &plans, None, context);
    };
    if !args.yes {
        ask(&plans, context)?;
    }
    let report =
        context.interrupt.hold(|_| Ok(prune::run(&repository, &options, &plans, signer)?))?;
    finish(args, &plans, Some(&report), context)
}

/// Refuses to go by tags alone that no snapshot has, which is most likely a slip of the pen.
fn check_tags(
    policy: &Policy,
    plans: &[StreamPlan],
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let mut verdicts = plans.iter().flat_map(|plan| &plan.verdicts);
    let by_tag = Reason::Tag.words();
    if policy.tags.is_empty() || verdicts.any(|verdict| verdict.reasons.contains(&by_tag)) {
        return Ok(());
    }
    let text = format!("no snapshot has the tag `{}`", policy.tags.join("` or `"));
    if (Policy { tags: Vec::new(), ..policy.clone() }).is_silent() {
        return Err(Failure::new(format!("{text}, and nothing else says what to keep"))
            .hint("see which tags there are: `tfstate snapshots`"));
    }
    context.out.warning(&text, None);
    Ok(())
}

/// Returns the streams of the states that were named.
fn streams(
    args: &Args,
    repository: &backup::Repository,
    context: &Context<'_>,
) -> Result<Option<BTreeSet<String>>, Failure> {
    if args.states.is_empty() {
        return Ok(None);
    }
    let streams = many::streams(context, &args.states, repository)?;
    for stream in &streams {
        if repository.list_stream(stream)?.is_empty() {
            return Err(backup::Error::NoSnapshot { reference: format!("of {stream}") }.into());
        }
    }
    Ok(Some(streams))
}

fn show(plans: &[StreamPlan], context: &mut Context<'_>) -> Result<(), Failure> {
    for plan in plans {
        context.out.line(&context.out.paint(Meaning::Address, &plan.name))?;
        if let Some(why) = plan.left_alone {
            context.out.line(&format!("  left alone: {why}"))?;
        }
        for verdict in &plan.verdicts {
            let line = line(verdict);
            context.out.line(line.trim_end())?;
        }
    }
    Ok(())
}

fn line(verdict: &Verdict) -> String {
    let action = if verdict.is_kept() { "keep  " } else { "remove" };
    let snapshot = &verdict.snapshot;
    let created = snapshot.created.strftime("%Y-%m-%d %H:%M:%SZ");
    let mut why: Vec<String> = Vec::new();
    if verdict.is_superseded {
        why.push("encrypted anew since".to_owned());
    }
    if let Some(marked) = verdict.marked.filter(|_| !verdict.is_kept()) {
        why.push(format!("named on {}", marked.strftime("%Y-%m-%d %H:%M:%SZ")));
    }
    why.extend(verdict.reasons.iter().map(|&reason| reason.to_owned()));
    let why = why.join(", ");
    format!("  {action}  {}  {created}  {why}", snapshot.id)
}

fn ask(plans: &[StreamPlan], context: &mut Context<'_>) -> Result<(), Failure> {
    let drastic: Vec<&str> =
        plans.iter().filter(|plan| plan.is_drastic()).map(|plan| plan.name.as_str()).collect();
    let Some(first) = drastic.first() else { return Ok(()) };
    let others = match drastic.len() {
        1 => String::new(),
        several => format!(" and of {} more", several - 1),
    };
    let what = format!("more than half of the snapshots of {first}{others} would go");
    context.out.flush()?;
    if !std::io::stdin().is_terminal() {
        return Err(Failure::new(format!("{what}, and there is no terminal to ask"))
            .hint("look at what goes with `--dry-run`, and add `--yes`"));
    }
    let answer = output::confirm(&format!("{what}. Remove them?"));
    if !answer.map_err(|error| Failure::new("cannot read the answer").because(&error))? {
        return Err(Failure::new("nothing was removed"));
    }
    Ok(())
}

fn finish(
    args: &Args,
    plans: &[StreamPlan],
    report: Option<&Report>,
    context: &mut Context<'_>,
) -> Result<Exit, Failure> {
    if context.format == Format::Json {
        context.out.json(&Prune::new(plans, report))?;
    } else {
        let totals = Totals::of(plans, report);
        context.out.line(&said(&totals, args.grace))?;
    }
    if args.dry_run {
        context.out.note("Nothing was changed: this only says what would be done");
    }
    match report.map(|report| report.swept.denied.as_slice()).unwrap_or_default() {
        [] => Ok(Exit::Done),
        denied @ [first, ..] => Err(kept_by_place(denied.len(), &first.error)),
    }
}

fn kept_by_place(count: usize, why: &backup::Error) -> Failure {
    let text = format!("{count} of what goes is kept by its place, which does not let it go");
    Failure::new(text).exit(Exit::Partly).because(why).hint(
        "use an account that may delete; what the place retains goes when its time there is over",
    )
}

fn said(totals: &Totals, grace: SignedDuration) -> String {
    let (kept, removed, pending) = (totals.kept, totals.removed, totals.pending);
    let freed = size::to_string(totals.bytes_removed);
    let later = size::to_string(totals.bytes_pending);
    let done = format!("{kept} kept, {removed} removed ({freed})");
    match pending {
        0 => done,
        _ => format!("{done}, {pending} to be removed ({later}) by a run after {grace:#}"),
    }
}
