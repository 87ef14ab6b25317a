//! The tree of modules that the instances of a document hang in.
//!
//! It is built once per document, on a worker; what is drawn or counted per module is worked out
//! here, so that nothing on the way to the screen is proportional to the size of the state.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use crate::base::text;
use crate::state::address::{self, Key, ModulePath};
use crate::state::document::Document;

/// The node that holds everything and has no row.
pub(crate) const TOP: usize = 0;

/// One module call, or one instance of a call with keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    pub(crate) parent: usize,
    /// How far its instances are indented; its own row stands one step to the left.
    pub(crate) depth: usize,
    /// What its row says: `module.network`, `["eu"]`. Escaped.
    pub(crate) label: String,
    /// Its address, which tells it apart in this document and the next. Escaped.
    pub(crate) path: String,
    /// Its own instances, as places in [`Tree::order`].
    pub(crate) own: Range<usize>,
    /// The node behind the last one inside this one.
    pub(crate) end: usize,
    /// How many instances there are in it, at any depth.
    pub(crate) total: usize,
    /// How many resources there are in it, at any depth.
    pub(crate) resources: usize,
    /// Types by number of instances, most first: index into [`Tree::kinds`] and the number.
    pub(crate) kinds: Vec<(usize, usize)>,
}

/// The modules of a document in the order they are shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    /// Every node stands before those inside it.
    pub(crate) nodes: Vec<Node>,
    /// Places of instances in the document, grouped by node.
    pub(crate) order: Vec<u32>,
    /// The node of each module of the document.
    pub(crate) node_of_module: Vec<usize>,
    /// Types of resources. Escaped.
    pub(crate) kinds: Vec<String>,
}

/// A step down the tree. The root module comes first, then calls by name, then keys.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Step {
    Root,
    Call(String),
    Key(Key),
}

#[derive(Debug, Default)]
struct Branch {
    module: Option<usize>,
    children: BTreeMap<Step, Branch>,
}

impl Tree {
    /// Builds the tree of a document.
    pub(crate) fn build(document: &Document) -> Self {
        let mut top = Branch::default();
        let only_root = document.modules().all(|(_, text)| text.is_empty());
        for (number, (path, _)) in document.modules().enumerate() {
            let mut branch = &mut top;
            for step in steps(path, only_root) {
                branch = branch.children.entry(step).or_default();
            }
            branch.module = Some(number);
        }
        let mut tree =
            Self { node_of_module: vec![TOP; document.modules().len()], ..Self::default() };
        tree.flatten(&top, None, Node::default());
        tree.place(document);
        tree.count_kinds(document);
        tree
    }

    /// Appends a branch and all inside it.
    fn flatten(&mut self, branch: &Branch, module: Option<usize>, node: Node) {
        let at = self.nodes.len();
        let (depth, path) = (node.depth, node.path.clone());
        self.nodes.push(node);
        if let Some(module) = branch.module.or(module) {
            self.node_of_module[module] = at;
        }
        for (step, inside) in &branch.children {
            let (label, path) = named(step, &path);
            let node = Node { parent: at, depth: depth + 1, label, path, ..Node::default() };
            self.flatten(inside, None, node);
        }
        self.nodes[at].end = self.nodes.len();
    }

    /// Sorts the instances to their nodes, each in the order of the document.
    fn place(&mut self, document: &Document) {
        let mut counts = vec![0; self.nodes.len()];
        let nodes: Vec<usize> = document
            .instances()
            .map(|instance| self.node_of_module[instance.resource().module_number()])
            .inspect(|&node| counts[node] += 1)
            .collect();
        let mut start = 0;
        for (node, &count) in self.nodes.iter_mut().zip(&counts) {
            node.own = start..start;
            start += count;
        }
        self.order = vec![0; start];
        for (place, &node) in (0u32..).zip(&nodes) {
            let own = &mut self.nodes[node].own;
            self.order[own.end] = place;
            own.end += 1;
        }
        for at in (0..self.nodes.len()).rev() {
            self.nodes[at].total += self.nodes[at].own.len();
            let (total, parent) = (self.nodes[at].total, self.nodes[at].parent);
            if at != TOP {
                self.nodes[parent].total += total;
            }
        }
    }

    fn count_kinds(&mut self, document: &Document) {
        let mut known: HashMap<String, usize> = HashMap::new();
        let mut counts: Vec<BTreeMap<usize, usize>> = vec![BTreeMap::new(); self.nodes.len()];
        for resource in document.resources() {
            let kind = resource.kind();
            let number = known.get(kind.as_ref()).copied().unwrap_or_else(|| {
                self.kinds.push(text::escape(&kind).into_owned());
                known.insert(kind.clone().into_owned(), self.kinds.len() - 1);
                self.kinds.len() - 1
            });
            let node = self.node_of_module[resource.module_number()];
            self.nodes[node].resources += 1;
            *counts[node].entry(number).or_default() += resource.instances().len();
        }
        for at in (0..self.nodes.len()).rev() {
            let count = std::mem::take(&mut counts[at]);
            let (parent, resources) = (self.nodes[at].parent, self.nodes[at].resources);
            if at != TOP {
                self.nodes[parent].resources += resources;
                for (kind, number) in &count {
                    *counts[parent].entry(*kind).or_default() += number;
                }
            }
            self.nodes[at].kinds = count.into_iter().collect();
            self.nodes[at].kinds.sort_by_key(|&(kind, number)| (usize::MAX - number, kind));
        }
    }

    /// Returns the node an instance hangs in.
    pub(crate) fn node_of(&self, document: &Document, place: u32) -> usize {
        self.node_of_module[document.instance(place as usize).resource().module_number()]
    }

    /// Returns the nodes around a node from the inside out, itself first, without the top.
    pub(crate) fn lineage(&self, node: usize) -> impl Iterator<Item = usize> {
        let up = |&at: &usize| Some(self.nodes[at].parent);
        std::iter::successors(Some(node), up).take_while(|&at| at != TOP)
    }
}

/// Returns the steps to a module; the root module is a step of its own where there are others.
fn steps(path: &ModulePath, only_root: bool) -> Vec<Step> {
    if path.steps().is_empty() {
        return if only_root { Vec::new() } else { vec![Step::Root] };
    }
    let mut out = Vec::new();
    for step in path.steps() {
        out.push(Step::Call(step.name.clone()));
        if step.key != Key::None {
            out.push(Step::Key(step.key.clone()));
        }
    }
    out
}

/// Returns the label of a step and the path to it.
fn named(step: &Step, outside: &str) -> (String, String) {
    let (label, dot) = match step {
        Step::Root => return (String::from("root module"), String::new()),
        Step::Call(name) => (text::escape(&format!("module.{name}")).into_owned(), "."),
        Step::Key(key) => {
            let mut label = String::new();
            address::push_key(&mut label, key);
            (text::escape(&label).into_owned(), "")
        }
    };
    let dot = if outside.is_empty() { "" } else { dot };
    let path = format!("{outside}{dot}{label}");
    (label, path)
}
