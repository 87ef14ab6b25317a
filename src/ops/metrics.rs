//! What a run of backups did, as a file of metrics that Prometheus' node exporter reads.
//!
//! A state whose backup failed has no new time of success. So that its age can be watched, the
//! last one is taken over from the file that is there. While anything fails, so are the states
//! that this run did not see: a place that can't be listed names none of its states.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::io;
use std::path::Path;

use jiff::Timestamp;

use crate::base::fs;

/// A run of backups.
#[derive(Clone, Debug)]
pub struct Run {
    /// What became of each state.
    pub states: Vec<StateRun>,
    /// When the run ended.
    pub finished: Timestamp,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// The status that the program exits with.
    pub exit: u8,
    /// What earlier runs knew of the states; [`write()`] takes it from the file.
    pub earlier: BTreeMap<String, Remembered>,
}

/// What became of one state.
#[derive(Clone, Debug)]
pub struct StateRun {
    /// What the state is called. Holds no credential.
    pub name: String,
    /// How it ended.
    pub status: Status,
    /// How the snapshot that holds the state is stored, such as `full`.
    pub kind: Option<&'static str>,
    /// Length of the state.
    pub bytes_state: Option<u64>,
    /// Length of the snapshot that holds it.
    pub bytes_stored: Option<u64>,
    /// How many snapshots that one builds on.
    pub depth: Option<u32>,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Whether the state could be parsed, where it was read.
    pub readable: Option<bool>,
    /// When the newest snapshot of it was made, where this run could not back it up.
    pub held: Option<Timestamp>,
}

impl StateRun {
    /// Returns what there is to say of a state that was not backed up.
    pub fn failed(name: &str, held: Option<Timestamp>) -> Self {
        Self {
            name: name.to_owned(),
            status: Status::Failed,
            kind: None,
            bytes_state: None,
            bytes_stored: None,
            depth: None,
            seconds: 0.0,
            readable: None,
            held,
        }
    }
}

/// How the backup of a state ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Status {
    /// There is a new snapshot.
    New,
    /// The newest snapshot holds the state already.
    Unchanged,
    /// Nothing was to be done, as where there is no state yet.
    Skipped,
    /// There is no snapshot of what the state is now.
    Failed,
}

impl Status {
    const ALL: [Self; 4] = [Self::New, Self::Unchanged, Self::Skipped, Self::Failed];

    /// Returns its name in labels: `new`, `unchanged`, `skipped`, `failed`.
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Unchanged => "unchanged",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }

    /// Returns whether a snapshot holds the state as it is now.
    fn is_success(self) -> bool {
        matches!(self, Self::New | Self::Unchanged)
    }
}

/// What is remembered of a state from run to run; times are in seconds since 1970.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Remembered {
    /// When a snapshot last held the state as it was then.
    pub success: Option<i64>,
    /// When a backup was last tried.
    pub attempt: Option<i64>,
    /// 1 if it could be parsed when it was last read, and 0 if it could not.
    pub readable: Option<i64>,
    /// How long it was when it was last read.
    pub length: Option<i64>,
    /// How many snapshots the newest one builds on.
    pub depth: Option<i64>,
}

/// Picks one of the values of a state.
type Value = fn(&Remembered) -> Option<i64>;

const SUCCESS: &str = "tfstate_backup_last_success_timestamp_seconds";
const ATTEMPT: &str = "tfstate_backup_last_attempt_timestamp_seconds";
const READABLE: &str = "tfstate_backup_state_readable";
const LENGTH: &str = "tfstate_backup_state_bytes";
const DEPTH: &str = "tfstate_backup_chain_depth";

