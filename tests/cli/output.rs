//! `tfstate output`.

use insta::assert_snapshot;

use crate::sandbox::Sandbox;

#[test]
fn all_outputs_are_shown_with_secrets_masked() {
    let sandbox = Sandbox::shop();
    assert_snapshot!(sandbox.run(["output", "shop.tfstate"]), @r#"
    database_password = (sensitive value)
    instance_ids      = [
        "i-f188f72c9b5b19743",
        "i-6e1ae81777ed77e5f",
        "i-0cd1bbaddb26a3d1f",
        "i-2fdae8f4af69dec69",
    ]
    release           = "2026.10"
    url               = "https://www.shop.example.com"
    [exit 0]
    "#);
}

#[test]
fn named_outputs_are_shown_alone() {
    let sandbox = Sandbox::shop();
    assert_snapshot!(sandbox.run(["output", "-s", "shop.tfstate", "release"]), @r#"
    release = "2026.10"
    [exit 0]
    "#);
    assert_snapshot!(sandbox.run(["output", "shop.tfstate", "database_password", "-o", "json"]), @r#"
    {
      "schema": "tfstate.output/1",
      "outputs": [
        {
          "name": "database_password",
          "sensitive": true,
          "type": "string",
          "value": {
            "sensitive": true
          }
        }
      ]
    }
    [exit 0]
    "#);
}

#[test]
fn an_output_that_is_not_there_is_an_error() {
    let sandbox = Sandbox::shop();
    assert_snapshot!(sandbox.run(["output", "shop.tfstate", "relase"]), @r#"
    [stderr]
    error: the state has no output `relase`
    hint: did you mean `release`?
    [exit 1]
    "#);
}
