//! `tfstate diff`.

use std::ffi::OsString;

use crate::cli::args::Format;
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::{diff_text, json, state, three_text};
use crate::diff::{self, Options};
use crate::store::Access;

/// Show what changed between two states, by resource and attribute
///
/// Instances are paired by address; one that is found under another address is shown as moved.
/// Attributes are compared by structure, and sensitive values are masked: only that they changed is
/// told. Exits with 0 whether the states differ or not, unless --detailed-exitcode is given.
///
/// With three states, shows which of the last two did what to the first, and where they are in
/// conflict. In a list two sides that change it in different ways are in conflict. With
/// --detailed-exitcode it exits with 2 if either side changed anything.
///
/// Example: `tfstate diff before.tfstate after.tfstate`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The old state; the one that both sides come from where there are three
    #[arg(value_hint = clap::ValueHint::FilePath)]
    from: OsString,
    /// The new state
    #[arg(value_hint = clap::ValueHint::FilePath)]
    to: OsString,
    /// Another new state, made of the same old one
    #[arg(value_hint = clap::ValueHint::FilePath)]
    other: Option<OsString>,
    /// Exit with 2 if the states differ
    #[arg(long)]
    detailed_exitcode: bool,
}

/// How it can print.
pub(crate) const FORMATS: &[Format] = &[Format::Text, Format::Json];

/// Runs the command.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let all = [Some(&args.from), Some(&args.to), args.other.as_ref()];
    if all.into_iter().flatten().filter(|state| *state == "-").count() > 1 {
        return Err(Failure::new("only one of the states can come from standard input"));
    }
    if let Some(other) = &args.other {
        return three(args, other, context);
    }
    let from = state::open(context, Some(&args.from), Access::Map)?;
    let to = state::open(context, Some(&args.to), Access::Map)?;
    let options = Options { reveal: context.reveal };
    let comparison = diff::compare(&from.document, &to.document, &options);
    if comparison.lineage_differs() {
        context
            .out
            .warning("the two states have different lineages: they are not of one history", None);
    }
    if context.format == Format::Json {
        context.out.json(&json::diff::Diff::new(&comparison, &from.name, &to.name))?;
    } else {
        diff_text::write(context.out, &comparison)?;
    }
    let differ = args.detailed_exitcode && !comparison.is_empty();
    Ok(if differ { Exit::No } else { Exit::Done })
}

fn three(args: &Args, other: &OsString, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let base = state::open(context, Some(&args.from), Access::Map)?;
    let a = state::open(context, Some(&args.to), Access::Map)?;
    let b = state::open(context, Some(other), Access::Map)?;
    let options = Options { reveal: context.reveal };
    let three = diff::compare_three(&base.document, &a.document, &b.document, &options);
    if three.lineage_differs() {
        context
            .out
            .warning("the states have different lineages: they are not of one history", None);
    }
    if context.format == Format::Json {
        let names = [&base.name, &a.name, &b.name].map(String::as_str);
        context.out.json(&json::three::Three::new(&three, names))?;
    } else {
        three_text::write(context.out, &three)?;
    }
    let differ = args.detailed_exitcode && !three.is_empty();
    Ok(if differ { Exit::No } else { Exit::Done })
}
