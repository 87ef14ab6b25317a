//! `tfstate man`

use crate::sandbox::Sandbox;

#[test]
fn the_page_goes_to_standard_output() {
    let ran = Sandbox::new().run(["man"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""));
    assert!(ran.stdout.contains(".TH tfstate 1"), "{}", ran.stdout);
}

#[test]
fn one_page_for_each_command_is_written_and_nothing_else() {
    let sandbox = Sandbox::new();
    let ran = sandbox.run(["man", "--dir", "man/man1"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(0), ""));
    let mut names = Vec::new();
    for entry in std::fs::read_dir(sandbox.path("man/man1")).unwrap() {
        names.push(entry.unwrap().file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(ran.stderr, format!("Wrote {} pages to man/man1\n", names.len()));
    for name in ["tfstate.1", "tfstate-config.1", "tfstate-config-show.1", "tfstate-man.1"] {
        assert!(names.iter().any(|found| found == name), "{name} in {names:?}");
    }
    assert!(names.iter().all(|name| name.ends_with(".1")), "{names:?}");
    let page = std::fs::read_to_string(sandbox.path("man/man1/tfstate-config-show.1")).unwrap();
    assert!(page.contains("tfstate\\-config\\-show"), "{page}");
}

#[cfg(unix)]
#[test]
fn pages_are_for_everybody_to_read() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::new();
    sandbox.run(["man", "--dir", "man1"]);
    let mode = sandbox.path("man1/tfstate.1").metadata().unwrap().permissions().mode();
    let other = sandbox.write("other", "").metadata().unwrap().permissions().mode();
    assert_eq!(mode, other);
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "");
    let ran = sandbox.run(["man", "--dir", "file/man1"]);
    assert_eq!(ran.status, Some(1));
    assert!(ran.stderr.starts_with("error: cannot write file/man1\n  because: "), "{}", ran.stderr);
}
