//! What people read: a resource instance as Terraform's language would write it.

use super::hcl;
use super::output::Output;
use crate::base::size;
use crate::base::text::escape;
use crate::base::theme::Meaning;
use crate::state::address::Mode;
use crate::state::document::Instance;
use crate::state::scan::SyntaxError;
use crate::state::sensitive::Reveal;
use crate::state::value::Value;

/// Returns one instance as text.
pub(crate) fn instance(
    instance: Instance<'_>,
    reveal: Reveal,
    out: &Output,
) -> Result<String, SyntaxError> {
    let resource = instance.resource();
    let attributes = instance.shown_attributes(reveal)?;
    let mut text =
        format!("# {}{}\n", out.paint(Meaning::Address, &instance.address_text()), marks(instance));
    let word = match resource.mode() {
        Mode::Managed => "resource",
        Mode::Data => "data",
    };
    let (kind, name) = (escape(&resource.kind()).into_owned(), resource.name());
    let head = format!("{word} \"{kind}\" \"{}\" {{\n", escape(&name));
    text.push_str(&head);
    if let Value::Object(members) = &attributes {
        hcl::push_members(&mut text, members.iter().map(|(k, v)| (k.as_ref(), v)), 1);
    }
    text.push_str("}\n");
    push_details(&mut text, instance, reveal, out);
    Ok(text)
}

fn marks(instance: Instance<'_>) -> String {
    let mut marks = String::new();
    if instance.is_tainted() {
        marks.push_str(" (tainted)");
    }
    if let Some(key) = instance.deposed() {
        marks = format!("{marks} (deposed object {})", escape(&key));
    }
    marks
}

/// Appends what Terraform keeps besides the attributes, as comments.
fn push_details(text: &mut String, instance: Instance<'_>, reveal: Reveal, out: &Output) {
    let details = instance.details();
    let mut line = |name: &str, value: &str| {
        let line = format!("# {name}: {}", escape(value));
        text.push_str(&out.paint(Meaning::Muted, &line));
        text.push('\n');
    };
    let provider = details.provider.clone().or_else(|| instance.resource().provider_text());
    line("provider", provider.as_deref().unwrap_or("none"));
    line("schema version", &details.schema_version.to_string());
    if !details.dependencies.is_empty() {
        line("depends on", &details.dependencies.join(", "));
    }
    if let Some(identity) = instance.shown_identity(reveal) {
        line("identity", &identity.to_json());
    }
    if details.create_before_destroy {
        line("create before destroy", "yes");
    }
    if let Some(private) = &details.private {
        line(
            "private data of the provider",
            &format!("{}, never shown", size::to_string(private.len() as u64)),
        );
    }
    for (name, raw) in &details.unknown {
        line(
            &format!("field unknown to Terraform, {}", escape(name)),
            &size::to_string(raw.len() as u64),
        );
    }
}
