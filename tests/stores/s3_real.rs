//! Real servers that speak S3's protocol, and real Terraform as the other party, where
//! `TFSTATE_TEST_S3` is the endpoint of one, as `.ci/with-servers` says.
//!
//! What is there beside it is as that makes it, unless these variables say otherwise:
//! `TFSTATE_TEST_S3_BUCKET`, `_ACCESS_KEY`, `_SECRET_KEY`, and `_VERSIONED_BUCKET` and `_TABLE`,
//! which are empty where there are none; `_LISTED` is how many keys the server can list, and `_STS`
//! says that it has roles.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tfstate::base::env::Env;
use tfstate::base::secret::Secret;
use tfstate::store::backend::{AssumeRole, S3};
use tfstate::store::{Body, Error, Expected, Found, Holder, Store};

use crate::contract::{self, Keys, ODD_KEYS, Traits, info};
use crate::s3::open;

/// What the environment says of a server.
struct Real {
    endpoint: String,
}

impl Real {
    fn find() -> Option<Self> {
        let Some(endpoint) = Env::process().get("TFSTATE_TEST_S3") else {
            eprintln!("skipped: TFSTATE_TEST_S3 names no server");
            return None;
        };
        Some(Self { endpoint })
    }

    fn get(name: &str) -> Option<String> {
        let usual = match name {
            "BUCKET" => Some("tfstate"),
            "VERSIONED_BUCKET" => Some("tfstate-versioned"),
            "TABLE" => Some("tflocks"),
            "ACCESS_KEY" | "SECRET_KEY" => Some("test"),
            _ => None,
        };
        let set = Env::process().get(&format!("TFSTATE_TEST_S3_{name}"));
        set.or(usual.map(str::to_owned)).filter(|value| !value.is_empty())
    }

    fn settings(&self, bucket: String) -> S3 {
        let endpoint = |service: &str| (service.to_owned(), self.endpoint.clone());
        S3 {
            bucket,
            region: Some("us-east-1".to_owned()),
            access_key: Self::get("ACCESS_KEY").map(Secret::new),
            secret_key: Self::get("SECRET_KEY").map(Secret::new),
            use_lockfile: true,
            endpoints: [endpoint("s3"), endpoint("dynamodb")].into(),
            ..S3::default()
        }
    }

    fn holds(settings: S3, has_versions: bool) {
        let kind = if settings.use_lockfile { "objects" } else { "rows" };
        let prefix = format!("contract/{kind}/{}/", std::process::id());
        let store = open(settings, &Env::default());
        let listed = Self::get("LISTED").map_or(1_100, |count| count.parse().unwrap());
        let keys = Keys::Many { prefix: &prefix, odd: ODD_KEYS };
        contract::holds(&*store, &Traits { keys, has_versions, listed, ..Traits::EVERYTHING });
    }
}

/// Returns a bucket of the server, if there is one.
pub(crate) fn bucket() -> Option<Arc<dyn Store>> {
    let real = Real::find()?;
    Some(open(real.settings(Real::get("BUCKET")?), &Env::default()))
}

#[test]
fn a_real_bucket_holds_the_contract() {
    let Some(real) = Real::find() else { return };
    if let Some(bucket) = Real::get("BUCKET") {
        Real::holds(real.settings(bucket), false);
    }
}

#[test]
fn a_real_bucket_with_versions_holds_the_contract() {
    let Some(real) = Real::find() else { return };
    if let Some(bucket) = Real::get("VERSIONED_BUCKET") {
        Real::holds(real.settings(bucket), true);
    }
}

#[test]
fn a_real_bucket_with_a_table_holds_the_contract() {
    let Some(real) = Real::find() else { return };
    if let (Some(bucket), Some(table)) = (Real::get("BUCKET"), Real::get("TABLE")) {
        let settings = real.settings(bucket);
        Real::holds(S3 { dynamodb_table: Some(table), use_lockfile: false, ..settings }, false);
    }
}

#[test]
fn a_role_is_assumed_where_the_server_has_roles() {
    let Some(real) = Real::find() else { return };
    if Real::get("STS").is_none() {
        eprintln!("skipped: TFSTATE_TEST_S3_STS says of no roles");
        return;
    }
    let mut settings = real.settings(Real::get("BUCKET").unwrap());
    settings.endpoints.insert("sts".to_owned(), real.endpoint.clone());
    let role_arn = "arn:aws:iam::123456789012:role/states".to_owned();
    settings.assume_role = Some(AssumeRole { role_arn, ..AssumeRole::default() });
    let store = open(settings, &Env::default());
    assert!(matches!(store.read("no/such/state").unwrap(), Found::Nothing));
}

