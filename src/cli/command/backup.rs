//! `tfstate backup`.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::backup::{Keys, Kind, LEVEL, OWN_TAGS, Protection, Strategy, Whole};
use crate::base::clock::{Clock, System};
use crate::base::size;
use crate::base::text::escape;
use crate::base::workers;
use crate::cli::args::Format;
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::progress::Progress;
use crate::cli::protection::ProtectionOption;
use crate::cli::repository::{self, RepositoryOption, SignerOption};
use crate::cli::{json, state};
use crate::ops::backup::{BackupOptions, Keeper, Manner, Report};
use crate::ops::metrics::{self, Run, StateRun, Status};
use crate::store::Location;

/// Write a snapshot of each state that changed to the backup repository
///
/// A snapshot is compressed, encrypted for the recipients, signed, read back and only then kept.
/// The first backup makes the repository and decides for whom it is encrypted. A state that can't
/// be parsed is kept as it is, and reported. Without a state, those of `backup.states` in the
/// configuration are taken, or the one Terraform uses here.
///
/// Example: `tfstate backup 's3://acme-tf/**' --recipient age1…`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The states; prefixes and globs name several
    #[arg(value_name = "STATE", value_hint = clap::ValueHint::FilePath)]
    states: Vec<OsString>,
    /// How to store what changed
    #[arg(long, value_enum, default_value_t)]
    strategy: How,
    #[command(flatten)]
    repository: RepositoryOption,
    #[command(flatten)]
    protection: ProtectionOption,
    #[command(flatten)]
    signer: SignerOption,
    /// Store states again that did not change
    #[arg(long)]
    force: bool,
    /// Tag the snapshots, to find and to keep them by (can be repeated)
    ///
    /// A state that did not change is stored again if its newest snapshot lacks one of these tags.
    #[arg(long = "tag", value_name = "TAG", value_parser = tag)]
    tags: Vec<String>,
    /// Store the earlier versions too that the states' store still has
    #[arg(long)]
    import_versions: bool,
    /// Write what the run did to this file, for Prometheus' node exporter
    ///
    /// The exporter reads files whose names end in `.prom`.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    metrics_file: Option<PathBuf>,
    /// How hard to compress whole states
    #[arg(long, value_name = "1-22", default_value_t = LEVEL, value_parser = clap::value_parser!(i32).range(1..=22))]
    level: i32,
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum How {
    /// Each snapshot holds the whole state
    Full,
    /// What changed since the last snapshot
    Incremental,
    /// What changed since the last full snapshot
    Differential,
    /// Differential, and full where that says little less or gets old
    #[default]
    Auto,
}

impl From<How> for Strategy {
    fn from(how: How) -> Self {
        match how {
            How::Full => Self::Full,
            How::Incremental => Self::Incremental,
            How::Differential => Self::Differential,
            How::Auto => Self::Auto,
        }
    }
}

/// Tags stand in the clear in every snapshot, and in lists that are cut at commas.
pub(super) fn tag(text: &str) -> Result<String, String> {
    if OWN_TAGS.contains(&text) {
        return Err(format!("tfstate gives these itself: {}", OWN_TAGS.join(", ")));
    }
    let legal = |c: char| c.is_alphanumeric() || "-_.:/=+@".contains(c);
    let fits = !text.is_empty() && text.chars().count() <= 64 && text.chars().all(legal);
    fits.then(|| text.to_owned())
        .ok_or_else(|| "a tag is 1 to 64 letters, digits and `-_.:/=+@`".to_owned())
}

/// How it can print.
pub(crate) const FORMATS: &[Format] = &[Format::Text, Format::Json];

/// Runs the command.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let protection = args.protection.wanted(context)?;
    let (signer, known) = (args.signer.read_or_make(context)?, repository::known(context));
    let cache = context.cache.clone();
    let options = BackupOptions {
        vault: args.repository.vault(context)?,
        protection: protection.as_ref(),
        keys: Keys { signer: Some(&signer), known: known.as_ref() },
        cache: cache.as_deref(),
        manner: Manner {
            strategy: args.strategy.into(),
            force: args.force,
            level: args.level,
            tags: &args.tags,
            insists_on_tags: true,
        },
    };
    let mut done = Done::new(context.format, args.metrics_file.is_some(), System.now());
    // Both may have to ask what is far away.
    let open = || Keeper::open(&options, &System);
    let (opened, locations) = workers::at_once(&open, || done.locations(args, context));
    let mut keeper = match opened {
        Ok(keeper) => keeper,
        Err(error) => {
            // Whoever watches the metrics must not take the last run for this one.
            if let Some(path) = &args.metrics_file {
                let failed = |state: &Location| StateRun::failed(&state.name(), None);
                done.runs.get_or_insert_default().extend(locations.iter().map(failed));
                done.write_metrics((path, Exit::Failed), context);
            }
            return Err(error.into());
        }
    };
    if keeper.repository().is_new() {
        repository::tell_made(&keeper.repository().name(), &signer, context);
        // That nothing is encrypted is told of the snapshots.
        if let Some(Protection::Recipients(_)) = &protection {
            repository::warn_of(keeper.repository().protection(), context);
        }
    }
    if args.import_versions {
        done.import(&keeper, &locations, context)?;
        keeper = Keeper::open(&options, &System)?;
    }
    done.keep(&keeper, &locations, context)?;
    let stored = done.stored.then_some((cache.as_deref(), done.forgotten.take()));
    if let Some(text) = stored.and_then(|(cache, why)| forgetting(cache, why)) {
        let hint = "without that every backup stores each state whole, changed or not; name a folder that can be written: `TFSTATE_CACHE_DIR`";
        context.out.warning(&text, Some(hint));
    }
    if let Some(path) = &args.metrics_file {
        let exit = done.exit();
        done.write_metrics((path, exit), context);
    }
    let name = keeper.repository().name();
    if let Err(error) = keeper.finish() {
        let text = format!("cannot note in the repository what was done: {error}");
        let hint = "`tfstate snapshots --max-age` will not know of states that did not change";
        context.out.warning(&text, Some(hint));
    }
    done.finish(context, &name)
}

