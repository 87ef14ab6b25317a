//! `tfstate config`

use serde::Serialize;

use crate::base::theme::Meaning;
use crate::cli::args::Format;
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::settings::{Origin, Setting};
use crate::cli::table::{Cell, Table};
use crate::state::sensitive::Reveal;

/// Show the settings in force, and where each comes from
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List every setting with its value and its origin
    ///
    /// A setting comes from a flag, else from an environment variable, else from the configuration
    /// file, else it has its default.
    ///
    /// Example: `tfstate config show`
    Show,
}

pub(super) const FORMATS: &[Format] = &[Format::Text, Format::Json];

pub(super) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let What::Show = args.command;
    let rows = rows(context);
    if context.format == Format::Json {
        context.out.json(&Published { schema: "tfstate.config/1", settings: &rows })?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(["SETTING", "VALUE", "FROM"]);
    for row in &rows {
        let value = match &row.value {
            serde_json::Value::Null => Cell::of(Meaning::Muted, "(not set)"),
            serde_json::Value::String(text) => Cell::plain(text),
            other => Cell::plain(other.to_string()),
        };
        table.row([
            Cell::of(Meaning::Attribute, row.name),
            value,
            Cell::of(Meaning::Muted, &row.from),
        ]);
    }
    context.out.table(&table)?;
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct Published<'a> {
    schema: &'static str,
    settings: &'a [Row],
}

#[derive(Serialize)]
struct Row {
    name: &'static str,
    value: serde_json::Value,
    from: String,
    origin: &'static str,
}

fn rows(context: &Context<'_>) -> Vec<Row> {
    let settings = &context.settings;
    vec![
        place("state", &settings.state, context.reveal),
        row("workspace", &settings.workspace),
        row("color", &settings.color),
        row("log-format", &settings.log_format),
        place("backup.repo", &settings.repo, context.reveal),
        row("backup.recipients", &settings.recipients),
        row("backup.encryption", &settings.encryption),
        row("backup.states", &settings.states),
        row("backup.keep.last", &settings.keep.last),
        row("backup.keep.hourly", &settings.keep.hourly),
        row("backup.keep.daily", &settings.keep.daily),
        row("backup.keep.weekly", &settings.keep.weekly),
        row("backup.keep.monthly", &settings.keep.monthly),
        row("backup.keep.yearly", &settings.keep.yearly),
        row("backup.keep.within", &settings.keep.within),
        row("backup.keep.tags", &settings.keep.tags),
        row("backup.keep.timezone", &settings.keep.timezone),
        row("backup.identity", &settings.identity),
        row("diff.ignore", &settings.ignore),
    ]
}

fn row(name: &'static str, setting: &Setting<impl Serialize>) -> Row {
    let value =
        serde_json::to_value(&setting.value).expect("settings are text, lists and switches");
    let origin = match setting.origin {
        Origin::Flag(_) => "flag",
        Origin::Variable(_) => "environment",
        Origin::File(..) => "file",
        Origin::Default => "default",
    };
    Row { name, value, from: setting.origin.to_string(), origin }
}

/// A URL may hold a user and a password, which are masked like the values of a state.
fn place(name: &'static str, setting: &Setting<Option<String>>, reveal: Reveal) -> Row {
    if reveal == Reveal::Yes {
        return row(name, setting);
    }
    let value = setting.value.as_deref().map(without_credentials);
    row(name, &Setting { value, origin: setting.origin.clone() })
}

fn without_credentials(place: &str) -> String {
    let Some((scheme, rest)) = place.split_once("://") else { return place.to_owned() };
    // A password may hold `/` or `@` by mistake, so everything up to the last `@` goes. What
    // follows `?` is kept up to the first value, since tokens are passed there.
    let (rest, query) = rest.split_once('?').map_or((rest, ""), |(rest, _)| (rest, "?…"));
    let rest = match rest.rsplit_once('@') {
        Some((_, host)) => format!("…@{host}"),
        None => rest.to_owned(),
    };
    format!("{scheme}://{rest}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_what_could_be_a_credential() {
        let cases = [
            ("a.tfstate", "a.tfstate"),
            ("s3://bucket/key", "s3://bucket/key"),
            ("https://me:hunter2@host/p?token=hunter2", "https://…@host/p?…"),
            ("postgres://me:a@b/c@host/db", "postgres://…@host/db"),
        ];
        for (place, shown) in cases {
            assert_eq!(without_credentials(place), shown);
        }
    }
}
