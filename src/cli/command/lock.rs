//! `tfstate lock`.

use std::ffi::OsString;

use jiff::Timestamp;

use crate::base::clock::{Clock, System};
use crate::base::text::escape;
use crate::base::theme::Meaning;
use crate::cli::args::Format;
use crate::cli::attend;
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::json;
use crate::cli::locking::LockingOption;
use crate::cli::many;
use crate::cli::state;
use crate::cli::table::{Cell, Table};
use crate::ops::lock;
use crate::ops::session::{self, Target};
use crate::store::{Error, Holder};

/// Tell who holds the lock of a state, or hold it
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Tell who holds the lock of a state
    ///
    /// The http backend has no question for that: there the lock is taken for a moment and given
    /// back, and a `terraform apply` that begins in this moment finds it held.
    ///
    /// Example: `tfstate lock show s3://acme-tf/prod/net.tfstate`
    Show {
        /// The state; none means the one Terraform uses here
        #[arg(value_hint = clap::ValueHint::FilePath)]
        state: Option<OsString>,
    },
    /// List the locks of many states, with their holders and ages
    ///
    /// As with `tfstate lock show`, the lock of a state behind the http backend is taken for a
    /// moment to find out.
    ///
    /// Example: `tfstate lock list 's3://acme-tf/**'`
    List {
        /// The states, or patterns of them; none means the one Terraform uses here
        #[arg(value_name = "STATE", value_hint = clap::ValueHint::FilePath)]
        states: Vec<OsString>,
        /// List states that nobody has locked, too
        #[arg(long)]
        all: bool,
    },
    /// Hold the lock of a state while a command runs
    ///
    /// Exits as the command does. Terraform inside of it would wait for this very lock: give it
    /// `-lock=false`. The lock is released when the command has ended. Ctrl-C is the command's,
    /// however often; a request to this program to end is handed on to it.
    ///
    /// Example: `tfstate lock run prod.tfstate -- ./rotate.sh`
    Run {
        /// The state; none means the one Terraform uses here
        #[arg(value_hint = clap::ValueHint::FilePath)]
        state: Option<OsString>,
        /// The command and its arguments
        #[arg(last = true, required = true, value_name = "COMMAND")]
        command: Vec<OsString>,
        #[command(flatten)]
        locking: LockingOption,
    },
}

/// How it can print.
pub(crate) const FORMATS: &[Format] = &[Format::Text, Format::Json];

/// Runs the command.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    match &args.command {
        What::Show { state } => show(context, state.as_deref()),
        What::List { states, all } => list(context, states, *all),
        What::Run { state, command, locking } => hold(context, state.as_deref(), command, locking),
    }
}

fn show(context: &mut Context<'_>, state: Option<&std::ffi::OsStr>) -> Result<Exit, Failure> {
    let target = state::target(context, state)?;
    let name = target.name();
    let holder = holder(&target)?;
    if context.format == Format::Json {
        let mut found = json::lock::Locks::new();
        found.add(&name, holder.as_ref(), System.now());
        context.out.json(&found)?;
        return Ok(Exit::Done);
    }
    match &holder {
        None => context.out.line(&format!("{} has no locks", escape(&name)))?,
        Some(Holder::Nobody) => context.out.line(&format!("{} is not locked", escape(&name)))?,
        Some(Holder::Unnamed { why }) => {
            context.out.line(&format!("{} is locked: {}", escape(&name), escape(why)))?;
        }
        Some(Holder::Somebody { id, info }) => {
            context.out.line(&format!("{} is locked", escape(&name)))?;
            let facts = [
                ("held by", info.who.clone()),
                ("operation", info.operation.clone()),
                ("since", since(&info.created)),
                ("info", info.info.clone()),
                ("version", info.version.clone()),
                ("id", id.clone()),
            ];
            for (label, text) in facts.iter().filter(|(_, text)| !text.is_empty()) {
                let label = context.out.paint(Meaning::Muted, &format!("{label:9}"));
                context.out.line(&format!("  {label}  {}", escape(text)))?;
            }
        }
    }
    Ok(Exit::Done)
}

