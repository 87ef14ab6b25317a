//! What versions 1 to 3 hold, in the shape of version 3.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use crate::state::value::Value;

/// A state of an older format.
#[derive(Debug)]
pub(super) struct State<'v> {
    pub(super) terraform_version: &'v str,
    pub(super) serial: i64,
    pub(super) lineage: &'v str,
    /// Whether a backend is on record.
    pub(super) backend: bool,
    /// Whether a remote storage is on record.
    pub(super) remote: bool,
    pub(super) modules: Vec<Module<'v>>,
}

/// A module, with the resources of its own.
#[derive(Debug)]
pub(super) struct Module<'v> {
    /// From `root` on.
    pub(super) path: Vec<&'v str>,
    pub(super) outputs: BTreeMap<&'v str, Output<'v>>,
    /// By `TYPE.NAME` and what else the key tells.
    pub(super) entries: BTreeMap<&'v str, Entry<'v>>,
    /// Whether it depends on anything.
    pub(super) dependencies: bool,
    /// Whether it has local values.
    pub(super) locals: bool,
}

/// An output of a module.
#[derive(Debug)]
pub(super) struct Output<'v> {
    pub(super) sensitive: bool,
    pub(super) value: &'v Value<'v>,
}

/// What these formats call a resource: one instance of it.
#[derive(Debug)]
pub(super) struct Entry<'v> {
    pub(super) kind: &'v str,
    pub(super) provider: &'v str,
    pub(super) primary: Option<Object<'v>>,
    pub(super) deposed: Vec<Object<'v>>,
    /// How many tainted objects version 1 kept on the side.
    pub(super) tainted: usize,
    /// Whether it depends on anything.
    pub(super) dependencies: bool,
}

/// One remote object.
pub(super) struct Object<'v> {
    pub(super) id: &'v str,
    /// The flat map; `None` where the file has none, which is not the same as an empty one.
    pub(super) attributes: Option<BTreeMap<Cow<'v, str>, &'v str>>,
    pub(super) meta: BTreeMap<&'v str, &'v Value<'v>>,
    pub(super) tainted: bool,
}

impl fmt::Debug for Object<'_> {
    /// Formats no value: any of them may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Object").field("tainted", &self.tainted).finish_non_exhaustive()
    }
}
