//! A state and its later versions, as applies leave them: a few resources edited in place, fewer
//! added or removed, most as they were.
//!
//! The same size and seed give the same bytes. What makes states hard to compress is here too:
//! random ids, ARNs, hashes, keys and documents inside strings; zstd at level 3 makes about a
//! twelfth of it.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// A state that changes.
pub(crate) struct Series {
    random: Random,
    serial: u64,
    /// In the order of the file.
    resources: Vec<Resource>,
    made: u64,
}

struct Resource {
    stack: u64,
    name: u64,
    instances: Vec<Instance>,
    text: String,
}

/// What an instance says follows from these two alone.
struct Instance {
    seed: u64,
    edits: u64,
}

impl Series {
    /// Makes the first version, of about `bytes` bytes.
    pub(crate) fn new(bytes: usize, seed: u64) -> Self {
        let mut series =
            Self { random: Random(seed), serial: 1, resources: Vec::new(), made: seed << 32 };
        let mut size = 0;
        while size < bytes {
            let stack = series.resources.len() as u64 / 24;
            let resource = series.make(stack);
            size += resource.text.len();
            series.resources.push(resource);
        }
        series
    }

    /// Goes on to the next version: 0.1 to 1 % of the resources are touched, small shares as
    /// often as large ones, half of them side by side and half anywhere. Of ten, eight are edited,
    /// one is added and one removed. Returns how many were touched.
    pub(crate) fn advance(&mut self) -> usize {
        self.serial += 1;
        let share = 0.001 * 10_f64.powf(self.random.unit());
        let count = self.resources.len();
        let touched = ((count as f64 * share).round() as usize).max(1);
        let start = self.random.below(count);
        let mut places: Vec<usize> = (0..touched / 2).map(|i| (start + i) % count).collect();
        places.extend((touched / 2..touched).map(|_| self.random.below(count)));
        // From the end, so that places before it stay where they are.
        places.sort_unstable_by(|a, b| b.cmp(a));
        places.dedup();
        for &place in &places {
            self.touch(place);
        }
        places.len()
    }

    /// Returns how many resources there are.
    pub(crate) fn resources(&self) -> usize {
        self.resources.len()
    }

    fn touch(&mut self, place: usize) {
        match self.random.below(10) {
            0 => {
                let resource = self.make(self.resources[place].stack);
                self.resources.insert(place + 1, resource);
            }
            1 => drop(self.resources.remove(place)),
            _ => {
                let resource = &mut self.resources[place];
                let instance = self.random.below(resource.instances.len());
                resource.instances[instance].edits += 1;
                resource.text = resource.render();
            }
        }
    }

    fn make(&mut self, stack: u64) -> Resource {
        self.made += 1;
        // Four resources of ten have several instances.
        let count = if self.random.below(10) < 6 { 1 } else { 2 + self.random.below(4) };
        let instance = |_| Instance { seed: self.random.next(), edits: 0 };
        let instances = (0..count).map(instance).collect();
        let mut resource = Resource { stack, name: self.made, instances, text: String::new() };
        resource.text = resource.render();
        resource
    }

    /// Returns the version as Terraform would write it.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let size: usize = self.resources.iter().map(|resource| resource.text.len() + 2).sum();
        let mut text = String::with_capacity(size + 1000);
        let _ = write!(
            text,
            "{{\n  \"version\": 4,\n  \"terraform_version\": \"1.11.4\",\n  \"serial\": {},\n  \
             \"lineage\": \"0b3c1f52-3f5c-4b7e-9a01-5d2f9f1c7e11\",\n  \"outputs\": {{\n    \"zone_id\": {{\n      \
             \"value\": \"Z0423917PQ8E3\",\n      \"type\": \"string\"\n    }}\n  }},\n  \"resources\": [",
            self.serial
        );
        for (i, resource) in self.resources.iter().enumerate() {
            text.push_str(if i == 0 { "\n" } else { ",\n" });
            text.push_str(&resource.text);
        }
        text.push_str("\n  ],\n  \"check_results\": null\n}\n");
        text.into_bytes()
    }
}

