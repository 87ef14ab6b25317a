//! No room, no permission, no cache.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use crate::place::{files, skipped, state};
use crate::program::{BINARY, Program, text};

/// Runs the backup where no file may be longer than so many blocks of 512 bytes.
fn within(program: &Program, blocks: usize) -> Output {
    let mut command = program.command("sh");
    // Without the trap the process would be killed, which is another test.
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
    let words = ["backup", "prod.tfstate", "--repo", "repo", "--recipient", program.recipient()];
    command.args(["-c", &script, "sh", BINARY]).args(words).output().unwrap()
}

#[test]
fn a_backup_that_finds_no_room_says_so_and_loses_nothing() {
    let program = Program::new();
    program.write(&state(300, 0));
    program.back_up(&[]);
    // What can't be compressed to less than a few blocks.
    program.write(&state(2000, 1));
    let mut failures = 0;
    for blocks in [0, 1, 2, 8, 32] {
        let output = within(&program, blocks);
        if !output.status.success() {
            failures += 1;
            assert_eq!(output.status.code(), Some(1), "{}", text(&output));
            assert!(text(&output).contains("cannot write"), "{}", text(&output));
        }
        let states = program.restore_all();
        assert!(states.contains(&state(300, 0)));
    }
    assert!(failures >= 4, "{failures} runs found no room");
    program.back_up(&["--force"]);
    assert!(program.restore_all().last() == Some(&state(2000, 1)));
    let leftover = |path: &Path| path.extension().is_some_and(|extension| extension == "tmp");
    let left: Vec<_> =
        files(&program.path("repo")).into_iter().filter(|path| leftover(path)).collect();
    assert!(left.is_empty(), "nothing is left over: {left:?}");
}

#[test]
fn a_first_backup_that_finds_no_room_leaves_no_half_repository() {
    for blocks in [0, 1, 2] {
        let program = Program::new();
        program.write(&state(2000, 0));
        let output = within(&program, blocks);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output));
        program.back_up(&[]);
        assert_eq!(program.restore_all(), [state(2000, 0)]);
    }
}

/// A small file system in memory, as far as one may be made.
struct Disk<'a>(&'a Path);

impl<'a> Disk<'a> {
    fn mount(at: &'a Path, options: &str) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(at)
            .output()
            .is_ok_and(|output| output.status.success());
        mounted.then_some(Self(at))
    }

    fn remount(&self, options: &str) {
        let status = Command::new("mount")
            .args(["-o", &format!("remount,{options}")])
            .arg(self.0)
            .status()
            .unwrap();
        assert!(status.success());
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        // Nothing is to be done about one that stays, and it goes with the machine.
        drop(Command::new("umount").arg(self.0).status());
    }
}

#[test]
fn a_disk_that_is_full_or_becomes_read_only_loses_nothing() {
    let program = Program::new();
    let folder = program.path("repo");
    let Some(disk) = Disk::mount(&folder, "size=256k") else {
        return skipped("a full disk and a read-only one: no file system can be mounted here");
    };
    let mut failed = None;
    for n in 0..40 {
        program.write(&state(600, n));
        let output = program.backup(&["--strategy", "full"]).output().unwrap();
        if !output.status.success() {
            assert!(text(&output).contains("cannot write"), "{}", text(&output));
            failed = Some(n);
            break;
        }
    }
    let failed = failed.expect("256 KiB are full in the end");
    let states = program.restore_all();
    assert!(states == (0..failed).map(|n| state(600, n)).collect::<Vec<_>>());
    disk.remount("ro,size=256k");
    let output = program.backup(&[]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(program.restore_all() == states);
    disk.remount("rw,size=1m");
    program.back_up(&[]);
    assert!(program.restore_all().last() == Some(&state(600, failed)));
}

#[test]
fn a_repository_in_whose_place_a_file_stands_is_refused() {
    let program = Program::new();
    program.write(&state(5, 0));
    tfstate::base::fs::write_new(&program.path("repo"), b"").unwrap();
    let output = program.backup(&[]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(!text(&output).contains("panicked"), "{}", text(&output));
}

#[test]
fn a_cache_that_cannot_be_read_or_written_costs_full_snapshots_and_nothing_else() {
    let program = Program::new();
    program.write(&state(900, 0));
    program.back_up(&[]);
    let cache = program.path("home/.cache/tfstate");
    assert!(!files(&cache).is_empty(), "there is a cache");
    std::fs::remove_dir_all(&cache).unwrap();
    // Where folders belong stands a file: that holds for root too.
    tfstate::base::fs::write_new(&cache, b"no cache").unwrap();
    for n in 1..3 {
        program.write(&state(900, n));
        let said = text(&program.back_up(&[]));
        assert!(said.contains("full"), "{said}");
    }
    std::fs::remove_file(&cache).unwrap();
    program.write(&state(900, 3));
    program.back_up(&[]);
    for path in files(&cache) {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    }
    program.write(&state(900, 4));
    program.back_up(&[]);
    let states = program.restore_all();
    assert!(states == (0..5).map(|n| state(900, n)).collect::<Vec<_>>());
}
