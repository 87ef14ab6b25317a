//! The document: the bytes of a state and an index into them.

use std::borrow::Cow;
use std::sync::OnceLock;

use super::address::{self, Address, Key, Mode, ModulePath};
use super::bytes::Bytes;
use super::details::Details;
use super::index::{Flags, Index, InstanceEntry, OutputEntry, ResourceEntry, Resources};
use super::parse::{self, ParseError, Warning};
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
    /// The modules of the index, parsed when somebody asks for a path.
    paths: OnceLock<Vec<ModulePath>>,
}

impl Document {
    /// Reads a state of any version that Terraform reads.
    pub fn parse(bytes: impl Into<Bytes>) -> Result<Self, ParseError> {
        let original = bytes.into();
        match parse::version(&original)? {
            4 => match parse::read_v4(&original)? {
                Some(index) => Ok(Self {
                    bytes: original.clone(),
                    original,
                    version: 4,
                    notes: Vec::new(),
                    index,
                    paths: OnceLock::new(),
                }),
                None => Self::of_version(parse::last_version(&original)?, original),
            },
            version => Self::of_version(version, original),
        }
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
        let index = parse::read_v4(&bytes)?.unwrap_or_default();
        Ok(Self { original, bytes, version, notes, index, paths: OnceLock::new() })
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
        self.paths.get_or_init(|| modules.map(|text| module_path(text)).collect())
    }

    /// Returns the module instances that have resources, in no particular order.
    pub fn modules(&self) -> impl ExactSizeIterator<Item = (&ModulePath, &str)> {
        self.paths().iter().zip(self.index.body.modules.iter().map(AsRef::as_ref))
    }

    /// Returns the resources in the order of the document.
    pub fn resources(&self) -> impl ExactSizeIterator<Item = Resource<'_>> {
        self.index.body.elements.iter().map(|entry| Resource { document: self, entry })
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
        (0..self.len()).map(|at| self.instance(at))
    }

    /// Returns the instance at a place of [`instances`](Self::instances).
    ///
    /// # Panics
    ///
    /// Where `at` is not less than [`len`](Self::len).
    pub fn instance(&self, at: usize) -> Instance<'_> {
        let place = self.index.order.get(at).map_or(at, |&place| place as usize);
        Instance { document: self, entry: &self.index.body.instances[place] }
    }
}

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
    entry: &'a ResourceEntry,
}

impl<'a> Resource<'a> {
    fn text(self, span: super::index::Span) -> Option<Cow<'a, str>> {
        let raw = span.of(self.document.bytes.get(self.entry.start.get()..)?)?;
        Some(Text::of(raw).decode_lossy())
    }

    /// Returns the module instance it is in.
    pub fn module(self) -> &'a ModulePath {
        &self.document.paths()[self.entry.module as usize]
    }

    /// Returns the module as printed: `module.net["eu"]`, empty for the root module.
    pub fn module_text(self) -> &'a str {
        &self.document.index.body.modules[self.entry.module as usize]
    }

    /// Returns a number that all resources of one module instance of the document share.
    pub fn module_number(self) -> usize {
        self.entry.module as usize
    }

    /// Returns whether both are one resource, which may stand in several elements.
    pub fn is_same_as(self, other: Resource<'_>) -> bool {
        std::ptr::eq(self.entry, other.entry)
            || (self.module_text() == other.module_text()
                && self.mode() == other.mode()
                && self.kind() == other.kind()
                && self.name() == other.name())
    }

    /// Returns whether it is managed or a data source.
    pub fn mode(self) -> Mode {
        if self.entry.is_data { Mode::Data } else { Mode::Managed }
    }

    /// Returns the type, such as `aws_instance`.
    pub fn kind(self) -> Cow<'a, str> {
        self.text(self.entry.kind).unwrap_or_default()
    }

    /// Returns the name.
    pub fn name(self) -> Cow<'a, str> {
        self.text(self.entry.name).unwrap_or_default()
    }

    /// Returns the provider configuration as the state writes it.
    pub fn provider_text(self) -> Option<Cow<'a, str>> {
        self.text(self.entry.provider)
    }

    /// Returns the provider configuration.
    pub fn provider(self) -> Option<Result<ProviderConfig, provider::Error>> {
        self.provider_text().map(|text| text.parse())
    }

    /// Returns how many bytes of the document it takes.
    pub fn size(self) -> usize {
        self.entry.len as usize
    }

    /// Returns its bytes in the document: the whole element of `resources`.
    pub fn raw(self) -> &'a [u8] {
        let start = self.offset();
        self.document.bytes.get(start..start + self.size()).unwrap_or_default()
    }

    /// Returns the offset of its first byte in the version 4 document.
    pub fn offset(self) -> usize {
        self.entry.start.get()
    }

    /// Returns its instances in the order of the document.
    pub fn instances(self) -> impl ExactSizeIterator<Item = Instance<'a>> {
        let first = self.entry.first as usize;
        let document = self.document;
        let instances = first..first + self.entry.count as usize;
        document
            .index
            .body
            .instances
            .range(instances)
            .iter()
            .map(move |entry| Instance { document, entry })
    }
}

