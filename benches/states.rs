//! Makes states of any size, laid out as Terraform writes them, with a known set of changes.

use std::fmt::Write as _;
use std::io::{self, Write};

/// Writes a state of about `bytes` bytes; every `change_every`th instance differs from the state
/// that 0 gives.
pub(crate) fn write(out: &mut impl Write, bytes: usize, change_every: usize) -> io::Result<()> {
    let serial = if change_every == 0 { 41 } else { 42 };
    write!(
        out,
        "{{\n  \"version\": 4,\n  \"terraform_version\": \"1.11.4\",\n  \"serial\": {serial},\n  \
         \"lineage\": \"0b3c1f52-3f5c-4b7e-9a01-5d2f9f1c7e11\",\n  \"outputs\": {{}},\n  \"resources\": ["
    )?;
    let (mut written, mut block, mut instances) = (0, 0, 0);
    let mut text = String::new();
    while written < bytes {
        text.clear();
        text.push_str(if block == 0 { "\n" } else { ",\n" });
        push_block(&mut text, block, &mut instances, change_every);
        out.write_all(text.as_bytes())?;
        written += text.len();
        block += 1;
    }
    out.write_all(b"\n  ],\n  \"check_results\": null\n}\n")?;
    out.flush()
}

/// Appends one resource with one to three instances.
fn push_block(out: &mut String, block: usize, instances: &mut usize, change_every: usize) {
    let (stack, kind) = (block / 12, block % 12);
    let _ = write!(
        out,
        "    {{\n      \"module\": \"module.stack[\\\"s{stack:06}\\\"].module.net\",\n      \"mode\": \"managed\",\n      \
         \"type\": \"aws_thing{kind:02}\",\n      \"name\": \"this\",\n      \
         \"provider\": \"provider[\\\"registry.terraform.io/hashicorp/aws\\\"]\",\n      \"instances\": ["
    );
    let count = 1 + block % 3;
    for index in 0..count {
        out.push_str(if index == 0 { "\n" } else { ",\n" });
        let changed = change_every != 0 && (*instances).is_multiple_of(change_every);
        push_instance(out, block, (count > 1).then_some(index), changed);
        *instances += 1;
    }
    out.push_str("\n      ]\n    }");
}

fn push_instance(out: &mut String, block: usize, index: Option<usize>, changed: bool) {
    out.push_str("        {\n");
    if let Some(index) = index {
        let _ = writeln!(out, "          \"index_key\": {index},");
    }
    let number = block * 3 + index.unwrap_or(0);
    let size = if changed { "m5.2xlarge" } else { "t3.micro" };
    let _ = write!(
        out,
        "          \"schema_version\": 1,\n          \"attributes\": {{\n            \
         \"arn\": \"arn:aws:ec2:eu-west-1:123456789012:thing/i-{number:017x}\",\n            \
         \"id\": \"i-{number:017x}\",\n            \"instance_type\": \"{size}\",\n            \
         \"limit\": 123456789012345678901234567890.5,\n            \"monitoring\": false,\n            \
         \"password\": \"S3CR3T{number:032x}\",\n            \"policy\": \"{{\\\"Version\\\":\\\"2012-10-17\\\",\\\"Statement\\\":[\
         {{\\\"Effect\\\":\\\"Allow\\\",\\\"Action\\\":[\\\"s3:GetObject\\\",\\\"s3:PutObject\\\"],\\\"Resource\\\":\\\"*\\\"}}]}}\",\n            \
         \"rules\": ["
    );
    for rule in 0..6 {
        let comma = if rule == 0 { "" } else { "," };
        let _ = write!(
            out,
            "{comma}\n              {{\n                \"cidr\": \"10.{rule}.0.0/16\",\n                \
             \"description\": \"rule {rule} of thing {number}, kept for the monthly review\",\n                \
             \"from_port\": {},\n                \"to_port\": {}\n              }}",
            1000 + rule,
            2000 + rule
        );
    }
    let _ = write!(
        out,
        "\n            ],\n            \"tags\": {{\n              \"CostCenter\": \"cc-{:04}\",\n              \
         \"Environment\": \"prod\",\n              \"Name\": \"thing-{number}\"\n            }},\n            \
         \"user_data\": null\n          }},\n          \"sensitive_attributes\": [\n            [\n              {{\n                \
         \"type\": \"get_attr\",\n                \"value\": \"password\"\n              }}\n            ]\n          ],\n          \
         \"private\": \"eyJzY2hlbWFfdmVyc2lvbiI6IjEifQ==\",\n          \"dependencies\": [\n            \
         \"module.stack.module.net.aws_thing00.this\"\n          ]\n        }}",
        number % 10_000
    );
}
