//! The recipes for CI in the README: they parse, they ask for no more than they need, and their
//! scripts do what they promise, against a service that this test plays.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]
#![cfg(unix)]

mod service;
mod yaml;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use service::Service;
use tempfile::TempDir;
use tfstate::base::env::Env;
use yaml::Yaml;

/// What every secret in `testdata/` holds, and nothing else does.
const MARKER: &str = "S3CR3T";

/// Stands for the command line of GitHub as far as the recipes use it.
const GH: &str = r#"#!/bin/bash
set -euo pipefail
[ "$1" = api ] && shift
method=() jq='' body=() path=''
while [ $# -gt 0 ]; do
  case $1 in
    --paginate | --silent) ;;
    -X) method=(-X "$2"); shift ;;
    --jq) jq=$2; shift ;;
    -F) body=(--data-urlencode "body@${2#body=@}"); shift ;;
    -*) exit 9 ;;
    *) path=$1 ;;
  esac
  shift
done
answer=$(curl -fsS -H "Authorization: $GH_TOKEN" "${method[@]}" "${body[@]}" "$SERVICE/$path")
[ -z "$jq" ] || jq -r "$jq" <<< "$answer"
"#;

/// Stands for Terraform: an apply makes `live.tfstate` what `planned.tfstate` says.
const TERRAFORM: &str = r#"#!/bin/bash
set -euo pipefail
case "$*" in
  'init -input=false') ;;
  'state pull') cat live.tfstate ;;
  'apply -input=false -auto-approve') cp planned.tfstate live.tfstate ;;
  *) exit 9 ;;
esac
"#;

/// A runner: a repository, a temporary folder, and the tools that the scripts call.
struct Runner(TempDir);

impl Runner {
    /// Makes a runner; `None`, and a word about it, where a tool is missing.
    fn new() -> Option<Self> {
        for tool in ["git", "bash", "curl", "jq"] {
            if Command::new(tool).arg("--version").output().is_err() {
                eprintln!("skipped: needs {tool}");
                return None;
            }
        }
        let runner = Self(tempfile::tempdir().unwrap());
        for folder in ["repo", "bin", "tmp"] {
            std::fs::create_dir(runner.path(folder)).unwrap();
        }
        runner.program("gh", GH);
        runner.program("terraform", TERRAFORM);
        runner.git(&["init", "-q", "-b", "main"]);
        Some(runner)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        tfstate::base::fs::replace(&self.path(name), text.as_bytes()).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    fn program(&self, name: &str, text: &str) {
        let name = format!("bin/{name}");
        self.write(&name, text);
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(self.path(&name), mode).unwrap();
    }

    fn git(&self, words: &[&str]) -> String {
        let (status, text) = self.run(Command::new("git").args(words));
        assert_eq!(status, Some(0), "{words:?}: {text}");
        text.trim_end().to_owned()
    }

    /// Commits all there is on a branch that begins here, and merges it into `main`.
    fn pull_request(&self) {
        self.git(&["checkout", "-q", "-B", "feature"]);
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "feature"]);
        self.git(&["checkout", "-q", "main"]);
        self.git(&["merge", "-q", "--no-ff", "-m", "merge", "feature"]);
    }

    /// Runs a script as runners do, and returns its status and all that it printed.
    fn script(&self, script: &str, env: &[(&str, &str)]) -> (Option<i32>, String) {
        assert!(!script.contains("${{"), "text of others must not become part of a script");
        let words = ["--noprofile", "--norc", "-eo", "pipefail", "-c", script];
        self.run(Command::new("bash").args(words).envs(env.iter().copied()))
    }

    fn run(&self, command: &mut Command) -> (Option<i32>, String) {
        let program = Path::new(env!("CARGO_BIN_EXE_tfstate")).parent().unwrap().to_owned();
        let path = Env::process().path("PATH").unwrap_or_default();
        let folders = [self.path("bin"), program].into_iter().chain(std::env::split_paths(&path));
        for name in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{name}_NAME"), "A").env(format!("GIT_{name}_EMAIL"), "a@b");
        }
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "XDG_CONFIG_HOME"] {
            command.env_remove(name);
        }
        let output = command
            .env("PATH", std::env::join_paths(folders).unwrap())
            .env("HOME", self.0.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("RUNNER_TEMP", self.path("tmp"))
            .env("GITHUB_STEP_SUMMARY", self.path("summary.md"))
            .env("GITHUB_OUTPUT", self.path("output"))
            .env("GITHUB_REPOSITORY", "o/r")
            .env("GITHUB_SHA", "c0ffee")
            .current_dir(self.path("repo"))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&text).into_owned())
    }
}

