//! References to states, and the places they name.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::str::Utf8Chunk;

use super::backend::Local;
use super::directory::Directory;
use super::reference::{self, without_credentials};
use super::{Earlier, Error, Place, git, local, many};
use crate::base::env::Env;

/// What a reference means besides its own text.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The environment, for `TF_DATA_DIR`, `TF_WORKSPACE` and what stores look for there.
    pub env: &'a Env,
    /// The workspace that was asked for, if any was.
    pub workspace: Option<&'a str>,
    /// Settings of the backend, `KEY=VALUE` or the name of a file of them, as `terraform init`
    /// takes them with `-backend-config`.
    pub backend_config: &'a [String],
    /// A folder for what makes long lists shorter the next time; without one nothing is remembered.
    pub cache: Option<&'a Path>,
}

impl<'a> Context<'a> {
    /// Returns what follows from the environment alone.
    pub fn of(env: &'a Env) -> Self {
        Self { env, workspace: None, backend_config: &[], cache: None }
    }
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
    /// A key of a store, named by a URL or by the backend of a directory.
    Stored(Place),
    /// Standard input.
    StandardInput,
    /// A file in the git repository around the current directory.
    Git {
        /// The revision, as git reads it; empty for the index.
        revision: String,
        /// The file, counted from the current directory.
        path: String,
    },
    /// An earlier version of another place.
    Earlier {
        /// That place.
        of: Box<Location>,
        /// Which version.
        which: Earlier,
    },
    /// A snapshot in the backup repository, by the beginning of its id.
    Snapshot(String),
}

impl Location {
    /// Returns the place that a reference names: none or a directory means the state that
    /// Terraform uses there, `-` standard input, a URL a place in a store, `git:REV:PATH` a file in
    /// a git revision, `snapshot:ID` a snapshot, and `@REV` behind any of them an earlier version.
    /// What has the literal name of a reference on the disk wins.
    ///
    /// Looks at the disk, but opens no state and asks nothing over the network.
    pub fn resolve(reference: Option<&OsStr>, context: Context<'_>) -> Result<Self, Error> {
        let Some(reference) = reference else {
            return directory(Path::new("."), context);
        };
        if reference.is_empty() {
            return Err(Error::nameless());
        }
        let path = Path::new(reference);
        if reference == "-" {
            return without_workspaces(Self::StandardInput, context);
        }
        match path.metadata() {
            Ok(found) if found.is_dir() => directory(path, context),
            Ok(_) => without_workspaces(Self::File(path.to_owned()), context),
            Err(_) => elsewhere(reference, context),
        }
    }

    /// Returns the places that a reference names, in the order of their names: all that match
    /// where it is a glob or a prefix, and those of all workspaces that match where the workspace
    /// of the context is a glob.
    ///
    /// Lists stores and folders, but reads no state.
    pub fn resolve_many(
        reference: Option<&OsStr>,
        context: Context<'_>,
    ) -> Result<Vec<Self>, Error> {
        many::resolve(reference, context)
    }

    /// Returns what to call this place when talking to the user. Holds no credential.
    pub fn name(&self) -> String {
        match self {
            Self::File(path) | Self::Directory { file: path, .. } => path.display().to_string(),
            Self::Stored(place) => place.name(),
            Self::StandardInput => "standard input".to_owned(),
            Self::Git { revision, path } => git::name(revision, path),
            Self::Earlier { of, which } => format!("{}@{which}", of.name()),
            Self::Snapshot(id) => format!("snapshot:{id}"),
        }
    }

    /// Returns whether a listing of a store named it, which names no two alike.
    pub fn is_listed(&self) -> bool {
        matches!(self, Self::Stored(place) if place.listed.is_some())
    }

    /// Returns whether the listing that it was found by showed no bytes: there is no state yet, or no
    /// more.
    pub fn is_listed_empty(&self) -> bool {
        let Self::Stored(place) = self else { return false };
        place.listed.as_ref().is_some_and(|entry| entry.len == 0)
    }

