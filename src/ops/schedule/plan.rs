//! What is run, when, and what it needs.

use super::when::{Moment, When};
use super::{Error, State, cron, github, kubernetes, quote, systemd};
use crate::base::text::escape;

/// What runs the backup.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Runner {
    /// A line of a crontab.
    Cron,
    /// A service and its timer.
    Systemd,
    /// A `CronJob`.
    Kubernetes,
    /// A workflow of GitHub Actions.
    Github,
}

impl Runner {
    /// Returns what it is called in a sentence.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cron => "cron",
            Self::Systemd => "systemd",
            Self::Kubernetes => "a Kubernetes pod",
            Self::Github => "a GitHub workflow",
        }
    }
}

/// Where the snapshots go.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Repository {
    /// Where the runner has a place for it.
    OfRunner,
    /// A folder, by its absolute path.
    Folder(String),
    /// A prefix in an object store.
    Url(String),
}

/// Who can read the snapshots.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Readers {
    /// Whoever the repository is for.
    AsTheRepository,
    /// These public keys.
    Keys(Vec<String>),
    /// Everybody: the snapshots are in plain text.
    Everybody,
}

/// A backup that is run again and again.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What units, jobs and folders are called.
    pub name: String,
    /// This program, by its absolute path.
    pub program: String,
    /// The states.
    pub states: Vec<State>,
    /// The workspace that was asked for.
    pub workspace: Option<String>,
    /// How to store what changed; none leaves that to the backup.
    pub strategy: Option<String>,
    /// What the snapshots are tagged with.
    pub tags: Vec<String>,
    /// Where the exporter of metrics looks for a file.
    pub metrics_file: Option<String>,
    /// Where the snapshots go.
    pub repository: Repository,
    /// Who can read them.
    pub readers: Readers,
    /// When it is run.
    pub when: When,
    /// The file of the key that signs snapshots.
    pub signing_key: Option<String>,
    /// A file of variables, for credentials.
    pub env_file: Option<String>,
    /// Variables that hold no credential.
    pub variables: Vec<(&'static str, String)>,
    /// Whom it runs as, where the system can choose.
    pub user: Option<String>,
    /// The image that has this program.
    pub image: String,
    /// The length of the largest state, where that is known.
    pub largest: Option<u64>,
}

const MIB: u64 = 1 << 20;

impl Plan {
    /// Returns the unit for a runner.
    ///
    /// # Errors
    ///
    /// Where the runner can't do what is planned, or a text can't be written in its language.
    pub fn render(&self, runner: Runner) -> Result<String, Error> {
        self.check(runner)?;
        match runner {
            Runner::Cron => cron::check(cron::render(self)),
            Runner::Systemd => Ok(systemd::render(self)),
            Runner::Kubernetes => Ok(kubernetes::render(self)),
            Runner::Github => Ok(github::render(self)),
        }
    }

