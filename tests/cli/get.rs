//! `tfstate get`.

use insta::assert_snapshot;

use crate::sandbox::Sandbox;

#[test]
fn a_string_is_printed_as_it_is_and_the_rest_as_json() {
    let sandbox = Sandbox::shop();
    assert_snapshot!(sandbox.run(["get", "-s", "shop.tfstate", "module.database.aws_db_instance.main.engine_version"]), @r#"
    16.4
    [exit 0]
    "#);
    assert_snapshot!(sandbox.run(["get", "-s", "shop.tfstate", "module.database.aws_db_instance.main.tags"]), @r#"
    {"Environment":"production","Name":"shop","Owner":"shop-team"}
    [exit 0]
    "#);
    assert_snapshot!(sandbox.run(["get", "-s", "shop.tfstate", r#"module.web["blue"].aws_instance.server[0].tags.Color"#]), @r#"
    blue
    [exit 0]
    "#);
    assert_snapshot!(sandbox.run(["get", "-s", "shop.tfstate", "output.release"]), @r#"
    2026.10
    [exit 0]
    "#);
    assert_snapshot!(sandbox.run(["get", "-s", "shop.tfstate", "output.release", "-o", "json"]), @r#"
    {
      "schema": "tfstate.get/1",
      "what": "output.release",
      "value": "2026.10"
    }
    [exit 0]
    "#);
}

#[test]
fn a_secret_is_refused_and_shown_when_asked_to_reveal() {
    let sandbox = Sandbox::shop();
    assert_snapshot!(sandbox.run(["get", "-s", "shop.tfstate", "random_password.db.result"]), @r#"
    [stderr]
    error: cannot print random_password.db.result: it is sensitive
    hint: add `--reveal` to print it all the same
    [exit 1]
    "#);
    let revealed =
        sandbox.run(["get", "-s", "shop.tfstate", "random_password.db.result", "--reveal"]);
    assert!(revealed.stdout.starts_with("S3CR3T"), "{revealed}");
}

#[test]
fn what_is_not_there_exits_with_1_and_offers_what_is_near() {
    let sandbox = Sandbox::shop();
    assert_snapshot!(sandbox.run(["get", "-s", "shop.tfstate", "aws_lb.mian.arn"]), @r#"
    [stderr]
    error: there is no `aws_lb.mian` in the state
    hint: did you mean `aws_lb.main`?
    [exit 1]
    "#);
    assert_snapshot!(sandbox.run(["get", "-s", "shop.tfstate", "aws_lb.main.anr"]), @r#"
    [stderr]
    error: `aws_lb.main` has no `anr`
    hint: did you mean `arn`?
    [exit 1]
    "#);
    assert_snapshot!(sandbox.run(["get", "-s", "shop.tfstate", "output.relase"]), @r#"
    [stderr]
    error: there is no output `relase` in the state
    hint: did you mean `release`?
    [exit 1]
    "#);
    assert_snapshot!(sandbox.run(["get", "-s", "shop.tfstate", "module.network.aws_subnet.public.id"]), @r#"
    [stderr]
    error: `module.network.aws_subnet.public` has 3 instances
    hint: say which: `module.network.aws_subnet.public[0]` or `module.network.aws_subnet.public[1]` or `module.network.aws_subnet.public[2]`
    [exit 1]
    "#);
}
