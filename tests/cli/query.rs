//! `tfstate query`.

use insta::assert_snapshot;

use crate::sandbox::Sandbox;

#[test]
fn an_expression_runs_over_the_whole_state() {
    let sandbox = Sandbox::shop();
    assert_snapshot!(sandbox.run(["query", "shop.tfstate", r#"[.resources[] | select(.mode == "data").type]"#]), @r#"
    [
      "aws_ami",
      "aws_caller_identity"
    ]
    [exit 0]
    "#);
    assert_snapshot!(sandbox.run(["query", "shop.tfstate", "-r", ".outputs | keys[]"]), @r#"
    database_password
    instance_ids
    release
    url
    [exit 0]
    "#);
    assert_snapshot!(sandbox.run(["query", "shop.tfstate", ".serial", "-o", "json"]), @r#"
    {
      "schema": "tfstate.query/1",
      "results": [
        57
      ]
    }
    [exit 0]
    "#);
}

#[test]
fn secrets_are_masked_for_an_expression_too() {
    let sandbox = Sandbox::shop();
    assert_snapshot!(sandbox.run(["query", "shop.tfstate", ".outputs.database_password.value"]), @r#"
    {
      "sensitive": true
    }
    [exit 0]
    "#);
}

#[test]
fn a_mistake_is_pointed_at() {
    let sandbox = Sandbox::shop();
    assert_snapshot!(sandbox.run(["query", "shop.tfstate", ".resources["]), @r#"
    [stderr]
    error: cannot read the jq expression
      because: expected a closing bracket
    .resources[
               ^
    [exit 1]
    "#);
}

#[test]
fn an_error_of_the_expression_is_told() {
    let sandbox = Sandbox::shop();
    assert_snapshot!(sandbox.run(["query", "shop.tfstate", ".serial | keys"]), @r#"
    [stderr]
    error: the expression failed on this state
      because: cannot use 57 as iterable (array or object)
    [exit 1]
    "#);
}
