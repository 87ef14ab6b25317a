//! What a process asks of the file system, as `strace` sees it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One thing that was asked and done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Call {
    /// A file was opened, and made if there was none.
    Create(PathBuf),
    /// Bytes were written from some place on.
    Write(PathBuf, usize, Vec<u8>),
    /// A file was made this long.
    Cut(PathBuf, usize),
    Sync(PathBuf),
    Folder(PathBuf),
    Rename(PathBuf, PathBuf),
    Link(PathBuf, PathBuf),
    Remove(PathBuf),
}

/// What is looked at: all that changes files and folders, or makes changes last.
const CALLS: &str = "trace=open,openat,creat,lseek,write,writev,pwrite64,pwritev,pwritev2,truncate,\
ftruncate,fallocate,copy_file_range,sendfile,fsync,fdatasync,sync_file_range,rename,renameat,\
renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,mkdir,mkdirat,rmdir";

/// Runs a command, which has to succeed, and returns what it asked.
pub(super) fn traced(command: &Command, log: &Path) -> Vec<Call> {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-y", "-xx", "-s", "100000000", "-e", CALLS, "-o"]).arg(log);
    strace.arg(command.get_program()).args(command.get_args()).env_clear();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            strace.env(name, value);
        }
    }
    let folder = command.get_current_dir().unwrap();
    strace.current_dir(folder);
    let output = strace.output().unwrap();
    assert!(output.status.success(), "{}", crate::program::text(&output));
    calls(folder, &std::fs::read_to_string(log).unwrap())
}

/// Reads what `strace` wrote.
fn calls(folder: &Path, text: &str) -> Vec<Call> {
    let mut unfinished: BTreeMap<&str, &str> = BTreeMap::new();
    let (mut reader, mut calls) = (Reader { folder, places: BTreeMap::new() }, Vec::new());
    for line in text.lines() {
        let Some((process, rest)) = line.split_once(' ') else { continue };
        let rest = rest.trim_start();
        if let Some(begin) = rest.strip_suffix(" <unfinished ...>") {
            unfinished.insert(process, begin);
        } else if let Some((_, end)) = rest.split_once(" resumed>") {
            let begin = unfinished.remove(process).unwrap();
            calls.extend(reader.call(&format!("{begin}{end}")));
        } else {
            calls.extend(reader.call(rest));
        }
    }
    calls
}

struct Reader<'a> {
    folder: &'a Path,
    /// Where in what is opened the next bytes go. Whoever reads goes back before writing.
    places: BTreeMap<String, usize>,
}

impl Reader<'_> {
    fn call(&mut self, text: &str) -> Option<Call> {
        let (name, rest) = text.split_once('(')?;
        let (words, answer) = rest.rsplit_once(" = ")?;
        if answer.starts_with('-') {
            return None;
        }
        let (paths, texts) = parts(words);
        let path = |n: usize| {
            let path = PathBuf::from(String::from_utf8(texts[n].clone()).unwrap());
            // What is relative is so to the folder that is opened, or else to the current one.
            paths.get(n).map_or(self.folder, PathBuf::as_path).join(path)
        };
        let opened = || words.split('<').next().unwrap_or_default().to_owned();
        let number = |text: &str| text.split([' ', ')']).next().and_then(|n| n.parse().ok());
        Some(match name {
            "open" | "openat" => {
                self.places.remove(answer.split('<').next()?);
                return words.contains("O_CREAT").then(|| Call::Create(path(0)));
            }
            "lseek" => {
                self.places.insert(opened(), number(answer)?);
                return None;
            }
            "write" => {
                let mut bytes = texts[0].clone();
                bytes.truncate(number(answer)?);
                let place = self.places.entry(opened()).or_default();
                let start = *place;
                *place += bytes.len();
                Call::Write(paths[0].clone(), start, bytes)
            }
            "ftruncate" => Call::Cut(paths[0].clone(), number(words.rsplit(' ').next()?)?),
            "fsync" | "fdatasync" => Call::Sync(paths[0].clone()),
            "mkdir" | "mkdirat" => Call::Folder(path(0)),
            "rename" | "renameat" | "renameat2" => Call::Rename(path(0), path(1)),
            "link" | "linkat" => Call::Link(path(0), path(1)),
            "unlink" | "unlinkat" | "rmdir" => Call::Remove(path(0)),
            // Another way to write is one more thing to model.
            _ => panic!("{name} is not modelled: {text}"),
        })
    }
}

/// Returns the paths of what is opened and the texts among some words.
fn parts(words: &str) -> (Vec<PathBuf>, Vec<Vec<u8>>) {
    let (mut paths, mut texts, mut rest) = (Vec::new(), Vec::new(), words);
    while let Some(start) = rest.find(['<', '"']) {
        let end = if rest[start..].starts_with('<') { '>' } else { '"' };
        let inner = &rest[start + 1..];
        let (inside, after) = inner.split_once(end).unwrap();
        let bytes = unescaped(inside);
        match end {
            '>' => paths.push(PathBuf::from(String::from_utf8_lossy(&bytes).into_owned())),
            _ => texts.push(bytes),
        }
        rest = after;
    }
    (paths, texts)
}

/// Reads `\x41\x42`; what is not so, such as the name of a pipe, is nothing of ours.
fn unescaped(text: &str) -> Vec<u8> {
    let bytes = text.split("\\x").skip(1).map(|digits| u8::from_str_radix(digits, 16));
    bytes.collect::<Result<_, _>>().unwrap_or_default()
}

#[test]
fn a_trace_is_read_as_what_was_done() {
    let text = "7 openat(AT_FDCWD<\\x2f\\x61>, \"\\x62\", O_RDWR|O_CREAT, 0600) = 3<\\x2f\\x61\\x2f\\x62>\n\
                8 write(3<\\x2f\\x61\\x2f\\x62>, \"\\x00\\xff\", 2 <unfinished ...>\n\
                7 fsync(3<\\x2f\\x61\\x2f\\x62>) = -1 EIO (Input/output error)\n\
                8 <... write resumed>) = 1\n\
                7 ftruncate(3<\\x2f\\x61\\x2f\\x62>, 9) = 0\n\
                8 lseek(3<\\x2f\\x61\\x2f\\x62>, -2, SEEK_END) = 7\n\
                8 write(3<\\x2f\\x61\\x2f\\x62>, \"\\x41\", 1) = 1\n\
                7 renameat2(AT_FDCWD<\\x2f\\x61>, \"\\x62\", AT_FDCWD<\\x2f\\x61>, \"\\x2f\\x63\", 1) = 0\n\
                7 +++ exited with 0 +++\n";
    let expected = [
        Call::Create("/a/b".into()),
        Call::Write("/a/b".into(), 0, vec![0]),
        Call::Cut("/a/b".into(), 9),
        Call::Write("/a/b".into(), 7, vec![b'A']),
        Call::Rename("/a/b".into(), "/c".into()),
    ];
    assert_eq!(calls(Path::new("/a"), text), expected);
}
