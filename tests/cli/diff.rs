//! `tfstate diff`: every output over one pair of states, kept in `tests/cli/diff/` for review;
//! `TFSTATE_UPDATE=1 cargo test --test cli` rewrites them.

use std::path::{Path, PathBuf};

use crate::sandbox::{Ran, Sandbox};

fn shop(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("testdata/states/shop-{name}.tfstate"))
}

/// Compares the two states of the shop, by names that are the same everywhere.
fn diff(words: &[&str]) -> Ran {
    diff_in(&sandbox(), words)
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    for name in ["before", "after"] {
        sandbox.write(&format!("{name}.tfstate"), std::fs::read(shop(name)).unwrap());
    }
    sandbox
}

fn diff_in(sandbox: &Sandbox, words: &[&str]) -> Ran {
    sandbox.run([&["diff", "before.tfstate", "after.tfstate"], words].concat())
}

#[test]
fn every_output_is_as_it_was_reviewed() {
    let outputs: [(&str, &[&str]); 10] = [
        ("text.txt", &[]),
        ("side-by-side.txt", &["--side-by-side"]),
        ("stat.txt", &["--stat"]),
        ("unfolded.txt", &["--unfold"]),
        ("colored.txt", &["--color", "always"]),
        ("comment.md", &["-o", "markdown"]),
        ("comment-cut.md", &["-o", "markdown", "--max-bytes", "1600"]),
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
fn every_width_is_used_as_it_was_reviewed() {
    for width in ["80", "140"] {
        let mut sandbox = sandbox();
        let ran = diff_in(sandbox.set("COLUMNS", width), &[]);
        let widest = ran.stdout.lines().map(|line| line.chars().count()).max();
        assert!(widest <= width.parse().ok(), "{ran}");
        crate::reference::compare(&format!("tests/cli/diff/width-{width}.txt"), &ran.stdout);
    }
}

/// A third state: what one side changed of the first, and the other changed in another way.
fn other_side() -> String {
    let before = std::fs::read_to_string(shop("before")).unwrap();
    let other = before.replace(r#""idle_timeout": 60"#, r#""idle_timeout": 90"#);
    assert_ne!(before, other);
    other.replace(r#""backup_retention_period": 7"#, r#""backup_retention_period": 14"#)
}

#[test]
fn three_states_are_compared_as_it_was_reviewed() {
    let sandbox = sandbox();
    sandbox.write("other.tfstate", other_side());
    let outputs: [(&str, &[&str]); 2] = [("three.txt", &[]), ("three.json", &["-o", "json"])];
    for (file, words) in outputs {
        let ran = diff_in(&sandbox, &[&["other.tfstate"], words].concat());
        assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{words:?}");
        crate::reference::compare(&format!("tests/cli/diff/{file}"), &ran.stdout);
    }
    let ran = diff_in(&sandbox, &["other.tfstate", "--detailed-exitcode"]);
    assert_eq!(ran.status, Some(2));
}

#[test]
fn options_that_three_states_have_no_use_for_are_refused() {
    let sandbox = sandbox();
    sandbox.write("other.tfstate", other_side());
    let refused: [&[&str]; 5] = [
        &["--stat"],
        &["--side-by-side"],
        &["-o", "html"],
        &["--fail-on", "delete"],
        &["--only", "type:aws_vpc"],
    ];
    for words in refused {
        let ran = diff_in(&sandbox, &[&["other.tfstate"], words].concat());
        assert_eq!((ran.status, ran.stdout.as_str()), (Some(1), ""), "{words:?}");
        assert!(ran.stderr.contains("hint: "), "{}", ran.stderr);
    }
}

#[test]
fn refusals_read_as_they_were_reviewed() {
    let ran = diff(&["--stat", "-q", "--fail-on", "delete,replace,move,sensitive"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(2), ""));
    let ran = diff(&["--fail-on", "delete,replace,move,sensitive"]);
    insta::assert_snapshot!(ran.stderr, @r"
    warning: aws_route53_record.legacy is deleted, which --fail-on delete refuses
    warning: module.assets.aws_s3_bucket.this is moved, which --fail-on move refuses
    warning: random_password.db has a sensitive change, which --fail-on sensitive refuses
    warning: module.database.aws_db_instance.main has a sensitive change, which --fail-on sensitive refuses
    warning: output.database_password has a sensitive change, which --fail-on sensitive refuses
    ");
}

#[test]
fn the_review_in_the_readme_is_what_is_printed() {
    let mut sandbox = sandbox();
    let ran = diff_in(sandbox.set("COLUMNS", "80"), &["--fail-on", "delete,sensitive"]);
    let review = format!("--fail-on delete,sensitive\n{}{}$ echo $?\n2\n", ran.stdout, ran.stderr);
    assert_eq!(ran.status, Some(2));
    assert!(include_str!("../../README.md").contains(&review), "{review}");
}

#[test]
fn a_comment_that_is_cut_says_so_and_keeps_within_its_bytes() {
    let whole = diff(&["-o", "markdown"]).stdout;
    for most in [600, 1000, 1500, 2000] {
        let cut = diff(&["-o", "markdown", "--max-bytes", &most.to_string()]).stdout;
        assert!(cut.len() <= most && cut.len() < whole.len(), "{most}: {}", cut.len());
        assert!(cut.contains("Left out to keep this short: **"), "{cut}");
        assert_eq!(cut.matches("```").count() % 2, 0, "{cut}");
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
        r#"{{"version":4,"serial":1,"lineage":"l","resources":[{{"mode":"managed","type":"t","name":"{name}","provider":"provider[\"registry.terraform.io/a/b\"]","instances":[{{"attributes":{attributes}}}]}}]}}"#
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
    assert!(ran.stdout.contains("\n::warning title=t.n::~/> "), "{ran}");
}

#[test]
fn long_values_are_shortened_for_a_width_and_whole_elsewhere() {
    let sandbox = Sandbox::new();
    sandbox.write("a", state("n", &format!(r#"{{"id":"i","v":"{}"}}"#, "a".repeat(100_000))));
    sandbox.write("b", state("n", &format!(r#"{{"id":"i","v":"{}"}}"#, "b".repeat(100_000))));
    let text = sandbox.run(["diff", "a", "b"]).stdout;
    assert!(text.lines().all(|l| l.chars().count() <= 100), "{text}");
    assert!(text.contains("more characters") && text.len() < 3000, "{text}");
    let whole = sandbox.run(["diff", "a", "b", "--unfold"]).stdout;
    assert!(whole.lines().all(|l| l.chars().count() <= 100), "{whole}");
    assert_eq!(whole.matches('b').count(), 100_000);
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
