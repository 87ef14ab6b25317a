//! The document: the bytes of a state and an index into them.

use std::borrow::Cow;
use std::sync::OnceLock;

use super::address::{self, Address, Key, Mode, ModulePath};
use super::bytes::Bytes;
use super::details::Details;
use super::index::{Index, InstanceEntry, Marks, OutputEntry, Resources};
use super::locate::{self, Head};
use super::parse::{self, Like, ParseError, Warning};
use super::provider::{self, ProviderConfig};
use super::scan::{Scanner, SyntaxError, Text};
use super::upgrade::{self, Note};
use super::value::Value;

/// A state: the bytes as they came, and where everything stands in them.
///
/// Opening checks the whole text once. Attributes, identities and everything else that is not
/// needed to name an instance stay as raw bytes and are decoded when somebody asks.
#[derive(Clone, Debug)]
pub struct Document {
    original: Bytes,
    /// What the index counts in: `original`, or its upgrade to version 4.
    bytes: Bytes,
    version: u64,
    notes: Vec<Note>,
    index: Index,
    /// The document that `index.body.copies` are copies of.
    like: Option<Bytes>,
    /// The modules of the index, parsed when somebody asks for a path.
    paths: OnceLock<Vec<ModulePath>>,
}

impl Document {
    /// Reads a state of any version that Terraform reads.
    pub fn parse(bytes: impl Into<Bytes>) -> Result<Self, ParseError> {
        Self::read(bytes.into(), None)
    }

    /// Reads a state that probably has much in common with another, of which it is an older or a
    /// newer one: what is equal, byte for byte, is not read again.
    ///
    /// The result is that of [`parse`](Self::parse), sooner.
    pub fn parse_beside(bytes: impl Into<Bytes>, other: &Self) -> Result<Self, ParseError> {
        // What was warned of in the other one has to be found in this one too.
        Self::read(bytes.into(), Some(other).filter(|other| other.warnings().is_empty()))
    }

    fn read(original: Bytes, other: Option<&Self>) -> Result<Self, ParseError> {
        let like = other.map(|other| Like {
            bytes: &other.bytes,
            resources: &other.index.body,
            is_sorted: other.index.is_sorted,
        });
        let version = match parse::version(&original)? {
            4 => match parse::read_v4(&original, like)? {
                Some(index) => {
                    return Ok(Self {
                        bytes: original.clone(),
                        original,
                        version: 4,
                        notes: Vec::new(),
                        index,
                        like: other.map(|other| other.bytes.clone()),
                        paths: OnceLock::new(),
                    });
                }
                None => parse::last_version(&original)?,
            },
            version => version,
        };
        Self::of_version(version, original)
    }

    /// Reads a state whose last `version` is known.
    fn of_version(version: u64, original: Bytes) -> Result<Self, ParseError> {
        let (bytes, notes) = match version {
            4 => (original.clone(), Vec::new()),
            1..=3 => {
                let upgraded = upgrade::to_v4(&original, version)
                    .map_err(|source| ParseError::Upgrade { version, source })?;
                (Bytes::from(upgraded.bytes), upgraded.notes)
            }
            _ => return Err(unsupported(&original, version)),
        };
        let index = parse::read_v4(&bytes, None)?.unwrap_or_default();
        Ok(Self { original, bytes, version, notes, index, like: None, paths: OnceLock::new() })
    }

    /// Returns the bytes as they came in.
    #[expect(clippy::misnamed_getters, reason = "`bytes` are those of the upgrade")]
    pub fn bytes(&self) -> &[u8] {
        &self.original
    }

    /// Writes the document; one that was not edited comes out as it came in.
    pub fn write(&self, out: &mut impl std::io::Write) -> std::io::Result<()> {
        out.write_all(&self.original)
    }

    /// Returns the format version of the bytes that came in.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Returns the version of the last writer; empty where the state does not say.
    pub fn terraform_version(&self) -> &str {
        &self.index.header.terraform_version
    }

    /// Returns the serial, which counts the changes of a lineage.
    pub fn serial(&self) -> u64 {
        self.index.header.serial
    }

