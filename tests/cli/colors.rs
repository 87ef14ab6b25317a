//! When output has colours. It goes to pipes here, so that only a wish brings them.

use crate::sandbox::{Ran, Sandbox};

/// Runs `config show` with these variables and arguments.
fn show(variables: &[(&str, &str)], args: &[&str]) -> Ran {
    let mut sandbox = Sandbox::new();
    for (name, value) in variables {
        sandbox.set(name, value);
    }
    sandbox.run(["config", "show"].iter().chain(args))
}

fn is_colored(text: &str) -> bool {
    text.contains("\u{1b}[")
}

#[test]
fn a_pipe_gets_colours_only_when_they_are_wished_for() {
    type Case = (&'static [(&'static str, &'static str)], &'static [&'static str], bool);
    let cases: [Case; 9] = [
        (&[], &[], false),
        (&[], &["--color", "always"], true),
        (&[], &["--color=always"], true),
        (&[("CLICOLOR_FORCE", "1")], &[], true),
        (&[("CLICOLOR_FORCE", "1")], &["--color", "never"], false),
        (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], &[], false),
        (&[("CLICOLOR_FORCE", "0")], &[], false),
        (&[("NO_COLOR", "1")], &["--color", "always"], true),
        (&[("TERM", "dumb")], &["--color", "always"], true),
    ];
    for (variables, args, colored) in cases {
        let ran = show(variables, args);
        assert_eq!(is_colored(&ran.stdout), colored, "{variables:?} {args:?}");
        assert_eq!(ran.status, Some(0));
    }
}

#[test]
fn errors_follow_the_same_wish() {
    let sandbox = Sandbox::new();
    for (args, colored) in [
        (["config", "show", "--config", "none.toml"].as_slice(), false),
        (&["config", "show", "--config", "none.toml", "--color", "always"], true),
        (&["confg", "--color", "always"], true),
        (&["confg", "--color=always"], true),
        (&["confg", "--color=never"], false),
    ] {
        let ran = sandbox.run(args);
        assert_eq!(is_colored(&ran.stderr), colored, "{args:?}\n{}", ran.stderr);
        assert_eq!(ran.status, Some(1));
    }
}
