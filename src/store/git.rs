//! Files in a revision of the git repository around the current directory: `git:REV:PATH`.

use super::{Error, Location};
use crate::base::git;

/// Reads a reference that begins with `git:`; `None` for any other.
///
/// An empty revision is the index, as in `git show :PATH`; there `1:PATH`, `2:PATH` and `3:PATH` are
/// the common ancestor, our side and their side of a merge that has conflicts.
pub(super) fn parse(reference: &str) -> Option<Result<Location, Error>> {
    let rest = reference.strip_prefix("git:").filter(|rest| !rest.starts_with("//"))?;
    let parts = split(rest).filter(|(_, path)| !path.is_empty() && !rest.contains(['\n', '\0']));
    Some(match parts {
        Some((revision, path)) => {
            Ok(Location::Git { revision: revision.to_owned(), path: path.to_owned() })
        }
        None => Err(Error::GitReference { reference: reference.to_owned() }),
    })
}

/// Splits at the first colon that is not in braces, as the one in `main@{2026-11-20 03:00}` is.
fn split(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b':' if depth == 0 => return Some((&text[..at], &text[at + 1..])),
            _ => {}
        }
    }
    None
}

/// Returns the bytes of a file in a revision, as they are there, where they are `limit` at most.
pub(super) fn read(revision: &str, path: &str, limit: u64) -> Result<Vec<u8>, Error> {
    let what = || name(revision, path);
    let failed = |source| Error::Git { what: what(), source };
    let inside = git::line(&["rev-parse", "--is-inside-work-tree"]).map_err(failed)? == "true";
    // A repository without files checked out has no directory that a path could start from.
    let start = if inside { "./" } else { "" };
    let (stage, inner) = if revision.is_empty() { stage(path) } else { ("", path) };
    let questions = format!("{revision}:{stage}{start}{inner}\n{revision}^{{tree}}\n");
    let answers = git::run_with(&["cat-file", "--batch-check"], &questions).map_err(failed)?;
    let answers = String::from_utf8_lossy(&answers);
    let (file, tree) = answers.split_once('\n').unwrap_or_default();
    let Some((id, size)) = blob(file) else {
        let (what, revision) = (what(), revision.to_owned());
        return Err(if revision.is_empty() || tree.contains(" tree ") {
            Error::NoFileInRevision { revision, path: path.to_owned() }
        } else {
            Error::NoRevision { what, revision }
        });
    };
    if size > limit {
        return Err(Error::TooLarge { what: what(), limit });
    }
    git::run(&["cat-file", "blob", id]).map_err(failed)
}

/// Splits the number of a side of a merge off a path in the index.
fn stage(path: &str) -> (&str, &str) {
    let is_stage = matches!(path.as_bytes(), [b'1'..=b'3', b':', _, ..]);
    path.split_at(if is_stage { 2 } else { 0 })
}

/// Reads `ID blob SIZE`.
fn blob(answer: &str) -> Option<(&str, u64)> {
    let mut words = answer.split(' ');
    let (id, kind, size) = (words.next()?, words.next()?, words.next()?);
    let is_id = id.len() >= 40 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_id && kind == "blob" && words.next().is_none()).then_some((id, size.parse().ok()?))
}

/// Returns the reference again.
pub(super) fn name(revision: &str, path: &str) -> String {
    format!("git:{revision}:{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(reference: &str) -> Option<(String, String)> {
        match parse(reference)? {
            Ok(Location::Git { revision, path }) => Some((revision, path)),
            other => {
                other.unwrap_err();
                None
            }
        }
    }

    #[test]
    fn a_reference_is_a_revision_and_a_path() {
        let cases = [
            ("git:main:prod.tfstate", "main", "prod.tfstate"),
            ("git::prod.tfstate", "", "prod.tfstate"),
            ("git:-x:a:b.tfstate", "-x", "a:b.tfstate"),
            ("git:main@{2026-11-20 03:00}:a", "main@{2026-11-20 03:00}", "a"),
            ("git:HEAD^{/fix: it}:a", "HEAD^{/fix: it}", "a"),
        ];
        for (reference, revision, path) in cases {
            assert_eq!(parts(reference), Some((revision.to_owned(), path.to_owned())));
        }
    }

    #[test]
    fn what_names_no_file_is_refused_and_what_is_not_git_is_left_alone() {
        for reference in ["git:main", "git:", "git:main:", "git:main:a\nb", "git:{:}"] {
            let error = parse(reference).unwrap().unwrap_err();
            assert!(matches!(error, Error::GitReference { .. }), "{error}");
        }
        assert!(parse("git://host/repo").is_none());
        assert!(parse("main:prod.tfstate").is_none());
    }

    #[test]
    fn the_sides_of_a_merge_have_numbers() {
        assert_eq!(stage("2:envs/a:b"), ("2:", "envs/a:b"));
        for path in ["0:a", "4:a", "1:", "a", "12:a", ""] {
            assert_eq!(stage(path), ("", path));
        }
    }

    #[test]
    fn only_a_whole_answer_about_a_file_is_taken() {
        let id = "ce013625030ba8dba906f756967f9e9ca394464a";
        assert_eq!(blob(&format!("{id} blob 6")), Some((id, 6)));
        for answer in [format!("{id} tree 6"), format!("{id} blob"), "a b.tfstate missing".into()] {
            assert_eq!(blob(&answer), None);
        }
    }
}
