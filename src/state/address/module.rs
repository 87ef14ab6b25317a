//! Paths of module instances.

use std::cmp::Ordering;

use super::Key;

/// One call on the way to a module instance: `module.net["eu"]`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ModuleStep {
    /// The name of the call.
    pub name: String,
    /// Which of the call's instances.
    pub key: Key,
}

/// The path of a module instance, from the root module; empty for the root module itself.
///
/// Sorts as `terraform state list` does: shorter paths first, then step by step.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct ModulePath(Vec<ModuleStep>);

impl ModulePath {
    /// Returns the path of the root module.
    pub fn root() -> Self {
        Self::default()
    }

    /// Returns whether this is the root module.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the steps from the outside in.
    pub fn steps(&self) -> &[ModuleStep] {
        &self.0
    }

    /// Appends a step.
    pub fn push(&mut self, step: ModuleStep) {
        self.0.push(step);
    }

    /// Returns whether `other` is this module instance or one inside it.
    pub fn contains(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }

    /// Returns the path in the configuration: the names of the steps.
    pub fn without_keys(&self) -> Vec<String> {
        self.0.iter().map(|step| step.name.clone()).collect()
    }
}

impl FromIterator<ModuleStep> for ModulePath {
    fn from_iter<I: IntoIterator<Item = ModuleStep>>(steps: I) -> Self {
        Self(steps.into_iter().collect())
    }
}

impl Ord for ModulePath {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for ModulePath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
