//! Writing a file in place, so that a crash at any moment leaves the old state, the new one, or
//! words that say where the new one is.
//!
//! Terraform takes an empty file for no state at all and starts anew, and a file that is half old
//! and half new may still be valid. So a file that is being written begins with [`MARK`], which
//! nothing takes for a state: first the new state goes to a copy beside it, then the mark is put
//! over the beginning of the old one, then everything behind the mark is written and cut to its
//! length, then the beginning. Each of these is on the disk before the next one begins.

use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

use crate::base;

/// What a file begins with while it is written.
const MARK: &[u8] = b"tfstate was interrupted while it wrote this file.\n\
The whole state is beside it, in the file whose name begins with a dot and ends in .unfinished\n";

/// How much of the mark is enough to know it; where the new state is shorter, so is the mark.
pub(super) const KNOWN: usize = 24;

/// Returns whether a write of this file was interrupted.
pub(super) fn is_unfinished(bytes: &[u8]) -> bool {
    bytes.starts_with(&MARK[..KNOWN])
}

/// Returns where the whole state is while a file is written.
pub(super) fn copy_of(path: &Path) -> io::Result<PathBuf> {
    let path = path.canonicalize()?;
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut copy = std::ffi::OsString::from(".");
    copy.push(name);
    copy.push(".unfinished");
    Ok(path.with_file_name(copy))
}

/// What became of a write that failed.
#[derive(Debug)]
pub(super) enum Failed {
    /// The old bytes are in the file.
    Undone(io::Error),
    /// The file is damaged, and the new bytes are in this copy.
    Left(PathBuf, io::Error),
}

/// Replaces the old bytes of a file with new ones.
pub(super) fn write(path: &Path, file: &File, old: &[u8], new: &[u8]) -> Result<(), Failed> {
    if new.is_empty() {
        return marked(file, new).map_err(Failed::Undone);
    }
    let copy = copy_of(path).map_err(Failed::Undone)?;
    base::fs::replace(&copy, new).map_err(Failed::Undone)?;
    if let Err(error) = marked(file, new) {
        // A full disk still has the room that the old bytes took.
        if marked(file, old).is_err() {
            return Err(Failed::Left(copy, error));
        }
        let _gone = fs::remove_file(&copy);
        return Err(Failed::Undone(error));
    }
    // What is left of it is as good as the file itself.
    let _gone = fs::remove_file(&copy);
    Ok(())
}

fn marked(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    let (head, tail) = bytes.split_at(MARK.len().min(bytes.len()));
    file.rewind()?;
    file.write_all(&MARK[..head.len()])?;
    file.sync_data()?;
    file.write_all(tail)?;
    file.set_len(bytes.len() as u64)?;
    file.sync_all()?;
    file.rewind()?;
    file.write_all(head)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &Path, bytes: &[u8]) -> (PathBuf, File) {
        let path = folder.join("a.tfstate");
        base::fs::write_new(&path, bytes).unwrap();
        let file = File::options().read(true).write(true).open(&path).unwrap();
        (path, file)
    }

    #[test]
    fn any_length_replaces_any_other_and_leaves_no_copy() {
        let long = vec![b'x'; MARK.len() * 3];
        let short = b"{}".as_slice();
        for (old, new) in
            [(&*long, short), (short, &long), (b"", short), (short, b""), (&long, &long)]
        {
            let folder = tempfile::tempdir().unwrap();
            let (path, file) = file(folder.path(), old);
            write(&path, &file, old, new).unwrap();
            assert_eq!(fs::read(&path).unwrap(), new);
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn a_failed_write_leaves_the_old_bytes_or_says_where_the_new_ones_are() {
        let folder = tempfile::tempdir().unwrap();
        let (path, _) = file(folder.path(), b"old");
        let read_only = File::open(&path).unwrap();
        let Err(Failed::Left(copy, _)) = write(&path, &read_only, b"old", b"new") else {
            panic!("a file that was opened for reading was written")
        };
        assert_eq!(fs::read(copy).unwrap(), b"new");
    }

    #[test]
    fn what_was_interrupted_is_seen_and_is_no_state() {
        assert!(is_unfinished(&[MARK, b"the rest"].concat()));
        assert!(!is_unfinished(b"{}"));
        assert!(!is_unfinished(b""));
    }

    /// Runs itself again as the process that is killed.
    #[test]
    fn a_process_killed_at_any_moment_leaves_the_old_the_new_or_the_mark_and_the_copy() {
        const INNER: &str = "TFSTATE_TEST_KILLED";
        let states = [vec![b'a'; 300_000], vec![b'b'; 200_000]];
        if let Some(path) = base::env::Env::process().path(INNER) {
            let file = File::options().read(true).write(true).open(&path).unwrap();
            for n in 0.. {
                write(&path, &file, &states[n % 2], &states[(n + 1) % 2]).unwrap();
            }
        }
        let name = "a_process_killed_at_any_moment_leaves_the_old_the_new_or_the_mark_and_the_copy";
        let mut marks = 0;
        for n in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let (path, _) = file(folder.path(), &states[0]);
            let mut child = std::process::Command::new(std::env::current_exe().unwrap())
                .args([name, "--nocapture", "--test-threads=1"])
                .env(INNER, &path)
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap();
            std::thread::sleep(std::time::Duration::from_millis(30 + 7 * n));
            child.kill().unwrap();
            child.wait().unwrap();
            let left = fs::read(&path).unwrap();
            if is_unfinished(&left) {
                let copy = fs::read(copy_of(&path).unwrap()).unwrap();
                assert!(states.contains(&copy));
                marks += 1;
            } else {
                assert!(states.contains(&left), "{} bytes that are neither", left.len());
            }
        }
        // How often it is met in the middle depends on the disk, so that is only told.
        println!("{marks} of 20 were met in the middle");
    }
}
