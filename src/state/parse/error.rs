//! Why some bytes are not a state, told so that a person can find the place.

use std::fmt;

use crate::state::address;
use crate::state::scan::{self, SyntaxError};
use crate::state::upgrade;

/// A place in a text, counted as editors count.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Place {
    /// Bytes before it.
    pub offset: usize,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl Place {
    /// Returns the place of the byte at `offset` of `text`.
    pub fn of(text: &[u8], offset: usize) -> Self {
        let before = &text[..offset.min(text.len())];
        let start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
        Self {
            offset,
            line: memchr::memchr_iter(b'\n', before).count() + 1,
            column: String::from_utf8_lossy(&before[start..]).chars().count() + 1,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Why bytes could not be read as a state.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// There are no bytes. Terraform takes this for "no state yet".
    #[error("the file is empty, which Terraform takes for \"no state yet\"")]
    Empty,
    /// The bytes are something else, recognised by how they begin or by their keys.
    #[error("this is {0}, not a state")]
    NotAState(Lookalike),
    /// OpenTofu encrypted the state.
    #[error(
        "this state is encrypted by OpenTofu (serial {serial}, lineage {lineage}, key from {keys})"
    )]
    Encrypted {
        /// The serial, which the envelope repeats in the clear.
        serial: String,
        /// The lineage, likewise.
        lineage: String,
        /// The names of the key providers in the envelope.
        keys: String,
    },
    /// The text is not JSON.
    #[error("{place}: {problem}")]
    Syntax {
        /// Where.
        place: Place,
        /// What is wrong there.
        problem: scan::Problem,
    },
    /// There is no format version.
    #[error("there is no \"version\" in it, so it is not a state")]
    NoVersion,
    /// The format version is not a number a state can have.
    #[error("{place}: \"version\" must be a whole number, and here it is {found}")]
    BadVersion {
        /// Where.
        place: Place,
        /// The JSON kind that stands there.
        found: &'static str,
    },
    /// The format version is one that nobody writes, or one from the future.
    #[error("state format version {version} is not supported{}", written_by(.writer.as_ref()))]
    UnsupportedVersion {
        /// The version.
        version: u64,
        /// What `terraform_version` says.
        writer: Option<String>,
    },
    /// The JSON is fine but Terraform would refuse the state: every reason that was found.
    #[error("{}", summary(.0))]
    Invalid(Vec<Finding>),
    /// A state of format version 1, 2 or 3 can't be upgraded.
    #[error("state format version {version} can't be upgraded to 4")]
    Upgrade {
        /// The version.
        version: u64,
        /// Why not.
        source: upgrade::Error,
    },
    /// The state is larger than the index can say.
    #[error("it is larger than 4 GiB")]
    TooLarge,
}

fn written_by(writer: Option<&String>) -> String {
    writer.map(|version| format!(" (written by version {version})")).unwrap_or_default()
}

fn summary(findings: &[Finding]) -> String {
    const SHOWN: usize = 10;
    let mut text: Vec<String> = findings.iter().take(SHOWN).map(Finding::to_string).collect();
    if findings.len() > SHOWN {
        text.push(format!("and {} more", findings.len() - SHOWN));
    }
    text.join("\n")
}

impl ParseError {
    pub(super) fn syntax(text: &[u8], error: &SyntaxError) -> Self {
        Self::Syntax { place: Place::of(text, error.offset), problem: error.problem }
    }
}

/// What people take for a state by mistake.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Lookalike {
    /// UTF-8 with a byte order mark.
    ByteOrderMark,
    /// UTF-16, as a redirect in `PowerShell` writes it.
    Utf16,
    /// A zip archive, which a plan file is.
    Zip,
    /// The binary format of Terraform before 0.3.
    Binary,
    /// An HTML or XML page.
    Markup,
    /// A file with the conflict markers of a merge, the first at this line.
    Conflict(usize),
    /// An upload in AWS's chunked framing, stored with its frames.
    AwsChunked,
    /// What `terraform show -json` prints.
    ShowJson,
    /// The record of a backend, `.terraform/terraform.tfstate`, of this type.
    BackendRecord(String),
    /// A JSON value of this kind instead of an object.
    Json(&'static str),
}

