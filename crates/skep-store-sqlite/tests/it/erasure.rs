//! Erased means gone: no sealed byte of it is left in any file of the data directory.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use rusqlite::Connection;
use skep_authz::rights::{MemoryDelete, MemoryRead, MemoryWrite};
use skep_conformance::{Harness, Persona, World, enter, erase_entry, keeper, new_memory};
use skep_domain::{Id, MemoryId};
use skep_store::row::Log;
use skep_store::{Kept, MemoryFilter, NewVector, Tx};

use super::Sqlite;
use super::files::{all_files, file_of};

const HUMAN: Persona = Persona::Human;
const MODEL: [u8; 8] = [1; 8];
const COUNT: usize = 240;

/// Memories from a line to the limit, each with a vector and a history.
async fn fill(world: &World<Sqlite>) -> Vec<MemoryId> {
    let mut ids = Vec::new();
    for n in 0..COUNT {
        let mut tx: Tx<MemoryWrite> = world.begin(&world.ours, HUMAN).await;
        let mut memory = new_memory(world.store(), &format!("statement {n}"));
        memory.body.text = format!("{n} ").repeat(1 + (n * n * 7) % 4_000);
        memory.reasons = vec![format!("reason {n}")];
        let Kept::New(id) = tx.put_memory(memory).await.unwrap() else {
            panic!("new");
        };
        tx.commit().await.unwrap();
        let mut tx = world.maintain(&world.ours).await;
        let vector = NewVector {
            id,
            dim: 256,
            bytes: vec![n as u8; 256],
        };
        tx.put_vectors(MODEL, vec![vector]).await.unwrap();
        tx.commit().await.unwrap();
        ids.push(id);
    }
    ids
}

/// The sealed bytes that the file holds of a memory.
fn sealed(file: &Path, id: MemoryId) -> Vec<Vec<u8>> {
    let connection = Connection::open(file).unwrap();
    [
        "SELECT body FROM memory WHERE id = ?1",
        "SELECT vector FROM memory_vector WHERE memory = ?1",
        "SELECT reason FROM memory_history WHERE memory = ?1",
    ]
    .iter()
    .map(|sql| connection.query_row(sql, [id.to_bytes()], |row| row.get(0)))
    .collect::<Result<_, _>>()
    .unwrap()
}

/// Bytes by which a sealed text is known: no two have so many in common.
const PIECE: usize = 24;

type Pieces = HashSet<[u8; PIECE]>;

/// A page holds a row in one piece, or the ends of it; a piece from each eighth finds every way of
/// cutting it.
fn pieces(all: &[Vec<u8>]) -> Pieces {
    let of = |bytes: &Vec<u8>| {
        let room = bytes.len() - PIECE;
        let cut = |step: usize| bytes[room * step / 7..][..PIECE].try_into().unwrap();
        (0..8).map(cut).collect::<Vec<[u8; PIECE]>>()
    };
    all.iter().flat_map(of).collect()
}

/// How many of the pieces are in any file.
fn found(files: &[Vec<u8>], wanted: &Pieces) -> usize {
    let windows = files.iter().flat_map(|file| file.array_windows::<PIECE>());
    windows
        .filter(|window| wanted.contains(*window))
        .collect::<HashSet<_>>()
        .len()
}

