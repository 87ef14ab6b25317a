//! The command line: what is typed becomes settings, a command does its work, and what it says
//! becomes output and an exit status.
//!
//! `args` defines what can be typed, `config` what can be written in a file; `settings` decides
//! between them. A command is one file in `command` and gets a `context`. Only `output` prints,
//! only `error` turns errors into words.

mod args;
mod attend;
mod command;
mod complete;
mod config;
mod context;
mod diff;
mod error;
mod filter;
mod git_text;
mod guarded;
mod hcl;
mod interrupt;
mod json;
mod kept;
mod locking;
mod logging;
mod many;
mod merge_text;
mod output;
mod pager;
mod panic;
mod progress;
mod protection;
mod repository;
mod retention;
mod roll_back;
mod settings;
mod snapshots_text;
mod state;
mod stats_text;
mod table;
mod verify_text;
mod view;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::FromArgMatches;
use clap::error::ErrorKind;

pub use args::definition;

use self::args::Cli;
use self::context::Context;
use self::error::{Exit, Failure};
use self::output::{ColorChoice, Output};
use crate::base::env::Env;

/// Does what a command line says, the first word of which is the program's name.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    // Asked by every installer and prompt, so it must cost nothing: not even the environment is
    // read, and no command line is built. Where it can't be printed, the long way says why.
    if let [_, only] = args.as_slice()
        && (only == "--version" || only == "-V")
        && output::print_alone(concat!("tfstate ", env!("CARGO_PKG_VERSION"), "\n")).is_ok()
    {
        return Exit::Done.into();
    }
    let env = Env::process();
    let mut out = Output::standard(&env);
    let done = answer(&args, &env, &mut out);
    let done = done.and_then(|exit| out.flush().map(|()| exit).map_err(Failure::from));
    done.unwrap_or_else(|failure| {
        if failure.exit != Exit::Done {
            out.failure(&failure);
        }
        failure.exit
    })
    .into()
}

fn answer(args: &[OsString], env: &Env, out: &mut Output) -> Result<Exit, Failure> {
    panic::report_without_values(env);
    #[cfg(unix)]
    crate::base::fs::install_sigbus_guard().map_err(|error| {
        Failure::new("cannot take over the signals of this process").because(&error)
    })?;
    if let Some(shell) = complete::asking_shell(env) {
        return complete::answer(shell, args, env, out);
    }
    match parse(args) {
        Ok(cli) => command::run(&cli.command, &mut Context::new(&cli, env, out)?),
        Err(error) => reply(&error, args, env, out),
    }
}

fn parse(args: &[OsString]) -> Result<Cli, clap::Error> {
    let mut definition = args::definition();
    let matches = definition.try_get_matches_from_mut(args.iter().map(with_two_dashes))?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut definition))
}

/// Spells an option as we do that people know from `terraform state list`: `-state=FILE`,
/// `-id=ID`, and from `terraform init`: `-backend-config=FILE`.
fn with_two_dashes(arg: &OsString) -> OsString {
    let is_terraforms = arg.to_str().is_some_and(|text| {
        let name = text.split('=').next().unwrap_or_default();
        matches!(name, "-state" | "-id" | "-backend-config")
    });
    if !is_terraforms {
        return arg.clone();
    }
    let mut long = OsString::from("-");
    long.push(arg);
    long
}

/// Prints help, or what is wrong with the command line. What clap would exit with, 2, means
/// "no" here.
fn reply(
    error: &clap::Error,
    args: &[OsString],
    env: &Env,
    out: &mut Output,
) -> Result<Exit, Failure> {
    out.set_color(color_before_parsing(args, env));
    out.clap(error)?;
    Ok(match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Done,
        _ => Exit::Failed,
    })
}

/// Returns when to use colours where the arguments could not be understood.
fn color_before_parsing(args: &[OsString], env: &Env) -> ColorChoice {
    let words: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).collect();
    let after = words.windows(2).find(|pair| pair[0] == "--color").map(|pair| pair[1].as_ref());
    let joined = words.iter().find_map(|word| word.strip_prefix("--color="));
    let typed = after.or(joined);
    let typed = typed.and_then(|word| clap::ValueEnum::from_str(word, false).ok());
    settings::color_without_config(typed, env)
}