fn sample(name: &str) -> String {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/states");
    std::fs::read_to_string(samples.join(name)).unwrap()
}

/// Returns the recipe for a file, as the README has it.
fn recipe(file: &str) -> Yaml {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let begin = format!("```yaml\n# {file}\n");
    let (_, rest) = readme.split_once(&begin).unwrap();
    Yaml::parse(rest.split_once("```").unwrap().0)
}

/// Returns the only job of a workflow.
fn job<'y>(workflow: &'y Yaml, name: &str) -> &'y Yaml {
    workflow.get("jobs").get(name)
}

/// Runs a step of a workflow, with the values that GitHub would put in.
fn step(runner: &Runner, job: &Yaml, name: &str, service: &Service) -> (Option<i32>, String) {
    let step = job.items("steps").iter().find(|step| step.has("name", name)).unwrap();
    let mut env = vec![("SERVICE".to_owned(), service.address())];
    for (name, value) in step.members("env") {
        let value = match value.text() {
            "${{ github.token }}" => service::TOKEN,
            "${{ github.event.pull_request.number }}" => "7",
            other => panic!("{other} has no value here"),
        };
        env.push((name.clone(), value.to_owned()));
    }
    let env: Vec<(&str, &str)> = env.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    runner.script(step.get("run").text(), &env)
}

#[test]
fn workflows_ask_for_no_more_than_to_read_and_to_comment() {
    for (file, name) in [("tfstate-review.yml", "review"), ("tfstate-apply.yml", "apply")] {
        let workflow = recipe(&format!(".github/workflows/{file}"));
        assert!(workflow.members("permissions").is_empty());
        assert!(workflow.members("on").iter().all(|(on, _)| on != "pull_request_target"));
        let job = job(&workflow, name);
        let rights: Vec<_> = job
            .members("permissions")
            .iter()
            .map(|(right, how)| (right.as_str(), how.text()))
            .collect();
        assert_eq!(rights, [("contents", "read"), ("pull-requests", "write")]);
        let checkout = &job.items("steps")[0];
        assert!(checkout.get("uses").text().starts_with("actions/checkout@"));
        assert!(checkout.get("with").has("persist-credentials", "false"));
    }
}

#[test]
fn a_pull_request_gets_one_comment_that_is_made_and_then_updated() {
    let Some(runner) = Runner::new() else { return };
    let service = Service::start(3);
    let workflow = recipe(".github/workflows/tfstate-review.yml");
    let job = job(&workflow, "review");
    runner.write("repo/old.tfstate", &sample("shop-before.tfstate"));
    runner.write("repo/prod.tfstate", &sample("shop-before.tfstate"));
    runner.git(&["add", "-A"]);
    runner.git(&["commit", "-q", "-m", "base"]);
    runner.write("repo/prod.tfstate", &sample("shop-after.tfstate"));
    runner.write("repo/a b'$(exit 3).tfstate", &sample("minimal.tfstate"));
    std::fs::remove_file(runner.path("repo/old.tfstate")).unwrap();
    runner.pull_request();
    let (status, log) = step(&runner, job, "Compare", &service);
    assert_eq!(status, Some(0), "{log}");
    assert_eq!(runner.read("output"), "failed=1\n");
    let (status, log) = step(&runner, job, "Comment", &service);
    assert_eq!(status, Some(0), "{log}");
    let first = service.ours();
    assert_eq!(first.len(), 1);
    assert_eq!(first[0], runner.read("tmp/comment.md"));
    assert!(first[0].starts_with("<!-- tfstate-review -->\n### State changes\n"), "{}", first[0]);
    assert_eq!(first[0].matches("### State changes\n").count(), 3);
    assert!(first[0].len() < 65_536 && !first[0].contains(MARKER) && !log.contains(MARKER));
    assert!(runner.read("summary.md").contains("aws_route53_record.legacy"));
    runner.write("repo/prod.tfstate", &sample("shop-after.tfstate").replace("120", "121"));
    runner.pull_request();
    assert_eq!(step(&runner, job, "Compare", &service).0, Some(0));
    assert_eq!(runner.read("output"), "failed=1\nfailed=0\n");
    assert_eq!(step(&runner, job, "Comment", &service).0, Some(0));
    let second = service.ours();
    assert_eq!(second.len(), 1);
    assert_ne!(second, first);
    assert_eq!(service.requests("POST"), 1);
    assert_eq!(service.requests("PATCH"), 1);
}

