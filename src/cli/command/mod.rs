//! One file for each command: its `Args`, whose documentation is the help text; its `FORMATS`,
//! the first of which is the default; and its `run`.
//!
//! To add one, add its `mod` line and its line in the table below.

mod backup;
mod completions;
mod config;
mod diff;
mod get;
mod git;
mod guard;
#[cfg(feature = "tui")]
mod inspect;
mod list;
mod lock;
mod man;
mod output;
mod prune;
mod pull;
mod push;
mod query;
mod repo;
mod restore;
mod schedule;
mod show;
mod snapshots;
mod stats;
mod unlock;
mod verify;

use super::args::Format;
use super::context::Context;
use super::error::{Exit, Failure};

/// Makes the enum of the commands, in the order of the help, and what looks at every one of them.
macro_rules! commands {
    ($($(#[$cfg:meta])? $name:literal $variant:ident => $module:ident,)*) => {
        /// A command as it was typed.
        #[derive(Debug, clap::Subcommand)]
        pub(crate) enum Command {
            $($(#[$cfg])? #[command(name = $name)] $variant($module::Args),)*
        }

        /// Does what a command says.
        pub(crate) fn run(command: &Command, context: &mut Context<'_>) -> Result<Exit, Failure> {
            match command {
                $($(#[$cfg])? Command::$variant(args) => $module::run(args, context),)*
            }
        }

        /// Returns the formats that a command can print; none where it has only one way to print.
        pub(crate) fn formats(name: &str) -> &'static [Format] {
            match name {
                $($(#[$cfg])? $name => $module::FORMATS,)*
                _ => &[],
            }
        }

        impl Command {
            /// Returns the name that is typed.
            pub(crate) fn name(&self) -> &'static str {
                match self {
                    $($(#[$cfg])? Self::$variant(_) => $name,)*
                }
            }
        }
    };
}

commands! {
    #[cfg(feature = "tui")] "inspect" Inspect => inspect,
    "list" List => list,
    "show" Show => show,
    "get" Get => get,
    "query" Query => query,
    "output" Output => output,
    "stats" Stats => stats,
    "diff" Diff => diff,
    "repo" Repo => repo,
    "backup" Backup => backup,
    "guard" Guard => guard,
    "snapshots" Snapshots => snapshots,
    "restore" Restore => restore,
    "schedule" Schedule => schedule,
    "verify" Verify => verify,
    "prune" Prune => prune,
    "pull" Pull => pull,
    "push" Push => push,
    "lock" Lock => lock,
    "unlock" Unlock => unlock,
    "git" Git => git,
    "config" Config => config,
    "completions" Completions => completions,
    "man" Man => man,
}
