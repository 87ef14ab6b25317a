//! `resources`: the part of a state that is large.
//!
//! A large array is read by two threads. In a document as Terraform writes it, each element
//! begins with a line of four spaces and a bracket, and a raw line break can't stand in a JSON
//! string; so such a line near the middle is a place where a second reader may start. Its result
//! counts only if the first reader arrives at exactly that byte between two elements.
//! Otherwise the first reader goes on alone.

mod instance;
mod resource;
#[cfg(test)]
mod tests;
mod twin;

use std::collections::{HashMap, HashSet};

use super::error::Warning;
use super::fields::{Fields, Findings};
use crate::state::index::{ResourceEntry, Resources, Run};
use crate::state::scan::SyntaxError;
use crate::state::table::{Table, Texts};
use resource::Rank;
pub(crate) use twin::Like;
use twin::Twin;

/// What `resources` says.
#[derive(Debug, Default)]
pub(super) struct Body {
    pub(super) resources: Resources,
    pub(super) warnings: Vec<Warning>,
    pub(super) findings: Findings,
    /// Whether the resources of each module stand as Terraform lists them, and none stands twice.
    pub(super) is_sorted: bool,
}

/// What an element of `resources` and of `instances` takes at least, as states go; where they are
/// smaller, the tables grow.
const BYTES_OF_AN_ELEMENT: usize = 2048;
const BYTES_OF_AN_INSTANCE: usize = 1024;

/// From this many bytes on, two threads are faster than one.
const WORTH_TWO_THREADS: usize = 4 << 20;

/// Reads the `resources` array at the cursor, which is probably much `like` that of a document
/// that was read before.
pub(super) fn read<'a>(
    fields: &mut Fields<'a>,
    like: Option<Like<'a>>,
) -> Result<Body, SyntaxError> {
    read_cut(fields, like, cut)
}

/// Reads the array with a second thread from where `cut` says, if it says so.
fn read_cut<'a>(
    fields: &mut Fields<'a>,
    like: Option<Like<'a>>,
    cut: impl FnOnce(&[u8], usize) -> Option<usize>,
) -> Result<Body, SyntaxError> {
    if !fields.array("resources")? {
        return Ok(Body::default());
    }
    let (bytes, start) = (fields.bytes, fields.scanner.pos());
    let (body, end) = if let Some(cut) = cut(bytes, start) {
        read_halves(bytes, (start, cut), like)?
    } else {
        let mut part = Part::new(bytes, start, bytes.len() - start, like);
        part.read(None)?;
        part.finish()
    };
    fields.scanner.leave(end);
    Ok(body)
}

/// Returns where an element probably begins, near the middle of what follows `start`.
fn cut(bytes: &[u8], start: usize) -> Option<usize> {
    const ELEMENT: &[u8] = b"\n    {\n";
    if bytes.len() - start < WORTH_TWO_THREADS {
        return None;
    }
    let middle = start + (bytes.len() - start) / 2;
    memchr::memmem::find(&bytes[middle..], ELEMENT).map(|at| middle + at + ELEMENT.len() - 2)
}

fn read_halves<'a>(
    bytes: &'a [u8],
    (start, cut): (usize, usize),
    like: Option<Like<'a>>,
) -> Result<(Body, usize), SyntaxError> {
    let mut head = Part::new(bytes, start, cut - start, like);
    let mut tail = Part::new(bytes, cut, bytes.len() - cut, like);
    let (met, tail_read) = std::thread::scope(|scope| {
        let second = scope.spawn(|| tail.read(None));
        let met = head.read(Some(cut));
        (met, second.join())
    });
    match (met?, tail_read) {
        (Stop::Met, Ok(read)) => {
            read?;
            head.append(tail);
        }
        // The cut was not between two elements, or the second reader is gone: the first one
        // stands before the next element and reads on.
        (Stop::Passed | Stop::Met, _) => {
            head.read(None)?;
        }
        (Stop::End, _) => {}
    }
    Ok(head.finish())
}

#[derive(Debug, Eq, PartialEq)]
enum Stop {
    /// The array ended.
    End,
    /// The next element begins at the stop.
    Met,
    /// The next element begins behind the stop.
    Passed,
}

/// A run of elements of `resources`, being read.
#[derive(Debug)]
struct Part<'a> {
    fields: Fields<'a>,
    out: Resources,
    warnings: Vec<Warning>,
    /// The raw text of the module that was last seen, with its place in `out.modules`. Resources of
    /// one module stand together; where they do not, it gets several places, which are joined in
    /// the end.
    last_module: (&'a [u8], u32),
    /// The raw entries of `dependencies` that were found good.
    dependencies: HashSet<&'a [u8]>,
    /// Whether Terraform can read each raw provider.
    providers: HashMap<&'a [u8], bool>,
    /// The first and the last resource of this part, and whether all of one module are sorted.
    ends: Option<(Rank<'a>, Rank<'a>)>,
    is_sorted: bool,
    twin: Option<Twin<'a>>,
    first: bool,
    /// Whether the cursor already stands at the start of an element.
    at_element: bool,
}

