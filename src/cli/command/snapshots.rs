//! `tfstate snapshots`.

use std::ffi::OsString;

use crate::backup::{Snapshot, stream_of};
use crate::base::size;
use crate::base::theme::Meaning;
use crate::cli::args::Format;
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::json;
use crate::cli::repository::RepositoryOption;
use crate::cli::state;
use crate::cli::table::{Cell, Table};
use crate::store::Location;

/// List the snapshots in the backup repository, newest last
///
/// Example: `tfstate snapshots prod.tfstate`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// List only snapshots of this state
    #[arg(value_hint = clap::ValueHint::FilePath)]
    state: Option<OsString>,
    #[command(flatten)]
    repository: RepositoryOption,
}

/// How it can print.
pub(crate) const FORMATS: &[Format] = &[Format::Text, Format::Json];

/// Runs the command.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let repository = args.repository.open(context)?;
    let snapshots = match &args.state {
        None => repository.list()?,
        Some(state) => {
            let place = state::place(context);
            repository.list_stream(&stream_of(&Location::resolve(Some(state), place)?.uri()?))?
        }
    };
    if context.format == Format::Json {
        context.out.json(&json::backup::Snapshots::new(&snapshots))?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(["SNAPSHOT", "CREATED", "STRATEGY", "STORED", "STATE"]);
    for snapshot in &snapshots {
        table.row(row(snapshot));
    }
    context.out.table(&table)?;
    Ok(Exit::Done)
}

fn row(snapshot: &Snapshot) -> [Cell; 5] {
    [
        Cell::of(Meaning::Address, snapshot.id.clone()),
        Cell::plain(snapshot.created.strftime("%Y-%m-%d %H:%M:%SZ").to_string()),
        Cell::plain(snapshot.kind.name()),
        Cell::plain(size::to_string(snapshot.bytes_stored)),
        Cell::plain(snapshot.stream.clone()),
    ]
}
