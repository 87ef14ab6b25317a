//! Holds `tfstate list` against `terraform state list`: the same states accepted, the same lines in
//! the same order, the same addresses found. Where no `terraform` is on the `PATH`, says so and
//! passes.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

#[path = "support/states.rs"]
mod states;
mod support;
#[path = "support/workers.rs"]
mod workers;

use support::Run;

/// States on which we differ from Terraform on purpose. Each entry must really differ.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("testdata/states/provider-missing.tfstate", "Terraform drops the resource silently"),
    ("testdata/states/provider-unparsable.tfstate", "Terraform drops the resources silently"),
    ("testdata/states/opentofu-provider-per-instance.tfstate", "Terraform drops the resource"),
    ("testdata/states/hostile-names.tfstate", "Terraform prints escape sequences raw"),
    ("testdata/states/gzip-by-content.tfstate", "we decompress"),
    ("testdata/states/shop-before.tfstate.gz", "we decompress"),
    ("testdata/states/shop-before.tfstate.zst", "we decompress"),
    ("corpus/statefile/invalid-provider-for-resource.tfstate", "Terraform drops the resource"),
    ("corpus/opentofu/command__state-list-backend-custom__local-state.tfstate", LEGACY_HOST),
    ("corpus/opentofu/command__state-list-backend-default__terraform.tfstate", LEGACY_HOST),
    ("corpus/opentofu/command__state-push-serial-newer__local-state.tfstate", LEGACY_HOST),
    ("corpus/opentofu/command__state-push-serial-newer__replace.tfstate", LEGACY_HOST),
];

const LEGACY_HOST: &str = "Terraform drops a resource of `-` on OpenTofu's registry";

const RECORD: &str = "Terraform takes the record of a backend for an empty state; we name it";

/// Returns whether a file is `.terraform/terraform.tfstate`, which only looks like a state.
fn is_backend_record(file: &Path) -> bool {
    let Ok(top) = serde_json::from_slice::<serde_json::Value>(&std::fs::read(file).unwrap()) else {
        return false;
    };
    let has_type = |key: &str| top[key]["type"].as_str().is_some_and(|kind| !kind.is_empty());
    let resources =
        top["modules"].as_array().into_iter().flatten().filter_map(|m| m["resources"].as_object());
    top["version"] == 3
        && (has_type("backend") || has_type("state_store"))
        && resources.flatten().next().is_none()
}