    /// Returns the lineage, which all states of one history share; it may be empty.
    pub fn lineage(&self) -> &str {
        &self.index.header.lineage
    }

    /// Returns what Terraform would drop, or read otherwise than it looks.
    pub fn warnings(&self) -> &[Warning] {
        &self.index.warnings
    }

    /// Returns what the upgrade from an old format version could not keep.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Returns the raw array `check_results`, where there is one.
    pub fn check_results(&self) -> Option<&[u8]> {
        self.bytes.get(self.index.checks.clone()?)
    }

    /// Returns the outputs of the root module in the order of the document.
    pub fn outputs(&self) -> impl ExactSizeIterator<Item = Output<'_>> {
        self.index.outputs.iter().map(|entry| Output { document: self, entry })
    }

    /// Returns the output of this name.
    pub fn output(&self, name: &str) -> Option<Output<'_>> {
        self.outputs().find(|output| output.name() == name)
    }

    fn paths(&self) -> &[ModulePath] {
        let modules = self.index.body.modules.iter();
        self.paths.get_or_init(|| modules.map(module_path).collect())
    }

    /// Returns the module instances that have resources, in no particular order.
    pub fn modules(&self) -> impl ExactSizeIterator<Item = (&ModulePath, &str)> {
        self.paths().iter().zip(self.index.body.modules.iter())
    }

    /// Returns the resources in the order of the document.
    pub fn resources(&self) -> impl ExactSizeIterator<Item = Resource<'_>> {
        (0..self.index.body.elements.len()).map(|number| Resource { document: self, number })
    }

    /// Returns how many instances there are, deposed objects included.
    pub fn len(&self) -> usize {
        self.index.body.instances.len()
    }

    /// Returns whether there is no instance.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns all instances in Terraform's order, deposed objects behind their current one.
    pub fn instances(&self) -> impl ExactSizeIterator<Item = Instance<'_>> {
        Instances { document: self, at: 0, place: 0, together: 0, number: 0, own: 0..0 }
    }

    /// Returns the instance at a place of [`instances`](Self::instances).
    ///
    /// # Panics
    ///
    /// Where `at` is not less than [`len`](Self::len).
    pub fn instance(&self, at: usize) -> Instance<'_> {
        assert!(at < self.len(), "there are {} instances", self.len());
        let (place, _) = self.index.place(at);
        Instance { document: self, number: self.index.body.element_of(place), place }
    }
}

/// A walk over all instances in Terraform's order.
#[derive(Clone, Debug)]
struct Instances<'a> {
    document: &'a Document,
    /// How many were returned.
    at: usize,
    /// Where the next one is, and how many from there on are listed one after the other.
    place: usize,
    together: usize,
    /// The resource that the last one is of, and the places of its instances.
    number: usize,
    own: std::ops::Range<usize>,
}

impl<'a> Iterator for Instances<'a> {
    type Item = Instance<'a>;

    fn next(&mut self) -> Option<Instance<'a>> {
        let body = &self.document.index.body;
        if self.at == self.document.len() {
            return None;
        }
        if self.together == 0 {
            (self.place, self.together) = self.document.index.place(self.at);
        }
        if !self.own.contains(&self.place) {
            let next = body.instances_of(self.number + 1);
            self.number = if next.contains(&self.place) {
                self.number + 1
            } else {
                body.element_of(self.place)
            };
            self.own = body.instances_of(self.number);
        }
        let found = Instance { document: self.document, number: self.number, place: self.place };
        self.at += 1;
        self.place += 1;
        self.together -= 1;
        Some(found)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.document.len() - self.at;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Instances<'_> {}

/// Says why a version is refused, with who wrote it.
fn unsupported(bytes: &[u8], version: u64) -> ParseError {
    let writer = Value::parse(bytes)
        .ok()
        .and_then(|top| top.get("terraform_version")?.as_str().map(str::to_owned));
    ParseError::UnsupportedVersion { version, writer }
}

/// One element of `resources`: a resource with its instances in one module instance.
#[derive(Clone, Copy, Debug)]
pub struct Resource<'a> {
    document: &'a Document,
    number: usize,
}

