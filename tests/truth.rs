//! Holds `tfstate diff` against generated pairs of states whose differences are known: every
//! change is found, and nothing is made up.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tfstate::state::path::{Path, Step};

#[path = "support/generator.rs"]
mod generator;
mod support;
#[path = "support/workers.rs"]
mod workers;

use generator::Generator;

const SEEDS: u32 = 30;

/// Where `diff` says that an object became tainted, or is no longer.
const TAINT_PATH: &str = "(tainted)";

/// Returns all in which `diff -o json` and the generator's account of the changes disagree.
fn disagreements(truth: &Value, diff: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let mut reported = BTreeMap::new();
    for entry in diff["resources"].as_array().unwrap() {
        let address = entry["address"].as_str().unwrap();
        if reported.insert(address, entry).is_some() {
            problems.push(format!("{address}: reported twice"));
        }
    }
    for change in truth["changes"].as_array().unwrap() {
        let address = change.get("to").unwrap_or(&change["address"]).as_str().unwrap();
        let found = match reported.remove(address) {
            Some(entry) => object_disagreements(change, entry),
            None => vec![format!("{} was missed", change["op"])],
        };
        problems.extend(found.into_iter().map(|problem| format!("{address}: {problem}")));
    }
    for (address, entry) in reported {
        problems.push(format!("{address}: made up: {}", entry["action"]));
    }
    problems.extend(output_disagreements(truth, diff));
    problems.extend(summary_disagreements(truth, &diff["summary"]));
    problems
}

fn action_of(op: &str) -> &'static str {
    match op {
        "create" => "added",
        "delete" => "removed",
        "move" => "moved",
        _ => "changed",
    }
}

fn object_disagreements(change: &Value, entry: &Value) -> Vec<String> {
    let op = change["op"].as_str().unwrap();
    let mut problems = Vec::new();
    if entry["action"] != action_of(op) {
        problems.push(format!("{op} is reported as {}", entry["action"]));
        return problems;
    }
    if op == "move" && entry["from_address"] != change["from"] {
        problems.push(format!("moved from {}, not {}", change["from"], entry["from_address"]));
    }
    let none = Vec::new();
    let changes = entry["changes"].as_array().unwrap_or(&none);
    match op {
        "update" | "move" => problems.extend(edit_disagreements(&change["edits"], changes)),
        "taint" | "untaint" => {
            let told = changes.iter().any(|change| change["path"] == TAINT_PATH);
            if !told || changes.len() != 1 {
                problems.push(format!("{op} is reported with the paths {:?}", paths(changes)));
            }
        }
        // What an added or a removed object lists is up to `diff`.
        _ => {}
    }
    problems
}

fn paths(changes: &[Value]) -> Vec<&str> {
    changes.iter().filter_map(|change| change["path"].as_str()).collect()
}

fn edit_disagreements(edits: &Value, changes: &[Value]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut left: Vec<&Value> = changes.iter().collect();
    for edit in edits.as_array().unwrap() {
        let accepted = accepted_changes(edit);
        let told = |change: &&Value| {
            accepted.iter().any(|accepted| same_change(accepted, change))
                || is_inside_text(&accepted[0], change)
        };
        match left.iter().position(told) {
            Some(index) => drop(left.swap_remove(index)),
            None => problems.push(format!(
                "the edit {} is not among {:?} with its values",
                accepted[0]["path"],
                paths(changes)
            )),
        }
    }
    problems
        .extend(left.iter().map(|change| format!("the change at {} is made up", change["path"])));
    problems
}

/// Returns the ways in which an edit may be reported: at its path; with the wrapper of a dynamic
/// attribute left out of the path; inside an embedded JSON document.
fn accepted_changes(edit: &Value) -> Vec<Value> {
    let steps = edit["path"].as_array().unwrap();
    let told = |steps: &[Value], before: &Value, after: &Value| json!({"path": path_text(steps), "before": before, "after": after});
    let mut accepted = vec![told(steps, &edit["before"], &edit["after"])];
    if steps.get(1).is_some_and(|step| step == "value") {
        let unwrapped = [&steps[..1], &steps[2..]].concat();
        accepted.push(told(&unwrapped, &edit["before"], &edit["after"]));
    }
    if let Some(inner) = edit["inside_json"].as_array() {
        let leaf = |side: &str| {
            let document: Value = serde_json::from_str(edit[side].as_str().unwrap()).unwrap();
            inner.iter().fold(document, |value, step| match step.as_u64() {
                Some(index) => value[usize::try_from(index).unwrap()].clone(),
                None => value[step.as_str().unwrap()].clone(),
            })
        };
        accepted.push(told(&[&steps[..], inner].concat(), &leaf("before"), &leaf("after")));
    }
    accepted
}

fn path_text(steps: &[Value]) -> String {
    let step = |step: &Value| match step.as_u64() {
        Some(index) => Step::Index(usize::try_from(index).unwrap()),
        None => Step::Key(step.as_str().unwrap().to_owned()),
    };
    steps.iter().map(step).collect::<Path>().to_string()
}

