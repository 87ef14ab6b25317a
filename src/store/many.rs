//! References to several states: prefixes and globs.
//!
//! `*` and `?` stay within one part of a path, `**` is any number of parts. Where a pattern ends in
//! `*`, `**` or, in a store, in `/`, it asks for everything there: then only what looks like a state
//! by its name is taken. What Terraform keeps beside a state is never taken. What has the literal
//! name of a pattern wins.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::directory::Directory;
use super::{Context, Cuts, Entry, Error, Found, Location, Place, pages, reference};
use crate::base::glob::{Glob, PathGlob};

/// How many states a reference can be; their names are all in memory at once.
const LIMIT: usize = 200_000;

/// Endings of names that stand beside a state and are none.
const BESIDE: [&str; 6] =
    [".tflock", ".tfstate.backup", "-md5", ".lock.info", ".tfbackend", ".before-restore"];

/// Returns the places that a reference names, in the order of their names.
///
/// Lists stores and folders, but reads no state.
pub(super) fn resolve(
    reference: Option<&OsStr>,
    context: Context<'_>,
) -> Result<Vec<Location>, Error> {
    let dir = reference.map_or(Path::new("."), Path::new);
    if let Some(name) = context.workspace.filter(|name| Glob::is_glob(name))
        && dir.is_dir()
    {
        let found = Directory::open(dir, context)?.matching(&Glob::new(name), context)?;
        return some(found, &format!("the workspaces `{name}`"));
    }
    let Some(text) = reference.and_then(OsStr::to_str).filter(|_| !dir.exists()) else {
        return Ok(vec![Location::resolve(reference, context)?]);
    };
    if reference::is_stored(text) {
        return stored(text, context);
    }
    let is_elsewhere = text.starts_with("git:") || text.contains("://");
    if Glob::is_glob(text) && !is_elsewhere {
        return some(files(text, context)?, text);
    }
    Ok(vec![Location::resolve(reference, context)?])
}

fn some(found: Vec<Location>, reference: &str) -> Result<Vec<Location>, Error> {
    let none = || Error::NoMatch { reference: reference.to_owned() };
    if found.is_empty() { Err(none()) } else { Ok(found) }
}

/// Returns whether a key can be several states.
pub(super) fn is_pattern(key: &str) -> bool {
    key.is_empty() || key.ends_with('/') || key.contains('*')
}

fn stored(text: &str, context: Context<'_>) -> Result<Vec<Location>, Error> {
    let one = Location::resolve(Some(OsStr::new(text)), context)?;
    let Location::Stored(place) = &one else { return Ok(vec![one]) };
    let is_bucket = ["s3", "gs", "az"].iter().any(|own| scheme_is(text, own));
    if !is_bucket || place.version.is_some() || !is_pattern(&place.key) {
        return Ok(vec![one]);
    }
    let cuts = context.cache.map(|cache| place.cuts(cache));
    let Some(found) = entries((place, cuts.as_ref()), text)? else { return Ok(vec![one]) };
    let found = found.into_iter().map(|entry| Location::Stored(place.with_entry(entry)));
    some(found.collect(), text)
}

fn scheme_is(text: &str, scheme: &str) -> bool {
    text.split_once("://").is_some_and(|(found, _)| found.eq_ignore_ascii_case(scheme))
}

/// Returns what matches the key of a place, sorted by key; nothing where something has that very
/// key, and is what is meant. Only this is kept while listing.
fn entries(
    (place, cuts): (&Place, Option<&Cuts>),
    text: &str,
) -> Result<Option<Vec<Entry>>, Error> {
    let is_folder = place.key.is_empty() || place.key.ends_with('/');
    let pattern = if is_folder { format!("{}**", place.key) } else { place.key.clone() };
    let start = pattern.find(['*', '?']).map_or(pattern.as_str(), |at| &pattern[..at]);
    let (glob, wants_all) = (PathGlob::new(&pattern), wants_all(&pattern));
    let mut is_literal = false;
    let mut entries = pages::list((&*place.store, start), cuts, &mut |entries, entry| {
        is_literal |= !is_folder && entry.key == place.key;
        let fits = is_taken(&entry.key, wants_all) && glob.matches(&entry.key);
        if fits && entries.len() == LIMIT {
            return Err(Error::TooMany { reference: text.to_owned(), limit: LIMIT });
        }
        entries.extend(fits.then_some(entry));
        Ok(())
    })?;
    sort(&mut entries);
    Ok(Some(entries).filter(|_| !is_literal))
}

