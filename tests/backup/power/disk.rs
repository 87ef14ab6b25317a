//! A file system by what POSIX promises: bytes last once their file was synced, and names once
//! their folder was. What was not synced may last or not, each on its own and in any order.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use super::trace::Call;
use crate::place::{Chance, files};

/// A file or a folder, whatever it is called.
type Node = usize;

/// One change, or what makes changes last.
#[derive(Clone, Debug)]
enum Event {
    /// Names in folders stand for other nodes, or for none, all at once.
    Names(Vec<((Node, String), Option<Node>)>),
    /// A file has these bytes from some place on.
    Write(Node, usize, Vec<u8>),
    Cut(Node, usize),
    Sync(Node),
}

/// What happened to everything below a folder.
#[derive(Clone, Debug)]
pub(super) struct Disk {
    root: PathBuf,
    events: Vec<Event>,
    /// What each name stands for now.
    names: BTreeMap<(Node, String), Node>,
    folders: BTreeSet<Node>,
    nodes: usize,
}

/// Which syncs there are, to see what each of them is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Syncs {
    All,
    None,
    /// Only those of files.
    Files,
    /// Only those of folders.
    Folders,
}

/// How much there is of bytes that were not synced.
#[derive(Clone, Copy, Debug)]
enum Bytes {
    All,
    None,
    Half,
    /// The length is right, and there are zeros.
    Zeros,
    /// Of each write all or nothing, by these bits.
    Part(u64),
}

impl Bytes {
    /// Returns how much there is of one write.
    fn of(self, at: usize) -> Self {
        match self {
            Self::Part(bits) if bits >> (at % 64) & 1 == 1 => Self::All,
            Self::Part(_) => Self::None,
            other => other,
        }
    }
}

/// What is there after the power failed: folders, and files with their bytes.
pub(super) type Tree = BTreeMap<PathBuf, Option<Vec<u8>>>;

const ROOT: Node = 0;

/// How many cases are looked at after each event, beside all and nothing.
const SAMPLE: usize = 10;

/// Which of the names that need not last do.
#[derive(Clone, Copy, Debug)]
enum Names {
    All,
    None,
    Only(usize),
    But(usize),
    Part(u64),
}

impl Disk {
    /// Takes a folder in which nothing is yet that matters.
    pub(super) fn new(root: &Path) -> Self {
        let (events, names, folders) = (Vec::new(), BTreeMap::new(), BTreeSet::from([ROOT]));
        Self { root: root.to_owned(), events, names, folders, nodes: 1 }
    }

    /// Takes a folder with all that is in it now, which lasts.
    pub(super) fn of(root: &Path) -> Self {
        let mut disk = Self::new(root);
        for path in files(root) {
            let above: Vec<&Path> = path.ancestors().skip(1).collect();
            for folder in above.into_iter().rev().filter(|folder| folder.starts_with(root)) {
                if disk.node(folder).is_none() {
                    disk.run(&[Call::Folder(folder.to_owned())]);
                }
            }
            let bytes = std::fs::read(&path).unwrap();
            disk.run(&[Call::Create(path.clone()), Call::Write(path, 0, bytes)]);
        }
        let all = (0..disk.nodes).map(Event::Sync);
        disk.events.extend(all);
        disk
    }

    /// Returns how many events there were so far.
    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    /// Does what a process did; what is elsewhere does not matter.
    pub(super) fn run(&mut self, calls: &[Call]) {
        for call in calls {
            match call {
                Call::Create(path) => {
                    if self.node(path).is_none() {
                        self.make(path);
                    }
                }
                Call::Folder(path) => {
                    let made = self.make(path);
                    self.folders.extend(made);
                }
                Call::Write(path, start, bytes) => {
                    let node = self.node(path);
                    self.events.extend(node.map(|n| Event::Write(n, *start, bytes.clone())));
                }
                Call::Cut(path, len) => {
                    self.events.extend(self.node(path).map(|node| Event::Cut(node, *len)));
                }
                Call::Sync(path) => {
                    let node = self.node(path).map(Event::Sync);
                    self.events.extend(node);
                }
                Call::Rename(from, to) => {
                    let node = self.node(from);
                    self.change([(from, None), (to, node)]);
                }
                Call::Link(from, to) => {
                    let node = self.node(from);
                    self.change([(to, node)]);
                }
                Call::Remove(path) => self.change([(path, None)]),
            }
        }
    }

