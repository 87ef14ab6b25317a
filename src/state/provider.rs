//! Provider configurations, as resources name theirs:
//! `module.net.provider["registry.terraform.io/hashicorp/aws"].eu`.
//!
//! Reads every spelling Terraform and OpenTofu read, also those of Terraform 0.12, and prints the
//! one they write. A text that can't be read matters: Terraform silently drops the resource that
//! has it.

use std::fmt;
use std::str::FromStr;

use unicode_normalization::UnicodeNormalization;

use super::address::{self, Cursor, Key, Keys};

const TERRAFORM_REGISTRY: &str = "registry.terraform.io";
const OPENTOFU_REGISTRY: &str = "registry.opentofu.org";
const BUILTIN_HOST: &str = "terraform.io";
const BUILTIN: &str = "builtin";

/// The namespace of providers that Terraform 0.12 named by their type alone.
pub(crate) const LEGACY: &str = "-";

/// One configuration of a provider: a `provider` block.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ProviderConfig {
    /// The names of the modules around it, from the outside in.
    pub module: Vec<String>,
    /// Which provider.
    pub source: Source,
    /// The `alias` of the configuration.
    pub alias: Option<String>,
    /// Which instance of the configuration. Only OpenTofu has them; Terraform can't read a
    /// configuration with a key.
    pub key: Key,
}

/// Where a provider comes from.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Source {
    /// The registry's host, with its port unless that is 443.
    pub host: String,
    /// The organisation; `-` where Terraform 0.12 didn't say.
    pub namespace: String,
    /// The provider's own name, such as `aws`.
    pub kind: String,
}

/// A provider configuration that can't be read.
///
/// Terraform drops the resource without a word; OpenTofu refuses the state.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{problem} at offset {at}")]
pub struct Error {
    /// Offset in bytes of what is wrong; for a source, that of its opening bracket.
    pub at: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with a provider configuration.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The text breaks the rules that hold for all addresses.
    #[error(transparent)]
    Syntax(address::Problem),
    /// The source has more than three parts.
    #[error("a provider source has at most three parts, host/namespace/type")]
    Parts,
    /// The first of three parts is no host.
    #[error("the host of the provider source is not a host name")]
    Host,
    /// The namespace has other characters than letters, digits and single dashes inside.
    #[error("the namespace of the provider source may only have letters, digits and single dashes")]
    Namespace,
    /// The type has other characters than letters, digits and single dashes inside.
    #[error("the type of the provider source may only have letters, digits and single dashes")]
    Kind,
    /// The type starts with `terraform-`, which belongs to the name of the repository.
    #[error("the type of the provider source must not start with `terraform-`")]
    Prefix,
    /// A key without an alias before it.
    #[error("only a provider configuration with an alias can have a key")]
    KeyWithoutAlias,
}

impl From<address::Error> for Error {
    fn from(address::Error { at, problem }: address::Error) -> Self {
        Self { at, problem: Problem::Syntax(problem) }
    }
}

impl ProviderConfig {
    /// Reads a provider configuration in any of its spellings.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut cursor = Cursor::new(text);
        let (module, word) = address::module_and_word(&mut cursor, Keys::Refused)?;
        let expected = address::Problem::Expected("`provider`");
        match word {
            Some(word) if word.text == "provider" => {}
            Some(word) => return Err(address::Error { at: word.at, problem: expected }.into()),
            None => cursor.fail(expected)?,
        }
        let module = module.without_keys();
        if cursor.eat(b'.') { legacy(&mut cursor, module) } else { current(&mut cursor, module) }
    }

    /// Returns whether the source doesn't say who the provider is from, as up to Terraform 0.12.
    pub fn is_legacy(&self) -> bool {
        self.source.namespace == LEGACY
    }
}

/// Reads `["host/namespace/type"].alias` after `provider`.
fn current(cursor: &mut Cursor<'_>, module: Vec<String>) -> Result<ProviderConfig, Error> {
    let at = cursor.offset();
    let Key::String(text) = cursor.key()? else {
        let problem =
            Problem::Syntax(address::Problem::Expected("a provider source in `[\"`, `\"]`"));
        return Err(Error { at, problem });
    };
    let source = Source::parse(&text).map_err(|problem| Error { at, problem })?;
    let alias = alias(cursor)?;
    if alias.is_none() && cursor.sees(b'[') {
        return Err(Error { at: cursor.offset(), problem: Problem::KeyWithoutAlias });
    }
    let key = cursor.key()?;
    cursor.end()?;
    Ok(ProviderConfig { module, source, alias, key })
}

