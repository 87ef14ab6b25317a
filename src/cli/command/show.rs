//! `tfstate show`.

use crate::base::text::escape;
use crate::cli::args::Format;
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::json;
use crate::cli::state::{self, StateOption};
use crate::cli::view;
use crate::ops::list;
use crate::state::document::Instance;
use crate::state::scan::SyntaxError;
use crate::store::Access;

/// Show resources with their attributes
///
/// Prints what the state says of each instance in the form of Terraform's language. An address of
/// a module or of a resource with several instances shows all of them. Sensitive values are masked
/// unless --reveal is given; the private data of providers is never shown.
///
/// Example: `tfstate show -s prod.tfstate 'module.net.aws_subnet.public[0]'`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What to show: addresses of instances, resources or modules
    #[arg(value_name = "ADDRESS", required = true)]
    addresses: Vec<String>,
    #[command(flatten)]
    state: StateOption,
}

/// How it can print.
pub(crate) const FORMATS: &[Format] = &[Format::Text, Format::Json];

/// Runs the command.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let opened = state::open(context, args.state.state.as_deref(), Access::Map)?;
    let instances = list::objects(&opened.document, &args.addresses)?;
    if context.format == Format::Json {
        let show = json::show::Show::new(instances.into_iter(), context.reveal);
        context.out.json(&show.map_err(|(instance, error)| undecodable(instance, &error))?)?;
        return Ok(Exit::Done);
    }
    for (at, instance) in instances.into_iter().enumerate() {
        if at > 0 {
            context.out.line("")?;
        }
        let text = view::instance(instance, context.reveal, context.out)
            .map_err(|error| undecodable(instance, &error))?;
        context.out.bytes(text.as_bytes())?;
    }
    Ok(Exit::Done)
}

fn undecodable(instance: Instance<'_>, error: &SyntaxError) -> Failure {
    let address = instance.address_text();
    Failure::new(format!("cannot decode the attributes of {}", escape(&address)))
        .because(error)
        .hint(
            "the state itself is fine for Terraform; `tfstate list` and `tfstate diff` work on it",
        )
}
