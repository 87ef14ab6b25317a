//! As much of YAML as a recipe needs.

use saphyr_parser::{Event, Parser};

/// A value.
#[derive(Debug)]
pub(crate) enum Yaml {
    Text(String),
    Items(Vec<Yaml>),
    Members(Vec<(String, Yaml)>),
}

impl Yaml {
    /// Parses the only document of a text.
    pub(crate) fn parse(text: &str) -> Self {
        let mut events = Parser::new_from_str(text).map(|event| event.unwrap().0);
        let is_frame =
            |event: &Event<'_>| matches!(event, Event::StreamStart | Event::DocumentStart(_));
        let first = events.find(|event| !is_frame(event)).unwrap();
        Self::read(first, &mut events)
    }

    fn read<'t>(event: Event<'t>, events: &mut impl Iterator<Item = Event<'t>>) -> Self {
        match event {
            Event::Scalar(text, ..) => Self::Text(text.into_owned()),
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                loop {
                    match events.next().unwrap() {
                        Event::SequenceEnd => return Self::Items(items),
                        event => items.push(Self::read(event, events)),
                    }
                }
            }
            Event::MappingStart(..) => {
                let mut members: Vec<(String, Self)> = Vec::new();
                loop {
                    match events.next().unwrap() {
                        Event::MappingEnd => return Self::Members(members),
                        Event::Scalar(key, ..) => {
                            assert!(members.iter().all(|(other, _)| *other != key), "{key} twice");
                            let next = events.next().unwrap();
                            members.push((key.into_owned(), Self::read(next, events)));
                        }
                        other => panic!("{other:?} is no key"),
                    }
                }
            }
            other => panic!("{other:?} is no value"),
        }
    }

    /// Returns a member that must be there.
    pub(crate) fn get(&self, key: &str) -> &Self {
        let Self::Members(members) = self else { panic!("{key}: no members") };
        let found = members.iter().find(|(name, _)| name == key);
        found.map_or_else(|| panic!("there is no {key}"), |(_, value)| value)
    }

    /// Returns whether a member is there with this text.
    pub(crate) fn has(&self, key: &str, text: &str) -> bool {
        let is_it = |(name, value): &(String, Self)| {
            name == key && matches!(value, Self::Text(value) if value == text)
        };
        matches!(self, Self::Members(members) if members.iter().any(is_it))
    }

    /// Returns the members of a member; none where it is missing.
    pub(crate) fn members(&self, key: &str) -> &[(String, Self)] {
        let Self::Members(members) = self else { return &[] };
        match members.iter().find(|(name, _)| name == key) {
            Some((_, Self::Members(members))) => members,
            _ => &[],
        }
    }

    /// Returns the items of a member.
    pub(crate) fn items(&self, key: &str) -> &[Self] {
        let Self::Items(items) = self.get(key) else { panic!("{key} is no list") };
        items
    }

    /// Returns the text of a scalar.
    pub(crate) fn text(&self) -> &str {
        let Self::Text(text) = self else { panic!("{self:?} is no text") };
        text
    }
}