/// A state in `testdata/` and what is asked of it, in Terraform's spelling.
const QUESTIONS: &[(&str, &[&str])] = &[
    // Modules: a step without a key matches every key at the end of an address only.
    ("real/modules/modules.tfstate", &["module.numbered"]),
    ("real/modules/modules.tfstate", &["module.keyed"]),
    ("real/modules/modules.tfstate", &["module.keyed[\"eu\"]"]),
    ("real/modules/modules.tfstate", &["module.keyed[\"eu\"].module.subnet"]),
    ("real/modules/modules.tfstate", &["module.keyed.module.subnet"]),
    ("real/modules/modules.tfstate", &["module.keyed.terraform_data.vpc"]),
    ("real/modules/modules.tfstate", &["module.keyed[\"us\"].terraform_data.vpc"]),
    ("real/modules/modules.tfstate", &["module.numbered[10]"]),
    ("real/modules/modules.tfstate", &["module.numbered[\"10\"]"]),
    ("real/modules/modules.tfstate", &["module.numbered[010].terraform_data.vpc"]),
    ("real/modules/modules.tfstate", &["module.numbered[1e1]"]),
    ("real/modules/modules.tfstate", &["module.numbered[11]"]),
    ("real/modules/modules.tfstate", &["module.plain[0]"]),
    ("real/modules/modules.tfstate", &["module.absent"]),
    ("states/module-order.tfstate", &["module.a"]),
    ("states/module-order.tfstate", &["module.a[9]"]),
    ("states/module-quoting.tfstate", &["module.m[\"$${x}\"]"]),
    ("states/module-quoting.tfstate", &["module.m[\"${x}\"]"]),
    ("states/module-quoting.tfstate", &["module.m[\"\\u00e9\"]"]),
    ("states/module-quoting.tfstate", &["module.m[\"e\u{301}\"]"]),
    // Resources and instances.
    ("real/count/count.tfstate", &["terraform_data.node"]),
    ("real/count/count.tfstate", &["terraform_data.node[0]"]),
    ("real/count/count.tfstate", &["terraform_data.node[00]"]),
    ("real/count/count.tfstate", &["terraform_data.node[0.0]"]),
    ("real/count/count.tfstate", &["terraform_data.node[1.5]"]),
    ("real/count/count.tfstate", &["terraform_data.node[-1]"]),
    ("real/count/count.tfstate", &["terraform_data.node[0x1]"]),
    ("real/count/count.tfstate", &["terraform_data.node[\"0\"]"]),
    ("real/count/count.tfstate", &["terraform_data.node[*]"]),
    ("real/count/count.tfstate", &["terraform_data.node.0"]),
    ("real/count/count.tfstate", &["terraform_data.none"]),
    ("real/count/count.tfstate", &["resource.terraform_data.single"]),
    ("real/count/count.tfstate", &[" terraform_data . node [ 3 ] "]),
    ("real/count/count.tfstate", &["terraform_data.node[3] # the third"]),
    ("real/count/count.tfstate", &["terraform_data"]),
    ("real/count/count.tfstate", &[""]),
    ("real/count/count.tfstate", &["count.index"]),
    ("real/for-each/for-each.tfstate", &["terraform_data.zone[\"a\"]"]),
    ("real/for-each/for-each.tfstate", &["terraform_data.zone['a']"]),
    ("real/for-each/for-each.tfstate", &["terraform_data.zone[a]"]),
    ("real/for-each/for-each.tfstate", &["terraform_data.zone[0]"]),
    ("real/for-each/for-each.tfstate", &["terraform_data.zone[\"0\"]"]),
    ("real/for-each/for-each.tfstate", &["terraform_data.zone[\"b\"]"]),
    ("real/awkward-keys/awkward-keys.tfstate", &["terraform_data.key[\"\"]"]),
    ("real/awkward-keys/awkward-keys.tfstate", &["terraform_data.key[\"$${dollar}\"]"]),
    ("real/awkward-keys/awkward-keys.tfstate", &["terraform_data.key[\"a.b[0].c\"]"]),
    ("real/awkward-keys/awkward-keys.tfstate", &["terraform_data.key[\"zero\\u200bwidth\"]"]),
    ("real/awkward-keys/awkward-keys.tfstate", &["terraform_data.key[\"\\x\"]"]),
    ("real/awkward-keys/awkward-keys.tfstate", &["module.box[\"with \\\"quotes\\\"\"]"]),
    ("states/key-nfd.tfstate", &["acme_host.web[\"caf\u{e9}\"]"]),
    ("states/key-nfd.tfstate", &["acme_host.web[\"cafe\u{301}\"]"]),
    ("states/index-key-negative.tfstate", &["acme_host.web"]),
    ("states/index-key-fraction.tfstate", &["acme_host.web[1]"]),
    ("states/mixed-key-kinds.tfstate", &["acme_host.web"]),
    ("states/strange-names.tfstate", &["acme_host.a.b"]),
    ("states/deposed-only.tfstate", &["acme_host.web[0]"]),
    ("states/empty-resources.tfstate", &["acme_host.none"]),
    ("states/v3.tfstate", &["module.net"]),
    ("states/v3.tfstate", &["module.net.module.inner"]),
    ("states/minimal.tfstate", &["acme_host.web"]),
    // Data sources.
    ("real/remote-state/remote-state.tfstate", &["data.terraform_remote_state.network"]),
    ("real/remote-state/remote-state.tfstate", &["data.terraform_remote_state.each[\"us\"]"]),
    ("real/remote-state/remote-state.tfstate", &["terraform_remote_state.network"]),
    ("real/remote-state/remote-state.tfstate", &["module.reader"]),
    // Several addresses: in the order of the arguments, duplicates kept, all of them needed.
    ("states/shop-after.tfstate", &["module.web[\"green\"]", "aws_lb.main"]),
    ("states/shop-after.tfstate", &["aws_lb.main", "aws_lb.main"]),
    ("states/shop-after.tfstate", &["module.network", "module.network.aws_vpc.main"]),
    ("states/shop-after.tfstate", &["aws_lb.main", "aws_lb.absent"]),
    ("states/shop-after.tfstate", &["aws_lb.main", "not an address"]),
    // Identifiers.
    ("states/shop-after.tfstate", &["-id=acme-shop-assets"]),
    ("states/shop-after.tfstate", &["-id=absent"]),
    ("states/shop-after.tfstate", &["-id="]),
    ("states/shop-after.tfstate", &["-id=shop", "module.database"]),
    ("states/shop-after.tfstate", &["-id=shop", "module.network"]),
    ("states/sensitive-deposed.tfstate", &["-id=old"]),
    ("states/attributes-flat.tfstate", &["-id=h-1"]),
    ("states/attributes-flat.tfstate", &["-id=flat"]),
    ("states/attributes-kinds.tfstate", &["-id=1"]),
    ("states/letter-case.tfstate", &["-id=h"]),
    ("states/v3.tfstate", &["-id=h-1"]),
    // What can't be listed can't be asked either.
    ("malformed/duplicate-instance.tfstate", &["acme_host.web"]),
    ("malformed/empty.tfstate", &["acme_host.web"]),
];

