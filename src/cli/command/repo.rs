//! `tfstate repo`.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;

use crate::backup::{
    self, Identities, Keys, Protection, PublicKey, Rekeyed, Repository, Wish, make_identity,
};
use crate::base::clock::{Clock, System};
use crate::base::size;
use crate::base::text::escape;
use crate::cli::args::Format;
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::json::repo::Repo;
use crate::cli::protection::{ProtectionOption, RecipientsOption};
use crate::cli::repository::{self, IdentityOption, RepositoryOption, SignerOption};
use crate::cli::{many, output};
use crate::ops::rekey::{self, Readers, RekeyOptions, Step};
use crate::ops::restore::{self, Reference};

/// Make, describe and re-encrypt a backup repository, and decide who writes to it
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Make a backup repository
    ///
    /// The signing key of this computer becomes its owner: only that key can name other writers,
    /// remove snapshots and re-encrypt. On a terminal, without a recipient, this offers to make an
    /// age identity. Whoever has the identity can read every backup, and without it nobody can.
    ///
    /// Example: `tfstate repo init --recipient age1… --recipient age1…`
    Init(Init),
    /// Describe the repository: its keys, its writers, and how much is in it
    ///
    /// Example: `tfstate repo info`
    Info(Common),
    /// Let another computer write backups, by its public signing key
    ///
    /// Example: `tfstate repo authorize ed25519:…`
    Authorize(OfKey),
    /// Let a computer write no further backups; those that it made before still count
    ///
    /// Example: `tfstate repo revoke ed25519:…`
    Revoke(OfKey),
    /// Encrypt everything for other recipients, or under another passphrase
    ///
    /// New backups are encrypted for them at once; what there is is decrypted and encrypted anew,
    /// state by state, and the old files are removed by `tfstate prune` once all of a state is
    /// there. Run it again where it was interrupted. This does not take back what somebody with an
    /// old key has read already: change the secrets in the states too.
    ///
    /// Recipients are named here, whatever the configuration says.
    ///
    /// Example: `tfstate repo rekey --recipient age1… --identity old-key.txt`
    Rekey(Rekey),
    /// Keep a snapshot whatever retention says, until it is released
    ///
    /// Example: `tfstate repo hold 3f9a12bc --reason 'audit 2026'`
    Hold(Hold),
    /// Leave a snapshot that was held to retention again
    ///
    /// Example: `tfstate repo release 3f9a12bc`
    Release(Release),
}

#[derive(Debug, clap::Args)]
struct Common {
    #[command(flatten)]
    repository: RepositoryOption,
    #[command(flatten)]
    signer: SignerOption,
}

