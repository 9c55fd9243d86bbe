//! What is special about files: their modes, their number, their damage, and what they do not say.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use skep_authz::rights::{MemoryRead, MemoryWrite, SessionCapture};
use skep_conformance::{Harness, Persona, Tenant, World, new_memory, new_session, new_turn};
use skep_domain::Id;
use skep_store::{MemoryFilter, PageOf, StoreError, Tx};
use skep_store_sqlite::{Options, SqliteBackend};

use super::Sqlite;

const HUMAN: Persona = Persona::Human;

pub(super) fn all_files(path: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(all_files(&path));
        } else {
            files.push(path);
        }
    }
    files
}

pub(super) fn file_of(directory: &Path, tenant: &Tenant) -> PathBuf {
    let hex: String = tenant
        .workspace
        .to_bytes()
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect();
    directory.join("ws").join(hex + ".db")
}

async fn remember(world: &World<Sqlite>, tenant: &Tenant, statement: &str) {
    let mut tx: Tx<MemoryWrite> = world.begin(tenant, HUMAN).await;
    let memory = new_memory(world.store(), statement);
    tx.put_memory(memory).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn every_file_is_ours_alone_while_it_is_written() {
    let sqlite = Sqlite::fresh().await;
    let world = World::create(sqlite.clone(), 1).await;
    remember(&world, &world.ours, "a").await;
    let files = all_files(&sqlite.path);
    let ends = |end: &str| {
        files
            .iter()
            .any(|file| file.to_string_lossy().ends_with(end))
    };
    assert!(ends(".db") && ends("-wal") && ends("-shm"), "{files:?}");
    for file in files {
        let mode = fs::metadata(&file).unwrap().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn no_content_is_in_any_file() {
    const CANARY: &str = "canary-3f9d61";
    let sqlite = Sqlite::fresh().await;
    let world = World::create(sqlite.clone(), 1).await;
    let store = world.store();
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
    let session = new_session(store, CANARY);
    let session = tx.put_session(&session).await.unwrap();
    let turn = new_turn(store, CANARY);
    tx.append_turns(session, &[turn]).await.unwrap();
    tx.put_memory(new_memory(store, CANARY)).await.unwrap();
    tx.put_cursor(CANARY, CANARY).await.unwrap();
    tx.commit().await.unwrap();
    for file in all_files(&sqlite.path) {
        let bytes = fs::read(&file).unwrap();
        let found = bytes.windows(CANARY.len()).any(|w| w == CANARY.as_bytes());
        assert!(!found, "{}", file.display());
    }
}

fn open_handles() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

#[tokio::test]
async fn f08_a_thousand_workspaces_need_few_handles() {
    const WORKSPACES: u64 = 1_000;
    let world = World::create(Sqlite::fresh().await, 1).await;
    let before = open_handles();
    let mut most = 0;
    for seed in 0..WORKSPACES {
        let tenant = Tenant::from_seed(10_000 + seed);
        world.put_workspace_of_one(&tenant).await.unwrap();
        if seed % 10 == 0 {
            remember(&world, &tenant, "a").await;
        }
        most = most.max(open_handles());
    }
    // The harness keeps 8 workspaces open, each with one writer, two readers and shared memory.
    let bound = before + (8 + 1) * (2 + 2 * 2 + 1);
    assert!(most <= bound, "{most} handles, {before} at the start");
    assert_eq!(world.store().workspaces().await.unwrap().len(), 1_002);
    let tenant = Tenant::from_seed(10_000);
    let mut tx: Tx<MemoryRead> = world.begin(&tenant, HUMAN).await;
    assert_eq!(tx.seq().await.unwrap(), 1);
}

/// A transaction keeps its workspace open however many others are used meanwhile.
#[tokio::test]
async fn a_workspace_in_use_is_not_closed() {
    let world = World::create(Sqlite::fresh().await, 1).await;
    let mut open: Tx<MemoryWrite> = world.begin(&world.ours, HUMAN).await;
    let memory = new_memory(world.store(), "a");
    open.put_memory(memory).await.unwrap();
    for seed in 0..20 {
        let tenant = Tenant::from_seed(20_000 + seed);
        world.put_workspace_of_one(&tenant).await.unwrap();
        remember(&world, &tenant, "a").await;
    }
    assert_eq!(open.commit().await.unwrap().seq, 1);
    remember(&world, &world.ours, "b").await;
    let mut tx: Tx<MemoryRead> = world.begin(&world.ours, HUMAN).await;
    assert_eq!(tx.seq().await.unwrap(), 2);
}

async fn list(tx: &mut Tx<MemoryRead>) -> Result<usize, StoreError> {
    let page = PageOf {
        limit: 200,
        before: None,
    };
    let filter = MemoryFilter::default();
    Ok(tx.list_memories(&filter, page).await?.len())
}

/// A closed store whose tenants have 50 memories each.
async fn filled() -> Sqlite {
    let sqlite = Sqlite::fresh().await;
    let world = World::create(sqlite.clone(), 1).await;
    for tenant in [&world.ours, &world.theirs] {
        let mut tx: Tx<MemoryWrite> = world.begin(tenant, HUMAN).await;
        for n in 0..50 {
            let memory = new_memory(world.store(), &format!("{n}"));
            tx.put_memory(memory).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
    sqlite
}

/// What a reader of our workspace meets after `harm` was done to its file. The other workspace
/// must be as it was.
async fn after(harm: impl FnOnce(&Path, &Path)) -> Result<usize, StoreError> {
    let sqlite = filled().await;
    let (ours, theirs) = (Tenant::from_seed(2), Tenant::from_seed(3));
    harm(
        &file_of(&sqlite.path, &ours),
        &file_of(&sqlite.path, &theirs),
    );
    let world = World::join(sqlite, 1, 1).await;
    let mut tx: Tx<MemoryRead> = world.begin(&world.theirs, HUMAN).await;
    assert_eq!(list(&mut tx).await.unwrap(), 50);
    let mut tx: Tx<MemoryRead> = world.try_begin(&world.ours, HUMAN).await?;
    list(&mut tx).await
}

#[tokio::test]
async fn an_unharmed_file_is_read() {
    assert_eq!(after(|_, _| ()).await.unwrap(), 50);
}

#[tokio::test]
async fn a_damaged_file_is_reported_and_harms_no_other() {
    for from in [0, 200, 8 << 10] {
        let outcome = after(|ours, _| {
            let mut bytes = fs::read(ours).unwrap();
            for byte in bytes.iter_mut().skip(from) {
                *byte ^= 0x5A;
            }
            fs::write(ours, &bytes).unwrap();
        })
        .await;
        let damaged = matches!(outcome, Err(StoreError::Damaged(_)));
        assert!(damaged, "from byte {from}: {outcome:?}");
    }
}

#[tokio::test]
async fn t01_another_workspaces_file_in_its_place_is_damage() {
    let outcome = after(|ours, theirs| {
        fs::copy(theirs, ours).unwrap();
    })
    .await;
    assert!(
        matches!(outcome, Err(StoreError::Damaged(_))),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_link_in_a_files_place_is_refused() {
    let outcome = after(|ours, theirs| {
        fs::remove_file(ours).unwrap();
        symlink(theirs, ours).unwrap();
    })
    .await;
    assert!(
        matches!(outcome, Err(StoreError::Refused(_))),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_file_that_others_can_read_is_refused_with_the_remedy() {
    let outcome = after(|ours, _| {
        fs::set_permissions(ours, fs::Permissions::from_mode(0o644)).unwrap();
    })
    .await;
    match outcome {
        Err(StoreError::Refused(text)) => assert!(text.contains("chmod -R go-rwx"), "{text}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_missing_file_is_not_made_again() {
    let outcome = after(|ours, _| fs::remove_file(ours).unwrap()).await;
    assert!(matches!(outcome, Err(StoreError::Gone)), "{outcome:?}");
}

#[tokio::test]
async fn a_directory_that_others_can_write_is_refused_before_anything_is_opened() {
    let sqlite = filled().await;
    fs::set_permissions(&sqlite.path, fs::Permissions::from_mode(0o777)).unwrap();
    let outcome = SqliteBackend::open(&sqlite.path, Options::default()).await;
    match outcome.err() {
        Some(StoreError::Refused(text)) => assert!(text.contains("chmod 700"), "{text}"),
        other => panic!("{other:?}"),
    }
}

/// A crash between a workspace's file and its row in the control data leaves a file without a row.
#[tokio::test]
async fn f05_a_file_without_a_row_is_taken_over_by_its_own_tenant_only() {
    let (first, second) = (Sqlite::fresh().await, Sqlite::fresh().await);
    let tenant = Tenant::from_seed(30_000);
    let world = World::create(first.clone(), 1).await;
    world.put_workspace_of_one(&tenant).await.unwrap();
    drop(world);

    let world = World::create(second.clone(), 2).await;
    fs::copy(
        file_of(&first.path, &tenant),
        file_of(&second.path, &tenant),
    )
    .unwrap();
    let mut other = Tenant::from_seed(30_000);
    other.organization = world.ours.organization;
    let taken = world.put_workspace_of_one(&other).await;
    assert!(matches!(taken, Err(StoreError::Conflict(_))), "{taken:?}");
    world.put_workspace_of_one(&tenant).await.unwrap();
    remember(&world, &tenant, "a").await;
}