impl<'a> Resource<'a> {
    fn body(self) -> &'a Resources {
        &self.document.index.body
    }

    fn head(self) -> Head<'a> {
        let start = self.body().elements[self.number].start as usize;
        Head::read(&self.document.bytes, start, self.body().is_plain)
    }

    /// Returns the module instance it is in.
    pub fn module(self) -> &'a ModulePath {
        &self.document.paths()[self.module_number()]
    }

    /// Returns the module as printed: `module.net["eu"]`, empty for the root module.
    pub fn module_text(self) -> &'a str {
        &self.body().modules[self.module_number()]
    }

    /// Returns a number that all resources of one module instance of the document share.
    pub fn module_number(self) -> usize {
        self.body().module_of(self.number)
    }

    /// Returns whether both are one resource, which may stand in several elements.
    pub fn is_same_as(self, other: Resource<'_>) -> bool {
        if std::ptr::eq(self.document, other.document) && self.number == other.number {
            return true;
        }
        let (own, others) = (self.head(), other.head());
        self.module_text() == other.module_text()
            && own.mode == others.mode
            && own.kind.decode_lossy() == others.kind.decode_lossy()
            && own.name.decode_lossy() == others.name.decode_lossy()
    }

    /// Returns whether it was found to be, byte for byte, a resource of the document that its own
    /// was [read beside](Document::parse_beside).
    pub fn is_copy_of(self, other: Resource<'_>) -> bool {
        let is_like = |like: &Bytes| like.as_ptr_range() == other.document.bytes.as_ptr_range();
        if !self.document.like.as_ref().is_some_and(is_like) {
            return false;
        }
        let copies = &self.body().copies;
        let next = copies.partition_point(|run| run.here as usize <= self.number);
        let run = next.checked_sub(1).map(|at| copies[at]);
        run.is_some_and(|run| {
            let behind = self.number - run.here as usize;
            behind < run.count as usize && run.there as usize + behind == other.number
        })
    }

    /// Returns whether it is managed or a data source.
    pub fn mode(self) -> Mode {
        self.head().mode
    }

    /// Returns the type, such as `aws_instance`.
    pub fn kind(self) -> Cow<'a, str> {
        self.head().kind.decode_lossy()
    }

    /// Returns the name.
    pub fn name(self) -> Cow<'a, str> {
        self.head().name.decode_lossy()
    }

    /// Returns the provider configuration as the state writes it.
    pub fn provider_text(self) -> Option<Cow<'a, str>> {
        self.head().provider.map(|text| text.decode_lossy())
    }

    /// Returns the provider configuration.
    pub fn provider(self) -> Option<Result<ProviderConfig, provider::Error>> {
        self.provider_text().map(|text| text.parse())
    }

    /// Returns how many bytes of the document it takes.
    pub fn size(self) -> usize {
        self.raw().len()
    }

    /// Returns its bytes in the document: the whole element of `resources`.
    pub fn raw(self) -> &'a [u8] {
        self.body().element_bytes(&self.document.bytes, self.number).unwrap_or_default()
    }

    /// Returns the offset of its first byte in the version 4 document.
    pub fn offset(self) -> usize {
        self.body().elements.get(self.number).map_or(0, |entry| entry.start as usize)
    }

    /// Returns its instances in the order of the document.
    pub fn instances(self) -> impl ExactSizeIterator<Item = Instance<'a>> {
        let Self { document, number } = self;
        self.body().instances_of(number).map(move |place| Instance { document, number, place })
    }

    /// Appends its address, which is that of its instances before their keys.
    pub fn push_address(self, out: &mut String) {
        push_address(out, self.module_text(), &self.head());
    }
}

fn push_address(out: &mut String, module: &str, head: &Head<'_>) {
    out.push_str(module);
    if !module.is_empty() {
        out.push('.');
    }
    if head.mode == Mode::Data {
        out.push_str("data.");
    }
    out.push_str(&head.kind.decode_lossy());
    out.push('.');
    out.push_str(&head.name.decode_lossy());
}

