//! `tfstate verify`.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::str::FromStr;

use crate::backup::verify::{Part, Reading, Severity};
use crate::backup::{Identities, Protection, Repository, Runs};
use crate::cli::args::Format;
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::progress::Progress;
use crate::cli::repository::{IdentityOption, RepositoryOption};
use crate::cli::{json, many, verify_text};
use crate::ops::verify::{self, VerifyOptions};

/// Prove that the snapshots in the backup repository can be restored
///
/// Every snapshot is read whole and held against its signature, its name and its hash; what it
/// builds on has to be there; and nothing may be missing that no owner of the repository had
/// removed, nor the identity that a passphrase opens while snapshots need it. That needs no key. With `--read-data`, snapshots are decrypted and restored as well, in
/// memory, and what comes out has to be the state that was backed up.
///
/// As a restore drill, let a computer that has the key run the example each night: it looks at all
/// snapshots, and within 30 nights it has restored each of them once. The exit status is 2 when
/// something is wrong, and 1 when that could not be told.
///
/// Example: `tfstate verify --read-data-subset $(( $(date +%s) / 86400 % 30 + 1 ))/30 -i key.txt`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Look only at these snapshots and at what they build on: ids, or the beginnings of some
    #[arg(value_name = "SNAPSHOT")]
    snapshots: Vec<String>,
    /// Look only at the snapshots of this state (can be repeated)
    #[arg(short, long = "state", value_name = "STATE", value_hint = clap::ValueHint::FilePath, conflicts_with = "snapshots")]
    states: Vec<OsString>,
    /// Read only the beginning of each snapshot, where its signature is
    #[arg(long, conflicts_with = "read_data")]
    quick: bool,
    /// Decrypt all snapshots and restore them in memory
    #[arg(long, conflicts_with = "subset")]
    read_data: bool,
    /// Do so with a part: `5%` takes others each time, `3/30` the third of thirty parts
    #[arg(long = "read-data-subset", value_name = "N%|n/t", conflicts_with = "snapshots")]
    subset: Option<Subset>,
    #[command(flatten)]
    repository: RepositoryOption,
    #[command(flatten)]
    identities: IdentityOption,
}

#[derive(Clone, Copy, Debug)]
enum Subset {
    Percent(f64),
    Slice(u32, u32),
}

impl FromStr for Subset {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const HELP: &str =
            "write a share of a hundred as in `5%`, or one part of several as in `3/30`";
        if let Some(percent) = text.strip_suffix('%') {
            let percent: f64 = percent.parse().map_err(|_| HELP)?;
            return if percent > 0.0 && percent <= 100.0 {
                Ok(Self::Percent(percent))
            } else {
                Err(HELP)
            };
        }
        let (number, of) = text.split_once('/').ok_or(HELP)?;
        let (number, of) = (number.parse().map_err(|_| HELP)?, of.parse().map_err(|_| HELP)?);
        if (1..=of).contains(&number) { Ok(Self::Slice(number, of)) } else { Err(HELP) }
    }
}

/// How it can print.
pub(crate) const FORMATS: &[Format] = &[Format::Text, Format::Json];

/// Runs the command.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let repository = args.repository.open(context)?;
    let streams = streams(args, &repository, context)?;
    let part = part(args)?;
    let identities = identities(args, part, &repository, context)?;
    let runs = context.cache.as_deref().map(Runs::below);
    let options = VerifyOptions {
        reading: if args.quick { Reading::Heads } else { Reading::Whole },
        data: part.map(|part| (part, &identities)),
        streams: streams.as_ref(),
        ids: &args.snapshots,
        runs: runs.as_ref(),
    };
    let progress = Progress::start(context.out, "Listing …".to_owned());
    let tell = |done, all| progress.tell(|| format!("{done} of {all} states"));
    let found = verify::run(&repository, &options, tell);
    drop(progress);
    let (found, states) = found?;
    if args.subset.is_some() && found.read == 0 && found.problems.is_empty() {
        // Who drills with it every day is to know that this was none of the days.
        context.out.note("This part has no snapshot: none was decrypted, and no key was tried");
    }
    if context.format == Format::Json {
        context.out.json(&json::verify::Verified::new(&found, states))?;
    } else {
        verify_text::write(context.out, &found, states)?;
    }
    let failed = found.count(Severity::Failure) > 0;
    Ok(if failed { Exit::No } else { Exit::Done })
}

fn streams(
    args: &Args,
    repository: &Repository,
    context: &Context<'_>,
) -> Result<Option<BTreeSet<String>>, Failure> {
    match args.states.as_slice() {
        [] => Ok(None),
        states => many::streams(context, states, repository).map(Some),
    }
}

fn part(args: &Args) -> Result<Option<Part>, Failure> {
    Ok(match args.subset {
        None if args.read_data => Some(Part::All),
        None => None,
        Some(Subset::Slice(number, of)) => Some(Part::Slice(number, of)),
        Some(Subset::Percent(percent)) => Some(Part::random(percent)?),
    })
}

fn identities(
    args: &Args,
    part: Option<Part>,
    repository: &Repository,
    context: &Context<'_>,
) -> Result<Identities, Failure> {
    if part.is_none() && args.identities.is_given() {
        return Err(Failure::new("a key is only needed to decrypt")
            .hint("add `--read-data`, or leave the key away"));
    }
    if part.is_none() {
        return Ok(Identities::default());
    }
    let identities = args.identities.read(repository, context)?;
    if identities.is_empty() && *repository.protection() != Protection::None {
        let text =
            format!("cannot decrypt what is in {}: no identity was given", repository.name());
        return Err(Failure::new(text).hint(
            "give the file with the key: `--identity FILE`, or `backup.identity` in tfstate.toml",
        ));
    }
    Ok(identities)
}