impl Resource {
    fn render(&self) -> String {
        let kind = KINDS[self.name as usize % KINDS.len()];
        let stack = Stack::of(self.stack);
        let provider = kind.0.split('_').next().unwrap_or_default();
        let mut text = format!(
            "    {{\n      \"module\": \"module.stack[\\\"{0}\\\"].module.service\",\n      \"mode\": \"managed\",\n      \
             \"type\": \"{1}\",\n      \"name\": \"this_{2:x}\",\n      \
             \"provider\": \"provider[\\\"registry.terraform.io/hashicorp/{provider}\\\"]\",\n      \"instances\": [",
            stack.name, kind.0, self.name
        );
        for (index, instance) in self.instances.iter().enumerate() {
            text.push_str(if index == 0 { "\n        {\n" } else { ",\n        {\n" });
            if self.instances.len() > 1 {
                let _ = writeln!(text, "          \"index_key\": {index},");
            }
            instance.render(&mut text, kind.1, &stack);
        }
        text.push_str("\n      ]\n    }");
        text
    }
}

impl Instance {
    fn render(&self, text: &mut String, kind: fn(&mut Maker<'_>) -> Value, stack: &Stack) {
        let mut maker =
            Maker { ids: Random(self.seed), edits: Random(!self.seed ^ (self.edits << 7)), stack };
        let attributes = serde_json::to_string_pretty(&kind(&mut maker)).unwrap_or_default();
        // As Go's encoder does, and indented to where it stands: no string has a line end in it.
        let attributes = attributes
            .replace('<', "\\u003c")
            .replace('>', "\\u003e")
            .replace('&', "\\u0026")
            .replace('\n', "\n          ");
        let _ = write!(
            text,
            "          \"schema_version\": 1,\n          \"attributes\": {attributes},\n          \
             \"sensitive_attributes\": [],\n          \
             \"private\": \"eyJlMmJmYjczMC1lY2FhLTExZTYtOGY4OC0zNDM2M2JjN2M0YzAiOnsiY3JlYXRlIjo2MDAwMDAwMDAwMDB9fQ==\",\n          \
             \"dependencies\": [\n            \"module.stack.module.network.aws_subnet.private\",\n            \
             \"module.stack.module.network.aws_vpc.this\",\n            \
             \"module.stack.module.service.aws_iam_role.this\"\n          ]\n        }}"
        );
    }
}

/// What the resources of one stack share.
struct Stack {
    name: String,
    account: u64,
    vpc: String,
}

impl Stack {
    fn of(number: u64) -> Self {
        let mut random = Random(number ^ 0x5eed);
        let environment = ["dev", "prod", "qa", "staging"][random.below(4)];
        Self {
            name: format!("s{number:06}-{environment}"),
            account: 100_000_000_000 + random.next() % 899_999_999_999,
            vpc: random.hex(17),
        }
    }
}

/// Makes the values of one instance: ids that stay, and what edits change.
struct Maker<'a> {
    ids: Random,
    edits: Random,
    stack: &'a Stack,
}

impl Maker<'_> {
    fn arn(&self, service: &str, rest: &str) -> String {
        format!("arn:aws:{service}:eu-central-1:{:012}:{rest}", self.stack.account)
    }

    fn tags(&mut self) -> Value {
        json!({
            "CostCenter": format!("cc-{:04}", self.ids.below(400)),
            "Environment": "prod",
            "ManagedBy": "terraform",
            "Release": format!("v1.{}.{}", self.edits.below(60), self.edits.below(20)),
            "Repository": format!("https://git.example.com/live?ref=main&path={}", self.stack.name),
            "Stack": self.stack.name,
            "Team": "Growth & Insights",
        })
    }
}

type Kind = (&'static str, fn(&mut Maker<'_>) -> Value);

const KINDS: [Kind; 10] = [
    ("aws_instance", instance),
    ("aws_security_group_rule", rule),
    ("aws_subnet", subnet),
    ("aws_iam_policy", policy),
    ("aws_lambda_function", lambda),
    ("aws_s3_bucket", bucket),
    ("helm_release", helm),
    ("random_password", password),
    ("aws_route53_record", record),
    ("tls_private_key", private_key),
];