/// One object of a resource: the current one of an instance key, or a deposed one.
#[derive(Clone, Copy, Debug)]
pub struct Instance<'a> {
    document: &'a Document,
    /// Place of its resource in the index.
    number: usize,
    /// Its own place in the index.
    place: usize,
}

impl<'a> Instance<'a> {
    fn entry(self) -> InstanceEntry {
        self.document.index.body.instances[self.place]
    }

    fn has(self, mark: Marks) -> bool {
        self.entry().marks().has(mark)
    }

    /// Returns the resource it belongs to.
    pub fn resource(self) -> Resource<'a> {
        Resource { document: self.document, number: self.number }
    }

    /// Returns a number that tells the resources of the document apart.
    pub fn resource_number(self) -> usize {
        self.number
    }

    /// Returns how many instances of its resource stand before it.
    pub fn number_in_resource(self) -> usize {
        self.place - self.document.index.body.instances_of(self.number).start
    }

    /// Returns the instance key.
    pub fn key(self) -> Key {
        instance_key(&self.document.bytes, self.entry())
    }

    /// Returns the address; deposed objects have that of their current one.
    pub fn address(self) -> Address {
        let resource = self.resource();
        Address {
            module: resource.module().clone(),
            mode: resource.mode(),
            kind: resource.kind().into_owned(),
            name: resource.name().into_owned(),
            key: self.key(),
        }
    }

    /// Appends the address as Terraform prints it.
    pub fn push_address(self, out: &mut String) {
        self.resource().push_address(out);
        self.push_key(out);
    }

    /// Appends the end of the address, in which the instances of a resource differ.
    pub fn push_key(self, out: &mut String) {
        address::push_key(out, &self.key());
    }

    /// Returns the address as Terraform prints it.
    pub fn address_text(self) -> String {
        // Room for nearly all, as a search through the addresses makes one for each instance.
        let mut text = String::with_capacity(self.resource().module_text().len() + 64);
        self.push_address(&mut text);
        text
    }

    /// Returns whether it is marked to be replaced.
    pub fn is_tainted(self) -> bool {
        self.has(Marks::TAINTED)
    }

    /// Returns whether it is a deposed object: one that is to be destroyed.
    pub fn is_deposed(self) -> bool {
        self.has(Marks::DEPOSED)
    }

    /// Returns the key of a deposed object.
    pub fn deposed(self) -> Option<String> {
        self.is_deposed().then(|| self.details().deposed.map(Cow::into_owned)).flatten()
    }

    /// Returns whether the state itself names sensitive attributes of it.
    pub fn has_sensitive_paths(self) -> bool {
        self.has(Marks::SENSITIVE)
    }

    /// Returns its bytes in the document: the whole element of `instances`.
    pub fn raw(self) -> &'a [u8] {
        let Self { document, number, place } = self;
        document.index.body.instance_bytes(&document.bytes, number, place).unwrap_or_default()
    }

    /// Returns the offset of its first byte in the version 4 document.
    pub fn offset(self) -> usize {
        self.entry().start()
    }

    /// Returns the raw JSON of the attributes; `None` where the state has none.
    pub fn attributes_raw(self) -> Option<&'a [u8]> {
        locate::attributes(self.raw(), self.entry().marks())
    }

    /// Returns whether the attributes are a legacy flat map of strings.
    pub fn has_flat_attributes(self) -> bool {
        self.has(Marks::FLAT)
    }

    /// Decodes the attributes, legacy flat maps into lists and maps of strings.
    ///
    /// Errors count from the start of [`attributes_raw`](Self::attributes_raw).
    pub fn attributes(self) -> Result<Value<'a>, SyntaxError> {
        match self.attributes_raw() {
            None => Ok(Value::Object(Vec::new())),
            Some(raw) if self.has_flat_attributes() => {
                Value::parse(raw).map(|flat| super::flatmap::expand(&flat))
            }
            Some(raw) => Value::parse(raw),
        }
    }

    /// Reads the fields besides the attributes.
    pub fn details(self) -> Details<'a> {
        Details::read(self.raw())
    }

    /// Returns the attribute `id` where it is a string.
    ///
    /// Reads it as `terraform state list -id` does: whatever the case of its letters, and the last
    /// one where it stands several times.
    pub fn id(self) -> Option<Cow<'a, str>> {
        let mut scanner = Scanner::new(self.attributes_raw()?);
        let (mut first, mut found) = (true, None);
        scanner.open_object().ok()?;
        while let Some(key) = scanner.next_key(&mut first).ok()? {
            let value = scanner.value().ok()?;
            if parse::is_key(&parse::field(&key), "id") {
                found = Some(value);
            }
        }
        Scanner::new(found?).string().ok().map(|text| text.decode_lossy())
    }
}

