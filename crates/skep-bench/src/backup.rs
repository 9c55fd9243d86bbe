//! How long a backup, a restore, a verification and a move take, on both stores: what an operator can promise.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use skep_crypto::{ArchiveLock, RecoveryKey, SeededRandom, SystemRandom};
use skep_store::Store;
use skep_store::archive::{Archive, Contents, Party, copy, open_all, restore};
use skep_store::backend::Backend;
use skep_store_sqlite::{Options, SqliteBackend};
use skep_test_support::{MemoryRootKey, Scratch, TeamStore};

use crate::fixture::Fixture;
use crate::measure::{Measure, per_second};
use crate::report::Report;

const MACHINE: &[u8] = b"test machine";

pub(crate) async fn run(texts: &[String]) -> Result<Report> {
    let mut report = Report::new(format!(
        "{} memories with vectors; PostgreSQL on a socket, no fsync",
        texts.len()
    ));
    let alone = Fixture::new().await?;
    alone.fill(texts).await?;
    let folder = Scratch::new();
    let file = folder.path().join("files.skep");
    let rows = back_up(&alone, &file, "sqlite", &mut report).await?;
    let Fixture {
        scratch,
        store,
        app,
        ..
    } = alone;
    drop((store, app));

    let files = Scratch::new();
    put_back(&file, embedded(files.path()).await?, "sqlite", &mut report).await?;
    verify(&file, &mut report).await?;
    let team = TeamStore::new().await;
    put_back(&file, team.backend().await, "postgres", &mut report).await?;
    let from = embedded(scratch.path()).await?;
    let moved = TeamStore::new().await;
    moving(
        from,
        moved.backend().await,
        ("sqlite_to_postgres", rows),
        &mut report,
    )
    .await?;
    let back = Scratch::new();
    let to = embedded(back.path()).await?;
    moving(
        moved.backend().await,
        to,
        ("postgres_to_sqlite", rows),
        &mut report,
    )
    .await?;

    let place = TeamStore::new().await;
    let shared = Fixture::on(&place).await?;
    shared.fill(texts).await?;
    let file = folder.path().join("database.skep");
    back_up(&shared, &file, "postgres", &mut report).await?;
    Ok(report)
}

async fn embedded(folder: &Path) -> Result<Arc<dyn Backend>> {
    let backend = SqliteBackend::open(&folder.join("data"), Options::default()).await?;
    Ok(Arc::new(backend))
}

fn lock() -> ArchiveLock {
    ArchiveLock::Recovery(RecoveryKey::generate(&SeededRandom::new(1)))
}

fn party(backend: Arc<dyn Backend>, root: &MemoryRootKey) -> Party<'_> {
    Party {
        backend,
        root,
        machine_id: MACHINE.to_vec(),
        random: Arc::new(SystemRandom),
    }
}

fn tell(report: &mut Report, name: &str, rows: u64, one: &Measure) {
    let took = one.wall();
    report.row(&format!("{name}_s"), took.as_secs_f64(), "");
    let rate = per_second(usize::try_from(rows).unwrap_or(usize::MAX), took);
    let note = format!("{rows} rows");
    report.row(&format!("{name}_rows_per_s"), rate, note);
}

async fn back_up(fixture: &Fixture, file: &Path, store: &str, report: &mut Report) -> Result<u64> {
    let one = Measure::start();
    write(&fixture.store, fixture, file).await?;
    let rows = Archive::new(file, lock()).read_through()?.rows;
    tell(report, &format!("backup_{store}"), rows, &one);
    let mib = std::fs::metadata(file)?.len() as f64 / f64::from(1 << 20);
    report.row(&format!("archive_{store}_mib"), mib, "");
    Ok(rows)
}

async fn write(store: &Store, fixture: &Fixture, file: &Path) -> Result<()> {
    use std::io::Write as _;
    let mut file = std::fs::File::create(file)?;
    let everything = Contents::Everything;
    let mut backup = store
        .begin_backup(&fixture.caller, lock(), everything)
        .await?;
    while let Some(bytes) = backup.next().await? {
        file.write_all(&bytes)?;
    }
    Ok(file.sync_all()?)
}

async fn put_back(
    file: &Path,
    to: Arc<dyn Backend>,
    store: &str,
    report: &mut Report,
) -> Result<()> {
    let root = MemoryRootKey::new(8);
    let one = Measure::start();
    let party = party(to, &root);
    let done = restore(&Archive::new(file, lock()), &party, false, &mut |_| {}).await?;
    tell(report, &format!("restore_{store}"), done.rows, &one);
    Ok(())
}

async fn verify(file: &Path, report: &mut Report) -> Result<()> {
    let (folder, root) = (Scratch::new(), MemoryRootKey::new(9));
    let one = Measure::start();
    let party = party(embedded(folder.path()).await?, &root);
    let archive = Archive::new(file, lock());
    let done = restore(&archive, &party, true, &mut |_| {}).await?;
    let installation = party.installation().await?.context("an installation")?;
    ensure!(archive.compare(&installation).await? == done.rows);
    open_all(&installation).await?;
    tell(report, "verify", done.rows, &one);
    Ok(())
}

async fn moving(
    from: Arc<dyn Backend>,
    to: Arc<dyn Backend>,
    (name, rows): (&str, u64),
    report: &mut Report,
) -> Result<()> {
    let root = MemoryRootKey::new(7);
    let source = party(from, &root).installation().await?;
    let source = source.context("an installation")?;
    let one = Measure::start();
    let done = copy(&source, party(to, &root), &mut |_| {}).await?;
    ensure!(done.rows >= rows);
    tell(report, &format!("move_{name}"), done.rows, &one);
    Ok(())
}