/// What became of the states so far.
struct Done {
    /// What is to be printed as JSON, if that was asked for.
    json: Option<json::backup::Backup>,
    /// Whether a snapshot is not encrypted.
    plain: bool,
    kept: usize,
    /// Whether any was stored.
    stored: bool,
    /// Why this computer can't remember what it stored, if it can't.
    forgotten: Option<String>,
    failures: Vec<Failure>,
    /// What metrics are to be made of, if they were asked for.
    runs: Option<Vec<StateRun>>,
    began: Timestamp,
}

impl Done {
    fn new(format: Format, measured: bool, began: Timestamp) -> Self {
        let json = (format == Format::Json).then(json::backup::Backup::new);
        let runs = measured.then(Vec::new);
        let (plain, kept, stored, forgotten, failures) = (false, 0, false, None, Vec::new());
        Self { json, plain, kept, stored, forgotten, failures, runs, began }
    }

    /// Finds all states that were named. What can't be found fails, and the others are backed up.
    fn locations(&mut self, args: &Args, context: &Context<'_>) -> Vec<Location> {
        let configured = || context.settings.states.value.iter().map(OsString::from).collect();
        let mut references: Vec<Option<OsString>> = match args.states.as_slice() {
            [] => Vec::into_iter(configured()).map(Some).collect(),
            named => named.iter().cloned().map(Some).collect(),
        };
        if references.is_empty() {
            references.push(state::default(context));
        }
        let mut all: Vec<Location> = Vec::new();
        let is_one = references.len() == 1;
        for reference in references {
            match Location::resolve_many(reference.as_deref(), state::place(context)) {
                Ok(found) => all.extend(found),
                Err(error) => {
                    let shown = reference.as_deref().map(OsStr::to_string_lossy);
                    self.fail(&shown.unwrap_or(".".into()), error.into(), None);
                }
            }
        }
        // Two that are worked on at once would each make a snapshot of one state. Thousands that one
        // listing names need not be compared.
        if !is_one || !all.iter().all(Location::is_listed) {
            let mut seen = BTreeSet::new();
            all.retain(|location| location.uri().map_or(true, |uri| seen.insert(uri)));
        }
        all
    }

    /// Notes that a state could not be backed up, of which the newest snapshot was made then.
    fn fail(&mut self, name: &str, failure: Failure, held: Option<Timestamp>) {
        if let Some(json) = &mut self.json {
            json.failed(name, &failure.error);
        }
        if let Some(runs) = &mut self.runs {
            runs.push(StateRun::failed(name, held));
        }
        self.failures.push(failure);
    }

    fn import(
        &mut self,
        keeper: &Keeper<'_>,
        locations: &[Location],
        context: &mut Context<'_>,
    ) -> Result<(), Failure> {
        let interrupt = context.interrupt.clone();
        for location in locations {
            let imported = interrupt.hold(|stop| {
                keeper.import(location, |report| {
                    self.made(context, location, &report)?;
                    if stop() { Err(Failure::new("interrupted")) } else { Ok(()) }
                })
            });
            match imported {
                Err(failure) if failure.exit == Exit::Interrupted => return Err(failure),
                Err(failure) => self.fail(&location.name(), failure, keeper.newest(location)),
                Ok(()) => {}
            }
        }
        Ok(())
    }

    fn keep(
        &mut self,
        keeper: &Keeper<'_>,
        locations: &[Location],
        context: &mut Context<'_>,
    ) -> Result<(), Failure> {
        let (interrupt, mut handed) = (context.interrupt.clone(), 0_usize);
        let told = |done: usize| format!("{done} of {} states", locations.len());
        let progress = Progress::held(context.out, told(0), &interrupt);
        interrupt.hold(|stop| {
            keeper.keep_all(locations, |location, result| {
                handed += 1;
                progress.tell(|| told(handed));
                progress.make_room();
                match result {
                    Ok(report) => self.made(context, location, &report)?,
                    Err(error) => {
                        self.fail(&location.name(), error.into(), keeper.newest(location));
                    }
                }
                if stop() { Err(Failure::new("interrupted")) } else { Ok(()) }
            })
        })
    }

