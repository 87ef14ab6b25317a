//! `tfstate diff`.

use std::ffi::OsString;

use crate::cli::args::Format;
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::{diff_text, filter, json, state, three_text};
use crate::diff::{self, Noise, Options, Rule};
use crate::ops;
use crate::store::Access;

/// Show what changed between two states, by resource and attribute
///
/// Instances are paired by address; one that is found under another address is shown as moved.
/// Attributes are compared by structure, and sensitive values are masked: only that they changed is
/// told. Exits with 0 whether the states differ or not, unless --detailed-exitcode is given.
///
/// Changes that a refresh alone can make are counted and not told: timestamps, etags, fingerprints.
/// So are those that --ignore and `diff.ignore` in the configuration name. A rule is a type and a
/// path, and covers all below it: `aws_*.tags_all`, `*.(private)`,
/// `aws_instance.root_block_device[*].volume_id`.
///
/// With three states, shows which of the last two did what to the first, and where they are in
/// conflict. In a list two sides that change it in different ways are in conflict. With
/// --detailed-exitcode it exits with 2 if either side changed anything.
///
/// Example: `tfstate diff before.tfstate after.tfstate`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The old state; the one that both sides come from where there are three
    #[arg(value_hint = clap::ValueHint::FilePath)]
    from: OsString,
    /// The new state
    #[arg(value_hint = clap::ValueHint::FilePath)]
    to: OsString,
    /// Another new state, made of the same old one
    #[arg(value_hint = clap::ValueHint::FilePath)]
    other: Option<OsString>,
    /// Exit with 2 if the states differ
    #[arg(long)]
    detailed_exitcode: bool,
    /// Do not tell changes that this rule covers (can be repeated)
    #[arg(long, value_name = "RULE")]
    ignore: Vec<String>,
    /// Tell noise too, and what the configuration ignores
    #[arg(long)]
    noise: bool,
    /// Tell only what matches this filter before or after (can be repeated; all must match)
    ///
    /// Outputs and checks match no filter, so they are left out.
    #[arg(long, value_name = "FILTER", allow_hyphen_values = true)]
    only: Vec<String>,
}

/// How it can print.
pub(crate) const FORMATS: &[Format] = &[Format::Text, Format::Json];

/// Runs the command.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let all = [Some(&args.from), Some(&args.to), args.other.as_ref()];
    if all.into_iter().flatten().filter(|state| *state == "-").count() > 1 {
        return Err(Failure::new("only one of the states can come from standard input"));
    }
    if let Some(other) = &args.other {
        return three(args, other, context);
    }
    let (options, only) = (options(args, context)?, filter::parse(&args.only)?);
    let from = state::open(context, Some(&args.from), Access::Map)?;
    let to = state::open(context, Some(&args.to), Access::Map)?;
    let mut comparison = diff::compare(&from.document, &to.document, &options);
    if !only.is_empty() {
        ops::diff::keep(&mut comparison, &only, (&from.document, &to.document));
    }
    if comparison.lineage_differs() {
        context
            .out
            .warning("the two states have different lineages: they are not of one history", None);
    }
    if context.format == Format::Json {
        context.out.json(&json::diff::Diff::new(&comparison, &from.name, &to.name))?;
    } else {
        diff_text::write(context.out, &comparison)?;
    }
    let differ = args.detailed_exitcode && !comparison.is_empty();
    Ok(if differ { Exit::No } else { Exit::Done })
}

fn three(args: &Args, other: &OsString, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let base = state::open(context, Some(&args.from), Access::Map)?;
    let a = state::open(context, Some(&args.to), Access::Map)?;
    let b = state::open(context, Some(other), Access::Map)?;
    let options = options(args, context)?;
    let three = diff::compare_three(&base.document, &a.document, &b.document, &options);
    if three.lineage_differs() {
        context
            .out
            .warning("the states have different lineages: they are not of one history", None);
    }
    if context.format == Format::Json {
        let names = [&base.name, &a.name, &b.name].map(String::as_str);
        context.out.json(&json::three::Three::new(&three, names))?;
    } else {
        three_text::write(context.out, &three)?;
    }
    let differ = args.detailed_exitcode && !three.is_empty();
    Ok(if differ { Exit::No } else { Exit::Done })
}

fn options(args: &Args, context: &Context<'_>) -> Result<Options, Failure> {
    let noise = if args.noise { Noise::Shown } else { Noise::Hidden };
    let configured = match noise {
        Noise::Hidden => context.settings.ignore.value.as_slice(),
        Noise::Shown => &[],
    };
    let rules = args.ignore.iter().chain(configured).map(|text| rule(text));
    Ok(Options { reveal: context.reveal, noise, ignore: rules.collect::<Result<_, _>>()? })
}

fn rule(text: &str) -> Result<Rule, Failure> {
    text.parse().map_err(|error: diff::Error| {
        Failure::new(format!("cannot read the rule `{text}`"))
            .because(&error)
            .hint("write a type, a dot and a path, such as `aws_*.tags_all`")
    })
}
