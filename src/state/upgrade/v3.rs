//! From version 3 to version 4: entries that are instances of one resource are folded into it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::address::{self, Resource};
use super::legacy::{Entry, Module, Object, State};
use super::write::{self, Document, Instance, Nothing, Output};
use super::{Error, Note, number, output};
use crate::state::path::{Path, Step};
use crate::state::value::Value;

/// The resources found so far.
type Resources<'v> = BTreeMap<Resource<'v>, Folded<'v>>;

/// A resource that is being put together.
#[derive(Default)]
struct Folded<'v> {
    provider: String,
    /// Which module entry named the provider. Files may list one module twice.
    decided_by: Option<usize>,
    /// By index, the current object first.
    instances: BTreeMap<(Option<i64>, Option<String>), Instance<'v>>,
}

/// Rewrites a state of version 3 and tells what it drops.
pub(super) fn upgrade<'v>(state: &State<'v>, notes: &mut Vec<Note>) -> Result<Document<'v>, Error> {
    let serial = u64::try_from(state.serial).map_err(|_| Error::NegativeSerial)?;
    notes.extend(state.backend.then_some(Note::Backend));
    notes.extend(state.remote.then_some(Note::Remote));
    let mut outputs = BTreeMap::new();
    let mut resources = Resources::new();
    for (position, module) in state.modules.iter().enumerate() {
        let address = module_address(position, module)?;
        note_module(module, &address, notes);
        for (key, entry) in &module.entries {
            let (resource, index) = Resource::parse(&address, key)
                .map_err(|problem| Error::ResourceKey { at: key_path(position, key), problem })?;
            fold(&mut resources, (position, entry), (resource, index), notes)?;
        }
        if address.is_empty() {
            outputs.extend(root_outputs(module, notes));
        }
    }
    let terraform_version = match state.terraform_version {
        "" => "0.0.0",
        version => version,
    };
    let resources = resources.into_iter().map(|(resource, folded)| folded.finish(resource));
    Ok(Document {
        version: 4,
        terraform_version,
        serial,
        lineage: state.lineage,
        outputs,
        resources: resources.collect(),
        check_results: (),
    })
}

/// Returns the address of a module, empty for the root.
fn module_address(position: usize, module: &Module<'_>) -> Result<String, Error> {
    let at = |step: Option<usize>| {
        let steps = [Step::Key("modules".into()), Step::Index(position), Step::Key("path".into())];
        steps.into_iter().chain(step.map(Step::Index)).collect()
    };
    let ["root", names @ ..] = module.path.as_slice() else {
        return Err(Error::ModulePath { at: at(None) });
    };
    match names.iter().position(|name| !address::is_identifier(name)) {
        Some(bad) => Err(Error::ModuleName { at: at(Some(bad + 1)), name: names[bad].to_owned() }),
        None => Ok(address::module(names)),
    }
}

fn key_path(position: usize, key: &str) -> Path {
    let key = Step::Key(key.to_owned());
    [Step::Key("modules".into()), Step::Index(position), Step::Key("resources".into()), key]
        .into_iter()
        .collect()
}

fn note_module(module: &Module<'_>, address: &str, notes: &mut Vec<Note>) {
    let name = || address.to_owned();
    notes.extend(module.locals.then(|| Note::Locals { module: name() }));
    notes.extend(module.dependencies.then(|| Note::ModuleDependencies { module: name() }));
    let count = module.outputs.len();
    if count > 0 && !address.is_empty() {
        notes.push(Note::Outputs { module: name(), count });
    }
}

fn root_outputs<'v>(module: &Module<'v>, notes: &mut Vec<Note>) -> BTreeMap<&'v str, Output> {
    let mut outputs = BTreeMap::new();
    for (name, old) in &module.outputs {
        if output::loses_number(old.value) {
            notes.push(Note::TinyNumber { output: (*name).to_owned() });
        }
        let value = output::canonical(old.value);
        let kind = output::Type::of(&value);
        outputs.insert(*name, Output { value, kind, sensitive: old.sensitive });
    }
    outputs
}