    /// Returns the path of the file where this is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) | Self::Directory { file: path, .. } => Some(path),
            Self::Stored(_)
            | Self::StandardInput
            | Self::Git { .. }
            | Self::Earlier { .. }
            | Self::Snapshot(_) => None,
        }
    }

    /// Returns the key of the store that a state lives at, where it can be locked and replaced.
    ///
    /// # Errors
    ///
    /// [`Error::NotAHome`] for what only reads: standard input, a revision, an earlier version, a
    /// snapshot.
    pub fn home(&self) -> Result<Place, Error> {
        match self {
            Self::File(path) | Self::Directory { file: path, .. } => {
                let settings = Local { path: Some(path.clone()), workspace_dir: None };
                Ok(Place::new(local::connect(&settings), String::new()))
            }
            Self::Stored(place) if place.version.is_none() => Ok(place.clone()),
            _ => Err(Error::NotAHome { what: self.name() }),
        }
    }

    /// Returns the same place without what picks an earlier version.
    #[must_use]
    pub fn present(&self) -> Self {
        match self {
            Self::Earlier { of, .. } => of.present(),
            Self::Stored(place) => Self::Stored(place.with_version(None)),
            other => other.clone(),
        }
    }

    /// Returns text that stays the same for the same place, wherever it is asked from: a `file:`
    /// URI of the absolute path with links followed, the name of a key with what tells its store
    /// from others, `git:` with an absolute path, or `stdin:`, behind which a backup puts what tells
    /// states apart.
    pub fn uri(&self) -> Result<String, Error> {
        let path = match self {
            Self::File(path) | Self::Directory { file: path, .. } => path,
            Self::Stored(place) => return Ok(place.uri()),
            Self::StandardInput => return Ok("stdin:".to_owned()),
            Self::Git { revision, path } => {
                let absolute = std::path::absolute(path);
                let absolute = absolute.map_err(|source| Error::reading(&self.name(), source))?;
                return Ok(git::name(revision, &absolute.display().to_string()));
            }
            Self::Earlier { of, which } => return Ok(format!("{}@{which}", of.uri()?)),
            Self::Snapshot(_) => return Ok(self.name()),
        };
        let path = followed(path).map_err(|source| Error::reading(&self.name(), source))?;
        Ok(format!("file://{}", text_of(&path)))
    }
}

/// How many links are followed that lead to something missing, one after the other.
const MOST_LINKS: usize = 40;

/// Returns the absolute path of a file with all links followed. Of a file that is gone it is the same
/// as when it was there: of its folder, or of what is left of that.
pub(crate) fn followed(path: &Path) -> io::Result<PathBuf> {
    let (mut path, mut gone) = (std::path::absolute(path)?, Vec::new());
    for _ in 0..MOST_LINKS {
        if let Ok(found) = path.canonicalize() {
            return Ok(gone.iter().rev().fold(found, |path, name| path.join(name)));
        }
        let Some(name) = path.file_name().map(OsStr::to_owned) else { break };
        let folder = path.parent().unwrap_or(&path).to_owned();
        path = if let Ok(target) = path.read_link() {
            folder.join(target)
        } else {
            gone.push(name);
            folder
        };
    }
    Ok(gone.iter().rev().fold(path, |path, name| path.join(name)))
}

/// Returns a path as text, in which those that differ differ: each byte that is no UTF-8 is written
/// in two digits, behind a sign that says so.
fn text_of(path: &Path) -> String {
    let escaped = |part: Utf8Chunk<'_>| {
        let odd = part.invalid().iter().map(|byte| format!("\u{fffd}{byte:02x}"));
        format!("{}{}", part.valid(), odd.collect::<String>())
    };
    path.as_os_str().as_encoded_bytes().utf8_chunks().map(escaped).collect()
}