fn contents(directory: &Path) -> Vec<Vec<u8>> {
    let files = all_files(directory);
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn t18_no_byte_of_an_erased_memory_is_left() {
    let sqlite = Sqlite::fresh().await;
    let world = World::create(sqlite.clone(), 1).await;
    let ids = fill(&world).await;
    let file = file_of(&sqlite.path, &world.ours);
    // Some in the middle, at the ends, next to each other and alone.
    let (gone, left): (Vec<usize>, Vec<usize>) =
        (0..COUNT).partition(|n| n % 23 == 0 || (100..108).contains(n) || *n == COUNT - 1);
    let erased: Vec<Vec<u8>> = gone.iter().flat_map(|n| sealed(&file, ids[*n])).collect();
    let kept: Vec<Vec<u8>> = left
        .iter()
        .step_by(40)
        .flat_map(|n| sealed(&file, ids[*n]))
        .collect();
    let before = contents(&sqlite.path);
    let (erased, kept) = (pieces(&erased), pieces(&kept));
    // A piece over the end of a page is in two places; nearly all are in one.
    assert!(
        found(&before, &erased) * 10 > erased.len() * 9,
        "the search finds what is there"
    );
    let whole = found(&before, &kept);

    for n in &gone {
        let mut tx: Tx<MemoryDelete> = world.begin(&world.ours, HUMAN).await;
        assert_eq!(tx.erase(ids[*n], world.store().now()).await.unwrap(), 1);
        tx.commit().await.unwrap();
    }
    assert!(world.scrub(&world.ours).await);
    let after = contents(&sqlite.path);
    assert_eq!(found(&after, &erased), 0, "of {}", erased.len());
    assert_eq!(found(&after, &kept), whole, "the rest is there");
}

/// A recall that is under way reads what it authorized to its end; the bytes go when it is done.
#[tokio::test(flavor = "multi_thread")]
async fn t18_erasing_while_somebody_reads_waits_for_the_bytes_only() {
    let sqlite = Sqlite::fresh().await;
    let world = World::create(sqlite.clone(), 1).await;
    let ids = fill(&world).await;
    let file = file_of(&sqlite.path, &world.ours);
    let bytes = sealed(&file, ids[7]);
    let mut reader: Tx<MemoryRead> = world.begin(&world.ours, HUMAN).await;
    let filter = MemoryFilter::default();
    let visible = reader.authorize(&[ids[7]], &filter).await.unwrap();

    let mut tx: Tx<MemoryDelete> = world.begin(&world.ours, HUMAN).await;
    assert_eq!(tx.erase(ids[7], world.store().now()).await.unwrap(), 1);
    tx.commit().await.unwrap();
    let mut other: Tx<MemoryRead> = world.begin(&world.ours, HUMAN).await;
    assert!(
        other.get_memory(ids[7]).await.unwrap().is_none(),
        "gone at once"
    );
    drop(other);
    assert_eq!(
        reader.load(&visible).await.unwrap().len(),
        1,
        "one view to the end"
    );
    assert!(!world.scrub(&world.ours).await, "somebody reads");
    drop(reader);
    assert!(world.scrub(&world.ours).await);
    let after = contents(&sqlite.path);
    assert_eq!(found(&after, &pieces(&bytes)), 0);
}

/// The wrapped key, as the control data has it.
fn wrapped_key(directory: &Path, world: &World<Sqlite>) -> Vec<u8> {
    let connection = Connection::open(directory.join("control.db")).unwrap();
    let sql = "SELECT wrapped_key FROM workspace WHERE id = ?1";
    let id = world.ours.workspace.to_bytes();
    connection.query_row(sql, [id], |row| row.get(0)).unwrap()
}

/// From the moment that it is accepted the key is in no file, and when the job is done no file is left.
#[tokio::test(flavor = "multi_thread")]
async fn t18_a_deleted_workspace_leaves_no_key_at_once_and_no_file_in_the_end() {
    let sqlite = Sqlite::fresh().await;
    let world = World::create(sqlite.clone(), 1).await;
    let mut tx: Tx<MemoryWrite> = world.begin(&world.ours, HUMAN).await;
    let memory = new_memory(world.store(), "the harbour opens at six");
    tx.put_memory(memory).await.unwrap();
    tx.commit().await.unwrap();
    let key = pieces(&[wrapped_key(&sqlite.path, &world)]);
    assert!(
        found(&contents(&sqlite.path), &key) > 0,
        "the search finds it"
    );
    let right = world.authorized(&world.ours, HUMAN).await;
    let store = world.store();
    let job = store.retire_workspace(right, world.ours.workspace).await;
    assert!(job.unwrap().is_some());
    assert_eq!(found(&contents(&sqlite.path), &key), 0);
    let file = file_of(&sqlite.path, &world.ours);
    assert!(file.exists());
    let until = store.now();
    let job = store.claim_job([1; 16], until).await.unwrap().unwrap();
    while !store
        .erase_step(&job, (0, 100), until)
        .await
        .unwrap()
        .is_done
    {}
    let stem = file.file_stem().unwrap().to_str().unwrap().to_owned();
    let names = all_files(&sqlite.path);
    assert!(
        names
            .iter()
            .all(|name| !name.to_str().unwrap().contains(&stem)),
        "{names:?}"
    );
    assert!(file_of(&sqlite.path, &world.theirs).exists());
}

/// Whoever has the root key opens what a data key was wrapped into before its organization's key was around it.
#[tokio::test(flavor = "multi_thread")]
async fn x09_the_form_of_a_key_before_it_was_enclosed_is_left_in_no_file() {
    let sqlite = Sqlite::fresh().await;
    let mut world = World::create(sqlite.clone(), 1).await;
    world.ask_for_keys(keeper());
    let organization = world.ours.organization;
    let before = pieces(&[wrapped_key(&sqlite.path, &world)]);
    assert!(found(&contents(&sqlite.path), &before) > 0, "it is found");
    world.store().enclose(organization, "one").await.unwrap();
    assert_eq!(found(&contents(&sqlite.path), &before), 0);
    // Nor one that was under a key of before.
    let enclosed = pieces(&[wrapped_key(&sqlite.path, &world)]);
    world.store().change_key(organization, "one").await.unwrap();
    assert_eq!(found(&contents(&sqlite.path), &enclosed), 0);

    // While somebody reads it waits, and is done by whoever looks again.
    world.store().disclose(organization).await.unwrap();
    let bare = pieces(&[wrapped_key(&sqlite.path, &world)]);
    let reader = Connection::open(sqlite.path.join("control.db")).unwrap();
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM workspace")
        .unwrap();
    world.store().enclose(organization, "one").await.unwrap();
    assert!(found(&contents(&sqlite.path), &bare) > 0);
    drop(reader);
    world.store().scrub_keys().await.unwrap();
    assert_eq!(found(&contents(&sqlite.path), &bare), 0);
}

/// The sealed line of the entry at a place, of each log.
fn lines(path: &Path, place: u64) -> Vec<Vec<u8>> {
    let control = Connection::open(path.join("control.db")).unwrap();
    [
        "SELECT body FROM audit WHERE seq = ?1",
        "SELECT body FROM usage WHERE seq = ?1",
    ]
    .iter()
    .map(|sql| control.query_row(sql, [place], |row| row.get(0)).unwrap())
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn l07_of_an_erased_entry_no_byte_of_its_line_is_left_in_a_file() {
    let sqlite = Sqlite::fresh().await;
    let world = World::<Sqlite>::create(sqlite.clone(), 1).await;
    enter(&world, 9).await;
    let (kept, gone) = (lines(&sqlite.path, 3), lines(&sqlite.path, 4));
    let (kept, gone) = (pieces(&kept), pieces(&gone));
    let before = contents(&sqlite.path);
    assert!(
        found(&before, &gone) > gone.len() / 2,
        "the search finds it"
    );
    let whole = found(&before, &kept);
    for log in [Log::Audit, Log::Usage] {
        erase_entry(&world, (log, 4)).await;
    }
    assert!(world.store().scrub_installation().await);
    let after = contents(&sqlite.path);
    assert_eq!(found(&after, &gone), 0);
    assert_eq!(found(&after, &kept), whole, "the rest is there");
    assert_eq!(lines(&sqlite.path, 4), vec![Vec::<u8>::new(); 2]);
}
