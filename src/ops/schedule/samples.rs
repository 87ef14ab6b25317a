//! A plan for tests, and what it is hard to quote.

use super::{Every, Plan, Readers, Repository, State, When};

/// A plan with one of everything.
pub(crate) fn plan() -> Plan {
    Plan {
        name: "tfstate-backup".to_owned(),
        program: "/usr/bin/tfstate".to_owned(),
        states: vec![State::Url("s3://acme-tf/prod/**/*.tfstate".to_owned())],
        workspace: None,
        strategy: Some("auto".to_owned()),
        tags: Vec::new(),
        metrics_file: None,
        repository: Repository::Url("s3://acme-backup/tfstate".to_owned()),
        readers: Readers::Keys(vec!["age1abc".to_owned()]),
        when: When::Every(Every::Hours(1)),
        signing_key: Some("/etc/tfstate/signing.key".to_owned()),
        env_file: None,
        variables: Vec::new(),
        user: None,
        image: "tfstate:0.1.0".to_owned(),
        largest: None,
    }
}

/// Text that every language of this module gives a meaning to.
pub(crate) const HOSTILE: &str = "s3://b/a b%20$HOME$(id)`id`'\"\\;#{}: &*!|>~%%@%h.tfstate";

/// The same plan about a state of this name alone.
pub(crate) fn hostile() -> Plan {
    Plan { states: vec![State::Url(HOSTILE.to_owned())], ..plan() }
}

/// Returns the scalars of a stream of YAML documents.
pub(crate) fn scalars(text: &str) -> Vec<String> {
    let events = saphyr_parser::Parser::new_from_str(text).map(|event| event.unwrap().0);
    let scalar = |event| match event {
        saphyr_parser::Event::Scalar(text, ..) => Some(text.into_owned()),
        _ => None,
    };
    events.filter_map(scalar).collect()
}
