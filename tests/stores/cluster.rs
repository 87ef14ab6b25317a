//! A private Postgres, where the machine has its programs.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, Weak};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A running server, stopped when the last test is done with it.
#[derive(Debug)]
pub(crate) struct Cluster {
    child: Child,
    port: u16,
    _folder: TempDir,
}

/// Who runs the server.
#[derive(Clone, Copy, Debug)]
enum Owner {
    /// Whoever runs the tests.
    Same,
    /// The user of this number.
    Other(u32),
}

/// Postgres refuses to run as root, so it runs as this user then.
const OTHER: &str = "nobody";

impl Cluster {
    /// Returns the server of this test binary; `None`, and a word about it, where there can be none.
    pub(crate) fn shared() -> Option<Arc<Self>> {
        static SHARED: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(cluster) = shared.upgrade() {
            return Some(cluster);
        }
        let cluster = Arc::new(Self::start()?);
        *shared = Arc::downgrade(&cluster);
        Some(cluster)
    }

    fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            eprintln!("skipped: needs Postgres (initdb and postgres)");
            return None;
        };
        let owner = owner()?;
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        owned(&data, owner);
        let run = |name: &str| {
            let mut command = as_owner(owner);
            command.arg(programs.join(name)).current_dir(&data).stdin(Stdio::null());
            command.stdout(Stdio::null()).stderr(Stdio::null());
            command
        };
        let options = ["--username", "tf", "--auth", "trust", "--encoding", "UTF8"];
        let mut initdb = run("initdb");
        initdb.arg("--pgdata").arg(&data).args(options).args(["--locale", "C", "--no-sync"]);
        assert!(initdb.status().unwrap().success(), "initdb failed");
        let place = |name: &str, text: &str, mode: u32| {
            let path = data.join(name);
            tfstate::base::fs::replace(&path, text.as_bytes()).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            owned(&path, owner);
        };
        place("pg_hba.conf", "host all guest all scram-sha-256\nhost all all all trust\n", 0o600);
        for name in ["server.pem", "server.key"] {
            let path = format!("{}/tests/stores/tls/{name}", env!("CARGO_MANIFEST_DIR"));
            place(name, &fs::read_to_string(path).unwrap(), 0o600);
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = run("postgres");
        server.arg("-D").arg(&data).args(["-p", &port.to_string()]);
        let settings = [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "fsync=off",
            "shared_buffers=16MB",
            "ssl=on",
            "ssl_cert_file=server.pem",
            "ssl_key_file=server.key",
        ];
        for setting in settings {
            server.args(["-c", setting]);
        }
        let child = server.spawn().unwrap();
        let cluster = Self { child, port, _folder: folder };
        cluster.await_answer();
        cluster.sql("postgres", "CREATE ROLE guest LOGIN PASSWORD 'S3CR3T'");
        Some(cluster)
    }

    fn await_answer(&self) {
        let start = Instant::now();
        while self.try_sql("postgres", "SELECT 1").is_err() {
            assert!(start.elapsed() < Duration::from_mins(1), "Postgres does not answer");
            thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Makes a database, and returns how to reach it.
    pub(crate) fn database(&self, name: &str) -> String {
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        format!("postgres://tf@127.0.0.1:{}/{name}?sslmode=disable", self.port)
    }

    /// Runs statements, and returns what the last one found, in words.
    pub(crate) fn sql(&self, database: &str, sql: &str) -> Vec<String> {
        self.try_sql(database, sql).unwrap()
    }

    fn try_sql(&self, database: &str, sql: &str) -> Result<Vec<String>, tokio_postgres::Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let to = format!("postgres://tf@127.0.0.1:{}/{database}?sslmode=disable", self.port);
        runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&to, tokio_postgres::NoTls).await?;
            tokio::spawn(connection);
            let mut found = Vec::new();
            for message in client.simple_query(sql).await? {
                if let tokio_postgres::SimpleQueryMessage::Row(row) = message {
                    let values = (0..row.len()).map(|n| row.get(n).unwrap_or("NULL"));
                    found.push(values.collect::<Vec<_>>().join("|"));
                }
            }
            Ok(found)
        })
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let id = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        // The interrupt ends it without waiting for its clients.
        let asked = id.map(|id| rustix::process::kill_process(id, rustix::process::Signal::INT));
        if !matches!(asked, Some(Ok(()))) {
            self.child.kill().unwrap();
        }
        self.child.wait().unwrap();
    }
}

fn programs() -> Option<PathBuf> {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let debian = debian.map(|version| version.path().join("bin"));
    let path = tfstate::base::env::Env::process().path("PATH").unwrap_or_default();
    let everywhere: Vec<PathBuf> = std::env::split_paths(&path).chain(debian).collect();
    let has = |folder: &PathBuf, name: &str| folder.join(name).exists();
    everywhere.into_iter().find(|folder| has(folder, "initdb") && has(folder, "postgres"))
}

/// Returns who is to run it: whoever runs the tests, but not root.
fn owner() -> Option<Owner> {
    if !rustix::process::geteuid().is_root() {
        return Some(Owner::Same);
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let id = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == OTHER).then(|| fields.nth(1)?.parse().ok())?
    });
    let can_change = Command::new("setpriv").arg("--version").output().is_ok();
    if id.is_none() || !can_change {
        eprintln!("skipped: Postgres does not run as root; needs setpriv and the user {OTHER}");
        return None;
    }
    id.map(Owner::Other)
}

fn as_owner(owner: Owner) -> Command {
    let Owner::Other(id) = owner else { return Command::new("env") };
    let mut command = Command::new("setpriv");
    let (user, group) = (format!("--reuid={id}"), format!("--regid={id}"));
    command.args([&user, &group]).arg("--clear-groups");
    command
}

fn owned(path: &Path, owner: Owner) {
    if let Owner::Other(id) = owner {
        chown(path, Some(id), Some(id)).unwrap();
    }
}