#[derive(Debug, clap::Args)]
struct Init {
    #[command(flatten)]
    protection: ProtectionOption,
    /// Keep an identity in the repository, under the passphrase in the first line of this file, or of
    /// standard input: `-`
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, conflicts_with_all = ["recipients", "recipients_file", "no_encryption"])]
    passphrase_file: Option<PathBuf>,
    /// Do not warn that there is only one recipient
    #[arg(long)]
    single_recipient: bool,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct OfKey {
    /// The public key, which `tfstate repo info` shows on that computer
    #[arg(value_name = "KEY")]
    key: PublicKey,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct Rekey {
    /// Re-encrypt only the snapshots of these states now
    #[arg(value_name = "STATE", value_hint = clap::ValueHint::FilePath)]
    states: Vec<OsString>,
    #[command(flatten)]
    recipients: RecipientsOption,
    /// Keep a new identity in the repository, under the passphrase in the first line of this file, or
    /// of standard input: `-`
    ///
    /// Everything is encrypted for that one, and for nobody else.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, conflicts_with_all = ["recipients", "recipients_file"])]
    new_passphrase_file: Option<PathBuf>,
    /// Encrypt only what comes for them, as where no key is left of what there is
    #[arg(long, conflicts_with_all = ["states", "identities", "passphrase_file"])]
    new_only: bool,
    #[command(flatten)]
    identities: IdentityOption,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct Hold {
    /// The snapshot: its id or the beginning of it
    #[arg(value_name = "SNAPSHOT")]
    snapshot: String,
    /// Say why; this is not encrypted
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct Release {
    /// The snapshot: its id or the beginning of it
    #[arg(value_name = "SNAPSHOT")]
    snapshot: String,
    #[command(flatten)]
    common: Common,
}

/// How it can print.
pub(crate) const FORMATS: &[Format] = &[Format::Text, Format::Json];

/// Runs the command.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    match &args.command {
        What::Init(args) => init(args, context),
        What::Info(common) => info(common, context),
        What::Authorize(args) => authorize(args, context),
        What::Revoke(args) => revoke(args, context),
        What::Rekey(args) => rekey(args, context),
        What::Hold(args) => {
            let wish = Wish::Hold(args.reason.as_deref());
            hold(&args.common, &args.snapshot, wish, context)
        }
        What::Release(args) => hold(&args.common, &args.snapshot, Wish::Release, context),
    }
}

fn init(args: &Init, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let (vault, known) = (args.common.repository.vault(context)?, repository::known(context));
    let keys = Keys { signer: None, known: known.as_ref() };
    match Repository::open(vault.clone(), keys) {
        Err(backup::Error::NoRepository { .. }) => {}
        Ok(found) => {
            let text = format!("there is a backup repository in {} already", found.name());
            return Err(Failure::new(text).hint("look at it: `tfstate repo info`"));
        }
        Err(error) => return Err(error.into()),
    }
    let protection = match &args.passphrase_file {
        Some(file) => {
            let passphrase = repository::passphrase(file)?;
            Some(Protection::Recipients(Repository::keep_identity(&*vault, &passphrase)?))
        }
        None => args.protection.wanted(context)?,
    };
    let protection = match protection {
        None if std::io::stdin().is_terminal() => Some(offer(context)?),
        protection => protection,
    };
    let signer = args.common.signer.read_or_make(context)?;
    let keys = Keys { signer: Some(&signer), known: known.as_ref() };
    let made = context.interrupt.hold(|_| {
        let now = System.now();
        Ok(Repository::open_or_create(vault, protection.as_ref(), keys, now)?)
    })?;
    repository::tell_made(&made.name(), &signer, context);
    match made.protection() {
        Protection::Recipients(_) if args.passphrase_file.is_some() => {
            let text = "without the passphrase nobody can read the backups";
            context.out.warning(text, Some(KEEP_PASSPHRASE));
        }
        Protection::Recipients(_) if args.single_recipient => {}
        protection => repository::warn_of(protection, context),
    }
    json(&args.common, context)
}

/// Makes an identity where the user wants one.
fn offer(context: &mut Context<'_>) -> Result<Protection, Failure> {
    let cannot = |error| Failure::new("cannot read the answer").because(&error);
    let undecided = || {
        Failure::new("neither recipients nor no encryption chosen")
            .hint("name a recipient: `--recipient age1…`; or keep plain text: `--no-encryption`")
    };
    let question = "No recipient is named. Make a new age identity to encrypt for?";
    if !output::confirm(question).map_err(cannot)? {
        return Err(undecided());
    }
    let home = context.env.path("HOME").unwrap_or_default().join("tfstate-identity.txt");
    let question = format!("Write it to this new file [{}]:", home.display());
    let answer = output::ask(&question).map_err(cannot)?;
    let path = if answer.is_empty() { home } else { PathBuf::from(answer) };
    let recipients = make_identity(&path)?;
    context.out.note(&format!("Wrote the identity to {}", path.display()));
    let text = "whoever has the identity can read every backup, and without it nobody can";
    let hint = "keep two copies elsewhere, offline, and delete it from this computer: writing backups does not need it";
    context.out.warning(text, Some(hint));
    Ok(Protection::Recipients(recipients))
}

fn open(common: &Common, context: &Context<'_>) -> Result<Repository, Failure> {
    common.repository.open(context)
}

/// Describes the repository for programs after a change, which was told to people already.
fn json(common: &Common, context: &mut Context<'_>) -> Result<Exit, Failure> {
    if context.format == Format::Json {
        return info(common, context);
    }
    Ok(Exit::Done)
}

fn info(common: &Common, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let repository = open(common, context)?;
    let key = common.signer.read(context)?.map(|signer| signer.public());
    let repo = Repo::of(&repository, key)?;
    if context.format == Format::Json {
        context.out.json(&repo)?;
        return Ok(Exit::Done);
    }
    for line in lines(&repo) {
        context.out.data(&line)?;
    }
    Ok(Exit::Done)
}

fn lines(repo: &Repo) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = |name: &str, value: String| lines.push(format!("{name:<12}{value}"));
    line("place", repo.place.clone());
    line("id", repo.id.clone());
    line("created", repo.created.clone());
    line("changed", times(repo.record));
    match repo.encryption {
        "none" => line("encryption", "none: whoever reads the place reads the states".to_owned()),
        _ if !repo.kept_recipients.is_empty() => {
            line("encryption", "age, with an identity here under a passphrase".to_owned());
        }
        other => line("encryption", other.to_owned()),
    }
    if repo.keeps_identities && repo.kept_recipients.is_empty() {
        line("identity", "an earlier one is here, under a passphrase".to_owned());
    }
    for recipient in &repo.recipients {
        line("recipient", recipient.clone());
    }
    for owner in &repo.owners {
        line("owner", owner.to_string());
    }
    for writer in &repo.writers {
        let until = writer.until.as_ref().map(|until| format!(" until {until}"));
        line(
            "writer",
            format!("{} since {}{}", writer.key, writer.since, until.unwrap_or_default()),
        );
    }
    line("this key", this_key(repo));
    line("states", repo.states.to_string());
    let all = |count: usize, bytes: u64| format!("{count} ({})", size::to_string(bytes));
    line("snapshots", all(repo.snapshots, repo.bytes_stored));
    for (name, kind) in &repo.kinds {
        line(&format!("  {name}"), format!(" {}", all(kind.snapshots, kind.bytes_stored)));
    }
    line("held", repo.held.to_string());
    line("to remove", repo.pending.to_string());
    lines
}

