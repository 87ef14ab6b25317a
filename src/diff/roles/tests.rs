//! What is matched by its role, and what stays visible.

use proptest::prelude::*;

use crate::diff::properties::state;
use crate::diff::{Comparison, Environments, Noise, Options, compare};
use crate::state::document::Document;

fn compared(before: &str, after: &str, noise: Noise) -> Comparison {
    let document = |text: &str| Document::parse(text.as_bytes().to_vec()).unwrap();
    let environments = Environments::Two;
    let options = Options { noise, environments, ..Options::default() };
    compare(&document(before), &document(after), &options)
}

/// Compares two environments and shows what is told as `address path`, and how many are not.
fn shown(before: &[&str], after: &[&str]) -> (Vec<String>, usize) {
    let comparison = compared(&state(before), &state(after), Noise::Hidden);
    let mut told = Vec::new();
    for resource in &comparison.resources {
        if resource.changes.is_empty() {
            told.push(format!("{} {}", resource.address, resource.action.name()));
        }
        let paths = resource.changes.iter().map(crate::diff::Change::path_text);
        told.extend(paths.map(|path| format!("{} {path}", resource.address)));
    }
    (told, comparison.summary.by_role)
}

fn none(count: usize) -> (Vec<String>, usize) {
    (Vec::new(), count)
}

