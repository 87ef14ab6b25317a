//! `tfstate diff`: what is the same is told once, with a count, and on request one by one.

use crate::sandbox::{Ran, Sandbox};

/// Writes a state of one instance a line: `m.net/x.name["key"] {attributes}`.
fn state(instances: &[String]) -> String {
    let resource = |line: &String| {
        let (address, attributes) = line.split_once(' ').unwrap();
        let (module, address) = match address.split_once('/') {
            Some((module, address)) => {
                let module = module.replacen("m.", "module.", 1).replace('"', "\\\"");
                (format!(r#""module":"{module}","#), address)
            }
            None => (String::new(), address),
        };
        let (kind, name) = address.split_once('.').unwrap();
        let (name, key) = match name.split_once('[') {
            Some((name, key)) => (name, format!(r#""index_key":{},"#, key.trim_end_matches(']'))),
            None => (name, String::new()),
        };
        format!(
            r#"{{{module}"mode":"managed","type":"{kind}","name":"{name}","provider":"provider[\"registry.terraform.io/a/b\"]","instances":[{{{key}"schema_version":0,"attributes":{attributes}}}]}}"#
        )
    };
    let resources: Vec<String> = instances.iter().map(resource).collect();
    format!(r#"{{"version":4,"serial":1,"lineage":"l","resources":[{}]}}"#, resources.join(","))
}

fn diff(before: &[String], after: &[String], words: &[&str]) -> Ran {
    let sandbox = Sandbox::new();
    sandbox.write("a", state(before));
    sandbox.write("b", state(after));
    sandbox.run([&["diff", "a", "b"], words].concat())
}

/// Returns everything but the last line, which has the counts.
fn told(before: &[String], after: &[String], words: &[&str]) -> String {
    let out = diff(before, after, words).stdout;
    let lines: Vec<&str> = out.lines().collect();
    lines[..lines.len() - 1].join("\n")
}

fn each(names: &[&str], attributes: &str) -> Vec<String> {
    names.iter().map(|name| format!("{name} {attributes}")).collect()
}

/// The example of the README: a fleet that was upgraded, a tag on everything in a module, a module
/// that is gone, and an object that is another one.
#[test]
fn a_week_of_work_is_told_as_it_was_reviewed() {
    let web: Vec<String> = (0..12).map(|n| format!("aws_instance.web[{n}]")).collect();
    let web: Vec<&str> = web.iter().map(String::as_str).collect();
    let fleet = |ami: &str| each(&web, &format!(r#"{{"ami":"{ami}"}}"#));
    let network = |center: u16| {
        let names = ["aws_nat_gateway.this", "aws_subnet.a", "aws_subnet.b", "aws_vpc.main"];
        names.map(|name| format!(r#"m.network/{name} {{"tags":{{"CostCenter":"{center}"}}}}"#))
    };
    let address = |id: &str| [format!(r#"aws_eip.nat {{"id":"{id}"}}"#)];
    let gone = each(&["aws_eip.old", "aws_instance.old[0]", "aws_instance.old[1]"], "{}");
    let gone = gone.iter().map(|line| format!("m.legacy/{line}"));
    let state_of = |ami, center, id, gone: Vec<String>| {
        state(&[fleet(ami), network(center).to_vec(), address(id).to_vec(), gone].concat())
    };
    let before = state_of("ami-0b7f2e", 4200, "eipalloc-4", gone.collect());
    let after = state_of("ami-0c9d31", 4711, "eipalloc-9", Vec::new());
    let sandbox = Sandbox::new();
    let numbered = |state: String, serial| state.replace("\"serial\":1", serial);
    sandbox.write("monday.tfstate", numbered(before, "\"serial\":101"));
    sandbox.write("friday.tfstate", numbered(after, "\"serial\":104"));
    let out = sandbox.run(["diff", "monday.tfstate", "friday.tfstate"]).stdout;
    crate::reference::compare("tests/cli/diff/folded.txt", &out);
    let readme = include_str!("../../README.md");
    assert!(readme.contains(&format!("$ tfstate diff monday.tfstate friday.tfstate\n{out}```")));
}

#[test]
fn instances_of_one_resource_that_changed_in_the_same_way_are_one_entry() {
    let names = ["x.a[0]", "x.a[1]", "x.a[2]", "x.a[3]"];
    let (mut before, mut after) = (each(&names, r#"{"n":1}"#), each(&names, r#"{"n":2}"#));
    before.push(r#"x.b {"n":1}"#.to_owned());
    after.push(r#"x.b {"n":3}"#.to_owned());
    insta::assert_snapshot!(told(&before, &after, &[]), @r"
    ~ x.a[*]  4 instances, 1 change each
        [0], [1], [2], [3]
        ~ n  1 → 2
    ~ x.b  1 change
        ~ n  1 → 3
    ");
    let unfolded = told(&before, &after, &["--unfold"]);
    assert_eq!(unfolded.matches("1 → 2").count(), 4, "{unfolded}");
    assert!(names.iter().all(|name| unfolded.contains(&format!("~ {name}  1 change"))));
}

#[test]
fn resources_of_one_module_that_changed_in_the_same_way_are_one_entry() {
    let names = ["m.net/x.a", "m.net/y.a[0]", "m.net/z.a[\"k\"]", "x.other"];
    let (before, after) = (each(&names, r#"{"t":{"c":1}}"#), each(&names, r#"{"t":{"c":2}}"#));
    insta::assert_snapshot!(told(&before, &after, &[]), @r#"
    ~ x.other  1 change
        ~ t.c  1 → 2
    ~ module.net  3 instances, the same change in each
        x.a, y.a[0], z.a["k"]
        ~ t.c  1 → 2
    "#);
}

#[test]
fn the_same_change_in_the_instances_of_a_module_is_one_entry() {
    let names = ["m.r[\"eu\"]/x.a[0]", "m.r[\"eu\"]/x.a[1]", "m.r[\"us\"]/x.a[0]"];
    let (before, after) = (each(&names, r#"{"n":1}"#), each(&names, r#"{"n":2}"#));
    insta::assert_snapshot!(told(&before, &after, &[]), @r#"
    ~ module.r[*].x.a[*]  3 instances, 1 change each
        ["eu"][0], ["eu"][1], ["us"][0]
        ~ n  1 → 2
    "#);
}

#[test]
fn two_are_told_one_by_one_and_so_is_what_was_replaced_or_moved() {
    let names = ["x.a[0]", "x.a[1]"];
    let out = told(&each(&names, r#"{"n":1}"#), &each(&names, r#"{"n":2}"#), &[]);
    assert_eq!(out.matches("1 → 2").count(), 2, "{out}");
    let names = ["x.a[0]", "x.a[1]", "x.a[2]"];
    let out = told(&each(&names, r#"{"id":"o"}"#), &each(&names, r#"{"id":"n"}"#), &[]);
    assert_eq!(out.matches("replaced").count(), 3, "{out}");
}

#[test]
fn a_module_that_came_or_went_is_one_entry() {
    let module = ["m.p/x.a", "m.p/x.b[0]", "m.p/y.b[0]", "m.p.module.in/x.a"];
    let (all, none) = (each(&module, "{}"), Vec::new());
    insta::assert_snapshot!(told(&none, &all, &[]), @r"
    + module.p  added as a whole, 4 instances
        3 x, 1 y
    ");
    insta::assert_snapshot!(told(&all, &none, &[]), @r"
    - module.p  removed as a whole, 4 instances
        3 x, 1 y
    ");
    // Where something of it stays, it did not go as a whole; what is inside it did.
    let stays = each(&["m.p/x.a"], "{}");
    let more = each(&["m.p.module.in/x.b"], "{}");
    insta::assert_snapshot!(told(&[all.clone(), more].concat(), &stays, &[]), @r"
    - module.p.x.b[0]  removed
    - module.p.y.b[0]  removed
    - module.p.module.in  removed as a whole, 2 instances
        2 x
    ");
    let unfolded = told(&all, &none, &["--unfold"]);
    assert_eq!(unfolded.lines().count(), 4, "{unfolded}");
}

#[test]
fn many_modules_of_one_call_are_one_entry_and_all_that_went_are_named() {
    let names: Vec<String> = (0..40)
        .flat_map(|n| [format!("m.e[{n}]/x.a {{}}"), format!("m.e[{n}]/y.a {{}}")])
        .collect();
    let out = told(&names, &[], &[]);
    assert!(
        out.starts_with("- module.e[*]  40 modules removed as a whole, 80 instances\n"),
        "{out}"
    );
    assert!((0..40).all(|n| out.contains(&format!("module.e[{n}]"))), "{out}");
    assert!(out.ends_with("40 x, 40 y"), "{out}");
}

#[test]
fn what_a_filter_left_of_a_module_is_not_the_whole_of_it() {
    let all = each(&["m.p/x.a", "m.p/x.b", "m.p/y.b"], "{}");
    let out = told(&all, &[], &["--only", "type:x"]);
    assert!(!out.contains("as a whole") && out.matches("removed").count() == 2, "{out}");
}

#[test]
fn folding_hides_nothing_from_programs_gates_and_counts() {
    let names = ["x.a[0]", "x.a[1]", "x.a[2]"];
    let (all, none) = (each(&names, "{}"), Vec::new());
    let ran = diff(&all, &none, &["--fail-on", "delete"]);
    assert!(ran.stdout.contains("- x.a[*]  3 instances removed"), "{ran}");
    assert!(names.iter().all(|name| ran.stderr.contains(&format!("{name} is deleted"))), "{ran}");
    assert!(ran.stdout.contains("3 removed"), "{ran}");
    let json = diff(&all, &none, &["-o", "json"]).stdout;
    assert!(names.iter().all(|name| json.contains(&format!("\"address\": \"{name}\""))), "{json}");
    let html = diff(&all, &none, &["-o", "html"]).stdout;
    assert!(names.iter().all(|name| html.contains(&format!("<li><code>{name}</code>"))), "{html}");
}

#[test]
fn secrets_that_changed_are_told_together_and_nothing_of_them_is_told() {
    let with = |secret: &str| -> Vec<String> {
        let line = |n| format!(r#"x.a[{n}] {{"password":"{secret}{n}"}}"#);
        (0..3).map(line).collect()
    };
    // The same secret everywhere or another one in each: that must not show.
    let same: Vec<String> = (0..3).map(|n| format!(r#"x.a[{n}] {{"password":"new"}}"#)).collect();
    let out = told(&with("old"), &with("new"), &[]);
    assert_eq!(out, told(&with("old"), &same, &[]));
    insta::assert_snapshot!(out, @r"
    ~ x.a[*]  3 instances, 1 change each
        [0], [1], [2]
        ~ password  (sensitive value, changed)
    ");
}