/// A directory in which Terraform keeps its state in the bucket.
struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    fn new(real: &Real, key: &str, lock: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let project = Self { folder };
        let (endpoint, bucket) = (&real.endpoint, Real::get("BUCKET").unwrap());
        let (access, secret) = (Real::get("ACCESS_KEY").unwrap(), Real::get("SECRET_KEY").unwrap());
        project.write(
            "main.tf",
            &format!(
                r#"terraform {{
  backend "s3" {{
    bucket = "{bucket}"
    key = "{key}"
    region = "us-east-1"
    endpoints = {{ s3 = "{endpoint}", dynamodb = "{endpoint}" }}
    access_key = "{access}"
    secret_key = "{secret}"
    {lock}
    use_path_style = true
    skip_credentials_validation = true
    skip_metadata_api_check = true
    skip_region_validation = true
    skip_requesting_account_id = true
  }}
}}
variable "wait" {{ default = "" }}
resource "terraform_data" "a" {{ input = "one" }}
resource "terraform_data" "slow" {{
  triggers_replace = var.wait
  provisioner "local-exec" {{ command = "test -z '${{var.wait}}' || until test -e go; do sleep 0.1; done" }}
}}
"#
            ),
        );
        project
    }

    fn write(&self, name: &str, text: &str) {
        tfstate::base::fs::write_new(&self.path().join(name), text.as_bytes()).unwrap();
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("terraform");
        command.current_dir(self.path()).args(args).env("CHECKPOINT_DISABLE", "1");
        command.env_remove("TF_CLI_CONFIG_FILE").stdin(Stdio::null());
        command
    }

    /// Runs Terraform, and returns its status and all that it said.
    fn run(&self, args: &[&str]) -> (i32, String) {
        let output = self.command(args).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8(text).unwrap())
    }

    #[track_caller]
    fn works(&self, args: &[&str]) -> String {
        let (status, text) = self.run(args);
        assert_eq!(status, 0, "{text}");
        text
    }

    fn spawn(&self, args: &[&str]) -> Child {
        self.command(args).stdout(Stdio::null()).spawn().unwrap()
    }
}

fn interoperates(real: &Real, key: &str, lock: &str, settings: S3) {
    if Command::new("terraform").arg("version").output().is_err() {
        eprintln!("skipped: there is no terraform on the PATH");
        return;
    }
    let project = Project::new(real, key, lock);
    let store: Arc<dyn Store> = open(settings, &Env::default());
    let locks = store.locks().unwrap();
    project.works(&["init", "-no-color"]);
    project.works(&["apply", "-auto-approve", "-no-color"]);

    // It writes, we read.
    let Found::Bytes(bytes, version) = store.read(key).unwrap() else { panic!("no state") };
    let text = std::str::from_utf8(&bytes).unwrap().to_owned();
    assert!(text.contains("terraform_data"));
    assert_eq!(locks.holder(key).unwrap(), Holder::Nobody);

    // We write, it plans no changes.
    let mut state: serde_json::Value = serde_json::from_str(&text).unwrap();
    state["serial"] = (state["serial"].as_u64().unwrap() + 1).into();
    let bytes = serde_json::to_vec_pretty(&state).unwrap();
    let held = locks.acquire(key, &info(1)).unwrap();
    let body = Body { bytes: &bytes, expected: Expected::Version(&version), lock: Some(held.id()) };
    store.write(key, &body).unwrap();

    // We hold the lock, it refuses.
    let (status, said) = project.run(&["plan", "-no-color"]);
    assert_eq!(status, 1, "{said}");
    assert!(said.contains(held.id()) && said.contains(&info(1).who), "{said}");
    held.release().unwrap();
    let said = project.works(&["plan", "-detailed-exitcode", "-no-color"]);
    assert!(said.contains("No changes"), "{said}");

    // It holds the lock, we are told by whom.
    let mut busy = project.spawn(&["apply", "-auto-approve", "-no-color", "-var", "wait=1"]);
    let begin = Instant::now();
    let holder = loop {
        match locks.holder(key).unwrap() {
            Holder::Nobody => {
                assert!(begin.elapsed() < Duration::from_mins(1), "it takes no lock");
                thread::sleep(Duration::from_millis(100));
            }
            holder => break holder,
        }
    };
    let Holder::Somebody { info: theirs, .. } = &holder else { panic!("{holder:?}") };
    assert_eq!(theirs.operation, "OperationTypeApply");
    match locks.acquire(key, &info(2)) {
        Err(Error::Locked { holder: named, .. }) => assert_eq!(*named, holder),
        other => panic!("{other:?}"),
    }
    project.write("go", "");
    assert!(busy.wait().unwrap().success());
    assert_eq!(locks.holder(key).unwrap(), Holder::Nobody);

    // A lock that it left behind is broken by its id; one that we left, by its command.
    std::mem::forget(locks.acquire(key, &info(3)).unwrap());
    project.works(&["force-unlock", "-force", "-no-color", &info(3).id]);
    assert_eq!(locks.holder(key).unwrap(), Holder::Nobody);
    assert!(fs::exists(project.path().join(".terraform")).unwrap());
}

