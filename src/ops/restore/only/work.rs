//! An edit under way: what is to be spliced into the text of the live state.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use super::Error;
use crate::diff;
use crate::ops::merge::blocks::Name;
use crate::ops::merge::order;
use crate::query::filter::Filter;
use crate::state::address::Key;
use crate::state::document::{Document, Instance, Resource};
use crate::state::edit::{Container, Layout, Slot, Splices};
use crate::state::parse::is_field;

/// What tells the objects of a resource apart; sorts as Terraform writes them.
type Place = (Key, Option<String>);

/// An element of `instances` with its number, in both states.
#[derive(Clone, Copy, Default)]
struct Object<'a> {
    live: Option<(usize, Instance<'a>)>,
    past: Option<(usize, Instance<'a>)>,
    is_selected: bool,
}

type Objects<'a> = BTreeMap<Place, Object<'a>>;

/// The elements of one resource in both states, with their numbers.
#[derive(Default)]
struct Blocks<'a> {
    live: Vec<(usize, Resource<'a>)>,
    past: Vec<Resource<'a>>,
}

/// Returns the text of the live state with what is selected as it was, not checked yet.
pub(super) fn edited(
    (live, past): (&Document, &Document),
    filter: &Filter,
) -> Result<Vec<u8>, Error> {
    let mut work = Work {
        live,
        filter,
        layout: Layout::of(live.bytes()),
        past_layout: Layout::of(past.bytes()),
        splices: Splices::default(),
        gone: HashSet::new(),
        new: Vec::new(),
    };
    let mut all: BTreeMap<Name, Blocks<'_>> = BTreeMap::new();
    for (number, resource) in live.resources().enumerate() {
        all.entry(Name::of(resource)).or_default().live.push((number, resource));
    }
    for resource in past.resources() {
        all.entry(Name::of(resource)).or_default().past.push(resource);
    }
    for (name, blocks) in all {
        work.resource(name, &blocks)?;
    }
    work.finish()
}

/// An edit under way.
struct Work<'a> {
    live: &'a Document,
    filter: &'a Filter,
    /// How the live state is laid out, and how the past one is.
    layout: Layout,
    past_layout: Layout,
    splices: Splices,
    /// The elements of `resources` that go, and those that come.
    gone: HashSet<usize>,
    new: Vec<(Name, Vec<u8>)>,
}

