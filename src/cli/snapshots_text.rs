//! What `snapshots` prints for people.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::output::{Error, Output};
use super::table::{Cell, Table};
use crate::backup::Period;
use crate::base::size;
use crate::base::text::escape;
use crate::base::theme::Meaning;
use crate::diff::Action;
use crate::ops::snapshots::{Change, Changed, Head, Listed};

/// Prints a list.
pub(crate) fn write(out: &mut Output, listed: &[Listed]) -> Result<(), Error> {
    let heading = ["SNAPSHOT", "CREATED", "STRATEGY", "PARENT", "STORED", "TAGS", "STATE", "NOTE"];
    let mut table = Table::new(heading);
    for listed in listed {
        table.row(row(listed));
    }
    out.table(&table.without_empty(3..8))
}

/// Prints a list with what each snapshot changed.
pub(crate) fn write_changes(
    out: &mut Output,
    listed: &[Listed],
    changes: &BTreeMap<String, Changed>,
) -> Result<(), Error> {
    for listed in listed {
        let [id, when, stream] = told_first(listed);
        let did = changes.get(&listed.snapshot.key);
        let serial = did.and_then(|did| did.serial);
        let serial = serial.map(|serial| format!("serial {serial}")).unwrap_or_default();
        let id = out.paint(Meaning::Address, &id);
        let note = escape(&note(listed, did)).into_owned();
        let line = [id, when, stream, serial, note];
        let line: Vec<String> = line.into_iter().filter(|part| !part.is_empty()).collect();
        out.line(&line.join("  "))?;
        if let Some(resources) = did.and_then(|did| did.resources.as_deref()) {
            out.line(&format!("  {}", escape(&told(resources))))?;
        }
    }
    Ok(())
}

fn told_first(listed: &Listed) -> [String; 3] {
    let snapshot = &listed.snapshot;
    let created = snapshot.created.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
    [snapshot.id.clone(), created, escape(&snapshot.stream).into_owned()]
}

fn row(listed: &Listed) -> [Cell; 8] {
    let snapshot = &listed.snapshot;
    let (parent, tags) = match &listed.head {
        Head::Good(head) => (head.parent.as_deref(), head.tags.join(",")),
        Head::Bad(_) => (None, String::new()),
    };
    [
        Cell::of(Meaning::Address, snapshot.id.clone()),
        Cell::plain(snapshot.created.strftime("%Y-%m-%d %H:%M:%SZ").to_string()),
        Cell::plain(snapshot.kind.name()),
        Cell::plain(parent.and_then(|id| id.get(..8)).unwrap_or_default()),
        Cell::plain(size::to_string(snapshot.bytes_stored)),
        Cell::plain(tags),
        Cell::plain(snapshot.stream.clone()),
        Cell::plain(note(listed, None)),
    ]
}

fn note(listed: &Listed, changed: Option<&Changed>) -> String {
    let bad = match listed.head {
        Head::Good(_) => changed.and_then(|changed| changed.problem),
        Head::Bad(problem) => Some(problem),
    };
    let doomed = listed.is_doomed.then_some("to be removed");
    let held = listed.held.as_ref().map(|held| match &held.reason {
        Some(reason) => Cow::Owned(format!("held: {reason}")),
        None => Cow::Borrowed("held"),
    });
    bad.into_iter().chain(doomed).map(Cow::Borrowed).chain(held).collect::<Vec<_>>().join(", ")
}

/// How many addresses are shown of a snapshot.
const SHOWN: usize = 4;

fn told(changes: &[Change]) -> String {
    let sign = |action| match action {
        Action::Added => '+',
        Action::Removed => '-',
        Action::Changed => '~',
        Action::Moved => '>',
    };
    let shown = changes.iter().take(SHOWN);
    let shown = shown.map(|change| format!("{}{}", sign(change.action), cut(&change.address)));
    let mut shown: Vec<String> = shown.collect();
    match changes.len() {
        0 => shown.push("no resource".to_owned()),
        all if all > SHOWN => shown.push(format!("and {} more", all - SHOWN)),
        _ => {}
    }
    shown.join(" ")
}

/// Cuts an address that would fill a line.
fn cut(address: &str) -> String {
    const LONGEST: usize = 60;
    if address.chars().count() <= LONGEST {
        return address.to_owned();
    }
    let end: Vec<char> = address.chars().rev().take(LONGEST - 1).collect();
    std::iter::once('…').chain(end.into_iter().rev()).collect()
}

/// Prints which states were not backed up for too long.
pub(crate) fn write_ages(
    out: &mut Output,
    times: &BTreeMap<String, Option<Timestamp>>,
    period: Period,
) -> Result<(), Error> {
    let mut good = 0;
    for (stream, time) in times {
        let age = time.map(|time| age(period.now.duration_since(time)));
        match (time, age) {
            (Some(time), _) if *time >= period.since => good += 1,
            (Some(_), Some(age)) => {
                out.line(&format!("{}  last backed up {age} ago", escape(stream)))?;
            }
            _ => out.line(&format!("{}  has no snapshot", escape(stream)))?,
        }
    }
    let states = if times.len() == 1 { "state was" } else { "states were" };
    out.line(&format!("{good} of {} {states} backed up in time", times.len()))
}

/// Returns a duration in the two largest units that it has.
fn age(duration: SignedDuration) -> String {
    let minutes = duration.as_mins().max(0);
    let (days, hours, minutes) = (minutes / (24 * 60), minutes / 60 % 24, minutes % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes} min"),
        (0, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(action: Action, address: &str) -> Change {
        Change { action, address: address.to_owned(), from_address: None }
    }

    #[test]
    fn of_many_changes_the_first_are_shown_and_long_addresses_are_cut() {
        assert_eq!(told(&[]), "no resource");
        let few = [change(Action::Added, "a.b"), change(Action::Moved, "c.d")];
        assert_eq!(told(&few), "+a.b >c.d");
        let many = vec![change(Action::Removed, &"x".repeat(90)); 6];
        let cut = format!("-…{}", "x".repeat(59));
        assert_eq!(told(&many), format!("{cut} {cut} {cut} {cut} and 2 more"));
    }

    #[test]
    fn an_age_has_two_units() {
        let ages = [59, 3600 + 59, 86_400 + 7200].map(|s| age(SignedDuration::from_secs(s)));
        assert_eq!(ages, ["0 min", "1 h 0 min", "1 d 2 h"]);
    }
}
