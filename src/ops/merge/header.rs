//! Merges the fields that a resource has for all of its instances: the provider, and unknown ones.

use super::Error;
use super::blocks::Name;
use super::conflict::Conflict;
use super::fields;
use super::three::{Choice, Side, Three};
use super::work::{Members, Work};
use crate::state::document::Resource;
use crate::state::edit::Container;
use crate::state::parse::is_field;
use crate::state::provider::ProviderConfig;
use crate::state::value::Value;

/// Merges the fields beside `instances`; returns who alone has another provider.
pub(super) fn merge(
    work: &mut Work<'_>,
    name: &Name,
    three: Three<Resource<'_>>,
) -> Result<Option<Side>, Error> {
    let mut objects = Three::default();
    for (side, resource) in three.sides() {
        let Some(state) = *work.states.side(side) else { continue };
        *objects.side(side) = Some(Container::read(state.bytes(), resource.offset())?);
    }
    let known = |key: &str| {
        ["module", "mode", "type", "name", "instances"].iter().any(|name| is_field(key, name))
    };
    let mut members = Members::default();
    let mut changer = None;
    for (key, three) in fields::pairs(&objects, known) {
        let is_provider = is_field(&key, "provider");
        let same = |a: fields::Field<'_>, b: fields::Field<'_>| {
            if is_provider { same_provider(a.value, b.value) } else { fields::same(a, b) }
        };
        let choice = work.choose(three, same);
        if choice == Choice::Clash {
            let subject = format!("{} ({key})", name.address());
            work.conflicts.push(Conflict::of_whole(subject, &three));
        }
        if is_provider {
            changer = match choice {
                Choice::Ours => Some(Side::Ours),
                Choice::Theirs => Some(Side::Theirs),
                Choice::Same | Choice::Clash => None,
            };
        }
        if choice == Choice::Theirs {
            fields::take(work, (three, 3), &mut members);
        }
    }
    if let Some(ours) = &objects.ours {
        members.splice(ours, (&work.layout, 3), &mut work.splices);
    }
    Ok(changer)
}

fn same_provider(a: &[u8], b: &[u8]) -> bool {
    let parsed =
        |raw: &[u8]| -> Option<ProviderConfig> { Value::parse(raw).ok()?.as_str()?.parse().ok() };
    a == b || parsed(a).is_some_and(|a| Some(a) == parsed(b))
}