#[test]
fn terraform_and_we_respect_each_others_lock_objects() {
    let Some(real) = Real::find() else { return };
    let settings = real.settings(Real::get("BUCKET").unwrap());
    let key = format!("object/{}.tfstate", std::process::id());
    interoperates(&real, &key, "use_lockfile = true", settings);
}

#[test]
fn terraform_and_we_respect_each_others_rows_and_digests() {
    let Some(real) = Real::find() else { return };
    let Some(table) = Real::get("TABLE") else {
        return eprintln!("skipped: TFSTATE_TEST_S3_TABLE names no table");
    };
    let settings = real.settings(Real::get("BUCKET").unwrap());
    let lock = format!("dynamodb_table = \"{table}\"");
    let key = format!("row/{}.tfstate", std::process::id());
    let settings = S3 { dynamodb_table: Some(table), use_lockfile: false, ..settings };
    interoperates(&real, &key, &lock, settings);
}

/// A measurement, run by hand: under `TFSTATE_TEST_S3_MANY` are many states, which anybody may
/// read.
#[test]
fn many_objects_are_read_as_fast_as_the_server_gives_them() {
    let Some(real) = Real::find() else { return };
    let (Some(bucket), Some(prefix)) = (Real::get("BUCKET"), Real::get("MANY")) else {
        return eprintln!("skipped: TFSTATE_TEST_S3_MANY names no prefix");
    };
    let store = open(real.settings(bucket.clone()), &Env::default());
    let mut keys = Vec::new();
    let each = &mut |entry: tfstate::store::Entry| {
        keys.push(entry.key);
        Ok(())
    };
    store.list(&prefix, each).unwrap();
    let client = reqwest::Client::builder().no_proxy().http1_only().build().unwrap();
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.enable_all().worker_threads(2).build().unwrap();
    let raw = |key: &str| {
        let url = format!("{}/{bucket}/{key}", real.endpoint);
        runtime.block_on(async { client.get(url).send().await?.bytes().await }).unwrap().len()
    };
    let ours = |key: &str| match store.read(key).unwrap() {
        Found::Bytes(bytes, _) => bytes.len(),
        other => panic!("{other:?}"),
    };
    let time = |read: &(dyn Fn(&str) -> usize + Sync)| {
        let begin = Instant::now();
        let total: usize = thread::scope(|scope| {
            let part = |keys: &[String]| {
                let keys = keys.to_vec();
                scope.spawn(move || keys.iter().map(|key| read(key)).sum::<usize>())
            };
            let parts: Vec<_> = keys.chunks(keys.len().div_ceil(16)).map(part).collect();
            parts.into_iter().map(|part| part.join().unwrap()).sum()
        });
        (begin.elapsed(), total)
    };
    for _ in 0..3 {
        let ((raw, total), (ours, same)) = (time(&raw), time(&ours));
        assert_eq!(total, same);
        eprintln!("{} keys, {total} bytes: raw {raw:?}, ours {ours:?}", keys.len());
    }
}

/// A measurement, run by hand: `TFSTATE_TEST_S3_LARGE` is a key of the bucket.
#[test]
fn a_large_object_is_read() {
    let Some(real) = Real::find() else { return };
    let (Some(bucket), Some(key)) = (Real::get("BUCKET"), Real::get("LARGE")) else {
        return eprintln!("skipped: TFSTATE_TEST_S3_LARGE names no key");
    };
    let store = open(real.settings(bucket), &Env::default());
    let begin = Instant::now();
    let Found::Bytes(bytes, _) = store.read(&key).unwrap() else { panic!("nothing") };
    eprintln!("{} bytes in {:?}", bytes.len(), begin.elapsed());
}
