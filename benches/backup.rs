//! The claims about backups: what is stored, what it takes, and what it takes to get back, beside
//! other programs on the same versions of the same state in the same run.
//!
//! `cargo bench --bench backup [-- --size 100MB --versions 50 --only series|restore|many
//! --peers restic,borg,rustic --states 3000]` prints, for each claim, the figure and the bound.
//! `--no-peers` leaves the other programs away; one that is not installed is said to be missing.
//! All programs take turns on every version, and what is compared is what the same processors did
//! within the same minute. Nothing here fails a build: machines differ.

#![recursion_limit = "256"]
#![allow(missing_docs, reason = "a benchmark has no readers but its own")]
#![allow(dead_code, reason = "the server is that of the tests, who ask more of it")]
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a benchmark fails by panicking, prints, and rounds"
)]

mod bucket;
mod keepers;
mod many;
mod measure;
mod peers;
#[path = "../tests/stores/s3_server/mod.rs"]
mod s3_server;
mod series;

use std::fs;
use std::io::Write;
use std::path::Path;

use keepers::{FILE, Keeper, Program};
use measure::report;
use peers::Cost;
use series::Series;

const TFSTATE: &str = env!("CARGO_BIN_EXE_tfstate");
const STRATEGIES: [&str; 3] = ["incremental", "differential", "auto"];
/// Each restore is repeated this often; the median counts.
const RESTORES: usize = 3;

struct Options {
    bytes: usize,
    versions: usize,
    only: Option<String>,
    peers: String,
    states: usize,
}

impl Options {
    fn parse(mut args: impl Iterator<Item = String>) -> Self {
        let mut options = Self {
            bytes: 10_000_000,
            versions: 50,
            only: None,
            peers: "restic,borg,rustic".to_owned(),
            states: 3000,
        };
        while let Some(flag) = args.next() {
            if flag == "--no-peers" {
                options.peers.clear();
                continue;
            }
            let value = args.next().unwrap_or_else(|| panic!("{flag} wants a value"));
            match flag.as_str() {
                "--size" => {
                    options.bytes =
                        usize::try_from(tfstate::base::size::parse(&value).unwrap()).unwrap();
                }
                "--versions" => options.versions = value.parse().unwrap(),
                "--only" => options.only = Some(value),
                "--peers" => options.peers = value,
                // These are the bucket's.
                "--endpoint" | "--bucket" => {}
                "--states" => options.states = value.parse().unwrap(),
                _ => panic!("there is no option {flag}"),
            }
        }
        assert!(options.versions > 1, "a series has two versions at least");
        options
    }

    fn wants(&self, part: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only == part)
    }

    fn programs(&self) -> Vec<Program> {
        let ours = STRATEGIES.into_iter().map(Program::Tfstate);
        let peers = self.peers.split(',').filter(|name| !name.is_empty()).map(|name| match name {
            "restic" => Program::Restic,
            "borg" => Program::Borg,
            "rustic" => Program::Rustic,
            _ => panic!("{name} is not known here"),
        });
        ours.chain(peers).collect()
    }
}

fn main() {
    let options = Options::parse(std::env::args().skip(1).filter(|arg| arg != "--bench"));
    if !peers::is_installed("python3") {
        println!("nothing was measured: there is no python3");
        return;
    }
    if options.wants("series") || options.wants("restore") {
        let folder = tempfile::tempdir().unwrap();
        let mut run = Run::prepare(&options, folder.path());
        run.keep_all(&options);
        if options.wants("series") {
            run.print_series();
        }
        if options.wants("restore") {
            run.print_restores();
        }
    }
    if options.wants("many") {
        println!("\n{:<58} {:>9} {:>9}", "claim", "measured", "bound");
        many::run(options.states);
    }
}

/// How many repositories restic has. Where it cuts depends on a number that is random for each, by
/// which it stores half as much or twice, and takes more or less time: their mean is what counts.
const OF_RESTIC: usize = 5;

/// What a program took for each version.
struct Kept {
    keeper: Keeper,
    /// Further repositories of the same program.
    others: Vec<Keeper>,
    costs: Vec<Cost>,
    stored: Vec<f64>,
}

/// Every program on every version.
struct Run {
    folder: std::path::PathBuf,
    kept: Vec<Kept>,
    /// Of the versions that are restored.
    hashes: Vec<(usize, blake3::Hash)>,
    /// The mean size of a version.
    bytes: f64,
    /// The most memory of backups of next to nothing: the program, and what any run needs.
    floor: f64,
}

