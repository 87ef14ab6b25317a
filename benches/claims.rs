//! The claims about speed and memory, as ratios measured side by side in one run.
//!
//! `cargo bench --bench claims [-- --size 100MB]` makes a state and a changed copy of it (or takes
//! the two files of `-- FROM TO`) and prints, for each claim, the figure and the bound. Runs
//! alternate, so that whatever else the machine does meets both sides; medians count. Nothing here
//! fails a build: machines differ. Terraform is measured where it is on the PATH.

#![allow(missing_docs, reason = "a benchmark has no readers but its own")]
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark fails by panicking, prints, and rounds"
)]

mod measure;
mod peers;
mod states;

use std::fs;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use measure::{median, paired, ratio, report};
use tfstate::base::env::Env;
use tfstate::base::fs::Mapped;
use tfstate::diff;
use tfstate::state::bytes::Bytes;
use tfstate::state::document::Document;

const TFSTATE: &str = env!("CARGO_BIN_EXE_tfstate");
const RUNS: usize = 7;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = match args.as_slice() {
        [flag, size] if flag == "--size" => make(folder.path(), size),
        [from, to] => (PathBuf::from(from), PathBuf::from(to)),
        _ => make(folder.path(), "100MB"),
    };
    let bytes = fs::metadata(&from).unwrap().len();
    println!("states of {:.1} MB, medians of {RUNS} alternating runs", bytes as f64 / 1e6);
    println!("{:<58} {:>9} {:>9}", "claim", "measured", "bound");
    list_against_terraform(&from);
    opening_against_serde_json(&from);
    diff_against_opening(&from, &to);
    diff_of_equal_files(&from, folder.path());
    first_screen_against_opening(&from);
    version_against_nothing(folder.path());
    memory_of_list(&from, bytes);
    peers::print(&from, &to);
}

fn make(folder: &Path, size: &str) -> (PathBuf, PathBuf) {
    let bytes = usize::try_from(tfstate::base::size::parse(size).unwrap()).unwrap();
    let write = |name: &str, change_every| {
        let path = folder.join(name);
        let mut out =
            BufWriter::new(fs::File::options().write(true).create_new(true).open(&path).unwrap());
        states::write(&mut out, bytes, change_every).unwrap();
        path
    };
    (write("from.tfstate", 0), write("to.tfstate", 100))
}

fn quietly(program: &str, args: &[&str], folder: &Path) {
    let mut command = Command::new(program);
    command.args(args).current_dir(folder).stdin(Stdio::null());
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert!(status.success(), "{program} {args:?}");
}

fn list_against_terraform(state: &Path) {
    let claim = "terraform state list / tfstate list (wall)";
    let empty = tempfile::tempdir().unwrap();
    let text = state.to_str().unwrap();
    let has_terraform = Env::process().get("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|dir| dir.join("terraform").is_file())
    });
    if !has_terraform {
        println!("{claim:<58} {:>9}", "no terraform");
        return;
    }
    let option = format!("-state={text}");
    let (theirs, ours) = paired(
        || quietly("terraform", &["state", "list", &option], empty.path()),
        || quietly(TFSTATE, &["list", text], empty.path()),
        3,
    );
    report(claim, ratio(theirs, ours), ">= 25");
}

fn map(state: &Path) -> Bytes {
    Bytes::new(Mapped::of(&fs::File::open(state).unwrap()).unwrap())
}

fn opening_against_serde_json(state: &Path) {
    let bytes = map(state);
    let (open, check) = paired(
        || drop(Document::parse(bytes.clone()).unwrap()),
        || assert!(serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_ok()),
        RUNS,
    );
    report("opening / serde_json's grammar check of the same bytes", ratio(open, check), "<= 1.4");
}

fn diff_against_opening(from: &Path, to: &Path) {
    let open = || (Document::parse(map(from)).unwrap(), Document::parse(map(to)).unwrap());
    let options = diff::Options::default();
    let (both, diffed) = paired(
        || drop(open()),
        || {
            let from = Document::parse(map(from)).unwrap();
            let to = Document::parse_beside(map(to), &from).unwrap();
            drop(diff::compare(&from, &to, &options));
        },
        RUNS,
    );
    report("diff of two / opening both", ratio(diffed, both), "<= 1.2");
    let empty = tempfile::tempdir().unwrap();
    let (from, to) = (from.to_str().unwrap(), to.to_str().unwrap());
    let (command, opening) =
        paired(|| quietly(TFSTATE, &["diff", from, to], empty.path()), || drop(open()), RUNS);
    report("the command `tfstate diff` / opening both", ratio(command, opening), "<= 1.2");
}