impl<'a> Work<'a> {
    fn resource(&mut self, name: Name, blocks: &Blocks<'a>) -> Result<(), Error> {
        let objects = self.objects(blocks);
        if !objects.values().any(|object| object.is_selected) {
            return Ok(());
        }
        let instances = blocks.past.iter().copied().chain(blocks.live.iter().map(|live| live.1));
        let instances: usize = instances.map(|resource| resource.instances().len()).sum();
        let count = |object: &Object<'_>| {
            usize::from(object.live.is_some()) + usize::from(object.past.is_some())
        };
        let is_spread = blocks.live.len() > 1 || blocks.past.len() > 1;
        if is_spread || instances != objects.values().map(count).sum::<usize>() {
            return Err(Error::Spread { address: name.address() });
        }
        let past = blocks.past.first().copied();
        match (blocks.live.first().copied(), past) {
            (Some(live), _) => self.edit(&name, (live, past), &objects),
            (None, Some(past)) => {
                let text = self.of_past(past, &objects)?;
                self.new.push((name, text));
                Ok(())
            }
            (None, None) => Ok(()),
        }
    }

    fn objects(&self, blocks: &Blocks<'a>) -> Objects<'a> {
        let mut objects = Objects::new();
        for (_, resource) in &blocks.live {
            for (number, instance) in resource.instances().enumerate() {
                let object = objects.entry(place(instance)).or_default();
                object.live = Some((number, instance));
                object.is_selected |= self.filter.matches(instance);
            }
        }
        for resource in &blocks.past {
            for (number, instance) in resource.instances().enumerate() {
                let object = objects.entry(place(instance)).or_default();
                object.past = Some((number, instance));
                object.is_selected |= self.filter.matches(instance);
            }
        }
        objects
    }

    /// Edits the instances of an element of the live state.
    fn edit(
        &mut self,
        name: &Name,
        ((number, live), past): ((usize, Resource<'a>), Option<Resource<'a>>),
        objects: &Objects<'a>,
    ) -> Result<(), Error> {
        let (mut gone, mut new, mut changed) = (HashSet::new(), Vec::new(), Vec::new());
        for (place, object) in objects.iter().filter(|(_, object)| object.is_selected) {
            match (object.live, object.past) {
                (Some((_, live)), Some((_, past))) if diff::is_same_instance(live, past) => {}
                (Some((_, live)), Some((_, past))) => changed.push((live, past)),
                (None, Some((_, past))) => new.push((place.clone(), past)),
                (Some((number, _)), None) => drop(gone.insert(number)),
                (None, None) => {}
            }
        }
        if gone.is_empty() && new.is_empty() && changed.is_empty() {
            return Ok(());
        }
        if gone.len() == live.instances().len() && new.is_empty() {
            self.gone.insert(number);
            return Ok(());
        }
        let mut taken =
            changed.iter().map(|(_, past)| past).chain(new.iter().map(|(_, past)| past));
        let differs = past.is_some_and(|past| !is_same_provider(live, past));
        if differs && taken.any(|instance| instance.details().provider.is_none()) {
            let stays = |object: &Object<'_>| object.live.is_some() && !object.is_selected;
            return match past {
                // Nothing of the live element stays, so all of it becomes what it was.
                Some(past) if !objects.values().any(stays) => {
                    let text = self.of_past(past, objects)?;
                    self.splices.replace(range(live.offset(), live.raw()), text);
                    Ok(())
                }
                _ => Err(Error::Provider { address: name.address() }),
            };
        }
        for (live, past) in changed {
            let text = self.lay(past.raw(), 4);
            self.splices.replace(range(live.offset(), live.raw()), text);
        }
        let new = new.into_iter().map(|(place, past)| (place, self.lay(past.raw(), 4))).collect();
        self.arrange_instances(live, &gone, new)
    }

    fn arrange_instances(
        &mut self,
        live: Resource<'_>,
        gone: &HashSet<usize>,
        new: Vec<(Place, Vec<u8>)>,
    ) -> Result<(), Error> {
        if gone.is_empty() && new.is_empty() {
            return Ok(());
        }
        let old: Vec<Place> = live.instances().map(place).collect();
        let slots = order::slots(&old, gone, new);
        let element = Container::read(self.live.bytes(), live.offset())?;
        self.arrange_member((&element, 3), ("instances", 4), &slots)
    }

    /// Arranges the items of an array that is a member of an object; makes it where it is missing.
    fn arrange_member(
        &mut self,
        (object, depth): (&Container<'_>, usize),
        (key, inner): (&str, usize),
        slots: &[Slot],
    ) -> Result<(), Error> {
        let member = object.get(|other| is_field(other, key));
        if let Some((_, item)) = member
            && object.text(&item.value).first() == Some(&b'[')
        {
            let list = Container::read(self.live.bytes(), item.value.start)?;
            list.arrange(slots, (&self.layout, inner), &mut self.splices);
            return Ok(());
        }
        let mut splices = Splices::default();
        Container::read(b"[]", 0)?.arrange(slots, (&self.layout, inner), &mut splices);
        let list = splices.apply(b"[]").ok_or(Error::Unsound)?;
        if let Some((_, item)) = member {
            self.splices.replace(item.value.clone(), list);
            return Ok(());
        }
        let name = format!("\"{key}\":");
        let mut text = self.layout.lay(name.as_bytes(), &Layout::of(b"{}"), depth);
        text.extend(list);
        let kept = (0..object.items.len()).map(Slot::Keep);
        let slots: Vec<Slot> = kept.chain([Slot::New(text)]).collect();
        object.arrange(&slots, (&self.layout, depth), &mut self.splices);
        Ok(())
    }

    /// Returns an element of the past with the selected instances alone, as it looks here.
    fn of_past(&self, past: Resource<'_>, objects: &Objects<'_>) -> Result<Vec<u8>, Error> {
        let is_selected = |instance| objects.get(&place(instance)).is_some_and(|o| o.is_selected);
        let keeps: Vec<bool> = past.instances().map(is_selected).collect();
        let raw = past.raw();
        if keeps.iter().all(|&keep| keep) {
            return Ok(self.lay(raw, 2));
        }
        let element = Container::read(raw, 0)?;
        let (_, item) = element.get(|key| is_field(key, "instances")).ok_or(Error::Unsound)?;
        let slots: Vec<Slot> = (0..keeps.len()).filter(|&at| keeps[at]).map(Slot::Keep).collect();
        let mut splices = Splices::default();
        let list = Container::read(raw, item.value.start)?;
        list.arrange(&slots, (&self.past_layout, 4), &mut splices);
        Ok(self.lay(&splices.apply(raw).ok_or(Error::Unsound)?, 2))
    }

    /// Returns text of the past as it looks in the live state, `depth` deep.
    fn lay(&self, raw: &[u8], depth: usize) -> Vec<u8> {
        self.layout.lay(raw, &self.past_layout, depth)
    }

    fn finish(mut self) -> Result<Vec<u8>, Error> {
        let new = std::mem::take(&mut self.new);
        if !self.gone.is_empty() || !new.is_empty() {
            let old: Vec<Name> = self.live.resources().map(Name::of).collect();
            let slots = order::slots(&old, &self.gone, new);
            let top = Container::read(self.live.bytes(), 0)?;
            self.arrange_member((&top, 1), ("resources", 2), &slots)?;
        }
        self.splices.apply(self.live.bytes()).ok_or(Error::Unsound)
    }
}

fn place(instance: Instance<'_>) -> Place {
    (instance.key(), instance.deposed())
}

fn range(offset: usize, raw: &[u8]) -> Range<usize> {
    offset..offset + raw.len()
}

fn is_same_provider(a: Resource<'_>, b: Resource<'_>) -> bool {
    a.provider_text() == b.provider_text()
        || matches!((a.provider(), b.provider()), (Some(Ok(a)), Some(Ok(b))) if a == b)
}