    fn check(&self, runner: Runner) -> Result<(), Error> {
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        // What Kubernetes allows for a job of this kind.
        let fits = (1..=52).contains(&self.name.len()) && !self.name.starts_with('-');
        if !fits || self.name.ends_with('-') || !self.name.chars().all(is_name) {
            return Err(Error::Name { name: self.name.clone() });
        }
        for text in self.texts() {
            quote::check(text, runner)?;
        }
        // What systemd takes for one at its most liberal.
        let is_odd = |c: char| c.is_whitespace() || c.is_control() || "/:".contains(c);
        // Digits are the number of one, as it is written, and these two mean nobody.
        let is_number = |user: &str| {
            let is_plain = user == "0" || !user.starts_with('0');
            is_plain && user.parse().is_ok_and(|id: u32| ![0xffff, u32::MAX].contains(&id))
        };
        let is_user = |user: &&String| {
            let is_digits = user.chars().all(|c| c.is_ascii_digit());
            let is_odd = user.contains(is_odd) || user.starts_with(['-', '.']);
            if is_digits { is_number(user) } else { !is_odd }
        };
        let user = self.user.as_ref().filter(|_| runner == Runner::Systemd);
        if let Some(user) = user.filter(|user| !is_user(user)) {
            return Err(Error::User { user: escape(user).into_owned() });
        }
        self.when.check(runner)?;
        let local = |state: &&State| match (runner, state) {
            (_, State::Url(_)) | (Runner::Cron | Runner::Systemd, State::Path(_)) => false,
            (Runner::Kubernetes, State::Path(_)) => true,
            (Runner::Github, State::Path(path)) => path.starts_with('/'),
        };
        if let Some(state) = self.states.iter().find(local) {
            return Err(Error::Reach { runner: runner.name(), state: state.text().to_owned() });
        }
        if runner == Runner::Github && !matches!(self.repository, Repository::Url(_)) {
            return Err(Error::Repository { runner: runner.name() });
        }
        if runner == Runner::Github && self.signing_key.is_none() {
            return Err(Error::NoSigningKey { runner: runner.name() });
        }
        Ok(())
    }

    /// Returns everything that somebody typed.
    fn texts(&self) -> impl Iterator<Item = &str> {
        let keys: &[String] = match &self.readers {
            Readers::Keys(keys) => keys,
            Readers::AsTheRepository | Readers::Everybody => &[],
        };
        let repository = match &self.repository {
            Repository::OfRunner => None,
            Repository::Folder(text) | Repository::Url(text) => Some(text),
        };
        let single = [&self.workspace, &self.strategy, &self.signing_key, &self.env_file];
        let typed = single.into_iter().chain([&self.user, &self.metrics_file]).flatten();
        let typed = typed.chain(&self.tags);
        let typed = typed.chain([&self.program, &self.image]).chain(repository).chain(keys);
        let variables = self.variables.iter().map(|(_, value)| value);
        let states = self.states.iter().map(State::text);
        typed.chain(variables).map(String::as_str).chain(states)
    }

    /// Returns the command line behind the program; `folder` is the runner's place for snapshots.
    pub(super) fn arguments(&self, folder: Option<&str>) -> Vec<String> {
        let mut arguments = vec!["backup".to_owned()];
        let mut option = |name: &str, value: &str| {
            arguments.extend([name.to_owned(), value.to_owned()]);
        };
        let repository = match &self.repository {
            Repository::OfRunner => folder,
            Repository::Folder(text) | Repository::Url(text) => Some(text.as_str()),
        };
        if let Some(repository) = repository {
            option("--repo", repository);
        }
        let single = [
            ("--workspace", &self.workspace),
            ("--strategy", &self.strategy),
            ("--metrics-file", &self.metrics_file),
        ];
        for (name, value) in single {
            if let Some(value) = value {
                option(name, value);
            }
        }
        self.tags.iter().for_each(|tag| option("--tag", tag));
        match &self.readers {
            Readers::AsTheRepository => {}
            Readers::Keys(keys) => keys.iter().for_each(|key| option("--recipient", key)),
            Readers::Everybody => arguments.push("--no-encryption".to_owned()),
        }
        if self.states.iter().any(|state| state.text().starts_with('-')) {
            arguments.push("--".to_owned());
        }
        arguments.extend(self.states.iter().map(|state| state.text().to_owned()));
        arguments
    }

    /// Returns, as comments, what has to be done before the first run.
    pub(super) fn before_the_first_run(&self) -> String {
        let is_there = matches!(self.readers, Readers::AsTheRepository).then_some(
            "# The repository has to be there: `tfstate repo init` makes it, and asks who is to read it.\n",
        );
        let is_let_in = self.signing_key.is_some().then_some(
            "# The key that signs makes it, or is let in: `tfstate repo authorize`, with what\n\
             # `tfstate repo info --signing-key FILE` calls this key.\n",
        );
        is_there.into_iter().chain(is_let_in).collect()
    }