/// Compares with `cmp`, and with comparing the bytes of both files in memory, once mapped.
fn diff_of_equal_files(state: &Path, folder: &Path) {
    let copy = folder.join("copy.tfstate");
    fs::copy(state, &copy).unwrap();
    let (from, to) = (state.to_str().unwrap(), copy.to_str().unwrap());
    let diff = || quietly(TFSTATE, &["diff", from, to], folder);
    let (command, bytes) = paired(diff, || assert!(*map(state) == *map(&copy)), RUNS);
    report("diff of equal files / comparing their mapped bytes", ratio(command, bytes), "<= 1.0");
    let (command, cmp) = paired(diff, || quietly("cmp", &[from, to], folder), RUNS);
    report("diff of equal files / cmp", ratio(command, cmp), "<= 1.0");
}

fn first_screen_against_opening(state: &Path) {
    #[cfg(unix)]
    {
        let claim = "inspect to its first full screen / opening (read)";
        let text = state.to_str().unwrap();
        let (screen, open) = paired(
            || screen::first_full(TFSTATE, text),
            || drop(Document::parse(fs::read(state).unwrap()).unwrap()),
            RUNS,
        );
        report(claim, ratio(screen, open), "<= 1.3");
    }
    #[cfg(not(unix))]
    let _ = state;
}

#[cfg(unix)]
mod screen {
    use std::io::Read;

    use portable_pty::{CommandBuilder, PtySize, native_pty_system};

    /// Starts the browser in a terminal of its own and returns once rows are on its screen.
    pub(crate) fn first_full(program: &str, state: &str) {
        let size = PtySize { rows: 45, cols: 160, pixel_width: 0, pixel_height: 0 };
        let pty = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(["inspect", state]);
        command.env("TERM", "xterm-256color");
        let mut child = pty.slave.spawn_command(command).unwrap();
        drop(pty.slave);
        let mut output = pty.master.try_clone_reader().unwrap();
        let (mut seen, mut buffer) = (Vec::new(), vec![0; 65536]);
        // The counts in the header appear with the rows.
        while !memchr::memmem::find(&seen, b"instances").is_some_and(|_| contains_row(&seen)) {
            let count = output.read(&mut buffer).unwrap();
            assert!(count > 0, "the browser ended before it drew a row");
            seen.extend_from_slice(&buffer[..count]);
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }

    fn contains_row(screen: &[u8]) -> bool {
        memchr::memmem::find(screen, b"module.").is_some()
            || memchr::memmem::find(screen, b"aws_").is_some()
    }
}

/// Compares processor time, which includes starting the process, over many starts.
fn version_against_nothing(folder: &Path) {
    let claim = "--version / a minimal Rust program (processor time)";
    let (source, program) = (folder.join("nothing.rs"), folder.join("nothing"));
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/nothing.rs"), &source).unwrap();
    let built = Command::new("rustc").arg("-O").arg(&source).arg("-o").arg(&program).status();
    if !built.is_ok_and(|status| status.success()) {
        println!("{claim:<58} {:>9}", "no rustc");
        return;
    }
    let program = program.to_str().unwrap().to_owned();
    let measure = |program: &str, args: &[&str]| {
        let before = children_time();
        for _ in 0..100 {
            quietly(program, args, folder);
        }
        children_time().checked_sub(before).unwrap()
    };
    let (mut ours, mut nothing) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        ours.push(measure(TFSTATE, &["--version"]));
        nothing.push(measure(&program, &[]));
    }
    report(claim, ratio(median(ours), median(nothing)), "<= 1.5");
}

/// Returns the processor time of all children that have ended.
fn children_time() -> Duration {
    // Fields 16 and 17 of proc(5)'s stat, in ticks, are too coarse for one start; over a hundred
    // starts they are not. schedstat has no sum over children.
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    let ticks: u64 =
        after_name.split(' ').skip(13).take(2).filter_map(|t| t.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

fn memory_of_list(state: &Path, bytes: u64) {
    let claim = "peak memory of list beyond the file's pages, in MB";
    match peers::peak(&[TFSTATE, "list", state.to_str().unwrap()]) {
        Some(peak) => report(claim, (peak - bytes as f64) / 1e6, "<= 40"),
        None => println!("{claim:<58} {:>9}", "no python3"),
    }
}
