//! The summary of a state as people read it.

use super::output::{self, Output};
use super::table::{Cell, Table};
use crate::base::size;
use crate::base::theme::Meaning;
use crate::query::stats::{Group, Sized, Stats};

/// Writes counts first, then what they are made of, `top` lines each.
pub(crate) fn write(
    out: &mut Output,
    name: &str,
    stats: &Stats,
    largest: &[Sized],
    top: usize,
) -> Result<(), output::Error> {
    let mut line = |label: &str, value: String| {
        let label = out.paint(Meaning::Muted, &format!("{label:<13}"));
        let value = crate::base::text::escape(&value).into_owned();
        out.line(&format!("{label}{value}"))
    };
    line("state", name.to_owned())?;
    line("size", size::to_string(stats.bytes))?;
    line("version", version(stats))?;
    line("serial", stats.serial.to_string())?;
    line("lineage", or_none(&stats.lineage))?;
    line("resources", resources(stats))?;
    line("outputs", stats.outputs.to_string())?;
    line("modules", stats.modules.to_string())?;
    line("attributes", share(stats.bytes_attributes, stats.bytes))?;
    line("dependencies", share(stats.bytes_dependencies, stats.bytes))?;
    groups(out, "TYPE", &stats.types, top, stats.bytes)?;
    groups(out, "PROVIDER", &stats.providers, top, stats.bytes)?;
    groups(out, "MODULE", &stats.by_module, top, stats.bytes)?;
    if largest.is_empty() {
        return Ok(());
    }
    out.line("")?;
    let mut table = Table::new(["LARGEST", "SIZE", "SHARE"]).numbers(1..3);
    for resource in largest {
        table.row([
            Cell::of(Meaning::Address, resource.address.clone()),
            Cell::plain(size::to_string(resource.bytes)),
            Cell::plain(percent(resource.bytes, stats.bytes)),
        ]);
    }
    out.table(&table)
}

fn version(stats: &Stats) -> String {
    let writer = match stats.terraform_version.as_str() {
        "" => String::new(),
        version => format!(", written by version {version}"),
    };
    format!("{}{writer}", stats.version)
}

fn resources(stats: &Stats) -> String {
    let mut text = format!("{} in {} instances", stats.resources, stats.instances);
    let marks = [(stats.data, "data"), (stats.tainted, "tainted"), (stats.deposed, "deposed")];
    for (count, what) in marks.into_iter().filter(|(count, _)| *count > 0) {
        text = format!("{text}, {count} {what}");
    }
    text
}

fn or_none(text: &str) -> String {
    if text.is_empty() { "none".to_owned() } else { text.to_owned() }
}

fn share(part: u64, whole: u64) -> String {
    format!("{} ({})", size::to_string(part), percent(part, whole))
}

/// Returns a share with one decimal.
fn percent(part: u64, whole: u64) -> String {
    let tenths = u128::from(part) * 1000 / u128::from(whole.max(1));
    format!("{}.{} %", tenths / 10, tenths % 10)
}

fn groups(
    out: &mut Output,
    heading: &'static str,
    groups: &[Group],
    top: usize,
    whole: u64,
) -> Result<(), output::Error> {
    if groups.is_empty() {
        return Ok(());
    }
    out.line("")?;
    let mut table = Table::new([heading, "INSTANCES", "SIZE", "SHARE"]).numbers(1..4);
    for group in groups.iter().take(top) {
        let name = if group.name.is_empty() { "(root)" } else { &group.name };
        table.row([
            Cell::of(Meaning::Address, name),
            Cell::plain(group.instances.to_string()),
            Cell::plain(size::to_string(group.bytes)),
            Cell::plain(percent(group.bytes, whole)),
        ]);
    }
    out.table(&table)?;
    if groups.len() > top {
        let more = format!("… {} more; --top {} lists all", groups.len() - top, groups.len());
        out.line(&out.paint(Meaning::Muted, &more))?;
    }
    Ok(())
}
