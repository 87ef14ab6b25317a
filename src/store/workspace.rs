//! Which file holds the state of a working directory, by Terraform's own rules.
//!
//! Terraform keeps two notes in its data directory: `environment`, the selected workspace, and
//! `terraform.tfstate`, which is not a state but the record of the backend.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Context, Error, Location};
use crate::state::value::Value;

/// The settings of the local backend; each is its default where it is not set.
#[derive(Default)]
struct Local {
    path: Option<PathBuf>,
    workspace_dir: Option<PathBuf>,
}

/// Returns the file that Terraform uses in a directory.
pub(super) fn local_state(dir: &Path, context: Context<'_>) -> Result<Location, Error> {
    let data = dir.join(context.env.path("TF_DATA_DIR").unwrap_or_else(|| ".terraform".into()));
    let workspace = selected(&data, context)?;
    let local = recorded(dir, &data.join("terraform.tfstate"))?;
    let file = if workspace == "default" {
        local.path.unwrap_or_else(|| "terraform.tfstate".into())
    } else {
        let folder = local.workspace_dir.unwrap_or_else(|| "terraform.tfstate.d".into());
        folder.join(&workspace).join("terraform.tfstate")
    };
    // `./terraform.tfstate` is how nobody would call it.
    let file = if dir == Path::new(".") { file } else { dir.join(file) };
    Ok(Location::Directory { dir: dir.to_owned(), workspace, file })
}

/// Returns the workspace that was asked for, or else the one that Terraform would select.
fn selected(data: &Path, context: Context<'_>) -> Result<String, Error> {
    let (name, origin) = if let Some(name) = context.workspace {
        (name.to_owned(), "`--workspace`")
    } else if let Some(name) = context.env.get("TF_WORKSPACE") {
        (name, "TF_WORKSPACE")
    } else {
        let note = optional(&data.join("environment"))?.unwrap_or_default();
        let name = String::from_utf8_lossy(&note).trim().to_owned();
        let name = if name.is_empty() { "default".to_owned() } else { name };
        (name, "the file `environment` of the data directory")
    };
    if is_workspace_name(&name) {
        return Ok(name);
    }
    Err(Error::WorkspaceName { name, origin })
}

/// A name must be its own escaping as a segment of a URL's path, and `..` is legal.
fn is_workspace_name(name: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"-_.~$&+:=@".contains(&b);
    !name.is_empty() && name.bytes().all(legal)
}

/// Returns the settings of the recorded backend, or an error where it is not the local one.
fn recorded(dir: &Path, path: &Path) -> Result<Local, Error> {
    let Some(text) = optional(path)? else {
        return Ok(Local::default());
    };
    let invalid = |problem| Error::Record { path: path.to_owned(), problem };
    // The cause is left out on purpose: a record holds secrets, and its text is not ours to show.
    let record = Value::parse(&text).map_err(|_| invalid("it is not valid JSON"))?;
    match record.get("version") {
        Some(Value::Number(version)) if version == "3" => {}
        Some(Value::Number(version)) if version == "4" => {
            return Err(invalid("it is a state, not a record of a backend"));
        }
        _ => return Err(invalid("its version is not 3")),
    }
    // `state_store` is the newer kind of backend, `remote` the one from before Terraform 0.9.
    for kind in ["backend", "state_store", "remote"] {
        let Some(backend @ Value::Object(_)) = record.get(kind) else { continue };
        let name = text_at(backend, "type").unwrap_or_default();
        match (kind, name.as_str()) {
            (_, "") => {}
            ("backend", "local") => return Ok(local_settings(backend)),
            _ => return Err(Error::Backend { dir: dir.to_owned(), backend: name }),
        }
    }
    Ok(Local::default())
}

fn local_settings(backend: &Value<'_>) -> Local {
    let setting = |key| backend.get("config").and_then(|config| text_at(config, key));
    let path = |key| setting(key).filter(|text| !text.is_empty()).map(PathBuf::from);
    Local { path: path("path"), workspace_dir: path("workspace_dir") }
}

