//! Teaches a git repository, or all of a user's, to show states readably and masked, and to merge
//! them by resource.
//!
//! [`plan`] says what is missing and [`apply`] does it; doing it again changes nothing. Lines and
//! settings of others stay as they are.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::base::env::Env;
use crate::base::{self, git};

/// The setting that holds the key of fingerprints; it is never committed.
const KEY: &str = "tfstate.key";

/// The lines of `.gitattributes`.
const LINES: [&str; 2] =
    ["*.tfstate diff=tfstate merge=tfstate", "*.tfstate.backup diff=tfstate merge=tfstate"];

/// Which lines of the text begin what a hunk is shown to belong to: addresses and outputs.
const HUNK: &str = "^(# [A-Za-z0-9_-]+[.].*|output .*)$";

/// Why git was not set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Git can't be asked, or did not take a setting.
    #[error("cannot {what}")]
    Git {
        /// What was being done.
        what: String,
        /// Why not.
        source: git::Error,
    },
    /// The attributes can't be read or written.
    #[error("cannot change {}", path.display())]
    Attributes {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The system has no random numbers.
    #[error("cannot make a random key")]
    Random(#[source] io::Error),
}

/// For which repositories git is set up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scope {
    /// The one of the current directory.
    Local,
    /// All of this user's.
    Global,
}

impl Scope {
    fn flag(self) -> &'static str {
        match self {
            Self::Local => "--local",
            Self::Global => "--global",
        }
    }
}

/// Whether git is to know of states or to forget them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Wish {
    /// Set it up.
    Install,
    /// Take back what setting it up did.
    Uninstall,
}

/// What to do.
#[derive(Clone, Copy, Debug)]
pub struct GitOptions<'a> {
    /// For which repositories.
    pub scope: Scope,
    /// Whether to set it up or to take it back.
    pub wish: Wish,
    /// How a shell runs this program.
    pub program: &'a str,
}

/// One thing to be done.
#[derive(Clone, Eq, PartialEq)]
pub enum Step {
    /// Give a setting of git a value.
    Set {
        /// Its name.
        name: &'static str,
        /// Its value; `None` for a new random key.
        value: Option<String>,
    },
    /// Take a setting away.
    Unset {
        /// Its name.
        name: &'static str,
    },
    /// Write the file of attributes.
    Attributes {
        /// The file.
        path: PathBuf,
        /// The lines that come or go.
        lines: Vec<&'static str>,
        /// All of its new text.
        text: Vec<u8>,
    },
}

/// Shows no file's text.
impl std::fmt::Debug for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Set { name, .. } | Self::Unset { name } => f.write_str(name),
            Self::Attributes { path, lines, .. } => write!(f, "{}: {lines:?}", path.display()),
        }
    }
}

/// Returns the key of fingerprints that git keeps for this repository, in hexadecimal.
pub fn key() -> Option<String> {
    git::line(&["config", "--get", KEY]).ok()
}

/// Returns what is missing, or what there is to take back.
pub fn plan(options: &GitOptions<'_>, env: &Env) -> Result<Vec<Step>, Error> {
    let path = attributes_file(options.scope, env)?;
    let mut steps: Vec<Step> = attributes(&path, options.wish)?.into_iter().collect();
    for (name, value) in settings(options.program) {
        let present = setting(options.scope, name)?;
        match (options.wish, value) {
            // A key that changes would show every secret as changed.
            (Wish::Install, None) if present.is_some() => {}
            (Wish::Install, value) if present.is_none() || present != value => {
                steps.push(Step::Set { name, value });
            }
            (Wish::Uninstall, _) if present.is_some() => steps.push(Step::Unset { name }),
            (Wish::Install | Wish::Uninstall, _) => {}
        }
    }
    Ok(steps)
}

/// Does one thing.
pub fn apply(scope: Scope, step: &Step) -> Result<(), Error> {
    match step {
        Step::Set { name, value } => {
            let value = value.clone().map_or_else(random_key, Ok)?;
            configure(scope, name, &["--replace-all", name, &value])
        }
        Step::Unset { name } => configure(scope, name, &["--unset-all", name]),
        Step::Attributes { path, text, .. } => {
            let folder = path.parent().unwrap_or(Path::new("."));
            base::fs::create_private_folder(folder)
                .and_then(|()| base::fs::replace(path, text))
                .map_err(|source| Error::Attributes { path: path.clone(), source })
        }
    }
}