/// Returns whether two changes tell the same; a value that is absent is as good as null.
fn same_change(accepted: &Value, change: &Value) -> bool {
    ["path", "before", "after"].iter().all(|key| accepted[key] == change[key])
}

/// Returns whether a change is the edit of a text of several lines, told by where it is in the
/// YAML that the text holds: it lies below the edit, and what it replaces makes the one text of
/// the other and nothing else. The truth does not say where that is, unlike for JSON.
fn is_inside_text(edit: &Value, change: &Value) -> bool {
    // A block of text in the document stands there with its lines indented.
    let text = |value: &Value| match value {
        Value::String(text) => {
            text.trim_end().lines().map(str::trim).collect::<Vec<_>>().join("\n")
        }
        other => other.to_string(),
    };
    let [path, told] = [edit, change].map(|it| it["path"].as_str().unwrap_or_default());
    let (before, after) = (text(&edit["before"]), text(&edit["after"]));
    let (old, new) = (text(&change["before"]), text(&change["after"]));
    let below = told.strip_prefix(path).is_some_and(|rest| rest.starts_with(['.', '[']));
    let places = before.match_indices(&old);
    let made = |at: usize| format!("{}{new}{}", &before[..at], &before[at + old.len()..]);
    below && before.contains('\n') && places.into_iter().any(|(at, _)| made(at) == after)
}

fn output_disagreements(truth: &Value, diff: &Value) -> Vec<String> {
    let told = |output: &Value| {
        let [name, before, after] = ["name", "before", "after"].map(|key| output[key].clone());
        json!({"name": name, "action": "changed", "before": before, "after": after}).to_string()
    };
    let truth: Vec<String> = truth["outputs"].as_array().unwrap().iter().map(told).collect();
    let reported =
        diff["outputs"].as_array().unwrap().iter().map(|output| match &output["action"] {
            action if action == "changed" => told(output),
            _ => output.to_string(),
        });
    let reported: Vec<String> = reported.collect();
    let missed = truth.iter().filter(|output| !reported.contains(output));
    let invented = reported.iter().filter(|output| !truth.contains(output));
    missed
        .map(|output| format!("missed the output {output}"))
        .chain(invented.map(|output| format!("made up the output {output}")))
        .collect()
}

fn summary_disagreements(truth: &Value, summary: &Value) -> Vec<String> {
    let mut counts = BTreeMap::from([("added", 0), ("removed", 0), ("moved", 0), ("changed", 0)]);
    for change in truth["changes"].as_array().unwrap() {
        *counts.entry(action_of(change["op"].as_str().unwrap())).or_insert(0) += 1;
    }
    let wrong = counts.into_iter().filter(|(action, count)| summary[action] != *count);
    wrong
        .map(|(action, count)| format!("the summary has {} {action}, not {count}", summary[action]))
        .collect()
}

/// Generates a pair of states, compares them, and returns the disagreements.
fn try_seed(generator: &Generator, seed: u32) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = |name| folder.path().join(name).to_str().unwrap().to_owned();
    let (base, next, truth) = (file("base.tfstate"), file("next.tfstate"), file("truth.json"));
    let mix = if seed.is_multiple_of(5) { "builtin" } else { "aws" };
    let ops = "update=3,create=1,delete=1,move=2,taint=1";
    let files = ["-o", &base, "--next-out", &next, "--truth", &truth];
    let (seed_text, changes) = (seed.to_string(), (seed + 5).to_string());
    let shape = ["--size", "100KB", "--seed", &seed_text, "--mix", mix, "--ops", ops];
    let edits = ["--changes", &changes, "--outputs-changed", "2"];
    generator.run(&[&files[..], &shape, &edits].concat());
    let run = support::tfstate(["diff", &base, &next, "-o", "json", "--reveal", "--noise"]);
    let told = match serde_json::from_slice(&run.stdout) {
        Ok(diff) if run.code == Some(0) => {
            let truth = serde_json::from_slice(&std::fs::read(truth).unwrap()).unwrap();
            disagreements(&truth, &diff)
        }
        _ => {
            let said = String::from_utf8_lossy(&run.stderr);
            vec![format!("diff exits with {:?}: {}", run.code, said.trim())]
        }
    };
    told.into_iter().map(|problem| format!("seed {seed}: {problem}")).collect()
}

#[test]
fn diff_finds_every_change_and_makes_none_up() {
    let Some(generator) = Generator::find() else { return };
    let seeds: Vec<u32> = (1..=SEEDS).collect();
    let found = workers::for_each(&seeds, |seed| try_seed(&generator, *seed));
    let found: Vec<String> = found.into_iter().flatten().collect();
    assert!(found.is_empty(), "{} disagreements:\n{}", found.len(), found.join("\n"));
}