    fn make(&mut self, path: &Path) -> Option<Node> {
        self.place(path)?;
        let node = self.nodes;
        self.nodes += 1;
        self.change([(path, Some(node))]);
        Some(node)
    }

    fn change<'p, const N: usize>(
        &mut self,
        changes: [(&'p (impl AsRef<Path> + ?Sized + 'p), Option<Node>); N],
    ) {
        let mut done = Vec::new();
        for (path, node) in changes {
            let Some(place) = self.place(path.as_ref()) else { return };
            match node {
                Some(node) => self.names.insert(place.clone(), node),
                None => self.names.remove(&place),
            };
            done.push((place, node));
        }
        self.events.push(Event::Names(done));
    }

    /// Returns the folder and the name that a path means.
    fn place(&self, path: &Path) -> Option<(Node, String)> {
        let inside = path.strip_prefix(&self.root).ok()?;
        let mut names = inside.components().map(|part| match part {
            Component::Normal(name) => name.to_str().unwrap().to_owned(),
            part => panic!("{part:?} in {}", path.display()),
        });
        let last = names.next_back()?;
        let folder = names.try_fold(ROOT, |folder, name| self.names.get(&(folder, name)).copied());
        folder.map(|folder| (folder, last))
    }

    fn node(&self, path: &Path) -> Option<Node> {
        if path == self.root {
            return Some(ROOT);
        }
        self.names.get(&self.place(path)?).copied()
    }

    /// Returns the same without some of the syncs.
    pub(super) fn with(&self, syncs: Syncs) -> Self {
        let stays = |event: &&Event| match (event, syncs) {
            (Event::Sync(_), Syncs::None) => false,
            (Event::Sync(node), Syncs::Files) => !self.folders.contains(node),
            (Event::Sync(node), Syncs::Folders) => self.folders.contains(node),
            _ => true,
        };
        Self { events: self.events.iter().filter(stays).cloned().collect(), ..self.clone() }
    }

    /// Returns what there may be if the power fails after so many events: all of it, none of what
    /// need not be there, and some of each of that alone, all but each, and parts of it by chance.
    pub(super) fn crashes(&self, after: usize, chance: &mut Chance) -> Vec<Tree> {
        let open = self.open(after);
        let mut kept = vec![Bytes::All];
        if self.is_unsynced(after) {
            kept.extend([Bytes::None, Bytes::Half, Bytes::Zeros]);
            kept.extend((0..12).map(|_| Bytes::Part(chance.next())));
        }
        let mut names = vec![Names::All, Names::None];
        names.extend(open.iter().flat_map(|&one| [Names::Only(one), Names::But(one)]));
        names.extend((0..8).map(|_| Names::Part(chance.next())));
        let mut cases: Vec<(Bytes, Names)> = vec![(Bytes::All, Names::All)];
        cases.push((*kept.get(1).unwrap_or(&Bytes::All), Names::None));
        // A cache that nobody waits for is open to the end, and there would be no end of cases.
        cases.extend((0..SAMPLE).map(|_| (*chance.pick(&kept), *chance.pick(&names))));
        let tree = |(bytes, names): (Bytes, Names)| {
            let lasts = |at: usize| match names {
                Names::All => true,
                Names::None => false,
                Names::Only(one) => at == one,
                Names::But(one) => at != one,
                Names::Part(bits) => bits >> (at % 64) & 1 == 1,
            };
            self.tree(after, &|at| !open.contains(&at) || lasts(at), bytes)
        };
        cases.into_iter().map(tree).collect()
    }

    /// Returns what there is if all that was not synced is lost, after everything.
    pub(super) fn lost(&self) -> Tree {
        let open = self.open(self.len());
        self.tree(self.len(), &|at| !open.contains(&at), Bytes::None)
    }

    /// Returns the changes of names that need not last after so many events.
    fn open(&self, after: usize) -> BTreeSet<usize> {
        (0..after).filter(|&at| self.is_open(at, after)).collect()
    }

    /// Returns whether some bytes need not be there after so many events.
    fn is_unsynced(&self, after: usize) -> bool {
        let mut files = BTreeSet::new();
        for event in &self.events[..after] {
            match event {
                Event::Write(node, ..) | Event::Cut(node, _) => drop(files.insert(node)),
                Event::Sync(node) => drop(files.remove(node)),
                Event::Names(_) => {}
            }
        }
        !files.is_empty()
    }

    /// Returns whether names that were changed need not be so after some more events.
    fn is_open(&self, at: usize, after: usize) -> bool {
        let Event::Names(changes) = &self.events[at] else { return false };
        let is_synced = |folder: Node| {
            let later = &self.events[at..after];
            later.iter().any(|event| matches!(event, Event::Sync(node) if *node == folder))
        };
        changes.iter().any(|((folder, _), _)| !is_synced(*folder))
    }

    /// Returns what there is after so many events, of which only some names last.
    fn tree(&self, after: usize, lasts: &dyn Fn(usize) -> bool, bytes: Bytes) -> Tree {
        let mut names: BTreeMap<(Node, &str), Node> = BTreeMap::new();
        for (at, event) in self.events[..after].iter().enumerate() {
            let Event::Names(changes) = event else { continue };
            if !lasts(at) {
                continue;
            }
            for ((folder, name), node) in changes {
                match node {
                    Some(node) => names.insert((*folder, name), *node),
                    None => names.remove(&(*folder, name)),
                };
            }
        }
        let mut tree = Tree::new();
        let mut open = vec![(ROOT, PathBuf::new())];
        while let Some((folder, path)) = open.pop() {
            for ((_, name), &node) in names.range((folder, "")..(folder + 1, "")) {
                let path = path.join(name);
                if self.folders.contains(&node) {
                    tree.insert(path.clone(), None);
                    open.push((node, path));
                } else {
                    tree.insert(path, Some(self.bytes(node, after, bytes)));
                }
            }
        }
        tree
    }

    fn bytes(&self, file: Node, after: usize, kept: Bytes) -> Vec<u8> {
        let is_its = |event: &&Event| match event {
            Event::Write(node, ..) | Event::Cut(node, _) | Event::Sync(node) => *node == file,
            Event::Names(_) => false,
        };
        let events: Vec<&Event> = self.events[..after].iter().filter(is_its).collect();
        let synced = events.iter().rposition(|event| matches!(event, Event::Sync(_)));
        let mut bytes = Vec::new();
        for (at, event) in events.iter().enumerate() {
            let is_synced = synced.is_some_and(|synced| at < synced);
            let kept = if is_synced { Bytes::All } else { kept.of(at) };
            match event {
                Event::Write(_, start, more) => put(&mut bytes, *start, more, kept),
                Event::Cut(_, len) if matches!(kept, Bytes::All) => bytes.resize(*len, 0),
                Event::Cut(..) | Event::Names(_) | Event::Sync(_) => {}
            }
        }
        bytes
    }
}

/// A disk writes so many bytes at once, or none of them.
const SECTOR: usize = 512;

/// Writes some bytes, or what there is of them.
fn put(bytes: &mut Vec<u8>, start: usize, more: &[u8], kept: Bytes) {
    let (old, all) = (bytes.len(), start + more.len());
    let end = match kept {
        Bytes::All | Bytes::Zeros => all,
        Bytes::Half => (start.midpoint(all) / SECTOR * SECTOR).max(start),
        Bytes::None | Bytes::Part(_) => return,
    };
    bytes.resize(old.max(end), 0);
    match kept {
        // Only what the file had no bytes for before.
        Bytes::Zeros => bytes[old..].fill(0),
        _ => bytes[start..end].copy_from_slice(&more[..end - start]),
    }
}
