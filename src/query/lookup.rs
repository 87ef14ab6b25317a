//! One value of a state, by the address and path people write in configurations:
//! `aws_vpc.main.id`, `module.net["eu"].data.aws_ami.this.tags.env`, `output.url`.
//!
//! The address is the longest one that the text begins with; what follows is the path. A resource
//! without a key stands for its only instance, whether that has a key or not; where it has several
//! the caller is told which. Deposed objects have no address of their own and are never found.
//!
//! Secrets come out as [`Value::Sensitive`] unless they are to be revealed.

use crate::base::nearest::nearest;
use crate::state::address::{self, Address, Key};
use crate::state::document::{Document, Instance, Output, Resource};
use crate::state::path::{self, Path, Step};
use crate::state::scan::SyntaxError;
use crate::state::sensitive::Reveal;
use crate::state::value::Value;

use super::reference;

/// How many names are offered in place of one that is not there.
const SUGGESTIONS: usize = 3;

/// What a lookup found.
#[derive(Clone, Debug)]
pub struct Found<'a> {
    /// Where it was found.
    pub origin: Origin<'a>,
    /// The path from there; empty for everything there is.
    pub path: Path,
    /// The value; it may be masked, or hold what is.
    pub value: Value<'a>,
}

/// What has the value that was looked for.
#[derive(Clone, Copy, Debug)]
pub enum Origin<'a> {
    /// An instance of a resource.
    Instance(Instance<'a>),
    /// An output of the root module.
    Output(Output<'a>),
}

/// A lookup that found nothing.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is no address.
    #[error("cannot read the address `{address}`")]
    Address {
        /// The part of the text that should be one.
        address: String,
        /// What is wrong with it.
        source: address::Error,
    },
    /// What follows the address is no path.
    #[error("cannot read the path `{path}`")]
    Path {
        /// The part of the text that should be one.
        path: String,
        /// What is wrong with it.
        source: path::Error,
    },
    /// The state has no such instance.
    #[error("there is no `{address}` in the state")]
    NoInstance {
        /// The address that was looked for.
        address: String,
        /// Addresses that look alike, nearest first.
        near: Vec<String>,
    },
    /// The resource has several instances, and the address does not say which.
    #[error("`{address}` has {} instances", .instances.len())]
    Ambiguous {
        /// The address that was looked for.
        address: String,
        /// The addresses it may mean.
        instances: Vec<String>,
    },
    /// The state has no such output.
    #[error("there is no output `{name}` in the state")]
    NoOutput {
        /// The name that was looked for.
        name: String,
        /// Names that look alike, nearest first.
        near: Vec<String>,
    },
    /// The instance or output has nothing at this path.
    #[error("`{origin}` has no `{path}`{}", ending(.reached, .kind))]
    NoValue {
        /// The address or output that was found.
        origin: String,
        /// The path that was looked for.
        path: Path,
        /// How much of the path there is.
        reached: Path,
        /// What is there instead: `string`, `array`, ….
        kind: &'static str,
        /// Paths that look alike, nearest first.
        near: Vec<String>,
    },
    /// The value can't be decoded.
    #[error("cannot decode `{origin}`")]
    Decode {
        /// The address or output that was found.
        origin: String,
        /// What is wrong with its JSON.
        source: SyntaxError,
    },
}

fn ending(reached: &Path, kind: &str) -> String {
    if reached.is_root() {
        return String::new();
    }
    let article = if kind.starts_with(['a', 'o']) { "an" } else { "a" };
    format!(": `{reached}` is {article} {kind}")
}

/// Finds the value that `text` names.
pub fn find<'a>(document: &'a Document, text: &str, reveal: Reveal) -> Result<Found<'a>, Error> {
    let text = text.trim();
    match text.strip_prefix("output.") {
        Some(rest) => find_output(document, rest, reveal),
        None => find_attribute(document, text, reveal),
    }
}