fn times(count: u32) -> String {
    match count {
        0 => "never".to_owned(),
        1 => "once".to_owned(),
        more => format!("{more} times"),
    }
}

fn this_key(repo: &Repo) -> String {
    let Some(key) = repo.key else { return "none yet: the first backup makes it".to_owned() };
    let may = match (repo.key_owns, repo.key_writes) {
        (true, true) => "an owner's and a writer's",
        (true, false) => "an owner's",
        (false, true) => "a writer's",
        (false, false) => "nobody's here",
    };
    format!("{key}, {may}")
}

fn authorize(args: &OfKey, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let repository = open(&args.common, context)?;
    let signer = args.common.signer.existing(context)?;
    repository.authorize(args.key, &signer, System.now())?;
    let text = format!("{} may write to {} from now on", args.key, repository.name());
    context.out.note(&text);
    json(&args.common, context)
}

fn revoke(args: &OfKey, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let repository = open(&args.common, context)?;
    let signer = args.common.signer.existing(context)?;
    repository.revoke(args.key, &signer, System.now())?;
    let text = format!("{} may no longer write to {}", args.key, repository.name());
    context.out.note(&text);
    json(&args.common, context)
}

fn hold(
    common: &Common,
    id: &str,
    wish: Wish<'_>,
    context: &mut Context<'_>,
) -> Result<Exit, Failure> {
    let repository = open(common, context)?;
    let snapshot = restore::find(&repository, Reference::Id(id))?;
    let signer = common.signer.existing(context)?;
    repository.hold(&snapshot, wish, &signer, System.now())?;
    let id = &snapshot.id;
    context.out.note(&match wish {
        Wish::Hold(_) => format!("Snapshot {id} is held: retention keeps it until it is released"),
        Wish::Release => format!("Snapshot {id} is released: retention decides on it again"),
    });
    json(common, context)
}

