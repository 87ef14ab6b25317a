//! `tfstate diff`: what stands in a state acts on no reader, whatever the format, and no secret
//! shows, not even by its length.

use crate::sandbox::{Ran, Sandbox};

/// Every output there is.
const OUTPUTS: [&[&str]; 11] = [
    &[],
    &["--color", "always"],
    &["--unfold", "--color", "always"],
    &["--side-by-side"],
    &["--side-by-side", "--color", "always"],
    &["--stat"],
    &["-o", "json"],
    &["-o", "markdown"],
    &["-o", "markdown", "--max-bytes", "900"],
    &["-o", "html"],
    &["-o", "github"],
];

/// Terminal escapes, marks that reorder or hide, and what each format would act on, as JSON
/// writes it in a string.
const HOSTILE: &str = concat!(
    r"\u001b]0;title\u0007\u001b[2J\u009b31m\u007f\b\r\u202edesrever\u2066\u200f\u200b\u2060\ufeff",
    r"\u00ad\u2028\ud83e\udd80```````~~~</pre></details></code><script>alert(1)</script>",
    r"<img src=x onerror=y>&lt;|@team #1 ![i](u) ::error::x ##[error]y%0A,;'",
);

/// Returns a state in which hostile text stands in every place that a state has.
fn hostile(value: &str) -> String {
    let lines = format!(r"one\n{HOSTILE}\n::error file=x::{value}\n##[add-mask]\n```\n</details>");
    format!(
        r#"{{"version":4,"serial":1,"lineage":"l{HOSTILE}","terraform_version":"1.11.4",
          "outputs":{{"o{HOSTILE}":{{"type":"string","value":"{HOSTILE}{value}"}},
            "deep":{{"type":["map",["list","string"]],"value":{{"k{HOSTILE}":["{HOSTILE}{value}"]}}}}}},
          "resources":[
            {{"module":"module.m[\"{key}\"]","mode":"managed","type":"t","name":"n",
              "provider":"provider[\"registry.terraform.io/a/b\"]","instances":[
              {{"index_key":"k{HOSTILE}","attributes":{{"id":"i","a":"{HOSTILE}{value}",
                "k{HOSTILE}":"{value}","l":"{lines}","n":{{"x{HOSTILE}":["{HOSTILE}{value}"]}}}}}},
              {{"index_key":"{value}{HOSTILE}","attributes":{{"id":"i{value}"}}}}]}},
            {{"mode":"managed","type":"t{HOSTILE}","name":"n{HOSTILE}",
              "provider":"provider[\"registry.terraform.io/a/b\"]","instances":[
              {{"attributes":{{"id":"j","v":"{value}"}}}},
              {{"deposed":"\u001b[2J\u202ea","attributes":{{"id":"j","v":"{value}"}}}}]}}],
          "check_results":[{{"object_kind":"check","config_addr":"check.c",
            "status":"{value}{HOSTILE}","objects":null}}]}}"#,
        key = r"m\\u001b[2J\\u202e```</details><script>",
    )
}