fn find_output<'a>(document: &'a Document, text: &str, reveal: Reveal) -> Result<Found<'a>, Error> {
    let end = text.find(['.', '[']).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let path = parse_path(rest)?;
    let Some(output) = document.output(name) else {
        let near = nearest(name, document.outputs().map(Output::name), SUGGESTIONS);
        let near = near.into_iter().map(str::to_owned).collect();
        return Err(Error::NoOutput { name: name.to_owned(), near });
    };
    let origin = format!("output.{name}");
    let value = output
        .shown_value(reveal)
        .map_err(|source| Error::Decode { origin: origin.clone(), source })?;
    let value = descend(value, &path, origin)?;
    Ok(Found { origin: Origin::Output(output), path, value })
}

fn find_attribute<'a>(
    document: &'a Document,
    text: &str,
    reveal: Reveal,
) -> Result<Found<'a>, Error> {
    let (address, rest) = text.split_at(text.len() - after_address(text).map_or(0, str::len));
    let parsed = Address::parse(address)
        .map_err(|source| Error::Address { address: address.to_owned(), source })?;
    let path = parse_path(rest)?;
    let instance = find_instance(document, &parsed)?;
    let origin = instance.address_text();
    let value = instance
        .shown_attributes(reveal)
        .map_err(|source| Error::Decode { origin: origin.clone(), source })?;
    let value = descend(value, &path, origin)?;
    Ok(Found { origin: Origin::Instance(instance), path, value })
}

/// Returns what follows the address that `text` begins with, whether it is a good one or not;
/// `None` where the text has too few parts for one.
fn after_address(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some(module) = rest.strip_prefix("module.") {
        let (_, after) = reference::part(module)?;
        rest = after.strip_prefix('.')?;
    }
    let mode = ["data.", "resource."].into_iter().find_map(|mode| rest.strip_prefix(mode));
    let (_, after_type) = reference::part(mode.unwrap_or(rest))?;
    let (_, after_name) = reference::part(after_type.strip_prefix('.')?)?;
    Some(after_name)
}

fn parse_path(rest: &str) -> Result<Path, Error> {
    let text = rest.strip_prefix('.').unwrap_or(rest);
    let fail = |source| Error::Path { path: text.to_owned(), source };
    if text.is_empty() && !rest.is_empty() {
        return Err(fail(path::Error { at: 0, problem: "a `.` with no name after it" }));
    }
    Path::parse(text).map_err(fail)
}

fn find_instance<'a>(document: &'a Document, wanted: &Address) -> Result<Instance<'a>, Error> {
    let resource = document.resources().filter(|it| {
        it.module() == &wanted.module
            && it.mode() == wanted.mode
            && it.kind() == wanted.kind
            && it.name() == wanted.name
    });
    let current: Vec<Instance<'a>> =
        resource.flat_map(Resource::instances).filter(|it| !it.is_deposed()).collect();
    let with_key = current.iter().rev().find(|it| it.key() == wanted.key);
    match (with_key, current.as_slice()) {
        (Some(&instance), _) => Ok(instance),
        (None, &[only]) if wanted.key == Key::None => Ok(only),
        (None, [_, ..]) if wanted.key == Key::None => Err(Error::Ambiguous {
            address: wanted.to_string(),
            instances: current.iter().map(|it| it.address_text()).collect(),
        }),
        (None, _) => Err(no_instance(document, wanted, &current)),
    }
}

/// Offers the other instances of the resource, then those that bear its name in other modules,
/// then what was mistyped.
fn no_instance(document: &Document, wanted: &Address, siblings: &[Instance<'_>]) -> Error {
    let address = wanted.to_string();
    let mut near: Vec<String> = siblings.iter().map(|it| it.address_text()).collect();
    let is_namesake = |it: &Instance<'_>| {
        let resource = it.resource();
        resource.kind() == wanted.kind && resource.name() == wanted.name && !it.is_deposed()
    };
    near.extend(document.instances().filter(is_namesake).map(Instance::address_text));
    if near.len() < SUGGESTIONS {
        let all: Vec<String> = document.instances().map(Instance::address_text).collect();
        let found = nearest(&address, all.iter().map(String::as_str), SUGGESTIONS);
        near.extend(found.into_iter().map(str::to_owned));
    }
    let mut seen = std::collections::HashSet::new();
    near.retain(|it| seen.insert(it.clone()));
    near.truncate(SUGGESTIONS);
    Error::NoInstance { address, near }
}

