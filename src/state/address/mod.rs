//! Addresses: how modules, resources and their instances are named.
//!
//! `module.net["eu"].aws_subnet.public[0]` is an [`Address`], the name of one resource instance.
//! Its first part is a [`ModulePath`]. What stands in `dependencies` names resources as the
//! configuration does, without keys: a [`ConfigAddress`]. A [`Target`] is what people type to mean
//! one instance or many.
//!
//! Texts are read by HCL's rules, which are more liberal than what Terraform writes: blanks and
//! comments between tokens, `resource.` in front, `[1e0]` for `[1]`. Printing is exact, so what was
//! read liberally comes out as Terraform would write it. Nothing here looks into a state: names
//! that a damaged state holds can be printed and sorted, even where they couldn't be read back.

mod cursor;
mod error;
mod literal;
mod module;
mod parse;
mod render;
mod target;
mod word;

pub(crate) use cursor::Cursor;
pub use error::{Error, Problem};
pub use module::{ModulePath, ModuleStep};
pub(crate) use parse::{Keys, is_named, module_and_word};
pub use render::push_key;
pub use target::Target;
pub use word::is_identifier;

/// Whether a resource is managed by Terraform or only read by it. Data sources sort first.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Mode {
    /// A data source.
    Data,
    /// A resource that Terraform creates and destroys.
    Managed,
}

impl Mode {
    /// Returns the word a state uses for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Managed => "managed",
        }
    }
}

/// What tells the instances of one resource or module apart.
///
/// In the order of `terraform state list`: no key, then numbers, then strings byte by byte.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Key {
    /// There is but one instance.
    #[default]
    None,
    /// The number of an instance made by `count`; negative only in a damaged state.
    Int(i64),
    /// The key of an instance made by `for_each`.
    String(String),
}

/// The address of a resource instance, or of a resource where the key is [`Key::None`].
///
/// Sorts as `terraform state list` does.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Address {
    /// The module instance it belongs to.
    pub module: ModulePath,
    /// Whether it is a data source.
    pub mode: Mode,
    /// The resource type, such as `aws_instance`.
    pub kind: String,
    /// The name given in the configuration.
    pub name: String,
    /// Which of the instances.
    pub key: Key,
}

impl Address {
    /// Returns the address of the resource in the configuration.
    pub fn config(&self) -> ConfigAddress {
        ConfigAddress {
            module: self.module.without_keys(),
            mode: self.mode,
            kind: self.kind.clone(),
            name: self.name.clone(),
        }
    }
}

/// The address of a resource in the configuration, where modules and resources have no keys.
///
/// Sorts as [`Address`] does; Terraform writes `dependencies` sorted by their text instead.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct ConfigAddress {
    /// The names of the modules around it, from the outside in.
    pub module: Vec<String>,
    /// Whether it is a data source.
    pub mode: Mode,
    /// The resource type, such as `aws_instance`.
    pub kind: String,
    /// The name given in the configuration.
    pub name: String,
}

impl Ord for ConfigAddress {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.module.len().cmp(&other.module.len()))
            .then_with(|| self.module.cmp(&other.module))
            .then_with(|| self.mode.cmp(&other.mode))
            .then_with(|| self.kind.cmp(&other.kind))
            .then_with(|| self.name.cmp(&other.name))
    }
}

impl PartialOrd for ConfigAddress {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests;
