//! States that are anything but what Terraform writes come back byte for byte.

use std::io::Write as _;
use std::sync::Arc;

use tfstate::backup::vault::Vault;
use tfstate::backup::{Strategy, Whole};

use crate::place::{Backup, Owner, STRATEGIES, Shelf, folder, listed, state};

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Returns an ordinary state with its resources the other way round.
fn reordered(instances: u64) -> Vec<u8> {
    let text = String::from_utf8(state(instances, 1)).unwrap();
    let (before, rest) = text.split_once("instances\": [").unwrap();
    let (list, after) = rest.rsplit_once("]}]").unwrap();
    let mut list: Vec<&str> = list.split(",\n").collect();
    list.reverse();
    format!("{before}instances\": [{}]}}]{after}", list.join(",\n")).into_bytes()
}

/// Every kind, with a name to tell which it was.
fn inputs() -> Vec<(&'static str, Vec<u8>)> {
    let ordinary = state(20, 0);
    let text = String::from_utf8(ordinary.clone()).unwrap();
    let lineage = format!("\"lineage\": \"{}\", \"serial\"", r"\u0001".repeat(50_000));
    let digits = "7".repeat(100_000);
    vec![
        ("ordinary", ordinary.clone()),
        ("CR LF", text.replace('\n', "\r\n").into_bytes()),
        ("lone CR", text.replace('\n', "\r").into_bytes()),
        ("byte order mark", [b"\xef\xbb\xbf".as_slice(), &ordinary].concat()),
        ("UTF-16", text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("duplicate keys", format!("{{\"resources\": [{{}}], {}", &text[1..]).into_bytes()),
        ("a long number", text.replace("\"serial\": 0", &format!("\"serial\": {digits}")).into()),
        ("a lone surrogate", text.replace("i-", r"\ud800 i-").into_bytes()),
        ("a broken escape", text.replacen("i-", r"\u12", 1).into_bytes()),
        ("no UTF-8", [b"{\"resources\": [{\"\xff\xfe\": 1}]}".as_slice(), b"\0"].concat()),
        ("zero bytes", vec![0; 5000]),
        ("deep nesting", [vec![b'['; 100_000], vec![b']'; 100_000]].concat()),
        ("deep resources", format!("{{\"resources\": {}", "[".repeat(100_000)).into_bytes()),
        ("minified", text.replace([' ', '\n'], "").into_bytes()),
        ("tabs", text.replace(' ', "\t").into_bytes()),
        ("no end", ordinary[..ordinary.len() - 9].to_vec()),
        ("more after the end", [ordinary.as_slice(), &ordinary].concat()),
        ("empty", Vec::new()),
        ("one byte", b"{".to_vec()),
        ("a space", b" ".to_vec()),
        ("HTML", b"<html><body>502 Bad Gateway</body></html>".to_vec()),
        ("gzip", gzipped(&ordinary)),
        ("zstd", zstd::encode_all(ordinary.as_slice(), 3).unwrap()),
        ("a snapshot", b"TFBSNAP1\xff\xff\xff\xff\0\0\0\0".to_vec()),
        ("age", b"age-encryption.org/v1\n-> X25519 x\n".to_vec()),
        (
            "encrypted by OpenTofu",
            include_bytes!("../../testdata/states/opentofu-encrypted.tfstate").to_vec(),
        ),
        ("reordered", reordered(20)),
        ("null", b"null".to_vec()),
        ("odd kinds", br#"{"resources": {}, "outputs": [], "check_results": 7}"#.to_vec()),
        ("a long lineage", text.replace("\"serial\"", &lineage).into_bytes()),
        ("equal pieces", format!("{{\"resources\": [{}{{}}]}}", "{},".repeat(3000)).into_bytes()),
    ]
}

#[test]
fn a_state_of_which_a_delta_is_longer_than_itself_comes_back() {
    let pieces = |text: &str| format!("{{\"resources\": [{text}3]}}").into_bytes();
    // Each short piece is copied from far away of the one before it.
    let states =
        [pieces(&format!("1,{}2,", "9,".repeat(300_000))), pieces(&"1,2,".repeat(300_000))];
    let (owner, home) = (Owner::new(false), folder());
    let vault: Arc<dyn Vault> = Arc::new(Shelf::new(true));
    let mut whys = Vec::new();
    for state in &states {
        let strategy = Strategy::Incremental;
        let (vault, signer) = (Arc::clone(&vault), &owner.signer);
        let backup = Backup { vault, signer, home: home.path(), strategy, second: 0 };
        whys.push(owner.keep(&backup, state).unwrap().added.unwrap().why_full);
    }
    assert_eq!(whys, [Some(Whole::First), Some(Whole::Large)]);
    let repository = Owner::open(vault);
    for (snapshot, state) in listed(&repository).iter().zip(&states) {
        assert!(owner.restore(&repository, snapshot).unwrap() == *state);
    }
}

#[test]
fn hostile_states_come_back_as_they_were_before_and_after_others_by_every_strategy() {
    let inputs = inputs();
    for encrypted in [true, false] {
        let owner = Owner::new(encrypted);
        for strategy in STRATEGIES {
            let (shelf, home) = (Arc::new(Shelf::new(true)), folder());
            let vault: Arc<dyn Vault> = shelf;
            let mut kept = Vec::new();
            // Each is once told by an ordinary one, and once what an ordinary one is told by.
            for (n, (name, input)) in inputs.iter().enumerate() {
                for state in [input.clone(), state(20, n as u64 + 2)] {
                    let backup = Backup {
                        vault: Arc::clone(&vault),
                        signer: &owner.signer,
                        home: home.path(),
                        strategy,
                        second: 0,
                    };
                    let report = owner.keep(&backup, &state).unwrap();
                    assert!(!report.skipped(), "{name}, {strategy:?}");
                    kept.push((*name, report.snapshot, state));
                }
            }
            let repository = Owner::open(vault);
            for (name, snapshot, state) in kept {
                let restored = owner.restore(&repository, &snapshot).unwrap();
                assert!(restored == state, "{name}, {strategy:?}");
            }
        }
    }
}
