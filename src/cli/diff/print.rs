//! Prints a comparison in the format and the layout that were asked for.

use super::{Layout, Report, github, html, markdown, stat, text};
use crate::cli::args::Format;
use crate::cli::context::Context;
use crate::cli::error::Failure;
use crate::cli::{json, output};

/// The options that say how a comparison is printed.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag as it was typed")]
pub(crate) struct PrintOptions {
    /// Print only how much changed, by type of resource; with -o text
    #[arg(long)]
    stat: bool,
    /// Print no more than this many bytes of markdown, and say what was left out
    ///
    /// Whole entries are left out. The counts are printed in any case.
    #[arg(long, value_name = "BYTES")]
    max_bytes: Option<usize>,
    /// Put before and after beside each other [default: from 140 columns on]
    #[arg(long, conflicts_with = "unified")]
    side_by_side: bool,
    /// Put before and after below each other, however wide the terminal is
    #[arg(long)]
    unified: bool,
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
        if !self.no_pager {
            out.begin_page();
        }
        if self.stat {
            stat::write(out, report)?;
        } else {
            text::write(out, report, self.layout(out.width()))?;
        }
        out.end_page(context.env)
    }

    fn layout(&self, width: Option<u16>) -> Layout {
        match (self.side_by_side, self.unified) {
            (true, _) => Layout::SideBySide,
            (_, true) => Layout::Unified,
            (false, false) => Layout::of(width),
        }
    }
}
