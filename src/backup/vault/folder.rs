//! A repository in a folder.

use std::fs::{self, DirEntry, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::ahead::{Ahead, Listed};
use super::{Created, Object, Vault};
use crate::backup::Error;
use crate::base::fs as files;
use crate::base::workers;
use crate::store::followed;

/// A folder, which need not exist yet.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    ahead: Ahead,
}

impl Folder {
    /// Takes the folder's path.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), ahead: Ahead::default() }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }
}

/// Something in a folder.
enum Entry {
    Folder(PathBuf),
    /// A file, mostly. What a link leads to is not of this repository.
    Other(DirEntry),
}

/// Returns what is in a folder; nothing where there is no such folder.
fn entries(folder: &Path) -> Result<Vec<Entry>, Error> {
    let failed = |source| Error::Io { action: "list", path: folder.to_owned(), source };
    let found = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(failed)?,
    };
    let entry = |entry: io::Result<DirEntry>| {
        let entry = entry.map_err(failed)?;
        let is_folder = entry.file_type().map_err(failed)?.is_dir();
        Ok(if is_folder { Entry::Folder(entry.path()) } else { Entry::Other(entry) })
    };
    found.map(entry).collect()
}

/// Calls `each` with every file below a folder.
fn walk(folder: &Path, each: &mut dyn FnMut(DirEntry) -> Result<(), Error>) -> Result<(), Error> {
    for entry in entries(folder)? {
        match entry {
            Entry::Folder(path) => walk(&path, each)?,
            Entry::Other(entry) => each(entry)?,
        }
    }
    Ok(())
}

/// So many folders are worth a thread of their own to walk them.
const WORTH_A_THREAD: usize = 64;

/// Lists what is in the folder of a prefix. Where that has many folders, one for each state, several
/// threads walk them: the system takes longer to open them than to read what they hold.
fn list(root: &Path, prefix: &str) -> Listed {
    let (mut objects, mut folders) = (Vec::new(), Vec::new());
    for entry in entries(&root.join(prefix))? {
        match entry {
            Entry::Folder(path) => folders.push(path),
            Entry::Other(entry) => objects.extend(object(root, &entry)?),
        }
    }
    let below = |folders: &[PathBuf]| -> Listed {
        let mut found = Vec::new();
        for folder in folders {
            walk(folder, &mut |entry| {
                found.extend(object(root, &entry)?);
                Ok(())
            })?;
        }
        Ok(found)
    };
    for found in workers::shares(&folders, WORTH_A_THREAD, below) {
        objects.extend(found?);
    }
    Ok(objects)
}

fn object(root: &Path, entry: &DirEntry) -> Result<Option<Object>, Error> {
    let path = entry.path();
    // No key of ours is anything but ASCII.
    let key = path.strip_prefix(root).ok().and_then(Path::to_str);
    let Some(key) = key.filter(|_| !is_leftover(&path)) else { return Ok(None) };
    let found = match entry.metadata() {
        // It was deleted since it was listed.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        found => found.map_err(|source| io_error("list", &path, source))?,
    };
    let modified = modified(&found);
    Ok(Some(Object { key: key.to_owned(), len: found.len(), modified, tag: None }))
}

fn modified(found: &fs::Metadata) -> Option<Timestamp> {
    Timestamp::try_from(found.modified().ok()?).ok()
}

/// Returns whether a file is a temporary one of [`files`].
fn is_leftover(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.starts_with('.') && name.strip_suffix(".tmp").is_some()
}

fn io_error(action: &'static str, path: &Path, source: io::Error) -> Error {
    Error::Io { action, path: path.to_owned(), source }
}

impl Vault for Folder {
    fn name(&self, key: &str) -> String {
        self.path(key).display().to_string().trim_end_matches('/').to_owned()
    }

    fn place(&self) -> String {
        // Of one that is gone it is the same as when it was there.
        followed(&self.root).unwrap_or_else(|_| self.root.clone()).display().to_string()
    }

    fn read(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.start(key, u64::MAX)
    }

