//! `tfstate diff`: every output over one pair of states, kept in `tests/cli/diff/` for review;
//! `TFSTATE_UPDATE=1 cargo test --test cli` rewrites them.

use std::path::{Path, PathBuf};

use crate::sandbox::{Ran, Sandbox};

fn shop(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("testdata/states/shop-{name}.tfstate"))
}

/// Compares the two states of the shop, by names that are the same everywhere.
fn diff(words: &[&str]) -> Ran {
    let sandbox = Sandbox::new();
    for name in ["before", "after"] {
        sandbox.write(&format!("{name}.tfstate"), std::fs::read(shop(name)).unwrap());
    }
    sandbox.run([&["diff", "before.tfstate", "after.tfstate"], words].concat())
}

#[test]
fn every_output_is_as_it_was_reviewed() {
    let outputs: [(&str, &[&str]); 8] = [
        ("text.txt", &[]),
        ("side-by-side.txt", &["--side-by-side"]),
        ("stat.txt", &["--stat"]),
        ("colored.txt", &["--color", "always"]),
        ("comment.md", &["-o", "markdown"]),
        ("page.html", &["-o", "html"]),
        ("github.txt", &["-o", "github"]),
        ("diff.json", &["-o", "json"]),
    ];
    for (file, words) in outputs {
        let ran = diff(words);
        assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{words:?}");
        crate::reference::compare(&format!("tests/cli/diff/{file}"), &ran.stdout);
    }
}

#[test]
fn a_comment_that_is_cut_says_so_and_keeps_within_its_bytes() {
    let whole = diff(&["-o", "markdown"]).stdout;
    for most in [600, 1000, 2000] {
        let cut = diff(&["-o", "markdown", "--max-bytes", &most.to_string()]).stdout;
        assert!(cut.len() <= most && cut.len() < whole.len(), "{most}: {}", cut.len());
        assert!(cut.contains("left out**"), "{cut}");
        assert!(cut.contains("`tfstate diff 'before.tfstate' 'after.tfstate'`"), "{cut}");
        assert_eq!(cut.matches("<details>").count(), cut.matches("</details>").count());
        assert!(cut.contains("1 added · 1 removed"), "{cut}");
    }
    let roomy = diff(&["-o", "markdown", "--max-bytes", "65536"]).stdout;
    assert_eq!(roomy, whole);
}

#[test]
fn a_change_that_is_refused_is_named_and_exits_with_2() {
    for (gate, named) in [
        ("delete", "aws_route53_record.legacy is deleted"),
        ("move", "module.assets.aws_s3_bucket.this is moved"),
        ("sensitive", "random_password.db has a sensitive change"),
    ] {
        for words in [&["--fail-on", gate][..], &["--reveal", "--fail-on", gate]] {
            let ran = diff(words);
            assert_eq!(ran.status, Some(2), "{gate}");
            assert!(ran.stderr.contains(named), "{}", ran.stderr);
        }
    }
    assert_eq!(diff(&["--fail-on", "replace"]).status, Some(0));
}

/// Returns a state of one resource with these attributes.
fn state(name: &str, attributes: &str) -> String {
    format!(
        r#"{{"version":4,"serial":1,"lineage":"l","resources":[{{"mode":"managed","type":"t","name":"{name}","provider":"provider[\"registry.terraform.io/a/b\"]","instances":[{{"index_key":"k`<b>%\u202e\u001b[2J","attributes":{attributes}}}]}}]}}"#
    )
}

#[test]
fn another_id_at_the_same_address_is_a_replacement() {
    let sandbox = Sandbox::new();
    sandbox.write("a", state("n", r#"{"id":"i-1"}"#));
    sandbox.write("b", state("n", r#"{"id":"i-2"}"#));
    let ran = sandbox.run(["diff", "a", "b", "--fail-on", "replace"]);
    assert_eq!(ran.status, Some(2));
    assert!(ran.stdout.contains("~/>") && ran.stderr.contains("is replaced"), "{ran}");
    let ran = sandbox.run(["diff", "a", "b", "-o", "github"]);
    assert!(ran.stdout.starts_with("::warning title="), "{ran}");
}

#[test]
fn hostile_text_acts_in_no_output() {
    let sandbox = Sandbox::new();
    let hostile = |n: u8| {
        format!(
            r#"{{"id":"i","a":"</pre><script>{n}```````\u001b]0;x\u0007\u202e{n}","l":"1\n````\n::error::{n}\u001b[2J\u2066\n</details>"}}"#
        )
    };
    sandbox.write("a", state("n", &hostile(1)));
    sandbox.write("b", state("n", &hostile(2)));
    let outputs: [&[&str]; 7] = [
        &["-o", "text"],
        &["--side-by-side"],
        &["--stat"],
        &["-o", "json"],
        &["-o", "markdown"],
        &["-o", "html"],
        &["-o", "github"],
    ];
    for words in outputs {
        let ran = sandbox.run([&["diff", "a", "b"], words].concat());
        assert_eq!(ran.status, Some(0), "{words:?}: {}", ran.stderr);
        let control = |c: char| c.is_control() && c != '\n';
        assert!(!ran.stdout.contains(control), "{words:?}: {:?}", ran.stdout);
        // JSON is for programs and keeps every letter.
        let bidi = ran.stdout.contains(['\u{202e}', '\u{2066}']);
        assert!(!bidi || words.contains(&"json"), "{words:?}");
        match words.last() {
            Some(&"html") => assert_eq!(ran.stdout.matches("<script>").count(), 1),
            Some(&"markdown") => {
                let fence = "`".repeat(8);
                assert_eq!(ran.stdout.matches(&fence).count(), 2, "{}", ran.stdout);
            }
            Some(&"github") => {
                assert!(ran.stdout.lines().all(|line| line.starts_with("::notice title=")));
            }
            _ => {}
        }
    }
}

#[test]
fn long_values_are_cut_for_a_width_and_whole_elsewhere() {
    let sandbox = Sandbox::new();
    sandbox.write("a", state("n", &format!(r#"{{"id":"i","v":"{}"}}"#, "a".repeat(100_000))));
    sandbox.write("b", state("n", &format!(r#"{{"id":"i","v":"{}"}}"#, "b".repeat(100_000))));
    let text = sandbox.run(["diff", "a", "b"]).stdout;
    assert!(text.contains('…') && text.lines().all(|l| l.chars().count() <= 100), "{text}");
    for format in ["json", "html", "markdown"] {
        let out = sandbox.run(["diff", "a", "b", "-o", format]).stdout;
        assert!(out.contains(&"b".repeat(100_000)), "{format}");
    }
}

#[test]
fn a_flag_that_does_not_fit_the_format_is_refused() {
    for words in [&["--max-bytes", "9"][..], &["--stat", "-o", "html"]] {
        let ran = diff(words);
        assert_eq!((ran.status, ran.stdout.as_str()), (Some(1), ""), "{words:?}");
        assert!(ran.stderr.contains("hint: "), "{}", ran.stderr);
    }
}