fn directory(dir: &Path, context: Context<'_>) -> Result<Location, Error> {
    Directory::open(dir, context)?.selected(context)
}

fn without_workspaces(location: Location, context: Context<'_>) -> Result<Location, Error> {
    match context.workspace {
        Some(name) => Err(Error::NoWorkspaces { name: name.to_owned(), what: location.name() }),
        None => Ok(location),
    }
}

/// Returns the place of a reference that nothing on the disk has the name of.
fn elsewhere(reference: &OsStr, context: Context<'_>) -> Result<Location, Error> {
    let text = reference.to_string_lossy();
    if let Some(location) = git::parse(&text) {
        return without_workspaces(location?, context);
    }
    if let Some(id) = text.strip_prefix("snapshot:") {
        return without_workspaces(Location::Snapshot(id.to_ascii_lowercase()), context);
    }
    if let Some((of, which)) = Earlier::split(&text) {
        let of = Some(OsStr::new(of)).filter(|of| !of.is_empty());
        let of = Box::new(Location::resolve(of, context)?);
        return Ok(if which == Earlier::Steps(0) { *of } else { Location::Earlier { of, which } });
    }
    if let Some(place) = reference::resolve(&text, context) {
        return place.map(Location::Stored);
    }
    if has_scheme(&text) {
        let kind = "this kind of location";
        return Err(Error::Unsupported { reference: without_credentials(&text), kind });
    }
    match text.rsplit_once('@') {
        Some((of, revision)) if of.is_empty() || Path::new(of).exists() => {
            let (reference, revision) = (text.clone().into_owned(), revision.to_owned());
            Err(Error::NotEarlier { reference, revision })
        }
        _ => without_workspaces(Location::File(reference.into()), context),
    }
}