/// Sorts entries by key. Some places show an object twice: then the newer one counts.
fn sort(entries: &mut Vec<Entry>) {
    entries.sort_unstable_by(|a, b| a.key.cmp(&b.key).then_with(|| b.modified.cmp(&a.modified)));
    entries.dedup_by(|a, b| a.key == b.key);
}

/// Returns whether a pattern says nothing of the names it is about.
fn wants_all(pattern: &str) -> bool {
    matches!(pattern.rsplit('/').next(), Some("*" | "**"))
}

fn is_taken(name: &str, wants_all: bool) -> bool {
    let is_beside = name.ends_with('/') || BESIDE.iter().any(|ending| name.ends_with(ending));
    !is_beside && (!wants_all || looks_like_a_state(name))
}

/// A workspace of the azurerm backend has its name behind the ending.
fn looks_like_a_state(name: &str) -> bool {
    let name = name.rsplit('/').next().unwrap_or_default();
    let bare = [".gz", ".zst"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name);
    bare.ends_with(".tfstate") || bare.contains(".tfstateenv:")
}

/// Returns the files and the working directories that match a pattern. Names that begin with a dot
/// match only where the pattern has the dot, as in a shell.
fn files(pattern: &str, context: Context<'_>) -> Result<Vec<Location>, Error> {
    let (root, parts) = match pattern.strip_prefix('/') {
        Some(rest) => (PathBuf::from("/"), rest),
        None => (PathBuf::new(), pattern),
    };
    let parts: Vec<&str> = parts.split('/').filter(|part| !part.is_empty()).collect();
    let mut paths = Vec::new();
    walk(&root, &parts, pattern, &mut paths)?;
    paths.sort_unstable();
    paths.dedup();
    let wants_all = wants_all(pattern);
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            let location = Location::resolve(Some(path.as_os_str()), context)?;
            // Not every directory that matches is one in which Terraform runs.
            found.extend(location.path().is_none_or(Path::exists).then_some(location));
        } else if pattern.ends_with('/') {
            // As in a shell, this asks for directories.
        } else if path.file_name().is_some_and(|name| is_taken(&name.to_string_lossy(), wants_all))
        {
            found.push(Location::resolve(Some(path.as_os_str()), context)?);
        }
    }
    Ok(found)
}

fn walk(at: &Path, parts: &[&str], pattern: &str, out: &mut Vec<PathBuf>) -> Result<(), Error> {
    let Some((first, rest)) = parts.split_first() else {
        if out.len() == LIMIT {
            return Err(Error::TooMany { reference: pattern.to_owned(), limit: LIMIT });
        }
        out.push(at.to_owned());
        return Ok(());
    };
    if !Glob::is_glob(first) {
        let next = at.join(first);
        return if next.exists() { walk(&next, rest, pattern, out) } else { Ok(()) };
    }
    let is_any = *first == "**";
    if is_any && !rest.is_empty() {
        walk(at, rest, pattern, out)?;
    }
    let glob = Glob::new(*first);
    for name in names(at)? {
        let next = at.join(&name);
        // In what is no UTF-8, each odd part counts as a character that no pattern can name.
        let name = name.to_string_lossy();
        if name.starts_with('.') && !first.starts_with('.') {
            continue;
        }
        // A link to a folder above would be followed without end.
        let is_folder = next.is_dir() && !next.is_symlink();
        let ends_here = rest.is_empty();
        if is_any && is_folder {
            walk(&next, parts, pattern, out)?;
            continue;
        }
        let fits = if is_any {
            ends_here && !next.is_dir()
        } else {
            glob.matches(&name) && (ends_here || next.is_dir())
        };
        if fits {
            walk(&next, rest, pattern, out)?;
        }
    }
    Ok(())
}

