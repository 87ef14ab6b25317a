//! `tfstate.show/1`.

use std::borrow::Cow;

use serde::Serialize;

use super::instance::Label;
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
    #[serde(flatten)]
    label: Label<'a>,
    schema_version: u64,
    tainted: bool,
    deposed: Option<String>,
    attributes: Value<'a>,
    dependencies: Vec<Cow<'a, str>>,
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
        let resources = instances.map(entry).collect::<Result<_, _>>()?;
        Ok(Self { schema: "tfstate.show/1", resources })
    }
}

impl<'a> Entry<'a> {
    fn new(instance: Instance<'a>, reveal: Reveal) -> Result<Self, SyntaxError> {
        let details = instance.details();
        Ok(Self {
            label: Label::new(instance),
            schema_version: details.schema_version,
            tainted: instance.is_tainted(),
            deposed: instance.deposed(),
            attributes: instance.shown_attributes(reveal)?,
            identity: details.identity(),
            create_before_destroy: details.create_before_destroy,
            private: details.private.is_some(),
            dependencies: details.dependencies,
        })
    }
}
