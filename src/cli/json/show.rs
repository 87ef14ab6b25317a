//! `tfstate.show/1`.

use serde::Serialize;

use super::list::{KeyValue, mode};
use crate::state::document::Instance;
use crate::state::scan::SyntaxError;
use crate::state::sensitive::Reveal;
use crate::state::value::Value;

/// All shown objects.
#[derive(Debug, Serialize)]
pub(crate) struct Show<'a> {
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
    schema_version: u64,
    tainted: bool,
    deposed: Option<String>,
    attributes: Value<'a>,
    dependencies: Vec<String>,
    identity: Option<Value<'a>>,
    create_before_destroy: bool,
    /// Whether the provider keeps data of its own with the object; what it is, is never shown.
    private: bool,
}

impl<'a> Show<'a> {
    pub(crate) fn new(
        instances: impl Iterator<Item = Instance<'a>>,
        reveal: Reveal,
    ) -> Result<Self, (Instance<'a>, SyntaxError)> {
        let entry = |instance| Entry::new(instance, reveal).map_err(|error| (instance, error));
        Ok(Self {
            schema: "tfstate.show/1",
            resources: instances.map(entry).collect::<Result<_, _>>()?,
        })
    }
}

impl<'a> Entry<'a> {
    fn new(instance: Instance<'a>, reveal: Reveal) -> Result<Self, SyntaxError> {
        let resource = instance.resource();
        let details = instance.details();
        let provider = details.provider.clone().or_else(|| resource.provider_text());
        Ok(Self {
            address: instance.address_text(),
            module: resource.module_text(),
            mode: mode(resource.mode()),
            kind: resource.kind().into_owned(),
            name: resource.name().into_owned(),
            key: KeyValue::of(instance.key()),
            provider: provider.map(std::borrow::Cow::into_owned),
            schema_version: details.schema_version,
            tainted: instance.is_tainted(),
            deposed: instance.deposed(),
            attributes: instance.shown_attributes(reveal)?,
            identity: instance.shown_identity(reveal),
            create_before_destroy: details.create_before_destroy,
            private: details.private.is_some(),
            dependencies: details
                .dependencies
                .into_iter()
                .map(std::borrow::Cow::into_owned)
                .collect(),
        })
    }
}
