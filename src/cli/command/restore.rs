//! `tfstate restore`.

use std::path::PathBuf;

use crate::base::clock::System;
use crate::base::size;
use crate::base::text::escape;
use crate::cli::args::Format;
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::repository::{IdentityOption, RepositoryOption};
use crate::cli::state;
use crate::ops::restore::{self, Existing, Reference, RestoreOptions};
use crate::store::Location;

/// Write the state of a snapshot to a file, byte for byte
///
/// Without an id, the newest snapshot of the state that Terraform uses here is taken. Everything is
/// checked before anything is written. A file that exists is only replaced with --yes, and then a
/// copy of it is kept beside it. This writes a file and nothing more: it takes no lock and does not
/// raise the serial, so do not aim it at a state that others may be changing.
///
/// Example: `tfstate restore 3f9a12bc --identity ~/.config/age/key.txt --to restored.tfstate`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The snapshot: its id or the beginning of it, or `latest`
    #[arg(value_name = "SNAPSHOT")]
    snapshot: Option<String>,
    /// The file to write
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    to: PathBuf,
    #[command(flatten)]
    repository: RepositoryOption,
    #[command(flatten)]
    identities: IdentityOption,
    /// Replace the file if it exists, keeping a copy beside it
    #[arg(long)]
    yes: bool,
}

/// How it can print.
pub(crate) const FORMATS: &[Format] = &[];

/// Runs the command.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let repository = args.repository.open(context)?;
    let snapshot = match args.snapshot.as_deref() {
        Some("latest") => restore::find(&repository, Reference::Latest)?,
        Some(id) => restore::find(&repository, Reference::Id(id))?,
        None => restore::find(&repository, Reference::State(&uri_here(context)?))?,
    };
    let identities = args.identities.read(&repository, context)?;
    let options = RestoreOptions {
        snapshot: &snapshot,
        identities: &identities,
        to: &args.to,
        existing: if args.yes { Existing::KeepAside } else { Existing::Refuse },
    };
    let work = |_: &dyn Fn() -> bool| Ok(restore::run(&repository, &options, &System)?);
    let report = context.interrupt.hold(work)?;
    let origin = &report.origin;
    let serial = origin.facts.serial.map(|serial| format!(", serial {serial}")).unwrap_or_default();
    let (created, length) = (snapshot.created, size::to_string(origin.length));
    if let Some(kept) = &report.kept {
        context.out.note(&format!("Kept the file that was there as {}", kept.display()));
    }
    context.out.note(&format!(
        "Restored snapshot {} of {created}{serial} ({length}) to {}",
        snapshot.id,
        args.to.display()
    ));
    if let Some(broken) = &origin.facts.broken {
        let text =
            format!("the state could not be parsed when it was backed up: {}", escape(broken));
        context.out.warning(&text, None);
    }
    Ok(Exit::Done)
}

/// Returns the URI of the state that Terraform uses here.
fn uri_here(context: &Context<'_>) -> Result<String, Failure> {
    let place = state::place(context);
    let reference = state::default(context);
    Ok(Location::resolve(reference.as_deref(), place)?.uri()?)
}