impl fmt::Display for Lookalike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByteOrderMark => f.write_str("text with a byte order mark before it"),
            Self::Utf16 => f.write_str("UTF-16 text"),
            Self::Zip => f.write_str("a zip archive, perhaps a saved plan"),
            Self::Binary => f.write_str("the binary format of Terraform before 0.3"),
            Self::Markup => f.write_str("an HTML or XML page"),
            Self::Conflict(line) => {
                write!(f, "a file with unresolved merge conflicts, the first at line {line}")
            }
            Self::AwsChunked => {
                f.write_str("an upload in AWS's chunked framing, stored with its frames")
            }
            Self::ShowJson => f.write_str("the output of `terraform show -json`"),
            Self::BackendRecord(kind) => {
                write!(f, "Terraform's record of the backend of a directory (type {kind})")
            }
            Self::Json(kind) => write!(f, "JSON with {kind} at its top"),
        }
    }
}

/// One reason why Terraform would refuse a state.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// Where.
    pub place: Place,
    /// The resource it is about, where it is about one.
    pub address: Option<String>,
    /// What is wrong.
    pub problem: Invalid,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if let Some(address) = &self.address {
            write!(f, "{}: ", crate::base::text::escape(address))?;
        }
        self.problem.fmt(f)
    }
}

/// What Terraform refuses in a state whose JSON is fine.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Invalid {
    /// A field has the wrong JSON type.
    #[error("\"{field}\" must be {expected}, and here it is {found}")]
    Type {
        /// The field, dotted from the top.
        field: &'static str,
        /// What it must be, with its article.
        expected: &'static str,
        /// The JSON kind that stands there.
        found: &'static str,
    },
    /// A number that must be a whole number from 0 to 2^64-1 is not one.
    #[error("\"{0}\" must be a whole number that is not negative")]
    Unsigned(&'static str),
    /// `terraform_version` is not a version.
    #[error("\"terraform_version\" is not a version number")]
    TerraformVersion,
    /// `mode` is neither `managed` nor `data`.
    #[error("\"mode\" must be \"managed\" or \"data\"")]
    Mode,
    /// `module` is not the address of a module instance.
    #[error("\"module\" is not the address of a module instance: {0}")]
    Module(address::Error),
    /// `index_key` is neither a number nor a string.
    #[error("\"index_key\" must be a number or a string")]
    Key,
    /// `status` is not `tainted`.
    #[error("\"status\" must be \"tainted\" or absent")]
    Status,
    /// `deposed` is not a key of eight bytes.
    #[error("\"deposed\" must be a key of 8 characters")]
    Deposed,
    /// The same instance, or the same deposed object of one, stands twice.
    #[error("the same instance stands in the state twice")]
    Duplicate,
    /// An entry of `dependencies` is not the address of a resource.
    #[error("an entry of \"dependencies\" is not the address of a resource: {0}")]
    Dependency(address::Error),
    /// A path of `sensitive_attributes` can't be read.
    #[error("a path in \"sensitive_attributes\" can't be read")]
    SensitivePath,
    /// `private` is not base64.
    #[error("\"private\" is not base64")]
    Private,
    /// An output has no value or no type.
    #[error("output \"{0}\" has no \"{1}\"")]
    OutputIncomplete(String, &'static str),
    /// The type of an output can't be read.
    #[error("the type of output \"{0}\" can't be read")]
    OutputType(String),
    /// The value of an output is not of its type.
    #[error("the value of output \"{0}\" is not of its type")]
    OutputValue(String),
    /// `config_addr` of a check result is not the address of something in the configuration.
    #[error("\"config_addr\" must be an address without instance keys")]
    CheckAddress,
    /// `object_addr` in a check result is not the address of what can be checked.
    #[error("\"object_addr\" must be the address of what was checked")]
    CheckObject,
}

/// Something that can be read, but that Terraform would drop or read otherwise than it looks.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Warning {
    /// Terraform drops this resource without a word: its provider is missing or can't be read.
    ProviderUnreadable {
        /// The resource.
        address: String,
    },
    /// Only OpenTofu reads this resource: its instances name their providers.
    ProviderOnInstances {
        /// The resource.
        address: String,
    },
    /// A key of the top level stands twice; the last one counts.
    DuplicateKey {
        /// The key.
        key: String,
        /// Where the one that counts stands.
        place: Place,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escape = crate::base::text::escape;
        match self {
            Self::ProviderUnreadable { address } => write!(
                f,
                "{} has no provider that Terraform can read: Terraform drops it silently when it next writes",
                escape(address)
            ),
            Self::ProviderOnInstances { address } => write!(
                f,
                "{} names a provider for each instance, which only OpenTofu 1.9 or later reads: Terraform drops it",
                escape(address)
            ),
            Self::DuplicateKey { key, place } => {
                write!(f, "the key \"{}\" stands twice; the one at {place} counts", escape(key))
            }
        }
    }
}