fn assert_harmless(ran: &Ran, words: &[&str]) {
    assert_eq!(ran.status, Some(0), "{words:?}: {}", ran.stderr);
    // Colours are ours: after them no escape may be left.
    let mut text = ran.stdout.clone();
    if words.contains(&"always") {
        for code in ["0", "1", "2", "7", "31", "32", "33", "34", "35", "36"] {
            text = text.replace(&format!("\u{1b}[{code}m"), "");
        }
    }
    let acts = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
            || matches!(c, '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let found = text.find(acts).map(|at| text[at..].chars().next().unwrap());
    assert_eq!(found, None, "{words:?}");
    let found = ran.stderr.find(|c: char| acts(c));
    assert_eq!(found, None, "{words:?}: {}", ran.stderr);
}

#[test]
fn hostile_text_acts_in_no_output() {
    let sandbox = Sandbox::new();
    sandbox.write("a", hostile("1"));
    sandbox.write("b", hostile("2"));
    for words in OUTPUTS {
        let ran = sandbox.run([&["diff", "a", "b"], words].concat());
        assert_harmless(&ran, words);
        match words.get(1) {
            Some(&"html") => assert_no_tag_but_ours(&ran.stdout),
            Some(&"markdown") => assert_all_fenced(&ran.stdout),
            Some(&"github") => assert_only_our_commands(&ran.stdout),
            _ => {}
        }
    }
    let ran = sandbox.run(["diff", "a", "b", "--fail-on", "delete,replace,move,sensitive", "-q"]);
    assert_eq!(ran.status, Some(2), "{ran}");
    let ran = sandbox.run(["diff", "a", "b", "--fail-on", "delete,replace,move,sensitive"]);
    let lines = ran.stderr.lines().collect::<Vec<_>>();
    assert!(lines.iter().all(|line| line.starts_with("warning: ")), "{}", ran.stderr);
    for third in ["a", "b"] {
        let ran = sandbox.run(["diff", "a", "b", third]);
        assert_harmless(&ran, &[]);
    }
}

/// Takes the code away that is one of ours, and sees that no other is left.
fn assert_no_tag_but_ours(page: &str) {
    assert_eq!(page.matches("<script").count(), 1);
    let (_, body) = page.split_once("<main>").unwrap();
    let (body, _) = body.split_once("</main>").unwrap();
    for tag in body.split('<').skip(1) {
        let name: String =
            tag.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '/').collect();
        let known = [
            "details", "summary", "span", "code", "table", "tr", "td", "th", "pre", "del", "ins",
            "b", "div", "ul", "li", "p",
        ];
        assert!(known.contains(&name.trim_start_matches('/')), "<{tag}");
        let attributes = tag.split('>').next().unwrap();
        assert!(!attributes.contains("onerror"), "<{tag}");
    }
}

/// Walks through the comment as a reader of Markdown does: what is outside of code blocks must be
/// ours.
fn assert_all_fenced(comment: &str) {
    let mut fence: Option<String> = None;
    for line in comment.lines() {
        match &fence {
            Some(open) if line == open => fence = None,
            Some(open) => assert!(!line.starts_with(open.as_str()), "{line}"),
            None if line.starts_with("```") => {
                fence = Some(line.trim_end_matches("diff").to_owned());
            }
            None => {
                assert!(!line.contains("<script") && !line.contains("<img"), "{line}");
                let outside: String = line
                    .split("<code>")
                    .map(|part| part.split_once("</code>").map_or(part, |(_, rest)| rest))
                    .collect();
                assert!(!outside.contains("@team") && !outside.contains("]("), "{line}");
            }
        }
    }
    assert_eq!(fence, None, "a code block is left open");
    assert_eq!(comment.matches("\n<details>\n").count(), comment.matches("\n</details>\n").count());
}

/// Sees that the runner would find no command but ours.
fn assert_only_our_commands(log: &str) {
    for line in log.lines() {
        let is_ours = ["::notice title=", "::warning title=", "::group::", "::endgroup::"]
            .iter()
            .any(|command| line.starts_with(command));
        let is_command = line.trim_start().starts_with("::");
        assert!(is_ours || (!is_command && !line.contains("##[")), "{line}");
        if let Some((properties, _)) = line.strip_prefix("::").and_then(|l| l.split_once("::")) {
            assert!(!properties.contains([',', '\r']), "{line}");
        }
    }
}

