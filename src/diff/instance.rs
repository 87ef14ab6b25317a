//! Compares two instances, field by field.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::canonical;
use super::change::{Change, Field, Quiet};
use super::roles::Roles;
use super::values::{self, Spelling, Terms};
use crate::state::details::Details;
use crate::state::document::Instance;
use crate::state::path::Path;
use crate::state::provider::ProviderConfig;
use crate::state::schema::{Schema, Schemas};
use crate::state::sensitive::{Reveal, Secrets};
use crate::state::value::Value;

/// How instances and outputs are compared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules<'r> {
    pub(super) reveal: Reveal,
    pub(super) schemas: Option<&'r Schemas>,
    /// What stands for what, between two environments.
    pub(super) roles: Option<&'r Roles>,
}

/// Returns what differs: attributes first, then the fields beside them.
pub(super) fn compare(from: Instance<'_>, to: Instance<'_>, rules: Rules<'_>) -> Vec<Change> {
    let providers = (from.resource().provider_text(), to.resource().provider_text());
    if providers.0 == providers.1 && canonical::same_but_for_space(from.raw(), to.raw()) {
        return Vec::new();
    }
    let (old, new) = (from.details(), to.details());
    let mut changes = attributes(from, to, rules);
    changes.extend(flag(Field::Tainted, from.is_tainted(), to.is_tainted()));
    changes.extend(provider((from, &old), (to, &new), rules.roles));
    changes.extend(number(Field::SchemaVersion, old.schema_version, new.schema_version));
    changes.extend(dependencies(&old, &new, rules.roles));
    changes.extend(sensitive_paths(&old, &new));
    changes.extend(flag(
        Field::CreateBeforeDestroy,
        old.create_before_destroy,
        new.create_before_destroy,
    ));
    changes.extend(flag(Field::SkipDestroy, old.skip_destroy, new.skip_destroy));
    changes.extend(identity(&old, &new, rules));
    // Terraform writes 0 where there is no identity, OpenTofu nothing.
    let version = |details: &Details<'_>| details.identity_schema_version.unwrap_or(0);
    changes.extend(number(Field::IdentitySchemaVersion, version(&old), version(&new)));
    changes.extend(private(&old, &new));
    changes.extend(other(&old, &new, rules));
    changes
}

fn attributes(from: Instance<'_>, to: Instance<'_>, rules: Rules<'_>) -> Vec<Change> {
    let same_kind = from.has_flat_attributes() == to.has_flat_attributes();
    if same_kind && from.attributes_raw() == to.attributes_raw() {
        return Vec::new();
    }
    let (Ok(before), Ok(after)) = (from.attributes(), to.attributes()) else {
        // Text that can't be decoded can't be searched for secrets either.
        return vec![Change::of(Field::Attributes, Some(Value::Sensitive), Some(Value::Sensitive))];
    };
    let (before, after) = (present(before), present(after));
    let mut secrets = from.secrets(&before);
    secrets.extend(to.secrets(&after));
    let (kind, schema) = (&to.resource().kind(), schema(rules.schemas, to));
    if let Some(schema) = &schema {
        for side in [&before, &after] {
            secrets.extend(Secrets::of_attributes(kind, side, &schema.sensitive(side)));
        }
    }
    let spelling = if same_kind { Spelling::Typed } else { Spelling::Flat };
    let Rules { reveal, roles, .. } = rules;
    let (field, schema) = (Field::Attributes, schema.as_deref());
    let secrets = &secrets;
    let terms = Terms { kind, field, spelling, reveal, secrets, schema, roles };
    values::compare(&before, &after, terms)
}

/// Returns the schema of an instance, if its provider's schemas were given.
pub(super) fn schema(schemas: Option<&Schemas>, instance: Instance<'_>) -> Option<Arc<Schema>> {
    let schemas = schemas?;
    let own = instance.details().provider;
    let text = own.or_else(|| instance.resource().provider_text())?;
    let source = ProviderConfig::parse(&text).ok()?.source;
    schemas.find(&source, instance.resource().mode(), &instance.resource().kind())
}

