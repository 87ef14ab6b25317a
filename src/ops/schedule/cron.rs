//! A line of a crontab.

use super::{Error, Plan, SIGNING_KEY, add};
use crate::base::text::shell_word;

/// What cron takes of a line at most: 998 bytes of a command and its end in most versions.
const LIMIT: usize = 998;

/// Returns a line for `crontab -e`, with comments above it.
pub(super) fn render(plan: &Plan) -> String {
    let Plan { name, .. } = plan;
    let when = plan.when.cron(plan.moment());
    // Cron ends a command at a bare `%`, and takes the backslash away before the shell sees it; but
    // one that follows a backslash protects nothing. That stands in quotes, which may end between.
    let command = command(plan).replace(r"\%", r"\''%").replace('%', r"\%");
    let environment = match plan.env_file {
        Some(_) => "",
        None => "# Cron gives it no variables: name a file of them with `--env-file`.\n",
    };
    let before = plan.before_the_first_run();
    format!(
        "# {name}: add this to `crontab -e` of the user who is to back up.\n\
         # What fails is mailed to that user. A run is left out while another one lasts.\n\
         {before}{environment}{when} {command}\n"
    )
}

/// Refuses a line that cron would cut.
pub(super) fn check(unit: String) -> Result<String, Error> {
    let length = unit.lines().map(str::len).max().unwrap_or(0);
    if length > LIMIT {
        return Err(Error::Long { length, limit: LIMIT });
    }
    Ok(unit)
}

/// Returns the command as a shell reads it.
fn command(plan: &Plan) -> String {
    let mut command = "umask 077; ulimit -c 0; ".to_owned();
    if let Some(file) = &plan.env_file {
        add(&mut command, format_args!("set -a; . {}; set +a; ", shell_word(file)));
    }
    let key = plan.signing_key.iter().map(|key| (SIGNING_KEY, key));
    for (name, value) in plan.variables.iter().map(|(name, value)| (*name, value)).chain(key) {
        add(&mut command, format_args!("{name}={} ", shell_word(value)));
    }
    add(
        &mut command,
        format_args!("flock -n \"$HOME/.{}.lock\" {}", plan.name, shell_word(&plan.program)),
    );
    for argument in plan.arguments(None) {
        command.push(' ');
        command += &shell_word(&argument);
    }
    command + " >/dev/null"
}

#[cfg(test)]
mod tests {
    use super::super::samples::{HOSTILE, hostile, plan};
    use super::super::{Readers, Repository, Runner, State};
    use super::*;

    #[test]
    fn a_line_holds_all_that_cron_does_not_know() {
        let plan = Plan {
            states: vec![State::Path("/srv/infra/prod".to_owned())],
            repository: Repository::Folder("/srv/backups".to_owned()),
            readers: Readers::AsTheRepository,
            variables: vec![("TF_WORKSPACE", "eu west".to_owned())],
            env_file: Some("/etc/tfstate/backup.env".to_owned()),
            ..plan()
        };
        insta::assert_snapshot!(plan.render(Runner::Cron).unwrap(), @r#"
        # tfstate-backup: add this to `crontab -e` of the user who is to back up.
        # What fails is mailed to that user. A run is left out while another one lasts.
        # The repository has to be there: `tfstate repo init` makes it, and asks who is to read it.
        # The key that signs makes it, or is let in: `tfstate repo authorize`, with what
        # `tfstate repo info --signing-key FILE` calls this key.
        2 * * * * umask 077; ulimit -c 0; set -a; . /etc/tfstate/backup.env; set +a; TF_WORKSPACE='eu west' TFSTATE_SIGNING_KEY_FILE=/etc/tfstate/signing.key flock -n "$HOME/.tfstate-backup.lock" /usr/bin/tfstate backup --repo /srv/backups --strategy auto /srv/infra/prod >/dev/null
        "#);
    }

    /// Returns what cron gives to the shell: a backslash goes where it protects a `%`, and itself
    /// protects whatever else follows.
    #[cfg(unix)]
    fn given(command: &str) -> String {
        let (mut given, mut chars) = (String::new(), command.chars());
        while let Some(char) = chars.next() {
            match (char, char == '\\') {
                ('%', _) => panic!("cron would end it there: {command}"),
                (_, true) => match chars.next() {
                    Some('%') => given.push('%'),
                    next => given.extend([char].into_iter().chain(next)),
                },
                _ => given.push(char),
            }
        }
        given
    }

    /// Runs the command as cron does, with another program in its place.
    #[cfg(unix)]
    fn run(plan: &Plan) -> std::process::Output {
        let folder = tempfile::tempdir().unwrap();
        let unit = render(&Plan { program: "/usr/bin/printf".to_owned(), ..plan.clone() });
        let line = unit.lines().last().unwrap();
        let command = given(line.splitn(6, ' ').nth(5).unwrap());
        let command = command.replace(" backup ", " '<%s>' ");
        let command = command.strip_suffix(" >/dev/null").unwrap();
        let words = ["-c", command];
        let mut shell = std::process::Command::new("/bin/sh");
        shell.args(words).env_clear().env("HOME", folder.path()).env("PATH", "/usr/bin:/bin");
        shell.output().unwrap()
    }

    #[cfg(unix)]
    #[test]
    fn a_shell_gets_every_word_as_it_was_typed() {
        if !std::path::Path::new("/usr/bin/flock").exists() {
            eprintln!("skipped: needs flock");
            return;
        }
        for word in [HOSTILE, r"/srv/50\%", r"/srv/50\\%%\", r"/srv/it's '%' \'%"] {
            let plan = Plan { states: vec![State::Path(word.to_owned())], ..hostile() };
            let ran = run(&plan);
            let said = String::from_utf8(ran.stdout).unwrap();
            assert!(said.ends_with(&format!("<{word}>")), "{said}\n{:?}", ran.stderr);
        }
    }

    /// The program of Debian has `-n` for this, that of others `-T`.
    #[cfg(unix)]
    #[test]
    fn crontab_takes_the_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("crontab");
        let check = |text: &str| {
            crate::base::fs::replace(&file, text.as_bytes()).unwrap();
            let try_with =
                |flag| std::process::Command::new("crontab").arg(flag).arg(&file).output();
            try_with("-n").map(|ran| ran.status.success())
        };
        if !matches!(check("1 2 3 4 5 true\n"), Ok(true)) {
            eprintln!("skipped: needs a crontab that checks with `-n`");
            return;
        }
        assert!(!check("1 2 3 4 nonsense true\n").unwrap(), "it would take anything");
        for every in ["5m", "hourly", "6h", "daily", "weekly"] {
            let when = super::super::When::Every(every.parse().unwrap());
            assert!(check(&render(&Plan { when, ..hostile() })).unwrap(), "{every}");
        }
    }

    #[test]
    fn a_line_that_cron_would_cut_is_refused() {
        let states = |count: usize| {
            let state = |number| State::Url(format!("s3://bucket/{number:04}.tfstate"));
            let plan = Plan { states: (0..count).map(state).collect(), ..plan() };
            plan.render(Runner::Cron)
        };
        assert!(states(20).is_ok());
        assert!(matches!(states(40), Err(Error::Long { .. })));
    }
}
