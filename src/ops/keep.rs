//! Where the copy goes that is kept of a state before it is replaced.

use std::path::{Path, PathBuf};

use super::backup::{self, BackupOptions};
use super::session::{Keep, Target};
use crate::base::clock::Clock;
use crate::base::fs;
use crate::state::bytes::Bytes;
use crate::store::Cause;

/// Keeps a snapshot in the backup repository.
#[derive(Debug)]
pub struct Snapshots<'a> {
    /// Where and how.
    pub options: BackupOptions<'a>,
    /// The time.
    pub clock: &'a dyn Clock,
}

impl Keep for Snapshots<'_> {
    fn keep(&self, target: &Target, bytes: &Bytes) -> Result<String, Cause> {
        let report = backup::run_on((&target.uri, bytes), &self.options, self.clock)?;
        Ok(format!("snapshot {}", report.snapshot.id))
    }
}

/// Keeps plain files in a folder that only this user can look into.
#[derive(Debug)]
pub struct Files<'a> {
    /// The folder; it is made if there is none.
    pub folder: &'a Path,
    /// The time.
    pub clock: &'a dyn Clock,
}

impl Keep for Files<'_> {
    fn keep(&self, _target: &Target, bytes: &Bytes) -> Result<String, Cause> {
        fs::create_private_folder(self.folder)?;
        let time = self.clock.now().strftime("%Y%m%dT%H%M%SZ");
        let hash = blake3::hash(bytes).to_hex();
        let path: PathBuf = self.folder.join(format!("{time}-{}.tfstate", &hash[..16]));
        match fs::write_new(&path, bytes) {
            // The same bytes in the same second: they are kept already.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            written => written?,
        }
        Ok(path.display().to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::clock::Fixed;
    use crate::store::Memory;

    #[test]
    fn a_file_is_kept_for_this_user_alone_and_once() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("replaced");
        let clock = Fixed("2026-08-01T10:15:00Z".parse().unwrap());
        let files = Files { folder: &folder, clock: &clock };
        let target =
            Target { store: Arc::new(Memory::default()), key: "a".into(), uri: "memory:a".into() };
        let bytes = Bytes::from(b"{}".as_slice());
        let kept = files.keep(&target, &bytes).unwrap();
        assert_eq!(files.keep(&target, &bytes).unwrap(), kept);
        assert_eq!(std::fs::read(&kept).unwrap(), b"{}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(Path::new(&kept)), mode(&folder)), (0o600, 0o700));
        }
    }
}
