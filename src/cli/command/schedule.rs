//! `tfstate schedule`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::backup::tag;
use crate::backup::Recipients;
use crate::cli::args::Format;
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::repository;
use crate::cli::settings::Origin;
use crate::cli::state;
use crate::ops::schedule::{Every, Plan, Readers, Repository, Runner, State, When};
use crate::store;

/// Print the unit that runs a backup at set times
///
/// Prints a line for `crontab -e`, a service and a timer of systemd, a `CronJob` of Kubernetes or a
/// workflow of GitHub Actions, each with comments that say where it goes, and installs nothing.
/// States, repository and recipients are those that `tfstate backup` would use here, spelled out.
///
/// No credential gets into a unit, and a reference that holds one is refused. They come from what
/// the runner has: the role of a machine, a file of variables, secrets.
///
/// Example: `tfstate schedule --systemd 's3://acme-tf/**/*.tfstate' --every daily`
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("runner").required(true))]
#[expect(clippy::struct_excessive_bools, reason = "one of the four is given, which clap sees to")]
pub(crate) struct Args {
    /// The states; none means the one Terraform uses here
    #[arg(value_name = "STATE", value_hint = clap::ValueHint::FilePath)]
    states: Vec<OsString>,
    /// Print a line for a crontab
    #[arg(long, group = "runner")]
    cron: bool,
    /// Print a service and a timer of systemd
    #[arg(long, group = "runner")]
    systemd: bool,
    /// Print a `CronJob` of Kubernetes
    #[arg(long, group = "runner")]
    kubernetes: bool,
    /// Print a workflow of GitHub Actions
    #[arg(long, group = "runner")]
    github: bool,
    /// Run hourly, daily, weekly, or after a length that divides an hour or a day, such as `15m`
    ///
    /// The minute is made of the command line, so that not everything begins at the full hour.
    #[arg(long, value_name = "INTERVAL", default_value = "hourly", conflicts_with = "calendar")]
    every: String,
    /// Run at these times: an event of systemd's calendar, or the five fields of cron
    #[arg(long, value_name = "EXPR")]
    calendar: Option<String>,
    /// How to store what changed [default: what `backup` does]
    #[arg(long, value_name = "STRATEGY", value_parser = ["full", "incremental", "differential", "auto"])]
    strategy: Option<String>,
    /// Tag the snapshots, to find and to keep them by (can be repeated)
    #[arg(long = "tag", value_name = "TAG", value_parser = tag)]
    tags: Vec<String>,
    /// Have each run write what it did to this file, for Prometheus' node exporter
    ///
    /// The exporter reads files whose names end in `.prom`. A service of systemd writes there by a group.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["kubernetes", "github"], value_hint = clap::ValueHint::FilePath)]
    metrics_file: Option<PathBuf>,
    /// Where the snapshots go: a folder, or an `s3://`, `gs://` or `az://` prefix
    ///
    /// Without it, `TFSTATE_REPO` or `backup.repo` in the configuration; else a folder of the runner.
    #[arg(long, value_name = "PLACE", value_hint = clap::ValueHint::DirPath)]
    repo: Option<String>,
    /// Sign the snapshots with the key in this file [default: `TFSTATE_SIGNING_KEY_FILE`]
    ///
    /// Systemd gets it as a credential, encrypted if the name ends in `.cred`. For Kubernetes and
    /// GitHub it becomes a secret.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    signing_key: Option<PathBuf>,
    /// Take credentials from this file of NAME=VALUE lines, where the backup runs
    #[arg(long, value_name = "FILE", conflicts_with_all = ["kubernetes", "github"], value_hint = clap::ValueHint::FilePath)]
    env_file: Option<PathBuf>,
    /// What units, jobs and their folders are called
    #[arg(long, value_name = "NAME", default_value = "tfstate-backup")]
    name: String,
    /// Run as this user [default: one of its own; you, if the repository is a folder]
    #[arg(long, value_name = "NAME", conflicts_with_all = ["cron", "kubernetes", "github"])]
    user: Option<String>,
    /// The image that holds tfstate
    #[arg(long, value_name = "IMAGE", conflicts_with_all = ["cron", "systemd", "github"], default_value = concat!("tfstate:", env!("CARGO_PKG_VERSION")))]
    image: String,
}

/// How it can print.
pub(crate) const FORMATS: &[Format] = &[];

/// Runs the command.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    if !context.settings.backend_config.is_empty() {
        return Err(Failure::new("cannot schedule a backup with `--backend-config`")
            .hint("run `terraform init` with it, which records it in the directory"));
    }
    let unit = plan(args, context)?.render(args.runner())?;
    context.out.bytes(unit.as_bytes())?;
    Ok(Exit::Done)
}

impl Args {
    fn runner(&self) -> Runner {
        match (self.systemd, self.kubernetes, self.github) {
            (true, _, _) => Runner::Systemd,
            (_, true, _) => Runner::Kubernetes,
            (_, _, true) => Runner::Github,
            _ => Runner::Cron,
        }
    }
}

