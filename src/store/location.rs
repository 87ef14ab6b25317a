//! References to states, and the places they name.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::{Error, git, workspace};
use crate::base::env::Env;

/// What a reference means besides its own text.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The environment, for `TF_DATA_DIR` and `TF_WORKSPACE`.
    pub env: &'a Env,
    /// The workspace that was asked for, if any was.
    pub workspace: Option<&'a str>,
}

/// A place where a state can be.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Location {
    /// A file that was named.
    File(PathBuf),
    /// The file that Terraform uses in a directory; it need not exist.
    Directory {
        /// The directory.
        dir: PathBuf,
        /// The selected workspace.
        workspace: String,
        /// The file that holds the state of that workspace.
        file: PathBuf,
    },
    /// Standard input.
    StandardInput,
    /// A file in the git repository around the current directory.
    Git {
        /// The revision, as git reads it; empty for the index.
        revision: String,
        /// The file, counted from the current directory.
        path: String,
    },
}

/// What a reference that is no file can begin with, and what that is called.
const SCHEMES: [(&str, &str); 8] = [
    ("s3://", "S3 objects"),
    ("gs://", "Google Cloud Storage objects"),
    ("az://", "Azure blobs"),
    ("http://", "http backends"),
    ("https://", "http backends"),
    ("postgres://", "pg backends"),
    ("postgresql://", "pg backends"),
    ("snapshot:", "snapshots by reference"),
];

impl Location {
    /// Returns the place that a reference names: none or a directory means the state that
    /// Terraform uses there, `-` standard input, `git:REV:PATH` a file in a git revision. A file that
    /// has the literal name of a URL wins.
    ///
    /// Looks at the disk, but opens no state.
    pub fn resolve(reference: Option<&OsStr>, context: Context<'_>) -> Result<Self, Error> {
        let Some(reference) = reference else {
            return workspace::local_state(Path::new("."), context);
        };
        let path = Path::new(reference);
        if reference == "-" {
            return without_workspaces(Self::StandardInput, context);
        }
        match path.metadata() {
            Ok(found) if found.is_dir() => workspace::local_state(path, context),
            Ok(_) => without_workspaces(Self::File(path.to_owned()), context),
            Err(_) => without_workspaces(elsewhere(reference)?, context),
        }
    }

    /// Returns what to call this place when talking to the user.
    pub fn name(&self) -> String {
        match self {
            Self::File(path) | Self::Directory { file: path, .. } => path.display().to_string(),
            Self::StandardInput => "standard input".to_owned(),
            Self::Git { revision, path } => git::name(revision, path),
        }
    }

    /// Returns the path of the file where this is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) | Self::Directory { file: path, .. } => Some(path),
            Self::StandardInput | Self::Git { .. } => None,
        }
    }

    /// Returns text that stays the same for the same place, wherever it is asked from: a `file:`
    /// URI of the absolute path with links followed, `git:` with such a path, or `stdin:`.
    pub fn uri(&self) -> Result<String, Error> {
        let path = match self {
            Self::File(path) | Self::Directory { file: path, .. } => path,
            Self::StandardInput => return Ok("stdin:".to_owned()),
            Self::Git { revision, path } => {
                let absolute = std::path::absolute(path);
                let absolute = absolute.map_err(|source| Error::reading(&self.name(), source))?;
                return Ok(git::name(revision, &absolute.display().to_string()));
            }
        };
        let absolute = path.canonicalize().or_else(|_| std::path::absolute(path));
        let absolute = absolute.map_err(|source| Error::reading(&self.name(), source))?;
        Ok(format!("file://{}", absolute.display()))
    }
}

fn without_workspaces(location: Location, context: Context<'_>) -> Result<Location, Error> {
    match context.workspace {
        Some(name) => Err(Error::NoWorkspaces { name: name.to_owned(), what: location.name() }),
        None => Ok(location),
    }
}

/// Returns the place of a reference that nothing on the disk has the name of.
fn elsewhere(reference: &OsStr) -> Result<Location, Error> {
    let text = reference.to_string_lossy();
    if let Some(location) = git::parse(&text) {
        return location;
    }
    match unsupported(&text) {
        Some(error) => Err(error),
        None => Ok(Location::File(reference.into())),
    }
}

