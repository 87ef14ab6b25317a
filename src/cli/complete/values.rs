//! Values that only the state knows: addresses, outputs, and what filters can ask for.
//!
//! An argument is completed by the name of its value, as help shows it. The state is the one that
//! the line names so far, or else the one that the settings name.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::{ArgMatches, Command};
use clap_complete::CompletionCandidate;
use clap_complete::engine::{ArgValueCompleter, PathCompleter, ValueCompleter};

use super::super::args::Global;
use super::super::settings::{self, Settings};
use super::super::state::{self, StateOption};
use crate::base::env::Env;
use crate::query::filter;
use crate::state::document::{Document, Instance};
use crate::store::{self, Access, Context, Location};

/// What a word can become.
type Complete = fn(&Document, &str) -> Vec<String>;

/// Looks up what a state has of something.
type Lookup = fn(&Document) -> BTreeSet<String>;

/// The fields of a filter whose values can be looked up, and how.
const FIELDS: [(&str, Lookup); 7] = [
    ("addr", addresses),
    ("type", |state| state.resources().map(|resource| resource.kind().into_owned()).collect()),
    ("name", |state| state.resources().map(|resource| resource.name().into_owned()).collect()),
    ("module", |state| state.resources().map(|r| r.module_text().to_owned()).collect()),
    ("provider", providers),
    ("mode", |_| words(&["managed", "data"])),
    ("is", |_| words(&["managed", "data", "tainted", "deposed", "sensitive", "root"])),
];

/// Returns the definition of the command line with completion of what the state knows.
pub(super) fn completed(definition: Command, typed: &[OsString], env: &Env) -> Command {
    let request =
        Request { definition: definition.clone(), typed: typed.to_vec(), env: env.clone() };
    attach(definition, &request)
}

fn attach(command: Command, request: &Request) -> Command {
    let command = command.mut_args(|arg| {
        let name = arg.get_value_names().and_then(|names| names.first());
        match name.map_or("", |name| name.as_str()) {
            "ADDRESS" | "ADDRESS.PATH" => arg.add(request.completer(complete_address)),
            "STATE|ADDRESS" => arg.add(request.completer_or_path(complete_address)),
            "STATE|NAME" => arg.add(request.completer_or_path(complete_output)),
            "FILTER" => arg.add(request.completer(complete_filter)),
            _ => arg,
        }
    });
    command.mut_subcommands(|inner| attach(inner, request))
}

/// A line that asks for completion.
#[derive(Clone)]
struct Request {
    definition: Command,
    typed: Vec<OsString>,
    env: Env,
}

impl Request {
    fn completer(&self, complete: Complete) -> ArgValueCompleter {
        let request = self.clone();
        ArgValueCompleter::new(move |current: &OsStr| request.candidates(complete, current))
    }

    /// Completes what can also be the path of a state.
    fn completer_or_path(&self, complete: Complete) -> ArgValueCompleter {
        let request = self.clone();
        ArgValueCompleter::new(move |current: &OsStr| {
            let mut candidates = request.candidates(complete, current);
            candidates.extend(PathCompleter::any().complete(current));
            candidates
        })
    }

    /// What is wrong with a state is nothing to say while somebody is typing.
    fn candidates(&self, complete: Complete, current: &OsStr) -> Vec<CompletionCandidate> {
        let (Some(current), Some(state)) = (current.to_str(), self.state()) else {
            return Vec::new();
        };
        complete(&state, current).into_iter().map(CompletionCandidate::new).collect()
    }

    /// Opens the state that the line is about.
    fn state(&self) -> Option<Document> {
        let definition = self.definition.clone().ignore_errors(true);
        let typed = definition.try_get_matches_from(&self.typed).ok()?;
        let folder = std::env::current_dir().ok()?;
        let named = raw(&typed, "config").into_iter().next().map(PathBuf::from);
        let (config, _) = settings::read_config(named.as_deref(), &self.env, &folder).ok()?;
        let workspace = raw(&typed, "workspace").into_iter().next();
        let workspace = workspace.and_then(|name| name.into_string().ok());
        let given = raw(&typed, "backend_config").into_iter();
        let backend_config = given.filter_map(|one| one.into_string().ok()).collect();
        let global = Global { workspace, backend_config, ..Global::default() };
        let settings = Settings::resolve(&global, &self.env, config.as_ref());
        let option = StateOption { state: raw(&typed, "state").into_iter().next() };
        let (state, _) = state::split(&option, &raw(&typed, "words"));
        let state = state.or(settings.state.value.map(OsString::from));
        // Standard input is the user's keyboard.
        let state = state.filter(|state| state != "-");
        let workspace = settings.workspace.value.as_deref();
        let backend_config = &settings.backend_config;
        let context = Context { env: &self.env, workspace, backend_config, cache: None };
        let location = Location::resolve(state.as_deref(), context).ok()?;
        // Whoever presses a key does not mean to wait for a network.
        if matches!(location.present(), Location::Stored(_)) {
            return None;
        }
        Document::parse(store::read(&location, Access::Map).ok()?.bytes).ok()
    }
}

