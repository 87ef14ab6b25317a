//! No command shows a sensitive value unless it is asked to: every read command runs over every
//! state with a secret in it, in every format and at every level of logging, and the marker that
//! all those secrets hold must not come out. With `--reveal` it must, or this proves nothing.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

#[path = "support/generator.rs"]
mod generator;
#[path = "support/states.rs"]
mod states;
mod support;
#[path = "support/workers.rs"]
mod workers;

use generator::Generator;
use support::Run;

/// What every secret in `testdata/` and in a generated state holds, and nothing else does.
const MARKER: &str = "S3CR3T";

/// The levels of logging, each with the words that ask for it.
const LEVELS: [&[&str]; 5] = [&[], &["-v"], &["-vv"], &["-vvv"], &["-vvv", "--log-format", "json"]];

/// Addresses of secrets in the two states of the shop.
const SECRETS_OF_THE_SHOP: [&str; 3] = [
    "random_password.db.result",
    "module.database.aws_db_instance.main.password",
    "output.database_password",
];

/// What a command is expected to do besides keeping the secret.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Expect {
    Success,
    /// An answer or a refusal, but no panic.
    Either,
}

/// One command line without the words for format and level.
struct Case {
    words: Vec<String>,
    formats: &'static [&'static str],
    expect: Expect,
}

impl Case {
    fn new<W: ToString>(words: &[W]) -> Self {
        let words = words.iter().map(ToString::to_string).collect();
        Self { words, formats: &["text", "json"], expect: Expect::Success }
    }

    fn or_refused(self) -> Self {
        Self { expect: Expect::Either, ..self }
    }

    /// Runs the command in every format and at every level; returns what is wrong.
    fn check(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for format in self.formats {
            for level in LEVELS {
                let mut words = self.words.clone();
                words.extend(["-o", format].map(String::from));
                words.extend(level.iter().copied().map(String::from));
                let run = support::tfstate(&words);
                let problem = self.problem(&run, format);
                problems.extend(problem.map(|found| format!("{found}: {words:?}")));
            }
        }
        problems
    }

    fn problem(&self, run: &Run, format: &str) -> Option<String> {
        if holds_marker(&run.stdout) || holds_marker(&run.stderr) {
            return Some(String::from("shows a secret"));
        }
        match (self.expect, run.code) {
            // Silence keeps every secret, but proves nothing.
            (Expect::Success, Some(0)) if format == "json" && run.stdout.is_empty() => {
                Some(String::from("prints nothing"))
            }
            (Expect::Success, Some(0)) | (Expect::Either, Some(0..=4)) => None,
            (_, code) => Some(format!("exits with {code:?}")),
        }
    }
}

fn holds_marker(bytes: &[u8]) -> bool {
    bytes.windows(MARKER.len()).any(|window| window == MARKER.as_bytes())
}

/// Returns the states in `testdata/` below `folder` that hold a secret.
fn with_secrets(folders: &[&str]) -> Vec<PathBuf> {
    // The marker can't be seen in a compressed state, and both of those have one.
    let compressed = |name: &str| Path::new(name).extension().is_none_or(|e| e != "tfstate");
    let all = states::below(&states::testdata()).into_iter();
    all.filter(|name| folders.iter().any(|folder| name.starts_with(folder)))
        .map(|name| (compressed(&name), states::testdata().join(name)))
        .filter(|(compressed, path)| *compressed || holds_marker(&std::fs::read(path).unwrap()))
        .map(|(_, path)| path)
        .collect()
}

/// Returns the addresses in a state, as `list` has them.
fn addresses(state: &str) -> Vec<String> {
    let text = support::tfstate(["list", state]).stdout;
    String::from_utf8(text).unwrap().lines().map(String::from).collect()
}

/// Returns the command lines that read one state.
fn cases(state: &Path, other: &Path) -> Vec<Case> {
    let (state, other) = (state.to_str().unwrap(), other.to_str().unwrap());
    let mut cases = vec![
        Case::new(&["list", state]),
        Case::new(&["query", state, "."]),
        Case::new(&["query", state, "[.. | strings]"]),
        Case::new(&["query", state, "tostring"]),
        Case::new(&["output", state]),
        Case::new(&["stats", state]),
    ];
    for (from, to) in [(state, other), (other, state)] {
        let formats = &["text", "json", "markdown", "html", "github"];
        cases.push(Case { formats, ..Case::new(&["diff", from, to]) });
    }
    let addresses = addresses(state);
    if !addresses.is_empty() {
        let mut words = vec![String::from("show"), String::from("-s"), state.to_owned()];
        words.extend(addresses.iter().take(50).cloned());
        cases.push(Case::new(&words));
    }
    for address in addresses.iter().take(3) {
        // Not every object has an `id` that `get` could print.
        cases.push(Case::new(&["get", "-s", state, &format!("{address}.id")]).or_refused());
        cases.push(Case::new(&["get", "-s", state, address]).or_refused());
    }
    cases
}

