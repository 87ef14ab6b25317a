//! `check_results`: read only as far as Terraform would refuse a state for them.

use std::borrow::Cow;
use std::ops::Range;

use super::error::Invalid;
use super::fields::Fields;
use super::version::{field, is_key};
use crate::state::address::{self, Address, ConfigAddress, Keys};
use crate::state::scan::SyntaxError;

/// Passes `check_results` and returns where it stands.
pub(super) fn read(fields: &mut Fields<'_>) -> Result<Option<Range<usize>>, SyntaxError> {
    fields.scanner.peek();
    let start = fields.scanner.pos();
    if !fields.array("check_results")? {
        return Ok(None);
    }
    let mut first = true;
    while fields.scanner.next_element(&mut first)? {
        if fields.object("check_results")? {
            result(fields)?;
        }
    }
    Ok(Some(start..fields.scanner.pos()))
}

/// An address in a result: its text and where it stands.
type Place<'a> = (Cow<'a, str>, usize);

fn result(fields: &mut Fields<'_>) -> Result<(), SyntaxError> {
    fields.scanner.peek();
    let (mut kind, mut config) = (Cow::Borrowed(""), (Cow::Borrowed(""), fields.scanner.pos()));
    let mut objects = Vec::new();
    let mut first = true;
    while let Some(key) = fields.scanner.next_key(&mut first)? {
        let key = field(&key);
        if is_key(&key, "config_addr") {
            address(fields, "check_results.config_addr", &mut config)?;
        } else if is_key(&key, "object_kind") {
            let text = fields.text("check_results.object_kind")?;
            kind = text.map_or(kind, |text| text.decode_lossy());
        } else if is_key(&key, "status") {
            fields.text("check_results.status")?;
        } else if is_key(&key, "objects") {
            objects = read_objects(fields)?;
        } else {
            fields.scanner.value()?;
        }
    }
    // Terraform skips the kinds it does not know, whatever their addresses are.
    if matches!(kind.as_ref(), "resource" | "output" | "check" | "var") {
        if !is_checkable(&kind, &config.0, Keys::Refused) {
            fields.findings.push(config.1, Invalid::CheckAddress);
        }
        for (text, offset) in objects {
            if !is_checkable(&kind, &text, Keys::Allowed) {
                fields.findings.push(offset, Invalid::CheckObject);
            }
        }
    }
    Ok(())
}

/// Reads `objects` and returns their addresses.
fn read_objects<'a>(fields: &mut Fields<'a>) -> Result<Vec<Place<'a>>, SyntaxError> {
    let mut objects = Vec::new();
    if !fields.array("check_results.objects")? {
        return Ok(objects);
    }
    let mut first = true;
    while fields.scanner.next_element(&mut first)? {
        fields.scanner.peek();
        let mut place = (Cow::Borrowed(""), fields.scanner.pos());
        if fields.object("check_results.objects")? {
            object(fields, &mut place)?;
        }
        objects.push(place);
    }
    Ok(objects)
}

fn object<'a>(fields: &mut Fields<'a>, place: &mut Place<'a>) -> Result<(), SyntaxError> {
    let mut first = true;
    while let Some(key) = fields.scanner.next_key(&mut first)? {
        let key = field(&key);
        if is_key(&key, "object_addr") {
            address(fields, "check_results.objects.object_addr", place)?;
        } else if is_key(&key, "status") {
            fields.text("check_results.objects.status")?;
        } else if is_key(&key, "failure_messages") {
            messages(fields)?;
        } else {
            fields.scanner.value()?;
        }
    }
    Ok(())
}

fn messages(fields: &mut Fields<'_>) -> Result<(), SyntaxError> {
    const FIELD: &str = "check_results.objects.failure_messages";
    if !fields.array(FIELD)? {
        return Ok(());
    }
    let mut first = true;
    while fields.scanner.next_element(&mut first)? {
        fields.text(FIELD)?;
    }
    Ok(())
}

/// Reads an address into `place`; `null` says nothing.
fn address<'a>(
    fields: &mut Fields<'a>,
    name: &'static str,
    place: &mut Place<'a>,
) -> Result<(), SyntaxError> {
    if let Some(text) = fields.text(name)? {
        *place = (text.decode_lossy(), text.offset);
    }
    Ok(())
}

fn is_checkable(kind: &str, text: &str, keys: Keys) -> bool {
    match (kind, keys) {
        ("resource", Keys::Refused) => ConfigAddress::parse_exact(text).is_ok(),
        ("resource", Keys::Allowed) => Address::parse(text).is_ok(),
        (word, keys) => address::is_named(text, word, keys),
    }
}
