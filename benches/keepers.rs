//! Programs that keep the versions of a file, behind the same few verbs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::peers::{Cost, cost_and_status, is_installed};

/// The name of the file that is kept.
pub(crate) const FILE: &str = "terraform.tfstate";
/// What the peers derive their keys from; it protects states that are made up.
const PASSWORD: &str = "only-for-this-benchmark";

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Program {
    /// With this strategy.
    Tfstate(&'static str),
    Restic,
    Borg,
    Rustic,
}

impl Program {
    pub(crate) fn name(self) -> String {
        match self {
            Self::Tfstate(strategy) => format!("tfstate {strategy}"),
            Self::Restic => "restic".to_owned(),
            Self::Borg => "borg".to_owned(),
            Self::Rustic => "rustic".to_owned(),
        }
    }

    fn executable(self) -> &'static str {
        match self {
            Self::Tfstate(_) => super::TFSTATE,
            Self::Restic => "restic",
            Self::Borg => "borg",
            Self::Rustic => "rustic",
        }
    }
}

/// A program with a repository of its own.
pub(crate) struct Keeper {
    pub(crate) program: Program,
    home: PathBuf,
    states: PathBuf,
    identity: age::x25519::Identity,
    versions: usize,
}

impl Keeper {
    /// Prepares a repository for the file in the folder `states`; nothing where the program is not
    /// installed.
    pub(crate) fn new(program: Program, folder: &Path, states: &Path) -> Option<Self> {
        if !is_installed(program.executable()) {
            return None;
        }
        let home = folder.join(program.name().replace(' ', "-"));
        fs::create_dir(&home).unwrap();
        let identity = age::x25519::Identity::generate();
        let keeper = Self { program, home, states: states.to_owned(), identity, versions: 0 };
        match program {
            // The first backup makes the repository.
            Program::Tfstate(_) => keeper.write_identity(),
            Program::Restic => drop(keeper.run(&["restic", "init"], states)),
            Program::Borg => drop(keeper.run(&["borg", "init", "-e", "repokey"], states)),
            Program::Rustic => drop(keeper.run(&["rustic", "init"], states)),
        }
        Some(keeper)
    }

    fn write_identity(&self) {
        use age::secrecy::ExposeSecret;
        let text = self.identity.to_string();
        tfstate::base::fs::write_new(&self.key(), text.expose_secret().as_bytes()).unwrap();
    }

    /// Keeps the file as it is now, and returns what that took and how many bytes it stored.
    pub(crate) fn back_up(&mut self) -> (Cost, f64) {
        let before = self.stored();
        let recipient = self.identity.to_public().to_string();
        let (tag, repository) = (tag(self.versions), self.repository());
        let command: &[&str] = match self.program {
            Program::Tfstate(strategy) => &[
                super::TFSTATE,
                "backup",
                FILE,
                "--repo",
                &repository,
                "--strategy",
                strategy,
                "--recipient",
                &recipient,
            ],
            Program::Restic => &["restic", "backup", "--tag", &tag, FILE],
            Program::Borg => {
                &["borg", "create", "--compression", "zstd,3", &format!("::{tag}"), FILE]
            }
            Program::Rustic => &["rustic", "backup", "--tag", &tag, FILE],
        };
        let cost = self.run(command, &self.states);
        self.versions += 1;
        (cost, self.stored() - before)
    }

    /// Restores a version into an empty folder, and returns what that took.
    pub(crate) fn restore(&self, version: usize, folder: &Path) -> Cost {
        let (tag, target) = (tag(version), folder.to_str().unwrap());
        match self.program {
            Program::Tfstate(_) => {
                let (id, repository) = (self.id(version), self.repository());
                let (key, file) = (self.key(), folder.join(FILE));
                let (key, file) = (key.to_str().unwrap(), file.to_str().unwrap());
                let command = [
                    super::TFSTATE,
                    "restore",
                    &id,
                    "--to",
                    file,
                    "--repo",
                    &repository,
                    "--identity",
                    key,
                ];
                self.run(&command, folder)
            }
            Program::Restic => self
                .run(&["restic", "restore", "latest", "--tag", &tag, "--target", target], folder),
            Program::Borg => self.run(&["borg", "extract", &format!("::{tag}")], folder),
            Program::Rustic => {
                self.run(&["rustic", "restore", "latest", "--filter-tags", &tag, target], folder)
            }
        }
    }

    /// Returns the id of one of our snapshots.
    fn id(&self, version: usize) -> String {
        self.listed()[version]["id"].as_str().unwrap().to_owned()
    }

    /// Returns how each of our snapshots was stored, oldest first.
    pub(crate) fn strategies(&self) -> Vec<String> {
        let strategy = |one: &serde_json::Value| one["strategy"].as_str().unwrap().to_owned();
        self.listed().iter().map(strategy).collect()
    }

    fn listed(&self) -> Vec<serde_json::Value> {
        let mut command = Command::new(super::TFSTATE);
        command.args(["snapshots", "-o", "json", "--repo", &self.repository()]);
        let output = command.envs(self.variables()).stdin(Stdio::null()).output().unwrap();
        let listed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let snapshots = listed["snapshots"].as_array().unwrap();
        assert_eq!(snapshots.len(), self.versions, "{}", self.program.name());
        snapshots.clone()
    }

    fn run(&self, command: &[&str], folder: &Path) -> Cost {
        let run = cost_and_status(command, &self.variables(), folder);
        let (cost, status) = run.expect("python3 is installed");
        assert!(status == 0.0, "{command:?} failed");
        cost
    }

    fn repository(&self) -> String {
        self.home.join("repository").to_str().unwrap().to_owned()
    }

    fn key(&self) -> PathBuf {
        self.home.join("key.txt")
    }

    fn stored(&self) -> f64 {
        size(Path::new(&self.repository()))
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        let below = |name: &str| self.home.join(name).to_str().unwrap().to_owned();
        let password = PASSWORD.to_owned();
        match self.program {
            Program::Tfstate(_) => {
                vec![("XDG_STATE_HOME", below("state")), ("XDG_CACHE_HOME", below("cache"))]
            }
            Program::Restic => vec![
                ("RESTIC_REPOSITORY", self.repository()),
                ("RESTIC_PASSWORD", password),
                ("RESTIC_CACHE_DIR", below("cache")),
            ],
            Program::Borg => vec![
                ("BORG_REPO", self.repository()),
                ("BORG_PASSPHRASE", password),
                ("BORG_BASE_DIR", below("base")),
            ],
            Program::Rustic => vec![
                ("RUSTIC_REPOSITORY", self.repository()),
                ("RUSTIC_PASSWORD", password),
                ("RUSTIC_CACHE_DIR", below("cache")),
            ],
        }
    }
}

fn tag(version: usize) -> String {
    format!("v{version:04}")
}

/// Returns the sum of the sizes of all files below a folder.
fn size(folder: &Path) -> f64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0.0 };
    let one = |entry: fs::DirEntry| match entry.metadata() {
        Ok(found) if found.is_dir() => size(&entry.path()),
        Ok(found) => found.len() as f64,
        Err(_) => 0.0,
    };
    entries.flatten().map(one).sum()
}