/// What came of a listing.
#[derive(Clone, Eq, PartialEq)]
enum Outcome {
    Listed(Vec<u8>),
    Refused,
    /// Neither: a panic, a signal, or an exit status that means something else, in words.
    Failed(String),
}

impl Outcome {
    /// `refusals` are the exit statuses by which the program says no.
    fn of(run: Run, refusals: &[i32]) -> Self {
        match run.code {
            Some(0) => Self::Listed(run.stdout),
            Some(code) if refusals.contains(&code) => Self::Refused,
            code => {
                let said = String::from_utf8_lossy(&run.stderr);
                Self::Failed(format!("exits with {code:?}: {}", said.trim()))
            }
        }
    }

    /// Returns the outcome as the index of `testdata/` has it.
    fn verdict(&self) -> String {
        match self {
            Self::Listed(text) => match String::from_utf8_lossy(text).lines().count() {
                1 => String::from("accepts: 1 line"),
                count => format!("accepts: {count} lines"),
            },
            Self::Refused => String::from("refuses"),
            Self::Failed(how) => how.clone(),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.verdict())
    }
}

/// Says in what two outcomes differ, `None` where they agree.
fn difference(ours: &Outcome, theirs: &Outcome) -> Option<String> {
    let (Outcome::Listed(our_text), Outcome::Listed(their_text)) = (ours, theirs) else {
        return (ours != theirs).then(|| format!("tfstate {ours}, terraform {theirs}"));
    };
    if our_text == their_text {
        return None;
    }
    let mut our_lines = our_text.split(|byte| *byte == b'\n');
    let mut their_lines = their_text.split(|byte| *byte == b'\n');
    let mut number = 0;
    loop {
        number += 1;
        let (a, b) = (our_lines.next(), their_lines.next());
        if a != b {
            let show = |line: Option<&[u8]>| line.map(|l| String::from_utf8_lossy(l).into_owned());
            return Some(format!("line {number}: tfstate {:?}, terraform {:?}", show(a), show(b)));
        }
    }
}

/// Says why a test is skipped; what `eprintln!` says is kept back for as long as a test passes.
fn skipped(why: &str) {
    std::io::stderr().write_all(format!("skipped: {why}\n").as_bytes()).unwrap();
}

/// The real thing.
struct Terraform {
    path: OsString,
}

impl Terraform {
    /// Returns Terraform; `None`, and a word about it, where there is none on the `PATH`.
    #[expect(clippy::disallowed_methods, reason = "terraform is found as a shell finds it")]
    fn find() -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found = std::env::split_paths(&path).any(|folder| {
            folder.join(format!("terraform{}", std::env::consts::EXE_SUFFIX)).is_file()
        });
        if !found {
            skipped("no terraform on the PATH");
        }
        found.then_some(Self { path })
    }

    fn run(&self, arguments: impl IntoIterator<Item = OsString>) -> Run {
        let mut command = Command::new("terraform");
        command.args(arguments).env("PATH", &self.path).env("CHECKPOINT_DISABLE", "1");
        support::run_apart(command)
    }

    fn list(&self, file: &Path, question: &[&str]) -> Outcome {
        let (flags, addresses): (Vec<&str>, Vec<&str>) =
            question.iter().partition(|word| word.starts_with('-'));
        let mut state = OsString::from("-state=");
        state.push(file);
        let arguments = ["state", "list"].into_iter().chain(flags).map(OsString::from);
        let arguments = arguments.chain([state]).chain(addresses.into_iter().map(OsString::from));
        // Terraform exits with 11 where it panics; it did not accept the state either.
        Outcome::of(self.run(arguments), &[1, 11])
    }

    fn is_1_11(&self) -> bool {
        let said = self.run([OsString::from("version")]).stdout;
        said.starts_with(b"Terraform v1.11.")
    }
}

fn list(file: &Path, question: &[&str]) -> Outcome {
    let mut arguments = vec![OsString::from("list"), file.into()];
    arguments.extend(question.iter().map(OsString::from));
    Outcome::of(support::tfstate(arguments), &[1])
}

