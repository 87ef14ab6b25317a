//! Writing files so that a crash at any moment leaves the old file, the new one, or none:
//! never a part of one.
//!
//! Bytes go to a temporary file in the target's own folder, the file is synced, takes its name in
//! one step of the file system, and then the folder is synced. On every error before that step
//! the temporary file is removed.

use std::fs::{self, File, Metadata};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Creates a file of these bytes, readable by its owner only; fails with
/// [`io::ErrorKind::AlreadyExists`] where there is anything of that name.
pub fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_new_with(path, |out| out.write_all(bytes))
}

/// Does as [`write_new`] with what `fill` writes; when `fill` fails, there is no file.
pub fn write_new_with(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    // Asked first only to spare the work; what decides is `persist_noclobber`.
    if path.symlink_metadata().is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let temporary = filled_beside(path, None, fill)?;
    temporary.as_file().sync_all()?;
    temporary.persist_noclobber(path).map_err(|refused| refused.error)?;
    sync_folder(path)
}

/// Puts these bytes in the place of a file, keeping its mode, and its owner where that is
/// allowed; creates it, readable by its owner only, where there is none.
///
/// A symbolic link stays one: the file it leads to is replaced.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_with(path, |out| out.write_all(bytes))
}

/// Does as [`replace`] with what `fill` writes; when `fill` fails, the old file is untouched.
pub fn replace_with(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let path = &followed(path)?;
    let temporary = in_place_of(path, fill)?;
    temporary.as_file().sync_all()?;
    temporary.persist(path).map_err(|refused| refused.error)?;
    sync_folder(path)
}

/// Does as [`replace_with`] without waiting for the disk: a power cut may leave a file that is
/// empty or in part.
///
/// For what can be had again, and tells by itself whether it is whole.
pub fn replace_cached_with(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let path = &followed(path)?;
    in_place_of(path, fill)?.persist(path).map(drop).map_err(|refused| refused.error)
}

/// Writes a temporary file that is to take the place of another.
fn in_place_of(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<NamedTempFile> {
    let old = match fs::metadata(path) {
        Ok(old) => Some(old),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    filled_beside(path, old.as_ref(), fill)
}

/// Removes a file; its name stays gone through a power cut once this returns, so that what is
/// removed after it is not gone sooner.
pub fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path)?;
    sync_folder(path)
}

/// Makes a folder, and those above it that are missing, for its owner only; each lasts through a
/// power cut once this returns.
pub fn create_private_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    create_private_folder(folder(path))?;
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        // Another process was faster; a file of that name fails what comes next.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
        other => other?,
    }
    sync_folder(path)
}

/// Writes a temporary file in the folder of `path`.
fn filled_beside(
    path: &Path,
    old: Option<&Metadata>,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<NamedTempFile> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
    let mut temporary = tempfile::Builder::new()
        .prefix(&format!(".{name}."))
        .suffix(".tmp")
        .tempfile_in(folder(path))?;
    let mut out = BufWriter::new(temporary.as_file_mut());
    fill(&mut out)?;
    out.flush()?;
    drop(out);
    if let Some(old) = old {
        keep_owner(temporary.as_file(), old);
        temporary.as_file().set_permissions(old.permissions())?;
    }
    Ok(temporary)
}

/// Only root may give a file away, and that is no reason to refuse the write to others.
#[cfg(unix)]
fn keep_owner(file: &File, old: &Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};
    let _kept = fchown(file, Some(old.uid()), Some(old.gid()));
}

#[cfg(not(unix))]
fn keep_owner(_file: &File, _old: &Metadata) {}

/// Returns where a path leads, through symbolic links, even if there is nothing there.
fn followed(path: &Path) -> io::Result<PathBuf> {
    match path.symlink_metadata() {
        Ok(found) if found.is_symlink() => path.canonicalize(),
        _ => Ok(path.to_owned()),
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// A new name lasts through a power cut only once its folder is synced.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder(path))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name();
        fs::read_dir(folder).unwrap().map(|e| name(e).into_string().unwrap()).collect()
    }

    fn full_disk(out: &mut dyn Write) -> io::Result<()> {
        out.write_all(&vec![b'x'; 100_000])?;
        Err(io::ErrorKind::StorageFull.into())
    }

    #[test]
    fn a_new_file_never_takes_the_place_of_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write_new(&path, b"first").unwrap();
        let error = write_new(&path, b"second").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[test]
    fn of_two_that_create_the_same_file_one_wins() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let other = |out: &mut dyn Write| {
            write_new(&path, b"theirs")?;
            out.write_all(b"ours")
        };
        let error = write_new_with(&path, other).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"theirs");
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[test]
    fn a_failed_write_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write_new_with(&path, full_disk).unwrap_err();
        assert!(names(folder.path()).is_empty());
        write_new(&path, b"old").unwrap();
        replace_with(&path, full_disk).unwrap_err();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[cfg(unix)]
    #[test]
    fn missing_folders_are_made_private_and_others_left_as_they_are() {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let inner = folder.path().join("a/b");
        create_private_folder(&inner).unwrap();
        create_private_folder(&inner).unwrap();
        let modes = [folder.path(), &folder.path().join("a"), &inner].map(mode);
        assert_eq!(modes, [0o755, 0o700, 0o700]);
        write_new(&inner.join("file"), b"").unwrap();
        create_private_folder(&inner.join("file")).unwrap_err();
    }

    #[cfg(unix)]
    #[test]
    fn a_replaced_file_keeps_its_mode_and_a_new_one_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        replace(&path, b"new").unwrap();
        assert_eq!(mode(&path), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        replace(&path, b"newer").unwrap();
        assert_eq!(mode(&path), 0o640);
        assert_eq!(fs::read(&path).unwrap(), b"newer");
    }

    #[cfg(unix)]
    #[test]
    fn replacing_through_a_link_keeps_the_link() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        write_new(&file, b"old").unwrap();
        std::os::unix::fs::symlink("file", &link).unwrap();
        replace(&link, b"new").unwrap();
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"new");
    }
}
