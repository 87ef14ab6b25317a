//! `tfstate.list/1`.

use serde::Serialize;

use super::instance::Label;
use crate::state::document::Instance;
use crate::state::sensitive::Reveal;
use crate::state::value::Value;

/// All listed instances.
#[derive(Debug, Serialize)]
pub(crate) struct List<T> {
    schema: &'static str,
    resources: Vec<T>,
}

/// A listed instance.
#[derive(Debug, Serialize)]
pub(crate) struct Entry<'a> {
    /// The state it is in, where several are listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'a str>,
    #[serde(flatten)]
    label: Label<'a>,
    id: Option<Value<'a>>,
    tainted: bool,
    deposed: Option<String>,
}

impl<'a> Entry<'a> {
    pub(crate) fn new(instance: Instance<'a>, state: Option<&'a str>, reveal: Reveal) -> Self {
        Self {
            state,
            label: Label::new(instance),
            id: instance.shown_id(reveal),
            tainted: instance.is_tainted(),
            deposed: instance.deposed(),
        }
    }
}

impl<T> List<T> {
    pub(crate) fn new(resources: Vec<T>) -> Self {
        Self { schema: "tfstate.list/1", resources }
    }
}
