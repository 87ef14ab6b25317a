//! The rows that can be scrolled to: what is not folded away and not filtered out.

use std::collections::HashSet;

use super::tree::{TOP, Tree};

/// One row.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Row {
    /// A module; its node in the tree.
    Module(usize),
    /// An instance; its place in the document.
    Instance(u32),
}

/// The bit that tells modules from instances in a packed row.
const MODULE: u32 = 1 << 31;

impl Row {
    fn pack(self) -> u32 {
        match self {
            Self::Module(node) => u32::try_from(node).unwrap_or(u32::MAX) | MODULE,
            Self::Instance(place) => place & !MODULE,
        }
    }

    fn unpack(packed: u32) -> Self {
        if packed & MODULE == 0 {
            return Self::Instance(packed);
        }
        Self::Module((packed & !MODULE) as usize)
    }
}

/// Which modules are folded.
#[derive(Clone, Debug, Default)]
pub(crate) struct Folds(HashSet<usize>);

impl Folds {
    /// Folds every module whose row is deeper than `levels`, and shows those above.
    pub(crate) fn to_depth(tree: &Tree, levels: usize) -> Self {
        let nodes = tree.nodes.iter().enumerate().skip(1);
        Self(nodes.filter(|(_, node)| node.depth >= levels).map(|(at, _)| at).collect())
    }

    /// Folds the modules of these paths.
    pub(crate) fn of_paths(tree: &Tree, paths: &HashSet<String>) -> Self {
        let nodes = tree.nodes.iter().enumerate().skip(1);
        Self(nodes.filter(|(_, node)| paths.contains(&node.path)).map(|(at, _)| at).collect())
    }

    /// Returns the paths of the folded modules.
    pub(crate) fn paths(&self, tree: &Tree) -> HashSet<String> {
        self.0.iter().filter_map(|&at| Some(tree.nodes.get(at)?.path.clone())).collect()
    }

    pub(crate) fn is_closed(&self, node: usize) -> bool {
        self.0.contains(&node)
    }

    pub(crate) fn close(&mut self, node: usize) -> bool {
        self.0.insert(node)
    }

    pub(crate) fn open(&mut self, node: usize) -> bool {
        self.0.remove(&node)
    }

    pub(crate) fn toggle(&mut self, node: usize) {
        if !self.open(node) {
            self.close(node);
        }
    }
}

/// The instances that a filter let through.
#[derive(Clone, Debug, Default)]
pub(crate) struct Matches {
    /// One bit per instance of the document.
    bits: Vec<u64>,
    /// How many there are in each node, at any depth.
    pub(crate) counts: Vec<usize>,
    pub(crate) total: usize,
}

impl Matches {
    pub(crate) fn new(tree: &Tree) -> Self {
        let bits = vec![0; tree.order.len().div_ceil(64)];
        Self { bits, counts: vec![0; tree.nodes.len()], total: 0 }
    }

    pub(crate) fn add(&mut self, tree: &Tree, node: usize, place: u32) {
        self.bits[place as usize / 64] |= 1 << (place % 64);
        self.total += 1;
        self.counts[TOP] += 1;
        for around in tree.lineage(node) {
            self.counts[around] += 1;
        }
    }

    pub(crate) fn has(&self, place: u32) -> bool {
        self.bits.get(place as usize / 64).is_some_and(|word| word & (1 << (place % 64)) != 0)
    }
}

/// The list of rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct View(Vec<u32>);

impl View {
    /// Lists the rows in full; at half a million this takes about a millisecond.
    pub(crate) fn build(tree: &Tree, folds: &Folds, matches: Option<&Matches>) -> Self {
        let mut rows = Vec::new();
        let mut at = TOP;
        while let Some(node) = tree.nodes.get(at) {
            if at != TOP {
                if matches.is_some_and(|matches| matches.counts[at] == 0) {
                    at = node.end;
                    continue;
                }
                rows.push(Row::Module(at).pack());
                if folds.is_closed(at) {
                    at = node.end;
                    continue;
                }
            }
            let own = &tree.order[node.own.clone()];
            match matches {
                None => rows.extend_from_slice(own),
                Some(matches) => rows.extend(own.iter().filter(|&&place| matches.has(place))),
            }
            at += 1;
        }
        Self(rows)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn row(&self, at: usize) -> Option<Row> {
        self.0.get(at).copied().map(Row::unpack)
    }

    /// Returns the first instance at or behind a row.
    pub(crate) fn instance_from(&self, row: usize) -> Option<usize> {
        let rows = self.0.get(row..)?;
        rows.iter().position(|packed| packed & MODULE == 0).map(|found| row + found)
    }

    pub(crate) fn find(&self, row: Row) -> Option<usize> {
        let packed = row.pack();
        self.0.iter().position(|&candidate| candidate == packed)
    }
}
