//! A service of systemd and the timer that starts it.

use super::quote::{systemd_argument, systemd_word};
use super::{CACHE, KEPT, Plan, Repository, SIGNING_KEY, State, add};
use crate::base::text::shell_word;

/// What a backup needs of the system, said by what it does not: `systemd-analyze security` reads
/// these.
const HARDENING: &str = "\
NoNewPrivileges=yes
ProtectSystem=strict
PrivateTmp=yes
PrivateDevices=yes
DevicePolicy=closed
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProcSubset=pid
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
KeyringMode=private
UMask=0077
LimitCORE=0
";

/// Returns both units, each below the name of its file.
pub(super) fn render(plan: &Plan) -> String {
    let Plan { name, .. } = plan;
    let (service, before) = (service(plan), plan.before_the_first_run());
    let metrics = before_metrics(plan);
    format!(
        "# Save each part under the name above it, then:\n\
         #   systemctl daemon-reload && systemctl enable --now {name}.timer\n\
         {before}{metrics}\n\
         # /etc/systemd/system/{name}.service\n{service}\n\
         # /etc/systemd/system/{name}.timer\n{}",
        timer(plan)
    )
}

/// The group of those that may write to the folder of the exporter of metrics.
const METRICS_GROUP: &str = "tfstate-metrics";

/// Returns, as comments, what has to be done before a service can write metrics.
fn before_metrics(plan: &Plan) -> String {
    let Some(folder) = plan.metrics_file.as_deref().and_then(parent) else { return String::new() };
    let folder = shell_word(folder);
    format!(
        "# It does not start without the group that may write metrics. Once, as root:\n\
         #   groupadd --system --force {METRICS_GROUP} && setfacl -m g:{METRICS_GROUP}:rwx {folder}\n"
    )
}

fn timer(plan: &Plan) -> String {
    let calendar = plan.when.calendar(plan.moment());
    format!(
        "[Unit]\nDescription=Back up Terraform states ({})\n\n\
         [Timer]\nOnCalendar={calendar}\nRandomizedDelaySec={}\nPersistent=true\n\n\
         [Install]\nWantedBy=timers.target\n",
        plan.name,
        length(plan.when.jitter())
    )
}

fn service(plan: &Plan) -> String {
    let Plan { name, .. } = plan;
    let mut out = format!(
        "[Unit]\nDescription=Back up Terraform states ({name})\n\
         Wants=network-online.target\nAfter=network-online.target\n\
         # To be told when it fails, make a unit for that and name it here:\n\
         #OnFailure=notify@%n.service\n\n\
         [Service]\nType=oneshot\nExecStart={}\n\
         TimeoutStartSec={}\nNice=10\nIOSchedulingClass=idle\n\
         # Raise it for a state that is larger than a third of this.\nMemoryMax={}M\n\n",
        command(plan),
        length(plan.when.timeout()),
        plan.memory()
    );
    environment(plan, &mut out);
    out.push('\n');
    rights(plan, &mut out);
    out + HARDENING
}

fn command(plan: &Plan) -> String {
    // Variables are not replaced in the name of the program.
    let mut command = systemd_word(&plan.program);
    for argument in plan.arguments(Some(&format!("/var/lib/{}", plan.name))) {
        command.push(' ');
        command += &systemd_argument(&argument);
    }
    command
}

/// Writes the folders, variables and credentials.
fn environment(plan: &Plan, out: &mut String) {
    let Plan { name, .. } = plan;
    let mut line = |text: &str| add(out, format_args!("{text}\n"));
    line(&format!("StateDirectory={name} {name}-kept\nStateDirectoryMode=0700"));
    line(&format!("CacheDirectory={name}\nCacheDirectoryMode=0700"));
    line(&format!("Environment={CACHE}=%C/{name}"));
    // Whoever it is asked to run as has a key at home.
    if plan.user.is_none() || plan.signing_key.is_some() {
        line(&format!("Environment={KEPT}=%S/{name}-kept"));
    }
    for (name, value) in &plan.variables {
        line(&format!("Environment={}", systemd_word(&format!("{name}={value}"))));
    }
    line("# Credentials of the stores, as NAME=VALUE lines; root's alone, mode 0600.");
    match &plan.env_file {
        Some(file) => line(&format!("EnvironmentFile={}", file.replace('%', "%%"))),
        None => line("EnvironmentFile=-/etc/tfstate/backup.env"),
    }
    if let Some(key) = &plan.signing_key {
        let is_encrypted = std::path::Path::new(key).extension().is_some_and(|end| end == "cred");
        if is_encrypted {
            line("# Made by: systemd-creds encrypt --name=signing-key KEY FILE.cred");
        }
        let kind = if is_encrypted { "LoadCredentialEncrypted" } else { "LoadCredential" };
        line(&format!("{kind}=signing-key:{}", key.replace('%', "%%")));
        line(&format!("Environment={SIGNING_KEY}=%d/signing-key"));
    }
}

