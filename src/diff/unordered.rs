//! Lists that are sets: an order that means nothing is no difference.
//!
//! A state does not say which lists are sets; only the provider's schema does. So the well-known
//! ones are in a table, and all others are compared in order. An entry must name a list whose order
//! means nothing to the service, in every type that it is given for: most are sets in the schema,
//! some are lists there for reasons of history.
//!
//! | type | path |
//! |---|---|
//! | `aws_*`, `awscc_*` | `security_groups`, `security_group_ids`, `vpc_security_group_ids`, `cidr_blocks`, `ipv6_cidr_blocks`, `prefix_list_ids`, `subnet_ids`, `availability_zones` |
//! | `aws_security_group`, `aws_default_security_group` | `ingress`, `egress`, and in their blocks the lists above |
//! | `aws_lb`, `aws_alb`, `aws_elb`, `aws_autoscaling_group` | `subnets`, `vpc_zone_identifier`, `target_group_arns`, `load_balancers`, `instances`, `tag` |
//! | `aws_route_table` | `route` |
//! | `google_compute_firewall` | `allow`, `deny`, `source_ranges`, `destination_ranges`, `source_tags`, `target_tags` |
//! | `google_compute_instance` | `tags` |
//! | `azurerm_network_security_group` | `security_rule` |
//!
//! In a policy, which is a JSON document inside a string, these are sets in every type: the lists
//! `Action`, `NotAction`, `Resource` and `NotResource` of a `Statement`, and those inside its
//! `Principal` and `NotPrincipal`.

use crate::state::path::{Path, Step};

/// Lists of names and addresses, which stand in many types and in their blocks.
const EVERYWHERE: &[&str] = &[
    "security_groups",
    "security_group_ids",
    "vpc_security_group_ids",
    "cidr_blocks",
    "ipv6_cidr_blocks",
    "prefix_list_ids",
    "subnet_ids",
    "availability_zones",
];

const BALANCED: &[&str] =
    &["subnets", "vpc_zone_identifier", "target_group_arns", "load_balancers", "instances", "tag"];

/// Attributes of a type that are sets.
const TABLE: [(&str, &[&str]); 10] = [
    ("aws_security_group", &["ingress", "egress"]),
    ("aws_default_security_group", &["ingress", "egress"]),
    ("aws_lb", BALANCED),
    ("aws_alb", BALANCED),
    ("aws_elb", BALANCED),
    ("aws_autoscaling_group", BALANCED),
    ("aws_route_table", &["route"]),
    (
        "google_compute_firewall",
        &["allow", "deny", "source_ranges", "destination_ranges", "source_tags", "target_tags"],
    ),
    ("google_compute_instance", &["tags"]),
    ("azurerm_network_security_group", &["security_rule"]),
];

const STATEMENT: [&str; 4] = ["Action", "NotAction", "Resource", "NotResource"];

const PRINCIPAL: [&str; 2] = ["Principal", "NotPrincipal"];

/// Returns whether the list at this path of an attribute is a set.
pub(super) fn is_set(kind: &str, path: &Path) -> bool {
    let names: Vec<&str> = path.steps().iter().filter_map(name).collect();
    let Some((last, outer)) = names.split_last() else { return false };
    let is_list = matches!(path.steps().last(), Some(Step::Key(_)));
    let is_amazon = kind.starts_with("aws_") || kind.starts_with("awscc_");
    is_list && (is_amazon && EVERYWHERE.contains(last) || outer.is_empty() && is_listed(kind, last))
}

fn is_listed(kind: &str, name: &str) -> bool {
    TABLE.iter().any(|(listed, names)| *listed == kind && names.contains(&name))
}

/// Returns whether the list at this path of a document inside a string is a set.
pub(super) fn is_set_of_policy(path: &Path) -> bool {
    let Some((Step::Key(last), outer)) = path.steps().split_last() else { return false };
    let mut outer = outer.iter().rev().filter_map(name);
    match outer.next() {
        Some("Statement") => STATEMENT.contains(&last.as_str()),
        Some(inner) => PRINCIPAL.contains(&inner) && outer.next() == Some("Statement"),
        None => false,
    }
}

/// Returns the key that a step is.
pub(super) fn name(step: &Step) -> Option<&str> {
    match step {
        Step::Key(key) => Some(key),
        Step::Index(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_sets_are_recognised_where_they_are_sets() {
        let set = |kind: &str, path: &str| is_set(kind, &Path::parse(path).unwrap());
        assert!(set("aws_security_group", "ingress"));
        assert!(set("aws_security_group", "ingress[0].cidr_blocks"));
        assert!(set("aws_eks_cluster", "vpc_config[0].subnet_ids"));
        assert!(set("aws_autoscaling_group", "tag"));
        assert!(!set("aws_security_group", "ingress[0]"));
        assert!(!set("aws_lambda_function", "layers"));
        assert!(!set("aws_instance", "x.ingress"));
        assert!(!set("acme_thing", "subnet_ids"));
    }

    #[test]
    fn lists_of_a_policy_are_sets_where_its_grammar_says_so() {
        let set = |path: &str| is_set_of_policy(&Path::parse(path).unwrap());
        assert!(set("policy.Statement[0].Action"));
        assert!(set("policy.Statement.NotResource"));
        assert!(set("policy.Statement[2].Principal.AWS"));
        assert!(!set("policy.Statement"));
        assert!(!set("policy.Action"));
        assert!(!set("policy.Statement[0].Condition.X"));
        assert!(!set("definition.Principal.AWS"));
    }
}
