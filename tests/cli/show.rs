//! `tfstate show`.

use insta::assert_snapshot;

use crate::sandbox::Sandbox;

#[test]
fn a_resource_looks_as_in_a_configuration_with_its_secrets_masked() {
    let sandbox = Sandbox::shop();
    assert_snapshot!(sandbox.run(["show", "-s", "shop.tfstate", "random_password.db"]), @r#"
    # random_password.db
    resource "random_password" "db" {
        bcrypt_hash      = null
        id               = "none"
        keepers          = {
            rotation = "2026-05"
        }
        length           = 32
        lower            = true
        min_lower        = 0
        min_numeric      = 0
        min_special      = 0
        min_upper        = 0
        number           = true
        numeric          = true
        override_special = null
        result           = (sensitive value)
        special          = true
        upper            = true
    }
    # provider: provider["registry.terraform.io/hashicorp/random"]
    # schema version: 3
    [exit 0]
    "#);
}

#[test]
fn nothing_is_masked_when_asked_to_reveal() {
    let sandbox = Sandbox::shop();
    let revealed = sandbox.run(["show", "-s", "shop.tfstate", "random_password.db", "--reveal"]);
    assert!(revealed.stdout.contains("result           = \"S3CR3T"), "{revealed}");
}

#[test]
fn json_has_all_that_the_state_says() {
    let sandbox = Sandbox::shop();
    assert_snapshot!(sandbox.run(["show", "-s", "shop.tfstate", "module.network.aws_internet_gateway.main", "-o", "json"]), @r#"
    {
      "schema": "tfstate.show/1",
      "resources": [
        {
          "address": "module.network.aws_internet_gateway.main",
          "module": "module.network",
          "mode": "managed",
          "type": "aws_internet_gateway",
          "name": "main",
          "key": null,
          "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
          "schema_version": 0,
          "tainted": false,
          "deposed": null,
          "attributes": {
            "arn": "arn:aws:ec2:eu-central-1:123456789012:internet-gateway/igw-fe010647d32ab9a6f",
            "id": "igw-fe010647d32ab9a6f",
            "owner_id": "123456789012",
            "tags": {
              "Environment": "production",
              "Name": "shop",
              "Owner": "shop-team"
            },
            "tags_all": {
              "Environment": "production",
              "ManagedBy": "terraform",
              "Name": "shop",
              "Owner": "shop-team"
            },
            "vpc_id": "vpc-38faba71b3a6cfc9e"
          },
          "dependencies": [
            "module.network.aws_vpc.main"
          ],
          "identity": null,
          "create_before_destroy": false,
          "private": false
        }
      ]
    }
    [exit 0]
    "#);
}

#[test]
fn an_address_that_is_none_is_refused() {
    let sandbox = Sandbox::shop();
    assert_snapshot!(sandbox.run(["show", "-s", "shop.tfstate", "not an address"]), @r#"
    [stderr]
    error: cannot read `not an address` as an address
      because: expected `.` and the name of a resource at offset 4
    hint: an address looks like `module.net["eu"].aws_subnet.public[0]`; quote it for the shell
    [exit 1]
    "#);
}