/// A small truth with one change of each kind.
fn truth() -> Value {
    json!({
        "changes": [
            {"op": "update", "address": "a.u", "edits": [
                {"path": ["tags", "a b"], "action": "add", "before": null, "after": "x"},
                {"path": ["list", 2], "action": "add", "before": null, "after": "y"},
                {"path": ["input", "value", "sha"], "action": "change", "before": "1", "after": "2"},
                {"path": ["policy"], "action": "change", "inside_json": ["Statement", 0, "Effect"],
                 "before": "{\"Statement\":[{\"Effect\":\"Allow\"}]}",
                 "after": "{\"Statement\":[{\"Effect\":\"Allow~\"}]}"}]},
            {"op": "create", "address": "a.c"},
            {"op": "delete", "address": "a.d"},
            {"op": "move", "from": "a.m", "to": "a.m_1", "edits": []},
            {"op": "taint", "address": "a.t"}],
        "outputs": [{"name": "o", "before": "1", "after": "2"}]
    })
}

/// The report that agrees with [`truth`].
fn report() -> Value {
    json!({
        "summary": {"added": 1, "removed": 1, "changed": 2, "moved": 1, "unchanged": 9},
        "resources": [
            {"address": "a.c", "action": "added"},
            {"address": "a.d", "action": "removed", "changes": []},
            {"address": "a.m_1", "action": "moved", "from_address": "a.m", "changes": []},
            {"address": "a.t", "action": "changed", "changes": [
                {"path": "(tainted)", "before": false, "after": true}]},
            {"address": "a.u", "action": "changed", "changes": [
                {"path": "input.sha", "before": "1", "after": "2"},
                {"path": "list[2]", "after": "y"},
                {"path": "policy.Statement[0].Effect", "before": "Allow", "after": "Allow~"},
                {"path": "tags[\"a b\"]", "before": null, "after": "x"}]}],
        "outputs": [{"name": "o", "action": "changed", "before": "1", "after": "2"}]
    })
}

/// Returns the disagreements after the value at `pointer` of the good report was replaced.
fn with(pointer: &str, value: Value) -> Vec<String> {
    let mut report = report();
    *report.pointer_mut(pointer).unwrap() = value;
    disagreements(&truth(), &report)
}

#[test]
fn a_report_that_tells_all_agrees() {
    assert_eq!(disagreements(&truth(), &report()), Vec::<String>::new());
    let whole = json!({"path": "policy",
        "before": "{\"Statement\":[{\"Effect\":\"Allow\"}]}",
        "after": "{\"Statement\":[{\"Effect\":\"Allow~\"}]}"});
    assert_eq!(with("/resources/4/changes/2", whole), Vec::<String>::new());
    let wrapped = json!("input.value.sha");
    assert_eq!(with("/resources/4/changes/0/path", wrapped), Vec::<String>::new());
}

#[test]
fn an_edit_inside_yaml_may_be_told_by_its_key_and_only_as_it_is() {
    let edit = json!({"path": "note", "before": "a: 1\nb: x\n", "after": "a: 1\nb: x~1"});
    let told = |path: &str, before: &str, after: &str| {
        is_inside_text(&edit, &json!({"path": path, "before": before, "after": after}))
    };
    assert!(told("note.b", "x", "x~1"));
    assert!(!told("note.b", "x", "x~2") && !told("note.b", "1", "x~1"));
    assert!(!told("other.b", "x", "x~1") && !told("notes.b", "x", "x~1"));
}

#[test]
fn whatever_is_wrong_in_a_report_is_noticed() {
    for (pointer, value, problem) in [
        ("/resources/0/address", json!("a.x"), "a.c: \"create\" was missed"),
        ("/resources/0/action", json!("changed"), "a.c: create is reported as \"changed\""),
        ("/resources/2/from_address", json!("a.d"), "a.m_1: moved from \"a.m\", not \"a.d\""),
        ("/resources/3/changes", json!([]), "a.t: taint is reported with the paths []"),
        ("/resources/2/changes", json!([{"path": "x"}]), "a.m_1: the change at \"x\" is made up"),
        ("/resources/4/changes/1/path", json!("list[3]"), "a.u: the edit \"list[2]\" is not among"),
        ("/resources/4/changes/3/after", json!("z"), "a.u: the edit \"tags[\\\"a b\\\"]\" is not"),
        ("/outputs", json!([]), "missed the output"),
        ("/outputs/0/action", json!("added"), "missed the output"),
        ("/summary/moved", json!(0), "the summary has 0 moved, not 1"),
    ] {
        let found = with(pointer, value);
        assert!(found.iter().any(|found| found.starts_with(problem)), "{pointer}: {found:?}");
    }
    let mut twice = report();
    let extra = twice["resources"][0].clone();
    twice["resources"].as_array_mut().unwrap().push(extra);
    assert_eq!(disagreements(&truth(), &twice), ["a.c: reported twice"]);
}