/// Puts the metrics of a run in the place of a file, which everybody may read: exporters run as
/// users of their own.
///
/// What is in the file and makes no sense is passed over.
pub fn write(path: &Path, run: &Run) -> io::Result<()> {
    let old = match std::fs::read(path) {
        Ok(old) => Some(old),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let mut run = run.clone();
    run.earlier = earlier(&String::from_utf8_lossy(old.as_deref().unwrap_or_default()));
    fs::replace(path, textfile(&run).as_bytes())?;
    if old.is_none() { share(path) } else { Ok(()) }
}

#[cfg(unix)]
fn share(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn share(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Returns the metrics of a run in the text format of Prometheus.
pub fn textfile(run: &Run) -> String {
    let states: BTreeMap<&str, &StateRun> =
        run.states.iter().map(|state| (state.name.as_str(), state)).collect();
    let known = known(run, &states);
    let mut out = Text::default();
    let values: [(_, _, Value); 5] = [
        (SUCCESS, "When a snapshot last held the state as it was.", |known| known.success),
        (ATTEMPT, "When a backup of the state was last tried.", |known| known.attempt),
        (READABLE, "1 if the state could be parsed when it was last read, else 0.", |known| {
            known.readable
        }),
        (LENGTH, "Length of the state when it was last read.", |known| known.length),
        (DEPTH, "How many snapshots the newest one builds on.", |known| known.depth),
    ];
    for (name, help, value) in values {
        out.family(name, help);
        for (state, known) in &known {
            out.sample(&[("state", state)], value(known));
        }
    }
    out.family("tfstate_backup_stored_bytes", "Length of the snapshot that holds the state.");
    for (name, state) in &states {
        out.sample(&[("state", name), ("kind", state.kind.unwrap_or("none"))], state.bytes_stored);
    }
    out.family("tfstate_backup_duration_seconds", "How long the backup of the state took.");
    for (name, state) in &states {
        out.sample(&[("state", name)], Some(Seconds(state.seconds)));
    }
    let help = "1 if the last run could not back the state up, else 0.";
    out.family("tfstate_backup_state_failed", help);
    for (name, state) in &states {
        out.sample(&[("state", name)], Some(u8::from(state.status == Status::Failed)));
    }
    totals(&mut out, run, &states);
    out.0
}

fn totals(out: &mut Text, run: &Run, states: &BTreeMap<&str, &StateRun>) {
    let count = |status| states.values().filter(|state| state.status == status).count();
    out.family("tfstate_backup_states_total", "States of the last run by how their backup ended.");
    for status in Status::ALL {
        out.sample(&[("status", status.name())], Some(count(status)));
    }
    out.family("tfstate_backup_failures", "States of the last run that could not be backed up.");
    out.sample(&[], Some(count(Status::Failed)));
    out.family("tfstate_backup_last_run_timestamp_seconds", "When the last run ended.");
    out.sample(&[], Some(run.finished.as_second()));
    out.family("tfstate_backup_last_run_duration_seconds", "How long the last run took.");
    out.sample(&[], Some(Seconds(run.seconds)));
    out.family("tfstate_backup_last_run_exit_status", "The exit status of the last run.");
    out.sample(&[], Some(run.exit));
}

/// Returns what is known by now of every state that is to be told of.
fn known<'a>(run: &'a Run, states: &BTreeMap<&'a str, &StateRun>) -> BTreeMap<&'a str, Remembered> {
    let is_failing = run.exit != 0 || states.values().any(|s| s.status == Status::Failed);
    let mut known = BTreeMap::new();
    if is_failing {
        known.extend(run.earlier.iter().map(|(name, &earlier)| (name.as_str(), earlier)));
    }
    let now = run.finished.as_second();
    for (&name, state) in states {
        let old = run.earlier.get(name).copied().unwrap_or_default();
        // Of an earlier run that wrote no metrics, the repository knows.
        let held = state.held.map(Timestamp::as_second).max(old.success);
        let success = if state.status.is_success() { Some(now) } else { held };
        let readable = state.readable.map(i64::from).or(old.readable);
        let length = state.bytes_state.and_then(|n| i64::try_from(n).ok()).or(old.length);
        let depth = state.depth.map(i64::from).or(old.depth);
        known.insert(name, Remembered { success, attempt: Some(now), readable, length, depth });
    }
    known
}

/// Reads what a file of metrics says of states; what is something else is passed over.
fn earlier(text: &str) -> BTreeMap<String, Remembered> {
    let mut known: BTreeMap<String, Remembered> = BTreeMap::new();
    for line in text.lines() {
        let Some((metric, rest)) = line.split_once("{state=\"") else { continue };
        let Some((state, rest)) = unquoted(rest) else { continue };
        let value = rest.strip_prefix('}').and_then(|value| value.trim().parse().ok());
        let Some(value) = value else { continue };
        let known = known.entry(state).or_default();
        match metric {
            SUCCESS => known.success = Some(value),
            ATTEMPT => known.attempt = Some(value),
            READABLE => known.readable = Some(value),
            LENGTH => known.length = Some(value),
            DEPTH => known.depth = Some(value),
            _ => {}
        }
    }
    known.retain(|_, known| *known != Remembered::default());
    known
}

/// Reads the rest of a label's value; returns it and what follows its quote.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    loop {
        match chars.next()? {
            (at, '"') => return Some((value, &text[at + 1..])),
            (_, '\\') => value.push(match chars.next()?.1 {
                'n' => '\n',
                other => other,
            }),
            (_, other) => value.push(other),
        }
    }
}

/// Text in the format of Prometheus; a family without samples is left out.
#[derive(Debug, Default)]
struct Text(String, Family);

#[derive(Debug, Default)]
struct Family {
    name: &'static str,
    help: &'static str,
    is_begun: bool,
}

impl Text {
    fn family(&mut self, name: &'static str, help: &'static str) {
        self.1 = Family { name, help, is_begun: false };
    }

    fn sample(&mut self, labels: &[(&str, &str)], value: Option<impl fmt::Display>) {
        let Some(value) = value else { return };
        let Self(out, Family { name, help, is_begun }) = self;
        if !*is_begun {
            *is_begun = true;
            let head = format_args!("# HELP {name} {help}\n# TYPE {name} gauge\n");
            out.write_fmt(head).expect("writing to a string cannot fail");
        }
        let labels: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", quoted(value))).collect();
        let labels =
            if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        writeln!(out, "{name}{labels} {value}").expect("writing to a string cannot fail");
    }
}

fn quoted(label: &str) -> String {
    // Prometheus takes a zero for the end of the file.
    let label = label.replace('\0', "\u{fffd}");
    label.replace('\\', r"\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// A length of time, to the millisecond.
struct Seconds(f64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: [&str; 6] =
        ["a\"} 1\nevil 2", r"c:\new\", "", "é{state=\"x\"}", "# HELP x", "a\\\"b\\n\r\tc"];

    fn state(name: &str, status: Status) -> StateRun {
        let is_held = status.is_success();
        StateRun {
            name: name.to_owned(),
            status,
            kind: is_held.then_some("full"),
            bytes_state: is_held.then_some(33_000),
            bytes_stored: is_held.then_some(5_000),
            depth: is_held.then_some(0),
            seconds: 0.25,
            readable: None,
            held: None,
        }
    }

    fn run(states: Vec<StateRun>, second: i64) -> Run {
        let finished = Timestamp::from_second(second).unwrap();
        let exit = if states.iter().any(|s| s.status == Status::Failed) { 3 } else { 0 };
        Run { states, finished, seconds: 1.5, exit, earlier: BTreeMap::new() }
    }

    /// Reads text as strictly as Prometheus does, and returns the samples.
    fn parse(text: &str) -> BTreeMap<(String, Vec<(String, String)>), f64> {
        let (mut samples, mut families, mut family) = (BTreeMap::new(), Vec::new(), String::new());
        assert!(text.ends_with('\n'));
        for line in text.strip_suffix('\n').unwrap().split('\n') {
            if let Some(head) = line.strip_prefix("# HELP ") {
                family = head.split(' ').next().unwrap().to_owned();
                assert!(!families.contains(&family), "{family} twice");
                families.push(family.clone());
                continue;
            }
            if let Some(kind) = line.strip_prefix("# TYPE ") {
                assert_eq!(kind, format!("{family} gauge"));
                continue;
            }
            let end = line.find(['{', ' ']).unwrap();
            assert_eq!(&line[..end], family, "a sample belongs to the family above it");
            assert!(family.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
            let (labels, value) = labels(&line[end..]);
            let value: f64 = value.strip_prefix(' ').unwrap().parse().unwrap();
            assert!(samples.insert((family.clone(), labels), value).is_none(), "{line} twice");
        }
        samples
    }

    fn labels(text: &str) -> (Vec<(String, String)>, &str) {
        let Some(mut rest) = text.strip_prefix('{') else { return (Vec::new(), text) };
        let mut labels = Vec::new();
        loop {
            let (name, value) = rest.split_once("=\"").unwrap();
            assert!(name.bytes().all(|b| b.is_ascii_lowercase()), "{name}");
            let mut text = String::new();
            let mut chars = value.char_indices();
            rest = loop {
                match chars.next().unwrap() {
                    (at, '"') => break &value[at + 1..],
                    (_, '\\') => text.push(match chars.next().unwrap().1 {
                        'n' => '\n',
                        c @ ('\\' | '"') => c,
                        other => panic!("\\{other} is no escape"),
                    }),
                    (_, c) => text.push(c),
                }
            };
            labels.push((name.to_owned(), text));
            match rest.split_at(1) {
                (",", more) => rest = more,
                ("}", end) => return (labels, end),
                other => panic!("{other:?} follows a label"),
            }
        }
    }

    fn value(text: &str, metric: &str, state: &str) -> Option<f64> {
        let label = vec![("state".to_owned(), state.to_owned())];
        parse(text).get(&(metric.to_owned(), label)).copied()
    }

    #[test]
    fn a_run_reads_as_it_should() {
        let states = vec![state("a.tfstate", Status::New), state("b.tfstate", Status::Failed)];
        insta::assert_snapshot!(textfile(&run(states, 1_785_579_300)), @r#"
        # HELP tfstate_backup_last_success_timestamp_seconds When a snapshot last held the state as it was.
        # TYPE tfstate_backup_last_success_timestamp_seconds gauge
        tfstate_backup_last_success_timestamp_seconds{state="a.tfstate"} 1785579300
        # HELP tfstate_backup_last_attempt_timestamp_seconds When a backup of the state was last tried.
        # TYPE tfstate_backup_last_attempt_timestamp_seconds gauge
        tfstate_backup_last_attempt_timestamp_seconds{state="a.tfstate"} 1785579300
        tfstate_backup_last_attempt_timestamp_seconds{state="b.tfstate"} 1785579300
        # HELP tfstate_backup_state_bytes Length of the state when it was last read.
        # TYPE tfstate_backup_state_bytes gauge
        tfstate_backup_state_bytes{state="a.tfstate"} 33000
        # HELP tfstate_backup_chain_depth How many snapshots the newest one builds on.
        # TYPE tfstate_backup_chain_depth gauge
        tfstate_backup_chain_depth{state="a.tfstate"} 0
        # HELP tfstate_backup_stored_bytes Length of the snapshot that holds the state.
        # TYPE tfstate_backup_stored_bytes gauge
        tfstate_backup_stored_bytes{state="a.tfstate",kind="full"} 5000
        # HELP tfstate_backup_duration_seconds How long the backup of the state took.
        # TYPE tfstate_backup_duration_seconds gauge
        tfstate_backup_duration_seconds{state="a.tfstate"} 0.250
        tfstate_backup_duration_seconds{state="b.tfstate"} 0.250
        # HELP tfstate_backup_state_failed 1 if the last run could not back the state up, else 0.
        # TYPE tfstate_backup_state_failed gauge
        tfstate_backup_state_failed{state="a.tfstate"} 0
        tfstate_backup_state_failed{state="b.tfstate"} 1
        # HELP tfstate_backup_states_total States of the last run by how their backup ended.
        # TYPE tfstate_backup_states_total gauge
        tfstate_backup_states_total{status="new"} 1
        tfstate_backup_states_total{status="unchanged"} 0
        tfstate_backup_states_total{status="skipped"} 0
        tfstate_backup_states_total{status="failed"} 1
        # HELP tfstate_backup_failures States of the last run that could not be backed up.
        # TYPE tfstate_backup_failures gauge
        tfstate_backup_failures 1
        # HELP tfstate_backup_last_run_timestamp_seconds When the last run ended.
        # TYPE tfstate_backup_last_run_timestamp_seconds gauge
        tfstate_backup_last_run_timestamp_seconds 1785579300
        # HELP tfstate_backup_last_run_duration_seconds How long the last run took.
        # TYPE tfstate_backup_last_run_duration_seconds gauge
        tfstate_backup_last_run_duration_seconds 1.500
        # HELP tfstate_backup_last_run_exit_status The exit status of the last run.
        # TYPE tfstate_backup_last_run_exit_status gauge
        tfstate_backup_last_run_exit_status 3
        "#);
    }

    #[test]
    fn hostile_names_come_back_as_they_were() {
        let states = HOSTILE.iter().map(|name| state(name, Status::New)).collect();
        let text = textfile(&run(states, 7));
        for name in HOSTILE {
            assert_eq!(value(&text, SUCCESS, name), Some(7.0), "{name:?}");
        }
        let read = earlier(&text);
        assert_eq!(read.len(), HOSTILE.len());
        assert!(HOSTILE.iter().all(|name| read[*name].success == Some(7)));
    }

    #[test]
    fn a_name_cannot_end_the_file() {
        let text = textfile(&run(vec![state("a\0b", Status::New)], 7));
        assert!(!text.contains('\0'));
    }

    #[test]
    fn a_state_that_is_named_twice_is_told_once() {
        let states = vec![state("a", Status::New), state("a", Status::Failed)];
        let text = textfile(&run(states, 7));
        assert_eq!(value(&text, SUCCESS, "a"), None);
        assert_eq!(value(&text, ATTEMPT, "a"), Some(7.0));
    }

    fn written(path: &Path, states: Vec<StateRun>, second: i64) -> String {
        write(path, &run(states, second)).unwrap();
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn a_failure_keeps_the_last_success_over_any_number_of_runs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tfstate.prom");
        written(&path, vec![state("a\n\"", Status::New)], 100);
        for second in [200, 300] {
            let text = written(&path, vec![state("a\n\"", Status::Failed)], second);
            assert_eq!(value(&text, SUCCESS, "a\n\""), Some(100.0));
        }
        let text = written(&path, vec![state("a\n\"", Status::Unchanged)], 400);
        assert_eq!(value(&text, SUCCESS, "a\n\""), Some(400.0));
    }

    #[test]
    fn of_a_failure_the_newest_snapshot_is_the_last_success_that_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tfstate.prom");
        let failed = |held| StateRun::failed("a", Some(Timestamp::from_second(held).unwrap()));
        for (held, success) in [(100, 100.0), (50, 100.0), (150, 150.0)] {
            let text = written(&path, vec![failed(held)], 200);
            assert_eq!(value(&text, SUCCESS, "a"), Some(success));
        }
    }

    #[test]
    fn states_that_were_not_seen_stay_while_something_fails_and_go_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tfstate.prom");
        written(&path, vec![state("s3://b/1", Status::New)], 100);
        let text = written(&path, vec![state("s3://b/**", Status::Failed)], 200);
        assert_eq!(value(&text, SUCCESS, "s3://b/1"), Some(100.0));
        assert_eq!(value(&text, ATTEMPT, "s3://b/1"), Some(100.0));
        let text = written(&path, vec![state("s3://b/2", Status::New)], 300);
        assert_eq!(value(&text, SUCCESS, "s3://b/1"), None);
    }

    #[test]
    fn that_a_state_is_broken_is_remembered_until_it_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tfstate.prom");
        let read = |readable| StateRun { readable: Some(readable), ..state("a", Status::New) };
        written(&path, vec![read(false)], 100);
        let text = written(&path, vec![state("a", Status::Unchanged)], 200);
        assert_eq!(value(&text, READABLE, "a"), Some(0.0));
        let text = written(&path, vec![read(true)], 300);
        assert_eq!(value(&text, READABLE, "a"), Some(1.0));
    }

    #[test]
    fn what_an_unchanged_state_was_when_it_was_read_is_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tfstate.prom");
        written(&path, vec![StateRun { depth: Some(7), ..state("a", Status::New) }], 100);
        let unread = StateRun { bytes_state: None, depth: None, ..state("a", Status::Unchanged) };
        for second in [200, 300] {
            let text = written(&path, vec![unread.clone()], second);
            assert_eq!(
                [LENGTH, DEPTH].map(|of| value(&text, of, "a")),
                [Some(33_000.0), Some(7.0)]
            );
        }
        let text = written(&path, vec![state("a", Status::New)], 400);
        assert_eq!(value(&text, DEPTH, "a"), Some(0.0));
    }

    #[test]
    fn a_file_that_makes_no_sense_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tfstate.prom");
        let odd = [
            "\u{0}{state=\"",
            "tfstate_backup_last_success_timestamp_seconds{state=\"a\" 1",
            "tfstate_backup_last_success_timestamp_seconds{state=\"a\"} soon",
            "tfstate_backup_last_success_timestamp_seconds{state=\"a\\",
            "tfstate_backup_last_success_timestamp_seconds{state=\"b\"}  5 ",
        ];
        fs::replace(&path, [odd.join("\n").as_bytes(), b"\xff"].concat().as_slice()).unwrap();
        let text = written(&path, vec![state("a", Status::Failed), state("b", Status::Failed)], 9);
        assert_eq!(value(&text, SUCCESS, "a"), None);
        assert_eq!(value(&text, SUCCESS, "b"), None, "the line ends in what is no number");
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_is_for_everybody_to_read_and_another_keeps_its_mode() {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tfstate.prom");
        written(&path, Vec::new(), 1);
        assert_eq!(mode(&path), 0o644);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        written(&path, Vec::new(), 2);
        assert_eq!(mode(&path), 0o640);
    }
}
