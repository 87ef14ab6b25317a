//! `tfstate.list/1`.

use serde::Serialize;

use super::instance::Label;
use crate::state::document::Instance;
use crate::state::path::{Path, Step};
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
    #[serde(flatten)]
    label: Label<'a>,
    id: Option<Value<'a>>,
    tainted: bool,
    deposed: Option<String>,
}

impl<'a> List<'a> {
    pub(crate) fn new(instances: impl Iterator<Item = Instance<'a>>, reveal: Reveal) -> Self {
        let entry = |instance: Instance<'a>| Entry {
            label: Label::new(instance),
            id: id(instance, reveal),
            tainted: instance.is_tainted(),
            deposed: instance.deposed(),
        };
        Self { schema: "tfstate.list/1", resources: instances.map(entry).collect() }
    }
}

/// Returns the id, unless it is secret, or that can't be told.
fn id(instance: Instance<'_>, reveal: Reveal) -> Option<Value<'_>> {
    let id = instance.id()?;
    let path: Path = std::iter::once(Step::Key("id".to_owned())).collect();
    let is_plain = || instance.attributes().is_ok_and(|all| !instance.secrets(&all).touch(&path));
    let is_shown = reveal == Reveal::Yes || is_plain();
    Some(if is_shown { Value::String(id) } else { Value::Sensitive })
}
