//! Merges the resources: instance by instance, and the fields that a resource has for all of them.

use std::collections::{BTreeMap, HashSet};

use super::Error;
use super::blocks::{self, Block, Blocks, Name};
use super::conflict::{Clash, Conflict};
use super::header;
use super::order;
use super::three::{Choice, Side, Three};
use super::work::{self, Members, Work};
use crate::diff;
use crate::state::address::Key;
use crate::state::document::{Instance, Resource};
use crate::state::edit::{Container, Slot, Splices};
use crate::state::parse::is_field;

/// What tells the objects of a resource apart; sorts as Terraform writes them.
type Place = (Key, Option<String>);

/// An element of `instances`, with its number.
type Object<'a> = (usize, Instance<'a>);

/// What becomes of the elements of `resources` in ours.
#[derive(Default)]
struct Plan {
    gone: HashSet<usize>,
    new: Vec<(Name, Vec<u8>)>,
}

/// Merges all resources.
pub(super) fn merge(work: &mut Work<'_>) -> Result<(), Error> {
    let mut plan = Plan::default();
    for (name, blocks) in blocks::collect(work.states) {
        match blocks::single(&blocks) {
            Some(three) => one(work, &mut plan, (name, three))?,
            None => several(work, &name, &blocks),
        }
    }
    if plan.gone.is_empty() && plan.new.is_empty() {
        return Ok(());
    }
    let old: Vec<Name> = work.ours.resources().map(Name::of).collect();
    let slots = order::slots(&old, &plan.gone, plan.new);
    let container = work::container(work.tops.ours.as_ref(), "resources")?;
    work.arrange(("resources", "[]"), container.as_ref(), &slots)
}

/// Merges a resource that stands in one element of each state.
fn one(
    work: &mut Work<'_>,
    plan: &mut Plan,
    (name, three): (Name, Three<Block<'_>>),
) -> Result<(), Error> {
    let equal_bytes = |a: Block<'_>, b: Block<'_>| a.1.raw() == b.1.raw();
    let quick = three.choose(equal_bytes);
    // Most of a large state is in no question, and need not be looked into. That ours differs in
    // more than its spelling must be seen once.
    if quick == Choice::Same || (quick == Choice::Ours && work.took_ours) {
        return Ok(());
    }
    let objects = objects(three);
    let mut chosen = BTreeMap::new();
    for (place, object) in &objects {
        let choice = work.choose(*object, |a, b| diff::is_same_instance(a.1, b.1));
        chosen.insert(place, choice);
        if choice == Choice::Clash {
            work.conflicts.extend(Conflict::of_instance(object.map(|(_, object)| Some(object))));
        }
    }
    let stays = |place: &Place| {
        let object = &objects[place];
        let from_theirs = chosen[place] == Choice::Theirs;
        if from_theirs { object.theirs.is_some() } else { object.ours.is_some() }
    };
    check_keys(work, &name, &objects, stays);
    let remains = objects.keys().any(stays);
    match (three.ours, three.theirs) {
        (None, Some(theirs)) => {
            if remains || three.base.is_none() {
                let keep = |place: &Place| stays(place);
                plan.new.push((name, without(work, theirs.1, keep)?));
                work.took_theirs = true;
            }
        }
        (Some(ours), None) => {
            let is_gone = !remains && three.base.is_some();
            if is_gone {
                plan.gone.insert(ours.0);
                work.took_theirs = true;
            } else {
                instances(work, ours.1, (&objects, &chosen))?;
            }
        }
        (Some(ours), Some(theirs)) => {
            let was_empty = ours.1.instances().len() == 0 && theirs.1.instances().len() == 0;
            if !remains && !was_empty {
                plan.gone.insert(ours.0);
                return Ok(());
            }
            let header = three.map(|(_, resource)| Some(resource));
            let changer = header::merge(work, &name, header)?;
            check_provider(work, &name, changer, (&objects, &chosen));
            instances(work, ours.1, (&objects, &chosen))?;
        }
        (None, None) => {}
    }
    Ok(())
}

/// Leaves a resource as ours has it that some state spreads over several elements, if that is
/// what a merge comes to; the elements can't be told apart to edit them.
fn several(work: &mut Work<'_>, name: &Name, blocks: &Blocks<'_>) {
    let mut objects: BTreeMap<Place, Three<Instance<'_>>> = BTreeMap::new();
    let sides =
        [(Side::Base, &blocks.base), (Side::Ours, &blocks.ours), (Side::Theirs, &blocks.theirs)];
    for (side, blocks) in sides {
        for (_, resource) in blocks.iter().flatten() {
            for instance in resource.instances() {
                let place = (instance.key(), instance.deposed());
                *objects.entry(place).or_default().side(side) = Some(instance);
            }
        }
    }
    let mut is_ours = true;
    for three in objects.into_values() {
        let choice = work.choose(three, diff::is_same_instance);
        is_ours &= matches!(choice, Choice::Same | Choice::Ours);
    }
    if !is_ours {
        work.conflicts.push(Conflict { subject: name.address(), clash: Clash::Blocks });
    }
}

/// Returns the objects of a resource in all three states.
fn objects<'a>(three: Three<Block<'a>>) -> BTreeMap<Place, Three<Object<'a>>> {
    let mut objects: BTreeMap<Place, Three<Object<'a>>> = BTreeMap::new();
    for (side, (_, resource)) in three.sides() {
        for (number, instance) in resource.instances().enumerate() {
            let place = (instance.key(), instance.deposed());
            *objects.entry(place).or_default().side(side) = Some((number, instance));
        }
    }
    objects
}

