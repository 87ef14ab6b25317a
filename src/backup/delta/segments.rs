//! Where a state can be cut so that what did not change stays in one piece.

use crate::state::document::{Document, Output};
use crate::state::scan::{Scanner, SyntaxError};

/// Returns where the pieces of a state begin, rising, the first at 0.
///
/// There is a cut before each resource, each instance, each output and each check result, and after
/// the last of each. What can't be read as JSON is one piece from where that shows.
pub(super) fn cuts(bytes: &[u8]) -> Vec<usize> {
    let mut cuts = vec![0];
    // What was found before the fault stays: any cut is right, they only differ in worth.
    if let Err(_fault) = top(&mut Scanner::new(bytes), &mut cuts) {
        tracing::debug!("what is to be cut is no whole JSON document");
    }
    cuts.dedup();
    cuts
}

/// Returns cuts of a state that was parsed, without reading it again: before and behind each
/// resource and instance, and behind each value of an output and all check results.
///
/// Nothing for what was upgraded, whose text is not the one that was parsed.
pub(super) fn cuts_of(document: &Document) -> Option<Vec<usize>> {
    if document.version() != 4 {
        return None;
    }
    let bytes = document.bytes();
    let behind = |part: &[u8]| (part.as_ptr() as usize).checked_sub(bytes.as_ptr() as usize);
    let mut cuts = vec![0];
    for resource in document.resources() {
        cuts.extend([resource.offset(), resource.offset() + resource.raw().len()]);
        for instance in resource.instances() {
            cuts.extend([instance.offset(), instance.offset() + instance.raw().len()]);
        }
    }
    for part in document.outputs().map(Output::value_raw).chain(document.check_results()) {
        cuts.extend(behind(part).map(|start| start + part.len()));
    }
    cuts.retain(|&cut| cut <= bytes.len());
    cuts.sort_unstable();
    cuts.dedup();
    Some(cuts)
}

fn top(scanner: &mut Scanner<'_>, cuts: &mut Vec<usize>) -> Result<(), SyntaxError> {
    let mut first = true;
    scanner.open_object()?;
    while let Some(key) = scanner.next_key(&mut first)? {
        match key.decode_lossy().as_ref() {
            "resources" if scanner.peek() == Some(b'[') => each_element(scanner, cuts, resource)?,
            "check_results" if scanner.peek() == Some(b'[') => each_element(scanner, cuts, whole)?,
            "outputs" if scanner.peek() == Some(b'{') => outputs(scanner, cuts)?,
            _ => whole(scanner, cuts)?,
        }
    }
    Ok(())
}

