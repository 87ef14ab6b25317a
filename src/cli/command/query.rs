//! `tfstate query`.

use std::ffi::OsString;

use crate::cli::args::Format;
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::json;
use crate::cli::state::{self, StateOption};
use crate::query::{document_json, jq};
use crate::state::value::Value;
use crate::store::Access;

/// Run a jq expression over a state
///
/// The expression sees the whole state as JSON of format version 4, with `{"sensitive": true}` in
/// the place of each sensitive value unless --reveal is given. The results are printed as jq
/// prints them, one after another; with --raw, strings are printed as they are.
///
/// Example: `tfstate query prod.tfstate '[.resources[].type] | unique'`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The state, then the expression; the expression alone for the state of this directory
    #[arg(value_name = "STATE|EXPR", required = true, num_args = 1..=2)]
    words: Vec<OsString>,
    #[command(flatten)]
    state: StateOption,
    /// Print strings as they are, without quotes
    #[arg(short, long)]
    raw: bool,
}

/// How it can print.
pub(crate) const FORMATS: &[Format] = &[Format::Text, Format::Json];

/// Runs the command.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let (state, expression) = words(args)?;
    let query: jq::Query = expression.parse().map_err(|error| refused(&expression, &error))?;
    let opened = state::open(context, state.as_deref(), Access::Map)?;
    let input = document_json::of(&opened.document, context.reveal)?;
    let results = query.run(input).map(|result| {
        result.map_err(|error| Failure::new("the expression failed on this state").because(&error))
    });
    if context.format == Format::Json {
        let results = json::value::Results::new(results.collect::<Result<_, _>>()?);
        context.out.json(&results)?;
        return Ok(Exit::Done);
    }
    for result in results {
        match result? {
            Value::String(text) if args.raw => context.out.raw_line(&text)?,
            result => context.out.raw_line(&result.to_json_pretty())?,
        }
    }
    Ok(Exit::Done)
}

fn words(args: &Args) -> Result<(Option<OsString>, String), Failure> {
    let text = |word: &OsString| word.to_string_lossy().into_owned();
    match (&args.state.state, args.words.as_slice()) {
        (state, [expression]) => Ok((state.clone(), text(expression))),
        (None, [state, expression]) => Ok((Some(state.clone()), text(expression))),
        _ => Err(Failure::new("one expression is run at a time")
            .hint("leave out the second word, or `--state`")),
    }
}

fn refused(expression: &str, error: &jq::Error) -> Failure {
    let mut failure = Failure::new("cannot read the jq expression");
    let caret = match error {
        jq::Error::Expression { at, .. } => {
            format!("\n{}", crate::base::text::caret(expression, at.clone()))
        }
        _ => String::new(),
    };
    failure.because.push(format!("{error}{caret}"));
    failure
}
