//! `tfstate pull`.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;

use crate::base::fs;
use crate::base::size;
use crate::cli::args::Format;
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::state;
use crate::ops::earlier;
use crate::state::sensitive::Reveal;
use crate::store::{Access, Location};

/// Copy a state out, byte for byte as it is stored
///
/// Prints the state as it is, with every secret in it, so it does not print to a terminal unless
/// --reveal is given. Unlike `terraform state pull` nothing is rewritten: the version of Terraform
/// that wrote it stays in it, and so does every field that Terraform would drop.
///
/// Example: `tfstate pull s3://acme-tf/prod/net.tfstate --to net.tfstate`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The state; none means the one Terraform uses here
    #[arg(value_hint = clap::ValueHint::FilePath)]
    state: Option<OsString>,
    /// Write it to this new file, which only you can read
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    to: Option<PathBuf>,
}

/// How it can print.
pub(crate) const FORMATS: &[Format] = &[];

/// Runs the command.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    if args.to.is_none() && std::io::stdout().is_terminal() && context.reveal == Reveal::No {
        return Err(Failure::new("a state holds secrets, so it is not printed to a terminal")
            .hint("write it to a file: `tfstate pull --to FILE`")
            .hint("or look into it with secrets masked: `tfstate inspect`"));
    }
    let reference = args.state.clone().or_else(|| state::default(context));
    let location = Location::resolve(reference.as_deref(), state::place(context))?;
    let found = earlier::content(&location, Access::Read, &state::kept(context))?;
    let Some(to) = &args.to else {
        context.out.bytes(&found.bytes)?;
        return Ok(Exit::Done);
    };
    context.interrupt.hold(|_| {
        let written = fs::write_new_with(to, |out| out.write_all(&found.bytes));
        written.map_err(|error| cannot_write(to, &error))
    })?;
    let length = size::to_string(found.bytes.len() as u64);
    context.out.note(&format!("Wrote {} to {} ({length})", found.name, to.display()));
    Ok(Exit::Done)
}

fn cannot_write(to: &std::path::Path, error: &std::io::Error) -> Failure {
    if error.kind() == std::io::ErrorKind::AlreadyExists {
        let text = format!("cannot write {}: it exists", to.display());
        return Failure::new(text).hint("name a new file");
    }
    Failure::new(format!("cannot write {}", to.display())).because(error)
}