impl Run {
    fn prepare(options: &Options, folder: &Path) -> Self {
        let states = folder.join("states");
        fs::create_dir(&states).unwrap();
        let mut kept = Vec::new();
        for program in options.programs() {
            let Some(keeper) = Keeper::new(program, folder, &states) else {
                println!("{} is not installed", program.name());
                continue;
            };
            let is_one_of_many = program == Program::Restic && options.wants("series");
            let others = if is_one_of_many { 1..OF_RESTIC } else { 1..1 };
            let others = others.filter_map(|number| {
                let folder = folder.join(format!("restic-{number}"));
                fs::create_dir(&folder).unwrap();
                Keeper::new(program, &folder, &states)
            });
            let (others, costs, stored) = (others.collect(), Vec::new(), Vec::new());
            kept.push(Kept { keeper, others, costs, stored });
        }
        let floor = peak_of_nothing(folder, options.versions);
        Self { folder: folder.to_owned(), kept, hashes: Vec::new(), bytes: 0.0, floor }
    }

    fn keep_all(&mut self, options: &Options) {
        let mut series = Series::new(options.bytes, 1);
        let last = options.versions - 1;
        let (mut total, mut touched) = (0, 0);
        for version in 0..options.versions {
            if version > 0 {
                touched += series.advance();
            }
            let state = series.bytes();
            overwrite(&self.folder.join("states").join(FILE), &state);
            total += state.len();
            if [0, last / 2, last].contains(&version) {
                self.hashes.push((version, blake3::hash(&state)));
            }
            // Whoever comes first finds the file less warm: it is somebody else each time.
            let count = self.kept.len();
            for i in 0..count {
                self.kept[(version + i) % count].keep();
            }
        }
        self.bytes = total as f64 / options.versions as f64;
        println!(
            "{} versions of a state of {:.1} MB with {} resources, of which {:.1} change each time",
            options.versions,
            self.bytes / 1e6,
            series.resources(),
            touched as f64 / last as f64
        );
    }

    fn of(&self, program: Program) -> Option<&Kept> {
        self.kept.iter().find(|kept| kept.keeper.program == program)
    }

    fn ours(&self, strategy: &'static str) -> &Kept {
        self.of(Program::Tfstate(strategy)).expect("it is always among the programs")
    }

    fn print_series(&self) {
        self.print_table();
        println!("\n{:<58} {:>9} {:>9}", "claim", "measured", "bound");
        let (incremental, differential) = (self.ours("incremental"), self.ours("differential"));
        for program in [Program::Restic, Program::Borg, Program::Rustic] {
            let Some(peer) = self.of(program) else { continue };
            let name = program.name();
            let first = format!("bytes of a full / of {name}'s first");
            report(&first, incremental.stored[0] / peer.stored[0], "<= 1.0");
        }
        if let Some(restic) = self.of(Program::Restic) {
            report(
                "bytes of restic's later snapshots / of incrementals (mean)",
                restic.later_bytes() / incremental.later_bytes(),
                self.bound([">= 250", ">= 100"]),
            );
            for ours in [incremental, differential] {
                report(
                    &format!("processor time of {} / restic's", ours.keeper.program.name()),
                    ours.processor() / restic.processor(),
                    "<= 0.5",
                );
            }
            report(
                "processor time of a full / restic's first",
                incremental.costs[0].processor / restic.costs[0].processor,
                "<= 0.5",
            );
        } else {
            println!("{:<58} {:>9}", "against restic", "no restic");
        }
        report(
            "bytes of a differential / of a full (mean)",
            differential.later_bytes() / differential.stored[0],
            self.bound(["<= 0.07", "<= 0.07"]),
        );
        for strategy in STRATEGIES {
            let claim = format!("peak memory of {strategy} beyond a tiny state's / state");
            report(&claim, (self.ours(strategy).peak() - self.floor) / self.bytes, "<= 1.3");
        }
    }