fn instance(make: &mut Maker<'_>) -> Value {
    let id = format!("i-{}", make.ids.hex(17));
    let disk_key = make.ids.uuid();
    let ip = format!("10.{}.{}.{}", make.ids.below(255), make.ids.below(255), make.ids.below(255));
    json!({
        "ami": format!("ami-{}", make.edits.hex(17)), "arn": make.arn("ec2", &format!("instance/{id}")),
        "associate_public_ip_address": false, "availability_zone": "eu-central-1a",
        "capacity_reservation_specification": [{"capacity_reservation_preference": "open", "capacity_reservation_target": []}],
        "cpu_options": [{"amd_sev_snp": "", "core_count": 2, "threads_per_core": 2}],
        "credit_specification": [{"cpu_credits": "unlimited"}], "disable_api_stop": false,
        "disable_api_termination": true, "ebs_block_device": [], "ebs_optimized": true,
        "enclave_options": [{"enabled": false}], "ephemeral_block_device": [], "get_password_data": false,
        "hibernation": false, "host_id": "", "iam_instance_profile": make.stack.name, "id": id,
        "instance_state": "running", "instance_type": format!("m6i.{}xlarge", 2 << make.edits.below(3)),
        "ipv6_addresses": [], "key_name": "deploy", "launch_template": [],
        "maintenance_options": [{"auto_recovery": "default"}],
        "metadata_options": [{"http_endpoint": "enabled", "http_protocol_ipv6": "disabled", "http_put_response_hop_limit": 2,
            "http_tokens": "required", "instance_metadata_tags": "disabled"}],
        "monitoring": true, "network_interface": [], "outpost_arn": "", "password_data": "", "placement_group": "",
        "primary_network_interface_id": format!("eni-{}", make.ids.hex(17)),
        "private_dns": format!("ip-{}.eu-central-1.compute.internal", ip.replace('.', "-")), "private_ip": ip,
        "public_dns": "", "public_ip": "",
        "root_block_device": [{"delete_on_termination": true, "device_name": "/dev/xvda", "encrypted": true, "iops": 3000,
            "kms_key_id": make.arn("kms", &format!("key/{disk_key}")), "throughput": 125,
            "volume_id": format!("vol-{}", make.ids.hex(17)), "volume_size": 50, "volume_type": "gp3"}],
        "source_dest_check": true, "subnet_id": format!("subnet-{}", make.ids.hex(17)), "tags": make.tags(),
        "tags_all": make.tags(), "tenancy": "default", "timeouts": null, "user_data_replace_on_change": false,
        "vpc_security_group_ids": [format!("sg-{}", make.ids.hex(17))],
    })
}

fn rule(make: &mut Maker<'_>) -> Value {
    let port = [22, 80, 443, 5432, 8080][make.ids.below(5)];
    json!({
        "cidr_blocks": [format!("10.{}.0.0/16", make.edits.below(255))],
        "description": format!("allow tcp/{port} from <internal> & peers"), "from_port": port,
        "id": format!("sgrule-{}", make.ids.next() % 4_000_000_000), "ipv6_cidr_blocks": null, "prefix_list_ids": null,
        "protocol": "tcp", "security_group_id": format!("sg-{}", make.ids.hex(17)),
        "security_group_rule_id": format!("sgr-{}", make.ids.hex(17)), "self": false,
        "source_security_group_id": null, "timeouts": null, "to_port": port, "type": "ingress",
    })
}

fn subnet(make: &mut Maker<'_>) -> Value {
    let id = format!("subnet-{}", make.ids.hex(17));
    json!({
        "arn": make.arn("ec2", &format!("subnet/{id}")), "assign_ipv6_address_on_creation": false,
        "availability_zone": "eu-central-1b", "availability_zone_id": "euc1-az2",
        "cidr_block": format!("10.{}.{}.0/24", make.ids.below(255), make.ids.below(255)),
        "customer_owned_ipv4_pool": "", "enable_dns64": false, "enable_lni_at_device_index": 0,
        "enable_resource_name_dns_a_record_on_launch": false, "enable_resource_name_dns_aaaa_record_on_launch": false,
        "id": id, "ipv6_cidr_block": "", "ipv6_native": false, "map_customer_owned_ip_on_launch": false,
        "map_public_ip_on_launch": false, "outpost_arn": "", "owner_id": format!("{:012}", make.stack.account),
        "private_dns_hostname_type_on_launch": "ip-name", "tags": make.tags(), "tags_all": make.tags(),
        "timeouts": null, "vpc_id": format!("vpc-{}", make.stack.vpc),
    })
}

