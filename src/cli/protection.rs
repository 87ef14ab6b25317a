//! For whom new snapshots are encrypted.

use std::path::{Path, PathBuf};

use super::context::Context;
use super::error::Failure;
use crate::backup::{Error, Protection, Recipients};

/// The options of commands that name recipients.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct RecipientsOption {
    /// Encrypt for this age or ssh public key (can be repeated)
    #[arg(long = "recipient", value_name = "KEY")]
    recipients: Vec<String>,
    /// Encrypt for the public keys in this file, one a line (can be repeated)
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    recipients_file: Vec<PathBuf>,
}

/// The options of commands that may make a backup repository.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct ProtectionOption {
    #[command(flatten)]
    recipients: RecipientsOption,
    /// Keep the snapshots in plain text
    #[arg(long, conflicts_with_all = ["recipients", "recipients_file"])]
    no_encryption: bool,
}

impl ProtectionOption {
    /// Returns what was asked for: by option, else by configuration; nothing where by neither.
    pub(crate) fn wanted(&self, context: &Context<'_>) -> Result<Option<Protection>, Failure> {
        if self.no_encryption {
            return Ok(Some(Protection::None));
        }
        if let Some(named) = self.recipients.named()? {
            return Ok(Some(Protection::Recipients(named)));
        }
        let settings = &context.settings;
        let set = Recipients::parse(&settings.recipients.value)?.map(Protection::Recipients);
        Ok(set.or((!settings.encryption.value).then_some(Protection::None)))
    }
}

impl RecipientsOption {
    /// Returns the recipients that were named; a file that names none is an error.
    pub(crate) fn named(&self) -> Result<Option<Recipients>, Failure> {
        let mut texts = self.recipients.clone();
        for file in &self.recipients_file {
            let text = std::fs::read_to_string(file).map_err(|error| {
                Failure::new(format!("cannot read the recipients in {}", file.display()))
                    .because(&error)
            })?;
            let named = recipients_in(&text, file)?;
            if named.is_empty() {
                let text = format!("there is no recipient in {}", file.display());
                return Err(Failure::new(text).hint("write one a line, such as `age1…`"));
            }
            texts.extend(named);
        }
        Ok(Recipients::parse(&texts)?)
    }
}

/// Returns the recipients in the text of a file, each of which is one.
fn recipients_in(text: &str, file: &Path) -> Result<Vec<String>, Failure> {
    let mut named = Vec::new();
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Err(Error::Recipient { problem, .. }) = Recipients::parse(&[line]) {
            let text = format!("line {number} of {} {problem}", file.display());
            return Err(Failure::new(text));
        }
        named.push(line.to_owned());
    }
    Ok(named)
}