/// One output of the root module.
#[derive(Clone, Copy, Debug)]
pub struct Output<'a> {
    document: &'a Document,
    entry: &'a OutputEntry,
}

impl<'a> Output<'a> {
    /// Returns its name.
    pub fn name(self) -> &'a str {
        &self.entry.name
    }

    /// Returns whether the configuration declares it sensitive.
    pub fn is_sensitive(self) -> bool {
        self.entry.sensitive
    }

    /// Returns OpenTofu's message that the output is deprecated.
    pub fn deprecated(self) -> Option<&'a str> {
        self.entry.deprecated.as_deref()
    }

    /// Returns the raw JSON of its value.
    pub fn value_raw(self) -> &'a [u8] {
        self.document.bytes.get(self.entry.value.clone()).unwrap_or_default()
    }

    /// Decodes its value.
    pub fn value(self) -> Result<Value<'a>, SyntaxError> {
        Value::parse(self.value_raw())
    }

    /// Decodes its type, in Terraform's encoding: `"string"`, `["list","string"]`, ….
    pub fn kind(self) -> Result<Value<'a>, SyntaxError> {
        Value::parse(self.document.bytes.get(self.entry.kind.clone()).unwrap_or_default())
    }
}

/// Parses a module as the index has it.
pub(crate) fn module_path(text: &str) -> ModulePath {
    if text.is_empty() { Some(ModulePath::root()) } else { ModulePath::parse(text).ok() }
        .expect("the index holds texts that were printed from a path")
}

/// Reads the instance key of an entry.
///
/// Terraform reads numbers as floats and cuts the fraction off; so `1.5` is the key 1.
pub(crate) fn instance_key(bytes: &[u8], entry: InstanceEntry) -> Key {
    let instance = bytes.get(entry.start()..).unwrap_or_default();
    let Some(raw) = locate::key(instance, entry.marks()) else { return Key::None };
    if let [b'"', text @ .., b'"'] = raw {
        return Key::String(Text::of(text).decode_lossy().into_owned());
    }
    let digits = std::str::from_utf8(raw).unwrap_or_default();
    match digits.parse::<i64>() {
        Ok(number) if is_exact(number) => Key::Int(number),
        _ => Key::Int(truncate(digits.parse().unwrap_or_default())),
    }
}

/// Up to here a float holds every whole number.
const EXACT: u64 = 1 << 53;

/// Returns whether a float holds the number and all between it and 0.
pub(crate) fn is_exact(number: i64) -> bool {
    number.unsigned_abs() <= EXACT
}

/// Converts as Go does on the machines Terraform runs on: what does not fit becomes the minimum.
#[expect(clippy::cast_possible_truncation, reason = "cutting the fraction off is the point")]
fn truncate(number: f64) -> i64 {
    let fits = (-9.3e18..9.223_372_036_854_775e18).contains(&number);
    if fits { number as i64 } else { i64::MIN }
}

/// Reads the key of a deposed object.
pub(crate) fn deposed_key(
    bytes: &[u8],
    body: &Resources,
    element: usize,
    place: usize,
) -> Option<String> {
    let raw = body.instance_bytes(bytes, element, place)?;
    Details::read(raw).deposed.map(Cow::into_owned)
}

/// Returns the address of a resource, without a key.
pub(crate) fn resource_address(bytes: &[u8], body: &Resources, element: usize) -> String {
    let entry = body.elements[element];
    let module = body.modules.get(body.module_of(element)).unwrap_or_default();
    let mut text = String::new();
    push_address(&mut text, module, &Head::read(bytes, entry.start as usize, body.is_plain));
    text
}
