//! `tfstate list`.

mod several;

use std::ffi::OsString;

use crate::cli::args::Format;
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::json::list::{Entry, List};
use crate::cli::state::{self, StateOption};
use crate::cli::{filter, many};
use crate::ops::list::{self, Selection};
use crate::state::document::Instance;
use crate::store::Access;

/// List the addresses of the resource instances in a state
///
/// Prints one address a line: the same lines in the same order as `terraform state list`. An
/// address of a module, resource or instance limits the list as it does there; several are listed
/// one after the other, and one that nothing matches is an error.
///
/// Where a glob or a prefix names several states, each line begins with the state and a tab. One
/// that can't be read is told, the others are listed, and the status is 3.
///
/// Example: `tfstate list prod.tfstate -f 'type:aws_* tag:env=prod'`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The state, then addresses to limit the list to
    ///
    /// The first word is the state if it is a path, `-` or a URL; with --state all are addresses.
    #[arg(value_name = "STATE|ADDRESS")]
    words: Vec<OsString>,
    #[command(flatten)]
    state: StateOption,
    /// List only what matches this filter (can be repeated; all must match)
    #[arg(short, long = "filter", value_name = "FILTER", allow_hyphen_values = true)]
    filters: Vec<String>,
    /// List only instances whose attribute `id` is this
    #[arg(long, value_name = "ID")]
    id: Option<String>,
}

/// How it can print.
pub(crate) const FORMATS: &[Format] = &[Format::Text, Format::Json];

/// Runs the command.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let (state, addresses) = state::split(&args.state, &args.words);
    let filter = filter::parse(&args.filters)?;
    let selection =
        Selection { addresses, id: args.id.clone().filter(|id| !id.is_empty()), filter };
    let mut locations = many::locations(context, state.as_slice())?;
    if locations.len() > 1 {
        locations.retain(|location| !location.is_listed_empty());
        return several::run(&locations, &selection, context);
    }
    // A reference that names nothing is an error before.
    let Some(location) = locations.pop() else { return Ok(Exit::Done) };
    let opened = state::read(context, location, Access::Map)?;
    let instances = list::list(&opened.document, &selection)?;
    if context.format == Format::Json {
        let entry = |instance| Entry::new(instance, None, context.reveal);
        let list = List::new(instances.map(entry).collect());
        context.out.json(&list)?;
        return Ok(Exit::Done);
    }
    each_address(instances, |address| context.out.data(address))?;
    Ok(Exit::Done)
}

/// Calls `each` with the addresses of instances. Those of one resource share its text.
fn each_address<'a, E>(
    instances: impl Iterator<Item = Instance<'a>>,
    mut each: impl FnMut(&str) -> Result<(), E>,
) -> Result<(), E> {
    let (mut address, mut resource, mut common) = (String::new(), None, 0);
    for instance in instances {
        if resource != Some(instance.resource_number()) {
            address.clear();
            instance.resource().push_address(&mut address);
            (resource, common) = (Some(instance.resource_number()), address.len());
        }
        address.truncate(common);
        instance.push_key(&mut address);
        each(&address)?;
    }
    Ok(())
}