    /// Returns the first moment of the schedule, which differs from one plan to another so that
    /// not all begin at the full hour.
    pub(super) fn moment(&self) -> Moment {
        let words = self.arguments(None);
        let hash = blake3::hash(words.join("\0").as_bytes());
        let [hour, minute, ..] = *hash.as_bytes();
        Moment { hour, minute }
    }

    /// Returns how much memory a run may use, in MiB: three times the largest state, and some for
    /// the program.
    pub(super) fn memory(&self) -> u64 {
        let of = |largest: u64| (3 * largest.div_ceil(MIB) + 256).next_multiple_of(256);
        self.largest.map_or(1024, of).max(512)
    }

    /// Returns whether a state is in a file of this machine.
    pub(super) fn is_local(&self) -> bool {
        self.states.iter().any(|state| matches!(state, State::Path(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{HOSTILE, plan};
    use super::*;

    const ALL: [Runner; 4] = [Runner::Cron, Runner::Systemd, Runner::Kubernetes, Runner::Github];

    #[test]
    fn no_runner_begins_at_the_full_hour() {
        for number in 0..200 {
            let mut plan = plan();
            plan.states = vec![State::Url(format!("s3://b/{number}"))];
            for every in ["5m", "10m", "30m", "hourly", "6h", "daily", "weekly"] {
                plan.when = When::Every(every.parse().unwrap());
                let fields = plan.when.cron(plan.moment());
                let minutes = fields.split(' ').next().unwrap();
                assert!(minutes.split(',').all(|minute| minute != "0"), "{every}: {fields}");
            }
        }
    }

    #[test]
    fn the_same_plan_has_the_same_moment_and_another_one_another() {
        let minute = |state: &str| {
            let plan = Plan { states: vec![State::Url(state.to_owned())], ..plan() };
            plan.when.cron(plan.moment())
        };
        assert_eq!(minute("s3://b/1"), minute("s3://b/1"));
        assert_ne!(minute("s3://b/1"), minute("s3://b/2"));
    }

    #[test]
    fn files_of_this_machine_are_only_for_what_runs_on_it() {
        let mut plan = plan();
        plan.states = vec![State::Path("/srv/a.tfstate".to_owned())];
        let refused = ALL.map(|runner| plan.render(runner).is_err());
        assert_eq!(refused, [false, false, true, true]);
        plan.states = vec![State::Path("envs/a.tfstate".to_owned())];
        assert!(plan.render(Runner::Github).is_ok(), "it is in the repository");
    }

    #[test]
    fn a_runner_that_keeps_nothing_needs_a_repository_elsewhere() {
        let mut plan = plan();
        plan.repository = Repository::OfRunner;
        let refused = ALL.map(|runner| plan.render(runner).is_err());
        assert_eq!(refused, [false, false, false, true]);
    }

    #[test]
    fn a_name_is_one_that_every_runner_allows() {
        for name in ["", "-a", "a-", "A", "a/b", "a b", "ü", &"a".repeat(53)] {
            let plan = Plan { name: name.to_owned(), ..plan() };
            assert!(matches!(plan.render(Runner::Cron), Err(Error::Name { .. })), "{name}");
        }
    }

    #[test]
    fn text_that_would_end_a_line_is_refused_everywhere() {
        let plan = Plan { states: vec![State::Url(format!("{HOSTILE}\nevil"))], ..plan() };
        for runner in ALL {
            assert!(matches!(plan.render(runner), Err(Error::Text { .. })), "{runner:?}");
        }
    }

    #[test]
    fn memory_follows_the_largest_state() {
        let memory = |largest| Plan { largest, ..plan() }.memory();
        assert_eq!(memory(None), 1024);
        assert_eq!(memory(Some(10)), 512);
        assert_eq!(memory(Some(100 * MIB)), 768);
        assert_eq!(memory(Some(1000 * MIB)), 3328);
    }
}