fn text_at(value: &Value<'_>, key: &str) -> Option<String> {
    match value.get(key)? {
        Value::String(text) => Some(text.to_string()),
        _ => None,
    }
}

/// Reads one of Terraform's notes; there may be none.
fn optional(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::reading(&path.display().to_string(), error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::env::Env;
    use crate::base::fs as files;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new(record: Option<&str>) -> Self {
            let folder = Self(tempfile::tempdir().unwrap());
            if let Some(record) = record {
                folder.add(".terraform/terraform.tfstate", record);
            }
            folder
        }

        fn add(&self, name: &str, text: &str) {
            let path = self.0.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            files::write_new(&path, text.as_bytes()).unwrap();
        }

        fn resolve(&self, env: &[(&str, &str)], workspace: Option<&str>) -> Result<String, Error> {
            let env = Env::from_pairs(env.iter().copied());
            let location = local_state(self.0.path(), Context { env: &env, workspace })?;
            let file = location.path().unwrap().strip_prefix(self.0.path()).unwrap();
            Ok(file.to_str().unwrap().to_owned())
        }
    }

    fn record(rest: &str) -> String {
        format!(r#"{{"version":3,"terraform_version":"1.11.4",{rest}}}"#)
    }

    #[test]
    fn without_any_note_it_is_the_default_workspace_in_the_default_file() {
        assert_eq!(Folder::new(None).resolve(&[], None).unwrap(), "terraform.tfstate");
    }

    #[test]
    fn the_option_wins_over_the_variable_and_the_variable_over_the_note() {
        let folder = Folder::new(None);
        folder.add(".terraform/environment", "note\n");
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
        let folder = Folder::new(None);
        folder.add("data/environment", "dev");
        let file = folder.resolve(&[("TF_DATA_DIR", "data")], None).unwrap();
        assert_eq!(file, "terraform.tfstate.d/dev/terraform.tfstate");
    }

    #[test]
    fn a_recorded_local_backend_says_where_its_files_are() {
        let config = r#""config":{"path":"states/a","workspace_dir":"ws"}"#;
        let folder =
            Folder::new(Some(&record(&format!(r#""backend":{{"type":"local",{config}}}"#))));
        assert_eq!(folder.resolve(&[], None).unwrap(), "states/a");
        assert_eq!(folder.resolve(&[], Some("dev")).unwrap(), "ws/dev/terraform.tfstate");
    }

    #[test]
    fn settings_that_are_null_are_the_defaults() {
        let nulls = r#""backend":{"type":"local","config":{"path":null,"workspace_dir":null}}"#;
        let folder = Folder::new(Some(&record(nulls)));
        assert_eq!(folder.resolve(&[], None).unwrap(), "terraform.tfstate");
        let folder = Folder::new(Some(&record(r#""modules":[]"#)));
        assert_eq!(folder.resolve(&[], None).unwrap(), "terraform.tfstate");
    }

    #[test]
    fn another_backend_is_refused_by_name() {
        for kind in ["backend", "state_store", "remote"] {
            let rest = format!(r#""{kind}":{{"type":"s3","config":{{"secret_key":"hunter2"}}}}"#);
            let error = Folder::new(Some(&record(&rest))).resolve(&[], None).unwrap_err();
            assert!(error.to_string().ends_with("does not read the s3 backend"), "{error}");
            assert!(!format!("{error:?}").contains("hunter2"));
        }
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
            let error = Folder::new(Some(text)).resolve(&[], None).unwrap_err();
            assert!(error.to_string().ends_with(problem), "{error}");
        }
    }

    #[test]
    fn a_name_that_would_lead_elsewhere_is_no_workspace() {
        let folder = Folder::new(None);
        for name in ["../../etc", "a b", "", "ä"] {
            let error = folder.resolve(&[], Some(name)).unwrap_err();
            assert!(matches!(error, Error::WorkspaceName { .. }), "{error}");
        }
        assert!(folder.resolve(&[], Some("..")).is_ok());
    }
}
