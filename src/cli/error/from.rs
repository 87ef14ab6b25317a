//! What each library error means to a person: the one place that gives advice.

use super::{Exit, Failure};
use crate::base::git;
use crate::base::text::escape;
use crate::cli::{config, output};
use crate::ops::{self, list, open};
use crate::query::{document_json, lookup};
use crate::state::parse::{Lookalike, ParseError};
use crate::{backup, store};

impl From<output::Error> for Failure {
    fn from(error: output::Error) -> Self {
        let exit = if error.is_closed_pipe() { Exit::Done } else { Exit::Failed };
        Self::of(&error).exit(exit)
    }
}

impl From<config::Error> for Failure {
    fn from(error: config::Error) -> Self {
        let hint = error.hint();
        Self::of(&error).hints(hint)
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        if let Some(failure) = super::remote::failure(&error) {
            return failure;
        }
        let hint = match &error {
            store::Error::NoWayBack { .. } => Some("name the place: `--to STATE`"),
            store::Error::NotFound { .. } => Some(
                "check the path, or pipe the state in: `terraform state pull | tfstate list -`",
            ),
            store::Error::NoStateInDirectory { .. } => {
                Some("name a file or a directory that holds one, or set TFSTATE_STATE")
            }
            store::Error::Unsupported { .. } | store::Error::Backend { .. } => {
                Some("pipe it in instead: `terraform state pull | tfstate list -`")
            }
            store::Error::WorkspaceName { .. } | store::Error::NoWorkspaces { .. } => {
                Some("list the workspaces that exist: `terraform workspace list`")
            }
            store::Error::GitReference { .. } => Some("name one, as in `git:HEAD:prod.tfstate`"),
            store::Error::Git { source, .. } => git_hint(source),
            store::Error::NoRevision { .. } => {
                Some("list the branches and tags: `git for-each-ref --format='%(refname:short)'`")
            }
            store::Error::NoFileInRevision { path, .. }
                if store::Earlier::split(path).is_some() =>
            {
                Some(
                    "git counts back itself, as in `git:HEAD~1:PATH`; list the commits: `git log --oneline -- PATH`",
                )
            }
            store::Error::NoFileInRevision { .. } => {
                Some("paths count from this directory; list the states: `git ls-files '*.tfstate'`")
            }
            store::Error::Unfinished { .. } | store::Error::HalfWritten { .. } => {
                Some("look into the copy, and put it in the place of the damaged file")
            }
            store::Error::Block { .. } => {
                Some("run `terraform init`, or give the setting: `--backend-config KEY=VALUE`")
            }
            store::Error::TwoBlocks { .. } => Some("a configuration has one backend: remove one"),
            store::Error::Given { .. } => Some(
                "give `--backend-config KEY=VALUE`, or a file of lines like `bucket = \"acme-tf\"`",
            ),
            store::Error::Record { .. } => {
                Some("write it again: `terraform init -reconfigure`; that does not touch the state")
            }
            store::Error::Settings { .. } => Some(
                "look at the backend block, and at what `terraform init` was given: `--backend-config KEY=VALUE`",
            ),
            store::Error::NoStateInStore { .. } => Some(
                "nothing was applied there yet, or it is kept elsewhere: `terraform workspace list`; where it was deleted, `tfstate restore` brings its newest snapshot back",
            ),
            store::Error::Empty { .. } => Some(
                "an interrupted write leaves this behind; look for an earlier one: put `@-1` behind it",
            ),
            store::Error::Reference { .. } => Some(
                "references look like s3://BUCKET/KEY, gs://BUCKET/OBJECT, az://CONTAINER/BLOB, https://HOST/PATH or postgres://HOST/DATABASE?schema=NAME",
            ),
            store::Error::Several { .. } => Some(
                "name one; `tfstate backup` and other commands that take several list them all",
            ),
            store::Error::NoMatch { .. } => Some(
                "`*` stays between two `/`, and `**` does not: `s3://BUCKET/**/*.tfstate`; quote it for the shell",
            ),
            store::Error::TooMany { .. } => Some("name fewer with a longer prefix"),
            store::Error::NotEarlier { .. } => Some(
                "write @-1 for the one before, @2026-11-20T03:00Z for a time, @serial:412, or @ID for a snapshot",
            ),
            store::Error::NoEarlier { .. } => {
                Some("list the snapshots there are: `tfstate snapshots STATE`")
            }
            store::Error::NoVersions { .. } => Some(
                "`tfstate backup` keeps snapshots from now on; TFSTATE_REPO says where they are",
            ),
            _ => None,
        };
        Self::of(&error).hints(hint)
    }
}