fn policy(make: &mut Maker<'_>) -> Value {
    let statement = |i: usize, edits: &mut Random| {
        json!({"Action": ["s3:GetObject", "s3:PutObject", "sqs:SendMessage"], "Effect": "Allow",
            "Condition": {"StringEquals": {"aws:SourceAccount": format!("{:012}", edits.next() % 1_000_000_000_000)}},
            "Resource": format!("arn:aws:s3:::{}/*", make.stack.name), "Sid": format!("Allow{i}")})
    };
    let statements: Vec<Value> = (0..4).map(|i| statement(i, &mut make.edits)).collect();
    let name = format!("{}-{}", make.stack.name, make.ids.hex(6));
    json!({
        "arn": make.arn("iam", &format!("policy/{name}")), "attachment_count": 1, "description": "",
        "id": make.arn("iam", &format!("policy/{name}")), "name": name, "name_prefix": "", "path": "/",
        "policy": json!({"Statement": statements, "Version": "2012-10-17"}).to_string(),
        "policy_id": format!("ANPA{}", make.ids.text(17).to_uppercase()), "tags": make.tags(), "tags_all": make.tags(),
    })
}

fn lambda(make: &mut Maker<'_>) -> Value {
    let name = format!("{}-{}", make.stack.name, make.ids.hex(6));
    let arn = make.arn("lambda", &format!("function:{name}"));
    json!({
        "architectures": ["arm64"], "arn": arn, "code_sha256": format!("{}=", make.edits.text(43)),
        "code_signing_config_arn": "", "dead_letter_config": [], "description": "",
        "environment": [{"variables": {"APP_ENV": "prod", "FEATURE_FLOW": "true", "FEATURE_RETRY": "false",
            "DATABASE_URL": format!("postgres://app:{}@db.{}.internal:5432/app?sslmode=require&pool=10", make.ids.text(24), make.stack.name),
            "LOG_LEVEL": "info"}}],
        "ephemeral_storage": [{"size": 512}], "file_system_config": [], "function_name": name, "handler": "bootstrap",
        "id": name, "image_config": [], "image_uri": "",
        "invoke_arn": format!("arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/{arn}/invocations"),
        "last_modified": format!("2026-03-0{}T10:0{}:21.000+0000", 1 + make.edits.below(9), make.edits.below(9)),
        "layers": [make.arn("lambda", "layer:otel:12")], "memory_size": 512, "package_type": "Zip", "publish": false,
        "logging_config": [{"application_log_level": "", "log_format": "Text", "log_group": format!("/aws/lambda/{name}"), "system_log_level": ""}],
        "qualified_arn": format!("{arn}:$LATEST"), "reserved_concurrent_executions": -1,
        "role": make.arn("iam", &format!("role/{name}")), "runtime": "provided.al2023",
        "s3_bucket": format!("artifacts-{:012}", make.stack.account), "s3_key": format!("{name}/{}.zip", make.edits.hex(40)),
        "source_code_size": make.edits.below(30_000_000), "tags": make.tags(), "tags_all": make.tags(), "timeout": 30,
        "tracing_config": [{"mode": "Active"}], "version": "$LATEST",
        "vpc_config": [{"security_group_ids": [format!("sg-{}", make.ids.hex(17))], "vpc_id": format!("vpc-{}", make.stack.vpc)}],
    })
}

fn bucket(make: &mut Maker<'_>) -> Value {
    let name = format!("{}-{}", make.stack.name, make.ids.hex(6));
    json!({
        "acceleration_status": "", "acl": null, "arn": format!("arn:aws:s3:::{name}"), "bucket": name,
        "bucket_domain_name": format!("{name}.s3.amazonaws.com"), "bucket_prefix": "",
        "bucket_regional_domain_name": format!("{name}.s3.eu-central-1.amazonaws.com"), "cors_rule": [],
        "force_destroy": false,
        "grant": [{"id": make.ids.hex(64), "permissions": ["FULL_CONTROL"], "type": "CanonicalUser", "uri": ""}],
        "hosted_zone_id": "Z21DNDUVLTQW6Q", "id": name,
        "lifecycle_rule": [{"abort_incomplete_multipart_upload_days": 7, "enabled": true, "expiration": [], "id": "expire",
            "noncurrent_version_expiration": [{"days": 30 + make.edits.below(60)}], "prefix": "", "tags": {}, "transition": []}],
        "logging": [], "object_lock_configuration": [], "object_lock_enabled": false, "region": "eu-central-1",
        "replication_configuration": [], "request_payer": "BucketOwner",
        "server_side_encryption_configuration": [{"rule": [{"apply_server_side_encryption_by_default": [
            {"kms_master_key_id": "", "sse_algorithm": "AES256"}], "bucket_key_enabled": false}]}],
        "tags": make.tags(), "tags_all": make.tags(), "timeouts": null,
        "versioning": [{"enabled": true, "mfa_delete": false}], "website": [], "website_domain": null,
    })
}

