//! `tfstate.list/1`.

use serde::Serialize;

use crate::state::address::{Key, Mode};
use crate::state::document::Instance;
use crate::state::sensitive::Reveal;
use crate::state::value::Value;

/// All listed instances.
#[derive(Debug, Serialize)]
pub(crate) struct List<'a> {
    schema: &'static str,
    resources: Vec<Entry<'a>>,
}

#[derive(Debug, Serialize)]
struct Entry<'a> {
    address: String,
    module: &'a str,
    mode: &'static str,
    #[serde(rename = "type")]
    kind: String,
    name: String,
    key: Option<KeyValue>,
    provider: Option<String>,
    id: Option<Value<'a>>,
    tainted: bool,
    deposed: Option<String>,
}

/// An instance key as JSON has it: a number or a string.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum KeyValue {
    Int(i64),
    String(String),
}

impl KeyValue {
    pub(crate) fn of(key: Key) -> Option<Self> {
        match key {
            Key::None => None,
            Key::Int(number) => Some(Self::Int(number)),
            Key::String(text) => Some(Self::String(text)),
        }
    }
}

impl<'a> List<'a> {
    pub(crate) fn new(instances: impl Iterator<Item = Instance<'a>>, reveal: Reveal) -> Self {
        Self {
            schema: "tfstate.list/1",
            resources: instances.map(|instance| Entry::new(instance, reveal)).collect(),
        }
    }
}

impl<'a> Entry<'a> {
    fn new(instance: Instance<'a>, reveal: Reveal) -> Self {
        let resource = instance.resource();
        Self {
            address: instance.address_text(),
            module: resource.module_text(),
            mode: mode(resource.mode()),
            kind: resource.kind().into_owned(),
            name: resource.name().into_owned(),
            key: KeyValue::of(instance.key()),
            provider: resource.provider_text().map(std::borrow::Cow::into_owned),
            id: instance.shown_id(reveal),
            tainted: instance.is_tainted(),
            deposed: instance.deposed(),
        }
    }
}

/// Returns how a state writes a mode.
pub(crate) fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Managed => "managed",
        Mode::Data => "data",
    }
}