/// Writes whom it runs as, and what of the files of others it may touch.
fn rights(plan: &Plan, out: &mut String) {
    let mut line = |text: &str| add(out, format_args!("{text}\n"));
    match (&plan.user, plan.is_local()) {
        (Some(user), _) => {
            line(&format!("User={}", systemd_word(user)));
            line("CapabilityBoundingSet=");
        }
        (None, true) => {
            line("DynamicUser=yes");
            line("# It reads the states whoever owns them, and can change none.");
            line("CapabilityBoundingSet=CAP_DAC_READ_SEARCH");
            line("AmbientCapabilities=CAP_DAC_READ_SEARCH");
        }
        (None, false) => {
            line("DynamicUser=yes");
            line("CapabilityBoundingSet=");
            if plan.metrics_file.is_none() {
                line("PrivateUsers=yes");
            }
        }
    }
    if let Some(folder) = plan.metrics_file.as_deref().and_then(parent) {
        line(&format!("SupplementaryGroups={METRICS_GROUP}"));
        line(&format!("ReadWritePaths={}", systemd_word(&format!("-{folder}"))));
    }
    if let Repository::Folder(folder) = &plan.repository {
        line("# The folder has to be there before the first run.");
        line(&format!("ReadWritePaths={}", systemd_word(folder)));
    }
    let signs_as_user = plan.user.is_some() && plan.signing_key.is_none();
    if signs_as_user {
        line("# It signs with the key of that user, which their first backup by hand makes.");
    }
    let homes = if signs_as_user || homes(plan) { "read-only" } else { "yes" };
    line(&format!("ProtectHome={homes}"));
}

/// Returns the folder that a file is in.
fn parent(file: &str) -> Option<&str> {
    std::path::Path::new(file).parent()?.to_str()
}

/// Returns whether something that is needed is in the folder of a user.
fn homes(plan: &Plan) -> bool {
    let folder = match &plan.repository {
        Repository::Folder(folder) => Some(folder.as_str()),
        Repository::OfRunner | Repository::Url(_) => None,
    };
    let paths = plan.states.iter().filter_map(|state| match state {
        State::Path(path) => Some(path.as_str()),
        State::Url(_) => None,
    });
    let is_home =
        |path: &str| ["/home/", "/root/", "/run/user/"].iter().any(|home| path.starts_with(home));
    let metrics = plan.metrics_file.as_deref();
    paths.chain(folder).chain(metrics).chain([plan.program.as_str()]).any(is_home)
}

