//! Which changes are told: the options, and what the configuration adds to them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::text::escape;
use crate::cli::context::Context;
use crate::cli::error::Failure;
use crate::cli::filter;
use crate::diff::{self, Environments, Noise, Options, Rule};
use crate::query::filter::Filter;
use crate::state::schema::{self, Schemas};

/// The options that say which changes are told.
#[derive(Debug, clap::Args)]
pub(crate) struct RuleOptions {
    /// Do not tell changes that this rule covers (can be repeated)
    #[arg(long, value_name = "RULE")]
    ignore: Vec<String>,
    /// Tell noise too, and what the configuration ignores
    ///
    /// Noise is what a refresh alone can change, a document in a string of which only the layout
    /// or a comment differs, and with --env what plays the same role on both sides.
    #[arg(long)]
    noise: bool,
    /// Compare two environments: match ids, ARNs, accounts, regions and names by their role
    ///
    /// What stands for what is learnt from the resources that have the same address in both states:
    /// if one has the id `vpc-1` here and `vpc-2` there, then `vpc-2` for `vpc-1` is no difference
    /// anywhere else, while any other id is one. So it is with accounts and regions, and with words
    /// for environments in names, such as `staging` and `prod`; addresses may differ by these too.
    /// What was matched is counted, and told with --noise.
    #[arg(long)]
    env: bool,
    /// Read what the providers say of their types: `terraform providers schema -json > FILE`
    ///
    /// Sets are then compared without their order, what the providers call sensitive is masked, and
    /// a resource in which only changed what nobody can set is noise.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    schemas: Option<PathBuf>,
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
        Ok(Options {
            reveal: context.reveal,
            noise,
            ignore: rules.collect::<Result<_, _>>()?,
            environments: if self.env { Environments::Two } else { Environments::One },
            schemas: self.schemas.as_deref().map(read_schemas).transpose()?.map(Arc::new),
        })
    }

    /// Returns whether the states are of two environments, and so of two histories.
    pub(crate) fn is_of_two_environments(&self) -> bool {
        self.env
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

fn read_schemas(file: &Path) -> Result<Schemas, Failure> {
    let shown = file.display().to_string();
    let failure = || Failure::new(format!("cannot read the schemas in {}", escape(&shown)));
    let hint = "write them in an initialised directory: `terraform providers schema -json > FILE`";
    let bytes = std::fs::read(file).map_err(|error| failure().because(&error).hint(hint))?;
    Schemas::parse(bytes).map_err(|error: schema::Error| failure().because(&error).hint(hint))
}
