//! The files that the AWS tools share: `~/.aws/config` and `~/.aws/credentials`.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use crate::base::env::Env;
use crate::store::backend::S3;

/// The settings of one profile. Some are credentials, so nothing here formats them.
type Settings = BTreeMap<String, String>;

/// The profiles of the shared files.
#[derive(Clone, Default)]
pub(super) struct Profiles {
    chosen: Option<String>,
    by_name: BTreeMap<String, Settings>,
}

/// Shows the names only: the files hold credentials.
impl fmt::Debug for Profiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Profiles({:?})", self.by_name.keys())
    }
}

impl Profiles {
    /// Reads the files that the settings or the environment name; those that are not there hold
    /// nothing.
    pub(super) fn read(settings: &S3, env: &Env) -> Self {
        let mut by_name = BTreeMap::new();
        for path in config_files(settings, env) {
            add(&mut by_name, &path, |section| match section {
                "default" => Some("default"),
                other => other.strip_prefix("profile ").map(str::trim),
            });
        }
        for path in credentials_files(settings, env) {
            add(&mut by_name, &path, |section| Some(section));
        }
        let chosen = settings.profile.clone().or_else(|| env.get("AWS_PROFILE"));
        Self { chosen: chosen.or_else(|| env.get("AWS_DEFAULT_PROFILE")), by_name }
    }

    /// Returns the name of the profile to use.
    pub(super) fn name(&self) -> &str {
        self.chosen.as_deref().unwrap_or("default")
    }

    /// Returns the profile that was chosen and that no file has.
    pub(super) fn missing(&self) -> Option<&str> {
        self.chosen.as_deref().filter(|name| !self.by_name.contains_key(*name))
    }

    /// Returns a setting of the profile to use.
    pub(super) fn setting(&self, key: &str) -> Option<&str> {
        self.of(self.name(), key)
    }

    /// Returns a setting of a profile.
    pub(super) fn of(&self, profile: &str, key: &str) -> Option<&str> {
        self.by_name.get(profile)?.get(key).map(String::as_str)
    }
}

/// Returns the files that stand for `~/.aws/config`.
pub(super) fn config_files(settings: &S3, env: &Env) -> Vec<PathBuf> {
    files(&settings.shared_config_files, "AWS_CONFIG_FILE", "config", env)
}

/// Returns the files that stand for `~/.aws/credentials`.
pub(super) fn credentials_files(settings: &S3, env: &Env) -> Vec<PathBuf> {
    files(&settings.shared_credentials_files, "AWS_SHARED_CREDENTIALS_FILE", "credentials", env)
}

fn files(named: &[PathBuf], variable: &str, file: &str, env: &Env) -> Vec<PathBuf> {
    let usual = || Some(env.home()?.join(".aws").join(file));
    if named.is_empty() {
        return env.path(variable).or_else(usual).into_iter().collect();
    }
    let expand = |path: &PathBuf| match (path.strip_prefix("~"), env.home()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.clone(),
    };
    named.iter().map(expand).collect()
}

/// Adds the profiles of one file; `profile` returns the one that a section is of.
fn add(by_name: &mut BTreeMap<String, Settings>, path: &Path, profile: fn(&str) -> Option<&str>) {
    let Ok(text) = fs::read_to_string(path) else { return };
    let mut current = None;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(section) = trimmed.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            current = profile(section.trim()).map(ToOwned::to_owned);
            if let Some(name) = &current {
                by_name.entry(name.clone()).or_default();
            }
            continue;
        }
        // An indented line belongs to a setting that is itself a list of settings.
        let nested = line.starts_with([' ', '\t']);
        if let (Some(name), Some((key, value)), false) = (&current, trimmed.split_once('='), nested)
        {
            let settings = by_name.entry(name.clone()).or_default();
            settings.insert(key.trim().to_lowercase(), value.trim().to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::fs as files;

    #[test]
    fn both_files_add_to_a_profile_and_the_environment_chooses_it() {
        let folder = tempfile::tempdir().unwrap();
        let (config, credentials) = (folder.path().join("c"), folder.path().join("k"));
        let text = "[default]\nregion = eu-west-1\n[profile dev]\n# no\nregion=eu-north-1\ns3 =\n  region = no\n[sso-session x]\nregion = no\n";
        files::write_new(&config, text.as_bytes()).unwrap();
        files::write_new(&credentials, b"[dev]\naws_access_key_id = AK\n").unwrap();
        let names = [("AWS_CONFIG_FILE", &config), ("AWS_SHARED_CREDENTIALS_FILE", &credentials)];
        let pairs = names.map(|(name, path)| (name, path.to_str().unwrap()));
        let read = |more: &[(&str, &str)]| {
            let all = pairs.iter().chain(more).copied();
            Profiles::read(&S3::default(), &Env::from_pairs(all))
        };
        assert_eq!(read(&[]).setting("region"), Some("eu-west-1"));
        let dev = read(&[("AWS_PROFILE", "dev")]);
        assert_eq!(dev.setting("region"), Some("eu-north-1"));
        assert_eq!(dev.setting("aws_access_key_id"), Some("AK"));
        assert_eq!(dev.missing(), None);
        assert_eq!(read(&[("AWS_PROFILE", "gone")]).missing(), Some("gone"));
        assert!(!format!("{dev:?}").contains("AK"));
    }

    #[test]
    fn settings_name_files_from_the_home_directory() {
        let env = Env::from_pairs([("HOME", "/home/me"), ("USERPROFILE", "/home/me")]);
        let settings = S3 { shared_config_files: vec!["~/c".into()], ..S3::default() };
        assert_eq!(config_files(&settings, &env), [PathBuf::from("/home/me/c")]);
        assert_eq!(
            credentials_files(&settings, &env),
            [PathBuf::from("/home/me/.aws/credentials")]
        );
    }
}
