//! The proxy of a real daemon: what programs trust is there again after a kill, and its key in no file.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::home::Home;

/// The proxy's own certificate, and how many others programs trust.
fn bundle(home: &Home) -> (String, usize) {
    let path = home.path().join("wire-authorities.pem");
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o022, 0);
    let end = "-----END CERTIFICATE-----\n";
    let (first, rest) = text.split_once(end).unwrap();
    (first.to_owned(), rest.matches(end).count())
}

#[test]
fn x06_programs_trust_the_same_authority_after_a_kill() {
    let home = Home::new();
    // Dropped, it is killed.
    drop(home.serve());
    let (first, others) = bundle(&home);
    fs::remove_file(home.path().join("wire-authorities.pem")).unwrap();
    let daemon = home.serve();
    assert_eq!(bundle(&home), (first.clone(), others));
    let leases = home.get("/api/v1/leases").unwrap();
    assert!(leases.ends_with("{\"items\":[]}"), "{leases}");
    drop(daemon);
    // One that the operator names is trusted as well, for what is tunnelled to.
    home.put("ours.pem", &format!("{first}-----END CERTIFICATE-----\n"));
    home.put("skep.toml", "[wire]\nauthorities = [\"ours.pem\"]\n");
    drop(home.serve());
    assert_eq!(bundle(&home), (first, others + 1));
    let mut folders = vec![home.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                let bytes = fs::read(entry.path()).unwrap();
                let key = b"PRIVATE KEY";
                let has = bytes.windows(key.len()).any(|part| part == key);
                assert!(!has, "{:?}", entry.path());
            }
        }
    }
}

#[test]
fn authorities_that_are_none_are_refused_at_the_start() {
    let home = Home::new();
    home.put("skep.toml", "[wire]\nauthorities = [\"ours.pem\"]\n");
    let said = home.refused(home.command("serve"));
    assert!(
        said.contains("ours.pem, which wire.authorities names"),
        "{said}"
    );
    for text in [
        "nothing",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        home.put("ours.pem", text);
        let said = home.refused(home.command("serve"));
        assert!(said.contains("holds no certificates in PEM"), "{said}");
    }
}
