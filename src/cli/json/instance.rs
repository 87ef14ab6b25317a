//! What every document that lists instances says of each: who it is.

use std::borrow::Cow;

use serde::Serialize;

use crate::state::address::Key;
use crate::state::document::Instance;

/// The name of an instance, taken apart.
#[derive(Debug, Serialize)]
pub(super) struct Label<'a> {
    address: String,
    module: &'a str,
    mode: &'static str,
    #[serde(rename = "type")]
    kind: Cow<'a, str>,
    name: Cow<'a, str>,
    key: Option<KeyValue>,
    provider: Option<Cow<'a, str>>,
}

/// An instance key as JSON has it: a number or a string.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum KeyValue {
    Int(i64),
    String(String),
}

impl<'a> Label<'a> {
    /// Names an instance; OpenTofu may name its provider apart from that of its resource.
    pub(super) fn new(instance: Instance<'a>) -> Self {
        let resource = instance.resource();
        Self {
            address: instance.address_text(),
            module: resource.module_text(),
            mode: resource.mode().as_str(),
            kind: resource.kind(),
            name: resource.name(),
            key: match instance.key() {
                Key::None => None,
                Key::Int(number) => Some(KeyValue::Int(number)),
                Key::String(text) => Some(KeyValue::String(text)),
            },
            provider: resource.provider_text().or_else(|| instance.details().provider),
        }
    }
}
