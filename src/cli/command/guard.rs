//! `tfstate guard`.

use std::ffi::OsString;

use crate::cli::args::Format;
use crate::cli::attend;
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::guarded::Guarded;
use crate::cli::repository::{RepositoryOption, SignerOption};

/// Run a command between two snapshots of a state, and tell what it changed
///
/// A snapshot is written, the command is run, a snapshot of what is there then is written, and the
/// difference told in a few lines on standard error, with the command that takes it back. Exits as
/// the command does. If the first snapshot can't be written, the command is not run and the exit
/// status is 1. Ctrl-C is the command's. Nothing is locked: the command does that.
///
/// Example: `tfstate guard -- terraform apply`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The state; none means the one Terraform uses here
    #[arg(value_hint = clap::ValueHint::FilePath)]
    state: Option<OsString>,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
    /// Run the command even if what it may change can't be kept
    #[arg(long)]
    allow_unprotected: bool,
    #[command(flatten)]
    repository: RepositoryOption,
    #[command(flatten)]
    signer: SignerOption,
}

/// How it can print.
pub(crate) const FORMATS: &[Format] = &[];

/// Runs the command.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let guarded =
        match Guarded::begin(args.state.as_deref(), (&args.repository, &args.signer), context) {
            Ok(guarded) => Some(guarded),
            Err(failure) if failure.exit == Exit::Interrupted => return Err(failure),
            Err(failure) if args.allow_unprotected => {
                let text =
                    format!("the state is not kept before the command: {}", failure.in_short());
                context.out.warning(&text, None);
                None
            }
            Err(failure) => {
                let hint =
                    "the command was not run; to run it without a copy: `--allow-unprotected`";
                return Err(failure.exit(Exit::Failed).hint(hint));
            }
        };
    let status = attend::run(&args.command, &[], &context.interrupt)?;
    if let Some(guarded) = guarded
        && let Err(failure) = guarded.end(context)
    {
        let text = format!("the state after the command is not kept: {}", failure.in_short());
        context.out.warning(&text, Some("keep it: `tfstate backup`"));
    }
    Ok(Exit::of_command(status))
}