/// Returns a length of time as systemd writes it.
fn length(seconds: u32) -> String {
    match seconds {
        whole if whole % 3600 == 0 => format!("{}h", whole / 3600),
        whole if whole % 60 == 0 => format!("{}m", whole / 60),
        seconds => format!("{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Output};

    use super::super::samples::{HOSTILE, hostile, plan};
    use super::super::{Every, Readers, Runner, When};
    use super::*;

    #[test]
    fn a_service_for_states_in_a_store() {
        insta::assert_snapshot!(plan().render(Runner::Systemd).unwrap(), @r#"
        # Save each part under the name above it, then:
        #   systemctl daemon-reload && systemctl enable --now tfstate-backup.timer
        # The key that signs makes it, or is let in: `tfstate repo authorize`, with what
        # `tfstate repo info --signing-key FILE` calls this key.

        # /etc/systemd/system/tfstate-backup.service
        [Unit]
        Description=Back up Terraform states (tfstate-backup)
        Wants=network-online.target
        After=network-online.target
        # To be told when it fails, make a unit for that and name it here:
        #OnFailure=notify@%n.service

        [Service]
        Type=oneshot
        ExecStart=/usr/bin/tfstate backup --repo s3://acme-backup/tfstate --strategy auto --recipient age1abc "s3://acme-tf/prod/**/*.tfstate"
        TimeoutStartSec=1h
        Nice=10
        IOSchedulingClass=idle
        # Raise it for a state that is larger than a third of this.
        MemoryMax=1024M

        StateDirectory=tfstate-backup tfstate-backup-kept
        StateDirectoryMode=0700
        CacheDirectory=tfstate-backup
        CacheDirectoryMode=0700
        Environment=TFSTATE_CACHE_DIR=%C/tfstate-backup
        Environment=STATE_DIR=%S/tfstate-backup-kept
        # Credentials of the stores, as NAME=VALUE lines; root's alone, mode 0600.
        EnvironmentFile=-/etc/tfstate/backup.env
        LoadCredential=signing-key:/etc/tfstate/signing.key
        Environment=TFSTATE_SIGNING_KEY_FILE=%d/signing-key

        DynamicUser=yes
        CapabilityBoundingSet=
        PrivateUsers=yes
        ProtectHome=yes
        NoNewPrivileges=yes
        ProtectSystem=strict
        PrivateTmp=yes
        PrivateDevices=yes
        DevicePolicy=closed
        ProtectClock=yes
        ProtectControlGroups=yes
        ProtectHostname=yes
        ProtectKernelLogs=yes
        ProtectKernelModules=yes
        ProtectKernelTunables=yes
        ProtectProc=invisible
        ProcSubset=pid
        LockPersonality=yes
        MemoryDenyWriteExecute=yes
        RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
        RestrictNamespaces=yes
        RestrictRealtime=yes
        RestrictSUIDSGID=yes
        RemoveIPC=yes
        SystemCallArchitectures=native
        SystemCallFilter=@system-service
        SystemCallFilter=~@privileged @resources
        SystemCallErrorNumber=EPERM
        KeyringMode=private
        UMask=0077
        LimitCORE=0

        # /etc/systemd/system/tfstate-backup.timer
        [Unit]
        Description=Back up Terraform states (tfstate-backup)

        [Timer]
        OnCalendar=*:54:00
        RandomizedDelaySec=10m
        Persistent=true

        [Install]
        WantedBy=timers.target
        "#);
    }

    #[test]
    fn a_service_for_states_of_this_machine_reads_them_and_nothing_more() {
        let plan = Plan {
            states: vec![State::Path("/home/ann/infra/100% net".to_owned())],
            repository: Repository::OfRunner,
            readers: Readers::AsTheRepository,
            strategy: None,
            signing_key: Some("/etc/tfstate/key.cred".to_owned()),
            variables: vec![("TF_WORKSPACE", "50%".to_owned())],
            when: When::Every(Every::Minutes(15)),
            ..plan()
        };
        let unit = render(&plan);
        for line in [
            r#"ExecStart=/usr/bin/tfstate backup --repo /var/lib/tfstate-backup "/home/ann/infra/100%% net""#,
            "Environment=TF_WORKSPACE=50%%",
            "LoadCredentialEncrypted=signing-key:/etc/tfstate/key.cred",
            "AmbientCapabilities=CAP_DAC_READ_SEARCH",
            "ProtectHome=read-only",
            "RandomizedDelaySec=225s",
            "TimeoutStartSec=15m",
        ] {
            assert!(unit.lines().any(|found| found == line), "{line}\n{unit}");
        }
        assert!(!unit.contains("PrivateUsers"), "a right over files of others would be lost");
    }

    #[test]
    fn without_a_key_it_signs_with_one_that_lasts() {
        let its_own = Plan { signing_key: None, ..plan() };
        let unit = render(&its_own);
        assert!(unit.contains("\nEnvironment=STATE_DIR=%S/tfstate-backup-kept\n"), "{unit}");
        let of_a_user = Plan { user: Some("ann".to_owned()), ..its_own };
        let unit = render(&of_a_user);
        assert!(
            !unit.contains("STATE_DIR=") && unit.contains("\nProtectHome=read-only\n"),
            "{unit}"
        );
    }

    #[test]
    fn a_folder_of_snapshots_can_be_written_by_its_user() {
        let plan = Plan {
            repository: Repository::Folder("/srv/back up".to_owned()),
            user: Some("ann".to_owned()),
            ..plan()
        };
        let unit = render(&plan);
        for line in ["User=ann", "ReadWritePaths=\"/srv/back up\"", "CapabilityBoundingSet="] {
            assert!(unit.lines().any(|found| found == line), "{line}\n{unit}");
        }
        assert!(!unit.contains("DynamicUser"));
    }

    #[test]
    fn metrics_go_to_the_folder_of_the_exporter_by_a_group_that_may_write_there() {
        let file = "/var/lib/node exporter/tfstate.prom".to_owned();
        let unit = render(&Plan { metrics_file: Some(file), ..plan() });
        for line in [
            "#   groupadd --system --force tfstate-metrics && setfacl -m g:tfstate-metrics:rwx '/var/lib/node exporter'",
            "SupplementaryGroups=tfstate-metrics",
            "ReadWritePaths=\"-/var/lib/node exporter\"",
        ] {
            assert!(unit.lines().any(|found| found == line), "{line}\n{unit}");
        }
        assert!(
            unit.contains(" --metrics-file \"/var/lib/node exporter/tfstate.prom\" "),
            "{unit}"
        );
    }

    /// Writes the units as their comments say, and lets systemd look at them; nothing where it is
    /// not installed.
    fn analyze(plan: &Plan, words: &[&str]) -> Option<Output> {
        let folder = tempfile::tempdir().unwrap();
        let program = std::env::current_exe().unwrap().to_str().unwrap().to_owned();
        let unit = render(&Plan { program, ..plan.clone() });
        let mut files = Vec::new();
        for part in unit.split("# /etc/systemd/system/").skip(1) {
            let (name, text) = part.split_once('\n').unwrap();
            let file = folder.path().join(name);
            crate::base::fs::write_new(&file, text.as_bytes()).unwrap();
            files.push(file);
        }
        assert_eq!(files.len(), 2);
        if words[0] == "security" {
            files.pop();
        }
        let ran = Command::new("systemd-analyze").args(words).args(&files).output();
        if ran.is_err() {
            eprintln!("skipped: needs systemd-analyze");
        }
        ran.ok()
    }

    fn said(ran: &Output) -> String {
        format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr))
    }

    fn variants() -> [Plan; 3] {
        let local = Plan {
            states: vec![State::Path("/srv/100% \"net\" \\ $a".to_owned())],
            repository: Repository::OfRunner,
            variables: vec![("TF_WORKSPACE", "a % \"b\" \\".to_owned())],
            metrics_file: Some("/var/lib/node exporter/50% $a.prom".to_owned()),
            tags: vec!["nightly".to_owned()],
            when: When::Every(Every::Minutes(5)),
            ..plan()
        };
        let owned = Plan {
            user: Some("root".to_owned()),
            repository: Repository::Folder("/srv/a %b".to_owned()),
            env_file: Some("/etc/a %b".to_owned()),
            when: When::At("Mon..Fri *-*-* 02:30:00 Europe/Berlin".to_owned()),
            ..hostile()
        };
        [plan(), local, owned]
    }

    #[test]
    fn systemd_has_nothing_to_say_against_the_units() {
        for plan in variants() {
            let Some(ran) = analyze(&plan, &["verify", "--man=no"]) else { return };
            assert!(ran.status.success(), "{}", said(&ran));
            // Of units of this machine it may say something too.
            assert!(!said(&ran).contains(&plan.name), "{}", said(&ran));
        }
    }

    #[test]
    fn systemd_finds_the_service_well_protected() {
        for plan in variants() {
            let words = ["security", "--offline=yes", "--threshold=25", "--no-pager"];
            let Some(ran) = analyze(&plan, &words) else { return };
            if said(&ran).contains("unrecognized option") {
                eprintln!("skipped: needs a systemd-analyze that works offline");
                return;
            }
            assert!(ran.status.success(), "{}", said(&ran));
        }
    }

    /// What systemd makes of a word, by its own rules: specifiers, then quotes, then variables.
    #[test]
    fn a_hostile_word_is_what_it_was_once_systemd_has_read_it() {
        let unit = render(&hostile());
        let line = unit.lines().find(|line| line.starts_with("ExecStart=")).unwrap();
        let word = line.split_once(" \"").unwrap().1.strip_suffix('"').unwrap();
        let mut read = String::new();
        let mut chars = word.replace("%%", "%").replace("$$", "$");
        assert_eq!(word.matches('%').count() % 2, 0, "{word}");
        assert_eq!(word.matches('$').count() % 2, 0, "{word}");
        while let Some(at) = chars.find(['\\', '"']) {
            assert!(chars.as_bytes()[at] == b'\\', "the word ends too early: {word}");
            read.push_str(&chars[..at]);
            read.push_str(&chars[at + 1..at + 2]);
            chars.drain(..at + 2);
        }
        assert_eq!(read + &chars, HOSTILE);
    }
}