#[test]
fn an_id_stands_for_its_twin_wherever_it_is() {
    let with = |n: u8| {
        [
            format!(r#"x.net {{"id":"vpc-{n}"}}"#),
            format!(r#"x.a {{"id":"sg-{n}","vpc_id":"vpc-{n}","url":"//vpc-{n}.example/x"}}"#),
            format!(r#"x.l {{"ids":["sg-{n}","other"],"p":"{{\"Resource\":\"net/vpc-{n}\"}}"}}"#),
        ]
    };
    let (one, two) = (with(1), with(2));
    let refs = |lines: &[String; 3]| -> Vec<String> { lines.to_vec() };
    let (one, two) = (refs(&one), refs(&two));
    let (one, two): (Vec<&str>, Vec<&str>) =
        (one.iter().map(String::as_str).collect(), two.iter().map(String::as_str).collect());
    assert_eq!(shown(&one, &two), none(6));
    let all = compared(&state(&one), &state(&two), Noise::Shown);
    assert_eq!((all.summary.by_role, all.summary.changed), (0, 3));
}

#[test]
fn a_reference_to_another_than_the_twin_is_a_difference() {
    let subnets =
        |n: u8| [format!(r#"x.a {{"id":"net-{n}a"}}"#), format!(r#"x.b {{"id":"net-{n}b"}}"#)];
    let (one, two) = (subnets(1), subnets(2));
    let before = [&one[0], &one[1], r#"x.i {"subnet_id":"net-1a"}"#];
    let after = [&two[0], &two[1], r#"x.i {"subnet_id":"net-2b"}"#];
    assert_eq!(shown(&before, &after), (vec!["x.i subnet_id".to_owned()], 2));
    let after = [&two[0], &two[1], r#"x.i {"subnet_id":"net-2a"}"#];
    assert_eq!(shown(&before, &after), none(3));
}

#[test]
fn accounts_and_regions_are_learnt_from_arns_and_hold_everywhere() {
    let with = |account: &str, region: &str| {
        let arn = format!("arn:aws:sqs:{region}:{account}:q");
        state(&[
            &format!(r#"x.q {{"arn":"{arn}","dead":"arn:aws:sqs:{region}:{account}:other"}}"#),
            &format!(r#"x.h {{"host":"{account}.ecr.{region}.example","zone":"{region}b"}}"#),
        ])
    };
    let (one, two) = (with("111111111111", "eu-west-1"), with("222222222222", "us-east-2"));
    assert!(compared(&one, &two, Noise::Hidden).is_empty());
    let other = two.replace("us-east-2b", "us-east-2c").replace(":other", ":another");
    let told = compared(&one, &other, Noise::Hidden).resources;
    let paths: Vec<String> =
        told.iter().flat_map(|r| &r.changes).map(crate::diff::Change::path_text).collect();
    assert_eq!(paths, ["zone", "dead"]);
}

#[test]
fn what_is_the_same_on_both_sides_stands_for_itself() {
    let line =
        |n: u8, account: &str| format!(r#"x.r{n} {{"to":"arn:aws:sns:eu-west-1:{account}:t"}}"#);
    let before: Vec<String> = (0..4).map(|n| line(n, "111111111111")).collect();
    let mut after = before.clone();
    after[3] = line(3, "222222222222");
    let refs = |lines: &[String]| state(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let comparison = compared(&refs(&before), &refs(&after), Noise::Hidden);
    assert_eq!((comparison.summary.changed, comparison.summary.by_role), (1, 0));
}

#[test]
fn words_for_environments_are_matched_in_names_and_addresses() {
    let before = [r#"m.staging/x.a {"name":"app-staging","tags":{"Env":"Staging"},"n":1}"#];
    let after = [r#"m.prod/x.a {"name":"app-prod","tags":{"Env":"Prod"},"n":1}"#];
    assert_eq!(shown(&before, &after), none(3));
    let after = [r#"m.prod/x.a {"name":"app-prod","tags":{"Env":"Prod"},"n":2}"#];
    assert_eq!(shown(&before, &after), (vec!["module.prod.x.a n".to_owned()], 3));
    // Which of the two is the twin can't be known.
    let before = [r"m.staging/x.a {}", r"m.dev/x.a {}"];
    assert_eq!(shown(&before, &[r"m.prod/x.a {}"]).0.len(), 3);
}

#[test]
fn values_that_people_chose_are_no_role() {
    for (before, after) in [
        (r#"{"id":"i-11111","type":"t3.micro"}"#, r#"{"id":"i-22222","type":"t3.large"}"#),
        (r#"{"id":"i-11111","ami":"ami-11111111"}"#, r#"{"id":"i-22222","ami":"ami-22222222"}"#),
        (r#"{"id":"i-11111","n":1}"#, r#"{"id":"i-22222","n":2}"#),
        (r#"{"id":"5","port":"5"}"#, r#"{"id":"6","port":"6"}"#),
        (r#"{"id":"i-11111","cidr":"10.1.0.0/16"}"#, r#"{"id":"i-22222","cidr":"10.2.0.0/16"}"#),
    ] {
        let (told, by_role) = shown(&[&format!("x.a {before}")], &[&format!("x.a {after}")]);
        assert_eq!((told.len(), by_role), (1, 1), "{before} {told:?}");
    }
}

#[test]
fn a_secret_that_differs_is_told_and_not_seen() {
    let (before, after) = (
        r#"x.a {"id":"i-11111","password":"S3CR3T-1"}"#,
        r#"x.a {"id":"i-22222","password":"S3CR3T-2"}"#,
    );
    let comparison = compared(&state(&[before]), &state(&[after]), Noise::Shown);
    assert!(!crate::diff::properties::everything(&comparison).contains("S3CR3T"));
    assert_eq!(comparison.resources[0].changes.len(), 2);
}

#[test]
fn a_secret_is_not_said_to_play_the_same_role() {
    let (before, after) = (
        r#"x.a {"id":"i-11111","name":"app-staging","password":"S3CR3T-staging"}"#,
        r#"x.a {"id":"i-22222","name":"app-prod","password":"S3CR3T-prod"}"#,
    );
    let comparison = compared(&state(&[before]), &state(&[after]), Noise::Hidden);
    assert!(!crate::diff::properties::everything(&comparison).contains("S3CR3T"));
    let changes = &comparison.resources[0].changes;
    assert_eq!((changes.len(), changes[0].path_text().as_str()), (1, "password"));
}

#[test]
fn what_plays_the_same_role_inside_an_output_is_counted_and_told_with_noise() {
    let with_output = |state: String, id: &str, size: u8| {
        let kind = r#"["object",{"vpc":"string","size":"number"}]"#;
        let output = format!(
            r#""outputs":{{"o":{{"value":{{"vpc":"{id}","size":{size}}},"type":{kind}}}}},"#
        );
        let (start, rest) = state.split_once(r#""resources""#).unwrap();
        let start = start.replace(r#""outputs":{},"#, "");
        format!(r#"{start}{output}"resources"{rest}"#)
    };
    let before = with_output(state(&[r#"x.a {"id":"vpc-11111"}"#]), "vpc-11111", 1);
    let same = with_output(state(&[r#"x.a {"id":"vpc-22222"}"#]), "vpc-22222", 1);
    let other = with_output(state(&[r#"x.a {"id":"vpc-22222"}"#]), "vpc-22222", 2);
    assert!(compared(&before, &same, Noise::Hidden).is_empty());
    let quiet = |noise| -> Vec<(String, bool)> {
        let output = compared(&before, &other, noise).outputs.remove(0);
        assert_eq!(output.quiet, None);
        output.changes.iter().map(|c| (c.path.to_string(), c.quiet.is_some())).collect()
    };
    assert_eq!(quiet(Noise::Hidden), [("size".to_owned(), false)]);
    assert_eq!(quiet(Noise::Shown), [("size".to_owned(), false), ("vpc".to_owned(), true)]);
    assert_eq!(compared(&before, &other, Noise::Hidden).summary.by_role, 2);
}

/// A resource that refers to others by number; every name in it is a mark to be filled in.
fn resource(at: usize, refs: &[usize]) -> String {
    let ids: Vec<String> = refs.iter().map(|to| format!(r#""<ID{to}>""#)).collect();
    let arns: Vec<String> =
        refs.iter().map(|to| format!("arn:aws:x:<REGION>:<ACCOUNT>:thing/<ID{to}>")).collect();
    let policy = format!(r#"{{\"Statement\":[{{\"Resource\":\"{}\"}}]}}"#, arns.join(" "));
    format!(
        r#"x.r{at} {{"id":"<ID{at}>","arn":"arn:aws:x:<REGION>:<ACCOUNT>:thing/<ID{at}>","subnet_ids":[{}],"list":[{}],"policy":"{policy}","n":{at},"zone":"<REGION>a"}}"#,
        ids.iter().rev().cloned().collect::<Vec<_>>().join(","),
        ids.join(","),
    )
}

fn filled(lines: &[String], (account, region): (&str, &str), salt: usize) -> String {
    let fill = |line: &String| {
        let mut line = line.replace("<ACCOUNT>", account).replace("<REGION>", region);
        for at in 0..lines.len() {
            let id = format!("net-{:017x}", (at + 1) * 7_919 + salt * 1_000_000_000);
            line = line.replace(&format!("<ID{at}>"), &id);
        }
        line
    };
    let lines: Vec<String> = lines.iter().map(fill).collect();
    state(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

proptest! {
    #[test]
    fn a_state_does_not_differ_from_itself_in_another_environment(
        refs in proptest::collection::vec(proptest::collection::vec(0..6usize, 0..4), 6),
        edited in 0..6usize,
    ) {
        let lines: Vec<String> =
            refs.iter().enumerate().map(|(at, refs)| resource(at, refs)).collect();
        let here = filled(&lines, ("111111111111", "eu-west-1"), 3);
        let there = filled(&lines, ("222222222222", "us-east-2"), 5);
        prop_assert!(compared(&here, &there, Noise::Hidden).is_empty());
        let there = there.replacen(&format!(r#""n":{edited},"#), r#""n":99,"#, 1);
        let comparison = compared(&here, &there, Noise::Hidden);
        prop_assert_eq!(comparison.resources.len(), 1);
        prop_assert_eq!(comparison.resources[0].changes[0].path_text(), "n");
        prop_assert_eq!(comparison.resources[0].changes.len(), 1);
    }
}
