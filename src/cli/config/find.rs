//! Where the configuration is.
//!
//! The first of these is read, and no other: `--config`, `TFSTATE_CONFIG`, `tfstate.toml` in the
//! current folder or the nearest parent that has one, `$XDG_CONFIG_HOME/tfstate/config.toml`. A
//! `tfstate.toml` is found, not named, so somebody else could have put it there: one that belongs
//! to neither this user nor root is passed over, and the user is told.

use std::path::{Path, PathBuf};

use crate::base::env::Env;

/// Where the configuration is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Found {
    /// The file to read, if there is any.
    pub(crate) path: Option<PathBuf>,
    /// Files nearer than that one, which were passed over because they are somebody else's.
    pub(crate) distrusted: Vec<PathBuf>,
}

/// Looks for the configuration; `named` is the file that `--config` names.
pub(crate) fn find(named: Option<&Path>, env: &Env, folder: &Path) -> Found {
    if let Some(path) = named.map(Path::to_owned).or_else(|| env.path("TFSTATE_CONFIG")) {
        return Found { path: Some(path), distrusted: Vec::new() };
    }
    let mut distrusted = Vec::new();
    for folder in folder.ancestors() {
        let path = folder.join("tfstate.toml");
        if !path.is_file() {
            continue;
        }
        if is_trusted(&path) {
            return Found { path: Some(path), distrusted };
        }
        distrusted.push(path);
    }
    Found { path: personal(env).filter(|path| path.is_file()), distrusted }
}

fn personal(env: &Env) -> Option<PathBuf> {
    // The XDG rules ask to ignore a relative path.
    let folder = env.path("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
    let folder = folder.or_else(|| env.path("HOME").map(|home| home.join(".config")))?;
    Some(folder.join("tfstate").join("config.toml"))
}

#[cfg(unix)]
fn is_trusted(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let me = rustix::process::geteuid().as_raw();
    // Root can read and write everything of everybody in any case.
    path.metadata().is_ok_and(|found| found.uid() == me || found.uid() == 0)
}

#[cfg(not(unix))]
fn is_trusted(_path: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::fs;

    #[test]
    fn the_nearest_of_the_parents_wins_over_the_personal_one() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        std::fs::create_dir_all(&inner).unwrap();
        std::fs::create_dir_all(folder.path().join("home/tfstate")).unwrap();
        let env = Env::from_pairs([("XDG_CONFIG_HOME", folder.path().join("home"))]);
        let personal = folder.path().join("home/tfstate/config.toml");
        fs::write_new(&personal, b"").unwrap();
        assert_eq!(find(None, &env, &inner).path, Some(personal));
        let outer = folder.path().join("tfstate.toml");
        fs::write_new(&outer, b"").unwrap();
        assert_eq!(find(None, &env, &inner).path, Some(outer));
        let nearer = folder.path().join("a/tfstate.toml");
        fs::write_new(&nearer, b"").unwrap();
        assert_eq!(find(None, &env, &inner).path, Some(nearer));
    }

    #[test]
    fn a_named_file_wins_and_the_flag_wins_over_the_variable() {
        let env = Env::from_pairs([("TFSTATE_CONFIG", "b.toml")]);
        assert_eq!(find(None, &env, Path::new("/")).path, Some("b.toml".into()));
        let found = find(Some(Path::new("a.toml")), &env, Path::new("/"));
        assert_eq!(found.path, Some("a.toml".into()));
    }

    #[test]
    fn a_relative_folder_of_the_xdg_rules_is_ignored() {
        let env = Env::from_pairs([("XDG_CONFIG_HOME", "etc"), ("HOME", "/home/me")]);
        let path = Path::new("/home/me/.config/tfstate/config.toml");
        assert_eq!(personal(&env).as_deref(), Some(path));
        assert_eq!(personal(&Env::default()), None);
    }
}