/// Returns every setting with its value; the key has none yet.
fn settings(program: &str) -> [(&'static str, Option<String>); 10] {
    let run = |words: &str| Some(format!("{program} {words}"));
    [
        ("diff.tfstate.textconv", run("git textconv")),
        // A cache would keep the text of states in the repository.
        ("diff.tfstate.cachetextconv", Some("false".to_owned())),
        ("diff.tfstate.xfuncname", Some(HUNK.to_owned())),
        ("difftool.tfstate.cmd", run(r#"diff "$LOCAL" "$REMOTE""#)),
        ("merge.tfstate.name", Some("states of Terraform and OpenTofu, by resource".to_owned())),
        // A git before 2.44 does not know the last two, and leaves them as they are.
        ("merge.tfstate.driver", run("git merge-driver -- %O %A %B %P %X %Y")),
        // Several common ancestors are merged first, which has no conflicts to tell anybody.
        ("merge.tfstate.recursive", Some("tfstate-ancestors".to_owned())),
        ("merge.tfstate-ancestors.name", Some("common ancestors of states".to_owned())),
        ("merge.tfstate-ancestors.driver", run("git merge-driver --ancestors -- %O %A %B %P")),
        (KEY, None),
    ]
}

fn setting(scope: Scope, name: &str) -> Result<Option<String>, Error> {
    match git::line(&["config", scope.flag(), "--get", name]) {
        Ok(value) => Ok(Some(value)),
        Err(git::Error::Refused { status: Some(1), .. }) => Ok(None),
        Err(source) => Err(Error::Git { what: format!("read git's setting {name}"), source }),
    }
}

fn configure(scope: Scope, name: &str, change: &[&str]) -> Result<(), Error> {
    let mut args = vec!["config", scope.flag()];
    args.extend(change);
    let what = || format!("change git's setting {name}");
    git::run(&args).map(drop).map_err(|source| Error::Git { what: what(), source })
}

fn attributes_file(scope: Scope, env: &Env) -> Result<PathBuf, Error> {
    let failed = |source| Error::Git { what: "find the attributes of git".to_owned(), source };
    if scope == Scope::Local {
        let top = git::line(&["rev-parse", "--show-toplevel"]).map_err(failed)?;
        return Ok(Path::new(&top).join(".gitattributes"));
    }
    match git::line(&["config", "--type=path", "--get", "core.attributesFile"]) {
        Ok(path) => return Ok(path.into()),
        Err(git::Error::Refused { status: Some(1), .. }) => {}
        Err(error) => return Err(failed(error)),
    }
    let home = || env.path("HOME").unwrap_or_default().join(".config");
    Ok(env.path("XDG_CONFIG_HOME").unwrap_or_else(home).join("git/attributes"))
}

/// Returns how the file of attributes is to change, if it is.
fn attributes(path: &Path, wish: Wish) -> Result<Option<Step>, Error> {
    let old = match fs::read(path) {
        Ok(old) => old,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(source) => return Err(Error::Attributes { path: path.to_owned(), source }),
    };
    let (lines, text) = match wish {
        Wish::Install => with_lines(&old),
        Wish::Uninstall => without_lines(&old),
    };
    Ok((!lines.is_empty()).then(|| Step::Attributes { path: path.to_owned(), lines, text }))
}

/// Appends the lines that are missing; the last line for a file decides.
fn with_lines(old: &[u8]) -> (Vec<&'static str>, Vec<u8>) {
    let has = |line: &str| old.split(|&byte| byte == b'\n').any(|other| is_line(other, line));
    let missing: Vec<_> = LINES.into_iter().filter(|line| !has(line)).collect();
    let mut text = old.to_vec();
    if !text.is_empty() && !text.ends_with(b"\n") {
        text.push(b'\n');
    }
    for line in &missing {
        text.extend_from_slice(line.as_bytes());
        text.push(b'\n');
    }
    (missing, text)
}

/// Leaves out the lines that are exactly ours.
fn without_lines(old: &[u8]) -> (Vec<&'static str>, Vec<u8>) {
    let (mut gone, mut text) = (Vec::new(), Vec::new());
    for line in old.split_inclusive(|&byte| byte == b'\n') {
        match LINES.into_iter().find(|ours| line.trim_ascii_end() == ours.as_bytes()) {
            Some(ours) => gone.push(ours),
            None => text.extend_from_slice(line),
        }
    }
    (gone, text)
}

/// Returns whether a line sets what `ours` sets, and perhaps more.
fn is_line(line: &[u8], ours: &str) -> bool {
    let Ok(line) = std::str::from_utf8(line) else { return false };
    let mut words = line.split_ascii_whitespace();
    let (mut wanted, pattern) = (ours.split(' '), words.next());
    pattern == wanted.next() && wanted.all(|want| words.clone().any(|word| word == want))
}

fn random_key() -> Result<String, Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| Error::Random(io::Error::other(error)))?;
    Ok(blake3::Hash::from_bytes(bytes).to_hex().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_added_once_and_others_stay() {
        let old = b"*.png binary\n*.tfstate  merge=tfstate eol=lf diff=tfstate";
        let (lines, text) = with_lines(old);
        assert_eq!(lines, [LINES[1]]);
        assert_eq!(text, [old.as_slice(), b"\n", LINES[1].as_bytes(), b"\n"].concat());
        assert!(with_lines(&text).0.is_empty());
        assert_eq!(with_lines(b"*.tfstate -diff\n*.tfstate.backup diff=tfstate\n").0, LINES);
    }

    #[test]
    fn only_our_lines_are_taken_back() {
        let old = b"*.tfstate diff=tfstate merge=tfstate\r\n\xff\n*.tfstate diff=tfstate eol=lf";
        let (lines, text) = without_lines(old);
        assert_eq!(lines, [LINES[0]]);
        assert_eq!(text, b"\xff\n*.tfstate diff=tfstate eol=lf");
    }

    #[test]
    fn keys_are_random_and_hexadecimal() {
        let (one, two) = (random_key().unwrap(), random_key().unwrap());
        assert!(one != two && one.len() == 64, "{one} {two}");
    }
}