/// Returns every state there is to compare by its label, `testdata/…` or `corpus/…`.
fn every_state() -> Vec<(String, PathBuf)> {
    let mut all = Vec::new();
    for (label, folder) in [("testdata", states::testdata()), ("corpus", corpus())] {
        if !folder.is_dir() {
            skipped(&format!("no states in {}", folder.display()));
            continue;
        }
        let names = states::below(&folder).into_iter();
        all.extend(names.map(|name| (format!("{label}/{name}"), folder.join(name))));
    }
    all
}

#[expect(clippy::disallowed_methods, reason = "where the corpus is, is no setting of ours")]
fn corpus() -> PathBuf {
    std::env::var_os("TFSTATE_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"),
        PathBuf::from,
    )
}

/// Reads the index of `testdata/`: each file with Terraform's verdict.
fn index() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(states::testdata().join("README.md")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |"));
    rows.map(|row| {
        let (file, rest) = row.split_once("` | ").unwrap();
        let (_, verdict) = rest.rsplit_once(" | ").unwrap();
        (file.to_owned(), verdict.to_owned())
    })
    .collect()
}

#[test]
fn every_state_is_listed_as_terraform_lists_it() {
    let Some(terraform) = Terraform::find() else { return };
    let all = every_state();
    let differences = workers::for_each(&all, |(label, path)| {
        let found = difference(&list(path, &[]), &terraform.list(path, &[]));
        let reason = EXCEPTIONS.iter().find(|(file, _)| file == label).map(|(_, reason)| *reason);
        let reason = reason.or_else(|| is_backend_record(path).then_some(RECORD));
        match (found, reason) {
            (Some(found), None) => Some(format!("{label}: {found}")),
            (None, Some(reason)) => Some(format!("{label}: no exception any more ({reason})")),
            _ => None,
        }
    });
    let differences: Vec<_> = differences.into_iter().flatten().collect();
    assert!(
        differences.is_empty(),
        "{} of {} states differ:\n{}",
        differences.len(),
        all.len(),
        differences.join("\n")
    );
}

#[test]
fn addresses_find_what_they_find_in_terraform() {
    let Some(terraform) = Terraform::find() else { return };
    let differences = workers::for_each(QUESTIONS, |(file, question)| {
        let path = states::testdata().join(file);
        let found = difference(&list(&path, question), &terraform.list(&path, question))?;
        Some(format!("{file} {question:?}: {found}"))
    });
    let differences: Vec<_> = differences.into_iter().flatten().collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn the_index_names_every_state() {
    let all = states::below(&states::testdata());
    let expected: Vec<String> = all.into_iter().filter(|name| name.contains(".tfstate")).collect();
    let indexed: Vec<String> = index().into_keys().collect();
    assert_eq!(indexed, expected);
}

#[test]
fn the_index_tells_terraforms_verdict() {
    let Some(terraform) = Terraform::find() else { return };
    if !terraform.is_1_11() {
        skipped("the index tells what Terraform 1.11 says");
        return;
    }
    let rows: Vec<_> = index().into_iter().collect();
    let actual = workers::for_each(&rows, |(file, _)| {
        (file.clone(), terraform.list(&states::testdata().join(file), &[]).verdict())
    });
    assert_eq!(rows, actual);
}

#[test]
fn exceptions_name_states_that_exist() {
    let all = states::below(&states::testdata());
    let of_ours = EXCEPTIONS.iter().filter_map(|(file, _)| file.strip_prefix("testdata/"));
    for file in of_ours.chain(QUESTIONS.iter().map(|(file, _)| *file)) {
        assert!(all.iter().any(|name| name == file), "{file}");
    }
}

#[test]
fn two_listings_agree_only_in_every_byte() {
    let listed = |text: &str| Outcome::Listed(text.as_bytes().to_vec());
    assert_eq!(difference(&listed("a\nb\n"), &listed("a\nb\n")), None);
    assert_eq!(difference(&Outcome::Refused, &Outcome::Refused), None);
    let difference = |a, b| difference(&a, &b).unwrap();
    assert!(difference(listed("a\nb\n"), listed("b\na\n")).starts_with("line 1: "));
    assert!(difference(listed("a\n"), listed("a\nb\n")).starts_with("line 2: "));
    assert!(difference(listed("a"), listed("a\n")).starts_with("line 2: "));
    assert_eq!(
        difference(listed(""), Outcome::Refused),
        "tfstate accepts: 0 lines, terraform refuses"
    );
}

#[test]
fn a_panic_is_no_refusal() {
    let run = |code| Run { code, stdout: Vec::new(), stderr: Vec::new() };
    assert!(Outcome::of(run(Some(1)), &[1]) == Outcome::Refused);
    for code in [Some(101), Some(2), None] {
        assert!(difference(&Outcome::of(run(code), &[1]), &Outcome::Refused).is_some());
    }
}
