//! Terraform and OpenTofu state: read it, search it, compare it, keep it.
//!
//! A state file says what exists in the cloud, and holds secrets in plain text. This library is
//! what the `tfstate` program is made of: one model of the document, exact to the byte, that
//! everything else shares.
//!
//! # The map
//!
//! Arrows point down only, and modules on one floor do not see each other; `tests/layers.rs` fails
//! when one does.
//!
//! | floor | module | what it is for |
//! |---|---|---|
//! | 1 | `cli` | what people type and read: arguments, settings, output, errors |
//! | 2 | `tui` | the terminal browser of `tfstate inspect` |
//! | 3 | [`ops`] | the verbs, from start to finish: open, list, back up, restore |
//! | 4 | [`backup`] | states over time: the repository of snapshots |
//! | 5 | [`store`] | where states live |
//! | 5 | [`diff`] | what changed between two states |
//! | 5 | [`query`] | what a state says: filters, lookups, jq, counts |
//! | 6 | [`state`] | the document: no I/O, no clock, no terminal |
//! | 7 | [`base`] | leaves that know nothing of Terraform |
//!
//! # The files we touch on a user's disk
//!
//! | file | read or written | by |
//! |---|---|---|
//! | the state that is named | read | [`store`] |
//! | `.terraform/terraform.tfstate`, `.terraform/environment` | read | [`store`] |
//! | a local state, in place | written | [`store`] |
//! | `.NAME.lock.info` beside it | written while it is locked, as Terraform does | [`store`] |
//! | `.NAME.unfinished` beside it | written, and gone once the state is whole | [`store`] |
//! | `$XDG_STATE_HOME/tfstate/replaced/` | a copy of each state that a change replaces, where no backup repository has it | [`ops`] |
//! | `tfstate.toml`, `$XDG_CONFIG_HOME/tfstate/config.toml` | read | `cli` |
//! | `$XDG_STATE_HOME/tfstate/backups/` | the backup repository where no other is named: written once, removed by `prune` only | [`backup`] |
//! | `$XDG_STATE_HOME/tfstate/signing.key` | made once: what this computer signs snapshots with | [`backup`] |
//! | `$XDG_STATE_HOME/tfstate/known/` | which repository was at which place | [`backup`] |
//! | `$XDG_CACHE_HOME/tfstate/heads/`, `seen/`, `runs/` there | written; may be deleted at any time | [`backup`] |
//! | `$XDG_CACHE_HOME/tfstate/lists/` | written where a store lists about a thousand keys or more; may be deleted at any time | [`store`] |
//! | the new file that `restore --to` names | written | [`ops`] |
//! | `.gitattributes`, or git's attributes of this user, and git's configuration | written by `git install` and `git uninstall` | [`ops`] |
//! | the file that git wants merged | replaced by `git merge-driver`, in one step | [`ops`] |
//! | the folder that `man --dir` names | written | `cli` |
//!
//! # Examples
//!
//! List what is in a state:
//!
//! ```
//! use tfstate::state::document::Document;
//!
//! let text = r#"{"version": 4, "resources": [{"mode": "managed", "type": "aws_vpc", "name": "main",
//!     "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
//!     "instances": [{"attributes": {"id": "vpc-1"}}]}]}"#;
//! let state = Document::parse(text.as_bytes().to_vec())?;
//! let addresses: Vec<String> = state.instances().map(|i| i.address_text()).collect();
//! assert_eq!(addresses, ["aws_vpc.main"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Compare two states, with secrets masked:
//!
//! ```
//! use tfstate::diff::{self, Options};
//! use tfstate::state::document::Document;
//!
//! let state = |password: &str| {
//!     let text = format!(
//!         r#"{{"version": 4, "outputs": {{"password": {{"value": "{password}", "type": "string",
//!             "sensitive": true}}}}}}"#
//!     );
//!     Document::parse(text.into_bytes())
//! };
//! let comparison = diff::compare(&state("old")?, &state("new")?, &Options::default());
//! assert_eq!(comparison.outputs.len(), 1);
//! assert!(!format!("{comparison:?}").contains("old"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Keep a state, and get it back byte for byte:
//!
//! ```
//! use std::sync::Arc;
//!
//! use tfstate::backup::vault::Folder;
//! use tfstate::backup::{Identities, Keys, Protection, Signer, SourceFacts};
//! use tfstate::base::clock::System;
//! use tfstate::ops::backup::{BackupOptions, Keeper, Manner, Source};
//!
//! let folder = tempfile::tempdir()?;
//! let signer = Signer::read_or_make(&folder.path().join("signing.key"))?;
//! let options = BackupOptions {
//!     vault: Arc::new(Folder::new(folder.path().join("backups"))),
//!     protection: Some(&Protection::None),
//!     keys: Keys { signer: Some(&signer), known: None },
//!     cache: None,
//!     manner: Manner::default(),
//! };
//! let keeper = Keeper::open(&options, &System)?;
//! let (bytes, facts) = (b"{}".as_slice(), SourceFacts::default());
//! let source = Source { uri: "file:///a", bytes, facts, document: None, version: None };
//! let report = keeper.keep(&source)?;
//! let restored = keeper.repository().get(&report.snapshot, &Identities::read(&[])?)?;
//! assert_eq!(&*restored.state, b"{}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod backup;
pub mod base;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
pub mod diff;
pub mod ops;
pub mod query;
pub mod state;
pub mod store;
#[cfg(feature = "tui")]
#[doc(hidden)]
pub mod tui;
