//! `tfstate snapshots`.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use jiff::Span;
use jiff::tz::TimeZone;

use crate::backup::{Catalogue, Period, Protection, Repository, retention, stream_of};
use crate::base::clock::{Clock, System};
use crate::base::text::escape;
use crate::cli::args::Format;
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::json::snapshots::{Ages, Snapshots};
use crate::cli::progress::Progress;
use crate::cli::repository::{IdentityOption, RepositoryOption};
use crate::cli::{many, snapshots_text, state};
use crate::ops::snapshots::{self, Changed};
use crate::store::Location;

/// List the snapshots in the backup repository, newest last
///
/// With `--max-age`, it says instead whether backups are made: the exit status is 2 if there is a
/// state whose newest snapshot is older, unless a later `tfstate backup` found that the state had not
/// changed.
///
/// Example: `tfstate snapshots prod.tfstate`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// List only snapshots of this state, or of the one that is listed under this name
    #[arg(value_hint = clap::ValueHint::FilePath)]
    state: Option<OsString>,
    /// Name the states that were not backed up for so long, as in `26h` or `7d`
    #[arg(long, value_name = "DURATION", value_parser = retention::span, conflicts_with = "changes")]
    max_age: Option<Span>,
    /// Show the serial of each, and which resources it changed: decrypts them
    #[arg(long)]
    changes: bool,
    #[command(flatten)]
    repository: RepositoryOption,
    #[command(flatten)]
    identities: IdentityOption,
}

/// How it can print.
pub(crate) const FORMATS: &[Format] = &[Format::Text, Format::Json];

/// Runs the command.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    if args.identities.is_given() && !args.changes {
        return Err(Failure::new("a key is only needed to show what changed")
            .hint("add `--changes`, or leave the key away"));
    }
    let repository = args.repository.open(context)?;
    let stream = args.state.as_ref().map(|state| stream(state, &repository, context));
    let stream = stream.transpose()?;
    if let Some(span) = args.max_age {
        return check(&repository, stream, span, context);
    }
    let catalogue = match &stream {
        None => repository.catalogue()?,
        Some(stream) => repository.catalogue_of(stream)?,
    };
    let progress = Progress::start(context.out, "Reading …".to_owned());
    let changes = changes(args, (&repository, &catalogue), context)?;
    let listed = snapshots::list(&repository, &catalogue)?;
    drop(progress);
    if let Some(state) = args.state.as_ref().filter(|_| listed.is_empty()) {
        let (state, place) = (state.to_string_lossy(), repository.name());
        context.out.note(&format!("There is no snapshot of {} in {place}", escape(&state)));
    }
    match (context.format, &changes) {
        (Format::Json, _) => context.out.json(&Snapshots::new(&listed, changes.as_ref()))?,
        (_, None) => snapshots_text::write(context.out, &listed)?,
        (_, Some(changes)) => snapshots_text::write_changes(context.out, &listed, changes)?,
    }
    Ok(Exit::Done)
}

/// Returns which snapshots are of a state. On another computer, where it has no place, there is the
/// name that they are listed under.
fn stream(
    state: &OsStr,
    repository: &Repository,
    context: &Context<'_>,
) -> Result<String, Failure> {
    let location = Location::resolve(Some(state), state::place(context))?;
    let stream = stream_of(&location.uri()?);
    Ok(many::listed(state, repository)?.unwrap_or(stream))
}

fn changes(
    args: &Args,
    (repository, catalogue): (&Repository, &Catalogue),
    context: &Context<'_>,
) -> Result<Option<BTreeMap<String, Changed>>, Failure> {
    if !args.changes {
        return Ok(None);
    }
    let identities = args.identities.read(repository, context)?;
    if identities.is_empty() && *repository.protection() != Protection::None {
        let text =
            "cannot show what changed: the snapshots are encrypted, and no identity was given";
        return Err(Failure::new(text).hint(
            "give the file with the key: `--identity FILE`, or `backup.identity` in tfstate.toml",
        ));
    }
    Ok(Some(snapshots::changes(repository, catalogue, &identities)?))
}

/// Says which states were not backed up for too long.
fn check(
    repository: &Repository,
    stream: Option<String>,
    span: Span,
    context: &mut Context<'_>,
) -> Result<Exit, Failure> {
    let now = System.now();
    let since = now.to_zoned(TimeZone::UTC).checked_sub(span);
    let since = since.map_err(|_| Failure::new("the age goes back further than time does"))?;
    let period = Period { since: since.timestamp(), now };
    let survey = repository.survey()?;
    let asked = stream.map(|stream| [stream].into());
    let times = repository.confirmed(&survey, asked.as_ref(), period)?;
    let ages = Ages::new(&times, period);
    match context.format {
        Format::Json => context.out.json(&ages)?,
        _ => snapshots_text::write_ages(context.out, &times, period)?,
    }
    let is_old = |time: &Option<jiff::Timestamp>| time.is_none_or(|time| time < period.since);
    let all = !times.is_empty() && !times.values().any(is_old);
    Ok(if all { Exit::Done } else { Exit::No })
}
