//! The difference of the same two states by other programs, side by side.

use std::path::Path;
use std::process::{Command, Stdio};

/// Runs a command, adds up what it prints, and tells its time, its peak memory and its output.
const SCRIPT: &str = "\
import os, subprocess, sys, time
start = time.monotonic()
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
size = 0
while block := os.read(child.stdout.fileno(), 1 << 20):
    size += len(block)
_, status, usage = os.wait4(child.pid, 0)
print(time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, size, status)
";

/// After this long a program is stopped: some need minutes for what takes others a second.
const PATIENCE: &str = "120";

/// What a run took.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) seconds: f64,
    /// Of the user and the system, in seconds.
    pub(crate) processor: f64,
    /// The most memory at any time, in bytes; pages of mapped files count.
    pub(crate) peak: f64,
    pub(crate) output: f64,
}

fn cost(command: &[&str]) -> Option<Cost> {
    cost_and_status(command, &[], Path::new(".")).map(|(cost, _)| cost)
}

/// Runs a command with these variables in a folder, and returns what it took and its status as of
/// wait(2); nothing without Python.
pub(crate) fn cost_and_status(
    command: &[&str],
    variables: &[(&str, String)],
    folder: &Path,
) -> Option<(Cost, f64)> {
    let mut python = Command::new("python3");
    python.args(["-c", SCRIPT]).args(command).stdin(Stdio::null());
    python.envs(variables.iter().map(|(name, value)| (name, value))).current_dir(folder);
    let printed = String::from_utf8(python.output().ok()?.stdout).ok()?;
    let numbers: Vec<f64> = printed.split_whitespace().filter_map(|it| it.parse().ok()).collect();
    let [seconds, processor, peak, output, status] = numbers[..] else { return None };
    Some((Cost { seconds, processor, peak, output }, status))
}

/// Returns the most memory that a command had at any time, in bytes; nothing without Python.
pub(crate) fn peak(command: &[&str]) -> Option<f64> {
    cost(command).map(|cost| cost.peak)
}

pub(crate) fn is_installed(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
    found.is_ok_and(|found| found.status.success())
}

/// Prints a line for each program.
pub(crate) fn print(from: &Path, to: &Path) {
    let (from, to) = (from.to_str().unwrap(), to.to_str().unwrap());
    let programs: [(&str, &[&str]); 5] = [
        ("tfstate diff", &[super::TFSTATE, "diff", from, to]),
        ("diff -u", &["diff", "-u", from, to]),
        ("git diff --no-index", &["git", "diff", "--no-index", from, to]),
        ("jd -set", &["jd", "-set", from, to]),
        ("jd", &["jd", from, to]),
    ];
    println!();
    println!(
        "{:<24} {:>9} {:>9} {:>9} {:>11}",
        "the same two states by", "wall s", "cpu s", "peak MB", "output KB"
    );
    for (name, command) in programs {
        if !is_installed(command[0]) {
            println!("{name:<24} {:>9}", "is not installed");
            continue;
        }
        // Of `timeout` and what it starts the peak is that of the larger one.
        match cost(&[&["timeout", PATIENCE], command].concat()) {
            Some(cost) if cost.seconds < 119.0 => println!(
                "{name:<24} {:>9.2} {:>9.2} {:>9.0} {:>11.1}",
                cost.seconds,
                cost.processor,
                cost.peak / 1e6,
                cost.output / 1e3
            ),
            Some(_) => println!("{name:<24} {:>9}", "was stopped after 120 s"),
            None => println!("{name:<24} {:>9}", "no python3"),
        }
    }
}