fn helm(make: &mut Maker<'_>) -> Value {
    let mut values = String::from("# values rendered by terraform; do not edit\n");
    for i in 0..20 + make.ids.below(80) {
        let _ = match i % 4 {
            0 => writeln!(values, "key_{i}: true"),
            1 => writeln!(
                values,
                "  image_{i}: \"registry.example.com/svc/web:1.{}\"",
                make.ids.below(40)
            ),
            2 => writeln!(values, "  url_{i}: https://x.example.com/?a=1&b={i}"),
            _ if i % 16 == 3 => writeln!(values, "  digest_{i}: {}", make.ids.hex(16)),
            _ => writeln!(values, "  limit_{i}: {}", 100 * make.ids.below(9)),
        };
    }
    let digest = make.edits.hex(12);
    json!({
        "atomic": true, "chart": "web", "cleanup_on_fail": false, "create_namespace": true, "dependency_update": false,
        "description": null, "devel": null, "id": "web", "max_history": 10,
        "metadata": [{"app_version": "1.4.0", "chart": "web", "last_deployed": 1_720_000_000 + make.edits.below(9_999_999),
            "name": "web", "namespace": "svc", "notes": "1. Get the URL:\n  kubectl -n svc get ing \"web\"\n\t<none>\n",
            "revision": make.edits.below(90), "values": "{}", "version": "0.9.1"}],
        "name": "web", "namespace": "svc", "pass_credentials": false, "repository": "oci://charts.example.com/svc",
        "set": [{"name": "image.tag", "type": "", "value": digest}],
        "set_sensitive": [{"name": "auth.token", "type": "", "value": make.ids.text(40)}], "status": "deployed",
        "timeout": 300, "values": [values], "verify": false, "version": "0.9.1", "wait": true,
    })
}

fn password(make: &mut Maker<'_>) -> Value {
    json!({
        "bcrypt_hash": format!("$2a$10${}", make.edits.text(53)), "id": "none", "keepers": {"stack": make.stack.name},
        "length": 32, "lower": true, "min_lower": 0, "min_numeric": 0, "min_special": 0, "min_upper": 0, "number": true,
        "numeric": true, "override_special": "!#$%&*()-_=+[]{}<>:?", "result": make.edits.text(32), "special": true, "upper": true,
    })
}

fn record(make: &mut Maker<'_>) -> Value {
    let name = format!("h{}.{}.example.com", make.ids.hex(4), make.stack.name);
    let values: Vec<String> = (0..2)
        .map(|_| format!("10.0.{}.{}", make.edits.below(255), make.edits.below(255)))
        .collect();
    json!({
        "alias": [], "allow_overwrite": null, "cidr_routing_policy": [], "failover_routing_policy": [], "fqdn": name,
        "geolocation_routing_policy": [], "health_check_id": "", "id": format!("Z0423917PQ8E3_{name}_A"),
        "latency_routing_policy": [], "multivalue_answer_routing_policy": false, "name": name, "records": values,
        "set_identifier": "", "timeouts": null, "ttl": 300, "type": "A", "weighted_routing_policy": [], "zone_id": "Z0423917PQ8E3",
    })
}

fn private_key(make: &mut Maker<'_>) -> Value {
    let lines: Vec<String> = (0..10 + make.ids.below(7)).map(|_| make.edits.text(64)).collect();
    let key = make.edits.text(120);
    json!({
        "algorithm": "RSA", "ecdsa_curve": "P224", "id": make.ids.hex(40),
        "private_key_pem": format!("-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----\n", lines.join("\n")),
        "public_key_fingerprint_sha256": format!("SHA256:{}", &key[..43]),
        "public_key_openssh": format!("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAB{key}\n"), "rsa_bits": 2048,
    })
}

/// `SplitMix64`, whose sequence is the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// Returns a number from 0 up to 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn of(&mut self, alphabet: &[u8], len: usize) -> String {
        (0..len).map(|_| char::from(alphabet[self.below(alphabet.len())])).collect()
    }

    fn hex(&mut self, len: usize) -> String {
        self.of(b"0123456789abcdef", len)
    }

    fn text(&mut self, len: usize) -> String {
        self.of(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", len)
    }

    fn uuid(&mut self) -> String {
        let hex = self.hex(32);
        format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
    }
}
