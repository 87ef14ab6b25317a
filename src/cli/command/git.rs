//! `tfstate git`.

use std::path::{Path, PathBuf};

use crate::base::env::Env;
use crate::base::text::escape;
use crate::cli::args::Format;
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::git_text::{self, Fingerprints};
use crate::cli::merge_text::Names;
use crate::cli::output::ColorChoice;
use crate::ops::earlier::Kept;
use crate::ops::git::{self, GitOptions, Scope, Step, Wish};
use crate::ops::merge::Files;
use crate::ops::{self, open};
use crate::store::{Access, Location};

/// Let git show states readably and masked, and merge them by resource
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Set up `git diff`, `git log -p`, `git show`, `git difftool` and `git merge` for states
    ///
    /// Adds lines for `*.tfstate` and `*.tfstate.backup` to `.gitattributes`, and settings to the
    /// configuration of git: `diff.tfstate`, `difftool.tfstate`, `merge.tfstate` and a random key,
    /// `tfstate.key`, for fingerprints of secrets. What is there already stays. Commit
    /// `.gitattributes`; each clone needs the settings, so run this in each.
    ///
    /// Git itself still stores what it is given: `git add -p`, `git diff --no-textconv` and
    /// `git format-patch` show a state as it is.
    ///
    /// Example: `tfstate git install`
    Install(Install),
    /// Take back what `tfstate git install` did
    ///
    /// Removes the lines and the settings that it adds, with the key for fingerprints, and leaves
    /// those of others.
    ///
    /// Example: `tfstate git uninstall`
    Uninstall(Uninstall),
    /// Print a state as git compares it
    ///
    /// This is what `git diff` runs. Prints each instance as `tfstate show` does, in Terraform's
    /// order, always masked. With a key in the setting `tfstate.key`, a line for each secret
    /// tells whether it is the same as in another revision. What is no state is told in a line in
    /// its place, and is no failure: git would stop in the middle of its log.
    ///
    /// Example: `tfstate git textconv prod.tfstate`
    Textconv {
        /// The file, as git hands it over
        #[arg(value_hint = clap::ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Merge two states that come from a third, as git asks for it
    ///
    /// This is what `git merge`, `git rebase`, `git cherry-pick` and `git stash pop` run. Instances,
    /// outputs and checks that only one side changed are taken from it, everything else stays as
    /// ours has it, byte for byte; the serial is above both. Where both sides changed the same, or
    /// one moved or removed what the other changed or depends on, nothing is merged: the file stays
    /// as ours has it, the conflicts are told and the exit status is 1.
    ///
    /// Example: `tfstate git merge-driver base.tfstate ours.tfstate theirs.tfstate prod.tfstate`
    MergeDriver(MergeDriver),
}

#[derive(Debug, clap::Args)]
struct MergeDriver {
    /// Merge two common ancestors: where both changed the same, take what they come from
    #[arg(long)]
    ancestors: bool,
    /// What both sides come from; an empty file where there is no such state
    #[arg(value_hint = clap::ValueHint::FilePath)]
    base: PathBuf,
    /// The side that is merged into; the result takes its place
    #[arg(value_hint = clap::ValueHint::FilePath)]
    ours: PathBuf,
    /// The side that is merged
    #[arg(value_hint = clap::ValueHint::FilePath)]
    theirs: PathBuf,
    /// What the file is called in the repository
    path: String,
    /// What to call our side
    our_name: Option<String>,
    /// What to call their side
    their_name: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Install {
    /// Do it for all repositories of this user
    #[arg(long)]
    global: bool,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, clap::Args)]
struct Uninstall {
    /// Do it for what holds for all repositories of this user
    #[arg(long)]
    global: bool,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
}

/// How it can print.
pub(crate) const FORMATS: &[Format] = &[];

/// Runs the command.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    match &args.command {
        What::Install(args) => change(Wish::Install, (args.global, args.dry_run), context),
        What::Uninstall(args) => change(Wish::Uninstall, (args.global, args.dry_run), context),
        What::Textconv { file } => textconv(file, context),
        What::MergeDriver(args) => merge(args),
    }
}

