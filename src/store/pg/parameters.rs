//! How to reach a database: a URL or `key=value` pairs, and what the environment adds, as the library
//! reads them that Terraform uses.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;
use url::Url;

use super::tls::Trust;
use crate::base::env::Env;

/// What can be left to the environment.
const VARIABLES: [(&str, &str); 12] = [
    ("host", "PGHOST"),
    ("port", "PGPORT"),
    ("dbname", "PGDATABASE"),
    ("user", "PGUSER"),
    ("password", "PGPASSWORD"),
    ("options", "PGOPTIONS"),
    ("connect_timeout", "PGCONNECT_TIMEOUT"),
    ("sslmode", "PGSSLMODE"),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("sslcert", "PGSSLCERT"),
    ("sslkey", "PGSSLKEY"),
    ("passfile", "PGPASSFILE"),
];

/// How to reach a database. Its debug output has no password.
pub(super) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Reads what is set, and adds what only the environment says.
    pub(super) fn read(text: &str, env: &Env) -> Result<Self, String> {
        let is_url = ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme));
        let mut found = if is_url { of_url(text)? } else { of_pairs(text)? };
        for (name, variable) in VARIABLES {
            if let (false, Some(value)) = (found.contains_key(name), env.get(variable)) {
                found.insert(name.to_owned(), value);
            }
        }
        let mut add = |name: &str, value: Option<String>| {
            if let (false, Some(value)) = (found.contains_key(name), value) {
                found.insert(name.to_owned(), value);
            }
        };
        add("host", Some("localhost".to_owned()));
        add("port", Some("5432".to_owned()));
        add("user", ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| env.get(name)));
        let home = env.path("HOME").map(|home| home.join(".pgpass").display().to_string());
        add("passfile", home);
        let user = found.get("user").cloned().ok_or("no user is named")?;
        found.entry("dbname".to_owned()).or_insert(user);
        Ok(Self(found))
    }

    fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// Returns the name of the host, to tell people.
    pub(super) fn host(&self) -> String {
        format!("{}:{}", self.get("host"), self.get("port"))
    }

    /// Returns the name of the database.
    pub(super) fn database(&self) -> &str {
        self.get("dbname")
    }

    /// Returns what encrypts the connection, and whom it trusts.
    pub(super) fn trust(&self) -> Result<Trust, String> {
        let path = |name: &str| Some(PathBuf::from(self.get(name))).filter(|p| p != "");
        let root = path("sslrootcert");
        let checks = match self.get("sslmode") {
            "disable" => return Ok(Trust::Nobody),
            "allow" | "prefer" => super::tls::Checks::Nothing,
            // Terraform's default; a certificate that is given is not given for nothing.
            "" | "require" if root.as_ref().is_none_or(|root| !root.exists()) => {
                super::tls::Checks::Nothing
            }
            "" | "require" | "verify-ca" => super::tls::Checks::Signature,
            "verify-full" => super::tls::Checks::SignatureAndName,
            _ => return Err("`sslmode` is none that there is".to_owned()),
        };
        let own = match (path("sslcert"), path("sslkey")) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            _ => None,
        };
        Ok(Trust::Whom { checks, root, own })
    }

    /// Returns what to connect with, where an answer may take `patience`.
    pub(super) fn config(&self, patience: Duration) -> Result<Config, String> {
        let mut config = Config::new();
        let mut ports = Vec::new();
        for port in self.get("port").split(',') {
            ports.push(port.parse().map_err(|_| "`port` is not a number")?);
        }
        for host in self.get("host").split(',') {
            config.host(host);
        }
        for port in ports {
            config.port(port);
        }
        config.user(self.get("user")).dbname(self.database());
        match self.get("password") {
            "" => drop(self.password_on_file().map(|password| config.password(password))),
            password => drop(config.password(password)),
        }
        if !self.get("options").is_empty() {
            config.options(self.get("options"));
        }
        let timeout = match self.get("connect_timeout") {
            "" | "0" => patience,
            text => {
                Duration::from_secs(text.parse().map_err(|_| "`connect_timeout` is not a number")?)
            }
        };
        config.connect_timeout(timeout).keepalives_idle(patience).tcp_user_timeout(patience);
        config.application_name("tfstate").ssl_mode(match self.get("sslmode") {
            "disable" => SslMode::Disable,
            "allow" | "prefer" => SslMode::Prefer,
            _ if self.get("host").starts_with('/') => SslMode::Disable,
            _ => SslMode::Require,
        });
        Ok(config)
    }

    /// Looks for a line `host:port:database:user:password`, in which `*` stands for anything.
    fn password_on_file(&self) -> Option<String> {
        let text = std::fs::read_to_string(self.get("passfile")).ok()?;
        let asked = ["host", "port", "dbname", "user"].map(|name| self.get(name));
        text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
            let fields = fields(line);
            let [names @ .., password] = fields.as_slice() else { return None };
            let fits = names.len() == asked.len()
                && names.iter().zip(asked).all(|(name, asked)| name == "*" || name == asked);
            fits.then(|| password.clone())
        })
    }
}