/// Reads attributes that are null as Terraform reads them: there are none.
fn present(attributes: Value<'_>) -> Value<'_> {
    if attributes == Value::Null { Value::Object(Vec::new()) } else { attributes }
}

fn flag(field: Field, before: bool, after: bool) -> Option<Change> {
    let value = |flag| Some(Value::Bool(flag));
    (before != after).then(|| Change::of(field, value(before), value(after)))
}

fn number(field: Field, before: u64, after: u64) -> Option<Change> {
    let value = |number: u64| Some(Value::Number(number.to_string().into()));
    (before != after).then(|| Change::of(field, value(before), value(after)))
}

fn provider(
    (from, old): (Instance<'_>, &Details<'_>),
    (to, new): (Instance<'_>, &Details<'_>),
    roles: Option<&Roles>,
) -> Option<Change> {
    let text = |instance: Instance<'_>, details: &Details<'_>| {
        let own = details.provider.as_ref().map(ToString::to_string);
        own.or_else(|| instance.resource().provider_text().map(Cow::into_owned))
    };
    let (before, after) = (text(from, old), text(to, new));
    let parsed = |text: &Option<String>| text.as_ref()?.parse::<ProviderConfig>().ok();
    let spelling_only = || parsed(&before).is_some_and(|before| Some(before) == parsed(&after));
    if before == after || spelling_only() {
        return None;
    }
    let plays = |roles: &Roles| {
        before.as_ref().zip(after.as_ref()).is_some_and(|(a, b)| roles.text(a) == *b)
    };
    let quiet = roles.is_some_and(plays).then_some(Quiet::Role);
    let value = |text: Option<String>| text.map(|text| Value::String(text.into()));
    Some(Change { quiet, ..Change::of(Field::Provider, value(before), value(after)) })
}

fn dependencies(old: &Details<'_>, new: &Details<'_>, roles: Option<&Roles>) -> Vec<Change> {
    let set = |details: &Details<'_>| -> BTreeSet<String> {
        details.dependencies.iter().map(ToString::to_string).collect()
    };
    let (mut before, mut after) = (set(old), set(new));
    let mut changes = Vec::new();
    if let Some(roles) = roles {
        for gone in before.difference(&after).cloned().collect::<Vec<_>>() {
            let came = roles.text(&gone);
            if !before.contains(&*came) && after.remove(&*came) {
                before.remove(&gone);
                let value = |text: &str| Some(Value::String(text.to_owned().into()));
                let change = Change::of_element(Field::Dependencies, &came, true);
                let (before, quiet) = (value(&gone), Some(Quiet::Role));
                changes.push(Change { before, quiet, ..change });
            }
        }
    }
    changes.extend(elements(Field::Dependencies, &before, &after));
    changes
}

fn sensitive_paths(old: &Details<'_>, new: &Details<'_>) -> Vec<Change> {
    let set = |details: &Details<'_>| -> BTreeSet<String> {
        details.sensitive.iter().map(Path::to_string).collect()
    };
    elements(Field::SensitiveAttributes, &set(old), &set(new))
}

/// Tells each element of a set that came or went, in the order of the elements.
fn elements(field: Field, before: &BTreeSet<String>, after: &BTreeSet<String>) -> Vec<Change> {
    let differing = before.symmetric_difference(after);
    differing.map(|text| Change::of_element(field, text, after.contains(text))).collect()
}

fn identity(old: &Details<'_>, new: &Details<'_>, rules: Rules<'_>) -> Vec<Change> {
    if old.identity == new.identity {
        return Vec::new();
    }
    // What can't be decoded can't be searched for secrets.
    let value = |details: &Details<'_>| {
        details.identity.map(|_| details.identity().map_or(Value::Sensitive, Value::into_owned))
    };
    match (value(old), value(new)) {
        (Some(before), Some(after)) => open_values(Field::Identity, (&before, &after), rules),
        (before, after) => {
            let show = |value: Value<'static>| match rules.reveal {
                Reveal::Yes => value,
                Reveal::No => values::suspects(&value).with_embedded(&value).mask(value),
            };
            vec![Change::of(Field::Identity, before.map(show), after.map(show))]
        }
    }
}

/// Compares values of which no secret is declared.
fn open_values(
    field: Field,
    (before, after): (&Value<'_>, &Value<'_>),
    Rules { reveal, roles, .. }: Rules<'_>,
) -> Vec<Change> {
    let mut secrets = values::suspects(before);
    secrets.extend(values::suspects(after));
    let (kind, spelling, secrets, schema) = ("", Spelling::Typed, &secrets, None);
    let terms = Terms { kind, field, spelling, reveal, secrets, schema, roles };
    values::compare(before, after, terms)
}

/// Tells that the provider's own data changed; what it is nobody can know, so it is never shown.
fn private(old: &Details<'_>, new: &Details<'_>) -> Option<Change> {
    let plain = |details: &Details<'_>| -> Option<String> {
        // Line breaks inside base64 mean nothing.
        Some(details.private.as_ref()?.chars().filter(|c| !matches!(c, '\r' | '\n')).collect())
    };
    let (before, after) = (plain(old), plain(new));
    let mask = |side: &Option<String>| side.as_ref().map(|_| Value::Sensitive);
    (before != after).then(|| Change::of(Field::Private, mask(&before), mask(&after)))
}