fn each_element(
    scanner: &mut Scanner<'_>,
    cuts: &mut Vec<usize>,
    element: fn(&mut Scanner<'_>, &mut Vec<usize>) -> Result<(), SyntaxError>,
) -> Result<(), SyntaxError> {
    let mut first = true;
    scanner.open_array()?;
    while scanner.next_element(&mut first)? {
        scanner.peek();
        cuts.push(scanner.pos());
        element(scanner, cuts)?;
    }
    cuts.push(scanner.pos());
    Ok(())
}

fn resource(scanner: &mut Scanner<'_>, cuts: &mut Vec<usize>) -> Result<(), SyntaxError> {
    if scanner.peek() != Some(b'{') {
        return whole(scanner, cuts);
    }
    let mut first = true;
    scanner.open_object()?;
    while let Some(key) = scanner.next_key(&mut first)? {
        let is_instances = key.decode_lossy() == "instances" && scanner.peek() == Some(b'[');
        if is_instances { each_element(scanner, cuts, whole)? } else { whole(scanner, cuts)? }
    }
    Ok(())
}

fn outputs(scanner: &mut Scanner<'_>, cuts: &mut Vec<usize>) -> Result<(), SyntaxError> {
    let mut first = true;
    scanner.open_object()?;
    while let Some(_name) = scanner.next_key(&mut first)? {
        whole(scanner, cuts)?;
        cuts.push(scanner.pos());
    }
    Ok(())
}

fn whole(scanner: &mut Scanner<'_>, _cuts: &mut Vec<usize>) -> Result<(), SyntaxError> {
    scanner.peek();
    scanner.value().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Vec<&str> {
        cut_at(&cuts(text.as_bytes()), text)
    }

    fn cut_at<'t>(cuts: &[usize], text: &'t str) -> Vec<&'t str> {
        let ends = cuts.iter().skip(1).copied().chain([text.len()]);
        cuts.iter().zip(ends).map(|(&start, end)| &text[start..end]).collect()
    }

    #[test]
    fn resources_instances_and_outputs_are_pieces() {
        let text = r#"{"v":4,"outputs":{"a":{},"b":{}},"resources":[{"instances":[{"i":1},{"i":2}]},{"x":1}]}"#;
        assert_eq!(
            pieces(text),
            [
                r#"{"v":4,"outputs":{"a":{}"#,
                r#","b":{}"#,
                r#"},"resources":["#,
                r#"{"instances":["#,
                r#"{"i":1},"#,
                r#"{"i":2}]"#,
                "},",
                r#"{"x":1}]"#,
                "}"
            ]
        );
    }

    #[test]
    fn check_results_are_pieces_and_what_is_not_as_terraform_has_it_is_none() {
        let text = r#"{"check_results":[{"a":1},{"b":2}],"x":[{"c":3},{"d":4}]}"#;
        let rest = r#","x":[{"c":3},{"d":4}]}"#;
        assert_eq!(pieces(text), [r#"{"check_results":["#, r#"{"a":1},"#, r#"{"b":2}]"#, rest]);
        let text = r#"{"resources":{"instances":[1]},"x":[{}]}"#;
        assert_eq!(pieces(text), [text]);
        for odd in [r#""check_results":null"#, r#""outputs":[1]"#, r#""resources":{"a":[1]}"#] {
            let before = format!(r#"{{{odd},"resources":["#);
            assert_eq!(pieces(&format!("{before}{{}}],\"x\":1}}")), [&before, "{}]", ",\"x\":1}"]);
        }
        let text = r#"{"resources":[{"instances":{"a":1},"name":[1,2]},[3]],"x":1}"#;
        let resource = r#"{"instances":{"a":1},"name":[1,2]},"#;
        assert_eq!(pieces(text), [r#"{"resources":["#, resource, "[3]]", r#","x":1}"#]);
    }

    #[test]
    fn a_state_that_was_parsed_is_cut_around_each_of_its_parts() {
        let text = r#"{"version":4,"serial":1,"lineage":"l","outputs":{"a":{"value":"x","type":"string"}},"resources":[{"mode":"managed","type":"a","name":"b","provider":"provider[\"x/a\"]","instances":[{"attributes":{}},{"index_key":1,"attributes":{}}]}],"check_results":[{"object_kind":"resource","config_addr":"a.b","status":"pass","objects":null}]}"#;
        let document = Document::parse(text.as_bytes()).unwrap();
        assert_eq!(
            cut_at(&cuts_of(&document).unwrap(), text),
            [
                r#"{"version":4,"serial":1,"lineage":"l","outputs":{"a":{"value":"x""#,
                r#","type":"string"}},"resources":["#,
                r#"{"mode":"managed","type":"a","name":"b","provider":"provider[\"x/a\"]","instances":["#,
                r#"{"attributes":{}}"#,
                ",",
                r#"{"index_key":1,"attributes":{}}"#,
                "]}",
                r#"],"check_results":[{"object_kind":"resource","config_addr":"a.b","status":"pass","objects":null}]"#,
                "}",
            ]
        );
    }

    #[test]
    fn what_is_no_json_is_one_piece_from_where_it_shows() {
        assert_eq!(pieces("<html>"), ["<html>"]);
        assert_eq!(pieces(r#"{"resources":[{"a":1},{"#), [r#"{"resources":["#, r#"{"a":1},"#, "{"]);
        assert_eq!(pieces(""), [""]);
    }
}