/// Follows a path; a value that is masked hides all that is inside it.
fn descend<'a>(value: Value<'a>, path: &Path, origin: String) -> Result<Value<'a>, Error> {
    let mut here = value;
    let mut reached = Path::root();
    for step in path.steps() {
        let next = match (step, &here) {
            (_, Value::Sensitive) => return Ok(Value::Sensitive),
            (Step::Key(key), Value::Object(_)) => here.get(key),
            // A map may have numbers for keys.
            (Step::Index(index), Value::Object(_)) => here.get(&index.to_string()),
            (Step::Index(index), Value::Array(items)) => items.get(*index),
            _ => None,
        };
        let Some(next) = next else {
            let (kind, near) = (here.kind(), near_paths(&here, step, &reached));
            return Err(Error::NoValue { origin, path: path.clone(), reached, kind, near });
        };
        here = next.clone();
        reached.push(step.clone());
    }
    Ok(here)
}

fn near_paths(here: &Value<'_>, step: &Step, reached: &Path) -> Vec<String> {
    let (Value::Object(members), Step::Key(key)) = (here, step) else { return Vec::new() };
    let near = nearest(key, members.iter().map(|(key, _)| key.as_ref()), SUGGESTIONS);
    let path = |key: &str| {
        let mut path = reached.clone();
        path.push(Step::Key(key.to_owned()));
        path.to_string()
    };
    near.into_iter().map(path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATE: &str = r#"{"version":4,"serial":1,"lineage":"l","outputs":{
        "url":{"value":{"host":"h","ports":[1,2.50]},"type":["object",{"host":"string","ports":["list","number"]}]},
        "pin":{"value":"S3CR3T","type":"string","sensitive":true}},
      "resources":[
        {"mode":"managed","type":"aws_vpc","name":"main","provider":"provider[\"registry.terraform.io/hashicorp/aws\"]",
         "instances":[{"schema_version":0,"attributes":{"id":"vpc-1","tags":{"env":"prod","a.b":"x","80":"y"}}}]},
        {"mode":"managed","type":"aws_subnet","name":"s","provider":"provider[\"registry.terraform.io/hashicorp/aws\"]",
         "instances":[{"index_key":"eu.1","schema_version":0,"attributes":{"id":"s-1"}},
                      {"index_key":"us","schema_version":0,"attributes":{"id":"s-2"}}]},
        {"mode":"managed","type":"aws_eip","name":"one","provider":"provider[\"registry.terraform.io/hashicorp/aws\"]",
         "instances":[{"index_key":0,"schema_version":0,"attributes":{"id":"e-1"}},
                      {"index_key":0,"deposed":"00000001","schema_version":0,"attributes":{"id":"old"}}]},
        {"module":"module.net[\"eu\"]","mode":"data","type":"aws_ami","name":"this","provider":"provider[\"registry.terraform.io/hashicorp/aws\"]",
         "instances":[{"schema_version":0,"attributes":{"id":"ami-1","password":"S3CR3T","n":1.50}}]}]}"#;

    fn get(text: &str) -> Result<String, Error> {
        let document = Document::parse(STATE.as_bytes().to_vec()).unwrap();
        find(&document, text, Reveal::No).map(|found| found.value.to_json())
    }

    #[test]
    fn values_are_found_by_address_and_path() {
        let cases = [
            ("aws_vpc.main.id", r#""vpc-1""#),
            ("aws_vpc.main.tags.env", r#""prod""#),
            (r#"aws_vpc.main.tags["a.b"]"#, r#""x""#),
            ("aws_vpc.main.tags.80", r#""y""#),
            (r#"aws_subnet.s["eu.1"].id"#, r#""s-1""#),
            ("aws_eip.one[0].id", r#""e-1""#),
            ("aws_eip.one.id", r#""e-1""#),
            (r#"module.net["eu"].data.aws_ami.this.n"#, "1.50"),
            (r#" aws_subnet.s["us"] "#, r#"{"id":"s-2"}"#),
            ("output.url.ports[1]", "2.50"),
            ("output.url.host", r#""h""#),
            ("output.pin", r#"{"sensitive":true}"#),
            ("output.pin.inner", r#"{"sensitive":true}"#),
            (r#"module.net["eu"].data.aws_ami.this.password"#, r#"{"sensitive":true}"#),
        ];
        for (text, json) in cases {
            assert_eq!(get(text).as_deref(), Ok(json), "{text}");
        }
    }

    #[test]
    fn secrets_are_found_when_they_are_to_be_revealed() {
        let document = Document::parse(STATE.as_bytes().to_vec()).unwrap();
        let found = find(&document, "output.pin", Reveal::Yes).unwrap();
        assert_eq!(found.value.as_str(), Some("S3CR3T"));
        assert!(matches!(found.origin, Origin::Output(output) if output.name() == "pin"));
    }

    #[test]
    fn what_is_not_there_is_named_with_what_is_near() {
        let Err(Error::NoInstance { near, .. }) = get("aws_vpc.mian.id") else { panic!() };
        assert_eq!(near, ["aws_vpc.main"]);
        let Err(Error::NoInstance { near, .. }) = get("data.aws_ami.this.id") else { panic!() };
        assert_eq!(near, [r#"module.net["eu"].data.aws_ami.this"#]);
        let Err(Error::NoInstance { near, .. }) = get(r#"aws_subnet.s["de"].id"#) else { panic!() };
        assert_eq!(near, [r#"aws_subnet.s["eu.1"]"#, r#"aws_subnet.s["us"]"#]);
        let Err(Error::NoOutput { near, .. }) = get("output.ulr") else { panic!() };
        assert_eq!(near, ["url"]);
    }

    #[test]
    fn an_address_of_several_instances_lists_them() {
        let error = get("aws_subnet.s.id").unwrap_err();
        assert_eq!(error.to_string(), "`aws_subnet.s` has 2 instances");
        let Error::Ambiguous { instances, .. } = error else { panic!() };
        assert_eq!(instances, [r#"aws_subnet.s["eu.1"]"#, r#"aws_subnet.s["us"]"#]);
    }

    #[test]
    fn a_path_that_ends_early_says_how_far_it_goes() {
        let error = get("aws_vpc.main.tags.evn").unwrap_err();
        let said = "`aws_vpc.main` has no `tags.evn`: `tags` is an object";
        assert_eq!(error.to_string(), said);
        assert!(matches!(error, Error::NoValue { near, .. } if near == ["tags.env"]));
        let error = get("aws_vpc.main.id.x").unwrap_err();
        assert_eq!(error.to_string(), "`aws_vpc.main` has no `id.x`: `id` is a string");
        let error = get("aws_vpc.main.nothing").unwrap_err();
        assert_eq!(error.to_string(), "`aws_vpc.main` has no `nothing`");
    }

    #[test]
    fn what_is_no_address_or_path_is_refused() {
        for text in ["", "aws_vpc", "module.net", "module", "data.x", "aws_subnet.s[eu].id", "a..b"]
        {
            assert!(matches!(get(text), Err(Error::Address { .. })), "{text}");
        }
        for text in ["aws_vpc.main.", "aws_vpc.main.a..b", "output.url[", "output.url."] {
            assert!(matches!(get(text), Err(Error::Path { .. })), "{text}");
        }
    }

    #[test]
    fn attributes_that_nest_too_deep_can_not_be_decoded() {
        let deep = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
        let state = STATE.replace(r#""vpc-1""#, &deep);
        let document = Document::parse(state.into_bytes()).unwrap();
        let found = find(&document, "aws_vpc.main.id", Reveal::No);
        assert!(matches!(found, Err(Error::Decode { .. })));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[a-z.\\[\\]\"\\\\ éa0]{0,24}|\\PC{0,24}") {
            drop(get(&text));
            drop(get(&format!("module.{text}")));
        }
    }
}
