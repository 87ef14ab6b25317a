//! What is kept: the options of `prune`, else the table `backup.keep` of the configuration.

use jiff::Span;
use jiff::tz::TimeZone;

use super::context::Context;
use super::error::Failure;
use crate::backup::retention::{self, Policy};

/// The options that say what to keep.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct KeepingOption {
    /// Keep the N newest
    #[arg(long, value_name = "N")]
    keep_last: Option<u32>,
    /// Keep the newest of each of the N newest hours that have one
    #[arg(long, value_name = "N")]
    keep_hourly: Option<u32>,
    /// Keep the newest of each of the N newest days that have one
    #[arg(long, value_name = "N")]
    keep_daily: Option<u32>,
    /// Keep the newest of each of the N newest weeks that have one
    #[arg(long, value_name = "N")]
    keep_weekly: Option<u32>,
    /// Keep the newest of each of the N newest months that have one
    #[arg(long, value_name = "N")]
    keep_monthly: Option<u32>,
    /// Keep the newest of each of the N newest years that have one
    #[arg(long, value_name = "N")]
    keep_yearly: Option<u32>,
    /// Keep all that are at most so much older than the newest, as in `36h`, `30d` or `1y 6mo`
    #[arg(long, value_name = "SPAN", value_parser = retention::span)]
    keep_within: Option<Span>,
    /// Keep all that carry this tag (can be repeated)
    #[arg(long = "keep-tag", value_name = "TAG")]
    keep_tags: Vec<String>,
    /// Count hours, days and weeks in this time zone, as in `Europe/Berlin` [default: UTC]
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
}

impl KeepingOption {
    /// Returns what to keep: each rule by its option, else by the configuration.
    pub(crate) fn policy(&self, context: &Context<'_>) -> Result<Policy, Failure> {
        let set = &context.settings.keep;
        let count = |typed: Option<u32>, set: Option<u32>| typed.or(set).unwrap_or(0);
        let within = match (self.keep_within, &set.within.value) {
            (Some(span), _) => Some(span),
            (None, Some(text)) => Some(span(text)?),
            (None, None) => None,
        };
        let tags = if self.keep_tags.is_empty() { &set.tags.value } else { &self.keep_tags };
        let policy = Policy {
            last: count(self.keep_last, set.last.value),
            hourly: count(self.keep_hourly, set.hourly.value),
            daily: count(self.keep_daily, set.daily.value),
            weekly: count(self.keep_weekly, set.weekly.value),
            monthly: count(self.keep_monthly, set.monthly.value),
            yearly: count(self.keep_yearly, set.yearly.value),
            within,
            tags: tags.clone(),
            zone: zone(self.timezone.as_deref().or(set.timezone.value.as_deref()))?,
        };
        if policy.is_silent() {
            return Err(Failure::new("nothing says which snapshots to keep").hint(
                "say it: `--keep-daily 30 --keep-monthly 12`, or in the table `backup.keep` of tfstate.toml",
            ));
        }
        Ok(policy)
    }
}

fn span(text: &str) -> Result<Span, Failure> {
    retention::span(text)
        .map_err(|problem| Failure::new("cannot read `backup.keep.within`").hint(problem))
}

fn zone(name: Option<&str>) -> Result<TimeZone, Failure> {
    let Some(name) = name else { return Ok(TimeZone::UTC) };
    TimeZone::get(name).map_err(|error| {
        Failure::new("there is no such time zone").because(&error).hint("as in `Europe/Berlin`")
    })
}
