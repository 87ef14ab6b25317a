//! What providers say of their resources: the output of `terraform providers schema -json`.
//!
//! Such a file is large, 30 MB and more for one cloud, and of a thousand types a state has twenty.
//! So the file is walked once to note where each type stands, and a type is decoded when somebody
//! asks for it.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use super::address::Mode;
use super::bytes::Bytes;
use super::parse::Place;
use super::path::{Path, Step};
use super::provider::{LEGACY, Source};
use super::scan::{Scanner, SyntaxError};
use super::value::Value;

/// The major version of the format that is understood. Terraform 0.12 to 1.0 wrote `0.1` and
/// `0.2`, which differ in nothing that is read here.
const FORMAT: u64 = 1;

/// Bytes that are not the output of `terraform providers schema -json`.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// They are no JSON.
    #[error("{place}: {problem}")]
    Syntax {
        /// Where.
        place: Place,
        /// What is wrong there.
        problem: SyntaxError,
    },
    /// They are JSON, but hold no schemas.
    #[error("this is {0}, and not provider schemas")]
    NotSchemas(&'static str),
    /// A later Terraform wrote them, in a format that may mean something else.
    #[error("the format version is {0}, and this tool knows {FORMAT}")]
    Version(String),
}

/// The schemas of some providers.
#[derive(Debug)]
pub struct Schemas {
    bytes: Bytes,
    /// Where each type stands, for each provider that has it.
    places: Places,
    /// What was decoded, by where it begins.
    decoded: Mutex<HashMap<usize, Option<Arc<Schema>>>>,
}

impl Schemas {
    /// Reads the output of `terraform providers schema -json`, and decodes nothing yet.
    pub fn parse(bytes: impl Into<Bytes>) -> Result<Self, Error> {
        let bytes = bytes.into();
        let syntax = |problem: SyntaxError| Error::Syntax {
            place: Place::of(&bytes, problem.offset),
            problem,
        };
        let envelope = Envelope::read(&bytes).map_err(syntax)?;
        if let Some(version) = envelope.version.filter(|text| major(text) > Some(FORMAT)) {
            return Err(Error::Version(version));
        }
        if !envelope.has_schemas {
            return Err(Error::NotSchemas(envelope.lookalike));
        }
        let places = envelope.places;
        Ok(Self { bytes, places, decoded: Mutex::default() })
    }

    /// Returns the schema of a type, as the provider of this source has it.
    ///
    /// The host of the registry may be another, since OpenTofu has its own. A state from before
    /// Terraform 0.13 does not say the namespace, and then the type decides.
    pub fn find(&self, provider: &Source, mode: Mode, kind: &str) -> Option<Arc<Schema>> {
        let candidates = self.places.get(&(mode, kind.to_owned()))?;
        let is_same = |source: &Source| {
            let unknown = provider.namespace == LEGACY;
            source.kind == provider.kind && (unknown || source.namespace == provider.namespace)
        };
        let exact = candidates.iter().find(|(source, _)| source == provider);
        let (_, place) = exact.or_else(|| candidates.iter().find(|(s, _)| is_same(s)))?;
        let mut decoded = self.decoded.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = decoded.entry(place.start);
        entry.or_insert_with(|| Schema::decode(&self.bytes[place.clone()]).map(Arc::new)).clone()
    }

    /// Returns how many types there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Returns whether no type is there.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }
}

/// The places of each type, with the provider that has it.
type Places = HashMap<(Mode, String), Vec<(Source, Range<usize>)>>;

/// What stands at the top of the file.
#[derive(Debug)]
struct Envelope {
    version: Option<String>,
    has_schemas: bool,
    /// What the file seems to be where it holds no schemas.
    lookalike: &'static str,
    places: Places,
}

