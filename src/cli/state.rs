//! How commands come by the state they are about.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::context::Context;
use super::error::Failure;
use super::progress::Progress;
use super::repository::{self, RepositoryOption};
use super::settings::Origin;
use crate::base::text::escape;
use crate::ops::earlier::Kept;
use crate::ops::open::{self, Found, Opened};
use crate::ops::session::Target;
use crate::store::{self, Access, Earlier, Location};

/// The option of commands whose subject is an address.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct StateOption {
    /// Read this state instead of the one Terraform uses here
    ///
    /// A file, `-` for standard input, a directory, or a URL. `@-1`, `@TIME`, `@serial:N` or `@ID`
    /// behind it is an earlier version.
    #[arg(short, long, value_name = "STATE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) state: Option<OsString>,
}

/// Opens the state that `reference` names: else the configured one, else that of the directory.
///
/// Warns of everything that Terraform would drop.
pub(crate) fn open(
    context: &mut Context<'_>,
    reference: Option<&OsStr>,
    access: Access,
) -> Result<Opened, Failure> {
    let found = find(context, reference, access)?;
    Ok(told(context, found.read()?))
}

/// Finds the state that `reference` names, as [`open`] does, and leaves it to be read.
pub(crate) fn find(
    context: &Context<'_>,
    reference: Option<&OsStr>,
    access: Access,
) -> Result<Found, Failure> {
    let reference = reference.map(OsStr::to_owned).or_else(|| default(context));
    let location = Location::resolve(reference.as_deref(), place(context))?;
    at(context, location, access)
}

/// Finds the state at a place, and leaves it to be read.
pub(crate) fn at(
    context: &Context<'_>,
    location: Location,
    access: Access,
) -> Result<Found, Failure> {
    let is_far = matches!(location.present(), Location::Stored(_));
    let text = format!("Reading {} …", escape(&location.name()));
    let _progress = is_far.then(|| Progress::start(context.out, text));
    let is_present = location.present() == location && !matches!(location, Location::Snapshot(_));
    let kept = if is_present { Kept::default() } else { kept(context) };
    Ok(open::at(location, access, &kept)?)
}

/// Opens the state at a place; warns of everything that Terraform would drop.
pub(crate) fn read(
    context: &mut Context<'_>,
    location: Location,
    access: Access,
) -> Result<Opened, Failure> {
    let found = at(context, location, access)?;
    Ok(told(context, found.read()?))
}

/// Warns of everything in a state that Terraform would drop.
pub(crate) fn told(context: &mut Context<'_>, opened: Opened) -> Opened {
    tracing::info!(
        state = opened.name,
        instances = opened.document.len(),
        serial = opened.document.serial(),
        "opened"
    );
    for warning in opened.document.warnings() {
        context.out.warning(&warning.to_string(), None);
    }
    for note in opened.document.notes() {
        tracing::info!(state = opened.name, "upgraded to format version 4: {note}");
    }
    opened
}

/// Finds where the state lives that `reference` names, to lock it or to change it.
pub(crate) fn target(context: &Context<'_>, reference: Option<&OsStr>) -> Result<Target, Failure> {
    let reference = reference.map(OsStr::to_owned).or_else(|| default(context));
    Ok(Target::of(&Location::resolve(reference.as_deref(), place(context))?)?)
}

/// Returns the state that the environment or the configuration names.
pub(crate) fn default(context: &Context<'_>) -> Option<OsString> {
    context.settings.state.value.as_ref().map(OsString::from)
}

/// Returns what finding a state depends on besides its reference.
///
/// A workspace that only the environment names is left to the directory: it says nothing of a file.
pub(crate) fn place<'a>(context: &'a Context<'_>) -> store::Context<'a> {
    let workspace = &context.settings.workspace;
    let is_chosen = !matches!(workspace.origin, Origin::Variable(_));
    let workspace = workspace.value.as_deref().filter(|_| is_chosen);
    let backend_config = &context.settings.backend_config;
    let cache = context.cache.as_deref();
    store::Context { env: context.env, workspace, backend_config, cache }
}

/// Returns where earlier versions are looked up that their store does not keep itself.
pub(crate) fn kept(context: &Context<'_>) -> Kept {
    let identity = context.settings.identity.value.as_ref();
    Kept {
        repository: RepositoryOption::default().vault(context).ok(),
        known: repository::known(context),
        passphrase: repository::passphrase_file(context)
            .and_then(|file| repository::passphrase(&file).ok()),
        identities: identity.map(PathBuf::from).into_iter().collect(),
    }
}

/// Splits positional words into the state and the rest.
///
/// The first word names the state where `--state` does not and the word looks like a place: an
/// existing path, standard input, a URL, or something with the ending or the separator of a path.
pub(crate) fn split(state: &StateOption, words: &[OsString]) -> (Option<OsString>, Vec<String>) {
    let texts =
        |words: &[OsString]| words.iter().map(|w| w.to_string_lossy().into_owned()).collect();
    match (&state.state, words.split_first()) {
        (Some(state), _) => (Some(state.clone()), texts(words)),
        (None, Some((first, rest))) if is_place(first) => (Some(first.clone()), texts(rest)),
        (None, _) => (None, texts(words)),
    }
}

fn is_place(word: &OsStr) -> bool {
    let Some(text) = word.to_str() else { return true };
    let endings = [".tfstate", ".gz", ".zst", ".json", ".backup"];
    text == "-"
        || Path::new(word).exists()
        || text.contains("://")
        || text.starts_with("git:")
        || text.starts_with("snapshot:")
        || endings.iter().any(|ending| text.ends_with(ending))
        || text.rsplit_once('@').is_some_and(|(of, _)| Path::new(of).exists())
        || Earlier::split(text).is_some_and(|(of, _)| of.is_empty() || is_place(of.as_ref()))
        || (text.contains('/') && !text.contains(['[', '"']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_is_a_state_only_if_it_looks_like_a_place() {
        let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        let none = StateOption::default();
        let (state, rest) = split(&none, &words(&["prod.tfstate", "module.a"]));
        assert_eq!((state, rest), (Some("prod.tfstate".into()), vec!["module.a".to_owned()]));
        let (state, rest) = split(&none, &words(&["aws_vpc.main"]));
        assert_eq!((state, rest), (None, vec!["aws_vpc.main".to_owned()]));
        let (state, rest) = split(&none, &words(&[r#"module.a["x/y"].b.c"#]));
        assert_eq!((state, rest.len()), (None, 1));
        let given = StateOption { state: Some("s".into()) };
        let (state, rest) = split(&given, &words(&["-"]));
        assert_eq!((state, rest), (Some("s".into()), vec!["-".to_owned()]));
    }
}
