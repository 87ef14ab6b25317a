//! `tfstate output`.

use std::ffi::OsString;

use crate::base::nearest::nearest;
use crate::base::text::escape;
use crate::base::theme::Meaning;
use crate::cli::args::Format;
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::state::{self, StateOption};
use crate::cli::{hcl, json};
use crate::state::document::{Document, Output};
use crate::state::scan::SyntaxError;
use crate::store::Access;

/// Show the outputs of a state
///
/// Prints all outputs of the root module, or the one that is named. Sensitive values are masked
/// unless --reveal is given. For one raw value in a script, see `tfstate get output.NAME`.
///
/// Example: `tfstate output prod.tfstate vpc_id`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The state, then the names of outputs
    ///
    /// The first word is the state if it is a path, `-` or a URL; with --state all are names.
    #[arg(value_name = "STATE|NAME")]
    words: Vec<OsString>,
    #[command(flatten)]
    state: StateOption,
}

/// How it can print.
pub(crate) const FORMATS: &[Format] = &[Format::Text, Format::Json];

/// Runs the command.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let (state, names) = state::split(&args.state, &args.words);
    let opened = state::open(context, state.as_deref(), Access::Map)?;
    let outputs = named(&opened.document, &names)?;
    if context.format == Format::Json {
        let outputs = json::output::Outputs::new(outputs.into_iter(), context.reveal);
        context.out.json(&outputs.map_err(|(output, error)| undecodable(output, &error))?)?;
        return Ok(Exit::Done);
    }
    let width = outputs.iter().map(|output| output.name().chars().count()).max().unwrap_or(0);
    for output in outputs {
        let value = output.shown_value(context.reveal).map_err(|e| undecodable(output, &e))?;
        let name = context.out.paint(Meaning::Address, output.name());
        let pad = " ".repeat(width - output.name().chars().count());
        let mut text = String::new();
        hcl::push_value(&mut text, &value, 0);
        context.out.line(&format!("{name}{pad} = {text}"))?;
        if let Some(message) = output.deprecated() {
            let (name, message) = (escape(output.name()), escape(message));
            context.out.warning(&format!("output {name} is deprecated: {message}"), None);
        }
    }
    Ok(Exit::Done)
}

fn named<'a>(document: &'a Document, names: &[String]) -> Result<Vec<Output<'a>>, Failure> {
    if names.is_empty() {
        return Ok(document.outputs().collect());
    }
    let find = |name: &String| {
        document.output(name).ok_or_else(|| {
            let failure = Failure::new(format!("the state has no output `{}`", escape(name)));
            match nearest(name, document.outputs().map(Output::name), 1).first() {
                Some(near) => failure.hint(format!("did you mean `{near}`?")),
                None => failure.hint("`tfstate output` without a name lists all"),
            }
        })
    };
    names.iter().map(find).collect()
}

fn undecodable(output: Output<'_>, error: &SyntaxError) -> Failure {
    Failure::new(format!("cannot decode output {}", escape(output.name()))).because(error)
}
