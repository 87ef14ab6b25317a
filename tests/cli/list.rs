//! `tfstate list`.

use insta::assert_snapshot;

use crate::sandbox::Sandbox;

#[test]
fn addresses_limit_the_list_as_they_do_in_terraform() {
    let sandbox = Sandbox::shop();
    assert_snapshot!(sandbox.run(["list", "shop.tfstate", "module.database", "aws_lb.main"]), @r#"
    module.database.aws_db_instance.main
    module.database.aws_db_subnet_group.main
    aws_lb.main
    [exit 0]
    "#);
}

#[test]
fn what_nothing_matches_is_an_error_that_says_what_to_do() {
    let sandbox = Sandbox::shop();
    assert_snapshot!(sandbox.run(["list", "shop.tfstate", "aws_lb.absent"]), @r#"
    [stderr]
    error: no instance matches `aws_lb.absent`
    hint: `tfstate list` without an address shows what there is
    [exit 1]
    "#);
    assert_snapshot!(sandbox.run(["list", "shop.tfstate", "aws_lb."]), @r#"
    [stderr]
    error: cannot read `aws_lb.` as an address
      because: expected the name of a resource at offset 7
    hint: an address looks like `module.net["eu"].aws_subnet.public[0]`; quote it for the shell
    [exit 1]
    "#);
    assert_snapshot!(sandbox.run(["list", "shop.tfstate", "--id=absent"]), @r#"
    [exit 0]
    "#);
}

#[test]
fn terraforms_spelling_of_options_is_understood() {
    let sandbox = Sandbox::shop();
    assert_snapshot!(sandbox.run(["list", "-state=shop.tfstate", "-id=shop"]), @r#"
    module.database.aws_db_subnet_group.main
    [exit 0]
    "#);
}

#[test]
fn filters_narrow_the_list() {
    let sandbox = Sandbox::shop();
    assert_snapshot!(sandbox.run(["list", "shop.tfstate", "-f", "type:aws_subnet tag:Name=*private*"]), @r#"
    module.network.aws_subnet.private["eu-central-1a"]
    module.network.aws_subnet.private["eu-central-1b"]
    [exit 0]
    "#);
    assert_snapshot!(sandbox.run(["list", "shop.tfstate", "-f", "is:data"]), @r#"
    data.aws_ami.ubuntu
    data.aws_caller_identity.current
    [exit 0]
    "#);
    assert_snapshot!(sandbox.run(["list", "shop.tfstate", "-f", "attr:allocated_storage>=100"]), @r#"
    module.database.aws_db_instance.main
    [exit 0]
    "#);
    assert_snapshot!(sandbox.run(["list", "shop.tfstate", "-f", "aws_instance", "-f", r#"-module:web["green"]"#]), @r#"
    module.web["blue"].aws_instance.server[0]
    module.web["blue"].aws_instance.server[1]
    [exit 0]
    "#);
}

#[test]
fn a_mistake_in_a_filter_is_pointed_at() {
    let sandbox = Sandbox::shop();
    assert_snapshot!(sandbox.run(["list", "shop.tfstate", "-f", "tag:Name=x typ:y"]), @r#"
    [stderr]
    error: cannot read the filter
      because: there is no field `typ`
    tag:Name=x typ:y
               ^^^
    hint: did you mean `type`?
    [exit 1]
    "#);
    assert_snapshot!(sandbox.run(["list", "shop.tfstate", "-f", "(type:a"]), @r#"
    [stderr]
    error: cannot read the filter
      because: the parenthesis is not closed
    (type:a
    ^
    hint: see the filter language: `tfstate help list`
    [exit 1]
    "#);
}

#[test]
fn json_takes_every_address_apart() {
    let sandbox = Sandbox::shop();
    assert_snapshot!(sandbox.run(["list", "shop.tfstate", r#"aws_s3_bucket.logs["audit"]"#, "-o", "json"]), @r#"
    {
      "schema": "tfstate.list/1",
      "resources": [
        {
          "address": "aws_s3_bucket.logs[\"audit\"]",
          "module": "",
          "mode": "managed",
          "type": "aws_s3_bucket",
          "name": "logs",
          "key": "audit",
          "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
          "id": "acme-shop-logs-audit",
          "tainted": false,
          "deposed": null
        }
      ]
    }
    [exit 0]
    "#);
}
