//! A merge under way: the three states, what is to be spliced into ours, and what is in conflict.

use std::collections::HashSet;

use super::Error;
use super::conflict::Conflict;
use super::three::{Choice, Three};
use crate::state::document::Document;
use crate::state::edit::{Container, Layout, Slot, Splices};
use crate::state::parse::is_field;

/// What is to become of the members of an object.
#[derive(Default)]
pub(super) struct Members {
    /// The numbers of those that go.
    pub(super) gone: HashSet<usize>,
    /// Those that come, as text.
    pub(super) new: Vec<Vec<u8>>,
}

impl Members {
    /// Splices this into an object.
    pub(super) fn splice(
        self,
        object: &Container<'_>,
        at: (&Layout, usize),
        splices: &mut Splices,
    ) {
        if self.gone.is_empty() && self.new.is_empty() {
            return;
        }
        let kept = (0..object.items.len()).filter(|item| !self.gone.contains(item));
        let slots = kept.map(Slot::Keep).chain(self.new.into_iter().map(Slot::New));
        object.arrange(&slots.collect::<Vec<_>>(), at, splices);
    }
}

/// A merge under way.
pub(super) struct Work<'a> {
    pub(super) states: Three<&'a Document>,
    pub(super) ours: &'a Document,
    pub(super) theirs: &'a Document,
    /// The members of each state.
    pub(super) tops: Three<Container<'a>>,
    /// How ours is laid out.
    pub(super) layout: Layout,
    /// How theirs is laid out.
    pub(super) their_layout: Layout,
    pub(super) splices: Splices,
    /// What becomes of the members of ours.
    pub(super) members: Members,
    pub(super) conflicts: Vec<Conflict>,
    /// Whether something is as ours has it and theirs does not.
    pub(super) took_ours: bool,
    /// Whether something is as theirs has it and ours does not.
    pub(super) took_theirs: bool,
}

impl<'a> Work<'a> {
    pub(super) fn new(
        states: Three<&'a Document>,
        ours: &'a Document,
        theirs: &'a Document,
    ) -> Result<Self, Error> {
        let mut tops = Three::default();
        for (side, state) in states.sides() {
            *tops.side(side) = Some(Container::read(state.bytes(), 0)?);
        }
        Ok(Self {
            states,
            ours,
            theirs,
            tops,
            layout: Layout::of(ours.bytes()),
            their_layout: Layout::of(theirs.bytes()),
            splices: Splices::default(),
            members: Members::default(),
            conflicts: Vec::new(),
            took_ours: false,
            took_theirs: false,
        })
    }

    /// Decides whose it is to be, and remembers that sides differ.
    pub(super) fn choose<T: Copy>(
        &mut self,
        three: Three<T>,
        same: impl Fn(T, T) -> bool,
    ) -> Choice {
        let choice = three.choose(same);
        self.took_ours |= choice == Choice::Ours;
        self.took_theirs |= choice == Choice::Theirs;
        choice
    }

    /// Returns text of theirs as it looks in ours, `depth` deep.
    pub(super) fn lay(&self, raw: &[u8], depth: usize) -> Vec<u8> {
        self.layout.lay(raw, &self.their_layout, depth)
    }

    /// Arranges the items of a member of ours, which is made where it is missing or `null`.
    pub(super) fn arrange(
        &mut self,
        (key, empty): (&str, &'static str),
        container: Option<&Container<'a>>,
        slots: &[Slot],
    ) -> Result<(), Error> {
        if let Some(container) = container {
            container.arrange(slots, (&self.layout, 2), &mut self.splices);
            return Ok(());
        }
        let mut splices = Splices::default();
        Container::read(empty.as_bytes(), 0)?.arrange(slots, (&self.layout, 2), &mut splices);
        self.set(key, splices.apply(empty.as_bytes()).ok_or(Error::Unsound)?);
        Ok(())
    }

    /// Gives a field of ours a value, which is laid out already.
    pub(super) fn set(&mut self, key: &str, value: Vec<u8>) {
        let top = self.tops.ours.as_ref();
        if let Some((_, item)) = top.and_then(|top| top.get(|other| is_field(other, key))) {
            self.splices.replace(item.value.clone(), value);
            return;
        }
        let layout = Layout::of(b"{}");
        let mut member = self.layout.lay(format!("\"{key}\":").as_bytes(), &layout, 1);
        member.extend_from_slice(&value);
        self.members.new.push(member);
    }

    /// Returns the text of ours with everything spliced in, and the conflicts.
    pub(super) fn finish(mut self) -> Result<(Vec<u8>, Vec<Conflict>), Error> {
        if let Some(top) = &self.tops.ours {
            self.members.splice(top, (&self.layout, 1), &mut self.splices);
        }
        let bytes = self.splices.apply(self.ours.bytes()).ok_or(Error::Unsound)?;
        Ok((bytes, self.conflicts))
    }
}

/// Reads a member of a state that is an object or an array; `None` where it is neither.
pub(super) fn container<'a>(
    top: Option<&Container<'a>>,
    key: &str,
) -> Result<Option<Container<'a>>, Error> {
    let Some((_, item)) = top.and_then(|top| top.get(|other| is_field(other, key))) else {
        return Ok(None);
    };
    let Some(top) = top else { return Ok(None) };
    let is_container = matches!(top.text(&item.value).first(), Some(b'{' | b'['));
    Ok(if is_container {
        Some(Container::read(top.text(&(0..item.value.end)), item.value.start)?)
    } else {
        None
    })
}
