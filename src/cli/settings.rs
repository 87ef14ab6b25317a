//! What is to be done, of what was typed, set and written: flag before environment before
//! configuration file before default, each with where it came from.

use std::fmt;
use std::path::{Path, PathBuf};

use super::args::Global;
use super::config::{Config, Value};
use super::error::Failure;
use super::logging::LogFormat;
use super::output::ColorChoice;
use crate::base::env::Env;

/// Where a setting came from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Origin {
    /// This flag.
    Flag(&'static str),
    /// This environment variable.
    Variable(&'static str),
    /// This line of the configuration.
    File(PathBuf, usize),
    /// Nobody set it.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => f.write_str(flag),
            Self::Variable(name) => f.write_str(name),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value and where it came from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Setting<T> {
    /// The value.
    pub(crate) value: T,
    /// Where it came from.
    pub(crate) origin: Origin,
}

/// All settings that are no command's own.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The state to read where none is named.
    pub(crate) state: Setting<Option<String>>,
    /// The workspace to pick.
    pub(crate) workspace: Setting<Option<String>>,
    /// Settings of the backend, as `terraform init` takes them.
    pub(crate) backend_config: Vec<String>,
    /// When to use colours.
    pub(crate) color: Setting<ColorChoice>,
    /// How logs look.
    pub(crate) log_format: Setting<LogFormat>,
    /// The backup repository.
    pub(crate) repo: Setting<Option<String>>,
    /// Who can read new backups.
    pub(crate) recipients: Setting<Vec<String>>,
    /// Whether a new repository is encrypted.
    pub(crate) encryption: Setting<bool>,
    /// The states that are backed up where none is named.
    pub(crate) states: Setting<Vec<String>>,
    /// What retention keeps.
    pub(crate) keep: Keep,
    /// The file of the key that reads backups.
    pub(crate) identity: Setting<Option<String>>,
    /// Rules for the changes that `diff` does not tell.
    pub(crate) ignore: Setting<Vec<String>>,
}

/// What retention keeps where no option says it.
#[derive(Clone, Debug)]
pub(crate) struct Keep {
    /// How many of the newest.
    pub(crate) last: Setting<Option<u32>>,
    /// From how many hours the newest.
    pub(crate) hourly: Setting<Option<u32>>,
    /// From how many days the newest.
    pub(crate) daily: Setting<Option<u32>>,
    /// From how many weeks the newest.
    pub(crate) weekly: Setting<Option<u32>>,
    /// From how many months the newest.
    pub(crate) monthly: Setting<Option<u32>>,
    /// From how many years the newest.
    pub(crate) yearly: Setting<Option<u32>>,
    /// All that are at most so much older than the newest.
    pub(crate) within: Setting<Option<String>>,
    /// All that carry one of these tags.
    pub(crate) tags: Setting<Vec<String>>,
    /// Where a day begins.
    pub(crate) timezone: Setting<Option<String>>,
}

impl Keep {
    fn of(config: Source<'_>) -> Self {
        let count = |key| optional(config.count(key));
        Self {
            last: count("backup.keep.last"),
            hourly: count("backup.keep.hourly"),
            daily: count("backup.keep.daily"),
            weekly: count("backup.keep.weekly"),
            monthly: count("backup.keep.monthly"),
            yearly: count("backup.keep.yearly"),
            within: optional(config.text("backup.keep.within")),
            tags: config.texts("backup.keep.tags").unwrap_or_else(unset),
            timezone: optional(config.text("backup.keep.timezone")),
        }
    }
}

impl Settings {
    /// Decides every setting.
    pub(crate) fn resolve(typed: &Global, env: &Env, config: Option<&Config>) -> Self {
        let config = Source { config };
        let variable = |name| env.get(name).map(|value| set(value, Origin::Variable(name)));
        let text =
            |first: Option<Setting<String>>, key| optional(first.or_else(|| config.text(key)));
        let workspace = typed.workspace.clone().map(|name| set(name, Origin::Flag("--workspace")));
        let color = typed.color.map(|color| set(color, Origin::Flag("--color")));
        let log_format = typed.log_format.map(|format| set(format, Origin::Flag("--log-format")));
        Self {
            state: text(variable("TFSTATE_STATE"), "state"),
            workspace: text(workspace.or_else(|| variable("TF_WORKSPACE")), "workspace"),
            backend_config: typed.backend_config.clone(),
            color: color
                .or_else(|| color_of(env))
                .or_else(|| config.choice("color"))
                .unwrap_or_else(unset),
            log_format: log_format.or_else(|| config.choice("log-format")).unwrap_or_else(unset),
            repo: text(variable("TFSTATE_REPO"), "backup.repo"),
            recipients: config.texts("backup.recipients").unwrap_or_else(unset),
            encryption: config.switch("backup.encryption").unwrap_or(set(true, Origin::Default)),
            states: config.texts("backup.states").unwrap_or_else(unset),
            keep: Keep::of(config),
            identity: text(None, "backup.identity"),
            ignore: config.texts("diff.ignore").unwrap_or_else(unset),
        }
    }
}

/// Returns when to use colours as far as flag and environment decide.
pub(crate) fn color_without_config(typed: Option<ColorChoice>, env: &Env) -> ColorChoice {
    typed.or_else(|| color_of(env).map(|color| color.value)).unwrap_or_default()
}

/// Returns what the environment says about colours, by the rules of no-color.org and
/// bixense.com/clicolors.
fn color_of(env: &Env) -> Option<Setting<ColorChoice>> {
    if env.get("NO_COLOR").is_some() {
        return Some(set(ColorChoice::Never, Origin::Variable("NO_COLOR")));
    }
    if env.get("CLICOLOR_FORCE").is_some_and(|force| force != "0") {
        return Some(set(ColorChoice::Always, Origin::Variable("CLICOLOR_FORCE")));
    }
    let off = env.get("CLICOLOR").is_some_and(|color| color == "0");
    off.then(|| set(ColorChoice::Never, Origin::Variable("CLICOLOR")))
}

/// The file, if there is one, as a source of settings.
#[derive(Clone, Copy)]
struct Source<'a> {
    config: Option<&'a Config>,
}