/// Returns the values of an argument of the innermost command that has it.
fn raw(matches: &ArgMatches, id: &str) -> Vec<OsString> {
    let inner = matches.subcommand().map(|(_, inner)| raw(inner, id)).unwrap_or_default();
    if !inner.is_empty() {
        return inner;
    }
    let here = matches.try_get_raw(id).ok().flatten().into_iter().flatten();
    here.map(OsStr::to_owned).collect()
}

fn complete_address(state: &Document, current: &str) -> Vec<String> {
    addresses(state).into_iter().filter(|address| address.starts_with(current)).collect()
}

fn complete_output(state: &Document, current: &str) -> Vec<String> {
    let names = state.outputs().map(|output| output.name().to_owned());
    names.filter(|name| name.starts_with(current)).collect()
}

/// Completes the last term: its field, or the last of its values.
fn complete_filter(state: &Document, current: &str) -> Vec<String> {
    let start = current.rfind([' ', '(', '|']).map_or(0, |at| at + 1);
    let term = current[start..].trim_start_matches(['-', '!']);
    let before = &current[..current.len() - term.len()];
    let Some((field, values)) = term.split_once(':') else {
        let all = field_starts().chain(addresses(state)).filter(|text| text.starts_with(term));
        return all.map(|text| format!("{before}{text}")).collect();
    };
    let Some((_, known)) = FIELDS.iter().find(|(name, _)| *name == field) else {
        return Vec::new();
    };
    let value = values.rsplit([',', '=']).next().unwrap_or_default();
    let before = &current[..current.len() - value.len()];
    let fitting = known(state).into_iter().filter(|text| text.starts_with(value));
    fitting.map(|text| format!("{before}{text}")).collect()
}

/// Returns the fields as they are typed: `type:`, but `size>`.
fn field_starts() -> impl Iterator<Item = String> {
    filter::fields().iter().map(|field| {
        let operator = field.example[field.name.len()..].chars().next();
        field.name.chars().chain(operator).collect()
    })
}

fn addresses(state: &Document) -> BTreeSet<String> {
    state.instances().map(Instance::address_text).collect()
}

fn providers(state: &Document) -> BTreeSet<String> {
    let providers = state.resources().filter_map(|resource| resource.provider()?.ok());
    providers.map(|provider| provider.source.kind).collect()
}

fn words(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use clap::Arg;

    use super::*;
    use crate::base::fs;

    const STATE: &str = r#"{"version": 4, "terraform_version": "1.9.0", "serial": 1, "lineage": "x",
      "outputs": {"vpc_id": {"value": "a", "type": "string"}},
      "resources": [
        {"mode": "managed", "type": "aws_vpc", "name": "main",
         "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
         "instances": [{"schema_version": 0, "attributes": {}}]},
        {"module": "module.net[\"a b\"]", "mode": "managed", "type": "aws_subnet", "name": "s",
         "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
         "instances": [{"index_key": "k", "schema_version": 0, "attributes": {}}]}]}"#;

    fn state() -> Document {
        Document::parse(STATE.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn addresses_and_outputs_are_completed() {
        assert_eq!(complete_address(&state(), "aws_v"), ["aws_vpc.main"]);
        assert_eq!(
            complete_address(&state(), "module"),
            [r#"module.net["a b"].aws_subnet.s["k"]"#]
        );
        assert_eq!(complete_output(&state(), "v"), ["vpc_id"]);
    }

    #[test]
    fn the_last_term_of_a_filter_is_completed() {
        let cases: [(&str, &[&str]); 9] = [
            ("ty", &["type:"]),
            ("si", &["size>"]),
            ("type:aws_v", &["type:aws_vpc"]),
            ("type:aws_vpc,aws_s", &["type:aws_vpc,aws_subnet"]),
            ("is:tainted -provider:", &["is:tainted -provider:aws"]),
            ("(mode:d", &["(mode:data"]),
            ("name:=m", &["name:=main"]),
            ("aws_vpc", &["aws_vpc.main"]),
            ("unknown:x", &[]),
        ];
        for (typed, completed) in cases {
            assert_eq!(complete_filter(&state(), typed), completed, "{typed}");
        }
    }

    #[test]
    fn the_state_is_the_one_that_the_line_names() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tfstate");
        fs::write_new(&path, STATE.as_bytes()).unwrap();
        let get = Command::new("get").arg(Arg::new("address").value_name("ADDRESS"));
        let get = get.arg(Arg::new("state").short('s').long("state"));
        let definition = Command::new("tfstate").subcommand(get);
        let path = path.to_str().unwrap();
        for words in [["get", "-s", path, "aws_v"], ["get", "--state", path, "aws_v"]] {
            let words: Vec<OsString> = ["tfstate"].iter().chain(&words).map(Into::into).collect();
            let mut completed = completed(definition.clone(), &words, &Env::default());
            let last = words.len() - 1;
            let candidates = clap_complete::engine::complete(&mut completed, words, last, None);
            let values: Vec<_> =
                candidates.unwrap().iter().map(|c| c.get_value().to_owned()).collect();
            assert_eq!(values, ["aws_vpc.main"]);
        }
    }
}