impl Envelope {
    fn read(bytes: &[u8]) -> Result<Self, SyntaxError> {
        let mut envelope = Self {
            version: None,
            has_schemas: false,
            lookalike: "some other JSON",
            places: Places::new(),
        };
        let mut scanner = Scanner::new(bytes);
        if scanner.peek() != Some(b'{') {
            scanner.value()?;
            scanner.end()?;
            return Ok(envelope);
        }
        each_member(&mut scanner, |key, scanner| {
            match key {
                "format_version" => envelope.version = string(scanner.value()?),
                "provider_schemas" => {
                    envelope.has_schemas = true;
                    each_member(scanner, |provider, scanner| {
                        envelope.read_provider(provider, scanner)
                    })?;
                }
                other => {
                    envelope.lookalike = lookalike(other).unwrap_or(envelope.lookalike);
                    scanner.value()?;
                }
            }
            Ok(())
        })?;
        scanner.end()?;
        // No provider is in use where there is no key for them.
        let is_bare = envelope.version.is_some() && envelope.lookalike == "some other JSON";
        envelope.has_schemas |= is_bare;
        Ok(envelope)
    }

    fn read_provider(
        &mut self,
        provider: &str,
        scanner: &mut Scanner<'_>,
    ) -> Result<(), SyntaxError> {
        let source = Source::parse(provider).ok();
        each_member(scanner, |part, scanner| {
            let mode = match part {
                "resource_schemas" => Mode::Managed,
                "data_source_schemas" => Mode::Data,
                _ => return scanner.value().map(drop),
            };
            each_member(scanner, |kind, scanner| {
                let length = scanner.value()?.len();
                if let Some(source) = &source {
                    let place = scanner.pos() - length..scanner.pos();
                    let known = self.places.entry((mode, kind.to_owned())).or_default();
                    known.push((source.clone(), place));
                }
                Ok(())
            })
        })
    }
}

/// Calls `visit` for each member of an object with the scanner before its value; passes over
/// anything else.
fn each_member<'a>(
    scanner: &mut Scanner<'a>,
    mut visit: impl FnMut(&str, &mut Scanner<'a>) -> Result<(), SyntaxError>,
) -> Result<(), SyntaxError> {
    if scanner.peek() != Some(b'{') {
        return scanner.value().map(drop);
    }
    scanner.open_object()?;
    let mut first = true;
    while let Some(key) = scanner.next_key(&mut first)? {
        visit(&key.decode_lossy(), scanner)?;
    }
    Ok(())
}

fn string(raw: &[u8]) -> Option<String> {
    Some(Value::parse_lossy(raw).ok()?.as_str()?.to_owned())
}

fn major(version: &str) -> Option<u64> {
    version.split('.').next()?.parse().ok()
}

/// Returns what a file is that has this key at its top.
fn lookalike(key: &str) -> Option<&'static str> {
    match key {
        "lineage" | "serial" | "resources" => Some("a state"),
        "planned_values" | "resource_changes" => Some("a plan"),
        "values" => Some("the output of `terraform show -json`"),
        "root_module" | "configuration" => Some("a configuration"),
        _ => None,
    }
}

/// The schema of one type.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Schema {
    root: Node,
}

/// A value as the schema has it.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Node {
    sensitive: bool,
    /// Whether the provider alone decides what it is.
    computed: bool,
    shape: Shape,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Shape {
    Leaf,
    Object(BTreeMap<String, Node>),
    Map(Box<Node>),
    List(Box<Node>),
    Set(Box<Node>),
    Tuple(Vec<Node>),
}

impl From<Shape> for Node {
    fn from(shape: Shape) -> Self {
        Self { sensitive: false, computed: false, shape }
    }
}

impl Schema {
    /// Returns whether the list at this path is a set.
    pub fn is_set(&self, path: &Path) -> bool {
        let last = self.way(path).last().flatten();
        last.is_some_and(|node| matches!(node.shape, Shape::Set(_)))
    }

    /// Returns whether the provider alone decides what is at this path: nobody can set it.
    pub fn is_computed(&self, path: &Path) -> bool {
        self.way(path).flatten().any(|node| node.computed)
    }

    /// Returns where in `attributes` the schema says that something is secret.
    pub fn sensitive(&self, attributes: &Value<'_>) -> Vec<Path> {
        let mut found = Vec::new();
        self.root.find_sensitive(attributes, &mut Path::root(), &mut found);
        found
    }

