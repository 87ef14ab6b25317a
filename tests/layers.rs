//! The layers of the design hold: every arrow between modules points down.

use std::fs;
use std::path::{Path, PathBuf};

/// The floors from the top down. A module may use those on floors below its own.
const FLOORS: [&[&str]; 7] = [
    &["cli"],
    &["tui"],
    &["ops"],
    &["backup", "migrate"],
    &["validate", "diff", "graph", "query", "store"],
    &["state"],
    &["base"],
];

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|modules| modules.contains(&module))
}

fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("src can be listed") {
        let path = entry.expect("src can be listed").path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            out.push(path);
        }
    }
}

/// Returns the modules that `text` names as `crate::MODULE` outside of comments, with their lines.
fn used(text: &str) -> Vec<(usize, String)> {
    let code: Vec<&str> = text.lines().map(|line| line.split("//").next().unwrap_or("")).collect();
    let code = code.join("\n");
    let mut used = Vec::new();
    for (at, word) in code.match_indices("crate::") {
        let line = code[..at].matches('\n').count() + 1;
        for name in names(&code[at + word.len()..]) {
            used.push((line, name));
        }
    }
    used
}

/// Returns the first names of `a::b` or of each member of `{a::b, c::{d, e}}`.
fn names(path: &str) -> Vec<String> {
    let first = |path: &str| -> String {
        path.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let Some(list) = path.strip_prefix('{') else { return vec![first(path)] };
    let (mut depth, mut start, mut names) = (0, 0, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            '}' | ',' if depth == 0 => {
                names.push(first(&list[start..at]));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

#[test]
fn every_arrow_points_down() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut wrong = Vec::new();
    for file in &files {
        let place = file.strip_prefix(&root).expect("the file is below src");
        let module = place.iter().next().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(own) = floor(module.trim_end_matches(".rs")) else { continue };
        let text = fs::read_to_string(file).expect("a source can be read");
        for (line, name) in used(&text) {
            let points_down = floor(&name).is_some_and(|other| other > own);
            if name != FLOORS[own].iter().find(|m| **m == module).copied().unwrap_or(module)
                && !points_down
            {
                wrong.push(format!("{}:{line}: {module} uses {name}", place.display()));
            }
        }
    }
    assert!(files.len() > 20, "the sources were found");
    assert!(wrong.is_empty(), "arrows that point up or sideways:\n{}", wrong.join("\n"));
}

#[test]
fn every_module_has_a_floor() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(root).expect("src can be listed") {
        let name = entry.expect("src can be listed").file_name();
        let name = name.to_string_lossy();
        let module = name.trim_end_matches(".rs");
        assert!(
            matches!(module, "main" | "lib") || floor(module).is_some(),
            "{module} has no floor"
        );
    }
}

#[test]
fn an_arrow_that_points_up_is_seen() {
    let text = "use crate::{ops, state::{value, path},\n  base};\n// crate::cli\ncrate::tui::run()";
    let expected = [(1, "ops"), (1, "state"), (1, "base"), (4, "tui")];
    assert_eq!(used(text), expected.map(|(line, name)| (line, name.to_owned())));
    assert!(floor("state") > floor("ops"));
}
