//! `tfstate diff`.

use std::ffi::OsString;

use crate::cli::args::Format;
use crate::cli::context::Context;
use crate::cli::diff::Report;
use crate::cli::diff::gate::Gate;
use crate::cli::diff::print::PrintOptions;
use crate::cli::diff::rules::RuleOptions;
use crate::cli::error::{Exit, Failure};
use crate::cli::state;
use crate::diff::{self, Options};
use crate::ops;
use crate::ops::open::Found;
use crate::state::document::Document;
use crate::state::sensitive::Reveal;
use crate::store::{Access, Location};

/// Show what changed between two states, by resource and attribute
///
/// Instances are paired by address; one that is found under another address is shown as moved.
/// Attributes are compared by structure, and sensitive values are masked: only that they changed is
/// told. Exits with 0 whether the states differ or not, unless --detailed-exitcode is given.
///
/// Instances that changed in the same way are told once, with a count, and so are modules that came
/// or went with all that is in them; --unfold tells each on its own. On a terminal the result is
/// paged, and from 140 columns on before and after stand beside each other.
///
/// Changes that a refresh alone can make are counted and not told: timestamps, etags, fingerprints.
/// So are those that --ignore and `diff.ignore` in the configuration name. A rule is a type and a
/// path, and covers all below it: `aws_*.tags_all`, `*.(private)`,
/// `aws_instance.root_block_device[*].volume_id`.
///
/// A string that holds a JSON or YAML document is compared as one. Lists that are known to be sets
/// are compared without their order; with --schemas all that are.
///
/// With three states, shows which of the last two did what to the first, and where they are in
/// conflict. In a list two sides that change it in different ways are in conflict. With
/// --detailed-exitcode it exits with 2 if either side changed anything.
///
/// With one state, which must be an earlier version, shows what changed since: `tfstate diff @-1`,
/// `tfstate diff prod.tfstate@2026-11-20T03:00Z`.
///
/// Of large files that are equal byte for byte only the beginning and the end are looked at, unless
/// the output is not text.
///
/// Example: `tfstate diff before.tfstate after.tfstate`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The old state; the one that both sides come from where there are three
    #[arg(value_hint = clap::ValueHint::FilePath)]
    from: OsString,
    /// The new state; none means the present one, where the old one is an earlier version: `@-1`
    #[arg(value_hint = clap::ValueHint::FilePath)]
    to: Option<OsString>,
    /// The other new state, where two sides changed the first
    #[arg(value_hint = clap::ValueHint::FilePath)]
    other: Option<OsString>,
    /// Exit with 2 if the states differ
    #[arg(long)]
    detailed_exitcode: bool,
    #[command(flatten)]
    rules: RuleOptions,
    /// Exit with 2 if there is such a change: delete, replace, move, sensitive (can be repeated)
    ///
    /// `delete` is a managed resource that is gone, `replace` one whose `id` is another at the same
    /// address, `move` one at another address, `sensitive` a secret that changed. What is found
    /// is named on standard error.
    #[arg(long, value_name = "CHANGE", value_delimiter = ',', hide_possible_values = true)]
    fail_on: Vec<Gate>,
    #[command(flatten)]
    print: PrintOptions,
}

/// How it can print.
pub(crate) const FORMATS: &[Format] =
    &[Format::Text, Format::Json, Format::Markdown, Format::Html, Format::Github];

/// Runs the command.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let all = [Some(&args.from), args.to.as_ref(), args.other.as_ref()];
    if all.into_iter().flatten().filter(|state| *state == "-").count() > 1 {
        return Err(Failure::new("only one of the states can come from standard input"));
    }
    args.print.check(context.format)?;
    let (options, only) = (args.rules.options(context)?, args.rules.only()?);
    if let (Some(to), Some(other)) = (&args.to, &args.other) {
        return three(args, (to, other), &options, context);
    }
    let from = state::find(context, Some(&args.from), Access::Map)?;
    let to = match &args.to {
        Some(to) => state::find(context, Some(to), Access::Map)?,
        None => present(from.location(), context)?,
    };
    if context.format == Format::Text
        && let Some(both) = from.is_copy_of(&to)
    {
        let text = format!("no differences · equal byte for byte · serial {}", both.serial);
        context.out.line(&text)?;
        return Ok(Exit::Done);
    }
    let from = state::told(context, from.read()?);
    let to = state::told(context, to.read_beside(&from.document)?);
    let mut comparison = diff::compare(&from.document, &to.document, &options);
    if !only.is_empty() {
        ops::diff::keep(&mut comparison, &only, (&from.document, &to.document));
    }
    let expected = args.rules.is_of_two_environments();
    warn_of_lineages(context, comparison.lineage_differs() && !expected);
    let report = Report {
        comparison: &comparison,
        from: &from.name,
        to: &to.name,
        states: (&from.document, &to.document),
        detail: args.print.detail(),
    };
    args.print.print(context, report)?;
    let refused = refuse(args, context, &options, (&from.document, &to.document));
    let differ = args.detailed_exitcode && !comparison.is_empty();
    Ok(if differ || refused { Exit::No } else { Exit::Done })
}

fn warn_of_lineages(context: &mut Context<'_>, differ: bool) {
    if differ {
        let text = "the states have different lineages: they are not of one history";
        context.out.warning(text, None);
    }
}

/// Says which changes are refused; returns whether there are some.
fn refuse(
    args: &Args,
    context: &mut Context<'_>,
    options: &Options,
    (from, to): (&Document, &Document),
) -> bool {
    if args.fail_on.is_empty() {
        return false;
    }
    // Masked, whatever is shown: a secret that was revealed can't be told from other values.
    let masked = Options { reveal: Reveal::No, ..options.clone() };
    let comparison = diff::compare(from, to, &masked);
    let refused: Vec<String> =
        args.fail_on.iter().flat_map(|gate| gate.refused(&comparison)).collect();
    for text in &refused {
        context.out.warning(text, None);
    }
    !refused.is_empty()
}

/// Opens the present state of the place that an earlier version is of.
fn present(earlier: &Location, context: &Context<'_>) -> Result<Found, Failure> {
    let present = earlier.present();
    if present == *earlier {
        return Err(Failure::new("there is only one state to compare").hint(
            "name a second one, or an earlier version of this one: `tfstate diff STATE@-1`",
        ));
    }
    state::at(context, present, Access::Map)
}

fn three(
    args: &Args,
    (to, other): (&OsString, &OsString),
    options: &Options,
    context: &mut Context<'_>,
) -> Result<Exit, Failure> {
    args.print.check_three(context.format)?;
    if !args.fail_on.is_empty() || args.rules.has_filter() {
        return Err(Failure::new("`--fail-on` and `--only` are for two states")
            .hint("compare two of the states, or leave it out"));
    }
    let base = state::open(context, Some(&args.from), Access::Map)?;
    let mut side = |state: &OsString| {
        let found = state::find(context, Some(state), Access::Map)?;
        Ok::<_, Failure>(state::told(context, found.read_beside(&base.document)?))
    };
    let (a, b) = (side(to)?, side(other)?);
    let compared = diff::compare_three(&base.document, &a.document, &b.document, options);
    warn_of_lineages(context, compared.lineage_differs());
    let names = [&base.name, &a.name, &b.name].map(String::as_str);
    args.print.print_three(context, &compared, names)?;
    let differ = args.detailed_exitcode && !compared.is_empty();
    Ok(if differ { Exit::No } else { Exit::Done })
}
