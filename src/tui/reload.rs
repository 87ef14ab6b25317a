//! What a worker makes of the loader's answer, and what survives a reload.

use std::collections::HashSet;
use std::sync::Arc;

use crate::state::document::{Document, Instance};

use super::tree::Tree;
use super::view::Row;

/// A document with what is worked out for it once.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) document: Document,
    pub(crate) tree: Tree,
}

impl Loaded {
    pub(crate) fn new(document: Document) -> Self {
        let tree = Tree::build(&document);
        Self { document, tree }
    }
}

/// Something selected, by what it is called: that is the same in the next document.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Selected {
    Module { path: String },
    Instance { address: String, deposed: Option<String> },
}

impl Selected {
    pub(crate) fn of(loaded: &Loaded, row: Row) -> Option<Self> {
        match row {
            Row::Module(node) => {
                Some(Self::Module { path: loaded.tree.nodes.get(node)?.path.clone() })
            }
            Row::Instance(place) => {
                let instance = loaded.document.instance(place as usize);
                let address = instance.address_text();
                Some(Self::Instance { address, deposed: instance.deposed() })
            }
        }
    }

    fn find(&self, loaded: &Loaded) -> Option<Row> {
        match self {
            Self::Module { path } => {
                // The root module has the empty path, and the node that holds all has none.
                let mut nodes = loaded.tree.nodes.iter().enumerate().skip(1);
                nodes.find(|(_, node)| node.path == *path).map(|(at, _)| Row::Module(at))
            }
            Self::Instance { address, deposed } => {
                let mut text = String::new();
                let mut is_it = |instance: Instance<'_>| {
                    text.clear();
                    instance.push_address(&mut text);
                    text == *address && instance.deposed() == *deposed
                };
                let place = loaded.document.instances().position(&mut is_it)?;
                u32::try_from(place).ok().map(Row::Instance)
            }
        }
    }
}

/// What the user had before a reload.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keep {
    pub(crate) selected: Option<Selected>,
    /// Paths of the folded modules; `None` at the first load.
    pub(crate) folded: Option<HashSet<String>>,
}

/// A loaded document, and what was kept as it is called there.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) loaded: Arc<Loaded>,
    pub(crate) selected: Option<Row>,
    pub(crate) folded: Option<HashSet<String>>,
}

impl Arrival {
    pub(crate) fn new(document: Document, keep: Keep) -> Self {
        let loaded = Arc::new(Loaded::new(document));
        let selected = keep.selected.and_then(|selected| selected.find(&loaded));
        Self { loaded, selected, folded: keep.folded }
    }
}