fn assert_kept(cases: &[Case]) {
    assert!(!cases.is_empty(), "nothing was run");
    let problems: Vec<String> =
        workers::for_each(cases, Case::check).into_iter().flatten().collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

fn state(name: &str) -> PathBuf {
    states::testdata().join(name)
}

#[test]
fn read_commands_keep_every_secret() {
    let minimal = state("states/minimal.tfstate");
    let states = with_secrets(&["real/", "states/"]);
    let cases: Vec<Case> = states.iter().flat_map(|state| cases(state, &minimal)).collect();
    assert_kept(&cases);
}

#[test]
fn a_difference_between_two_secrets_keeps_both() {
    let (before, after) = (state("states/shop-before.tfstate"), state("states/shop-after.tfstate"));
    assert_kept(&cases(&before, &after));
}

#[test]
fn a_secret_that_is_asked_for_is_kept() {
    let mut cases = Vec::new();
    for name in ["states/shop-before.tfstate", "states/shop-after.tfstate"] {
        let state = state(name);
        let state = state.to_str().unwrap();
        for address in SECRETS_OF_THE_SHOP {
            cases.push(Case::new(&["get", "-s", state, address]).or_refused());
        }
        cases.push(Case::new(&["output", state, "database_password"]).or_refused());
        cases.push(Case::new(&["show", "-s", state, "random_password.db"]));
    }
    assert_kept(&cases);
}

#[test]
fn errors_about_malformed_states_keep_their_secrets() {
    let good = state("states/minimal.tfstate");
    let states = with_secrets(&["malformed/"]);
    let cases: Vec<Case> =
        states.iter().flat_map(|state| cases(state, &good)).map(Case::or_refused).collect();
    assert_kept(&cases);
}

/// A state with a secret in each of these texts, in resources, an identity and outputs.
fn state_of_texts(texts: &[&str], serial: u32) -> String {
    let (mut resources, mut outputs) = (Vec::new(), serde_json::Map::new());
    for (at, text) in texts.iter().enumerate() {
        let text = format!("{text}\nserial: {serial}\n");
        outputs.insert(format!("o{at}"), serde_json::json!({"value": text, "type": "string"}));
        resources.push(serde_json::json!({
            "mode": "managed", "type": "helm_release", "name": format!("r{at}"),
            "provider": "provider[\"registry.terraform.io/hashicorp/helm\"]",
            "instances": [{"attributes": {"id": "x", "values": [text]}, "identity": {"x": text},
                "unheard_of": text}],
        }));
    }
    serde_json::json!({"version": 4, "serial": serial, "lineage": "l", "outputs": outputs,
        "resources": resources})
    .to_string()
}

#[test]
#[expect(clippy::disallowed_methods, reason = "nobody reads the file meanwhile")]
fn a_secret_inside_yaml_in_a_string_is_kept() {
    let texts = [
        "users:\n- name: a\n  user:\n    client-key-data: S3CR3T-key",
        "image: web\nauth:\n  password: S3CR3T-values",
        "#cloud-config\nwrite_files:\n- path: x\n  content: |\n    password: S3CR3T-inner\n    a: b",
        "kind: Secret\nstringData:\n  plain: S3CR3T-data",
        "password: S3CR3T-twice\npassword: S3CR3T-twice",
        "{{ if x }}\npassword: S3CR3T-template\n{{ end }}",
    ];
    let folder = tempfile::tempdir().unwrap();
    let file = |name, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let (old, new) = (state_of_texts(&texts, 1), state_of_texts(&texts, 2));
    let new = new.replace("S3CR3T-", "S3CR3T-other-");
    let (old, new) = (file("old.tfstate", old), file("new.tfstate", new));
    let mut all = cases(&old, &new);
    all.extend(cases(&old, &state("states/minimal.tfstate")));
    all.push(Case::new(&["git", "textconv", old.to_str().unwrap()]).or_refused());
    for at in 0..texts.len() {
        let name = format!("helm_release.r{at}.values[0]");
        all.push(Case::new(&["get", "-s", old.to_str().unwrap(), &name]).or_refused());
        all.push(Case::new(&["output", old.to_str().unwrap(), &format!("o{at}")]).or_refused());
    }
    assert_kept(&all);
}

#[test]
fn a_generated_state_keeps_its_secrets() {
    let Some(generator) = Generator::find() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = |name| folder.path().join(name).to_str().unwrap().to_owned();
    let (base, next, truth) = (file("base.tfstate"), file("next.tfstate"), file("truth.json"));
    let changes = ["--changes", "60", "--outputs-changed", "3", "--next-out", &next];
    let arguments = [["--size", "200KB"], ["--seed", "7"], ["-o", &base], ["--truth", &truth]];
    generator.run(&[arguments.as_flattened(), &changes].concat());
    assert!(holds_marker(&std::fs::read(&base).unwrap()));
    assert_kept(&cases(Path::new(&base), Path::new(&next)));
}

#[test]
fn every_secret_is_shown_when_asked_to_reveal() {
    for path in with_secrets(&["real/", "states/"]) {
        let state = path.to_str().unwrap();
        let mut shown = support::tfstate(["output", state, "--reveal"]).stdout;
        let addresses = addresses(state);
        if !addresses.is_empty() {
            let words = ["show", "-s", state, "--reveal"].map(String::from).into_iter();
            shown.extend(support::tfstate(words.chain(addresses)).stdout);
        }
        assert!(holds_marker(&shown), "{state} shows nothing with --reveal");
    }
}

#[test]
fn show_reveals_the_password_of_the_shop() {
    let state = state("states/shop-after.tfstate");
    let words = ["show", "-s", state.to_str().unwrap(), "--reveal", "random_password.db"];
    assert!(holds_marker(&support::tfstate(words).stdout));
}

#[test]
fn the_states_with_secrets_are_found() {
    let names = |folders: &[&str]| with_secrets(folders).len();
    assert!(names(&["real/"]) >= 2);
    assert!(names(&["states/"]) >= 10);
    assert!(names(&["malformed/"]) >= 4);
}
