//! What can be typed: the options that every command takes, and the commands.

use std::path::PathBuf;

use clap::builder::{PossibleValue, TypedValueParser, ValueParser};
use clap::{Arg, ArgAction, CommandFactory, Parser, ValueEnum, ValueHint};

use super::command::{self, Command};
use super::filter;
use super::logging::LogFormat;
use super::output::ColorChoice;

/// Look into, compare, check and keep safe Terraform and OpenTofu state
///
/// A state is named as Terraform's own tools would find it: a file, `-` for standard input, a
/// directory, whose state is the one that Terraform uses there, or a URL: `s3://BUCKET/KEY`,
/// `gs://BUCKET/OBJECT`, `az://CONTAINER/BLOB`, `https://…`, `postgres://…`. With `@-1`, `@TIME`,
/// `@serial:N` or `@ID` behind it, an earlier version of it. Sensitive values are masked unless
/// `--reveal` is given.
///
/// Results go to standard output, everything else to standard error. The exit status is 0 when
/// it is done and the answer is yes, 1 when it could not be done, 2 when the answer is no, 3
/// when it was done for some of several states, 4 when somebody else holds the lock, and 130
/// when it was interrupted.
#[derive(Debug, Parser)]
#[command(
    name = "tfstate",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Run `tfstate help COMMAND` to read about a command."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The options that every command takes.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Common options")]
pub(crate) struct Global {
    /// Print the result in this format
    #[arg(short, long, global = true, value_name = "FORMAT", hide_possible_values = true)]
    pub(crate) output: Option<Format>,

    /// Print nothing but the result and errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,

    /// Log what is done to standard error; twice and three times tell more (can be repeated)
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,

    /// Write logs as text or as json, one object a line [default: text]
    #[arg(long, global = true, value_name = "FORMAT", hide_possible_values = true)]
    pub(crate) log_format: Option<LogFormat>,

    /// Use colours always, never, or auto: on a terminal [default: auto]
    ///
    /// The environment variables `NO_COLOR`, `CLICOLOR_FORCE` and `CLICOLOR` are honoured.
    #[arg(long, global = true, value_name = "WHEN", hide_possible_values = true)]
    pub(crate) color: Option<ColorChoice>,

    /// Read this configuration file
    ///
    /// Without it: the file that `TFSTATE_CONFIG` names, `tfstate.toml` here or in a parent folder,
    /// or `$XDG_CONFIG_HOME/tfstate/config.toml`; the first of these, alone.
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,

    /// Show sensitive values, which are masked otherwise
    #[arg(long, global = true)]
    pub(crate) reveal: bool,

    /// Show no progress, which is shown only on a terminal
    #[arg(long, global = true)]
    pub(crate) no_progress: bool,

    /// Pick this workspace where there are several [default: the selected one]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) workspace: Option<String>,

    /// Give settings of the backend as `terraform init` takes them (can be repeated)
    ///
    /// A file of settings, or one as `KEY=VALUE`. They stand in for those of the backend block or
    /// of the backend that `terraform init` recorded. Without a record, what `TF_CLI_ARGS_init`
    /// gives counts too. Keep credentials out of the command line: give them in a file or in the
    /// environment.
    #[arg(long, global = true, value_name = "FILE|KEY=VALUE", value_hint = ValueHint::FilePath)]
    pub(crate) backend_config: Vec<String>,
}

/// How a result is printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// One JSON document.
    Json,
    /// For a comment on a pull request.
    Markdown,
    /// A page on its own.
    Html,
    /// Annotations of a GitHub workflow.
    Github,
}

impl Format {
    /// Returns the name that is typed.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().expect("no format is skipped").get_name().to_owned()
    }
}

/// Returns the definition of the whole command line, from which help, man pages and completions
/// are made.
pub fn definition() -> clap::Command {
    let mut cli = Cli::command();
    let names: Vec<String> = cli.get_subcommands().map(|c| c.get_name().to_owned()).collect();
    for name in names {
        let formats = command::formats(&name);
        cli = cli.mut_subcommand(name, |command| command.arg(output_of(formats)));
    }
    cli.mut_subcommand("list", |list| list.after_long_help(filter::help()))
}

/// Returns `-o` as a command takes it that knows these formats, the first of which it uses when
/// nothing is said. It stands in for the general one, which is for `-o` before the command.
fn output_of(formats: &'static [Format]) -> Arg {
    let names = formats.iter().filter_map(ValueEnum::to_possible_value);
    let names: Vec<PossibleValue> = names.collect();
    let help = match formats.first() {
        Some(first) => format!("Print the result in this format [default: {}]", first.name()),
        None => "Print the result in this format".to_owned(),
    };
    let parser = clap::builder::PossibleValuesParser::new(names)
        .try_map(|name| Format::from_str(&name, false));
    let known = if formats.is_empty() {
        clap::value_parser!(Format).into()
    } else {
        ValueParser::new(parser)
    };
    Arg::new("output")
        .short('o')
        .long("output")
        .value_name("FORMAT")
        .value_parser(known)
        .global(true)
        .hide(formats.is_empty())
        .help_heading("Common options")
        .display_order(0)
        .help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_holds_together() {
        definition().debug_assert();
    }
}
