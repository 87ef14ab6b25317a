//! `tfstate man`

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::ValueHint;
use clap_mangen::Man;

use crate::cli::args::{self, Format};
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};

/// Print the manual page, or write one page for each command
///
/// Example: `tfstate man --dir ~/.local/share/man/man1`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Write the pages of all commands into this folder, which is made if there is none
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    dir: Option<PathBuf>,
}

pub(super) const FORMATS: &[Format] = &[];

pub(super) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let Some(dir) = &args.dir else {
        context.out.bytes(&page(args::definition()))?;
        return Ok(Exit::Done);
    };
    let pages = pages();
    context.interrupt.hold(|_stop| {
        fs::create_dir_all(dir).map_err(|error| failure(dir, &error))?;
        pages.iter().try_for_each(|(name, page)| {
            let path = dir.join(name);
            write(&path, page).map_err(|error| failure(&path, &error))
        })
    })?;
    context.out.note(&format!("Wrote {} pages to {}", pages.len(), dir.display()));
    Ok(Exit::Done)
}

fn failure(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("cannot write {}", path.display())).because(error)
}

/// Returns the name and text of every page.
fn pages() -> Vec<(String, Vec<u8>)> {
    let mut root = args::definition();
    root.build();
    let mut pages = Vec::new();
    let mut open = vec![root];
    while let Some(command) = open.pop() {
        let named = |inner: &&clap::Command| inner.get_name() != "help" && !inner.is_hide_set();
        open.extend(command.get_subcommands().filter(named).cloned());
        let name = command.get_display_name().unwrap_or(command.get_name()).to_owned();
        pages.push((format!("{name}.1"), page(command.name(name))));
    }
    pages
}

fn page(command: clap::Command) -> Vec<u8> {
    let mut page = Vec::new();
    Man::new(command).render(&mut page).expect("writing to memory does not fail");
    page
}

/// Puts a page in its place whole. Unlike a state it is for everybody to read, so it gets the
/// mode that the user's mask gives to new files.
fn write(path: &Path, page: &[u8]) -> io::Result<()> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut temporary = builder.tempfile_in(path.parent().unwrap_or(Path::new(".")))?;
    temporary.write_all(page)?;
    temporary.persist(path).map_err(|refused| refused.error)?;
    Ok(())
}