fn rekey(args: &Rekey, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let is_input = args.new_passphrase_file.as_deref().is_some_and(repository::is_standard_input);
    if is_input && args.identities.reads_input() {
        return Err(repository::read_twice());
    }
    let passphrase = args.new_passphrase_file.as_deref().map(repository::passphrase).transpose()?;
    let recipients = args.recipients.named()?;
    let readers = match (&passphrase, &recipients) {
        (Some(passphrase), _) => Readers::Passphrase(passphrase),
        (None, Some(recipients)) => Readers::Recipients(recipients),
        (None, None) => {
            let hint = "name them: `--recipient age1…`, `--recipients-file FILE` or `--new-passphrase-file FILE`";
            return Err(Failure::new("no recipient is named to encrypt for").hint(hint));
        }
    };
    let vault = args.common.repository.vault(context)?;
    let repository = open(&args.common, context)?;
    let identities = if args.new_only {
        // It is for whom no key is left.
        Identities::default()
    } else {
        args.identities.read(&repository, context)?
    };
    let signer = args.common.signer.existing(context)?;
    let known = repository::known(context);
    let streams = streams(args, &repository, context)?;
    let options = RekeyOptions {
        readers,
        identities: &identities,
        signer: &signer,
        streams: streams.as_ref(),
        new_only: args.new_only,
    };
    let keys = Keys { signer: Some(&signer), known: known.as_ref() };
    let (interrupt, mut failed, mut written) = (context.interrupt.clone(), 0_usize, 0_usize);
    let mut is_change = false;
    let done = interrupt.hold(|stop| {
        rekey::run(&vault, keys, &options, &System, |step| {
            match step {
                Step::Recipients(recipients) => {
                    is_change = true;
                    told_whom(recipients, passphrase.is_some(), context);
                }
                Step::Stream(stream, done) => {
                    failed += done.failed.len();
                    written += done.written;
                    told(stream, done, context);
                }
            }
            if stop() { Err(Failure::new("interrupted")) } else { Ok(()) }
        })
    });
    done.map_err(|failure| {
        let failure: Failure = failure;
        // For whom everything is has changed all the same.
        let is_half = is_change && failure.exit == Exit::Failed;
        if is_half { failure.exit(Exit::Partly).hint("run it again for the rest") } else { failure }
    })?;
    if written > 0 {
        context
            .out
            .note("The old objects can be read as before, until `tfstate prune` removes them");
    }
    if passphrase.is_some() && !is_change {
        context.out.note(
            "What is written was under this passphrase already; another one makes another identity",
        );
    }
    let text = "what somebody with an old key has read, this does not take back";
    context.out.warning(text, Some("change the secrets in the states too"));
    json(&args.common, context)?;
    if failed == 0 {
        return Ok(Exit::Done);
    }
    let text = if failed == 1 {
        "1 snapshot could not be encrypted anew, and stays as it is".to_owned()
    } else {
        format!("{failed} snapshots could not be encrypted anew, and stay as they are")
    };
    Err(Failure::new(text)
        .exit(Exit::Partly)
        .hint("run it again with what else they are encrypted for: `--identity FILE`, or `--passphrase-file FILE`"))
}

/// Says for whom everything is from now on, before anything is encrypted anew: it stays so whatever
/// becomes of the rest.
fn told_whom(recipients: &backup::Recipients, is_passphrase: bool, context: &mut Context<'_>) {
    if is_passphrase {
        let text = "without the new passphrase nobody can read the backups from now on";
        context.out.warning(text, Some(KEEP_PASSPHRASE));
        context.out.note("Units and configurations must no longer name recipients");
        return;
    }
    let names = recipients.texts().join(", ");
    context.out.note(&format!("Backups are encrypted for these from now on: {names}"));
    repository::warn_of(&Protection::Recipients(recipients.clone()), context);
    context.out.note("Units and configurations that name recipients have to name these");
}

/// What whoever has a passphrase is told.
const KEEP_PASSPHRASE: &str =
    "keep it elsewhere too, and a copy of what is in `keys/` of the repository, which it opens";

fn streams(
    args: &Rekey,
    repository: &Repository,
    context: &Context<'_>,
) -> Result<Option<BTreeSet<String>>, Failure> {
    if args.states.is_empty() {
        return Ok(None);
    }
    let streams = many::streams(context, &args.states, repository)?;
    for stream in &streams {
        if repository.list_stream(stream)?.is_empty() {
            return Err(backup::Error::NoSnapshot { reference: format!("of {stream}") }.into());
        }
    }
    Ok(Some(streams))
}

fn told(stream: &str, done: Rekeyed, context: &mut Context<'_>) {
    let stream = escape(stream);
    let (written, current) = (done.written, done.current);
    context.out.note(&format!("{stream}: {written} encrypted anew, {current} were so already"));
    for (_, error) in done.failed {
        context.out.failure(&error.into());
    }
}
