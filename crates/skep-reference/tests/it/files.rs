//! Files and variables of the daemon's host.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use skep_domain::{Id, OrganizationId};
use skep_reference::{Folder, Organizations, Reference, References, Source, Unresolved};

const VALUE: &str = "a-value-of-a-file";

async fn read(folder: &Path, file: &Path) -> Result<String, Unresolved> {
    resolved(folder, &format!("file://{}", file.display())).await
}

async fn resolved(folder: &Path, text: &str) -> Result<String, Unresolved> {
    let sources = References::default()
        .with(
            Organizations::All,
            Source::File(Folder::new(folder.to_owned())),
        )
        .with(
            Organizations::All,
            Source::Environment(vec!["CARGO_MANIFEST_DIR".into(), "SKEP_NOT_SET".into()]),
        );
    let reference = Reference::parse(text).unwrap();
    let organization = OrganizationId::from_bytes([1; 16]);
    let value = sources.resolve(organization, &reference).await?;
    Ok(String::from_utf8(value.expose().clone()).unwrap())
}

#[tokio::test]
async fn x05_a_file_is_read_below_its_folder_and_nowhere_else() {
    let scratch = tempfile::tempdir().unwrap();
    let (inside, outside) = (scratch.path().join("in"), scratch.path().join("out"));
    let twin = scratch.path().join("in-too");
    for folder in [&inside, &outside, &twin, &inside.join("deep")] {
        fs::create_dir_all(folder).unwrap();
    }
    for (path, text) in [
        (inside.join("plain"), VALUE.to_owned()),
        (inside.join("line"), format!("{VALUE}\r\n")),
        (inside.join("deep/er"), VALUE.into()),
        (inside.join("short"), "abc".into()),
        (inside.join("large"), "x".repeat((64 << 10) + 1)),
        (outside.join("plain"), VALUE.into()),
        (twin.join("plain"), VALUE.into()),
    ] {
        fs::write(path, text).unwrap();
    }
    // As Kubernetes lays secrets out.
    symlink("deep", inside.join("..data")).unwrap();
    symlink("..data/er", inside.join("mounted")).unwrap();
    for (name, to) in [
        ("away", outside.join("plain").as_path()),
        ("up", Path::new("../out/plain")),
        ("folder", Path::new("../out")),
        ("proc", Path::new("/proc/self/environ")),
        ("loop", Path::new("loop")),
    ] {
        symlink(to, inside.join(name)).unwrap();
    }
    rustix::fs::mkfifoat(rustix::fs::CWD, inside.join("fifo"), 0o600.into()).unwrap();
    for name in ["plain", "line", "deep/er", "mounted"] {
        let path = inside.join(name);
        assert_eq!(read(&inside, &path).await.unwrap(), VALUE, "{name}");
    }
    for name in ["away", "up", "folder/plain", "proc", "loop", "deep", "fifo"] {
        let found = read(&inside, &inside.join(name)).await;
        assert_eq!(found, Err(Unresolved::NotAllowed), "{name}");
    }
    for path in [outside.join("plain"), twin.join("plain"), inside.clone()] {
        let found = read(&inside, &path).await;
        assert_eq!(found, Err(Unresolved::NotAllowed), "{}", path.display());
    }
    for name in ["short", "large"] {
        let found = read(&inside, &inside.join(name)).await;
        assert!(matches!(found, Err(Unresolved::Unfit(_))), "{name}");
    }
    for name in ["nothing", "plain/er"] {
        let found = read(&inside, &inside.join(name)).await;
        assert!(
            matches!(found, Err(Unresolved::Missing(_))),
            "{name}: {found:?}"
        );
    }
}

#[tokio::test]
async fn a_variable_is_read_if_the_operator_names_it() {
    let folder = Path::new("/nowhere");
    let value = resolved(folder, "env://CARGO_MANIFEST_DIR").await;
    assert_eq!(value.unwrap(), env!("CARGO_MANIFEST_DIR"));
    let unset = resolved(folder, "env://SKEP_NOT_SET").await;
    assert!(matches!(unset, Err(Unresolved::Missing(_))));
    let unnamed = resolved(folder, "env://PATH").await;
    assert_eq!(unnamed, Err(Unresolved::NotAllowed));
}

/// Whoever swaps a file for a link that leads out, as fast as they can, gets nothing from outside.
#[tokio::test(flavor = "multi_thread")]
async fn x05_what_races_for_a_file_gets_nothing_from_outside() {
    let scratch = tempfile::tempdir().unwrap();
    let inside = scratch.path().join("in");
    fs::create_dir(&inside).unwrap();
    fs::write(scratch.path().join("prey"), "out-of-the-folder").unwrap();
    let (file, spare, link) = (inside.join("file"), inside.join("a"), inside.join("b"));
    fs::write(&spare, VALUE).unwrap();
    fs::hard_link(&spare, &file).unwrap();
    let swapping = {
        let (file, spare, inside) = (file.clone(), spare.clone(), inside.clone());
        std::thread::spawn(move || {
            for _ in 0..10_000 {
                let _ = symlink("../prey", &link);
                let _ = fs::rename(&link, &file);
                let twin = inside.join("c");
                let _ = fs::hard_link(&spare, &twin);
                let _ = fs::rename(&twin, &file);
            }
        })
    };
    let mut tries = 0;
    while !swapping.is_finished() {
        tries += 1;
        match read(&inside, &file).await {
            Ok(value) => assert_eq!(value, VALUE),
            Err(error) => assert_eq!(error, Unresolved::NotAllowed),
        }
    }
    swapping.join().unwrap();
    assert!(tries > 0);
}
