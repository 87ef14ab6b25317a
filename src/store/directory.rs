//! The state of a working directory, by Terraform's own rules.
//!
//! Terraform keeps two notes in its data directory: `environment`, the selected workspace, and
//! `terraform.tfstate`, which is not a state but the record of the backend. Without a record the
//! directory was never initialised, or its state is local; its configuration says which.

use std::path::{Path, PathBuf};

use super::backend::{self, Configured, Standing, given, record};
use super::place::{Place, Workspace};
use super::{Backend, Context, Error, Location, workspace};
use crate::base::glob::Glob;

/// A working directory and its backend.
#[derive(Debug)]
pub(super) struct Directory {
    dir: PathBuf,
    data: PathBuf,
    backend: Backend,
}

impl Directory {
    /// Looks at a directory, and asks nothing over the network.
    pub(super) fn open(dir: &Path, context: Context<'_>) -> Result<Self, Error> {
        let data = dir.join(context.env.path("TF_DATA_DIR").unwrap_or_else(|| ".terraform".into()));
        let path = data.join("terraform.tfstate");
        let recorded = match workspace::optional(&path)? {
            Some(text) => Some(record::parse(&path, &text)?),
            None => None,
        };
        let is_new = recorded.is_none();
        let mut configured = match recorded {
            Some(recorded) => recorded,
            None => backend::block::find(dir)?,
        };
        // What was given to `terraform init` is in its record; before it, only here.
        let mut given = Vec::new();
        if is_new && configured.is_some() {
            given = given::read(&given::of_init(context.env), dir)?;
        }
        given.extend(given::read(context.backend_config, Path::new(""))?);
        if !given.is_empty() {
            configured.get_or_insert_with(Configured::local).overlay(given);
        }
        let standing = Standing { dir, env: context.env };
        let backend = match configured {
            Some(configured) => configured.backend(standing)?,
            None => Backend::Local(backend::Local::default()),
        };
        Ok(Self { dir: dir.to_owned(), data, backend })
    }

    /// Returns its backend.
    pub(super) fn backend(&self) -> &Backend {
        &self.backend
    }

    /// Returns the state of the selected workspace.
    pub(super) fn selected(&self, context: Context<'_>) -> Result<Location, Error> {
        self.location(workspace::selected(&self.data, context)?, context)
    }

    /// Returns the states of all workspaces whose names match, as `terraform workspace list` has
    /// them, but without a default one that has no state where there are others.
    pub(super) fn matching(
        &self,
        names: &Glob,
        context: Context<'_>,
    ) -> Result<Vec<Location>, Error> {
        let all = match &self.backend {
            Backend::Local(local) => workspace::of_folder(local, &self.dir)?,
            backend => {
                let place = Place::connect(backend, String::new(), context.env)?;
                workspace::of_store(backend, place.store.as_ref())?
            }
        };
        let mut locations = Vec::new();
        for name in all.into_iter().filter(|name| names.matches(name)) {
            locations.push(self.location(name, context)?);
        }
        if locations.len() > 1 && !exists(&locations[0])? {
            locations.remove(0);
        }
        Ok(locations)
    }

    fn location(&self, name: String, context: Context<'_>) -> Result<Location, Error> {
        if let Backend::Local(local) = &self.backend {
            let file = workspace::file(local, &self.dir, &name);
            return Ok(Location::Directory { dir: self.dir.clone(), workspace: name, file });
        }
        let Some(key) = workspace::key(&self.backend, &name) else {
            let what = format!("the {} backend of {}", self.backend.kind(), self.dir.display());
            return Err(Error::NoWorkspaces { name, what });
        };
        let mut place = Place::connect(&self.backend, key, context.env)?;
        place.workspace = Some(Workspace { dir: self.dir.clone(), name });
        Ok(Location::Stored(place))
    }
}