/// Returns who holds the lock; nothing where there are no locks.
fn holder(target: &Target) -> Result<Option<Holder>, Error> {
    target.store.locks().map(|locks| locks.holder(&target.key)).transpose()
}

/// Returns a time with how long ago it was, where it can be read.
fn since(created: &str) -> String {
    match age(created, System.now()) {
        Some(age) => format!("{created} ({age} ago)"),
        None => created.to_owned(),
    }
}

/// Returns how long ago this was in its two largest units.
pub(crate) fn age(created: &str, now: Timestamp) -> Option<String> {
    let seconds = now.duration_since(created.parse().ok()?).as_secs().max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    Some(match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, minutes) => format!("{minutes}m {}s", seconds % 60),
        (0, hours, minutes) => format!("{hours}h {minutes}m"),
        (days, hours, _) => format!("{days}d {hours}h"),
    })
}

fn list(context: &mut Context<'_>, states: &[OsString], all: bool) -> Result<Exit, Failure> {
    let targets = many::locations(context, states)?;
    let targets: Result<Vec<Target>, Error> = targets.iter().map(Target::of).collect();
    let targets = targets?;
    let mut found = json::lock::Locks::new();
    let mut table = Table::new(["STATE", "HELD BY", "OPERATION", "AGE", "ID"]);
    let now = System.now();
    let exit = many::each(context, &targets, holder, |_, target, holder| {
        let name = target.name();
        if all || !matches!(holder, None | Some(Holder::Nobody)) {
            found.add(&name, holder.as_ref(), now);
            table.row(row(&name, holder.as_ref(), now));
        }
        Ok(())
    })?;
    if context.format == Format::Json {
        context.out.json(&found)?;
    } else if exit == Exit::Done && found.is_empty() {
        context.out.note(&format!("None is locked: {} looked at", targets.len()));
    } else {
        context.out.table(&table)?;
    }
    Ok(exit)
}

fn row(name: &str, holder: Option<&Holder>, now: Timestamp) -> [Cell; 5] {
    let [who, operation, age, id] = match holder {
        None => ["(no locks)".to_owned(), String::new(), String::new(), String::new()],
        Some(Holder::Nobody) => Default::default(),
        Some(Holder::Unnamed { why }) => {
            [format!("somebody: {why}"), String::new(), String::new(), String::new()]
        }
        Some(Holder::Somebody { id, info }) => [
            info.who.clone(),
            info.operation.clone(),
            age(&info.created, now).unwrap_or_default(),
            id.clone(),
        ],
    };
    [
        Cell::of(Meaning::Address, name),
        Cell::plain(who),
        Cell::plain(operation),
        Cell::plain(age),
        Cell::plain(id),
    ]
}

fn hold(
    context: &mut Context<'_>,
    state: Option<&std::ffi::OsStr>,
    command: &[OsString],
    locking: &LockingOption,
) -> Result<Exit, Failure> {
    let target = state::target(context, state)?;
    let name = target.name();
    let Some(locks) = target.store.locks() else {
        return Err(Failure::new(format!("cannot lock {}: it has no locks", escape(&name))));
    };
    let status = locking.with("tfstate-lock-run", context, |info, wait| {
        let held = lock::acquire(locks, &target.key, info, wait)?;
        if (wait.stop)() {
            held.release()?;
            return Err(Failure::new("interrupted").exit(Exit::Interrupted));
        }
        let id = held.id().to_owned();
        let status = attend::run(command, &[("TFSTATE_LOCK_ID", &id)], &context.interrupt);
        // Whatever became of the command, the lock is let go first.
        let released = held.release().map_err(|error| {
            let (what, source) = (name.clone(), Box::new(error));
            session::Error::Unlock { what, id, written: false, kept: None, source }
        });
        match (status, released) {
            (status, Ok(())) => status,
            (_, Err(error)) => Err(error.into()),
        }
    })?;
    Ok(Exit::of_command(status))
}
