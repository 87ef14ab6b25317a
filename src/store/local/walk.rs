//! The files below a folder, for lists.

use std::fs;
use std::io;
use std::path::Path;

use jiff::Timestamp;

use crate::store::{Entry, Error, Version};

/// Calls `each` with every file whose path begins with `prefix`. Folders behind symbolic links are
/// left out, since they can lead in circles; files behind them are not.
pub(super) fn files(
    prefix: &str,
    each: &mut dyn FnMut(Entry) -> Result<(), Error>,
) -> Result<(), Error> {
    let start = prefix.rfind('/').map_or("", |at| &prefix[..=at]);
    let mut folders = vec![start.to_owned()];
    while let Some(folder) = folders.pop() {
        let shown = if folder.is_empty() { "." } else { &folder };
        let failed = |error| Error::reading(shown, error);
        let entries = match fs::read_dir(shown) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            other => other.map_err(failed)?,
        };
        for entry in entries {
            let entry = entry.map_err(failed)?;
            // A name that is not text can't be a key.
            let Ok(name) = entry.file_name().into_string() else { continue };
            let key = format!("{folder}{name}");
            if entry.file_type().map_err(failed)?.is_dir() {
                let inner = format!("{key}/");
                if inner.starts_with(prefix) || prefix.starts_with(&inner) {
                    folders.push(inner);
                }
            } else if key.starts_with(prefix) {
                // It may be gone by now, or a link to nothing.
                let Ok(found) = fs::metadata(Path::new(&key)) else { continue };
                if found.is_file() {
                    each(entry_of(key, &found))?;
                }
            }
        }
    }
    Ok(())
}

fn entry_of(key: String, found: &fs::Metadata) -> Entry {
    let modified = found.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
    // The version is a hash, and reading every file would be no list any more.
    Entry { key, len: found.len(), modified, version: Version::default() }
}
