//! `check_results`: read only as far as Terraform would refuse a state for them.

use std::ops::Range;

use super::error::Invalid;
use super::fields::Fields;
use super::version::is_key;
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

fn result(fields: &mut Fields<'_>) -> Result<(), SyntaxError> {
    let mut first = true;
    while let Some(key) = fields.scanner.next_key(&mut first)? {
        if is_key(key.raw, "config_addr") {
            if let Some(text) = fields.text("check_results.config_addr")?
                && text.raw.contains(&b'[')
            {
                fields.findings.push(text.offset, Invalid::CheckAddress);
            }
        } else if is_key(key.raw, "object_kind") {
            fields.text("check_results.object_kind")?;
        } else if is_key(key.raw, "status") {
            fields.text("check_results.status")?;
        } else {
            fields.scanner.value()?;
        }
    }
    Ok(())
}
