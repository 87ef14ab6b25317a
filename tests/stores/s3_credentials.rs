//! Where credentials for S3 come from, and in which order.

use std::path::PathBuf;

use tfstate::base::env::Env;
use tfstate::base::secret::Secret;
use tfstate::store::backend::S3;
use tfstate::store::{Error, Found, Problem};

use crate::contract::told;
use crate::s3::{open, settings};
use crate::s3_server::{ACCESS_KEY, SECRET_KEY, Server};

/// A server, a home directory with files of the AWS tools, and what is asked of them.
struct Home {
    server: Server,
    folder: tempfile::TempDir,
}

impl Home {
    fn new(config: &str, credentials: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(".aws")).unwrap();
        let home = Self { server: Server::start(), folder };
        home.server.put("a", b"{}");
        home.write(".aws/config", config);
        home.write(".aws/credentials", credentials);
        home
    }

    fn write(&self, name: &str, text: &str) {
        tfstate::base::fs::write_new(&self.path(name), text.as_bytes()).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Reads a state with these variables, and with nothing else but the home directory.
    fn read(&self, settings: S3, env: &[(&str, &str)]) -> Result<(), Error> {
        let home = self.folder.path().to_str().unwrap();
        let usual = [
            ("HOME", home),
            ("USERPROFILE", home),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("AWS_ENDPOINT_URL", &self.server.endpoint),
            ("TFSTATE_NETWORK_TIMEOUT", "5"),
        ];
        let env = Env::from_pairs(usual.iter().chain(env).copied());
        match open(settings, &env).read("a")? {
            Found::Bytes(..) => Ok(()),
            other => panic!("{other:?}"),
        }
    }

    /// Returns the key that the last request was signed with.
    fn signed_by(&self) -> String {
        let (_, headers) = self.server.requests().pop().unwrap();
        let text = headers["authorization"].split_once("Credential=").unwrap().1.to_owned();
        text.split('/').next().unwrap().to_owned()
    }
}

fn bucket() -> S3 {
    S3 { bucket: "states".to_owned(), ..S3::default() }
}

fn keys(section: &str) -> String {
    format!("[{section}]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n")
}

const WRONG: &str = "[default]\naws_access_key_id = WRONG\naws_secret_access_key = WRONG\n";

#[test]
fn keys_come_from_the_environment_before_the_files() {
    let home = Home::new("", WRONG);
    let env = [("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY)];
    home.read(bucket(), &env).unwrap();
    assert_eq!(home.signed_by(), ACCESS_KEY);
    // A profile that does not exist is no matter then.
    home.read(bucket(), &[env[0], env[1], ("AWS_PROFILE", "gone")]).unwrap();
}

#[test]
fn a_profile_of_the_settings_comes_before_the_environment() {
    let home = Home::new("", &keys("work"));
    let env = [("AWS_ACCESS_KEY_ID", "WRONG"), ("AWS_SECRET_ACCESS_KEY", "WRONG")];
    home.read(S3 { profile: Some("work".to_owned()), ..bucket() }, &env).unwrap();
    assert_eq!(home.signed_by(), ACCESS_KEY);
}

#[test]
fn the_environment_chooses_a_profile_and_the_default_is_default() {
    let home = Home::new("", &format!("{WRONG}{}", keys("work")));
    home.read(bucket(), &[("AWS_PROFILE", "work")]).unwrap();
    home.read(bucket(), &[]).unwrap_err();
    assert_eq!(home.signed_by(), "WRONG");
}

#[test]
#[cfg(unix)]
fn a_process_gives_credentials() {
    let home = Home::new("", "");
    let said =
        format!(r#"{{"Version":1,"AccessKeyId":"{ACCESS_KEY}","SecretAccessKey":"{SECRET_KEY}"}}"#);
    home.write("said.json", &said);
    let command = format!("cat {}", home.path("said.json").display());
    let config = format!("[profile tool]\ncredential_process = {command}\n");
    home.write("config", &config);
    let file = vec![home.path("config")];
    let settings = S3 { shared_config_files: file, profile: Some("tool".to_owned()), ..bucket() };
    home.read(settings, &[]).unwrap();
}

#[test]
fn without_credentials_that_is_said_and_nothing_is_asked() {
    let home = Home::new("", "");
    let error = home.read(bucket(), &[]).unwrap_err();
    assert!(matches!(&error, Error::Remote { problem: Problem::NoCredentials, .. }), "{error:?}");
    assert_eq!(error.to_string(), "cannot read s3://states/a: there are no credentials");
    assert!(home.server.requests().is_empty());
}

#[test]
fn a_profile_that_cannot_work_says_why() {
    let home = Home::new(
        "[profile role]\nrole_arn = arn:aws:iam::1:role/x\n\
         [profile mfa]\nrole_arn = arn:aws:iam::1:role/x\nmfa_serial = 1\nsource_profile = mfa\n\
         [profile sso]\nsso_start_url = https://example.awsapps.com/start\nsso_region = us-east-1\n\
         sso_account_id = 1\nsso_role_name = x\n",
        "",
    );
    let said = |name| told(&home.read(bucket(), &[("AWS_PROFILE", name)]).unwrap_err());
    assert!(said("gone").contains("there is no profile `gone` in the shared files"));
    assert!(said("role").contains("profile `role` has a role, and no `source_profile`"));
    assert!(said("mfa").contains("profile `mfa` asks for a second factor"));
    assert!(said("sso").contains("aws sso login"), "{}", said("sso"));
}

#[test]
fn half_a_pair_of_keys_is_refused() {
    let half = S3 { access_key: Some(Secret::new("A")), ..bucket() };
    let backend = tfstate::store::Backend::S3(Box::new(half));
    let error = tfstate::store::connect(&backend, &Env::default()).unwrap_err();
    assert!(error.to_string().contains("belong together"), "{error}");
}

#[test]
fn debug_output_of_a_store_shows_no_credential() {
    let server = Server::start();
    let (settings, env) = settings(&server);
    let token = Some(Secret::new("t0ken-of-a-session"));
    let store = open(S3 { token, ..settings }, &env);
    let shown = format!("{store:?} {store:#?}");
    assert!(!shown.contains(SECRET_KEY) && !shown.contains("t0ken"), "{shown}");
}
