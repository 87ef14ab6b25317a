//! The note beside a locked file, in which Terraform says who has locked it. It locks nothing.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::base;
use crate::store::{Holder, LockInfo};

/// Returns where the note of a file is: `.terraform.tfstate.lock.info`.
fn path_of(state: &Path) -> PathBuf {
    let name = state.file_name().unwrap_or_default().as_encoded_bytes();
    let name = name.strip_prefix(b".").unwrap_or(name);
    let name = format!(".{}.lock.info", String::from_utf8_lossy(name));
    state.with_file_name(name)
}

/// Writes the note, readable by its owner only.
pub(super) fn write(state: &Path, info: &LockInfo) -> io::Result<()> {
    let path = path_of(state);
    // What a crash left behind may have another mode, and is nobody's any more.
    remove(state)?;
    base::fs::replace(&path, info.to_json().as_bytes())
}

/// Reads the note; nothing where there is none, or not one that Terraform would write.
pub(super) fn read(state: &Path) -> Option<Holder> {
    let info = LockInfo::from_json(&fs::read(path_of(state)).ok()?)?;
    (!info.id.is_empty()).then(|| Holder::Somebody { id: info.id.clone(), info })
}

/// Removes the note, if there is one.
pub(super) fn remove(state: &Path) -> io::Result<()> {
    match fs::remove_file(path_of(state)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_note_is_where_terraform_looks_for_it() {
        let of = |state: &str| path_of(Path::new(state)).display().to_string();
        assert_eq!(of("terraform.tfstate"), ".terraform.tfstate.lock.info");
        assert_eq!(of("a/b/.hidden.tfstate"), "a/b/.hidden.tfstate.lock.info");
    }
}
