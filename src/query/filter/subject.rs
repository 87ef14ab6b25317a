//! An instance while a filter looks at it: what was read of it once is kept.

use std::cell::OnceCell;

use crate::state::details::Details;
use crate::state::document::Instance;
use crate::state::sensitive::Reveal;
use crate::state::value::Value;

pub(super) struct Subject<'a> {
    pub(super) instance: Instance<'a>,
    address: OnceCell<String>,
    details: OnceCell<Details<'a>>,
    attributes: OnceCell<Option<Value<'a>>>,
}

impl<'a> Subject<'a> {
    pub(super) fn new(instance: Instance<'a>) -> Self {
        Self {
            instance,
            address: OnceCell::new(),
            details: OnceCell::new(),
            attributes: OnceCell::new(),
        }
    }

    pub(super) fn address(&self) -> &str {
        self.address.get_or_init(|| self.instance.address_text())
    }

    pub(super) fn details(&self) -> &Details<'a> {
        self.details.get_or_init(|| self.instance.details())
    }

    /// Returns the attributes without the secrets; `None` where they can't be decoded.
    pub(super) fn attributes(&self) -> Option<&Value<'a>> {
        self.attributes.get_or_init(|| self.instance.shown_attributes(Reveal::No).ok()).as_ref()
    }
}