    fn made(
        &mut self,
        context: &mut Context<'_>,
        location: &Location,
        report: &Report,
    ) -> Result<(), Failure> {
        let name = location.name();
        self.kept += 1;
        self.plain |= !report.encrypted;
        self.stored |= !report.skipped();
        let forgotten = report.added.as_ref().and_then(|added| added.forgotten.as_ref());
        self.forgotten = self.forgotten.take().or_else(|| forgotten.cloned());
        if let Some(json) = &mut self.json {
            json.made(&name, report);
        }
        if let Some(runs) = &mut self.runs {
            runs.push(run_of(&name, report));
        }
        if let Some(broken) = &report.broken {
            let name = escape(&name);
            let text = format!("{name} was kept as it is, but it is no readable state: {broken}");
            context.out.warning(&text, Some("find an earlier one: `tfstate snapshots`"));
        }
        let beside = report.added.as_ref().and_then(|added| added.beside);
        if let Some(key) = beside.filter(|_| location.path().is_some()) {
            let text = format!(
                "another computer, {key}, backs up {} as well: the two share one history, which `tfstate prune` thins as one",
                escape(&name)
            );
            let hint = "unless both see the same file, give each computer a repository of its own: `--repo`";
            context.out.warning(&text, Some(hint));
        }
        if context.format == Format::Text {
            context.out.line(&told(&name, report))?;
        }
        Ok(())
    }

    fn exit(&self) -> Exit {
        match (self.failures.len(), self.kept) {
            (0, _) => Exit::Done,
            (_, 0) => Exit::Failed,
            _ => Exit::Partly,
        }
    }

    /// A run whose metrics can't be written is a run all the same.
    fn write_metrics(&mut self, (path, exit): (&Path, Exit), context: &mut Context<'_>) {
        let finished = System.now();
        let run = Run {
            states: self.runs.take().unwrap_or_default(),
            finished,
            seconds: finished.duration_since(self.began).as_secs_f64(),
            exit: exit.status(),
            earlier: BTreeMap::new(),
        };
        if let Err(error) = metrics::write(path, &run) {
            let text = format!("cannot write the metrics to {}: {error}", path.display());
            context.out.warning(&text, None);
        }
    }

    fn finish(mut self, context: &mut Context<'_>, repository: &str) -> Result<Exit, Failure> {
        if self.plain {
            let text = format!("the snapshots in {repository} are not encrypted");
            context.out.warning(&text, None);
        }
        if let Some(json) = &mut self.json {
            json.finish(repository, System.now().duration_since(self.began));
            context.out.json(json)?;
        }
        let Some(last) = self.failures.pop() else { return Ok(Exit::Done) };
        for failure in &self.failures {
            context.out.failure(failure);
        }
        Err(if self.kept > 0 { last.exit(Exit::Partly) } else { last })
    }
}

/// Says that what was stored can't be remembered, if so: it would never be known that a state did not
/// change.
fn forgetting(cache: Option<&Path>, why: Option<String>) -> Option<String> {
    let Some(cache) = cache else {
        return Some("there is no folder to remember in what was stored".to_owned());
    };
    Some(format!("cannot remember in {} what was stored: {}", cache.display(), why?))
}

fn run_of(name: &str, report: &Report) -> StateRun {
    let added = report.added.as_ref();
    StateRun {
        name: name.to_owned(),
        status: if report.skipped() { Status::Unchanged } else { Status::New },
        kind: Some(report.snapshot.kind.name()),
        bytes_state: report.bytes_state,
        bytes_stored: Some(report.snapshot.bytes_stored),
        depth: match (added, report.snapshot.kind) {
            (Some(added), _) => u32::try_from(added.depth).ok(),
            (None, Kind::Full) => Some(0),
            (None, Kind::Differential) => Some(1),
            (None, Kind::Incremental) => None,
        },
        seconds: report.took.as_secs_f64(),
        readable: report.bytes_state.map(|_| report.broken.is_none()),
        held: None,
    }
}

fn told(name: &str, report: &Report) -> String {
    let id = &report.snapshot.id;
    let name = escape(name);
    let Some(added) = &report.added else {
        return format!("{id}  {name}  unchanged since that snapshot");
    };
    let state = size::to_string(report.bytes_state.unwrap_or_default());
    let stored = size::to_string(report.snapshot.bytes_stored);
    let how = if report.encrypted { "encrypted" } else { "not encrypted" };
    let since = match (&added.parent, added.why_full) {
        (Some(parent), _) => format!(" to {parent}"),
        (None, None | Some(Whole::First)) => String::new(),
        (None, Some(why)) => format!(" ({why})"),
    };
    let changed = match added.changed {
        Some(1) => ", 1 resource changed".to_owned(),
        Some(changed) => format!(", {changed} resources changed"),
        None => String::new(),
    };
    let kind = report.snapshot.kind.name();
    format!("{id}  {name}  {kind}{since}{changed}, {state} stored in {stored}, {how}")
}