fn has_scheme(reference: &str) -> bool {
    let letters = |scheme: &str| scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+');
    reference.split_once("://").is_some_and(|(scheme, _)| !scheme.is_empty() && letters(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::fs;

    fn resolve(reference: &str, workspace: Option<&str>) -> Result<Location, Error> {
        let env = Env::default();
        Location::resolve(Some(reference.as_ref()), Context { workspace, ..Context::of(&env) })
    }

    #[test]
    fn a_dash_is_standard_input() {
        assert_eq!(resolve("-", None).unwrap(), Location::StandardInput);
    }

    #[test]
    fn what_this_version_cannot_read_is_refused_by_name_and_without_credentials() {
        let cases = [
            ("git://u:hunter2@h/x", "git://h/x"),
            ("ftp://u:hunt/er2@h/x?token=hunter2", "ftp://h/x"),
        ];
        for (reference, shown) in cases {
            let error = resolve(reference, None).unwrap_err();
            let message = error.to_string();
            let what = "this version does not read this kind of location";
            assert_eq!(message, format!("cannot read {shown}: {what}"));
            assert!(!format!("{error:?}").contains("hunt"), "{error:?}");
        }
    }

    #[test]
    fn a_snapshot_is_named_by_its_id() {
        let snapshot = resolve("snapshot:3F9A12BC", None).unwrap();
        assert_eq!(snapshot, Location::Snapshot("3f9a12bc".to_owned()));
        assert_eq!(snapshot.uri().unwrap(), "snapshot:3f9a12bc");
    }

    #[test]
    fn a_file_that_has_the_literal_name_wins() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("a.tfstate");
        fs::write_new(&state, b"{}").unwrap();
        let revision = folder.path().join("a.tfstate@-1");
        let text = revision.to_str().unwrap();
        let earlier = resolve(text, None).unwrap();
        let of = Box::new(Location::File(state));
        assert_eq!(earlier, Location::Earlier { of, which: Earlier::Steps(1) });
        assert_eq!(earlier.name(), text);
        fs::write_new(&revision, b"{}").unwrap();
        assert_eq!(resolve(text, None).unwrap(), Location::File(revision));
    }

    #[test]
    fn an_earlier_version_of_what_is_gone_can_be_named_and_the_present_one_is_itself() {
        let gone = Location::File("gone.tfstate".into());
        let earlier = resolve("gone.tfstate@serial:7", None).unwrap();
        assert_eq!(earlier.present(), gone);
        assert_eq!(resolve("gone.tfstate@-0", None).unwrap(), gone);
        let Location::Earlier { of, .. } = resolve("@-1", None).unwrap() else {
            panic!("it is not an earlier version")
        };
        assert!(matches!(*of, Location::Directory { .. }), "{of:?}");
    }

    #[test]
    fn what_is_no_version_behind_a_file_that_is_there_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("a.tfstate");
        fs::write_new(&state, b"{}").unwrap();
        let error = resolve(&format!("{}@yesterday", state.display()), None).unwrap_err();
        assert!(error.to_string().ends_with("`@yesterday` is no earlier version"), "{error}");
        assert_eq!(resolve("me@home", None).unwrap(), Location::File("me@home".into()));
    }

    #[test]
    fn a_file_has_no_workspaces_to_pick_from() {
        let error = resolve("a.tfstate", Some("dev")).unwrap_err();
        let message = "cannot pick workspace dev of a.tfstate, which has no workspaces";
        assert_eq!(error.to_string(), message);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_is_gone_has_the_uri_that_it_had_through_any_link() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        std::fs::create_dir_all(folder.join("real/deep")).unwrap();
        let state = folder.join("real/deep/a.tfstate");
        fs::write_new(&state, b"{}").unwrap();
        symlink("real/deep", folder.join("link")).unwrap();
        symlink("../real/deep/a.tfstate", folder.join("real/direct")).unwrap();
        symlink("direct", folder.join("real/twice")).unwrap();
        symlink("loop", folder.join("loop")).unwrap();
        let uris = || {
            let uri = |way: &str| Location::File(folder.join(way)).uri().unwrap();
            ["link/a.tfstate", "link/../deep/a.tfstate", "real/direct", "real/twice"].map(uri)
        };
        let before = uris();
        assert!(
            before.iter().all(|uri| *uri == format!("file://{}", state.display())),
            "{before:?}"
        );
        std::fs::remove_file(&state).unwrap();
        assert_eq!(uris(), before);
        std::fs::remove_dir(folder.join("real/deep")).unwrap();
        assert_eq!(uris()[0], before[0]);
        assert!(Location::File(folder.join("loop")).uri().is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_no_text_and_differ_have_uris_that_differ() {
        use std::os::unix::ffi::OsStrExt;
        let uri = |name: &[u8]| Location::File(OsStr::from_bytes(name).into()).uri().unwrap();
        assert_ne!(uri(b"/nowhere/a\xff"), uri(b"/nowhere/a\xfe"));
        assert!(uri(b"/nowhere/a\xff").ends_with("/a\u{fffd}ff"));
    }

    #[test]
    fn the_same_file_has_the_same_uri_by_whatever_path() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let state = folder.join("a.tfstate");
        fs::write_new(&state, b"{}").unwrap();
        let uri = Location::File(folder.join(".").join("a.tfstate")).uri().unwrap();
        assert_eq!(uri, format!("file://{}", state.display()));
        std::fs::remove_file(&state).unwrap();
        std::fs::create_dir(folder.join("sub")).unwrap();
        for way in ["a.tfstate", "sub/../a.tfstate", "./sub/.././a.tfstate"] {
            let gone = Location::File(folder.join(way)).uri().unwrap();
            assert_eq!(gone, uri, "{way}");
        }
        let nowhere = Location::File(folder.join("x/y/../b.tfstate")).uri().unwrap();
        assert!(nowhere.ends_with("b.tfstate"), "{nowhere}");
        assert_eq!(Location::StandardInput.uri().unwrap(), "stdin:");
    }
}
