//! `tfstate stats`, and `tfstate inspect` where there is no terminal.

use insta::assert_snapshot;

use crate::sandbox::Sandbox;

#[test]
fn the_summary_says_what_makes_a_state_big() {
    let sandbox = Sandbox::shop();
    assert_snapshot!(sandbox.run(["stats", "shop.tfstate", "--top", "3"]), @r#"
    state        shop.tfstate
    size         33.2 KB
    version      4, written by version 1.11.4
    serial       57
    lineage      5f2b7c1e-93a4-4d0e-8c66-1f0a9b7d2e41
    resources    20 in 26 instances, 2 data
    outputs      4
    modules      4
    attributes   21.3 KB (64.0 %)
    dependencies 1.9 KB (5.7 %)

    TYPE           INSTANCES  SIZE    SHARE
    aws_subnet     5          5.3 KB  15.9 %
    aws_instance   4          6.9 KB  20.7 %
    aws_s3_bucket  3          3.4 KB  10.3 %
    … 12 more; --top 15 lists all

    PROVIDER          INSTANCES  SIZE     SHARE
    hashicorp/aws     25         31.3 KB  94.1 %
    hashicorp/random  1          1.1 KB   3.3 %

    MODULE              INSTANCES  SIZE     SHARE
    (root)              10         10.4 KB  31.1 %
    module.network      8          9.2 KB   27.7 %
    module.web["blue"]  3          5.0 KB   14.9 %
    … 2 more; --top 5 lists all

    LARGEST                                  SIZE    SHARE
    module.web["green"].aws_instance.server  3.5 KB  10.4 %
    module.web["blue"].aws_instance.server   3.4 KB  10.3 %
    module.network.aws_subnet.public         3.1 KB  9.3 %
    [exit 0]
    "#);
}

#[test]
fn inspect_prints_the_summary_where_there_is_no_terminal() {
    let sandbox = Sandbox::shop();
    assert_snapshot!(sandbox.run(["inspect", "shop.tfstate", "-q"]), @r#"
    state        shop.tfstate
    size         33.2 KB
    version      4, written by version 1.11.4
    serial       57
    lineage      5f2b7c1e-93a4-4d0e-8c66-1f0a9b7d2e41
    resources    20 in 26 instances, 2 data
    outputs      4
    modules      4
    attributes   21.3 KB (64.0 %)
    dependencies 1.9 KB (5.7 %)

    TYPE                 INSTANCES  SIZE    SHARE
    aws_subnet           5          5.3 KB  15.9 %
    aws_instance         4          6.9 KB  20.7 %
    aws_s3_bucket        3          3.4 KB  10.3 %
    aws_lb_target_group  2          3.0 KB  9.0 %
    aws_route53_record   2          1.6 KB  4.9 %
    aws_ami              1          873 B   2.6 %
    aws_caller_identity  1          497 B   1.4 %
    aws_db_instance      1          1.8 KB  5.2 %
    aws_db_subnet_group  1          1.1 KB  3.3 %
    aws_iam_role         1          1.4 KB  4.3 %
    … 5 more; --top 15 lists all

    PROVIDER          INSTANCES  SIZE     SHARE
    hashicorp/aws     25         31.3 KB  94.1 %
    hashicorp/random  1          1.1 KB   3.3 %

    MODULE               INSTANCES  SIZE     SHARE
    (root)               10         10.4 KB  31.1 %
    module.network       8          9.2 KB   27.7 %
    module.web["blue"]   3          5.0 KB   14.9 %
    module.web["green"]  3          5.0 KB   14.9 %
    module.database      2          2.9 KB   8.6 %

    LARGEST                                       SIZE    SHARE
    module.web["green"].aws_instance.server       3.5 KB  10.4 %
    module.web["blue"].aws_instance.server        3.4 KB  10.3 %
    module.network.aws_subnet.public              3.1 KB  9.3 %
    aws_s3_bucket.logs                            2.2 KB  6.7 %
    module.network.aws_subnet.private             2.2 KB  6.5 %
    module.network.aws_security_group.web         1.8 KB  5.4 %
    module.database.aws_db_instance.main          1.8 KB  5.2 %
    module.web["green"].aws_lb_target_group.main  1.5 KB  4.5 %
    module.web["blue"].aws_lb_target_group.main   1.5 KB  4.5 %
    aws_iam_role.web                              1.4 KB  4.3 %
    [exit 0]
    "#);
}