fn git_hint(error: &git::Error) -> Option<&'static str> {
    match error {
        git::Error::Missing => Some("install git, and see that it is on the PATH"),
        git::Error::NoRepository => {
            Some("change to a directory of the repository: `cd REPOSITORY`")
        }
        _ => None,
    }
}

impl From<open::Error> for Failure {
    fn from(error: open::Error) -> Self {
        match error {
            open::Error::Store(error) => error.into(),
            open::Error::Backup(error) => error.into(),
            open::Error::Parse { ref source, .. } => Self::of(&error).hints(parse_hint(source)),
        }
    }
}

fn parse_hint(error: &ParseError) -> Option<&'static str> {
    match error {
        ParseError::Empty => {
            Some("an interrupted write leaves this behind: look for a `.backup` file beside it")
        }
        ParseError::Encrypted { .. } => {
            Some("pull it in plain text with OpenTofu: `tofu state pull | tfstate list -`")
        }
        ParseError::Syntax { .. } => Some(
            "if it was cut off, copy it again; if the state itself is like that, restore a backup",
        ),
        ParseError::UnsupportedVersion { version: 0, .. } => {
            Some("upgrade it with Terraform 0.6.16 first, then with later versions one by one")
        }
        ParseError::UnsupportedVersion { .. } => Some("a newer tfstate may read it"),
        ParseError::Upgrade { .. } => {
            Some("upgrade it with the Terraform version that wrote it first")
        }
        ParseError::Invalid(_) => {
            Some("Terraform refuses this state too: mend the place, or restore a backup")
        }
        ParseError::NoVersion => Some("name a state: `terraform state pull` prints one"),
        ParseError::NotAState(lookalike) => Some(lookalike_hint(lookalike)),
        _ => None,
    }
}

fn lookalike_hint(lookalike: &Lookalike) -> &'static str {
    match lookalike {
        Lookalike::ByteOrderMark => "remove its first three bytes: `tail -c +4 FILE`",
        Lookalike::Utf16 => "convert it: `iconv -f UTF-16 -t UTF-8 FILE`",
        Lookalike::Zip => "print a plan with `terraform show PLAN`; a state is a JSON file",
        Lookalike::Binary => "upgrade it with Terraform 0.6.16 first",
        Lookalike::Markup => "this is often the error page of a server: download the state again",
        Lookalike::Conflict(_) => "choose a side: the one with the higher serial is newer",
        Lookalike::AwsChunked => {
            "keep the JSON between the framing lines, and set `skip_s3_checksum` in the backend"
        }
        Lookalike::ShowJson => "name the state itself: `terraform state pull` prints it",
        Lookalike::BackendRecord(_) => {
            "name the directory instead, or pipe the state in: `terraform state pull | tfstate list -`"
        }
        _ => "name a state: `terraform state pull` prints one",
    }
}

impl From<list::Error> for Failure {
    fn from(error: list::Error) -> Self {
        let failure = Self::of(&error);
        match &error {
            list::Error::Address { .. } => failure.hint(
                "an address looks like `module.net[\"eu\"].aws_subnet.public[0]`; quote it for the shell",
            ),
            list::Error::NoMatch { .. } => {
                failure.hint("`tfstate list` without an address shows what there is")
            }
        }
    }
}

impl From<lookup::Error> for Failure {
    fn from(error: lookup::Error) -> Self {
        let failure = Self::of(&error);
        let (intro, names): (&str, &[String]) = match &error {
            lookup::Error::NoInstance { near, .. }
            | lookup::Error::NoOutput { near, .. }
            | lookup::Error::NoValue { near, .. } => ("did you mean", near),
            lookup::Error::Ambiguous { instances, .. } => ("say which:", instances),
            _ => ("", &[]),
        };
        if names.is_empty() {
            return failure;
        }
        let shown: Vec<String> =
            names.iter().take(5).map(|name| format!("`{}`", escape(name))).collect();
        let end = if intro.ends_with(':') { "" } else { "?" };
        failure.hint(format!("{intro} {}{end}", shown.join(" or ")))
    }
}

impl From<document_json::Error> for Failure {
    fn from(error: document_json::Error) -> Self {
        Self::of(&error)
    }
}