fn change(
    wish: Wish,
    (global, dry_run): (bool, bool),
    context: &mut Context<'_>,
) -> Result<Exit, Failure> {
    let scope = if global { Scope::Global } else { Scope::Local };
    let program = program(context.env)?;
    let steps = git::plan(&GitOptions { scope, wish, program: &program }, context.env)?;
    for step in &steps {
        if !dry_run {
            context.interrupt.hold(|_stop| git::apply(scope, step).map_err(Failure::from))?;
        }
        for line in described(step, wish) {
            context.out.data(&line)?;
        }
    }
    context.out.note(match (steps.is_empty(), dry_run, wish, scope) {
        (true, ..) => "There is nothing to do.",
        (false, true, ..) => "This is what would be done; nothing was changed.",
        (false, false, Wish::Install, Scope::Local) => {
            "Done. Commit `.gitattributes`, and run this in each clone."
        }
        (false, false, Wish::Install, Scope::Global) | (false, false, Wish::Uninstall, _) => {
            "Done."
        }
    });
    Ok(Exit::Done)
}

/// Returns how a shell runs this program: by its name where the `PATH` has it, so that an update
/// in another place does not break git.
fn program(env: &Env) -> Result<String, Failure> {
    let name = format!("tfstate{}", std::env::consts::EXE_SUFFIX);
    let path = env.path("PATH").unwrap_or_default();
    if std::env::split_paths(&path).any(|folder| folder.join(&name).is_file()) {
        return Ok("tfstate".to_owned());
    }
    let this = std::env::current_exe()
        .map_err(|error| Failure::new("cannot find out where this program is").because(&error))?;
    Ok(format!("'{}'", this.to_string_lossy().replace('\'', r"'\''")))
}

fn described(step: &Step, wish: Wish) -> Vec<String> {
    match step {
        Step::Set { name, value } => {
            let value = value.as_deref().unwrap_or("(a new random key)");
            vec![format!("git config: {name} = {value}")]
        }
        Step::Unset { name } => vec![format!("git config: {name} removed")],
        Step::Attributes { path, lines, .. } => {
            let done = if wish == Wish::Install { "added" } else { "removed" };
            lines.iter().map(|line| format!("{}: {done} `{line}`", path.display())).collect()
        }
    }
}

fn merge(args: &MergeDriver) -> Result<Exit, Failure> {
    let files = Files { base: &args.base, ours: &args.ours, theirs: &args.theirs };
    let name = |given: &Option<String>, placeholder: &str, otherwise: &str| {
        let given = given.as_deref().filter(|name| !name.is_empty() && *name != placeholder);
        given.map_or_else(|| otherwise.to_owned(), |name| format!("`{name}`"))
    };
    let names = Names {
        path: args.path.clone(),
        ours: name(&args.our_name, "%X", "our side"),
        theirs: name(&args.their_name, "%Y", "their side"),
    };
    let merged = if args.ancestors {
        ops::merge::merge_ancestors(files)
    } else {
        ops::merge::merge_files(files)
    };
    merged.map_err(|error| names.failure(&error))?;
    Ok(Exit::Done)
}

fn textconv(file: &Path, context: &mut Context<'_>) -> Result<Exit, Failure> {
    // Git counts lines and finds words; colours are its own.
    context.out.set_color(ColorChoice::Never);
    let prints = git::key().as_deref().and_then(Fingerprints::of_key);
    match open::read(Location::File(file.to_owned()), Access::Map, &Kept::default()) {
        Ok(opened) => git_text::write(context.out, &opened.document, prints.as_ref())?,
        Err(open::Error::Parse { source, .. }) => {
            // Where the secrets of such a file are nobody knows, so nothing of it is shown.
            let line = format!("# not shown, because it can't be read as a state: {source}");
            context.out.line(&escape(&line))?;
        }
        Err(error) => return Err(error.into()),
    }
    Ok(Exit::Done)
}
