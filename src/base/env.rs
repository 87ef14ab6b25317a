//! The environment, taken once and passed on, so that tests can choose it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;

/// The variables of one environment.
#[derive(Clone, Default)]
pub struct Env(BTreeMap<OsString, OsString>);

impl Env {
    /// Returns the environment of this process as it is now.
    pub fn process() -> Self {
        Self(std::env::vars_os().collect())
    }

    /// Returns an environment of these variables.
    pub fn from_pairs<K: AsRef<OsStr>, V: AsRef<OsStr>>(
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let owned = |(k, v): (K, V)| (k.as_ref().to_owned(), v.as_ref().to_owned());
        Self(pairs.into_iter().map(owned).collect())
    }

    /// Returns a variable; an empty one counts as not set, as it does for Terraform and the XDG
    /// rules. What is not UTF-8 comes with U+FFFD in its place.
    pub fn get(&self, name: &str) -> Option<String> {
        self.exact(name).map(|value| value.to_string_lossy().into_owned())
    }

    /// Returns a variable that holds a path, exactly as it is set.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.exact(name).map(PathBuf::from)
    }

    /// Returns the same without these variables.
    #[must_use]
    pub fn without(&self, names: &[&str]) -> Self {
        let kept = |(name, _): &(&OsString, &OsString)| !names.iter().any(|gone| name == gone);
        Self(self.0.iter().filter(kept).map(|(k, v)| (k.clone(), v.clone())).collect())
    }

    /// Returns every variable that is set to UTF-8 text, for a library that wants them all.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(|(name, value)| Some((name.to_str()?, value.to_str()?)))
    }

    /// Returns the user's home directory.
    pub fn home(&self) -> Option<PathBuf> {
        self.path(if cfg!(windows) { "USERPROFILE" } else { "HOME" })
    }

    fn exact(&self, name: &str) -> Option<&OsString> {
        self.0.get(OsStr::new(name)).filter(|value| !value.is_empty())
    }
}

/// Shows no value: environments hold credentials.
impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Env({} variables)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_counts_as_not_set() {
        let env = Env::from_pairs([("A", "1"), ("B", "")]);
        assert_eq!(env.get("A").as_deref(), Some("1"));
        assert_eq!(env.path("A"), Some(PathBuf::from("1")));
        assert_eq!(env.get("B"), None);
        assert_eq!(env.get("C"), None);
    }

    #[test]
    fn all_variables_can_be_handed_on() {
        let env = Env::from_pairs([("A", "1"), ("B", "2")]);
        assert_eq!(env.texts().collect::<Vec<_>>(), [("A", "1"), ("B", "2")]);
    }

    #[test]
    fn debug_output_shows_no_value() {
        let env = Env::from_pairs([("AWS_SECRET_ACCESS_KEY", "hunter2")]);
        assert_eq!(format!("{env:?}"), "Env(1 variables)");
    }

    #[test]
    fn the_process_has_an_environment() {
        assert!(Env::process().get("PATH").is_some());
    }
}
