//! Where credentials for S3 come from, and in which order.

use std::path::PathBuf;

use tfstate::base::env::Env;
use tfstate::base::secret::Secret;
use tfstate::store::backend::{AssumeRole, S3, WebIdentity};
use tfstate::store::{Error, Found, Problem};

use crate::contract::told;
use crate::s3::{open, settings};
use crate::s3_server::sts::ACCOUNT;
use crate::s3_server::{ACCESS_KEY, Fault, SECRET_KEY, Server, When};

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

const ROLE: &str = "arn:aws:iam::123456789012:role/state";

fn role() -> AssumeRole {
    AssumeRole { role_arn: ROLE.to_owned(), ..AssumeRole::default() }
}

/// Returns the parameters of the requests to STS, and who signed each.
fn asked(home: &Home) -> Vec<(Vec<(String, String)>, String)> {
    let requests = home.server.requests().into_iter().filter(|(line, _)| line.contains("Action="));
    let asked = requests.map(|(line, headers)| {
        let query = line.split_once('?').unwrap().1.to_owned();
        let pairs = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let by = headers.get("x-amz-security-token").cloned().unwrap_or_default();
        (pairs, by)
    });
    asked.collect()
}

#[test]
fn a_role_is_assumed_with_all_that_its_settings_say() {
    let home = Home::new("", &keys("default"));
    let role = AssumeRole {
        session_name: Some("night".to_owned()),
        external_id: Some("outside".to_owned()),
        duration_seconds: Some(1800),
        policy: Some(r#"{"Version":"2012-10-17","Statement":[]}"#.to_owned()),
        policy_arns: vec!["arn:aws:iam::123456789012:policy/narrow".to_owned()],
        tags: [("team".to_owned(), "net".to_owned())].into(),
        ..role()
    };
    home.read(S3 { assume_role: Some(role), ..bucket() }, &[]).unwrap();
    let asked = asked(&home);
    let [(said, _)] = &asked[..] else { panic!("{asked:?}") };
    for (name, value) in [
        ("RoleArn", ROLE),
        ("RoleSessionName", "night"),
        ("ExternalId", "outside"),
        ("DurationSeconds", "1800"),
        ("Policy", r#"{"Version":"2012-10-17","Statement":[]}"#),
        ("PolicyArns.member.1.arn", "arn:aws:iam::123456789012:policy/narrow"),
        ("Tags.member.1.Key", "team"),
        ("Tags.member.1.Value", "net"),
    ] {
        assert!(said.contains(&(name.to_owned(), value.to_owned())), "{name}: {said:?}");
    }
}

#[test]
fn a_web_identity_opens_a_role_and_that_opens_the_next() {
    let home = Home::new("", WRONG);
    let first = "arn:aws:iam::123456789012:role/first";
    let identity = WebIdentity {
        role_arn: Some(first.to_owned()),
        web_identity_token: Some(Secret::new("t0ken")),
        duration_seconds: Some(900),
        policy_arns: vec!["arn:aws:iam::123456789012:policy/narrow".to_owned()],
        ..WebIdentity::default()
    };
    let settings =
        S3 { assume_role_with_web_identity: Some(identity), assume_role: Some(role()), ..bucket() };
    home.read(settings, &[]).unwrap();
    let steps = asked(&home);
    let [(opened, _), (_, by)] = &steps[..] else { panic!("{steps:?}") };
    for (name, value) in [
        ("WebIdentityToken", "t0ken"),
        ("RoleArn", first),
        ("DurationSeconds", "900"),
        ("PolicyArns.member.1.arn", "arn:aws:iam::123456789012:policy/narrow"),
    ] {
        assert!(opened.contains(&(name.to_owned(), value.to_owned())), "{name}: {opened:?}");
    }
    assert_eq!(*by, format!("token-of-{first}"));
}

#[test]
fn profiles_lead_from_one_role_to_the_next() {
    let arn = |name: &str| format!("arn:aws:iam::123456789012:role/{name}");
    let (first, second) = (arn("first"), arn("second"));
    let home = Home::new(
        &format!(
            "[profile a]\nrole_arn = {second}\nsource_profile = b\n\
             [profile b]\nrole_arn = {first}\nsource_profile = c\n\
             [profile round]\nrole_arn = {first}\nsource_profile = trip\n\
             [profile trip]\nrole_arn = {first}\nsource_profile = round\n"
        ),
        &keys("c"),
    );
    home.read(bucket(), &[("AWS_PROFILE", "a")]).unwrap();
    let steps = asked(&home);
    let roles: Vec<_> = steps
        .iter()
        .map(|(said, by)| {
            let role = said.iter().find(|(name, _)| name == "RoleArn").unwrap();
            (role.1.as_str(), by.as_str())
        })
        .collect();
    let token = format!("token-of-{first}");
    assert_eq!(roles, [(first.as_str(), ""), (second.as_str(), token.as_str())]);
    // A link that breaks says which.
    home.server.fail(Fault::status("GET /?Action", When::Before, 403, "AccessDenied").times(2));
    let broken = told(&home.read(bucket(), &[("AWS_PROFILE", "a")]).unwrap_err());
    assert!(broken.contains("AccessDenied"), "{broken}");
    home.server.heal();
    let round = told(&home.read(bucket(), &[("AWS_PROFILE", "round")]).unwrap_err());
    assert!(round.contains("lead in a circle"), "{round}");
}

#[test]
fn only_credentials_of_accounts_that_are_allowed_are_used() {
    let home = Home::new("", &keys("default"));
    let some = |account: &str| vec![account.to_owned()];
    let allowed = |account| S3 { allowed_account_ids: some(account), ..bucket() };
    let forbidden = |account| S3 { forbidden_account_ids: some(account), ..bucket() };
    home.read(allowed(ACCOUNT), &[]).unwrap();
    assert_eq!(asked(&home).len(), 1);
    home.read(forbidden("210987654321"), &[]).unwrap();

    let wrong = home.read(allowed("210987654321"), &[]).unwrap_err();
    assert_eq!(wrong.to_string(), "cannot read s3://states/a: the credentials are refused");
    let why = format!("they are of the account {ACCOUNT}, which `allowed_account_ids` has not");
    assert!(told(&wrong).contains(&why), "{}", told(&wrong));
    let wrong = told(&home.read(forbidden(ACCOUNT), &[]).unwrap_err());
    assert!(wrong.contains("which `forbidden_account_ids` has"), "{wrong}");
    home.server.requests();
    // What can't be asked is not taken for allowed.
    home.server.fail(Fault::status("GET /?Action", When::Before, 403, "AccessDenied"));
    let unknown = told(&home.read(forbidden("210987654321"), &[]).unwrap_err());
    assert!(unknown.contains("is not known: the answer is 403: AccessDenied"), "{unknown}");
    assert!(home.server.requests().iter().all(|(line, _)| !line.contains("/states/")));
}

#[test]
fn the_account_of_a_role_is_that_of_the_role() {
    let home = Home::new("", &keys("default"));
    let allowed_account_ids = vec![ACCOUNT.to_owned()];
    let settings = S3 { assume_role: Some(role()), allowed_account_ids, ..bucket() };
    home.read(settings, &[]).unwrap();
    let steps = asked(&home);
    assert_eq!(steps.len(), 2);
    assert_eq!(steps[1].1, format!("token-of-{ROLE}"));
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
