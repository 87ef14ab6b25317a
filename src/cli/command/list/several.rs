//! The list of several states.

use serde_json::value::RawValue;

use super::each_address;
use crate::base::text::escape;
use crate::cli::args::Format;
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::json::list::{Entry, List};
use crate::cli::{many, state};
use crate::ops::list::{self, Selection};
use crate::ops::open;
use crate::state::sensitive::Reveal;
use crate::store::{Access, Location};

/// What is kept of a state once it was listed.
#[derive(Debug, Default)]
struct Listed {
    name: String,
    warnings: Vec<String>,
    /// The lines of its instances, as they are printed.
    lines: String,
    entries: Vec<Box<RawValue>>,
    /// The failure that an address matches nothing here, which counts only where it matches
    /// nowhere.
    nothing: Option<Failure>,
}

/// Lists states one after the other, reading several at once.
pub(super) fn run(
    locations: &[Location],
    selection: &Selection,
    context: &mut Context<'_>,
) -> Result<Exit, Failure> {
    let (kept, format, reveal) = (state::kept(context), context.format, context.reveal);
    let work = |location: &Location| -> Result<Listed, Failure> {
        let opened = open::read(location.clone(), Access::Read, &kept)?;
        listed(&opened, selection, format, reveal)
    };
    let (mut all, mut nothing, mut found) = (Vec::new(), None, false);
    let exit = many::each(context, locations, work, |context, _, listed| {
        for warning in &listed.warnings {
            context.out.warning(&format!("{}: {warning}", escape(&listed.name)), None);
        }
        found |= listed.nothing.is_none();
        nothing = listed.nothing.or(nothing.take());
        context.out.bytes(listed.lines.as_bytes())?;
        all.extend(listed.entries);
        Ok(())
    })?;
    if let Some(failure) = nothing.filter(|_| !found) {
        return Err(failure);
    }
    if context.format == Format::Json {
        context.out.json(&List::new(all))?;
    }
    Ok(exit)
}

fn listed(
    opened: &open::Opened,
    selection: &Selection,
    format: Format,
    reveal: Reveal,
) -> Result<Listed, Failure> {
    let name = opened.name.clone();
    let warnings = opened.document.warnings().iter().map(ToString::to_string).collect();
    let mut listed = Listed { name, warnings, ..Listed::default() };
    let instances = match list::list(&opened.document, selection) {
        Ok(instances) => instances,
        Err(error @ list::Error::NoMatch { .. }) => {
            listed.nothing = Some(error.into());
            return Ok(listed);
        }
        Err(error) => return Err(error.into()),
    };
    if format != Format::Json {
        let name = escape(&opened.name);
        each_address(instances, |address| {
            listed.lines.extend([&*name, "\t", &*escape(address), "\n"]);
            Ok::<(), Failure>(())
        })?;
        return Ok(listed);
    }
    for instance in instances {
        let entry = Entry::new(instance, Some(&listed.name), reveal);
        let entry = serde_json::value::to_raw_value(&entry);
        listed.entries.push(entry.map_err(|error| {
            Failure::new(format!("cannot print {}", escape(&opened.name))).because(&error)
        })?);
    }
    Ok(listed)
}
