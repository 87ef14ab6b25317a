//! What an upgrade drops, told so that a person can judge whether it matters.

use std::fmt;

/// Something of the older state that version 4 does not have.
///
/// `module` is empty for the root module.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Note {
    /// The record of the backend is dropped: its place is the working directory now.
    Backend,
    /// The record of the remote storage is dropped.
    Remote,
    /// The local values of a module are dropped.
    Locals {
        /// The module.
        module: String,
    },
    /// Outputs of a module other than the root are dropped.
    Outputs {
        /// The module.
        module: String,
        /// How many there were.
        count: usize,
    },
    /// The dependencies of a module are dropped.
    ModuleDependencies {
        /// The module.
        module: String,
    },
    /// The dependencies of an instance are dropped, until the next apply.
    Dependencies {
        /// The instance.
        address: String,
    },
    /// Tainted objects of version 1 are dropped; they may still exist.
    Tainted {
        /// The instance.
        address: String,
        /// How many there were.
        count: usize,
    },
    /// The entry names another type than its key; the key counts.
    Type {
        /// The instance.
        address: String,
        /// The type that is dropped.
        named: String,
    },
    /// Entries of one resource name different providers.
    Provider {
        /// The resource.
        address: String,
        /// The provider that is kept.
        kept: String,
        /// The one that is dropped.
        dropped: String,
    },
    /// The provider's name is one that Terraform writes into version 4 but does not read from it:
    /// it forgets the resource then.
    UnreadableProvider {
        /// The resource.
        address: String,
        /// The provider.
        provider: String,
    },
    /// The version of the schema is not a version: it is taken as 0.
    SchemaVersion {
        /// The instance.
        address: String,
    },
    /// A number in an output is too close to zero for a float: it becomes 0.
    TinyNumber {
        /// The output.
        output: String,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Backend => f.write_str("the record of the backend is dropped"),
            Self::Remote => f.write_str("the record of the remote storage is dropped"),
            Self::Locals { module } => {
                write!(f, "{}: local values are dropped", named(module))
            }
            Self::Outputs { module, count: 1 } => {
                write!(f, "{}: 1 output is dropped", named(module))
            }
            Self::Outputs { module, count } => {
                write!(f, "{}: {count} outputs are dropped", named(module))
            }
            Self::ModuleDependencies { module } => {
                write!(f, "{}: dependencies are dropped", named(module))
            }
            Self::Dependencies { address } => write!(f, "{address}: dependencies are dropped"),
            Self::Tainted { address, count: 1 } => {
                write!(f, "{address}: 1 tainted object is dropped, which may still exist")
            }
            Self::Tainted { address, count } => {
                write!(f, "{address}: {count} tainted objects are dropped, which may still exist")
            }
            Self::Type { address, named } => {
                write!(f, "{address}: the type `{named}` is dropped, as the key names another")
            }
            Self::Provider { address, kept, dropped } => {
                write!(f, "{address}: {kept} is kept as the provider and {dropped} dropped")
            }
            Self::UnreadableProvider { address, provider } => {
                write!(f, "{address}: Terraform will not read {provider} from version 4")
            }
            Self::SchemaVersion { address } => {
                write!(f, "{address}: the version of the schema is not a version; 0 is assumed")
            }
            Self::TinyNumber { output } => {
                write!(f, "output {output}: a number too close to zero becomes 0")
            }
        }
    }
}

fn named(module: &str) -> &str {
    if module.is_empty() { "the root module" } else { module }
}
