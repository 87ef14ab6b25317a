//! `tfstate.get/1` and `tfstate.query/1`.

use serde::Serialize;

use crate::state::value::Value;

/// One value that was looked up.
#[derive(Debug, Serialize)]
pub(crate) struct Got<'a> {
    schema: &'static str,
    what: &'a str,
    value: &'a Value<'a>,
}

impl<'a> Got<'a> {
    pub(crate) fn new(what: &'a str, value: &'a Value<'a>) -> Self {
        Self { schema: "tfstate.get/1", what, value }
    }
}

/// What an expression came to.
#[derive(Debug, Serialize)]
pub(crate) struct Results {
    schema: &'static str,
    results: Vec<Value<'static>>,
}

impl Results {
    pub(crate) fn new(results: Vec<Value<'static>>) -> Self {
        Self { schema: "tfstate.query/1", results }
    }
}