fn plan(args: &Args, context: &Context<'_>) -> Result<Plan, Failure> {
    let states = states(args, context)?;
    let repository = repository(args, context)?;
    let workspace = &context.settings.workspace;
    let is_chosen = !matches!(workspace.origin, Origin::Variable(_));
    let key = args.signing_key.clone().or_else(|| context.env.path("TFSTATE_SIGNING_KEY_FILE"));
    let is_folder = matches!(repository, Repository::Folder(_));
    let named = || ["USER", "LOGNAME"].into_iter().find_map(|name| context.env.get(name));
    let me = || named().or_else(own_name);
    let user = args.user.clone().or_else(|| is_folder.then(me).flatten());
    // The same user on the same computer: the key is where it is now.
    let signs_at_home = match args.runner() {
        Runner::Cron => true,
        Runner::Systemd => key.is_none() && user.is_some() && user == me(),
        Runner::Kubernetes | Runner::Github => false,
    };
    let program = std::env::current_exe()
        .map_err(|error| Failure::new("cannot find out where this program is").because(&error))?;
    Ok(Plan {
        name: args.name.clone(),
        program: text(program)?,
        largest: largest(&states),
        variables: variables(&states, signs_at_home, context)?,
        states,
        workspace: workspace.value.clone().filter(|_| is_chosen),
        strategy: args.strategy.clone(),
        tags: args.tags.clone(),
        metrics_file: args.metrics_file.as_deref().map(absolute).transpose()?,
        repository,
        readers: readers(context)?,
        when: match &args.calendar {
            Some(calendar) => When::At(calendar.clone()),
            None => When::Every(args.every.parse::<Every>()?),
        },
        signing_key: key.as_deref().map(absolute).transpose()?,
        env_file: args.env_file.as_deref().map(absolute).transpose()?,
        user,
        image: args.image.clone(),
    })
}

/// Returns the name of whoever runs this, as the system has it: in a container or under cron, no
/// variable says it.
#[cfg(target_os = "linux")]
fn own_name() -> Option<String> {
    let user = nix::unistd::User::from_uid(nix::unistd::Uid::effective());
    user.ok().flatten().map(|user| user.name)
}

#[cfg(not(target_os = "linux"))]
fn own_name() -> Option<String> {
    None
}

fn states(args: &Args, context: &Context<'_>) -> Result<Vec<State>, Failure> {
    let mut references = args.states.clone();
    if references.is_empty() {
        references.extend(context.settings.states.value.iter().map(OsString::from));
    }
    if references.is_empty() {
        references.push(state::default(context).unwrap_or_else(|| ".".into()));
    }
    if references.iter().any(|reference| reference.is_empty()) {
        return Err(store::Error::nameless().into());
    }
    let state = |reference: OsString| match (State::parse(&text(reference.into())?)?, args.runner())
    {
        // Counted from the top of the repository, where a workflow stands.
        (state, Runner::Github) | (state @ State::Url(_), _) => Ok(state),
        (State::Path(path), _) => Ok(State::Path(absolute(path.as_ref())?)),
    };
    references.into_iter().map(state).collect()
}

fn repository(args: &Args, context: &Context<'_>) -> Result<Repository, Failure> {
    let named = args.repo.as_ref().or(context.settings.repo.value.as_ref());
    match (named, args.runner()) {
        (Some(place), _) => match Repository::parse(place)? {
            Repository::Folder(folder) => Ok(Repository::Folder(absolute(folder.as_ref())?)),
            other => Ok(other),
        },
        (None, Runner::Cron) => {
            let folder = repository::home(context)?.join("backups");
            Ok(Repository::Folder(absolute(&folder)?))
        }
        (None, _) => Ok(Repository::OfRunner),
    }
}

fn readers(context: &Context<'_>) -> Result<Readers, Failure> {
    let settings = &context.settings;
    let keys = &settings.recipients.value;
    // What is no public key may be a secret one, and must not be printed.
    if Recipients::parse(keys)?.is_some() {
        return Ok(Readers::Keys(keys.clone()));
    }
    Ok(if settings.encryption.value { Readers::AsTheRepository } else { Readers::Everybody })
}

/// Returns what the environment says of the state of a directory, and of where a user's key is.
fn variables(
    states: &[State],
    signs_at_home: bool,
    context: &Context<'_>,
) -> Result<Vec<(&'static str, String)>, Failure> {
    let is_local = states.iter().any(|state| matches!(state, State::Path(_)));
    let of_states = ["TF_WORKSPACE", "TF_DATA_DIR"].into_iter().filter(|_| is_local);
    let of_user = ["STATE_DIR", "XDG_STATE_HOME"].into_iter().filter(|_| signs_at_home);
    let set = |name| context.env.get(name).map(|value| (name, value));
    let mut variables: Vec<_> = of_states.filter_map(set).collect();
    for name in of_user {
        // It is not run from here.
        if let Some(folder) = context.env.path(name) {
            variables.push((name, absolute(&folder)?));
        }
    }
    Ok(variables)
}

/// Returns the length of the largest state, if all of them are files that are there.
fn largest(states: &[State]) -> Option<u64> {
    let length = |state: &State| match state {
        State::Path(path) => {
            std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).map(|file| file.len())
        }
        State::Url(_) => None,
    };
    let lengths: Option<Vec<u64>> = states.iter().map(length).collect();
    lengths?.into_iter().max()
}

fn absolute(path: &Path) -> Result<String, Failure> {
    let absolute = std::path::absolute(path);
    text(absolute.map_err(|error| {
        Failure::new(format!("cannot find out where {} is", path.display())).because(&error)
    })?)
}

fn text(path: PathBuf) -> Result<String, Failure> {
    path.into_os_string().into_string().map_err(|path| {
        let path = path.to_string_lossy();
        Failure::new(format!("cannot write `{path}` into a unit: it is not UTF-8"))
    })
}