    /// Returns the nodes on the way to a path; `None` for each step that the schema does not know.
    fn way<'s>(&'s self, path: &'s Path) -> impl Iterator<Item = Option<&'s Node>> {
        let next = |here: &mut Option<&'s Node>, step: &Step| {
            *here = here.and_then(|node| node.inner(step));
            Some(*here)
        };
        path.steps().iter().scan(Some(&self.root), next)
    }

    fn decode(raw: &[u8]) -> Option<Self> {
        let schema = Value::parse_lossy(raw).ok()?;
        Some(Self { root: block(schema.get("block")?) })
    }
}

impl Node {
    fn inner(&self, step: &Step) -> Option<&Self> {
        match (&self.shape, step) {
            (Shape::Object(members), Step::Key(key)) => members.get(key),
            (Shape::Map(inner), Step::Key(_))
            | (Shape::List(inner) | Shape::Set(inner), Step::Index(_)) => Some(inner),
            (Shape::Tuple(items), Step::Index(at)) => items.get(*at),
            _ => None,
        }
    }

    fn find_sensitive(&self, value: &Value<'_>, path: &mut Path, found: &mut Vec<Path>) {
        if self.sensitive {
            return found.push(path.clone());
        }
        let mut enter = |step: Step, value: &Value<'_>| {
            if let Some(node) = self.inner(&step) {
                path.push(step);
                node.find_sensitive(value, path, found);
                path.pop();
            }
        };
        match value {
            Value::Object(members) => {
                for (key, inner) in members {
                    enter(Step::Key(key.to_string()), inner);
                }
            }
            Value::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    enter(Step::Index(at), item);
                }
            }
            _ => {}
        }
    }
}

fn is_true(value: &Value<'_>, key: &str) -> bool {
    value.get(key) == Some(&Value::Bool(true))
}

fn members<'v>(value: &'v Value<'_>, key: &str) -> &'v [(std::borrow::Cow<'v, str>, Value<'v>)] {
    match value.get(key) {
        Some(Value::Object(members)) => members,
        _ => &[],
    }
}

fn block(value: &Value<'_>) -> Node {
    let mut nodes = attributes(value);
    for (name, nested) in members(value, "block_types") {
        let inner = nested.get("block").map_or_else(|| Shape::Leaf.into(), block);
        nodes.insert(name.to_string(), nest(nested, inner));
    }
    Shape::Object(nodes).into()
}

fn attributes(value: &Value<'_>) -> BTreeMap<String, Node> {
    let named = |(name, inner): &(std::borrow::Cow<'_, str>, Value<'_>)| {
        (name.to_string(), attribute(inner))
    };
    members(value, "attributes").iter().map(named).collect()
}

fn attribute(value: &Value<'_>) -> Node {
    let node = match (value.get("nested_type"), value.get("type")) {
        (Some(nested), _) => nest(nested, Shape::Object(attributes(nested)).into()),
        (None, Some(kind)) => of_type(kind),
        (None, None) => Shape::Leaf.into(),
    };
    let computed = is_true(value, "computed") && !is_true(value, "optional");
    Node { sensitive: is_true(value, "sensitive"), computed, ..node }
}

fn nest(nested: &Value<'_>, inner: Node) -> Node {
    match nested.get("nesting_mode").and_then(Value::as_str) {
        Some("list") => Shape::List(Box::new(inner)).into(),
        Some("set") => Shape::Set(Box::new(inner)).into(),
        Some("map") => Shape::Map(Box::new(inner)).into(),
        _ => inner,
    }
}

