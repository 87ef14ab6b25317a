//! `tfstate completions`

use crate::cli::args::Format;
use crate::cli::complete::{self, Shell};
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};

/// Print the script that teaches a shell to complete tfstate's command line
///
/// The script asks tfstate itself for commands, options and their values, and for the addresses
/// and filters of the state that is named on the line being typed. It needs to be loaded by the
/// shell's start file, or kept where the shell looks for completions:
///
///   bash        ~/.local/share/bash-completion/completions/tfstate
///   zsh         a file `_tfstate` in a folder of $fpath
///   fish        ~/.config/fish/completions/tfstate.fish
///   powershell  load it from $PROFILE
///   elvish      load it from ~/.config/elvish/rc.elv
///
/// Example: `tfstate completions bash > ~/.local/share/bash-completion/completions/tfstate`
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(super) const FORMATS: &[Format] = &[];

pub(super) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    context.out.bytes(complete::script(args.shell).as_bytes())?;
    Ok(Exit::Done)
}
