//! A file mapped into memory, and the guard that turns its one failure into a message.
//!
//! This file holds the crate's only `unsafe`: making the map, and the handler of the signal that
//! a map can raise.

use std::fmt;
use std::fs::File;
use std::io;

/// A file mapped into memory, read-only.
///
/// The bytes are those of the file while they are looked at, so somebody else's write can show
/// through. Whoever needs bytes that stay as they are reads the file instead.
pub struct Mapped(memmap2::Mmap);

impl Mapped {
    /// Maps the whole of an open file; the file may be closed afterwards.
    pub fn of(file: &File) -> io::Result<Self> {
        #[expect(
            unsafe_code,
            reason = "the bytes are only ever looked at through checked slices and never taken to \
                      be UTF-8 without asking: when another process changes them, the worst is an \
                      error from decoding. When it cuts the file short, the kernel raises SIGBUS, \
                      which `install_sigbus_guard` ends with a message and status 1"
        )]
        // SAFETY: as the reason above says; the map is private to this type and never written.
        let map = unsafe { memmap2::Mmap::map(file)? };
        Ok(Self(map))
    }
}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Mapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mapped({} bytes)", self.0.len())
    }
}

#[cfg(all(unix, feature = "cli"))]
const TRUNCATED: &[u8] = b"error: a state file was truncated by another process while it was \
being read\nhint: run the command again once that process has finished\n";

/// Makes SIGBUS, raised when a mapped file was cut short, end the process with a message and
/// status 1.
///
/// Meant for `main`, once, before any file is mapped.
#[cfg(all(unix, feature = "cli"))]
pub fn install_sigbus_guard() -> io::Result<()> {
    let report = || {
        // The process ends here in any case, so a failed write changes nothing.
        let _written = rustix::io::write(rustix::stdio::stderr(), TRUNCATED);
        signal_hook::low_level::exit(1);
    };
    #[expect(
        unsafe_code,
        reason = "a signal handler may only do what is async-signal-safe: this one does a single \
                  write(2) of a constant and _exit(2), allocates nothing and takes no lock"
    )]
    // SAFETY: as the reason above says.
    unsafe { signal_hook::low_level::register(signal_hook::consts::SIGBUS, report) }.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapped_file_reads_as_its_bytes_and_prints_none_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        super::super::write_new(&path, b"hunter2").unwrap();
        let mapped = Mapped::of(&File::open(&path).unwrap()).unwrap();
        assert_eq!(mapped.as_ref(), b"hunter2");
        assert_eq!(format!("{mapped:?}"), "Mapped(7 bytes)");
    }

    /// Runs itself again as the process that dies, since the guard ends the process it is in.
    #[cfg(all(unix, feature = "cli"))]
    #[test]
    fn a_file_cut_short_under_its_map_ends_with_a_message_and_status_1() {
        const INNER: &str = "TFSTATE_TEST_TRUNCATE";
        let pairs = crate::base::env::Env::process();
        if let Some(path) = pairs.path(INNER) {
            install_sigbus_guard().unwrap();
            let file = File::options().read(true).write(true).open(path).unwrap();
            let mapped = Mapped::of(&file).unwrap();
            file.set_len(0).unwrap();
            panic!("read {} after the cut", mapped.as_ref()[0]);
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        super::super::write_new(&path, &vec![b'x'; 100_000]).unwrap();
        let name = "a_file_cut_short_under_its_map_ends_with_a_message_and_status_1";
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args([name, "--nocapture", "--test-threads=1"])
            .env(INNER, &path)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.ends_with(str::from_utf8(TRUNCATED).unwrap()), "{said}");
    }
}