type Chosen<'c> = BTreeMap<&'c Place, Choice>;

/// Edits the instances of a resource of ours.
fn instances(
    work: &mut Work<'_>,
    ours: Resource<'_>,
    (objects, chosen): (&BTreeMap<Place, Three<Object<'_>>>, &Chosen<'_>),
) -> Result<(), Error> {
    let (mut gone, mut new) = (HashSet::new(), Vec::new());
    for (place, object) in objects {
        if chosen[place] != Choice::Theirs {
            continue;
        }
        let text = |work: &Work<'_>, theirs: Instance<'_>| work.lay(theirs.raw(), 4);
        match (object.ours, object.theirs) {
            (Some((_, ours)), Some((_, theirs))) => {
                let range = ours.offset()..ours.offset() + ours.raw().len();
                let text = text(work, theirs);
                work.splices.replace(range, text);
            }
            (None, Some((_, theirs))) => new.push((place.clone(), text(work, theirs))),
            (Some((number, _)), None) => drop(gone.insert(number)),
            (None, None) => {}
        }
    }
    if gone.is_empty() && new.is_empty() {
        return Ok(());
    }
    let old: Vec<Place> =
        ours.instances().map(|instance| (instance.key(), instance.deposed())).collect();
    let slots = order::slots(&old, &gone, new);
    let bytes = work.ours.bytes();
    let element = Container::read(bytes, ours.offset())?;
    let Some((_, item)) = element.get(|key| is_field(key, "instances")) else {
        return append_instances(work, &element, &slots);
    };
    if element.text(&item.value).first() != Some(&b'[') {
        let text = array(work, &slots)?;
        work.splices.replace(item.value.clone(), text);
        return Ok(());
    }
    let list = Container::read(bytes, item.value.start)?;
    list.arrange(&slots, (&work.layout, 4), &mut work.splices);
    Ok(())
}

/// Gives a resource instances that has no such field.
fn append_instances(
    work: &mut Work<'_>,
    element: &Container<'_>,
    slots: &[Slot],
) -> Result<(), Error> {
    let mut member = work.lay(b"\"instances\":", 3);
    member.extend(array(work, slots)?);
    let members = Members { new: vec![member], ..Members::default() };
    members.splice(element, (&work.layout, 3), &mut work.splices);
    Ok(())
}

fn array(work: &Work<'_>, slots: &[Slot]) -> Result<Vec<u8>, Error> {
    let mut splices = Splices::default();
    Container::read(b"[]", 0)?.arrange(slots, (&work.layout, 4), &mut splices);
    splices.apply(b"[]").ok_or(Error::Unsound)
}

/// Returns an element of theirs, laid out as ours, without the instances that do not stay.
fn without(
    work: &Work<'_>,
    theirs: Resource<'_>,
    stays: impl Fn(&Place) -> bool,
) -> Result<Vec<u8>, Error> {
    let raw = theirs.raw();
    let keeps: Vec<bool> =
        theirs.instances().map(|instance| stays(&(instance.key(), instance.deposed()))).collect();
    if keeps.iter().all(|&keep| keep) {
        return Ok(work.lay(raw, 2));
    }
    let element = Container::read(raw, 0)?;
    let mut splices = Splices::default();
    if let Some((_, item)) = element.get(|key| is_field(key, "instances")) {
        let slots: Vec<Slot> = (0..keeps.len()).filter(|&at| keeps[at]).map(Slot::Keep).collect();
        let list = Container::read(raw, item.value.start)?;
        list.arrange(&slots, (&work.their_layout, 4), &mut splices);
    }
    Ok(work.lay(&splices.apply(raw).ok_or(Error::Unsound)?, 2))
}

/// Finds instances that one side made with a provider which the other side replaced.
fn check_provider(
    work: &mut Work<'_>,
    name: &Name,
    changer: Option<Side>,
    (objects, chosen): (&BTreeMap<Place, Three<Object<'_>>>, &Chosen<'_>),
) {
    let Some(by) = changer else { return };
    let (other, choice) = match by {
        Side::Ours => (Side::Theirs, Choice::Theirs),
        Side::Theirs | Side::Base => (Side::Ours, Choice::Ours),
    };
    let made = objects.iter().any(|(place, object)| {
        let mut object = *object;
        let made = object.side(other).filter(|_| chosen[place] == choice);
        made.is_some_and(|(_, instance)| instance.details().provider.is_none())
    });
    if made {
        work.conflicts.push(Conflict { subject: name.address(), clash: Clash::Provider { by } });
    }
}

/// Finds a resource that would have keys of two kinds, which no side has.
fn check_keys(
    work: &mut Work<'_>,
    name: &Name,
    objects: &BTreeMap<Place, Three<Object<'_>>>,
    stays: impl Fn(&Place) -> bool,
) {
    let kinds = |has: &dyn Fn(&Place, &Three<Object<'_>>) -> bool| {
        let current = objects.iter().filter(|((_, deposed), _)| deposed.is_none());
        let kinds: HashSet<u8> = current
            .filter(|(place, object)| has(place, object))
            .map(|((key, _), _)| match key {
                Key::None => 0,
                Key::Int(_) => 1,
                Key::String(_) => 2,
            })
            .collect();
        kinds.len()
    };
    let merged = kinds(&|place, _| stays(place));
    let ours = kinds(&|_, object| object.ours.is_some());
    let theirs = kinds(&|_, object| object.theirs.is_some());
    if merged > 1 && ours < 2 && theirs < 2 {
        work.conflicts.push(Conflict { subject: name.address(), clash: Clash::Keys });
    }
}