    /// Returns the bound for states of 100 MB, of 10 MB, or none where the state is smaller.
    fn bound(&self, of: [&'static str; 2]) -> &'static str {
        let [large, small] = of;
        match self.bytes {
            bytes if bytes > 9e7 => large,
            bytes if bytes > 9e6 => small,
            _ => "none",
        }
    }

    fn print_table(&self) {
        println!();
        println!(
            "{:<24} {:>11} {:>11} {:>9} {:>9} {:>9} {:>9}",
            "program", "first KB", "later KB", "cpu s", "first cpu", "wall s", "peak MB"
        );
        for kept in &self.kept {
            println!(
                "{:<24} {:>11.1} {:>11.2} {:>9.3} {:>9.3} {:>9.3} {:>9.0}",
                kept.keeper.program.name(),
                kept.stored[0] / 1e3,
                kept.later_bytes() / 1e3,
                kept.processor(),
                kept.costs[0].processor,
                median(kept.costs[1..].iter().map(|cost| cost.seconds)),
                kept.peak() / 1e6
            );
        }
        let strategies = self.ours("auto").keeper.strategies();
        let of = |kind: &str| strategies.iter().filter(|&strategy| strategy == kind).count();
        let counts = ["full", "incremental", "differential"].map(|kind| (kind, of(kind)));
        println!("auto made {counts:?}");
    }

    fn print_restores(&self) {
        println!(
            "\n{:<24} {:>9} {:>9} {:>9} {:>9}",
            "restore", "version", "wall s", "cpu s", "peak MB"
        );
        let mut slowest = Vec::new();
        for kept in &self.kept {
            let restored = self.hashes.iter().map(|(version, hash)| {
                let costs: Vec<Cost> =
                    (0..RESTORES).map(|_| self.restore(&kept.keeper, *version, hash)).collect();
                let seconds = median(costs.iter().map(|cost| cost.seconds));
                println!(
                    "{:<24} {version:>9} {seconds:>9.3} {:>9.3} {:>9.0}",
                    kept.keeper.program.name(),
                    median(costs.iter().map(|cost| cost.processor)),
                    costs.iter().map(|cost| cost.peak).fold(0.0, f64::max) / 1e6
                );
                seconds
            });
            slowest.push((kept.keeper.program, restored.fold(0.0, f64::max)));
        }
        println!("\n{:<58} {:>9} {:>9}", "claim", "measured", "bound");
        let of = |program| slowest.iter().find(|(found, _)| *found == program).map(|(_, s)| *s);
        let claim = "slowest restore of auto / of restic (wall)";
        match (of(Program::Tfstate("auto")), of(Program::Restic)) {
            (Some(ours), Some(restic)) => report(claim, ours / restic, "<= 1.0"),
            _ => println!("{claim:<58} {:>9}", "no restic"),
        }
    }

    fn restore(&self, keeper: &Keeper, version: usize, expected: &blake3::Hash) -> Cost {
        let folder = tempfile::tempdir_in(&self.folder).unwrap();
        let cost = keeper.restore(version, folder.path());
        let state = fs::read(folder.path().join(FILE)).unwrap();
        assert_eq!(blake3::hash(&state), *expected, "{version} of {:?}", keeper.program);
        cost
    }
}

/// Returns the most memory that one of so many backups of a state of no resources takes: how many
/// pages of the program are in memory differs by 1 MB from run to run, and the most of many runs is
/// what it is held against.
fn peak_of_nothing(folder: &Path, runs: usize) -> f64 {
    let states = folder.join("nothing");
    fs::create_dir(&states).unwrap();
    let mut keeper = Keeper::new(Program::Tfstate("full"), &states, &states).unwrap();
    let peaks = (0..runs).map(|serial| {
        let nothing = format!(
            r#"{{"version": 4, "terraform_version": "1.11.4", "serial": {serial}, "lineage": "a", "outputs": {{}}, "resources": []}}"#
        );
        overwrite(&states.join(FILE), nothing.as_bytes());
        keeper.back_up().0.peak
    });
    peaks.fold(0.0, f64::max)
}

impl Kept {
    fn keep(&mut self) {
        let of_each: Vec<(Cost, f64)> = std::iter::once(&mut self.keeper)
            .chain(&mut self.others)
            .map(Keeper::back_up)
            .collect();
        let (costs, stored): (Vec<Cost>, Vec<f64>) = of_each.into_iter().unzip();
        self.stored.push(stored.iter().sum::<f64>() / stored.len() as f64);
        self.costs.push(mean(&costs));
    }

    /// Returns the mean of what was stored after the first version.
    fn later_bytes(&self) -> f64 {
        self.stored[1..].iter().sum::<f64>() / (self.stored.len() - 1) as f64
    }

    fn processor(&self) -> f64 {
        median(self.costs[1..].iter().map(|cost| cost.processor))
    }

    fn peak(&self) -> f64 {
        self.costs.iter().map(|cost| cost.peak).fold(0.0, f64::max)
    }
}

/// Returns the mean of several costs, and their highest peak.
fn mean(costs: &[Cost]) -> Cost {
    let mean = |of: fn(&Cost) -> f64| costs.iter().map(of).sum::<f64>() / costs.len() as f64;
    let peak = costs.iter().map(|cost| cost.peak).fold(0.0, f64::max);
    let (seconds, processor) = (mean(|cost| cost.seconds), mean(|cost| cost.processor));
    Cost { seconds, processor, peak, output: mean(|cost| cost.output) }
}

/// Writes a file in place, as Terraform does.
fn overwrite(path: &Path, bytes: &[u8]) {
    let file = fs::File::options().write(true).create(true).truncate(true).open(path);
    file.unwrap().write_all(bytes).unwrap();
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
