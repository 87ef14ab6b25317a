//! `tfstate.output/1`.

use serde::Serialize;

use crate::state::document::Output;
use crate::state::scan::SyntaxError;
use crate::state::sensitive::Reveal;
use crate::state::value::Value;

/// All shown outputs.
#[derive(Debug, Serialize)]
pub(crate) struct Outputs<'a> {
    schema: &'static str,
    outputs: Vec<Entry<'a>>,
}

#[derive(Debug, Serialize)]
struct Entry<'a> {
    name: &'a str,
    sensitive: bool,
    #[serde(rename = "type")]
    kind: Value<'a>,
    value: Value<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deprecated: Option<&'a str>,
}

impl<'a> Outputs<'a> {
    pub(crate) fn new(
        outputs: impl Iterator<Item = Output<'a>>,
        reveal: Reveal,
    ) -> Result<Self, (Output<'a>, SyntaxError)> {
        let entry = |output: Output<'a>| {
            let read = || {
                Ok(Entry {
                    name: output.name(),
                    sensitive: output.is_sensitive(),
                    kind: output.kind()?,
                    value: output.shown_value(reveal)?,
                    deprecated: output.deprecated(),
                })
            };
            read().map_err(|error| (output, error))
        };
        Ok(Self {
            schema: "tfstate.output/1",
            outputs: outputs.map(entry).collect::<Result<_, _>>()?,
        })
    }
}