#[test]
fn a_state_that_can_not_be_compared_fails_the_review_and_is_told() {
    let Some(runner) = Runner::new() else { return };
    let service = Service::start(0);
    runner.write("repo/prod.tfstate", &sample("minimal.tfstate"));
    runner.git(&["add", "-A"]);
    runner.git(&["commit", "-q", "-m", "base"]);
    runner.write("repo/prod.tfstate", &format!("<<<<<<< {MARKER}"));
    runner.pull_request();
    let workflow = recipe(".github/workflows/tfstate-review.yml");
    let (status, log) = step(&runner, job(&workflow, "review"), "Compare", &service);
    assert_eq!((status, runner.read("output").as_str()), (Some(0), "failed=1\n"), "{log}");
    assert!(runner.read("summary.md").contains("cannot be compared"));
    assert!(!log.contains(MARKER) && !runner.read("summary.md").contains(MARKER), "{log}");
}

#[test]
fn an_apply_is_told_on_the_pull_request_that_was_merged() {
    let Some(runner) = Runner::new() else { return };
    let service = Service::start(1);
    let workflow = recipe(".github/workflows/tfstate-apply.yml");
    let job = job(&workflow, "apply");
    runner.write("repo/live.tfstate", &sample("shop-before.tfstate"));
    runner.write("repo/planned.tfstate", &sample("shop-after.tfstate"));
    for round in 0..2 {
        for name in ["Apply", "Compare", "Comment"] {
            let (status, log) = step(&runner, job, name, &service);
            assert_eq!(status, Some(0), "{name}: {log}");
            assert!(!log.contains(MARKER), "{log}");
        }
        let ours = service.ours();
        assert_eq!(ours.len(), 1);
        assert!(ours[0].starts_with("<!-- tfstate-apply -->\n") && !ours[0].contains(MARKER));
        assert_eq!(ours[0].contains("aws_route53_record.legacy"), round == 0, "{}", ours[0]);
    }
    let mode = std::fs::metadata(runner.path("tmp/before.tfstate")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // The first apply of all begins without a state.
    runner.write("repo/live.tfstate", "");
    for name in ["Apply", "Compare"] {
        assert_eq!(step(&runner, job, name, &service).0, Some(0), "{name}");
    }
    assert!(runner.read("tmp/comment.md").contains("added"));
}

#[test]
fn a_merge_request_gets_one_comment_that_is_made_and_then_updated() {
    let Some(runner) = Runner::new() else { return };
    // So many notes of others that ours is on the second page.
    let service = Service::start(100);
    runner.write("repo/prod.tfstate", &sample("shop-before.tfstate"));
    runner.git(&["add", "-A"]);
    runner.git(&["commit", "-q", "-m", "base"]);
    let base = runner.git(&["rev-parse", "HEAD"]);
    let workflow = recipe(".gitlab-ci.yml");
    let script = workflow.get("review-states").items("script")[0].text();
    let run = |token: &str| {
        let head = runner.git(&["rev-parse", "HEAD"]);
        let api = service.address();
        runner.script(
            script,
            &[
                ("CI_MERGE_REQUEST_DIFF_BASE_SHA", &base),
                ("CI_COMMIT_SHA", &head),
                ("CI_API_V4_URL", &api),
                ("CI_PROJECT_ID", "5"),
                ("CI_MERGE_REQUEST_IID", "7"),
                ("TFSTATE_COMMENT_TOKEN", token),
            ],
        )
    };
    runner.write("repo/prod.tfstate", &sample("shop-after.tfstate"));
    runner.pull_request();
    // A fork has no token, and is judged all the same.
    let (status, log) = run("");
    assert_eq!((status, service.requests("GET")), (Some(1), 0), "{log}");
    let (status, log) = run(service::TOKEN);
    assert_eq!(status, Some(1), "{log}");
    assert!(log.contains("aws_route53_record.legacy"), "what is refused is named: {log}");
    let first = service.ours();
    assert_eq!(first, [runner.read("repo/comment.md")]);
    assert!(!first[0].contains(MARKER) && !log.contains(MARKER));
    runner.write("repo/prod.tfstate", &sample("shop-before.tfstate").replace(": 60", ": 61"));
    runner.pull_request();
    let (status, log) = run(service::TOKEN);
    assert_eq!(status, Some(0), "{log}");
    let second = service.ours();
    assert_eq!(second, [runner.read("repo/comment.md")]);
    assert_ne!(second, first);
    assert_eq!((service.requests("POST"), service.requests("PUT")), (1, 1));
    assert_eq!(run("wrong").0, Some(22), "a token that is refused fails the job");
}