impl From<backup::Error> for Failure {
    fn from(error: backup::Error) -> Self {
        let hint = match &error {
            backup::Error::Headless { .. } => Some(
                "put the copy of it back, which belongs elsewhere too; a bucket that keeps versions still has it",
            ),
            backup::Error::NoRepository { .. } => {
                Some("the first `tfstate backup` makes it; elsewhere, name it: `--repo FOLDER`")
            }
            backup::Error::Undecided { .. } => Some(
                "encrypt for a key from `age-keygen`: `--recipient age1…`; or keep plain text: `--no-encryption`",
            ),
            backup::Error::Protection { .. } => Some(
                "leave it out: the repository has it from `tfstate repo init` or `rekey`, and `tfstate repo info` shows it; to change it: `tfstate repo rekey`",
            ),
            backup::Error::Locked { .. } => Some(
                "put that into the first line of a file, and name it: `--passphrase-file FILE`, or the variable `TFSTATE_PASSPHRASE_FILE`",
            ),
            backup::Error::Passphrase => Some(
                "it is the first line of the file that is named, unless `tfstate repo rekey` exchanged it; if it is right, `keys/` there is damaged: put the copy of it back",
            ),
            backup::Error::KeptIdentity { .. } => {
                Some("nothing was changed: look at the disk or the bucket, and try again")
            }
            backup::Error::NoIdentity { .. } => Some(
                "give the file with the key: `--identity FILE`, where the command takes it, else `backup.identity` in tfstate.toml; where a passphrase opens it, `--passphrase-file FILE` and the copy of `keys/`, if that is gone",
            ),
            backup::Error::WrongIdentity { .. } => Some(
                "use the key of one of the recipients that `tfstate repo info` shows, or the passphrase that there is now; what was not encrypted anew since needs the earlier one",
            ),
            backup::Error::NoSnapshot { .. } | backup::Error::Ambiguous { .. } => {
                Some("list what there is: `tfstate snapshots`")
            }
            backup::Error::Damaged { .. } => Some(
                "restore another by its id: `tfstate verify` tells which are whole, `tfstate snapshots` what there are",
            ),
            backup::Error::Parent { .. } => Some(
                "restore an older snapshot: `tfstate snapshots`; the next backup is a full one",
            ),
            backup::Error::Untrusted { .. } => Some(
                "if that key is one of yours, let it count: `tfstate repo authorize KEY`; else somebody forged it",
            ),
            backup::Error::Newer { .. } => Some("update tfstate"),
            backup::Error::Overtaken { .. } => Some("run it again"),
            backup::Error::Record { .. } => Some(
                "nothing is read without its records, `repo.json` and all in `c/`: put copies of them back, and take out what is none of them",
            ),
            backup::Error::NotOwner { .. } => Some(
                "run this where the repository was made, or give its key: `--signing-key FILE`; if that is lost, begin a new repository: this one can still be restored from",
            ),
            backup::Error::NotWriter { .. } => Some("list the keys: `tfstate repo info`"),
            backup::Error::SigningKey { .. } => Some(
                "give the file that holds it, or move this one away and a new key is made there",
            ),
            backup::Error::Plugin { .. } => {
                Some("install it, and see that it is on the PATH of whatever runs the backup")
            }
            _ => None,
        };
        match error {
            backup::Error::Store(error) => error.into(),
            backup::Error::Revoked { .. } => Self::of(&error).hint(
                "ask whoever made the repository why; a new key is made where `--signing-key FILE` names none, and let in by its owner",
            ),
            backup::Error::NotAuthorised { key, .. } => Self::of(&error)
                .hint(format!("where the repository was made: `tfstate repo authorize {key}`")),
            backup::Error::Vanished { ref path, .. } => {
                let path = path.display().to_string();
                Self::of(&error).hint(format!(
                    "look whether it was moved, or its disk is not mounted; to begin anew there, forget it: `rm {path}`"
                ))
            }
            backup::Error::Stranger { ref path, .. } => {
                let path = path.display().to_string();
                Self::of(&error).hint(format!(
                    "find out who changed it; if it was made anew on purpose, forget the old one: `rm {path}`"
                ))
            }
            _ => Self::of(&error).hints(hint),
        }
    }
}

impl From<ops::backup::Failed> for Failure {
    fn from(error: ops::backup::Failed) -> Self {
        match error {
            ops::backup::Failed::Store(error) => error.into(),
            ops::backup::Failed::Backup(error) => error.into(),
            ops::backup::Failed::NothingCame => {
                Self::of(&error).hint("look whether the program that writes into the pipe failed")
            }
        }
    }
}

impl From<ops::git::Error> for Failure {
    fn from(error: ops::git::Error) -> Self {
        let hint = match &error {
            ops::git::Error::Git { source, .. } => git_hint(source),
            ops::git::Error::Attributes { .. } | ops::git::Error::Random(_) => {
                Some("what was done before stays and is right; run it again to do the rest")
            }
        };
        Self::of(&error).hints(hint)
    }
}

#[cfg(feature = "tui")]
impl From<crate::tui::Error> for Failure {
    fn from(error: crate::tui::Error) -> Self {
        match error {
            crate::tui::Error::Load(load) => match load.downcast::<open::Error>() {
                Ok(error) => (*error).into(),
                Err(other) => Self::of(&*other),
            },
            other => Self::of(&other),
        }
    }
}
