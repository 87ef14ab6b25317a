//! Counts and sizes of a state. Nothing is decoded: it costs one walk over the bytes.

use std::collections::HashMap;

use crate::state::address::Mode;
use crate::state::document::{Document, Instance, Resource};
use crate::state::scan::Scanner;

/// How many of what, and how large.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Stats {
    /// The format version of the bytes that came in.
    pub version: u64,
    /// The version of the last writer; may be empty.
    pub terraform_version: String,
    /// The serial.
    pub serial: u64,
    /// The lineage; may be empty.
    pub lineage: String,
    /// The size of the state as it came in.
    pub bytes: u64,
    /// Bytes of all attributes.
    pub bytes_attributes: u64,
    /// Bytes of all lists of dependencies, which hold whatever a resource depends on indirectly.
    pub bytes_dependencies: u64,
    /// Instances, deposed objects included.
    pub instances: u64,
    /// Resources of either mode.
    pub resources: u64,
    /// Module instances with resources, without the root module.
    pub modules: u64,
    /// Outputs of the root module.
    pub outputs: u64,
    /// Instances that are to be replaced.
    pub tainted: u64,
    /// Objects that are to be destroyed.
    pub deposed: u64,
    /// Managed instances.
    pub managed: u64,
    /// Instances of data sources.
    pub data: u64,
    /// By resource type; most instances first, as in all lists below.
    pub types: Vec<Group>,
    /// By provider, as people call it: `hashicorp/aws`.
    pub providers: Vec<Group>,
    /// By module as printed; the root module is the empty text.
    pub by_module: Vec<Group>,
    /// All resources, the largest first.
    sizes: Vec<(u64, u32)>,
}

/// Instances that have something in common.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Group {
    /// What they have in common.
    pub name: String,
    /// How many they are.
    pub instances: u64,
    /// The bytes they take in the state.
    pub bytes: u64,
}

/// A resource and its size.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sized {
    /// The address without an instance key.
    pub address: String,
    /// The bytes of all its instances and of what is around them.
    pub bytes: u64,
}

/// Counts a state.
pub fn of(document: &Document) -> Stats {
    let mut stats = Stats {
        version: document.version(),
        terraform_version: document.terraform_version().to_owned(),
        serial: document.serial(),
        lineage: document.lineage().to_owned(),
        bytes: document.bytes().len() as u64,
        outputs: document.outputs().len() as u64,
        resources: document.resources().len() as u64,
        modules: document.modules().filter(|(path, _)| !path.is_root()).count() as u64,
        ..Stats::default()
    };
    let mut types = Groups::default();
    let mut providers = Groups::default();
    let mut modules = Groups::default();
    for (number, resource) in (0_u32..).zip(document.resources()) {
        let (instances, bytes) = (resource.instances().len() as u64, resource.size() as u64);
        stats.sizes.push((bytes, number));
        types.add(&resource.kind(), instances, bytes);
        modules.add(resource.module_text(), instances, bytes);
        match resource.provider_text() {
            Some(provider) => providers.add(&provider, instances, bytes),
            None => by_instance(&mut providers, resource),
        }
        match resource.mode() {
            Mode::Managed => stats.managed += instances,
            Mode::Data => stats.data += instances,
        }
        resource.instances().for_each(|instance| stats.add(instance));
    }
    stats.types = types.sorted();
    stats.by_module = modules.sorted();
    stats.providers = named(providers.sorted());
    stats.sizes.sort_unstable_by_key(|&(bytes, number)| (std::cmp::Reverse(bytes), number));
    stats
}

impl Stats {
    /// Returns the `limit` largest resources of the document that was counted.
    pub fn largest(&self, document: &Document, limit: usize) -> Vec<Sized> {
        let resources: Vec<_> = document.resources().collect();
        let sizes = self.sizes.iter().take(limit);
        let found =
            sizes.filter_map(|&(bytes, number)| Some((bytes, resources.get(number as usize)?)));
        found
            .map(|(bytes, resource)| {
                let module = resource.module_text();
                let dot = if module.is_empty() { "" } else { "." };
                let data = if resource.mode() == Mode::Data { "data." } else { "" };
                let (kind, name) = (resource.kind(), resource.name());
                Sized { address: format!("{module}{dot}{data}{kind}.{name}"), bytes }
            })
            .collect()
    }

    /// Returns the share of the state that lists of dependencies take, in thousandths.
    pub fn dependencies_permille(&self) -> u64 {
        (self.bytes_dependencies * 1000).checked_div(self.bytes).unwrap_or_default()
    }

    fn add(&mut self, instance: Instance<'_>) {
        self.instances += 1;
        self.tainted += u64::from(instance.is_tainted());
        self.deposed += u64::from(instance.is_deposed());
        let attributes = instance.attributes_raw().unwrap_or_default();
        self.bytes_attributes += attributes.len() as u64;
        self.bytes_dependencies += dependency_bytes(instance, attributes).unwrap_or_default();
    }
}

