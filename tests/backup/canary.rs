//! Nothing of a state is in any byte of an encrypted repository, of the cache, of what is said or
//! logged: no secret, no lineage, no serial, no address, no hash.

use std::fmt::Write as _;

use crate::place::{Chance, files};
use crate::program::{Program, text};

/// What must not be found, with what it is.
struct Canary {
    state: Vec<u8>,
    needles: Vec<(String, Vec<u8>)>,
}

/// Returns a state full of what is found nowhere else.
fn canary(chance: &mut Chance, lineage: &str, filler: &str) -> Canary {
    let mut word = |prefix: &str| format!("{prefix}{:016x}", chance.next());
    let serial = 1_000_000_000 + u64::from_str_radix(&word("")[..8], 16).unwrap();
    let mut secrets = Vec::new();
    let mut resources = Vec::new();
    for _ in 0..30 {
        let (name, secret, output) = (word("canary"), word("S3CR3T"), word("wire"));
        resources.push(format!(
            r#"{{"mode": "managed", "type": "acme_{output}", "name": "{name}", "provider": "provider[\"registry.terraform.io/acme/acme\"]", "instances": [{{"schema_version": 0, "attributes": {{"id": "{secret}", "password": "{secret}"}}, "sensitive_attributes": []}}]}}"#
        ));
        secrets.extend([name, secret, output]);
    }
    let state = format!(
        r#"{{"version": 4, "terraform_version": "1.11.4", "serial": {serial}, "lineage": "{lineage}", "outputs": {{}}, "resources": [{}], "filler": "{filler}"}}"#,
        resources.join(", ")
    )
    .into_bytes();
    let mut needles: Vec<(String, Vec<u8>)> =
        secrets.into_iter().map(|secret| (secret.clone(), secret.into_bytes())).collect();
    needles.push(("the lineage".to_owned(), lineage.as_bytes().to_vec()));
    needles.push(("the serial".to_owned(), serial.to_string().into_bytes()));
    needles.extend(hashes(&state));
    needles.extend(hashes(lineage.as_bytes()));
    Canary { state, needles }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

/// Returns hashes by which a guess could be confirmed, as bytes and as text.
fn hashes(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let (blake3, sha256) = (blake3::hash(bytes), tfstate::base::sha256::of(bytes));
    let hex = hex(&sha256[..8]);
    vec![
        ("a BLAKE3".to_owned(), blake3.as_bytes()[..16].to_vec()),
        ("a BLAKE3 as text".to_owned(), blake3.to_hex()[..16].as_bytes().to_vec()),
        ("a SHA-256".to_owned(), sha256[..16].to_vec()),
        ("a SHA-256 as text".to_owned(), hex.into_bytes()),
    ]
}

fn search(canary: &Canary, place: &str, bytes: &[u8]) {
    for (what, needle) in &canary.needles {
        let found = memchr::memmem::find(bytes, needle).is_some();
        assert!(!found, "{what} is in {place}");
    }
}

/// Looks through all that a whole life leaves and says.
fn search_all(program: &Program, canaries: &[Canary], said: &[(String, Vec<u8>)]) {
    let mut folders = 0;
    for folder in ["repo", "home"] {
        for path in files(&program.path(folder)) {
            let bytes = std::fs::read(&path).unwrap();
            folders += 1;
            for canary in canaries {
                search(canary, &path.display().to_string(), &bytes);
                search(canary, "a name", path.as_os_str().as_encoded_bytes());
            }
        }
    }
    assert!(folders > 8, "there are a repository, a cache and a key");
    for (command, bytes) in said {
        for canary in canaries {
            search(canary, command, bytes);
        }
    }
}

#[test]
fn a_whole_life_leaves_nothing_of_a_state_where_others_could_read_it() {
    let program = Program::new();
    let mut chance = Chance(std::process::id().into());
    let lineage = format!("{:016x}-canary", chance.next());
    let mut canaries = Vec::new();
    let mut said = Vec::new();
    let mut run = |program: &Program, words: &[&str]| {
        let mut command = program.command(crate::program::BINARY);
        let output = command.args(words).output().unwrap();
        said.push((words.join(" "), text(&output).into_bytes()));
        output.status.success()
    };
    let recipient = program.recipient().to_owned();
    let words = ["backup", "prod.tfstate", "--repo", "repo", "--recipient", &recipient];
    // Long enough for `auto` to take differences.
    let filler: Vec<u8> = (0..5000).flat_map(|_| chance.next().to_be_bytes()).collect();
    let filler = hex(&filler);
    for strategy in ["auto", "incremental", "differential", "full", "incremental", "auto"] {
        for more in [&["-vvv"][..], &["-o", "json", "-vv"], &["-vvv", "--log-format", "json"]] {
            let canary = canary(&mut chance, &lineage, &filler);
            program.write(&canary.state);
            canaries.push(canary);
            let strategy = ["--strategy", strategy];
            assert!(run(&program, &[&words, &strategy[..], more].concat()));
        }
        // Once more, unchanged.
        assert!(run(&program, &[&words[..], &["-vvv"]].concat()));
    }
    // A state that can't be read is kept, and what is said of it shows nothing of it.
    let mut broken = canary(&mut chance, &lineage, "");
    broken.state.truncate(broken.state.len() / 2);
    program.write(&broken.state);
    assert!(run(&program, &[&words[..], &["-vvv"]].concat()));
    canaries.push(broken);
    // Errors: another protection, no identity, the wrong one, damage.
    let other = age::x25519::Identity::generate().to_public().to_string();
    let refused = ["backup", "prod.tfstate", "--repo", "repo", "--recipient", &other, "-vvv"];
    assert!(!run(&program, &refused));
    assert!(run(&program, &["snapshots", "--repo", "repo", "-vvv"]));
    assert!(run(&program, &["snapshots", "--repo", "repo", "-o", "json"]));
    assert!(!run(&program, &["restore", "--repo", "repo", "--to", "x", "-vvv"]));
    let newest = program.repository().list().unwrap().pop().unwrap();
    let path = program.path("repo").join(&newest.key);
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    tfstate::base::fs::replace(&path, &bytes).unwrap();
    assert!(!run(&program, &["restore", "--repo", "repo", "--to", "x", "-i", "key.txt", "-vvv"]));
    search_all(&program, &canaries, &said);
}

#[test]
fn the_search_finds_what_is_there() {
    let program = Program::new();
    let mut chance = Chance(1);
    let canary = canary(&mut chance, "a-lineage-of-its-own", "");
    program.write(&canary.state);
    // In plain text everything but hashes is there, so long as it is not compressed.
    let found = |needle: &[u8]| memchr::memmem::find(&canary.state, needle).is_some();
    let texts = canary.needles.iter().filter(|(what, _)| !what.starts_with("a "));
    assert!(texts.clone().count() > 90);
    for (what, needle) in texts {
        assert!(found(needle), "{what}");
    }
}