impl Source<'_> {
    fn value(self, key: &str) -> Option<Setting<Value>> {
        let config = self.config?;
        let (value, line) = config.get(key)?;
        Some(set(value.clone(), Origin::File(config.path().to_owned(), line)))
    }

    fn text(self, key: &str) -> Option<Setting<String>> {
        let Setting { value: Value::Text(text), origin } = self.value(key)? else { return None };
        Some(set(text, origin))
    }

    fn texts(self, key: &str) -> Option<Setting<Vec<String>>> {
        let Setting { value: Value::Texts(texts), origin } = self.value(key)? else { return None };
        Some(set(texts, origin))
    }

    fn switch(self, key: &str) -> Option<Setting<bool>> {
        let Setting { value: Value::Switch(on), origin } = self.value(key)? else { return None };
        Some(set(on, origin))
    }

    fn count(self, key: &str) -> Option<Setting<u32>> {
        let Setting { value: Value::Count(count), origin } = self.value(key)? else { return None };
        Some(set(count, origin))
    }

    fn choice<T: clap::ValueEnum>(self, key: &str) -> Option<Setting<T>> {
        let Setting { value, origin } = self.text(key)?;
        let value = T::from_str(&value, false).expect("the file's choices are those of the flag");
        Some(set(value, origin))
    }
}

fn set<T>(value: T, origin: Origin) -> Setting<T> {
    Setting { value, origin }
}

fn unset<T: Default>() -> Setting<T> {
    set(T::default(), Origin::Default)
}

fn optional<T>(setting: Option<Setting<T>>) -> Setting<Option<T>> {
    setting.map_or_else(unset, |setting| set(Some(setting.value), setting.origin))
}

/// Reads the configuration that is in force in a folder; also returns the files that were passed
/// over because they are somebody else's.
pub(crate) fn read_config(
    named: Option<&Path>,
    env: &Env,
    folder: &Path,
) -> Result<(Option<Config>, Vec<PathBuf>), Failure> {
    let found = super::config::find(named, env, folder);
    let config = found.path.as_deref().map(Config::read).transpose()?;
    Ok((config, found.distrusted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::fs;

    fn resolve(typed: &Global, env: &Env, text: &str) -> Settings {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tfstate.toml");
        fs::write_new(&path, text.as_bytes()).unwrap();
        Settings::resolve(typed, env, Some(&Config::read(&path).unwrap()))
    }

    #[test]
    fn a_flag_wins_over_the_environment_and_that_over_the_file() {
        let env = Env::from_pairs([("TF_WORKSPACE", "env")]);
        let typed = Global { workspace: Some("flag".to_owned()), ..Global::default() };
        let file = "workspace = 'file'";
        let text = |setting: Setting<Option<String>>| setting.value.unwrap();
        assert_eq!(text(resolve(&typed, &env, file).workspace), "flag");
        assert_eq!(text(resolve(&Global::default(), &env, file).workspace), "env");
        assert_eq!(text(resolve(&Global::default(), &Env::default(), file).workspace), "file");
        assert_eq!(resolve(&Global::default(), &Env::default(), "").workspace.value, None);
    }

    #[test]
    fn the_environment_decides_colours_before_the_file_does() {
        let cases: [(&[(&str, &str)], ColorChoice); 7] = [
            (&[], ColorChoice::Always),
            (&[("NO_COLOR", "1")], ColorChoice::Never),
            (&[("NO_COLOR", "")], ColorChoice::Always),
            (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], ColorChoice::Never),
            (&[("CLICOLOR_FORCE", "1"), ("CLICOLOR", "0")], ColorChoice::Always),
            (&[("CLICOLOR", "0")], ColorChoice::Never),
            (&[("CLICOLOR_FORCE", "0"), ("CLICOLOR", "1")], ColorChoice::Always),
        ];
        for (pairs, color) in cases {
            let env = Env::from_pairs(pairs.iter().copied());
            let settings = resolve(&Global::default(), &env, "color = 'always'");
            assert_eq!(settings.color.value, color, "{pairs:?}");
        }
    }
}