/// Returns the names in a folder, sorted; none where it is no folder.
fn names(folder: &Path) -> Result<Vec<OsString>, Error> {
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    if !here.is_dir() {
        return Ok(Vec::new());
    }
    let failed = |error| Error::reading(&here.display().to_string(), error);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(here).map_err(failed)? {
        names.push(entry.map_err(failed)?.file_name());
    }
    names.sort_unstable();
    Ok(names)
}

/// Returns what stands for a pattern where one state is needed and nothing has the literal name.
pub(super) fn instead(place: &Place, found: &Found) -> Option<Error> {
    let is_none = matches!(found, Found::Nothing) && is_pattern(&place.key);
    (is_none && !place.key.is_empty()).then(|| Error::Several { reference: place.name() })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::env::Env;
    use crate::base::fs as files;
    use crate::store::{Body, Expected, Memory, Store};

    const KEYS: [&str; 14] = [
        "prod/net.tfstate",
        "prod/net.tfstate.tflock",
        "prod/net.tfstate-md5",
        "prod/app.tfstate",
        "prod/app.tfstate.backup",
        "prod/db.tfstateenv:dev",
        "prod/notes.txt",
        "prod/",
        "dev/net.tfstate",
        "dev/a/b/net.tfstate.gz",
        "env:/x/net",
        "a*b.tfstate",
        "acb.tfstate",
        "empty.tfstate",
    ];

    fn listed(key: &str) -> Vec<String> {
        found(key).unwrap().into_iter().map(|entry| entry.key).collect()
    }

    fn found(key: &str) -> Option<Vec<Entry>> {
        let store = Memory::default();
        for name in KEYS {
            let bytes: &[u8] = if name.starts_with("empty") { b"" } else { b"{}" };
            store.write(name, &Body { bytes, expected: Expected::Nothing, lock: None }).unwrap();
        }
        entries((&Place::new(Arc::new(store), key.to_owned()), None), key).unwrap()
    }

    #[test]
    fn a_prefix_is_everything_below_that_looks_like_a_state() {
        assert_eq!(
            listed("prod/"),
            ["prod/app.tfstate", "prod/db.tfstateenv:dev", "prod/net.tfstate"]
        );
        let all = listed("");
        assert_eq!(all.len(), 8);
        assert!(
            all.iter().any(|key| key == "empty.tfstate"),
            "what lost all its bytes is not passed over"
        );
        assert_eq!(listed("**"), all);
        assert!(all.is_sorted());
    }

    #[test]
    fn a_glob_takes_what_it_says_but_not_what_stands_beside_a_state() {
        assert_eq!(listed("*/net.tfstate"), ["dev/net.tfstate", "prod/net.tfstate"]);
        assert_eq!(listed("**/*.tfstate").len(), 6);
        assert_eq!(listed("prod/n*"), ["prod/net.tfstate", "prod/notes.txt"]);
        assert_eq!(listed("env:/*/net"), ["env:/x/net"]);
        assert_eq!(listed("a*.tfstate"), ["a*b.tfstate", "acb.tfstate"]);
        assert!(listed("*.nothing").is_empty());
    }

    #[test]
    fn what_is_listed_twice_is_one_and_the_newer() {
        let entry = |key: &str, second| Entry {
            key: key.to_owned(),
            len: 1,
            modified: jiff::Timestamp::from_second(second).ok(),
            version: crate::store::Version::default(),
        };
        let mut entries = vec![entry("b", 1), entry("a", 1), entry("b", 2), entry("c", 1)];
        sort(&mut entries);
        assert_eq!(entries, [entry("a", 1), entry("b", 2), entry("c", 1)]);
    }

    #[test]
    fn what_has_the_very_key_of_a_pattern_is_meant_alone() {
        assert!(found("a*b.tfstate").is_none());
        // A folder is no state, whatever has its name.
        assert_eq!(found("prod/").unwrap().len(), 3);
    }

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new(names: &[&str]) -> Self {
            let folder = Self(tempfile::tempdir().unwrap());
            for name in names {
                let path = folder.0.path().join(name);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                files::write_new(&path, b"{}").unwrap();
            }
            folder
        }

        fn found(&self, pattern: &str, workspace: Option<&str>) -> Result<Vec<String>, Error> {
            let env = Env::default();
            let root = self.0.path().to_str().unwrap();
            let reference =
                if pattern.is_empty() { root.to_owned() } else { format!("{root}/{pattern}") };
            let context = Context { workspace, ..Context::of(&env) };
            let found = resolve(Some(reference.as_ref()), context)?;
            let name = |location: &Location| location.name().replace(&format!("{root}/"), "");
            Ok(found.iter().map(name).collect())
        }
    }

    #[test]
    fn files_and_directories_are_found_in_the_order_of_their_names() {
        let folder = Folder::new(&[
            "envs/prod/terraform.tfstate",
            "envs/prod/terraform.tfstate.backup",
            "envs/dev/terraform.tfstate",
            "envs/dev/.terraform/modules/x.tfstate",
            "envs/modules/main.tf",
            "envs/README.md",
        ]);
        let both = ["envs/dev/terraform.tfstate", "envs/prod/terraform.tfstate"];
        for pattern in
            ["envs/*/terraform.tfstate", "envs/*", "envs/**", "**/*.tfstate", "envs/???*/"]
        {
            assert_eq!(folder.found(pattern, None).unwrap(), both, "{pattern}");
        }
        let error = folder.found("envs/*.tfstate", None).unwrap_err();
        assert!(matches!(error, Error::NoMatch { .. }), "{error}");
    }

    #[test]
    fn what_has_the_literal_name_of_a_pattern_wins() {
        let folder = Folder::new(&["a*.tfstate", "ab.tfstate"]);
        assert_eq!(folder.found("a*.tfstate", None).unwrap(), ["a*.tfstate"]);
        assert_eq!(folder.found("a?.tfstate", None).unwrap(), ["a*.tfstate", "ab.tfstate"]);
    }

    #[test]
    fn all_workspaces_of_a_directory_are_those_that_have_a_state() {
        let names =
            ["terraform.tfstate.d/b/terraform.tfstate", "terraform.tfstate.d/a/terraform.tfstate"];
        let folder = Folder::new(&names);
        let both =
            ["terraform.tfstate.d/a/terraform.tfstate", "terraform.tfstate.d/b/terraform.tfstate"];
        assert_eq!(folder.found("", Some("*")).unwrap(), both);
        assert_eq!(folder.found("", Some("b*")).unwrap(), both[1..]);
        assert!(folder.found("", Some("x*")).is_err());
        files::write_new(&folder.0.path().join("terraform.tfstate"), b"{}").unwrap();
        assert_eq!(folder.found("", Some("*")).unwrap().len(), 3);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_name_that_is_no_text_is_found_too() {
        use std::os::unix::ffi::OsStrExt;
        let folder = Folder::new(&["a.tfstate"]);
        files::write_new(&folder.0.path().join(OsStr::from_bytes(b"b\xff.tfstate")), b"{}")
            .unwrap();
        assert_eq!(folder.found("*.tfstate", None).unwrap().len(), 2);
        assert_eq!(folder.found("b?.tfstate", None).unwrap().len(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_folder_above_is_not_followed_without_end() {
        let folder = Folder::new(&["a/x.tfstate"]);
        std::os::unix::fs::symlink("..", folder.0.path().join("a/up")).unwrap();
        assert_eq!(folder.found("**/*.tfstate", None).unwrap(), ["a/x.tfstate"]);
    }
}