#[test]
fn json_says_the_same_to_a_program() {
    let sandbox = Sandbox::new();
    sandbox.write("a", hostile("1"));
    sandbox.write("b", hostile("2"));
    let ran = sandbox.run(["diff", "a", "b", "-o", "json"]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let json = ran.stdout;
    let diff: serde_json::Value = serde_json::from_str(&json).unwrap();
    let text: String = serde_json::from_str(&format!("\"{HOSTILE}2\"")).unwrap();
    let outputs = diff["outputs"].as_array().unwrap();
    assert!(outputs.iter().any(|output| output["after"] == text.as_str()), "{json}");
}

/// A state whose secrets are these: declared, known by name, in a list, in a map, in JSON inside a
/// string, over several lines, and in outputs.
fn with_secrets(secret: &str, other: &str) -> String {
    let document = format!(r#"{{\"user\":\"u\",\"password\":\"{secret}\"}}"#);
    let lines = format!(r"-----BEGIN PRIVATE KEY-----\n{secret}\n{secret}\n");
    let instance = |key: u8| {
        format!(
            r#"{{"index_key":{key},"schema_version":0,"attributes":{{"id":"i","note":"{other}",
              "password":"{secret}","declared":"{secret}","list":["{secret}","x"],
              "map":{{"a":"{secret}","b":"x"}},"document":"{document}","private_key":"{lines}",
              "equal":"always","equal_password":"the same in both"}},
              "sensitive_attributes":[[{{"type":"get_attr","value":"declared"}}],
                [{{"type":"get_attr","value":"list"}}],[{{"type":"get_attr","value":"map"}}]]}}"#
        )
    };
    let instances: Vec<String> = (0..4).map(instance).collect();
    format!(
        r#"{{"version":4,"serial":1,"lineage":"l","terraform_version":"1.11.4","outputs":{{
          "secret":{{"type":"string","value":"{secret}","sensitive":true}},
          "object":{{"type":["object",{{"password":"string","note":"string"}}],"value":{{"password":"{secret}","note":"{other}"}}}}}},
          "resources":[{{"mode":"managed","type":"x","name":"a",
            "provider":"provider[\"registry.terraform.io/a/b\"]","instances":[{}]}}]}}"#,
        instances.join(",")
    )
}

#[test]
fn no_output_depends_on_how_long_a_secret_is() {
    let sandbox = Sandbox::new();
    let long = "S3CR3T".repeat(700);
    // Pairs that differ in every way in which two secrets can be alike.
    let pairs = [
        ("S3CR3T-old", "S3CR3T-new"),
        ("S3CR3T-old", "S3CR3T-old-and-longer"),
        (long.as_str(), "S3CR3T-z"),
        ("S3CR3T-q", long.as_str()),
        ("S3CR3T 日本語 é", "S3CR3T one two three"),
    ];
    for width in ["80", "200"] {
        for words in OUTPUTS {
            let mut seen: Option<String> = None;
            for (before, after) in pairs {
                let mut sandbox = Sandbox::new();
                sandbox.set("COLUMNS", width);
                sandbox.write("a", with_secrets(before, "one"));
                sandbox.write("b", with_secrets(after, "two"));
                let out = sandbox.run([&["diff", "a", "b"], words].concat()).stdout;
                assert!(!out.contains("S3CR3T"), "{words:?}");
                assert!(!out.contains("the same in both") && !out.contains("equal"), "{words:?}");
                let seen = seen.get_or_insert_with(|| out.clone());
                assert!(*seen == out, "{words:?}:\n{seen}\n{out}");
            }
        }
    }
    // What is looked at is really there: in the open it shows.
    sandbox.write("a", with_secrets("S3CR3T-1", "one"));
    sandbox.write("b", with_secrets("S3CR3T-2", "two"));
    let ran = sandbox.run(["diff", "a", "b", "--reveal"]);
    assert!(ran.stdout.contains("S3CR3T-1") && ran.stdout.contains("S3CR3T-2"), "{ran}");
}

#[test]
fn a_secret_that_changed_is_told_and_one_that_did_not_is_not() {
    let sandbox = Sandbox::new();
    sandbox.write("a", with_secrets("S3CR3T-1", "one"));
    sandbox.write("b", with_secrets("S3CR3T-1", "two"));
    sandbox.write("c", with_secrets("S3CR3T-2", "two"));
    for words in OUTPUTS.iter().filter(|words| !words.contains(&"--stat")) {
        let out = |to| sandbox.run([&["diff", "a", to], *words].concat()).stdout;
        let mark = if words.contains(&"json") { "\"sensitive\": true" } else { "(sensitive value" };
        assert!(out("c").contains(mark), "{words:?}: {}", out("c"));
        if !words.contains(&"json") {
            assert!(!out("b").contains(mark), "{words:?}: {}", out("b"));
        }
    }
}
