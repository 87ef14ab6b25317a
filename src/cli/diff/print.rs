//! Prints a comparison in the format and the layout that were asked for.

use super::wrap::Detail;
use super::{Layout, Report, github, html, markdown, stat, text, three};
use crate::cli::args::Format;
use crate::cli::context::Context;
use crate::cli::error::Failure;
use crate::cli::json;
use crate::cli::output::{self, Output};
use crate::diff::ThreeWay;

/// The options that say how a comparison is printed.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag as it was typed")]
pub(crate) struct PrintOptions {
    /// Print only how much changed, by type of resource; with -o text
    #[arg(long)]
    stat: bool,
    /// Print no more than this many bytes of markdown, and say what was left out
    ///
    /// The attributes of some entries are left out first, then whole entries, and it is said which
    /// kind. The counts are printed in any case.
    #[arg(long, value_name = "BYTES")]
    max_bytes: Option<usize>,
    /// Put before and after beside each other [default: from 140 columns on]
    #[arg(long, conflicts_with = "unified")]
    side_by_side: bool,
    /// Put before and after below each other, however wide the terminal is
    #[arg(long)]
    unified: bool,
    /// Tell every instance on its own, and long values whole
    ///
    /// Otherwise instances that changed in the same way are told once, as are modules that came or
    /// went with all that is in them; JSON has every instance in any case.
    #[arg(long)]
    unfold: bool,
    /// Do not use a pager: `TFSTATE_PAGER`, `PAGER`, or `less`
    #[arg(long)]
    no_pager: bool,
}

impl PrintOptions {
    /// Refuses options that the format has no use for.
    pub(crate) fn check(&self, format: Format) -> Result<(), Failure> {
        if self.max_bytes.is_some() && format != Format::Markdown {
            return Err(Failure::new("`--max-bytes` is for markdown").hint("add `-o markdown`"));
        }
        let for_text = self.stat || self.side_by_side || self.unified;
        if for_text && format != Format::Text {
            let failure = Failure::new("`--stat`, `--side-by-side` and `--unified` are for text");
            return Err(failure.hint("leave out `-o`"));
        }
        Ok(())
    }

    /// Refuses options that a comparison of three states has no use for.
    pub(crate) fn check_three(&self, format: Format) -> Result<(), Failure> {
        if !matches!(format, Format::Text | Format::Json) {
            let failure = Failure::new("three states are compared as text or JSON only");
            return Err(failure.hint("compare two of them, or use `-o json`"));
        }
        if self.stat || self.side_by_side {
            let failure = Failure::new("`--stat` and `--side-by-side` are for two states");
            return Err(failure.hint("compare two of them, or leave it out"));
        }
        Ok(())
    }

    /// Returns how much is told.
    pub(crate) fn detail(&self) -> Detail {
        if self.unfold { Detail::Whole } else { Detail::Short }
    }

    /// Prints what two sides made of a state.
    pub(crate) fn print_three(
        &self,
        context: &mut Context<'_>,
        compared: &ThreeWay,
        names: [&str; 3],
    ) -> Result<(), output::Error> {
        if context.format == Format::Json {
            return context.out.json(&json::three::Three::new(compared, names));
        }
        self.page(context, |out| three::write(out, compared, self.detail()))
    }

    /// Prints the comparison.
    pub(crate) fn print(
        &self,
        context: &mut Context<'_>,
        report: Report<'_>,
    ) -> Result<(), output::Error> {
        let out = &mut *context.out;
        match context.format {
            Format::Json => {
                return out.json(&json::diff::Diff::new(report.comparison, report.from, report.to));
            }
            Format::Markdown => return markdown::write(out, report, self.max_bytes),
            Format::Html => return html::write(out, report),
            Format::Github => return github::write(out, report),
            Format::Text => {}
        }
        self.page(context, |out| {
            if self.stat {
                return stat::write(out, report);
            }
            text::write(out, report, self.layout(out.width()))
        })
    }

    /// Shows what is written in a pager, where a person reads it who wants one.
    fn page(
        &self,
        context: &mut Context<'_>,
        write: impl FnOnce(&mut Output) -> Result<(), output::Error>,
    ) -> Result<(), output::Error> {
        if self.no_pager {
            return write(context.out);
        }
        context.out.begin_page();
        write(context.out)?;
        context.out.end_page(context.env, &context.interrupt)
    }

    fn layout(&self, width: Option<u16>) -> Layout {
        match (self.side_by_side, self.unified) {
            (true, _) => Layout::SideBySide,
            (_, true) => Layout::Unified,
            (false, false) => Layout::of(width),
        }
    }
}
