//! `tfstate push`.

use std::ffi::OsString;

use crate::base::text::escape;
use crate::cli::args::Format;
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::kept::KeepOption;
use crate::cli::locking::{LockingOption, warn_of_no_lock};
use crate::cli::state;
use crate::ops::open;
use crate::ops::push::{self, Pushed};
use crate::ops::session::Locking;
use crate::ops::session::Rules;
use crate::store::{self, Access, Location};

/// Copy a state in, by Terraform's rules of lineage and serial
///
/// The state is locked meanwhile, in the protocol of its backend, so that nobody's `terraform
/// apply` gets in between. What was there is kept first: as a snapshot where there is a backup
/// repository, else as a file that only you can read. It is only replaced if it is still what was
/// read, and then read back and compared; where there is a repository, what was written is kept too.
///
/// What Terraform refuses is refused: another lineage, an older serial, or the same serial with
/// another content. With --force it is not, and what cannot be read is replaced too; the file to
/// push must be a state in any case.
///
/// Example: `tfstate push s3://acme-tf/prod/net.tfstate repaired.tfstate`
#[derive(Debug, clap::Args)]
#[command(allow_missing_positional = true)]
pub(crate) struct Args {
    /// The state to replace; none means the one Terraform uses here
    #[arg(value_name = "STATE", value_hint = clap::ValueHint::FilePath)]
    state: Option<OsString>,
    /// The file to push, or `-`
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath, required = true)]
    file: OsString,
    /// Push it whatever the lineages and serials are
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
pub(crate) const FORMATS: &[Format] = &[];

/// Runs the command.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let target = state::target(context, args.state.as_deref())?;
    let name = target.name();
    let alone = store::Context { workspace: None, ..state::place(context) };
    let file = Location::resolve(Some(&args.file), alone)?;
    let document = open::read(file, Access::Read, &state::kept(context))?.document;
    warn_of_no_lock(&target, args.no_lock, context);
    let rules = if args.force { Rules::Overruled } else { Rules::Heeded };
    let keep = args.keep.keep(context)?;
    let mut pushed = None;
    let done = args.locking.with("state-push", context, |info, wait| {
        let locking = if args.no_lock { Locking::Off } else { Locking::On { info, wait } };
        pushed = Some(push::run(&document, target, rules, locking, &keep)?);
        Ok(())
    });
    // Whoever interrupted it must know all the same that it was done.
    if let Some(pushed) = &pushed {
        told(context, &name, pushed);
        keep.told(&pushed.report, &name, context);
    }
    done.map(|()| Exit::Done)
}

fn told(context: &mut Context<'_>, name: &str, pushed: &Pushed) {
    let name = escape(name);
    if let Some(kept) = &pushed.report.kept {
        context.out.note(&format!("Kept what was there as {}", escape(kept)));
    }
    context.out.note(&match (pushed.report.written, pushed.before) {
        (false, _) => format!("{name} holds this already; nothing was written"),
        (true, Some(before)) => {
            format!("Pushed to {name}: serial {before} is now {}", pushed.serial)
        }
        (true, None) => format!("Pushed to {name}: serial {}", pushed.serial),
    });
}
