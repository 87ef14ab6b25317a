//! Workspaces: which one is selected, what each backend calls its state, and which there are.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::place::{below, clean};
use super::{Backend, Context, Error, Problem, Store, backend};
use crate::base::glob::Glob;

/// The name of the workspace that is always there.
pub(super) const DEFAULT: &str = "default";

/// Returns the workspace that was asked for, or else the one that Terraform would select.
pub(super) fn selected(data: &Path, context: Context<'_>) -> Result<String, Error> {
    let (name, origin) = if let Some(name) = context.workspace {
        (name.to_owned(), "`--workspace`")
    } else if let Some(name) = context.env.get("TF_WORKSPACE") {
        (name, "TF_WORKSPACE")
    } else {
        let note = optional(&data.join("environment"))?.unwrap_or_default();
        let name = String::from_utf8_lossy(&note).trim().to_owned();
        let name = if name.is_empty() { DEFAULT.to_owned() } else { name };
        (name, "the file `environment` of the data directory")
    };
    if is_name(&name) {
        return Ok(name);
    }
    if context.workspace.is_some() && Glob::is_glob(&name) {
        return Err(Error::Several { reference: format!("the workspaces `{name}`") });
    }
    Err(Error::WorkspaceName { name, origin })
}

/// A name must be its own escaping as a segment of a URL's path, and `..` is legal.
pub(super) fn is_name(name: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"-_.~$&+:=@".contains(&b);
    !name.is_empty() && name.bytes().all(legal)
}

/// Returns the key of a workspace's state; nothing where the backend has only the default one.
pub(super) fn key(backend: &Backend, workspace: &str) -> Option<String> {
    let is_default = workspace == DEFAULT;
    match backend {
        Backend::Local(_) => None,
        Backend::S3(s3) if is_default => Some(s3.key.clone()),
        Backend::S3(s3) => Some(
            clean(&format!("{}/{workspace}/{}", prefix(s3), s3.key))
                .trim_start_matches('/')
                .to_owned(),
        ),
        Backend::Gcs(gcs) => {
            let prefix = gcs.prefix.trim_start_matches('/');
            Some(clean(&format!("{prefix}/{workspace}.tfstate")).trim_start_matches('/').to_owned())
        }
        Backend::Azure(azure) if is_default => Some(azure.key.clone()),
        Backend::Azure(azure) => Some(format!("{}env:{workspace}", azure.key)),
        Backend::Http(_) => is_default.then(String::new),
        Backend::Pg(_) => Some(workspace.to_owned()),
    }
}

fn prefix(s3: &backend::S3) -> &str {
    s3.workspace_key_prefix.as_deref().unwrap_or("env:")
}

/// Returns the file of a workspace of the local backend.
pub(super) fn file(local: &backend::Local, dir: &Path, workspace: &str) -> PathBuf {
    let set = |path: &Option<PathBuf>| path.clone().filter(|path| !path.as_os_str().is_empty());
    if workspace == DEFAULT {
        let path = set(&local.path).unwrap_or_else(|| "terraform.tfstate".into());
        return below(dir, path);
    }
    below(dir, folder(local).join(workspace).join("terraform.tfstate"))
}

fn folder(local: &backend::Local) -> PathBuf {
    let set = local.workspace_dir.clone().filter(|path| !path.as_os_str().is_empty());
    set.unwrap_or_else(|| "terraform.tfstate.d".into())
}

/// Returns the workspaces of the local backend, as `terraform workspace list` does.
pub(super) fn of_folder(local: &backend::Local, dir: &Path) -> Result<Vec<String>, Error> {
    let folder = below(dir, folder(local));
    let failed = |error| Error::reading(&folder.display().to_string(), error);
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(in_order(BTreeSet::new()));
        }
        other => other.map_err(failed)?,
    };
    let mut names = BTreeSet::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        if entry.path().is_dir() {
            names.extend(entry.file_name().into_string().ok());
        }
    }
    Ok(in_order(names))
}

/// Returns the workspaces that a store has, as `terraform workspace list` does: the default one
/// first, whether or not it has a state, then the others in the order of their names.
pub(super) fn of_store(backend: &Backend, store: &dyn Store) -> Result<Vec<String>, Error> {
    let mut names = BTreeSet::new();
    let mut collect = |start: &str, name: &dyn Fn(&str) -> Option<String>| {
        store.list(start, &mut |entry| {
            names.extend(name(&entry.key).filter(|name| is_name(name)));
            Ok(())
        })
    };
    match backend {
        Backend::S3(s3) => {
            let start = match prefix(s3) {
                "" => String::new(),
                prefix => format!("{prefix}/"),
            };
            let name = |key: &str| {
                let (name, rest) = key.strip_prefix(&start)?.split_once('/')?;
                (rest == s3.key).then(|| name.to_owned())
            };
            match collect(&start, &name) {
                // Whoever may only read their own state has only that one.
                Err(Error::Remote { problem: Problem::Denied, .. }) => {}
                other => other?,
            }
        }
        Backend::Gcs(gcs) => {
            let start = match gcs.prefix.trim_start_matches('/') {
                "" => String::new(),
                prefix if prefix.ends_with('/') => prefix.to_owned(),
                prefix => format!("{prefix}/"),
            };
            let name =
                |key: &str| Some(key.strip_prefix(&start)?.strip_suffix(".tfstate")?.to_owned());
            collect(&start, &name)?;
        }
        Backend::Azure(azure) => {
            let start = format!("{}env:", azure.key);
            collect(&start, &|key| Some(key.strip_prefix(&start)?.to_owned()))?;
        }
        Backend::Pg(_) => collect("", &|key| Some(key.to_owned()))?,
        Backend::Http(_) | Backend::Local(_) => {}
    }
    Ok(in_order(names))
}