/// Reads `type.alias` after `provider.`, as Terraform wrote it up to 0.12.
fn legacy(cursor: &mut Cursor<'_>, module: Vec<String>) -> Result<ProviderConfig, Error> {
    let source = Source::legacy(cursor.name("a provider type")?);
    let alias = alias(cursor)?;
    cursor.end()?;
    Ok(ProviderConfig { module, source, alias, key: Key::None })
}

fn alias(cursor: &mut Cursor<'_>) -> Result<Option<String>, Error> {
    if !cursor.eat(b'.') {
        return Ok(None);
    }
    Ok(Some(cursor.name("an alias")?.to_owned()))
}

impl Source {
    /// Reads `host/namespace/type`, of which the first two may be missing.
    ///
    /// Letters are folded to lower case, as Terraform does.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let parts: Vec<&str> = text.split('/').collect();
        let (host, namespace, kind) = match parts[..] {
            [kind] => (None, "hashicorp", kind),
            [namespace, kind] => (None, namespace, kind),
            [host, namespace, kind] => (Some(host), namespace, kind),
            _ => return Err(Problem::Parts),
        };
        let host = match host {
            Some(host) => fold_host(host).ok_or(Problem::Host)?,
            None => TERRAFORM_REGISTRY.to_owned(),
        };
        let namespace = match namespace {
            LEGACY if is_default(&host) => LEGACY.to_owned(),
            _ => fold_part(namespace).ok_or(Problem::Namespace)?,
        };
        let kind = fold_part(kind).ok_or(Problem::Kind)?;
        if parts.len() > 1 && kind.starts_with("terraform-") {
            return Err(Problem::Prefix);
        }
        Ok(Self { host, namespace, kind })
    }

    /// Returns the source that a bare type stands for.
    fn legacy(kind: &str) -> Self {
        let (host, namespace) = match kind {
            "terraform" => (BUILTIN_HOST, BUILTIN),
            _ => (TERRAFORM_REGISTRY, LEGACY),
        };
        Self { host: host.to_owned(), namespace: namespace.to_owned(), kind: kind.to_owned() }
    }

    /// Returns the source for people: without the host where that is what one expects.
    pub fn short(&self) -> String {
        if is_default(&self.host) || (self.host == BUILTIN_HOST && self.namespace == BUILTIN) {
            return format!("{}/{}", self.namespace, self.kind);
        }
        self.to_string()
    }
}

fn is_default(host: &str) -> bool {
    host == TERRAFORM_REGISTRY || host == OPENTOFU_REGISTRY
}

/// Returns the namespace or type in its one spelling; none if it isn't one.
fn fold_part(part: &str) -> Option<String> {
    let part = fold(part);
    let dashes = part.starts_with('-') || part.ends_with('-') || part.contains("--");
    (!part.is_empty() && !dashes && part.chars().all(is_letter)).then_some(part)
}

/// Returns the host in its one spelling, without the port that is implied; none if it isn't one.
fn fold_host(text: &str) -> Option<String> {
    let (name, port) = match text.split_once(':') {
        Some((name, port)) => (name, Some(fold_port(port)?)),
        None => (text, None),
    };
    let name = fold(&name.replace(['\u{3002}', '\u{ff61}'], "."));
    let labels = name.strip_suffix('.').unwrap_or(&name);
    if !labels.split('.').all(is_label) {
        return None;
    }
    Some(match port {
        None | Some(443) => name,
        Some(port) => format!("{name}:{port}"),
    })
}

fn fold_port(text: &str) -> Option<u16> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

fn is_label(label: &str) -> bool {
    // Two dashes after two characters announce an encoding, and Terraform wants names decoded.
    let encoded = label.chars().skip(2).take(2).eq("--".chars());
    let edges = label.starts_with('-') || label.ends_with('-');
    !label.is_empty() && !encoded && !edges && label.chars().all(is_letter)
}

/// Folds the spellings of a name, as far as compatibility normalisation does what the rules for
/// international host names ask for.
fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfkc().flat_map(char::to_lowercase).nfkc().collect()
}

