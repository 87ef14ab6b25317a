//! `tfstate diff`.

use std::ffi::OsString;

use crate::cli::args::Format;
use crate::cli::context::Context;
use crate::cli::diff::gate::Gate;
use crate::cli::diff::{Layout, Report, github, html, markdown, stat, text};
use crate::cli::error::{Exit, Failure};
use crate::cli::output;
use crate::cli::{json, state};
use crate::diff::{self, Options};
use crate::state::document::Document;
use crate::state::sensitive::Reveal;
use crate::store::Access;

/// Show what changed between two states, by resource and attribute
///
/// Instances are paired by address; one that is found under another address is shown as moved.
/// Attributes are compared by structure, and sensitive values are masked: only that they changed is
/// told. Exits with 0 whether the states differ or not, unless --detailed-exitcode is given.
///
/// Example: tfstate diff before.tfstate after.tfstate
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag as it was typed")]
pub(crate) struct Args {
    /// The old state
    #[arg(value_hint = clap::ValueHint::FilePath)]
    from: OsString,
    /// The new state
    #[arg(value_hint = clap::ValueHint::FilePath)]
    to: OsString,
    /// Exit with 2 if the states differ
    #[arg(long)]
    detailed_exitcode: bool,
    /// Exit with 2 if there is such a change: delete, replace, move, sensitive (can be repeated)
    ///
    /// `delete` is a managed resource that is gone, `replace` one whose `id` is another at the same
    /// address, `move` one at another address, `sensitive` a secret that changed. What is found
    /// is named on standard error.
    #[arg(long, value_name = "CHANGE", value_delimiter = ',', hide_possible_values = true)]
    fail_on: Vec<Gate>,
    /// Print only how much changed, by type of resource; with -o text
    #[arg(long)]
    stat: bool,
    /// Print no more than this many bytes of markdown, and say what was left out
    ///
    /// Whole entries are left out. The counts are printed in any case.
    #[arg(long, value_name = "BYTES")]
    max_bytes: Option<usize>,
    /// Put before and after beside each other [default: from 140 columns on]
    #[arg(long, conflicts_with = "unified")]
    side_by_side: bool,
    /// Put before and after below each other, however wide the terminal is
    #[arg(long)]
    unified: bool,
    /// Do not use a pager: `TFSTATE_PAGER`, `PAGER`, or `less`
    #[arg(long)]
    no_pager: bool,
}

/// How it can print.
pub(crate) const FORMATS: &[Format] =
    &[Format::Text, Format::Json, Format::Markdown, Format::Html, Format::Github];

/// Runs the command.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    check(args, context.format)?;
    let from = state::open(context, Some(&args.from), Access::Map)?;
    let to = state::open(context, Some(&args.to), Access::Map)?;
    let options = Options { reveal: context.reveal };
    let comparison = diff::compare(&from.document, &to.document, &options);
    if comparison.lineage_differs() {
        context
            .out
            .warning("the two states have different lineages: they are not of one history", None);
    }
    let report = Report { comparison: &comparison, from: &from.name, to: &to.name };
    print(args, context, report)?;
    let refused = refuse(args, context, (&from.document, &to.document));
    let differ = args.detailed_exitcode && !comparison.is_empty();
    Ok(if differ || refused { Exit::No } else { Exit::Done })
}

fn check(args: &Args, format: Format) -> Result<(), Failure> {
    if args.from == "-" && args.to == "-" {
        return Err(Failure::new("only one of the two states can come from standard input"));
    }
    if args.max_bytes.is_some() && format != Format::Markdown {
        return Err(Failure::new("`--max-bytes` is for markdown").hint("add `-o markdown`"));
    }
    let for_text = args.stat || args.side_by_side || args.unified;
    if for_text && format != Format::Text {
        let failure = Failure::new("`--stat`, `--side-by-side` and `--unified` are for text");
        return Err(failure.hint("leave out `-o`"));
    }
    Ok(())
}

fn print(args: &Args, context: &mut Context<'_>, report: Report<'_>) -> Result<(), output::Error> {
    let out = &mut *context.out;
    match context.format {
        Format::Json => {
            return out.json(&json::diff::Diff::new(report.comparison, report.from, report.to));
        }
        Format::Markdown => return markdown::write(out, report, args.max_bytes),
        Format::Html => return html::write(out, report),
        Format::Github => return github::write(out, report),
        Format::Text => {}
    }
    if !args.no_pager {
        out.begin_page();
    }
    if args.stat {
        stat::write(out, report)?;
    } else {
        text::write(out, report, layout(args, out.width()))?;
    }
    out.end_page(context.env)
}

fn layout(args: &Args, width: Option<u16>) -> Layout {
    match (args.side_by_side, args.unified) {
        (true, _) => Layout::SideBySide,
        (_, true) => Layout::Unified,
        (false, false) => Layout::of(width),
    }
}

/// Says which changes are refused; returns whether there are some.
fn refuse(args: &Args, context: &mut Context<'_>, (from, to): (&Document, &Document)) -> bool {
    if args.fail_on.is_empty() {
        return false;
    }
    // Masked, whatever is shown: a secret that was revealed can't be told from other values.
    let comparison = diff::compare(from, to, &Options { reveal: Reveal::No });
    let refused: Vec<String> =
        args.fail_on.iter().flat_map(|gate| gate.refused(&comparison)).collect();
    for text in &refused {
        context.out.warning(text, None);
    }
    !refused.is_empty()
}
