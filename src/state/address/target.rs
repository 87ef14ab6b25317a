//! What people name to mean one instance or many.

use std::fmt;

use super::{Address, Key, Mode, ModulePath};

/// A module, a resource or a resource instance, as the arguments of `terraform state list`.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Target {
    /// Everything in a module instance and below it. Without a key on its last step, all the
    /// instances of that call are meant.
    Module(ModulePath),
    /// One instance of a resource, or all of them where the key is [`Key::None`].
    Resource(Address),
}

impl Target {
    /// Returns whether this instance is meant.
    ///
    /// Only a last step without a key stands for many: `module.m` means what is in
    /// `module.m["k"]` too, but `module.m.aws_vpc.main` does not mean
    /// `module.m["k"].aws_vpc.main`.
    pub fn matches(
        &self,
        module: &ModulePath,
        mode: Mode,
        kind: &str,
        name: &str,
        key: &Key,
    ) -> bool {
        match self {
            Self::Module(wanted) => holds(wanted, module),
            Self::Resource(wanted) => {
                (wanted.key == Key::None || wanted.key == *key)
                    && wanted.name == name
                    && wanted.kind == kind
                    && wanted.mode == mode
                    && wanted.module == *module
            }
        }
    }
}

/// Returns whether `module` is what `wanted` means or inside it.
fn holds(wanted: &ModulePath, module: &ModulePath) -> bool {
    let Some((last, outer)) = wanted.steps().split_last() else { return true };
    let Some((step, _)) =
        module.steps().strip_prefix(outer).and_then(<[super::ModuleStep]>::split_first)
    else {
        return false;
    };
    step.name == last.name && (last.key == Key::None || step.key == last.key)
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Module(module) => module.fmt(f),
            Self::Resource(address) => address.fmt(f),
        }
    }
}