fn in_order(mut names: BTreeSet<String>) -> Vec<String> {
    names.remove(DEFAULT);
    std::iter::once(DEFAULT.to_owned()).chain(names).collect()
}

/// Reads one of Terraform's notes; there may be none.
pub(super) fn optional(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::reading(&path.display().to_string(), error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Body, Expected, Memory};

    fn s3(prefix: Option<&str>, key: &str) -> Backend {
        let workspace_key_prefix = prefix.map(ToOwned::to_owned);
        let s3 = backend::S3 { key: key.to_owned(), workspace_key_prefix, ..Default::default() };
        Backend::S3(Box::new(s3))
    }

    fn gcs(prefix: &str) -> Backend {
        Backend::Gcs(Box::new(backend::Gcs { prefix: prefix.to_owned(), ..Default::default() }))
    }

    fn azure(key: &str) -> Backend {
        Backend::Azure(Box::new(backend::Azure { key: key.to_owned(), ..Default::default() }))
    }

    #[test]
    fn each_backend_has_names_of_its_own_for_workspaces() {
        let cases = [
            (s3(None, "env/a.tfstate"), "env/a.tfstate", "env:/dev/env/a.tfstate"),
            (s3(Some("spaces"), "a"), "a", "spaces/dev/a"),
            (s3(Some("x//y/"), "a"), "a", "x/y/dev/a"),
            (s3(Some(""), "a"), "a", "dev/a"),
            (gcs("env/prod"), "env/prod/default.tfstate", "env/prod/dev.tfstate"),
            (gcs("/env/prod/"), "env/prod/default.tfstate", "env/prod/dev.tfstate"),
            (gcs(""), "default.tfstate", "dev.tfstate"),
            (azure("prod.tfstate"), "prod.tfstate", "prod.tfstateenv:dev"),
            (Backend::Pg(Box::default()), "default", "dev"),
        ];
        for (backend, default, dev) in cases {
            let names = [DEFAULT, "dev"].map(|workspace| key(&backend, workspace));
            assert_eq!(names, [Some(default.to_owned()), Some(dev.to_owned())]);
        }
        let http = Backend::Http(Box::default());
        assert_eq!((key(&http, DEFAULT), key(&http, "dev")), (Some(String::new()), None));
    }

    #[test]
    fn a_workspace_of_two_dots_is_cleaned_away_as_by_terraform() {
        assert_eq!(key(&s3(None, "a"), "..").as_deref(), Some("a"));
    }

    fn listed(backend: &Backend, keys: &[&str]) -> Vec<String> {
        let store = Memory::default();
        for key in keys {
            let body = Body { bytes: b"{}", expected: Expected::Nothing, lock: None };
            store.write(key, &body).unwrap();
        }
        of_store(backend, &store).unwrap()
    }

    #[test]
    fn workspaces_are_listed_as_terraform_lists_them() {
        let keys = ["a", "env:/dev/a", "env:/b/a", "env:/dev/b", "env:/x/y/a", "env:/dev/a.tflock"];
        assert_eq!(listed(&s3(None, "a"), &keys), ["default", "b", "dev"]);
        assert_eq!(listed(&s3(Some(""), "a"), &["a", "dev/a", "x/y/a"]), ["default", "dev"]);
        let keys =
            ["p/default.tfstate", "p/dev.tfstate", "p/dev.tflock", "p/q/x.tfstate", "pp.tfstate"];
        assert_eq!(listed(&gcs("/p"), &keys), ["default", "dev"]);
        assert_eq!(listed(&gcs(""), &["b.tfstate", "a.tfstate"]), ["default", "a", "b"]);
        let keys = ["k", "kenv:dev", "kenv:a/b", "kenv", "xenv:no"];
        assert_eq!(listed(&azure("k"), &keys), ["default", "dev"]);
        assert_eq!(
            listed(&Backend::Pg(Box::default()), &["zeta", "dev"]),
            ["default", "dev", "zeta"]
        );
        assert_eq!(listed(&Backend::Http(Box::default()), &["x"]), ["default"]);
    }
}