    fn start(&self, key: &str, len: u64) -> Result<Option<Vec<u8>>, Error> {
        let path = self.path(key);
        let failed = |source| io_error("read", &path, source);
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(failed)?,
        };
        let mut bytes = Vec::new();
        file.take(len).read_to_end(&mut bytes).map_err(failed)?;
        Ok(Some(bytes))
    }

    fn create(&self, key: &str, bytes: &[u8]) -> Result<Created, Error> {
        let path = self.path(key);
        let failed = |source| io_error("write", &path, source);
        let folder = path.parent().unwrap_or(&self.root);
        files::create_private_folder(folder).map_err(failed)?;
        match files::write_new(&path, bytes) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Created::Exists),
            written => written.map(|()| Created::New).map_err(failed),
        }
    }

    fn delete(&self, key: &str) -> Result<(), Error> {
        let path = self.path(key);
        match files::remove(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done.map_err(|source| io_error("delete", &path, source)),
        }
    }

    fn list(&self, prefix: &str) -> Result<Vec<Object>, Error> {
        self.ahead.take(prefix).unwrap_or_else(|| list(&self.root, prefix))
    }

    fn expect(&self, prefixes: &[&str]) {
        for &prefix in prefixes {
            let (root, wanted) = (self.root.clone(), prefix.to_owned());
            self.ahead.begin(prefix, move || list(&root, &wanted));
        }
    }

    fn sweep(&self, before: Timestamp) -> Result<usize, Error> {
        let mut swept = 0;
        walk(&self.root, &mut |entry| {
            let path = entry.path();
            let is_old = path.symlink_metadata().ok().and_then(|found| modified(&found));
            if is_leftover(&path) && is_old.is_some_and(|time| time < before) {
                match fs::remove_file(&path) {
                    // Another prune was faster, or what was written is whole by now.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    done => {
                        done.map_err(|source| io_error("delete", &path, source))?;
                        swept += 1;
                    }
                }
            }
            Ok(())
        })?;
        Ok(swept)
    }

    fn is_near(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_created_is_listed_read_and_deleted_and_leftovers_are_no_objects() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Folder::new(folder.path().join("repo"));
        assert_eq!(vault.list("s/").unwrap(), []);
        assert_eq!(vault.create("s/a/1", b"one").unwrap(), Created::New);
        assert_eq!(vault.create("s/a/1", b"two").unwrap(), Created::Exists);
        files::write_new(&folder.path().join("repo/s/a/.1.x.tmp"), b"half").unwrap();
        let listed = vault.list("s/").unwrap();
        assert_eq!(
            listed.iter().map(|o| (o.key.as_str(), o.len)).collect::<Vec<_>>(),
            [("s/a/1", 3)]
        );
        assert_eq!(vault.start("s/a/1", 2).unwrap().unwrap(), b"on");
        assert_eq!(vault.sweep(Timestamp::MIN).unwrap(), 0);
        assert_eq!(vault.sweep(Timestamp::MAX).unwrap(), 1);
        vault.delete("s/a/1").unwrap();
        vault.delete("s/a/1").unwrap();
        assert_eq!(vault.read("s/a/1").unwrap(), None);
    }

    #[test]
    fn what_was_expected_is_listed_from_then_on_and_anew_the_next_time() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Folder::new(folder.path());
        vault.create("s/a/1", b"").unwrap();
        vault.expect(&["s/"]);
        let begun = vault.ahead.take("s/").unwrap().unwrap();
        assert_eq!(begun.len(), 1);
        vault.expect(&["s/"]);
        vault.create("s/a/2", b"").unwrap();
        assert!((1..=2).contains(&vault.list("s/").unwrap().len()));
        assert_eq!(vault.list("s/").unwrap().len(), 2);
    }

    #[test]
    fn many_folders_are_listed_whole_by_several_threads() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Folder::new(folder.path());
        let mut keys: Vec<String> =
            (0..3 * WORTH_A_THREAD).map(|number| format!("s/{number:03}/1")).collect();
        keys.push("s/at-the-top".to_owned());
        for key in &keys {
            vault.create(key, b"").unwrap();
        }
        let mut listed: Vec<String> =
            vault.list("s/").unwrap().into_iter().map(|o| o.key).collect();
        listed.sort();
        assert_eq!(listed, keys);
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_look_into_it() {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("repo");
        Folder::new(&root).create("s/a/1", b"one").unwrap();
        assert_eq!(
            [mode(&root), mode(&root.join("s/a")), mode(&root.join("s/a/1"))],
            [0o700, 0o700, 0o600]
        );
    }
}