fn exists(location: &Location) -> Result<bool, Error> {
    match location {
        Location::Stored(place) => Ok(place.store.head(&place.key)?.is_some()),
        other => Ok(other.path().is_none_or(Path::exists)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::base::env::Env;
    use crate::base::fs as files;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new(files: &[(&str, &str)]) -> Self {
            let folder = Self(tempfile::tempdir().unwrap());
            for (name, text) in files {
                folder.add(name, text);
            }
            folder
        }

        fn recorded(record: &str) -> Self {
            Self::new(&[(".terraform/terraform.tfstate", record)])
        }

        fn add(&self, name: &str, text: &str) {
            let path = self.0.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            files::write_new(&path, text.as_bytes()).unwrap();
        }

        fn resolve(&self, env: &[(&str, &str)], workspace: Option<&str>) -> Result<String, Error> {
            let env = Env::from_pairs(env.iter().copied());
            let context = Context { workspace, ..Context::of(&env) };
            let location = Directory::open(self.0.path(), context)?.selected(context)?;
            let file = location.path().unwrap().strip_prefix(self.0.path()).unwrap();
            Ok(file.to_str().unwrap().to_owned())
        }

        /// Returns type and key of the backend, with what was given to `terraform init`.
        fn backend(&self, env: &[(&str, &str)], given: &[&str]) -> Result<(String, String), Error> {
            let env = Env::from_pairs(env.iter().copied());
            let given: Vec<String> = given.iter().map(ToString::to_string).collect();
            let context = Context { backend_config: &given, ..Context::of(&env) };
            let directory = Directory::open(self.0.path(), context)?;
            let backend = directory.backend();
            let key = workspace::key(backend, "default").unwrap_or_default();
            Ok((backend.kind().to_owned(), key))
        }

        fn refused(&self, given: &[&str]) -> String {
            let error = self.backend(&[], given).unwrap_err();
            assert!(!format!("{error:?}").contains("S3CR3T"), "{error:?}");
            error.to_string().replace(&format!("{}/", self.0.path().display()), "")
        }
    }

    fn record(rest: &str) -> String {
        format!(r#"{{"version":3,"terraform_version":"1.11.4",{rest}}}"#)
    }

    const S3: &str =
        "terraform {\n  backend \"s3\" {\n    bucket = \"b\"\n    key = \"k\"\n  }\n}\n";

    fn s3_with(key: &str) -> (String, String) {
        ("s3".to_owned(), key.to_owned())
    }

    #[test]
    fn without_any_note_it_is_the_default_workspace_in_the_default_file() {
        assert_eq!(Folder::new(&[]).resolve(&[], None).unwrap(), "terraform.tfstate");
    }

    #[test]
    fn the_option_wins_over_the_variable_and_the_variable_over_the_note() {
        let folder = Folder::new(&[(".terraform/environment", "note\n")]);
        let file = |name| format!("terraform.tfstate.d/{name}/terraform.tfstate");
        let env = [("TF_WORKSPACE", "variable")];
        assert_eq!(folder.resolve(&[], None).unwrap(), file("note"));
        assert_eq!(folder.resolve(&[("TF_WORKSPACE", "")], None).unwrap(), file("note"));
        assert_eq!(folder.resolve(&env, None).unwrap(), file("variable"));
        assert_eq!(folder.resolve(&env, Some("option")).unwrap(), file("option"));
        assert_eq!(folder.resolve(&env, Some("default")).unwrap(), "terraform.tfstate");
    }

    #[test]
    fn the_data_directory_can_be_elsewhere() {
        let folder = Folder::new(&[("data/environment", "dev")]);
        let file = folder.resolve(&[("TF_DATA_DIR", "data")], None).unwrap();
        assert_eq!(file, "terraform.tfstate.d/dev/terraform.tfstate");
    }

    #[test]
    fn a_recorded_local_backend_says_where_its_files_are() {
        let folder = Folder::recorded(include_str!("../../testdata/backends/local.json"));
        assert_eq!(folder.resolve(&[], None).unwrap(), "states/prod.tfstate");
        let dev = folder.resolve(&[], Some("dev")).unwrap();
        assert_eq!(dev, "states/workspaces/dev/terraform.tfstate");
    }

    #[test]
    fn settings_that_are_null_are_the_defaults() {
        let nulls = r#""backend":{"type":"local","config":{"path":null,"workspace_dir":null}}"#;
        let folder = Folder::recorded(&record(nulls));
        assert_eq!(folder.resolve(&[], None).unwrap(), "terraform.tfstate");
        let folder = Folder::recorded(&record(r#""modules":[]"#));
        assert_eq!(folder.resolve(&[], None).unwrap(), "terraform.tfstate");
    }

    #[test]
    fn a_record_that_terraform_would_refuse_is_refused() {
        let cases = [
            ("", "it is not valid JSON"),
            (r#"{"version":4}"#, "it is a state, not a record of a backend"),
            (r#"{"version":2}"#, "its version is not 3"),
            ("[]", "its version is not 3"),
        ];
        for (text, problem) in cases {
            let error = Folder::recorded(text).resolve(&[], None).unwrap_err();
            assert!(error.to_string().ends_with(problem), "{error}");
        }
    }

    #[test]
    fn a_name_that_would_lead_elsewhere_is_no_workspace() {
        let folder = Folder::new(&[]);
        for name in ["../../etc", "a b", "", "ä"] {
            let error = folder.resolve(&[], Some(name)).unwrap_err();
            assert!(matches!(error, Error::WorkspaceName { .. }), "{error}");
        }
        assert!(folder.resolve(&[], Some("..")).is_ok());
        let error = folder.resolve(&[], Some("prod-*")).unwrap_err();
        assert!(matches!(error, Error::Several { .. }), "{error}");
    }

    #[test]
    fn a_directory_that_was_never_initialised_has_the_backend_of_its_block() {
        let json = r#"{"terraform":[{"backend":{"s3":{"bucket":"b","key":"a$${b"}}}]}"#;
        let cases =
            [("main.tf", S3, "k"), ("main.tofu", S3, "k"), ("backend.tf.json", json, "a${b")];
        for (name, text, key) in cases {
            let folder = Folder::new(&[("variables.tf", "variable \"cloud\" {}"), (name, text)]);
            assert_eq!(folder.backend(&[], &[]).unwrap(), s3_with(key), "{name}");
        }
    }

    #[test]
    fn a_block_can_hold_literals_of_every_kind() {
        let text = r#"terraform {
  required_version = ">= 1.9"
  backend "s3" {
    bucket = ("b")
    key    = <<-EOT
      prod.tfstate
      EOT
    endpoints   = { s3 = "http://h", "sts" : "http://i" }
    max_retries = -1
    assume_role {
      role_arn = "r"
    }
  }
}
"#;
        let folder = Folder::new(&[("main.tf", text)]);
        let error = folder.refused(&[]);
        assert_eq!(
            error,
            "cannot use the s3 backend: `max_retries` is not a number that it can be"
        );
        assert_eq!(folder.backend(&[], &["max_retries=1"]).unwrap(), s3_with("prod.tfstate\n"));
    }

    #[test]
    fn what_is_recorded_wins_over_the_block() {
        let local = record(r#""backend":{"type":"local","config":{}}"#);
        let folder = Folder::new(&[("main.tf", S3), (".terraform/terraform.tfstate", &local)]);
        assert_eq!(folder.backend(&[], &[]).unwrap().0, "local");
    }

    #[test]
    fn a_block_in_an_override_file_stands_in_for_the_others() {
        let other = S3.replace("\"k\"", "\"other\"");
        let folder = Folder::new(&[("main.tf", S3), ("z_override.tf", &other)]);
        assert_eq!(folder.backend(&[], &[]).unwrap(), s3_with("other"));
        let cloud = "terraform {\n  cloud {\n    organization = \"acme\"\n  }\n}\n";
        let folder = Folder::new(&[("main.tf", S3), ("override.tf", cloud)]);
        assert!(folder.refused(&[]).ends_with("does not read the cloud backend"));
    }

    #[test]
    fn what_opentofu_reads_instead_stands_in_for_the_file_of_that_name() {
        let other = S3.replace("\"k\"", "\"tofu\"");
        let folder = Folder::new(&[("main.tf", S3), ("main.tofu", &other)]);
        assert_eq!(folder.backend(&[], &[]).unwrap(), s3_with("tofu"));
    }

    #[test]
    fn two_blocks_are_one_too_many() {
        let folder = Folder::new(&[("a.tf", S3), ("b.tf", S3)]);
        assert_eq!(folder.refused(&[]), "there are two backends: a.tf:2 and b.tf:2");
    }

    #[test]
    fn a_value_that_is_no_literal_is_shown_by_its_place() {
        let place = "cannot use the backend block in main.tf:4:11: `key` is not a literal value";
        for value in ["var.key", "\"${var.key}/a\"", "local.x ? \"S3CR3T\" : \"b\""] {
            let text = S3.replace("\"k\"", value);
            assert_eq!(Folder::new(&[("main.tf", &text)]).refused(&[]), place, "{value}");
        }
        let json = r#"{"terraform": {"backend": {"s3": {"bucket": "b",
            "key": "${var.key}"}}}}"#;
        let error = Folder::new(&[("main.tf.json", json)]).refused(&[]);
        let place =
            "cannot use the backend block in main.tf.json:2:13: `key` is not a literal value";
        assert_eq!(error, place);
    }

    #[test]
    fn a_value_that_is_no_literal_does_not_matter_where_another_is_given() {
        let text = S3.replace("\"k\"", "var.key");
        let folder = Folder::new(&[("main.tf", &text)]);
        assert_eq!(folder.backend(&[], &["key=given"]).unwrap(), s3_with("given"));
        assert!(folder.backend(&[], &["bucket=given"]).is_err());
    }

    #[test]
    fn a_file_that_can_not_be_parsed_matters_only_if_it_has_the_block() {
        let broken = S3.replace("key =", "key S3CR3T");
        let error = Folder::new(&[("main.tf", &broken)]).refused(&[]);
        assert!(error.starts_with("cannot use the backend block in main.tf:4:"), "{error}");
        let folder = Folder::new(&[("main.tf", "resource \"a\" {{{ backend")]);
        assert_eq!(folder.backend(&[], &[]).unwrap().0, "local");
    }

    #[test]
    fn what_terraform_init_is_given_completes_the_block() {
        let partial = "terraform {\n  backend \"s3\" {}\n}\n";
        let hcl = "bucket = \"b\"\nkey = \"from file\" # S3CR3T\n";
        let folder = Folder::new(&[
            ("main.tf", partial),
            ("prod.tfbackend", hcl),
            ("prod.json", r#"{"bucket": "b", "key": "from json"}"#),
        ]);
        assert_eq!(folder.refused(&[]), "cannot use the s3 backend: `bucket` is not set");
        let file = folder.0.path().join("prod.tfbackend");
        let file = file.to_str().unwrap();
        let given = |given: &[&str]| folder.backend(&[], given).unwrap().1;
        assert_eq!(given(&[file]), "from file");
        assert_eq!(given(&[&file.replace(".tfbackend", ".json")]), "from json");
        assert_eq!(given(&[file, "key=x=y"]), "x=y");
        assert_eq!(given(&["bucket=b", "key=1", "key=2"]), "2");
        let init = [(
            "TF_CLI_ARGS_init",
            "-input=false '-backend-config=key=a b' -backend-config prod.tfbackend -backend-config=bucket=b",
        )];
        assert_eq!(folder.backend(&init, &[]).unwrap(), s3_with("from file"));
        assert_eq!(folder.backend(&init, &["key=typed"]).unwrap(), s3_with("typed"));
    }

    #[test]
    fn what_is_given_stands_in_for_what_is_recorded_but_not_what_init_once_got() {
        let folder = Folder::recorded(include_str!("../../testdata/backends/s3.json"));
        let init = [("TF_CLI_ARGS_init", "-backend-config=key=other")];
        assert_eq!(folder.backend(&init, &[]).unwrap(), s3_with("env/prod/terraform.tfstate"));
        assert_eq!(folder.backend(&init, &["key=mine"]).unwrap(), s3_with("mine"));
    }

    #[test]
    fn what_is_given_and_can_not_be_used_is_named_without_its_value() {
        let folder =
            Folder::new(&[("main.tf", S3), ("bad", "key S3CR3T"), ("var", "\nkey = var.S")]);
        let path = |name: &str| folder.0.path().join(name).display().to_string();
        let problem = |given: &str| folder.refused(&[given]);
        assert!(
            problem(&path("bad")).starts_with("cannot use bad:1:"),
            "{}",
            problem(&path("bad"))
        );
        let var =
            "cannot use var:2:7, given as backend configuration: `key` is not a literal value";
        assert_eq!(problem(&path("var")), var);
        let value =
            "cannot use endpoints, given as backend configuration: its value cannot be parsed";
        assert_eq!(problem("endpoints={S3CR3T"), value);
        assert_eq!(problem(&path("absent")), "cannot find absent");
    }
}
