//! Which changes are told: the options, and what the configuration adds to them.

use crate::cli::context::Context;
use crate::cli::error::Failure;
use crate::cli::filter;
use crate::diff::{self, Noise, Options, Rule};
use crate::query::filter::Filter;

/// The options that say which changes are told.
#[derive(Debug, clap::Args)]
pub(crate) struct RuleOptions {
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

impl RuleOptions {
    /// Returns how to compare.
    pub(crate) fn options(&self, context: &Context<'_>) -> Result<Options, Failure> {
        let noise = if self.noise { Noise::Shown } else { Noise::Hidden };
        let configured = match noise {
            Noise::Hidden => context.settings.ignore.value.as_slice(),
            Noise::Shown => &[],
        };
        let rules = self.ignore.iter().chain(configured).map(|text| rule(text));
        Ok(Options { reveal: context.reveal, noise, ignore: rules.collect::<Result<_, _>>()? })
    }

    /// Returns whether only some changes are to be told.
    pub(crate) fn has_filter(&self) -> bool {
        !self.only.is_empty()
    }

    /// Returns the filter that a change has to match.
    pub(crate) fn only(&self) -> Result<Filter, Failure> {
        filter::parse(&self.only)
    }
}

fn rule(text: &str) -> Result<Rule, Failure> {
    text.parse().map_err(|error: diff::Error| {
        Failure::new(format!("cannot read the rule `{text}`"))
            .because(&error)
            .hint("write a type, a dot and a path, such as `aws_*.tags_all`")
    })
}