/// Adds what one entry holds to the resource it belongs to.
fn fold<'v>(
    resources: &mut Resources<'v>,
    (position, entry): (usize, &Entry<'v>),
    (resource, index): (Resource<'v>, Option<i64>),
    notes: &mut Vec<Note>,
) -> Result<(), Error> {
    let address = resource.instance(index);
    note_entry(entry, &resource, &address, notes);
    let provider = address::provider(entry.provider, &resource).map_err(|problem| {
        let reference = if entry.provider.is_empty() { resource.kind } else { entry.provider };
        Error::Provider { address: address.clone(), provider: reference.to_owned(), problem }
    })?;
    let name = resource.to_string();
    let folded = resources.entry(resource).or_default();
    if folded.decided_by.is_none() && !address::reads_back(&provider) {
        let (address, provider) = (name.clone(), provider.clone());
        notes.push(Note::UnreadableProvider { address, provider });
    }
    notes.extend(folded.decide(provider, position, name));
    let current = entry.primary.iter().map(|object| (None, object));
    // Keys only need to differ, so counting does.
    let deposed =
        entry.deposed.iter().zip(1..).map(|(object, n)| (Some(format!("{n:08x}")), object));
    for (deposed, object) in current.chain(deposed) {
        let (instance, odd) = instance(object, index, deposed.clone());
        notes.extend(odd.then(|| Note::SchemaVersion { address: address.clone() }));
        if folded.instances.insert((index, deposed), instance).is_some() {
            return Err(Error::Duplicate { address });
        }
    }
    Ok(())
}

fn note_entry(entry: &Entry<'_>, resource: &Resource<'_>, address: &str, notes: &mut Vec<Note>) {
    let name = || address.to_owned();
    notes.extend(entry.dependencies.then(|| Note::Dependencies { address: name() }));
    if entry.tainted > 0 {
        notes.push(Note::Tainted { address: name(), count: entry.tainted });
    }
    if !entry.kind.is_empty() && entry.kind != resource.kind {
        notes.push(Note::Type { address: name(), named: entry.kind.to_owned() });
    }
}

impl<'v> Folded<'v> {
    /// Settles the provider: the first entry of the last module entry decides. Older formats had
    /// one for each instance, though only one for all of them makes sense.
    fn decide(&mut self, provider: String, position: usize, address: String) -> Option<Note> {
        let decided = self.decided_by;
        if decided.is_some() && self.provider == provider {
            self.decided_by = Some(position);
            return None;
        }
        if decided == Some(position) {
            return Some(Note::Provider {
                address,
                kept: self.provider.clone(),
                dropped: provider,
            });
        }
        self.decided_by = Some(position);
        let dropped = std::mem::replace(&mut self.provider, provider);
        decided.map(|_| Note::Provider { address, kept: self.provider.clone(), dropped })
    }

    fn finish(self, resource: Resource<'v>) -> write::Resource<'v> {
        write::Resource {
            module: resource.module,
            mode: resource.mode.name(),
            kind: resource.kind,
            name: resource.name,
            provider: self.provider,
            instances: self.instances.into_values().collect(),
        }
    }
}

/// Rewrites one object, and returns whether the version of its schema could not be read.
fn instance<'v>(
    object: &Object<'v>,
    index_key: Option<i64>,
    deposed: Option<String>,
) -> (Instance<'v>, bool) {
    let declared = object.meta.get("schema_version");
    let version = declared.and_then(|value| schema_version(value));
    let instance = Instance {
        index_key,
        status: object.tainted.then_some("tainted"),
        deposed,
        schema_version: version.unwrap_or(0),
        // Terraform writes neither member for a flat map that is there but empty.
        attributes: (object.attributes.is_none() && object.id.is_empty()).then_some(Nothing {}),
        attributes_flat: attributes(object),
        sensitive_attributes: [],
        private: private(object, version.is_some()),
    };
    (instance, declared.is_some() && version.is_none())
}

/// Reads the version of a schema, which was the providers' own affair and has no fixed form.
fn schema_version(value: &Value<'_>) -> Option<u64> {
    match value {
        Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        Value::Number(digits) => number::version(digits),
        _ => None,
    }
}

/// Returns the flat map, with the object's id in it.
fn attributes<'v>(object: &Object<'v>) -> BTreeMap<Cow<'v, str>, &'v str> {
    let mut attributes = object.attributes.clone().unwrap_or_default();
    let known = attributes.get("id").is_some_and(|id| !id.is_empty());
    if !known && !object.id.is_empty() {
        attributes.insert(Cow::Borrowed("id"), object.id);
    }
    attributes
}

/// Returns what else a provider noted down, which is handed back to it as it is.
fn private(object: &Object<'_>, without_version: bool) -> Option<String> {
    let kept =
        object.meta.iter().filter(|(key, _)| !(without_version && **key == "schema_version"));
    let members: Vec<_> =
        kept.map(|(key, value)| (Cow::Owned((*key).to_owned()), opaque(value))).collect();
    (!members.is_empty()).then(|| STANDARD.encode(write::compact(&Value::Object(members))))
}

/// Returns a value as Go keeps one it has no type for: keys sorted and unique, numbers as floats.
fn opaque(value: &Value<'_>) -> Value<'static> {
    match value {
        Value::Number(digits) => Value::Number(Cow::Owned(number::as_float(digits))),
        Value::Array(items) => Value::Array(items.iter().map(opaque).collect()),
        Value::Object(members) => {
            let sorted: BTreeMap<_, _> = members
                .iter()
                .map(|(key, value)| (Cow::<'static, str>::Owned(key.to_string()), opaque(value)))
                .collect();
            Value::Object(sorted.into_iter().collect())
        }
        Value::Null => Value::Null,
        Value::Bool(flag) => Value::Bool(*flag),
        Value::String(text) => Value::String(Cow::Owned(text.to_string())),
        Value::Sensitive => Value::Sensitive,
    }
}
