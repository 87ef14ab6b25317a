//! `tfstate unlock`.

use std::ffi::OsString;
use std::io::IsTerminal;

use crate::base::text::escape;
use crate::cli::args::Format;
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::output;
use crate::cli::state;
use crate::store::{Error, Holder};

/// Break the lock of a state, in the protocol of its backend
///
/// For a lock whose holder is gone. Whoever holds it goes on believing that nobody else changes the
/// state, so be sure that no `terraform apply` is running. `tfstate lock show` tells the id.
///
/// Example: `tfstate unlock s3://acme-tf/prod/net.tfstate 6617e7d6-429c-f3cb-b585-9f2075069aee`
#[derive(Debug, clap::Args)]
#[command(allow_missing_positional = true)]
pub(crate) struct Args {
    /// The state; none means the one Terraform uses here
    #[arg(value_name = "STATE", value_hint = clap::ValueHint::FilePath)]
    state: Option<OsString>,
    /// The id of the lock
    #[arg(value_name = "ID", required = true)]
    id: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// How it can print.
pub(crate) const FORMATS: &[Format] = &[];

/// Runs the command.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let target = state::target(context, args.state.as_deref())?;
    let name = escape(&target.name()).into_owned();
    let locks = target
        .store
        .locks()
        .ok_or_else(|| Failure::new(format!("cannot unlock {name}: it has no locks")))?;
    if !args.yes {
        let holder = locks.holder(&target.key)?;
        let question = match &holder {
            Holder::Nobody => return Err(Error::NotLocked { what: target.name() }.into()),
            Holder::Somebody { info, .. } => format!(
                "{name} is locked by {} for {} since {}. Break this lock?",
                escape(&info.who),
                escape(&info.operation),
                escape(&info.created)
            ),
            Holder::Unnamed { why } => {
                format!("{name} is locked: {}. Break this lock?", escape(why))
            }
        };
        if !std::io::stdin().is_terminal() {
            return Err(Failure::new(format!(
                "cannot ask whether to unlock {name}: there is no terminal"
            ))
            .hint("be sure that nobody is changing it, and add `--yes`"));
        }
        let answer = output::confirm(&question);
        if !answer.map_err(|error| Failure::new("cannot read the answer").because(&error))? {
            return Err(Failure::new(format!("{name} stays locked")));
        }
    }
    context.interrupt.hold(|_| Ok(locks.break_lock(&target.key, &args.id)?))?;
    context.out.note(&format!("Unlocked {name}"));
    Ok(Exit::Done)
}