/// Reads Terraform's own spelling of types: `"string"`, `["set", "string"]`.
fn of_type(kind: &Value<'_>) -> Node {
    let Value::Array(parts) = kind else { return Shape::Leaf.into() };
    let [Value::String(name), inner, ..] = parts.as_slice() else { return Shape::Leaf.into() };
    let boxed = || Box::new(of_type(inner));
    match (&**name, inner) {
        ("list", _) => Shape::List(boxed()).into(),
        ("set", _) => Shape::Set(boxed()).into(),
        ("map", _) => Shape::Map(boxed()).into(),
        ("object", Value::Object(members)) => {
            let members = members.iter().map(|(key, kind)| (key.to_string(), of_type(kind)));
            Shape::Object(members.collect()).into()
        }
        ("tuple", Value::Array(items)) => Shape::Tuple(items.iter().map(of_type).collect()).into(),
        _ => Shape::Leaf.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{"format_version":"1.0","provider_schemas":{
        "registry.terraform.io/acme/acme":{"provider":{"version":0,"block":{}},
        "data_source_schemas":{"x":{"version":0,"block":{}}},
        "resource_schemas":{"x":{"version":1,"block":{
            "attributes":{
                "id":{"type":"string","computed":true},
                "pins":{"type":["set","number"],"optional":true,"computed":true},
                "deep":{"type":["list",["object",{"s":["set","string"],"l":["list","string"]}]]},
                "key":{"type":"string","sensitive":true},
                "nest":{"nested_type":{"nesting_mode":"set","attributes":{
                    "pin":{"type":"string","sensitive":true},"n":{"type":"number"}}}}},
            "block_types":{
                "rule":{"nesting_mode":"set","block":{"attributes":{"w":{"type":["list","string"]}}}},
                "only":{"nesting_mode":"single","block":{"attributes":{"t":{"type":["set","bool"]}}}}}
        }}}}}}"#;

    fn find(provider: &str, mode: Mode) -> Option<Arc<Schema>> {
        let schemas = Schemas::parse(FILE.as_bytes()).unwrap();
        schemas.find(&Source::parse(provider).unwrap(), mode, "x")
    }

    fn path(text: &str) -> Path {
        Path::parse(text).unwrap()
    }

    #[test]
    fn sets_are_known_wherever_they_are() {
        let schema = find("acme/acme", Mode::Managed).unwrap();
        for set in ["pins", "deep[3].s", "nest", "rule", "only.t"] {
            assert!(schema.is_set(&path(set)), "{set}");
        }
        for other in ["id", "deep", "deep[0].l", "rule[0].w", "rule[0]", "nothing", "pins[0]", ""] {
            assert!(!schema.is_set(&path(other)), "{other}");
        }
    }

    #[test]
    fn secrets_are_found_where_there_are_some() {
        let schema = find("acme/acme", Mode::Managed).unwrap();
        let value = r#"{"key":"s","nest":[{"n":1},{"pin":"s"}],"other":1}"#;
        let found = schema.sensitive(&Value::parse(value.as_bytes()).unwrap());
        assert_eq!(found, [path("key"), path("nest[1].pin")]);
    }

    #[test]
    fn computed_is_what_nobody_can_set() {
        let schema = find("acme/acme", Mode::Managed).unwrap();
        assert!(schema.is_computed(&path("id")));
        assert!(!schema.is_computed(&path("pins")) && !schema.is_computed(&path("key")));
    }

    #[test]
    fn the_provider_and_the_mode_decide_which_schema_it_is() {
        assert!(find("registry.opentofu.org/acme/acme", Mode::Managed).is_some());
        assert!(find("other/acme", Mode::Managed).is_none());
        let data = find("acme/acme", Mode::Data).unwrap();
        assert!(!data.is_set(&path("pins")));
    }

    #[test]
    fn a_file_of_another_kind_is_told_by_what_it_is() {
        let told = |text: &str| Schemas::parse(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(
            told(r#"{"version":4,"serial":1}"#),
            "this is a state, and not provider schemas"
        );
        assert_eq!(told("[]"), "this is some other JSON, and not provider schemas");
        assert_eq!(told("{\n\"a\" 1}"), "line 2, column 5: expected `:`");
        assert_eq!(
            told(r#"{"format_version":"2.0","provider_schemas":{}}"#),
            "the format version is 2.0, and this tool knows 1"
        );
        assert!(Schemas::parse(&br#"{"format_version":"1.0"}"#[..]).unwrap().is_empty());
    }
}