/// Returns the error for a reference of a kind that this build can't read.
fn unsupported(reference: &str) -> Option<Error> {
    let lower = reference.to_ascii_lowercase();
    let known = SCHEMES.iter().find(|(scheme, _)| lower.starts_with(scheme));
    let kind = match known {
        Some((_, kind)) => kind,
        None if has_scheme(&lower) => "this kind of location",
        None if is_revision(reference) => "earlier versions by `@`",
        None => return None,
    };
    Some(Error::Unsupported { reference: without_credentials(reference), kind })
}

fn has_scheme(reference: &str) -> bool {
    let letters = |scheme: &str| scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+');
    reference.split_once("://").is_some_and(|(scheme, _)| !scheme.is_empty() && letters(scheme))
}

/// Returns whether this is `FILE@REV` of a file that is there.
fn is_revision(reference: &str) -> bool {
    reference.rsplit_once('@').is_some_and(|(file, _)| Path::new(file).exists())
}

/// Cuts the user and password out of a URL, and what follows `?` or `#`, where tokens are passed.
fn without_credentials(reference: &str) -> String {
    let end = reference.find(['?', '#']).unwrap_or(reference.len());
    let Some((scheme, rest)) = reference[..end].split_once("://") else {
        return reference[..end].to_owned();
    };
    // A password may hold `/` or `@` by mistake, so everything up to the last `@` goes.
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    format!("{scheme}://{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::fs;

    fn resolve(reference: &str, workspace: Option<&str>) -> Result<Location, Error> {
        let env = Env::default();
        Location::resolve(Some(reference.as_ref()), Context { env: &env, workspace })
    }

    #[test]
    fn a_dash_is_standard_input() {
        assert_eq!(resolve("-", None).unwrap(), Location::StandardInput);
    }

    #[test]
    fn what_this_version_cannot_read_is_refused_by_name_and_without_credentials() {
        let cases = [
            ("s3://acme/prod.tfstate", "s3://acme/prod.tfstate", "S3 objects"),
            ("GS://acme/prod", "GS://acme/prod", "Google Cloud Storage objects"),
            ("az://c/b?version=1", "az://c/b", "Azure blobs"),
            ("https://bob:hunter2@h/s", "https://h/s", "http backends"),
            ("postgres://u:hunt@er2/@db/x?password=hunter2", "postgres://db/x", "pg backends"),
            ("git://u:hunter2@h/x", "git://h/x", "this kind of location"),
            ("snapshot:1234", "snapshot:1234", "snapshots by reference"),
            ("ftp://u:hunter2@h/x", "ftp://h/x", "this kind of location"),
        ];
        for (reference, shown, what) in cases {
            let error = resolve(reference, None).unwrap_err();
            let message = error.to_string();
            assert_eq!(message, format!("cannot read {shown}: this version does not read {what}"));
            assert!(!format!("{error:?}").contains("hunt"), "{error:?}");
        }
    }

    #[test]
    fn a_file_that_has_the_literal_name_wins() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("a.tfstate");
        fs::write_new(&state, b"{}").unwrap();
        let revision = folder.path().join("a.tfstate@-1");
        let text = revision.to_str().unwrap();
        let error = resolve(text, None).unwrap_err();
        assert!(error.to_string().ends_with("does not read earlier versions by `@`"), "{error}");
        fs::write_new(&revision, b"{}").unwrap();
        assert_eq!(resolve(text, None).unwrap(), Location::File(revision));
    }

    #[test]
    fn a_file_has_no_workspaces_to_pick_from() {
        let error = resolve("a.tfstate", Some("dev")).unwrap_err();
        let message = "cannot pick workspace dev of a.tfstate, which has no workspaces";
        assert_eq!(error.to_string(), message);
    }

    #[test]
    fn the_same_file_has_the_same_uri_by_whatever_path() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let state = folder.join("a.tfstate");
        fs::write_new(&state, b"{}").unwrap();
        let uri = Location::File(folder.join(".").join("a.tfstate")).uri().unwrap();
        assert_eq!(uri, format!("file://{}", state.display()));
        assert_eq!(Location::StandardInput.uri().unwrap(), "stdin:");
    }
}
