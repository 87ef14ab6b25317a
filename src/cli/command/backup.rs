//! `tfstate backup`.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::backup::{Protection, Recipients};
use crate::base::clock::System;
use crate::base::size;
use crate::base::text::escape;
use crate::cli::args::Format;
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::repository::{self, RepositoryOption};
use crate::cli::{json, state};
use crate::ops::backup::{self, BackupOptions, Report, Source};
use crate::store::{self, Access, Location};

/// Write a snapshot of each state that changed to the backup repository
///
/// A snapshot is compressed, encrypted for the recipients, read back and only then kept. The first
/// backup makes the repository and decides for whom it is encrypted. A state that can't be parsed
/// is kept as it is, and reported.
///
/// Example: `tfstate backup prod.tfstate --recipient age1…`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The states; none means the one Terraform uses here
    #[arg(value_name = "STATE", value_hint = clap::ValueHint::FilePath)]
    states: Vec<OsString>,
    /// How to store what changed
    #[arg(long, value_enum, default_value_t)]
    strategy: Strategy,
    #[command(flatten)]
    repository: RepositoryOption,
    /// Encrypt for this age or ssh public key (can be repeated)
    #[arg(long = "recipient", value_name = "KEY")]
    recipients: Vec<String>,
    /// Keep the snapshots in plain text
    #[arg(long, conflicts_with = "recipients")]
    no_encryption: bool,
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Strategy {
    /// Each snapshot holds the whole state
    #[default]
    Full,
}

/// How it can print.
pub(crate) const FORMATS: &[Format] = &[Format::Text, Format::Json];

/// Runs the command.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let Strategy::Full = args.strategy;
    let protection = protection(args, context)?;
    let repository = args.repository.folder(context)?;
    let cache = repository::cache(context);
    let options = BackupOptions {
        repository: &repository,
        protection: protection.as_ref(),
        cache: cache.as_deref(),
    };
    let references = if args.states.is_empty() {
        vec![state::default(context)]
    } else {
        args.states.iter().cloned().map(Some).collect()
    };
    let mut done =
        Done { json: json::backup::Backup::new(), plain: false, kept: 0, failures: Vec::new() };
    for reference in references {
        done.add_all(context, &options, reference.as_deref())?;
    }
    done.finish(context, &repository)
}

fn protection(args: &Args, context: &Context<'_>) -> Result<Option<Protection>, Failure> {
    if args.no_encryption {
        return Ok(Some(Protection::None));
    }
    let settings = &context.settings;
    let texts =
        if args.recipients.is_empty() { &settings.recipients.value } else { &args.recipients };
    let recipients = Recipients::parse(texts)?.map(Protection::Recipients);
    Ok(recipients.or((!settings.encryption.value).then_some(Protection::None)))
}

/// What became of the states so far.
struct Done {
    json: json::backup::Backup,
    /// Whether a snapshot is not encrypted.
    plain: bool,
    kept: usize,
    failures: Vec<Failure>,
}

impl Done {
    /// Backs up all states that a reference names.
    fn add_all(
        &mut self,
        context: &mut Context<'_>,
        options: &BackupOptions<'_>,
        reference: Option<&OsStr>,
    ) -> Result<(), Failure> {
        match Location::resolve_many(reference, state::place(context)) {
            Ok(locations) => {
                locations.iter().try_for_each(|location| self.add(context, options, location))
            }
            Err(error) => {
                let shown =
                    reference.map_or_else(|| ".".into(), |r| r.to_string_lossy().into_owned());
                self.fail(&shown, error.into());
                Ok(())
            }
        }
    }

    fn fail(&mut self, name: &str, failure: Failure) {
        self.json.failed(name, &failure.error);
        self.failures.push(failure);
    }

    fn add(
        &mut self,
        context: &mut Context<'_>,
        options: &BackupOptions<'_>,
        location: &Location,
    ) -> Result<(), Failure> {
        match one(context, options, location) {
            Ok(report) => {
                let name = location.name();
                self.kept += 1;
                self.plain |= !report.encrypted;
                self.json.made(&name, &report);
                if let Some(broken) = &report.broken {
                    let text = format!(
                        "{} was kept as it is, but it is no readable state: {broken}",
                        escape(&name)
                    );
                    context.out.warning(&text, Some("find an earlier one: `tfstate snapshots`"));
                }
                if context.format == Format::Text {
                    context.out.line(&told(&name, &report))?;
                }
            }
            Err(failure) => self.fail(&location.name(), failure),
        }
        Ok(())
    }

    fn finish(mut self, context: &mut Context<'_>, repository: &Path) -> Result<Exit, Failure> {
        if self.plain {
            let text = format!("the snapshots in {} are not encrypted", repository.display());
            context.out.warning(&text, None);
        }
        if context.format == Format::Json {
            context.out.json(&self.json)?;
        }
        let Some(last) = self.failures.pop() else { return Ok(Exit::Done) };
        for failure in &self.failures {
            context.out.failure(failure);
        }
        Err(if self.kept > 0 { last.exit(Exit::Partly) } else { last })
    }
}

/// Backs one state up.
fn one(
    context: &Context<'_>,
    options: &BackupOptions<'_>,
    location: &Location,
) -> Result<Report, Failure> {
    let uri = location.uri()?;
    let read = store::read(location, Access::Read)?;
    let source = Source { uri: &uri, bytes: &read.bytes, facts: backup::facts(&read.bytes) };
    let work = |_: &dyn Fn() -> bool| Ok(backup::run(&source, options, &System)?);
    context.interrupt.hold(work)
}

fn told(name: &str, report: &Report) -> String {
    let id = &report.snapshot.id;
    let name = escape(name);
    if report.skipped {
        return format!("{id}  {name}  unchanged since that snapshot");
    }
    let (state, stored) =
        (size::to_string(report.bytes_state), size::to_string(report.snapshot.bytes_stored));
    let how = if report.encrypted { "encrypted" } else { "not encrypted" };
    format!("{id}  {name}  full, {state} stored in {stored}, {how}")
}