impl<'a> Part<'a> {
    /// Starts before an element, or before the end of the array, about `len` bytes before its end.
    fn new(bytes: &'a [u8], pos: usize, len: usize, like: Option<Like<'a>>) -> Self {
        Self {
            fields: Fields::in_resources(bytes, pos),
            out: Resources {
                modules: Texts::default(),
                runs: Vec::new(),
                // Tables that grow leave holes behind. Room that is never touched costs nothing.
                elements: Table::with_capacity(len / BYTES_OF_AN_ELEMENT),
                instances: Table::with_capacity(len / BYTES_OF_AN_INSTANCE),
                end: 0,
                is_plain: true,
                copies: Vec::new(),
            },
            warnings: Vec::new(),
            last_module: (b"", u32::MAX),
            dependencies: HashSet::new(),
            providers: HashMap::new(),
            ends: None,
            is_sorted: true,
            twin: like.map(|like| Twin::near(like, pos)),
            first: true,
            at_element: false,
        }
    }

    fn read(&mut self, stop: Option<usize>) -> Result<Stop, SyntaxError> {
        loop {
            if !self.at_element && !self.fields.scanner.next_element(&mut self.first)? {
                self.out.end = self.fields.scanner.pos() - 1;
                return Ok(Stop::End);
            }
            self.fields.scanner.peek();
            let pos = self.fields.scanner.pos();
            if let Some(stop) = stop.filter(|&stop| pos >= stop) {
                self.at_element = true;
                return Ok(if pos == stop { Stop::Met } else { Stop::Passed });
            }
            self.at_element = false;
            if !self.copy(pos) {
                self.resource()?;
                self.find_twin();
            }
        }
    }

    fn finish(mut self) -> (Body, usize) {
        let end = self.fields.scanner.pos();
        join_equal_modules(&mut self.out);
        let body = Body {
            resources: self.out,
            warnings: self.warnings,
            findings: self.fields.findings,
            is_sorted: self.is_sorted,
        };
        (body, end)
    }

    fn push(&mut self, entry: ResourceEntry, module: u32) {
        push_run(&mut self.out.runs, index(self.out.elements.len()), module);
        self.out.elements.push(entry);
    }

    fn append(&mut self, tail: Self) {
        self.is_sorted &= tail.is_sorted && self.is_before(&tail);
        let (resources, instances) =
            (index(self.out.elements.len()), index(self.out.instances.len()));
        // A cut is hardly ever between two modules: most of the time one goes on behind it.
        let both = (self.out.modules.len().checked_sub(1), tail.out.modules.get(0));
        let goes_on = matches!(both, (Some(last), first) if self.out.modules.get(last) == first);
        let modules = index(self.out.modules.len()) - u32::from(goes_on);
        tail.out.modules.iter().skip(usize::from(goes_on)).for_each(|m| self.out.modules.push(m));
        for Run { element, module } in tail.out.runs {
            push_run(&mut self.out.runs, element + resources, module + modules);
        }
        self.out.elements.append(tail.out.elements, |entry| entry.first += instances);
        self.out.instances.append(tail.out.instances, |_| {});
        self.out.copies.extend(tail.out.copies.into_iter().map(|mut run| {
            run.here += resources;
            run
        }));
        self.out.end = tail.out.end;
        self.out.is_plain &= tail.out.is_plain;
        self.warnings.extend(tail.warnings);
        self.fields.findings.append(tail.fields.findings);
        self.fields.scanner = tail.fields.scanner;
    }
}

/// Says that the elements from a place on are in a module.
fn push_run(runs: &mut Vec<Run>, element: u32, module: u32) {
    if runs.last().is_none_or(|last| last.module != module) {
        runs.push(Run { element, module });
    }
}

/// Gives modules with the same text one place, in the order in which they come first: a path may be
/// spelt in several ways, and both halves of a document may have resources of it.
fn join_equal_modules(out: &mut Resources) {
    // In the order that Terraform writes, all texts differ.
    if out.modules.iter().is_sorted_by(|a, b| a < b) {
        return;
    }
    let (all, runs) = (std::mem::take(&mut out.modules), std::mem::take(&mut out.runs));
    let mut places: HashMap<&str, u32> = HashMap::new();
    for Run { element, module } in runs {
        let text = &all[module as usize];
        let place = *places.entry(text).or_insert_with(|| {
            out.modules.push(text);
            index(out.modules.len() - 1)
        });
        push_run(&mut out.runs, element, place);
    }
}

/// Narrows a place in the document.
fn offset(pos: usize) -> u32 {
    u32::try_from(pos).expect("a document of more than 4 GiB is refused")
}

/// Narrows a place in one of the tables, which the size of a document bounds.
fn index(place: usize) -> u32 {
    u32::try_from(place).expect("an index entry stands for at least two bytes of at most 4 GiB")
}
