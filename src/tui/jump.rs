//! Going along dependencies, and back the way one came.

use crate::query::reference;
use crate::state::address::Mode;
use crate::state::document::{Document, Resource};

use super::about::DEPENDS_ON;
use super::effect::Effect;
use super::layout::{Focus, Panes};
use super::lines::Spot;
use super::model::Model;
use super::theme::Meaning;
use super::view::Row;

/// The rows that jumps left.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    back: Vec<Row>,
    forward: Vec<Row>,
}

/// Which way to go through the history.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Way {
    Back,
    Forward,
}

/// Goes to what the selected instance depends on, in the detail pane.
pub(crate) fn to_dependencies(model: &mut Model) {
    let is_title = |spot: &Spot| *spot == Spot::Section(DEPENDS_ON);
    let found = model.detail.lines.iter().position(|line| line.spot.as_ref().is_some_and(is_title));
    let Some(row) = found else {
        return model.notify(Meaning::Plain, "no dependencies are recorded here");
    };
    model.detail.scroll.cursor = row;
    model.panes = Panes::Both;
    model.focus = Focus::Detail;
}

/// Returns the address of the dependency under the cursor of the detail pane.
pub(crate) fn dependency(model: &Model) -> Option<String> {
    match &model.detail.line()?.spot {
        Some(Spot::Dependency(address)) => Some(address.clone()),
        _ => None,
    }
}

/// Goes to a resource that the selected instance depends on.
pub(crate) fn along(model: &mut Model, address: &str) -> Option<Effect> {
    let (loaded, from) = (model.loaded.clone()?, model.selected()?);
    let Row::Instance(source) = from else { return None };
    let Some(target) = find(&loaded.document, source, address) else {
        model.notify(Meaning::Warning, "this state does not hold it");
        return None;
    };
    model.history.back.push(from);
    model.history.forward.clear();
    go(model, target)
}

/// Goes back to where a jump came from, or forward again.
pub(crate) fn through_history(model: &mut Model, way: Way) -> Option<Effect> {
    let here = model.selected()?;
    let History { back, forward } = &mut model.history;
    let (from, to) = match way {
        Way::Back => (back, forward),
        Way::Forward => (forward, back),
    };
    let Some(target) = from.pop() else {
        model.notify(Meaning::Plain, "no jump leads there");
        return None;
    };
    to.push(here);
    go(model, target)
}

/// Filters for what depends on the selected instance.
pub(crate) fn dependents(model: &mut Model) -> Option<Effect> {
    let (Some(Row::Instance(place)), Some(loaded)) = (model.selected(), &model.loaded) else {
        model.notify(Meaning::Plain, "a module is not depended on");
        return None;
    };
    let address = loaded.document.instance(place as usize).address_text();
    let filter = format!("dep:{}", reference::without_keys(&address));
    model.focus = Focus::Tree;
    model.search.set(&filter, model.now)
}

/// Selects a row, and makes it visible: unfolded, and without a filter that hides it.
fn go(model: &mut Model, target: Row) -> Option<Effect> {
    let is_hidden = model.matches().is_some_and(|matches| match target {
        Row::Instance(place) => !matches.has(place),
        Row::Module(node) => matches.counts[node] == 0,
    });
    let effect = if is_hidden { model.search.set("", model.now) } else { None };
    model.wanted = Some(target);
    model.unfold_around_wanted();
    model.rebuild();
    effect
}

/// Returns the first instance of a resource that `source` depends on.
///
/// A dependency has no keys. Of several instances of a module the one is meant that has more of
/// its address in common with the source.
fn find(document: &Document, source: u32, address: &str) -> Option<Row> {
    let module = document.instance(source as usize).resource().module_text();
    let address = reference::without_keys(address);
    let mut best: Option<(usize, usize)> = None;
    for (place, instance) in document.instances().enumerate() {
        let resource = instance.resource();
        if !is_at(resource, &address) {
            continue;
        }
        let both = resource.module_text().bytes().zip(module.bytes());
        let common = both.take_while(|(a, b)| a == b).count();
        if best.is_none_or(|(most, _)| common > most) {
            best = Some((common, place));
        }
    }
    u32::try_from(best?.1).ok().map(Row::Instance)
}

/// Returns whether a resource has an address without keys.
fn is_at(resource: Resource<'_>, address: &str) -> bool {
    let name = resource.name();
    // Most resources are told apart by their name, without putting an address together.
    if !address.contains(name.as_ref()) {
        return false;
    }
    let mode = if resource.mode() == Mode::Data { "data." } else { "" };
    let short = format!("{mode}{}.{name}", resource.kind());
    let own = match resource.module_text() {
        "" => short,
        module => format!("{module}.{short}"),
    };
    reference::without_keys(&own) == address
}
