//! `tfstate inspect`.

use std::ffi::OsString;
use std::io::IsTerminal;

use super::stats;
use crate::cli::args::Format;
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::output::ColorChoice;
use crate::cli::{filter, state};
use crate::ops::open;
use crate::store::{Access, Location};
use crate::tui::{self, Colour, Glyphs, Outcome, Revealing};

/// Browse a state in the terminal
///
/// Shows the tree of modules and resources, and the attributes of the one that is selected, with
/// secrets masked. Nothing in it changes a state. `/` filters while you type, `?` lists the keys,
/// `q` leaves. Where standard output is no terminal, the summary of `tfstate stats` is printed.
///
/// Example: `terraform state pull | tfstate inspect -`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The state; none means the one Terraform uses here
    #[arg(value_hint = clap::ValueHint::FilePath)]
    state: Option<OsString>,
    /// Begin with this filter; `tfstate help list` explains the language
    #[arg(
        short,
        long,
        value_name = "FILTER",
        allow_hyphen_values = true,
        default_value = "",
        hide_default_value = true
    )]
    filter: String,
    /// Draw with ASCII characters only
    #[arg(long)]
    ascii: bool,
    /// Keep secrets masked whatever is pressed
    #[arg(long)]
    no_reveal: bool,
}

/// How it can print, where it does not browse.
pub(crate) const FORMATS: &[Format] = &[Format::Text, Format::Json];

/// How many lines of each kind the summary has.
const TOP: usize = 10;

/// Runs the command.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    filter::parse(std::slice::from_ref(&args.filter))?;
    let is_dumb = context.env.get("TERM").is_none_or(|term| term == "dumb");
    if is_dumb || !std::io::stdout().is_terminal() || context.format == Format::Json {
        return stats::print(args.state.as_deref(), TOP, context);
    }
    browse(args, context)
}

fn browse(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let reference = args.state.clone().or_else(|| state::default(context));
    let location = Location::resolve(reference.as_deref(), state::place(context))?;
    let kept = state::kept(context);
    let is_plain = context.settings.color.value == ColorChoice::Never;
    let is_ascii = args.ascii || context.env.get("TERM").is_some_and(|term| term == "linux");
    let title = location.name();
    // The browser may stay open for hours, while Terraform writes the same file in place: the
    // bytes are read, not mapped.
    let loader = Box::new(move || {
        let opened = open::read(location.clone(), Access::Read, &kept)?;
        Ok(opened.document)
    });
    let options = tui::Options {
        title,
        loader,
        filter: args.filter.clone(),
        glyphs: if is_ascii { Glyphs::Ascii } else { Glyphs::Unicode },
        colour: if is_plain { Colour::Mono } else { Colour::Ansi },
        revealing: if args.no_reveal { Revealing::Never } else { Revealing::OnRequest },
    };
    // The browser restores the terminal itself before a signal ends it.
    let left = context.interrupt.hold(|_| Ok(tui::run(options)?));
    match left? {
        Outcome::Quit => Ok(Exit::Done),
        Outcome::Signal(_) => Ok(Exit::Interrupted),
    }
}