/// Splits at colons that have no backslash before them.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        let letter = match letter {
            ':' => {
                fields.push(String::new());
                continue;
            }
            '\\' => letters.next().unwrap_or('\\'),
            letter => letter,
        };
        fields.last_mut().into_iter().for_each(|field| field.push(letter));
    }
    fields
}

/// The address may hold a password, so none of it is repeated where it can't be used.
fn of_url(text: &str) -> Result<BTreeMap<String, String>, String> {
    let url = Url::parse(text).map_err(|_| "`conn_str` is not an address")?;
    let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let parts = [
        ("user", plain(url.username())),
        ("password", plain(url.password().unwrap_or_default())),
        ("host", plain(url.host_str().unwrap_or_default()).trim_matches(['[', ']']).to_owned()),
        ("port", url.port().map(|port| port.to_string()).unwrap_or_default()),
        ("dbname", plain(url.path().trim_start_matches('/'))),
    ];
    let parts = parts.into_iter().map(|(name, value)| (name.to_owned(), value));
    let query = url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned()));
    Ok(parts.chain(query).filter(|(_, value)| !value.is_empty()).collect())
}

/// Reads `key=value` pairs; a value may stand in single quotes, and a backslash saves what follows.
fn of_pairs(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut found = BTreeMap::new();
    let mut letters = text.chars().peekable();
    loop {
        while letters.next_if(|letter| letter.is_whitespace()).is_some() {}
        if letters.peek().is_none() {
            return Ok(found);
        }
        let mut name = String::new();
        while let Some(letter) = letters.next_if(|letter| *letter != '=') {
            name.push(letter);
        }
        let missing = || "`conn_str` is neither an address nor pairs of key and value".to_owned();
        letters.next().ok_or_else(missing)?;
        while letters.next_if(|letter| letter.is_whitespace()).is_some() {}
        let quoted = letters.next_if_eq(&'\'').is_some();
        let mut value = String::new();
        let ends = |letter: &char| if quoted { *letter == '\'' } else { letter.is_whitespace() };
        while let Some(letter) = letters.next_if(|letter| !ends(letter)) {
            let letter = if letter == '\\' { letters.next().unwrap_or('\\') } else { letter };
            value.push(letter);
        }
        if quoted && letters.next().is_none() {
            return Err("`conn_str` has a quote without an end".to_owned());
        }
        found.insert(name.trim().to_owned(), value);
    }
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Parameters({}/{})", self.host(), self.database())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, env: &[(&str, &str)]) -> Parameters {
        Parameters::read(text, &Env::from_pairs(env.iter().copied())).unwrap()
    }

    #[test]
    fn an_address_and_pairs_mean_the_same() {
        let address = read("postgres://u:p%40@h:1/d?sslmode=disable", &[]);
        let pairs = read(r"host=h port = 1 user=u password='p@' dbname=d sslmode=disable", &[]);
        let spaced = read(r"host=h port=1 user=u password=p\@ dbname=d  sslmode='disable' ", &[]);
        for parameters in [&address, &pairs, &spaced] {
            for (name, value) in
                [("host", "h"), ("port", "1"), ("user", "u"), ("password", "p@"), ("dbname", "d")]
            {
                assert_eq!(parameters.get(name), value, "{name}");
            }
            assert_eq!(format!("{parameters:?}"), "Parameters(h:1/d)");
        }
    }

    #[test]
    fn the_environment_fills_what_is_left_open() {
        let env = [("PGHOST", "h"), ("PGUSER", "u"), ("PGPASSWORD", "p"), ("PGSSLMODE", "disable")];
        let parameters = read("postgres://other/", &env);
        assert_eq!(parameters.host(), "other:5432");
        assert_eq!((parameters.get("user"), parameters.database()), ("u", "u"));
        assert!(matches!(parameters.trust(), Ok(Trust::Nobody)));
    }

    #[test]
    fn nonsense_is_refused_without_repeating_it() {
        for text in ["postgres://u:S3CR3T@[", "S3CR3T", "password='S3CR3T"] {
            let problem = Parameters::read(text, &Env::from_pairs([("USER", "u")])).unwrap_err();
            assert!(!problem.contains("S3CR3T"), "{problem}");
        }
        let port = read("postgres://u@h/d?port=x", &[]);
        assert!(port.config(Duration::from_secs(1)).is_err());
        assert!(read("postgres://u@h/d?sslmode=loud", &[]).trust().is_err());
    }

    #[test]
    fn a_password_is_found_in_the_password_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pgpass");
        let text = b"# a comment\nother:*:*:*:no\nh:1:*:u:a\\:b\n";
        crate::base::fs::write_new(&path, text).unwrap();
        let file = path.display().to_string();
        let found = |address: &str| read(address, &[("PGPASSFILE", &file)]).password_on_file();
        assert_eq!(found("postgres://u@h:1/d").as_deref(), Some("a:b"));
        assert_eq!(found("postgres://u@h:2/d"), None);
    }
}
