//! The record lock of a whole file, which is what Terraform takes: `fcntl` on Unix, `LockFileEx` on
//! Windows.
//!
//! On Linux it is taken for the open file and not for the process. The two kinds conflict with each
//! other, so Terraform can't tell; but the classic kind vanishes as soon as the process closes any
//! other descriptor of the file, and does not keep two threads of one process apart.

use std::fs::File;
use std::io;

/// An open file that nobody else has locked. Dropping it unlocks it.
#[derive(Debug)]
pub(super) struct RecordLock(File);

/// Who has locked a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Owner {
    /// Nobody.
    Nobody,
    /// Somebody, and the process where the system tells.
    Process(Option<u32>),
}

impl RecordLock {
    /// Locks a file, or returns nothing where somebody else has.
    pub(super) fn take(file: File) -> io::Result<Option<Self>> {
        Ok(system::lock(&file)?.then_some(Self(file)))
    }

    /// Returns the file, which must be read and written through this descriptor only.
    pub(super) fn file(&self) -> &File {
        &self.0
    }
}

/// Returns who has locked a file, without locking it.
pub(super) fn owner(file: &File) -> io::Result<Owner> {
    system::owner(file)
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs::File;
    use std::io;

    use nix::errno::Errno;
    use nix::fcntl::{FcntlArg, fcntl};
    use nix::libc;

    use super::Owner;

    fn whole_file() -> io::Result<libc::flock> {
        let short = |value: i32| i16::try_from(value).map_err(io::Error::other);
        let (l_type, l_whence) = (short(libc::F_WRLCK)?, short(libc::SEEK_SET)?);
        Ok(libc::flock { l_type, l_whence, l_start: 0, l_len: 0, l_pid: 0 })
    }

    pub(super) fn lock(file: &File) -> io::Result<bool> {
        match fcntl(file, FcntlArg::F_OFD_SETLK(&whole_file()?)) {
            Ok(_) => Ok(true),
            Err(Errno::EAGAIN | Errno::EACCES) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn owner(file: &File) -> io::Result<Owner> {
        let mut asked = whole_file()?;
        fcntl(file, FcntlArg::F_OFD_GETLK(&mut asked))?;
        if i32::from(asked.l_type) == libc::F_UNLCK {
            return Ok(Owner::Nobody);
        }
        Ok(Owner::Process(u32::try_from(asked.l_pid).ok()))
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
mod system {
    use std::collections::BTreeSet;
    use std::fs::File;
    use std::io;
    use std::os::unix::fs::MetadataExt;
    use std::sync::{Mutex, PoisonError};

    use rustix::fs::{FlockOperation, fcntl_lock};
    use rustix::io::Errno;
    use rustix::process::{Flock, FlockType, fcntl_getlk};

    use super::{Owner, RecordLock};

    /// The files that this process has locked, which the system would let it lock again.
    static OURS: Mutex<BTreeSet<(u64, u64)>> = Mutex::new(BTreeSet::new());

    fn name(file: &File) -> io::Result<(u64, u64)> {
        file.metadata().map(|found| (found.dev(), found.ino()))
    }

    pub(super) fn lock(file: &File) -> io::Result<bool> {
        let name = name(file)?;
        let mut ours = OURS.lock().unwrap_or_else(PoisonError::into_inner);
        if ours.contains(&name) {
            return Ok(false);
        }
        match fcntl_lock(file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(ours.insert(name)),
            Err(Errno::AGAIN | Errno::ACCESS) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn owner(file: &File) -> io::Result<Owner> {
        if OURS.lock().unwrap_or_else(PoisonError::into_inner).contains(&name(file)?) {
            return Ok(Owner::Process(Some(std::process::id())));
        }
        let found = fcntl_getlk(file, &Flock::from(FlockType::WriteLock))?;
        let process = |pid: rustix::process::Pid| u32::try_from(pid.as_raw_nonzero().get()).ok();
        Ok(found.map_or(Owner::Nobody, |found| Owner::Process(found.pid.and_then(process))))
    }

    impl Drop for RecordLock {
        fn drop(&mut self) {
            let mut ours = OURS.lock().unwrap_or_else(PoisonError::into_inner);
            // The file is closed after this, and nobody asks for the lock before.
            let _unlocked = fcntl_lock(&self.0, FlockOperation::Unlock);
            if let Ok(name) = name(&self.0) {
                ours.remove(&name);
            }
        }
    }
}

#[cfg(not(unix))]
mod system {
    use std::fs::{File, TryLockError};
    use std::io;

    use super::Owner;

    pub(super) fn lock(file: &File) -> io::Result<bool> {
        match file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    pub(super) fn owner(file: &File) -> io::Result<Owner> {
        if !lock(file)? {
            return Ok(Owner::Process(None));
        }
        file.unlock()?;
        Ok(Owner::Nobody)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_descriptors_of_one_process_keep_each_other_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        crate::base::fs::write_new(&path, b"").unwrap();
        let open = || File::options().read(true).write(true).open(&path).unwrap();
        assert_eq!(owner(&open()).unwrap(), Owner::Nobody);
        let held = RecordLock::take(open()).unwrap().unwrap();
        assert!(RecordLock::take(open()).unwrap().is_none());
        assert_ne!(owner(&open()).unwrap(), Owner::Nobody);
        drop(held);
        assert!(RecordLock::take(open()).unwrap().is_some());
    }
}
