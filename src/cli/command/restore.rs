//! `tfstate restore`.

use std::ffi::OsString;

use jiff::Timestamp;

use crate::cli::args::Format;
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::kept::KeepOption;
use crate::cli::locking::LockingOption;
use crate::cli::repository::{self, IdentityOption};
use crate::cli::roll_back::{self, RollBack};
use crate::cli::{filter, state};
use crate::ops::earlier::Kept;
use crate::ops::open;
use crate::ops::restore::{Past, Wanted};
use crate::ops::session::Rules;
use crate::store::{self, Earlier, Location};

/// Roll a state back to what it was, as one more change of it
///
/// REF is a snapshot by its id, `latest`, an earlier version of a state, such as `@-1` or
/// `prod.tfstate@2026-11-20T03:00Z`, which may be one that its store keeps, or a state alone, also
/// by the name that `tfstate snapshots` lists it under: then its newest snapshot is meant, and
/// without REF that of the state that Terraform uses here. `latest` is the newest snapshot of any
/// state in the repository.
///
/// What it was goes back to where it came from, or to where --to says. Run it in the directory that
/// has the backend, so that the settings of its locks are known: the state is locked meanwhile. The
/// difference is shown and asked about before anything is written; a copy of what is
/// there is kept first, and one of what was written where there is a repository, and how to undo it
/// is told at the end. What is written is what it was, byte
/// for byte, but for the serial, which becomes one more than the higher of the two: Terraform would
/// not take an older one. Resources in the cloud are not touched: `terraform plan` tells what
/// differs there.
///
/// With --only, just the instances that a filter selects are put back: those that it matches now
/// or matched then become what they were, those that did not exist then are removed, and everything
/// else stays, byte for byte. Outputs match no filter, so they stay too.
///
/// With --to and a file that does not exist, the exact bytes are written there and that is all.
///
/// Example: `tfstate restore @-1 --only module:network --dry-run`
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag as it was typed")]
pub(crate) struct Args {
    /// What to restore: an id, `latest`, an earlier version, or a state
    #[arg(value_name = "REF", value_hint = clap::ValueHint::FilePath)]
    reference: Option<OsString>,
    /// Restore it to this state, or write it to this new file [default: where it came from]
    #[arg(long, value_name = "STATE", value_hint = clap::ValueHint::FilePath)]
    to: Option<OsString>,
    /// Restore what the state was at this time, such as `2026-11-20T03:00Z`
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Option<Timestamp>,
    /// Put back only what matches this filter, now or then (can be repeated; all must match)
    #[arg(long, value_name = "FILTER", allow_hyphen_values = true)]
    only: Vec<String>,
    #[command(flatten)]
    identities: IdentityOption,
    /// Show what would be done, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,
    /// Restore it although the lineages differ or what is there cannot be read
    #[arg(long)]
    force: bool,
    /// Do not lock the state, although others may be changing it
    #[arg(long, conflicts_with = "lock_timeout")]
    no_lock: bool,
    #[command(flatten)]
    locking: LockingOption,
    #[command(flatten)]
    keep: KeepOption,
}

/// How it can print.
pub(crate) const FORMATS: &[Format] = &[Format::Text, Format::Json];

/// Runs the command.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    if args.only.iter().any(|filter| filter.trim().is_empty()) {
        return Err(Failure::new("the filter of `--only` is empty, which would select everything")
            .hint("say which, as in `--only module:network`; to restore all of it, leave it out"));
    }
    let only = if args.only.is_empty() { None } else { Some(filter::parse(&args.only)?) };
    let is_input = args.reference.as_deref().is_some_and(|reference| reference == "-");
    if is_input && args.identities.reads_input() {
        return Err(repository::read_twice());
    }
    let past = past(args, context)?;
    let roll_back = RollBack {
        past: &past,
        only: only.as_ref(),
        rules: if args.force { Rules::Overruled } else { Rules::Heeded },
        ask: match (args.dry_run, args.yes) {
            (true, _) => roll_back::Ask::DryRun,
            (false, true) => roll_back::Ask::Agreed,
            (false, false) => roll_back::Ask::Person,
        },
        no_lock: args.no_lock,
        locking: &args.locking,
        keep: &args.keep,
        identities: args.identities.typed(),
        to: args.to.as_deref(),
    };
    let Some(to) = &args.to else {
        let home = past.home.as_ref().map_err(roll_back::no_home)?;
        return roll_back.bring_back(home, context);
    };
    // A workspace that was picked is that of the state to restore.
    let alone = store::Context { workspace: None, ..state::place(context) };
    match Location::resolve(Some(to), alone)? {
        Location::File(path) if path.symlink_metadata().is_err() => {
            roll_back.write_new_file(&path, context)
        }
        location => roll_back.bring_back(&location, context),
    }
}

fn past(args: &Args, context: &Context<'_>) -> Result<Past, Failure> {
    let configured = state::default(context);
    let reference = args.reference.as_deref().or(configured.as_deref());
    let wanted = Wanted::parse(reference, args.at, state::place(context))?;
    let vault = args.keep.repository().vault(context)?;
    let kept = args.identities.beside(Kept { repository: Some(vault), ..state::kept(context) })?;
    let read: Result<Past, open::Error> = Past::read(&wanted, &kept, state::place(context));
    Ok(read?)
}

fn time(text: &str) -> Result<Timestamp, &'static str> {
    match Earlier::parse(text) {
        Some(Earlier::Time(time)) => Ok(time),
        _ => Err("give a time, as in `2026-11-20T03:00Z` or `2026-11-20`"),
    }
}
