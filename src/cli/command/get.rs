//! `tfstate get`.

use crate::base::text::escape;
use crate::cli::args::Format;
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::json;
use crate::cli::state::{self, StateOption};
use crate::query::lookup;
use crate::state::value::Value;
use crate::store::Access;

/// Print one value of a state
///
/// A string is printed as it is, without quotes; anything else as JSON. The path goes on behind
/// the address: `.name`, `[0]`, `["any key"]`. A sensitive value is refused unless --reveal is
/// given. A lookup that finds nothing exits with 1.
///
/// Example: `tfstate get -s prod.tfstate 'aws_instance.web[0].tags.Name'`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// An address with a path behind it, or `output.NAME`
    #[arg(value_name = "ADDRESS.PATH")]
    what: String,
    #[command(flatten)]
    state: StateOption,
}

/// How it can print.
pub(crate) const FORMATS: &[Format] = &[Format::Text, Format::Json];

/// Runs the command.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let opened = state::open(context, args.state.state.as_deref(), Access::Map)?;
    let found = lookup::find(&opened.document, &args.what, context.reveal)?;
    match &found.value {
        Value::Sensitive => {
            let what = escape(&args.what);
            return Err(Failure::new(format!("cannot print {what}: it is sensitive"))
                .hint("add `--reveal` to print it all the same"));
        }
        Value::String(text) if context.format == Format::Text => context.out.raw_line(text)?,
        value if context.format == Format::Text => context.out.line(&value.to_json())?,
        value => context.out.json(&json::value::Got::new(&args.what, value))?,
    }
    Ok(Exit::Done)
}
