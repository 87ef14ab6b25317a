//! Completion of what is being typed, in the user's shell.
//!
//! The script of a shell calls `COMPLETE=SHELL tfstate -- WORDS…` and shows what is printed. So one
//! script serves every version: commands, options and values come from the definition of the
//! command line, addresses and filters from the state that the line names.

mod bash;
mod values;
mod words;

use std::ffi::OsString;

use clap::ValueEnum;
use clap_complete::env::{EnvCompleter, Shells};

use super::args;
use super::error::{Exit, Failure};
use super::output::Output;
use crate::base::env::Env;

/// A shell that can complete.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Shell {
    /// The GNU shell.
    Bash,
    /// The Z shell.
    Zsh,
    /// The friendly interactive shell.
    Fish,
    /// Microsoft's shell.
    Powershell,
    /// Elvish.
    Elvish,
}

/// The variable by which a script says that it is a shell asking.
const VARIABLE: &str = "COMPLETE";

/// Returns the shell that is asking, if it is one and not a user.
pub(super) fn asking_shell(env: &Env) -> Option<Shell> {
    let name = env.get(VARIABLE)?;
    Shell::from_str(&name, true).ok()
}

/// Prints what the word at the cursor can become; for a line without words, the script.
pub(super) fn answer(
    shell: Shell,
    args: &[OsString],
    env: &Env,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let after = args.iter().position(|arg| arg == "--").map_or(args.len(), |at| at + 1);
    let typed = args[after..].to_vec();
    if typed.is_empty() {
        out.bytes(script(shell).as_bytes())?;
        return Ok(Exit::Done);
    }
    let mut printed = Vec::new();
    let told = if shell == Shell::Bash {
        bash::complete(&typed, env, &mut printed)
    } else {
        let mut definition = values::completed(args::definition(), &typed, env);
        let folder = std::env::current_dir().ok();
        adapter(shell).write_complete(&mut definition, typed, folder.as_deref(), &mut printed)
    };
    told.map_err(|error| Failure::new("cannot complete this line").because(&error))?;
    out.bytes(&printed)?;
    Ok(Exit::Done)
}

/// Returns the script that makes a shell ask.
pub(crate) fn script(shell: Shell) -> String {
    if shell == Shell::Bash {
        return bash::SCRIPT.to_owned();
    }
    let mut script = Vec::new();
    adapter(shell)
        .write_registration(VARIABLE, "tfstate", "tfstate", "tfstate", &mut script)
        .expect("writing to memory does not fail");
    let script = String::from_utf8(script).expect("the scripts are text");
    if shell == Shell::Zsh { without_quotes(&script) } else { script }
}

/// Zsh hands over words as they were typed, with their quotes. An address has quotes and brackets
/// of its own, so the shell's are taken off first; what zsh inserts it quotes itself.
fn without_quotes(script: &str) -> String {
    script.replace(r#""${words[@]}""#, r#""${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}""#)
}

fn adapter(shell: Shell) -> &'static dyn EnvCompleter {
    const ADAPTERS: Shells<'static> = Shells::builtins();
    let name = shell.to_possible_value().map(|value| value.get_name().to_owned());
    let mut adapters = ADAPTERS.0.iter();
    let adapter = adapters.find(|adapter| name.as_deref() == Some(adapter.name()));
    *adapter.expect("clap_complete knows every shell that we offer")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_asks_this_program() {
        for shell in Shell::value_variants() {
            let script = script(*shell);
            assert!(script.contains(VARIABLE) && script.contains("tfstate"), "{shell:?}");
        }
    }

    #[test]
    fn the_script_for_zsh_takes_the_shells_quotes_off() {
        assert!(script(Shell::Zsh).contains("(@Q)words"));
    }
}