/// Compares the fields Terraform does not know, which it would drop.
fn other(old: &Details<'_>, new: &Details<'_>, rules: Rules<'_>) -> Vec<Change> {
    let members = |details: &Details<'_>| {
        let decode = |raw| Value::parse(raw).map_or(Value::Sensitive, Value::into_owned);
        let fields = details.unknown.iter();
        Value::Object(
            fields.map(|(key, raw)| (key.clone().into_owned().into(), decode(raw))).collect(),
        )
    };
    if old.unknown == new.unknown {
        return Vec::new();
    }
    open_values(Field::Other, (&members(old), &members(new)), rules)
}

#[cfg(test)]
mod tests {
    use crate::diff::properties::{compared, everything, state};

    /// Compares two lines of one instance and shows the paths of what differs.
    fn paths(before: &str, after: &str) -> String {
        let comparison = compared(&state(&[before]), &state(&[after]));
        assert!(!everything(&comparison).contains("S3CR3T"), "{before} {after}");
        let changes = comparison.resources.iter().flat_map(|resource| &resource.changes);
        changes.map(super::Change::path_text).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn fields_beside_the_attributes_have_reserved_names() {
        let sensitive = r#""sensitive_attributes":[[{"type":"get_attr","value":"a"}]],"#;
        for (fields, path) in [
            (r#""status":"tainted","#, "(tainted)"),
            (r#""create_before_destroy":true,"#, "(create_before_destroy)"),
            (r#""skip_destroy":true,"#, "(skip_destroy)"),
            (r#""dependencies":["x.b"],"#, r#"(dependencies)["x.b"]"#),
            (sensitive, "(sensitive_attributes).a"),
            (r#""identity":{"id":"i"},"#, "(identity)"),
            (r#""identity_schema_version":1,"#, "(identity_schema_version)"),
            (r#""private":"UzNDUjNU","#, "(private)"),
            (r#""unheard_of":{"password":"S3CR3T-1"},"#, "(other).unheard_of"),
            (r#""provider":"provider[\"acme/other\"]","#, "(provider)"),
        ] {
            let with = format!(r#"x.a {{"a":1}} {fields}"#);
            assert_eq!(paths(r#"x.a {"a":1}"#, &with), path);
            assert_eq!(paths(&with, r#"x.a {"a":1}"#), path);
            assert_eq!(paths(&with, &with), "");
        }
    }

    #[test]
    fn a_higher_schema_version_is_a_change() {
        let before = state(&[r"x.a {}"]);
        let after = before.replace(r#""schema_version":0"#, r#""schema_version":1"#);
        let comparison = compared(&before, &after);
        assert_eq!(comparison.resources[0].changes[0].path_text(), "(schema_version)");
    }

    #[test]
    fn what_writers_leave_out_or_write_as_empty_is_no_change() {
        for fields in [
            r#""identity_schema_version":0,"#,
            r#""sensitive_attributes":[],"#,
            r#""dependencies":[],"#,
            r#""private":"","#,
            r#""create_before_destroy":false,"#,
            r#""identity":null,"#,
            r#""status":"","#,
        ] {
            assert_eq!(paths("x.a {}", &format!("x.a {{}} {fields}")), "", "{fields}");
        }
        let ordered = |a: &str, b: &str| format!(r#"x.a {{}} "dependencies":["x.{a}","x.{b}"],"#);
        assert_eq!(paths(&ordered("b", "c"), &ordered("c", "b")), "");
        let legacy =
            [r#"x.a {"n":3,"l":["y"],"m":{},"z":null}"#, r#"x.a {"n":"3","l.#":"1","l.0":"y"}"#];
        let (typed, flat) = (state(&legacy[..1]), state(&legacy[1..]));
        let flat = flat.replace(r#""attributes""#, r#""attributes_flat""#);
        assert!(compared(&typed, &flat).is_empty());
    }

    #[test]
    fn a_provider_of_the_whole_resource_counts_for_each_instance() {
        let before = state(&[r#"x.a {"a":1}"#]);
        let after = before.replace("acme/acme", "acme/fork");
        let change = compared(&before, &after).resources.remove(0).changes.remove(0);
        assert_eq!(change.path_text(), "(provider)");
    }

    #[test]
    fn each_dependency_that_came_or_went_is_a_change() {
        let before = r#"x.a {} "dependencies":["x.b","x.c"],"#;
        let after = r#"x.a {} "dependencies":["x.c","x.d"],"#;
        assert_eq!(paths(before, after), r#"(dependencies)["x.b"] (dependencies)["x.d"]"#);
    }

    #[test]
    fn attributes_that_can_not_be_decoded_are_told_as_a_whole() {
        assert_eq!(paths(r#"x.a {"p":"\ud800 S3CR3T"}"#, r#"x.a {"p":"x"}"#), "(attributes)");
    }
}