/// Returns the bytes of the list of dependencies; the attributes, which are most of an instance,
/// are jumped over.
fn dependency_bytes(instance: Instance<'_>, attributes: &[u8]) -> Option<u64> {
    let raw = instance.raw();
    let start = attributes.as_ptr().addr().checked_sub(raw.as_ptr().addr());
    let mut scanner = Scanner::new(raw);
    let (mut first, mut bytes) = (true, 0);
    scanner.open_object().ok()?;
    while let Some(key) = scanner.next_key(&mut first).ok()? {
        scanner.peek();
        if !attributes.is_empty() && start == Some(scanner.pos()) {
            scanner.jump(scanner.pos() + attributes.len());
            continue;
        }
        let value = scanner.value().ok()?;
        if key.raw.eq_ignore_ascii_case(b"dependencies") {
            bytes = value.len() as u64;
        }
    }
    Some(bytes)
}

#[derive(Debug, Default)]
struct Groups(HashMap<String, Group>);

impl Groups {
    fn add(&mut self, name: &str, instances: u64, bytes: u64) {
        if !self.0.contains_key(name) {
            self.0.insert(name.to_owned(), Group { name: name.to_owned(), ..Group::default() });
        }
        if let Some(group) = self.0.get_mut(name) {
            group.instances += instances;
            group.bytes += bytes;
        }
    }

    fn sorted(self) -> Vec<Group> {
        let mut groups: Vec<Group> = self.0.into_values().collect();
        groups.sort_by(|a, b| b.instances.cmp(&a.instances).then_with(|| a.name.cmp(&b.name)));
        groups
    }
}

/// `OpenTofu` names the provider at each instance where it has `for_each`.
fn by_instance(providers: &mut Groups, resource: Resource<'_>) {
    for instance in resource.instances() {
        let provider = instance.details().provider.unwrap_or_default();
        providers.add(&provider, 1, instance.raw().len() as u64);
    }
}

/// Joins the configurations of one provider under the name people have for it.
fn named(configurations: Vec<Group>) -> Vec<Group> {
    let mut providers = Groups::default();
    for group in configurations {
        let parsed = group.name.parse::<crate::state::provider::ProviderConfig>();
        let name = parsed.map_or(group.name, |config| config.source.short());
        providers.add(&name, group.instances, group.bytes);
    }
    providers.sorted()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATE: &str = r#"{"version":4,"terraform_version":"1.9.0","serial":7,"lineage":"l",
      "outputs":{"o":{"value":1,"type":"number"}},"resources":[
        {"mode":"managed","type":"aws_vpc","name":"a","provider":"provider[\"registry.terraform.io/hashicorp/aws\"]",
         "instances":[{"schema_version":0,"attributes":{"id":"1"}}]},
        {"module":"module.m","mode":"managed","type":"aws_vpc","name":"b","provider":"provider[\"registry.terraform.io/hashicorp/aws\"].eu",
         "instances":[{"index_key":0,"status":"tainted","schema_version":0,"attributes":{"id":"2","x":"dependencies"},"dependencies":["aws_vpc.a"]},
                      {"index_key":0,"deposed":"00000001","schema_version":0,"attributes":{"id":"3"}}]},
        {"module":"module.m","mode":"data","type":"acme_it","name":"c","provider":"provider[\"acme.dev/acme/acme\"]",
         "instances":[{"schema_version":0,"attributes":{}}]}]}"#;

    fn stats() -> (Document, Stats) {
        let document = Document::parse(STATE.as_bytes().to_vec()).unwrap();
        let stats = of(&document);
        (document, stats)
    }

    #[test]
    fn everything_is_counted() {
        let (_, stats) = stats();
        assert_eq!((stats.version, stats.serial, stats.lineage.as_str()), (4, 7, "l"));
        assert_eq!((stats.instances, stats.resources, stats.modules, stats.outputs), (4, 3, 1, 1));
        assert_eq!((stats.managed, stats.data, stats.tainted, stats.deposed), (3, 1, 1, 1));
        assert_eq!(stats.bytes, STATE.len() as u64);
        assert_eq!(stats.bytes_attributes, 10 + 29 + 10 + 2);
        assert_eq!(stats.bytes_dependencies, 13);
        assert_eq!(stats.dependencies_permille(), 13_000 / STATE.len() as u64);
    }

    #[test]
    fn groups_come_with_the_most_instances_first() {
        let (_, stats) = stats();
        let names = |groups: &[Group]| {
            groups.iter().map(|it| format!("{} {}", it.name, it.instances)).collect::<Vec<_>>()
        };
        assert_eq!(names(&stats.types), ["aws_vpc 3", "acme_it 1"]);
        assert_eq!(names(&stats.providers), ["hashicorp/aws 3", "acme.dev/acme/acme 1"]);
        assert_eq!(names(&stats.by_module), ["module.m 3", " 1"]);
    }

    #[test]
    fn the_largest_resources_are_named() {
        let (document, stats) = stats();
        let largest = stats.largest(&document, 2);
        assert_eq!(largest.len(), 2);
        assert_eq!(largest[0].address, "module.m.aws_vpc.b");
        assert!(largest[0].bytes > largest[1].bytes);
        assert_eq!(stats.largest(&document, 9).len(), 3);
    }

    #[test]
    fn an_empty_state_has_nothing() {
        let document = Document::parse(br#"{"version":4}"#.to_vec()).unwrap();
        let stats = of(&document);
        assert_eq!((stats.instances, stats.dependencies_permille()), (0, 0));
        assert!(stats.largest(&document, 5).is_empty());
    }
}