fn is_letter(c: char) -> bool {
    match c {
        '-' => true,
        _ if c.is_ascii() => c.is_ascii_lowercase() || c.is_ascii_digit(),
        _ => c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c),
    }
}

impl FromStr for ProviderConfig {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl FromStr for Source {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        Self::parse(text)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.host, self.namespace, self.kind)
    }
}

impl fmt::Display for ProviderConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.module {
            write!(f, "module.{step}.")?;
        }
        write!(f, "provider[\"{}\"]", self.source)?;
        if let Some(alias) = &self.alias {
            write!(f, ".{alias}")?;
        }
        write!(f, "{}", self.key)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> ProviderConfig {
        text.parse().unwrap()
    }

    fn refused(text: &str) -> (usize, Problem) {
        let error = ProviderConfig::parse(text).unwrap_err();
        (error.at, error.problem)
    }

    #[test]
    fn every_spelling_is_printed_in_full() {
        let aws = r#"provider["registry.terraform.io/hashicorp/aws"]"#;
        for (text, printed) in [
            (aws, aws),
            (r#"provider["aws"]"#, aws),
            (r#"provider["hashicorp/aws"]"#, aws),
            (r#" provider [ "REGISTRY.Terraform.io:0443/Hashicorp/AWS" ] # c"#, aws),
            (r#"provider["\u0061ws"]"#, aws),
            (r#"provider["ａｗｓ"]"#, aws),
            (r#"provider["aws"].eu-1"#, r#"provider["registry.terraform.io/hashicorp/aws"].eu-1"#),
            (
                r#"module.a.module.b.provider["foo/aws"].z"#,
                r#"module.a.module.b.provider["registry.terraform.io/foo/aws"].z"#,
            ),
            (
                r#"provider["registry.opentofu.org/acme/acme"].by["eu"]"#,
                r#"provider["registry.opentofu.org/acme/acme"].by["eu"]"#,
            ),
            (r#"provider["a"].b[0]"#, r#"provider["registry.terraform.io/hashicorp/a"].b[0]"#),
            ("provider.aws", r#"provider["registry.terraform.io/-/aws"]"#),
            ("module.a.provider.a_B.x", r#"module.a.provider["registry.terraform.io/-/a_B"].x"#),
            ("provider.terraform", r#"provider["terraform.io/builtin/terraform"]"#),
        ] {
            assert_eq!(read(text).to_string(), printed, "{text}");
        }
    }

    #[test]
    fn a_provider_that_terraform_cannot_read_is_refused_where_it_is_bad() {
        use address::Problem::{Expected, Key, Trailing};
        let source = Expected("a provider source in `[\"`, `\"]`");
        for (text, at, problem) in [
            ("", 0, Expected("a name")),
            (" aws", 1, Expected("`provider`")),
            ("module.a", 8, Expected("`provider`")),
            ("module.a.t", 9, Expected("`provider`")),
            ("provider", 8, source),
            ("provider[0]", 8, source),
            ("provider[aws]", 9, Expected("a number or a string in double quotes")),
            (r#"module.a[0].provider["aws"]"#, 8, Key),
            ("module.a[0].provider.aws", 8, Key),
            (r#"provider["aws"].x.y"#, 17, Trailing),
            (r#"provider["aws"].1"#, 16, Expected("an alias")),
            ("provider.aws[0]", 12, Trailing),
            ("provider.aws.x.y", 14, Trailing),
            ("provider.1", 9, Expected("a provider type")),
        ] {
            assert_eq!(refused(text), (at, Problem::Syntax(problem)), "{text}");
        }
        assert_eq!(refused(r#"provider["aws"]["x"]"#), (15, Problem::KeyWithoutAlias));
        assert_eq!(refused(r#"provider[ "a_b" ].x"#), (8, Problem::Kind));
    }

    #[test]
    fn a_source_has_up_to_three_good_parts() {
        for bad in ["", "/", "a//b", "a_b", "a--b", "-a", "a-", "a.b", "a b", "aws/", " aws", "-"] {
            let problem = Source::parse(bad).unwrap_err();
            assert!(matches!(problem, Problem::Kind | Problem::Namespace), "{bad:?}: {problem}");
        }
        for (text, problem) in [
            ("a/b/c/d", Problem::Parts),
            ("a.b/c", Problem::Namespace),
            ("example.com/-/b", Problem::Namespace),
            ("-/a_b", Problem::Kind),
            ("x/Terraform-aws", Problem::Prefix),
            ("h/x/terraform-provider-aws", Problem::Prefix),
        ] {
            assert_eq!(Source::parse(text), Err(problem), "{text}");
        }
        assert_eq!(Source::parse("terraform-a").unwrap().short(), "hashicorp/terraform-a");
        assert_eq!(Source::parse("É/日本").unwrap().short(), "é/日本");
    }

    #[test]
    fn the_host_of_a_source_is_a_host_name() {
        for (host, printed) in [
            ("localhost", "localhost"),
            ("localhost:08080", "localhost:8080"),
            ("EXAMPLE.com:443", "example.com"),
            ("example.com:0", "example.com:0"),
            ("example.com.", "example.com."),
            ("127.0.0.1:90", "127.0.0.1:90"),
            ("MÜNCHEN.de", "münchen.de"),
            ("example。com", "example.com"),
            ("a--b.com", "a--b.com"),
            ("abc--d.com", "abc--d.com"),
        ] {
            assert_eq!(Source::parse(&format!("{host}/a/b")).unwrap().host, printed);
        }
        for host in [
            "",
            ".",
            ".a",
            "a..b",
            "a..",
            "-a.b",
            "a-.b",
            "a_b.c",
            "a%62",
            "xn--mnchen-3ya.de",
            "ab--c.com",
            "[::1]",
            "a:",
            "a:x",
            "a:-1",
            "a:65536",
            "a:80:90",
        ] {
            assert_eq!(Source::parse(&format!("{host}/a/b")), Err(Problem::Host), "{host}");
        }
    }

    #[test]
    fn people_are_shown_the_host_only_where_it_says_something() {
        for (source, short) in [
            ("registry.terraform.io/hashicorp/aws", "hashicorp/aws"),
            ("registry.opentofu.org/hashicorp/aws", "hashicorp/aws"),
            ("terraform.io/builtin/terraform", "builtin/terraform"),
            ("terraform.io/x/y", "terraform.io/x/y"),
            ("example.com:8080/x/y", "example.com:8080/x/y"),
        ] {
            assert_eq!(Source::parse(source).unwrap().short(), short);
        }
    }

    #[test]
    fn legacy_providers_are_known_by_their_namespace() {
        assert!(read("provider.aws").is_legacy());
        assert!(read(r#"provider["registry.terraform.io/-/aws"]"#).is_legacy());
        assert!(read(r#"provider["registry.opentofu.org/-/aws"]"#).is_legacy());
        assert!(!read("provider.terraform").is_legacy());
        assert!(!read(r#"provider["aws"]"#).is_legacy());
    }

    #[test]
    fn an_error_says_what_and_where() {
        let said = |text| ProviderConfig::parse(text).unwrap_err().to_string();
        assert_eq!(
            said("module.a[0].provider.x"),
            "an instance key is not allowed here at offset 8"
        );
        assert_eq!(
            said(r#"provider["a/b/c/d"]"#),
            "a provider source has at most three parts, host/namespace/type at offset 8"
        );
    }

    proptest! {
        #[test]
        fn what_was_read_prints_to_something_that_reads_the_same(
            text in "(module\\.[a-z]\\.){0,2}provider\\[\"([a-zé.]{1,6}(:[0-9]{1,3})?/)?([a-zA-Z0-9é-]{1,4}/)?[a-zA-Z-]{1,4}\"\\](\\.[a-z]{1,3}(\\[[0-9]\\]|\\[\"[a-z$%{]{0,3}\"\\])?)?"
        ) {
            if let Ok(config) = ProviderConfig::parse(&text) {
                prop_assert_eq!(ProviderConfig::parse(&config.to_string()), Ok(config));
            }
        }

        #[test]
        fn any_text_is_read_or_refused_inside_itself(
            text in prop_oneof![any::<String>(), "(module\\.a\\.)?provider(\\.|\\[\"|.){0,6}\\PC{0,8}(\"\\])?"]
        ) {
            if let Err(error) = ProviderConfig::parse(&text) {
                prop_assert!(text.is_char_boundary(error.at), "{:?} in {:?}", error, text);
            }
        }

        #[test]
        fn any_source_is_read_or_refused(text in any::<String>()) {
            if let Ok(source) = Source::parse(&text) {
                prop_assert!(!source.kind.is_empty() && !source.namespace.is_empty());
            }
        }
    }
}
