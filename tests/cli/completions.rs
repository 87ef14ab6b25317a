//! Completion as the shells ask for it.

use crate::sandbox::Sandbox;

/// Asks as the script of a shell does, and returns the candidates without their descriptions.
fn ask(shell: &str, words: &[&str]) -> Vec<String> {
    let mut sandbox = Sandbox::new();
    sandbox.set("COMPLETE", shell);
    sandbox.set("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string());
    let ran = sandbox.run(["--"].iter().chain(words));
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""));
    let value = |line: &str| line.split('\t').next().unwrap_or_default().to_owned();
    ran.stdout.lines().map(value).collect()
}

#[test]
fn commands_options_and_values_are_completed() {
    assert_eq!(ask("fish", &["tfstate", "comp"]), ["completions"]);
    assert_eq!(ask("fish", &["tfstate", "config", "show", "--no"]), ["--no-progress"]);
    assert_eq!(ask("fish", &["tfstate", "config", "show", "-o", "j"]), ["json"]);
    assert_eq!(ask("elvish", &["tfstate", "completions", "b"]), ["bash"]);
    assert_eq!(ask("powershell", &["tfstate", "completions", "zs"]), ["zsh"]);
}

#[test]
fn bash_gets_what_it_replaces() {
    assert_eq!(ask("bash", &["tfstate comp", "comp"]), ["completions"]);
    assert_eq!(ask("bash", &["tfstate config show --color=al", "al"]), ["always"]);
    assert_eq!(ask("bash", &["tfstate 'comp", "comp"]), ["completions"]);
}

#[test]
fn a_shell_that_asks_without_words_gets_its_script() {
    let mut sandbox = Sandbox::new();
    let script = sandbox.run(["completions", "bash"]).stdout;
    assert_eq!(sandbox.set("COMPLETE", "bash").run::<&str>([]).stdout, script);
}

/// Asks in a folder that has a state.
fn ask_beside_a_state(line: &str, replaced: &str) -> Vec<String> {
    let mut sandbox = Sandbox::new();
    sandbox.set("COMPLETE", "bash");
    sandbox.write("terraform.tfstate", include_str!("../../testdata/states/each.tfstate"));
    let ran = sandbox.run(["--", line, replaced]);
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""));
    ran.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn addresses_and_filters_come_from_the_state() {
    let asked = ask_beside_a_state("tfstate get acme_host.d", "acme_host.d");
    assert_eq!(asked, [r#"acme_host.db\[\"a\"\]"#]);
    let asked = ask_beside_a_state("tfstate show 'acme_host.d", "acme_host.d");
    assert_eq!(asked, [r#"acme_host.db["a"]"#]);
    let asked = ask_beside_a_state("tfstate list -s terraform.tfstate -f type:a", "a");
    assert_eq!(asked, ["acme_host"]);
    assert!(ask_beside_a_state("tfstate get -s none.tfstate acme", "acme").is_empty());
}

/// Types into a real bash: the script, the splitting of bash and the program have to agree.
#[cfg(unix)]
#[test]
fn a_real_bash_completes() {
    let mut sandbox = Sandbox::new();
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_tfstate"));
    sandbox.set("PATH", format!("{}:/usr/bin:/bin", program.parent().unwrap().display()));
    let asked = r#"
        source <(tfstate completions bash) || exit 3
        try() {
            COMP_LINE=$1 COMP_POINT=${#1}
            _tfstate tfstate "$2" ""
            echo "${COMPREPLY[*]}"
        }
        try 'tfstate comp' comp
        try 'tfstate config show --color=al' al
        try 'tfstate nothing-like-it' nothing-like-it
    "#;
    let Ok(output) = sandbox.command("bash".as_ref()).args(["-c", asked]).output() else {
        // A machine without bash has nothing to complete.
        std::io::Write::write_all(&mut std::io::stderr(), b"skipped: needs bash\n").unwrap();
        return;
    };
    let ran = sandbox.ran(output);
    assert_eq!(ran.to_string(), "completions\nalways\n\n[exit 0]\n");
}
