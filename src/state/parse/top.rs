//! The top level of a version 4 document.

use super::body::{self, Body};
use super::checks;
use super::error::{Invalid, ParseError, Place, Warning};
use super::fields::Fields;
use super::order;
use super::outputs;
use super::sniff;
use super::version::is_key;
use crate::state::index::{Header, Index};
use crate::state::scan::SyntaxError;

const KEYS: [&str; 7] =
    ["version", "terraform_version", "serial", "lineage", "outputs", "resources", "check_results"];

/// Builds the index of a version 4 document.
pub(crate) fn read_v4(bytes: &[u8]) -> Result<Index, ParseError> {
    let mut fields = Fields::new(bytes);
    let mut top = Top::default();
    if let Err(error) = top.read(&mut fields) {
        return Err(sniff::explain(bytes, &error));
    }
    let Top { header, outputs, body, checks, mut warnings, .. } = top;
    let Body { resources: body, warnings: dropped, findings, too_large } = body;
    if let Some(offset) = too_large {
        return Err(ParseError::TooLarge { place: Place::of(bytes, offset) });
    }
    let mut all = fields.findings;
    all.append(findings);
    // The order can only be told, and duplicates only be seen, where every address was read.
    let order = if all.is_empty() { order::sort(bytes, &body, &mut all) } else { Vec::new() };
    if !all.is_empty() {
        return Err(ParseError::Invalid(all.finish(bytes)));
    }
    warnings.extend(dropped);
    Ok(Index { header, outputs, body, order, checks, warnings })
}

#[derive(Default)]
struct Top {
    header: Header,
    outputs: Vec<crate::state::index::OutputEntry>,
    body: Body,
    checks: Option<std::ops::Range<usize>>,
    warnings: Vec<Warning>,
    seen: [bool; KEYS.len()],
}

impl Top {
    fn read(&mut self, fields: &mut Fields<'_>) -> Result<(), SyntaxError> {
        let mut first = true;
        fields.scanner.open_object()?;
        while let Some(key) = fields.scanner.next_key(&mut first)? {
            let known = KEYS.iter().position(|name| is_key(key.raw, name));
            if let Some(known) = known {
                if self.seen[known] {
                    let place = Place::of(fields.bytes, key.offset - 1);
                    self.warnings
                        .push(Warning::DuplicateKey { key: KEYS[known].to_owned(), place });
                }
                self.seen[known] = true;
            }
            self.member(fields, known.map(|known| KEYS[known]))?;
        }
        fields.scanner.end()
    }

    fn member(&mut self, fields: &mut Fields<'_>, key: Option<&str>) -> Result<(), SyntaxError> {
        match key {
            Some("terraform_version") => {
                fields.scanner.peek();
                let offset = fields.scanner.pos();
                let version = fields.string("terraform_version")?.unwrap_or_default();
                if !version.is_empty() && !is_version(&version) {
                    fields.findings.push(offset, Invalid::TerraformVersion);
                }
                self.header.terraform_version = version;
            }
            Some("serial") => self.header.serial = fields.unsigned("serial")?.unwrap_or(0),
            Some("lineage") => self.header.lineage = fields.string("lineage")?.unwrap_or_default(),
            Some("outputs") => self.outputs = outputs::read(fields)?,
            Some("resources") => self.body = body::read(fields)?,
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
    let word = |s: &str| {
        !s.is_empty()
            && s.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'~'))
    };
    let number = |n: &str| !n.is_empty() && n.parse::<i64>().is_ok();
    numbers.split('.').all(number)
        && (pre.is_empty() || word(pre.strip_prefix('-').unwrap_or(pre)))
        && metadata.is_none_or(word)
}
