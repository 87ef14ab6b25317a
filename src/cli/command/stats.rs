//! `tfstate stats`.

use std::ffi::{OsStr, OsString};

use crate::cli::args::Format;
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::{json, state, stats_text};
use crate::query::stats;
use crate::store::Access;

/// Count what is in a state, and say what makes it big
///
/// Example: `tfstate stats prod.tfstate --top 20`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The state; none means the one Terraform uses here
    #[arg(value_hint = clap::ValueHint::FilePath)]
    state: Option<OsString>,
    /// List this many types, modules and resources each
    #[arg(long, value_name = "N", default_value_t = 10)]
    top: usize,
}

/// How it can print.
pub(crate) const FORMATS: &[Format] = &[Format::Text, Format::Json];

/// Runs the command.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    print(args.state.as_deref(), args.top, context)
}

/// Prints the summary of a state; `inspect` does so too where there is no terminal.
pub(super) fn print(
    state: Option<&OsStr>,
    top: usize,
    context: &mut Context<'_>,
) -> Result<Exit, Failure> {
    let opened = state::open(context, state, Access::Map)?;
    let counts = stats::of(&opened.document);
    let largest = counts.largest(&opened.document, top);
    if context.format == Format::Json {
        context.out.json(&json::stats::Counts::new(&counts, &largest))?;
    } else {
        stats_text::write(context.out, &opened.name, &counts, &largest, top)?;
    }
    Ok(Exit::Done)
}
