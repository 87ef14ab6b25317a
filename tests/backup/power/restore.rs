//! A power cut while a state is replaced by an earlier one.

use std::collections::BTreeSet;
use std::path::Path;

use super::disk::Disk;
use super::{hash, is_there, put, trace};
use crate::place::{Chance, restorable};
use crate::program::{BINARY, Program};

const TARGET: &str = "prod.tfstate";
const COPY: &str = ".prod.tfstate.unfinished";

#[test]
fn after_a_power_cut_in_a_restore_there_is_the_old_state_the_new_one_or_a_whole_copy() {
    if !is_there() {
        return;
    }
    let program = Program::in_memory();
    program.write(&restorable(300, 1));
    program.back_up(&[]);
    let id = program.repository().list().unwrap()[0].id.clone();
    let old = restorable(200, 2);
    program.write(&old);
    let mut disk = Disk::of(&program.path(""));
    let begin = disk.len();
    let mut command = program.command(BINARY);
    let words = ["restore", &id, "--to", TARGET, "--yes", "--identity", "key.txt"];
    command.args(words).args(["--repo", "repo"]);
    disk.run(&trace::traced(&command, &program.path("trace")));
    let new = std::fs::read(program.path(TARGET)).unwrap();
    assert!(new != old, "it was restored");
    let (mut chance, mut seen, mut kinds) = (Chance(1), BTreeSet::new(), BTreeSet::new());
    for after in begin..=disk.len() {
        for tree in disk.crashes(after, &mut chance) {
            if !seen.insert(hash(&tree)) {
                continue;
            }
            let bytes =
                |name: &str| tree.get(Path::new(name)).cloned().flatten().unwrap_or_default();
            let left = bytes(TARGET);
            let is_marked = left.starts_with(b"tfstate was interrupted") && bytes(COPY) == new;
            assert!(left == old || left == new || is_marked, "event {after}: {} bytes", left.len());
            kinds.insert((left == old, left == new));
            assert!(after < disk.len() || left == new, "what was reported is there");
            put(&program, &tree);
            // Before anything was replaced, it was kept.
            let is_kept = || program.restore_all().contains(&old);
            assert!(left == old || is_kept(), "event {after}: the old state is gone");
        }
    }
    assert_eq!(kinds.len(), 3, "the power failed before, after and in between");
}