/// One object of a resource: the current one of an instance key, or a deposed one.
#[derive(Clone, Copy, Debug)]
pub struct Instance<'a> {
    document: &'a Document,
    entry: &'a InstanceEntry,
}

impl<'a> Instance<'a> {
    /// Returns the resource it belongs to.
    pub fn resource(self) -> Resource<'a> {
        let entry = &self.document.index.body.elements[self.entry.resource as usize];
        Resource { document: self.document, entry }
    }

    /// Returns a number that tells the resources of the document apart.
    pub fn resource_number(self) -> usize {
        self.entry.resource as usize
    }

    /// Returns the instance key.
    pub fn key(self) -> Key {
        instance_key(&self.document.bytes, self.entry)
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
        let resource = self.resource();
        let module = resource.module_text();
        out.push_str(module);
        if !module.is_empty() {
            out.push('.');
        }
        if resource.mode() == Mode::Data {
            out.push_str("data.");
        }
        out.push_str(&resource.kind());
        out.push('.');
        out.push_str(&resource.name());
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
        self.entry.flags.has(Flags::TAINTED)
    }

    /// Returns whether it is a deposed object: one that is to be destroyed.
    pub fn is_deposed(self) -> bool {
        self.entry.flags.has(Flags::DEPOSED)
    }

    /// Returns the key of a deposed object.
    pub fn deposed(self) -> Option<String> {
        self.is_deposed().then(|| deposed_key(&self.document.bytes, self.entry)).flatten()
    }

    /// Returns whether the state itself names sensitive attributes of it.
    pub fn has_sensitive_paths(self) -> bool {
        self.entry.flags.has(Flags::SENSITIVE)
    }

    /// Returns its bytes in the document: the whole element of `instances`.
    pub fn raw(self) -> &'a [u8] {
        let start = self.entry.start.get();
        self.document.bytes.get(start..start + self.entry.len as usize).unwrap_or_default()
    }

    /// Returns the offset of its first byte in the version 4 document.
    pub fn offset(self) -> usize {
        self.entry.start.get()
    }

    /// Returns the raw JSON of the attributes; `None` where the state has none.
    pub fn attributes_raw(self) -> Option<&'a [u8]> {
        self.entry.attributes.of(self.raw())
    }

    /// Returns whether the attributes are a legacy flat map of strings.
    pub fn has_flat_attributes(self) -> bool {
        self.entry.flags.has(Flags::FLAT)
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
        Details::read(self.raw(), self.entry.attributes)
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
pub(crate) fn instance_key(bytes: &[u8], entry: &InstanceEntry) -> Key {
    if entry.key == 0 {
        return Key::None;
    }
    let mut scanner = Scanner::at(bytes, entry.start.get() + entry.key as usize, 0);
    if scanner.peek() == Some(b'"') {
        return scanner
            .string()
            .map_or(Key::None, |text| Key::String(text.decode_lossy().into_owned()));
    }
    let digits =
        scanner.value().ok().and_then(|raw| std::str::from_utf8(raw).ok()).unwrap_or_default();
    match digits.parse::<i64>() {
        Ok(number) if number.unsigned_abs() <= EXACT => Key::Int(number),
        _ => Key::Int(truncate(digits.parse().unwrap_or_default())),
    }
}

/// Up to here a float holds every whole number.
const EXACT: u64 = 1 << 53;

/// Converts as Go does on the machines Terraform runs on: what does not fit becomes the minimum.
#[expect(clippy::cast_possible_truncation, reason = "cutting the fraction off is the point")]
fn truncate(number: f64) -> i64 {
    let fits = (-9.3e18..9.223_372_036_854_775e18).contains(&number);
    if fits { number as i64 } else { i64::MIN }
}

/// Reads the key of a deposed object.
pub(crate) fn deposed_key(bytes: &[u8], entry: &InstanceEntry) -> Option<String> {
    let raw = bytes.get(entry.start.get()..)?.get(..entry.len as usize)?;
    Details::read(raw, entry.attributes).deposed.map(Cow::into_owned)
}

/// Returns the address of a resource, without a key.
pub(crate) fn resource_address(bytes: &[u8], body: &Resources, entry: &ResourceEntry) -> String {
    let text = |span: super::index::Span| {
        let raw = bytes.get(entry.start.get()..).and_then(|bytes| span.of(bytes));
        Text::of(raw.unwrap_or_default()).decode_lossy()
    };
    let module = body.modules.get(entry.module as usize).map_or("", |text| text);
    let dot = if module.is_empty() { "" } else { "." };
    let data = if entry.is_data { "data." } else { "" };
    format!("{module}{dot}{data}{}.{}", text(entry.kind), text(entry.name))
}
