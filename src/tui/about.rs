//! What there is to say about an instance, a module, and the outputs.

use crate::base::{size, text};
use crate::state::details::Details;
use crate::state::document::{Document, Instance};
use crate::state::path::{Path, Step};
use crate::state::provider::ProviderConfig;
use crate::state::sensitive::Secrets;

use super::lines::{Fold, Line, Spot, Writer};
use super::theme::Meaning;
use super::tree::Tree;
use super::view::Matches;
use super::widget::text::grouped;

/// More dependencies than this begin folded.
const FEW_DEPENDENCIES: usize = 10;
/// The title over the dependencies.
pub(crate) const DEPENDS_ON: &str = "depends on";
/// Types listed for a module.
const TYPES: usize = 40;

/// Writes what is known of an instance.
pub(crate) fn instance(writer: &mut Writer<'_>, instance: Instance<'_>) {
    if let Ok(value) = instance.attributes() {
        let masked = instance.secrets(&value).mask(value.clone());
        writer.members(&value, &masked);
    } else {
        let text = String::from("the attributes can't be decoded");
        writer.lines.push(Line::text(0, Meaning::Problem, text));
    }
    if writer.lines.is_empty() {
        writer.lines.push(Line::text(0, Meaning::Quiet, String::from("no attributes")));
    }
    let details = instance.details();
    dependencies(writer, &details);
    blank(writer);
    status(writer, instance, &details);
    let provider = details.provider.clone().or_else(|| instance.resource().provider_text());
    if let Some(provider) = provider {
        fact(writer, "provider", Meaning::Plain, &short_provider(&provider));
    }
    fact(writer, "schema", Meaning::Plain, &details.schema_version.to_string());
    if details.create_before_destroy {
        fact(writer, "lifecycle", Meaning::Plain, "create_before_destroy");
    }
    if details.skip_destroy {
        fact(writer, "lifecycle", Meaning::Plain, "forgotten instead of destroyed");
    }
    if let Some(private) = &details.private {
        fact(writer, "private", Meaning::Quiet, &format!("hidden ({})", bytes(private.len())));
    }
    fact(writer, "size", Meaning::Quiet, &bytes(instance.raw().len()));
    for (name, raw) in &details.unknown {
        fact(writer, name, Meaning::Quiet, &format!("unknown to Terraform ({})", bytes(raw.len())));
    }
    identity(writer, instance);
}

/// Returns a provider as people name it; one that can't be read as the state writes it.
fn short_provider(text: &str) -> String {
    let Ok(config) = text.parse::<ProviderConfig>() else { return text.to_owned() };
    let mut out = config.source.short();
    if let Some(alias) = &config.alias {
        out.push('.');
        out.push_str(alias);
    }
    out
}

fn status(writer: &mut Writer<'_>, instance: Instance<'_>, details: &Details<'_>) {
    if let Some(key) = &details.deposed {
        fact(writer, "status", Meaning::Warning, &format!("deposed {key}"));
    }
    if instance.is_tainted() {
        fact(writer, "status", Meaning::Warning, "tainted");
    }
}

fn dependencies(writer: &mut Writer<'_>, details: &Details<'_>) {
    let count = details.dependencies.len();
    if count == 0 {
        return;
    }
    let spot = Spot::Section(DEPENDS_ON);
    let usual = if count > FEW_DEPENDENCIES { Fold::Closed } else { Fold::Open };
    let fold = writer.fold(&spot, usual);
    blank(writer);
    let line = Line::named(DEPENDS_ON, Meaning::Quiet, grouped(count));
    writer.lines.push(Line { fold: Some(fold), spot: Some(spot), ..line });
    if fold == Fold::Open {
        for address in &details.dependencies {
            let shown = text::escape(address).into_owned();
            let spot = Some(Spot::Dependency(address.to_string()));
            writer.lines.push(Line { spot, ..Line::text(1, Meaning::Plain, shown) });
        }
    }
}

/// Writes the identity; providers put account numbers and names there, and seldom secrets.
fn identity(writer: &mut Writer<'_>, instance: Instance<'_>) {
    let Some(value) = instance.details().identity() else { return };
    let masked = instance.secrets_beside(&value).mask(value.clone());
    // A name no attribute has, so that folds and secrets are told apart.
    let mut path: Path = std::iter::once(Step::Key(String::from("(identity)"))).collect();
    writer.value(&value, &masked, &mut path, 0);
}

/// Writes what is known of a module.
pub(crate) fn module(writer: &mut Writer<'_>, tree: &Tree, at: usize, matches: Option<&Matches>) {
    let Some(node) = tree.nodes.get(at) else { return };
    // No number below is greater than this one.
    let width = grouped(node.total.max(node.end - at)).len();
    let number = |number: usize| format!("{:>width$}", grouped(number));
    fact(writer, "instances", Meaning::Literal, &number(node.total));
    if let Some(matches) = matches {
        fact(writer, "matching", Meaning::Literal, &number(matches.counts[at]));
    }
    fact(writer, "resources", Meaning::Literal, &number(node.resources));
    let modules = node.end - at - 1;
    if modules > 0 {
        fact(writer, "modules", Meaning::Literal, &number(modules));
    }
    blank(writer);
    for &(kind, count) in node.kinds.iter().take(TYPES) {
        let name = tree.kinds.get(kind).map_or("", String::as_str);
        writer.lines.push(Line::named(name, Meaning::Literal, number(count)));
    }
    if let Some(more) = node.kinds.len().checked_sub(TYPES).filter(|&more| more > 0) {
        writer.lines.push(Line::text(0, Meaning::Quiet, format!("{more} more types")));
    }
}

/// Writes the outputs.
pub(crate) fn outputs(writer: &mut Writer<'_>, document: &Document) {
    for output in document.outputs() {
        let Ok(value) = output.value() else {
            let text = String::from("can't be decoded");
            writer.lines.push(Line::named(output.name(), Meaning::Problem, text));
            continue;
        };
        let secrets = Secrets::of_output(output.name(), output.is_sensitive(), &value);
        let masked = secrets.mask(value.clone());
        let mut path: Path = std::iter::once(Step::Key(output.name().to_owned())).collect();
        writer.value(&value, &masked, &mut path, 0);
    }
    if writer.lines.is_empty() {
        writer.lines.push(Line::text(0, Meaning::Quiet, String::from("no outputs")));
    }
}

fn fact(writer: &mut Writer<'_>, name: &str, meaning: Meaning, value: &str) {
    writer.lines.push(Line::named(name, meaning, text::escape(value).into_owned()));
}

fn blank(writer: &mut Writer<'_>) {
    writer.lines.push(Line::text(0, Meaning::Plain, String::new()));
}

fn bytes(len: usize) -> String {
    size::to_string(len as u64)
}
