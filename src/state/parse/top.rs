//! The top level of a version 4 document.

use super::body::{self, Body, Like};
use super::checks;
use super::error::{Invalid, ParseError, Place, Warning};
use super::fields::Fields;
use super::order;
use super::outputs;
use super::sniff;
use super::version::{field, is_key};
use crate::state::index::{Header, Index};
use crate::state::scan::SyntaxError;

const KEYS: [&str; 7] =
    ["version", "terraform_version", "serial", "lineage", "outputs", "resources", "check_results"];

/// Builds the index of a version 4 document, where the `version` that was found is the last.
///
/// Returns nothing where another one follows it, which then decides what this is. What is equal in
/// the document that this one is `like` is not read again.
pub(crate) fn read_v4<'a>(
    bytes: &'a [u8],
    like: Option<Like<'a>>,
) -> Result<Option<Index>, ParseError> {
    if u32::try_from(bytes.len()).is_err() {
        return Err(ParseError::TooLarge);
    }
    let mut fields = Fields::new(bytes);
    let mut top = Top { like, ..Top::default() };
    if let Err(error) = top.read(&mut fields) {
        return Err(sniff::explain(bytes, &error));
    }
    if top.another_version {
        return Ok(None);
    }
    let Top { header, outputs, body, checks, mut warnings, .. } = top;
    let mut all = fields.findings;
    let mut body = body;
    all.append(std::mem::take(&mut body.findings));
    // The order can only be told, and duplicates only be seen, where every address was read.
    let order = if all.is_empty() { order::sort(bytes, &body, &mut all) } else { Vec::new() };
    if !all.is_empty() {
        return Err(ParseError::Invalid(all.finish(bytes)));
    }
    let Body { resources: body, warnings: dropped, is_sorted, .. } = body;
    warnings.extend(dropped);
    Ok(Some(Index { header, outputs, body, is_sorted, order, checks, warnings }))
}

/// Reads what stands before the resources of a version 4 document, and looks whether its end is one.
///
/// Returns nothing where only reading all of it can tell whether this is a state.
pub(crate) fn glance(bytes: &[u8]) -> Option<Header> {
    let mut fields = Fields::new(bytes);
    let mut top = Top { stops_at_resources: true, ..Top::default() };
    top.read(&mut fields).ok()?;
    let end = bytes.iter().rev().find(|byte| !byte.is_ascii_whitespace());
    let seen = |name: &str| KEYS.iter().position(|key| *key == name).map(|at| top.seen[at]);
    let is_whole = ["version", "serial", "lineage", "resources"].map(seen) == [Some(true); 4];
    let is_good = fields.findings.is_empty() && top.warnings.is_empty() && !top.another_version;
    (is_whole && is_good && end == Some(&b'}')).then_some(top.header)
}

#[derive(Default)]
struct Top<'a> {
    stops_at_resources: bool,
    like: Option<Like<'a>>,
    header: Header,
    outputs: Vec<crate::state::index::OutputEntry>,
    body: Body,
    checks: Option<std::ops::Range<usize>>,
    warnings: Vec<Warning>,
    seen: [bool; KEYS.len()],
    /// Whether a second `version` says something else than 4.
    another_version: bool,
}

impl<'a> Top<'a> {
    fn read(&mut self, fields: &mut Fields<'a>) -> Result<(), SyntaxError> {
        let mut first = true;
        fields.scanner.open_object()?;
        while let Some(key) = fields.scanner.next_key(&mut first)? {
            let name_of_key = field(&key);
            let known = KEYS.iter().position(|name| is_key(&name_of_key, name));
            if let Some(known) = known {
                if self.seen[known] {
                    let place = Place::of(fields.bytes, key.offset - 1);
                    self.warnings
                        .push(Warning::DuplicateKey { key: KEYS[known].to_owned(), place });
                }
                self.seen[known] = true;
            }
            if self.stops_at_resources && known.is_some_and(|known| KEYS[known] == "resources") {
                return Ok(());
            }
            self.member(fields, known.map(|known| KEYS[known]))?;
        }
        fields.scanner.end()
    }

    fn member(&mut self, fields: &mut Fields<'a>, key: Option<&str>) -> Result<(), SyntaxError> {
        match key {
            Some("terraform_version") => {
                fields.scanner.peek();
                let offset = fields.scanner.pos();
                let Some(version) = fields.string("terraform_version")? else { return Ok(()) };
                if !version.is_empty() && !is_version(&version) {
                    fields.findings.push(offset, Invalid::TerraformVersion);
                }
                self.header.terraform_version = version;
            }
            // `null` says nothing: what stood there before stays.
            Some("serial") => {
                self.header.serial = fields.unsigned("serial")?.unwrap_or(self.header.serial);
            }
            Some("lineage") => {
                let lineage = fields.string("lineage")?;
                self.header.lineage = lineage.unwrap_or(std::mem::take(&mut self.header.lineage));
            }
            Some("version") => self.another_version |= fields.scanner.value()? != b"4",
            Some("outputs") => outputs::read(fields, &mut self.outputs)?,
            Some("resources") => self.body = body::read(fields, self.like)?,
            Some("check_results") => self.checks = checks::read(fields)?,
            _ => {
                fields.scanner.value()?;
            }
        }
        Ok(())
    }
}

/// Returns whether Terraform can read `text` as a version: numbers with dots, then perhaps a
/// pre-release and metadata.
fn is_version(text: &str) -> bool {
    let text = text.strip_prefix('v').unwrap_or(text);
    let (text, metadata) = text.split_once('+').map_or((text, None), |(t, m)| (t, Some(m)));
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (numbers, pre) = text.split_at(end);
    let number = |n: &str| !n.is_empty() && n.parse::<i64>().is_ok();
    // A pre-release that starts with a digit needs the hyphen that tells it from the numbers.
    numbers.split('.').all(number)
        && (pre.is_empty() || is_dotted(pre) || pre.strip_prefix('-').is_some_and(is_dotted))
        && metadata.is_none_or(is_dotted)
}

/// Returns whether `text` is words with dots between them.
fn is_dotted(text: &str) -> bool {
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'~');
    text.split('.').all(|word| !word.is_empty() && word.bytes().all(is_letter))
}
