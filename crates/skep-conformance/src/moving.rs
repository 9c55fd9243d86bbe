//! Archives: what comes back is what went in, row by row, and nothing else is touched.

mod filled;

use std::io::Write;
use std::path::{Path, PathBuf};

use skep_authz::rights::{MemoryDelete, MemoryRead};
use skep_crypto::{ArchiveLock, Plain, RecoveryKey, SeededRandom};
use skep_domain::MemoryId;
use skep_ledger::Log;
use skep_store::archive::{
    Archive, Chosen, Contents, Erasures, Into, Party, SingleRestored, Step, copy, open_all,
    restore, restore_workspace,
};
use skep_store::{MemoryFilter, PageOf, StoreError, Tx};

use crate::Harness;
use crate::people::{consent, own};
use crate::sample::{fresh, new_memory};
use crate::tombstones;
use crate::world::{Persona, SeededRoot, Tenant, World};
use filled::fill;

const HUMAN: Persona = Persona::Human;

/// What keys are wrapped under where things are moved to: another root key, and no machine.
static ROOT: SeededRoot = SeededRoot(4_711);

/// A folder for archives, removed in the end.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

fn lock() -> ArchiveLock {
    ArchiveLock::Recovery(RecoveryKey::generate(&SeededRandom::new(5)))
}

fn archive(path: &Path) -> Archive {
    Archive::new(path, lock())
}

/// A backup into a file, by whoever runs the installation.
async fn back_up<H: Harness>(world: &World<H>, contents: Contents, path: &Path) {
    let caller = world.caller(world.ours.token(HUMAN)).await.unwrap();
    let backup = world.store().begin_backup(&caller, lock(), contents).await;
    let mut backup = backup.unwrap();
    let mut file = std::fs::File::create(path).unwrap();
    while let Some(bytes) = backup.next().await.unwrap() {
        file.write_all(&bytes).unwrap();
    }
}

const fn workspace(tenant: &Tenant) -> Contents {
    Contents::Workspace(tenant.organization, tenant.workspace)
}

async fn put_back(
    archive: &Archive,
    party: &Party<'_>,
) -> Result<skep_store::archive::Restored, StoreError> {
    restore(archive, party, true, &mut |_| {}).await
}

/// Everything that a persona can recall.
async fn recalled<H: Harness>(world: &World<H>, tenant: &Tenant, who: Persona) -> Vec<String> {
    let mut tx: Tx<MemoryRead> = world.begin(tenant, who).await;
    let page = PageOf {
        limit: 500,
        before: None,
    };
    let filter = MemoryFilter::default();
    let listed = tx.list_memories(&filter, page).await.unwrap();
    listed.into_iter().map(|memory| memory.body.text).collect()
}

async fn remember<H: Harness>(world: &World<H>, tenant: &Tenant, statement: &str) -> MemoryId {
    let mut tx: Tx<skep_authz::rights::MemoryWrite> = world.begin(tenant, HUMAN).await;
    let kept = tx.put_memory(new_memory(world.store(), statement)).await;
    tx.commit().await.unwrap();
    fresh(kept.unwrap())
}

async fn erase<H: Harness>(world: &World<H>, tenant: &Tenant, memory: MemoryId) {
    let mut tx: Tx<MemoryDelete> = world.begin(tenant, HUMAN).await;
    let now = world.store().now();
    assert_eq!(tx.erase(memory, now).await.unwrap(), 1);
    tx.commit().await.unwrap();
}

/// From one backend into an archive, into another backend, into a second archive, and back into the first
/// kind: the first archive is what is there in the end, row by row, and credentials are good all along. And
/// straight from one to the other.
pub async fn across<A: Harness, B: Harness>() {
    let folder = Folder::new();
    let world = World::<A>::new().await;
    fill(&world).await;
    tombstones::enter(&world, 3).await;
    for log in [Log::Audit, Log::Usage] {
        tombstones::erase_entry(&world, (log, 2)).await;
    }
    let before = recalled(&world, &world.ours, HUMAN).await;
    let first = archive(&folder.file("first"));
    back_up(&world, Contents::Everything, &folder.file("first")).await;
    let summary = first.read_through().unwrap();
    assert!(summary.is_whole && summary.rows > 150, "{summary:?}");

    let mut there = World::<B>::closed(1).await;
    let party = there.party(&ROOT).await;
    assert_eq!(put_back(&first, &party).await.unwrap().rows, summary.rows);
    let moved = party.installation().await.unwrap().unwrap();
    assert_eq!(first.compare(&moved).await.unwrap(), summary.rows);
    let opened = open_all(&moved).await.unwrap();
    assert_eq!((opened.rows, opened.sealed > 60), (summary.rows, true));
    drop((party, moved));
    there.open_moved(&ROOT).await;
    assert_eq!(recalled(&there, &there.ours, HUMAN).await, before);
    for log in [Log::Audit, Log::Usage] {
        let gone = tombstones::places_of_erased(&there, log).await;
        assert_eq!(gone, [2], "{log}");
    }

    back_up(&there, Contents::Everything, &folder.file("second")).await;
    let back = World::<A>::closed(1).await;
    let party = back.party(&ROOT).await;
    let second = archive(&folder.file("second"));
    put_back(&second, &party).await.unwrap();
    let moved = party.installation().await.unwrap().unwrap();
    assert_eq!(first.compare(&moved).await.unwrap(), summary.rows);
    drop((party, moved));
    Box::pin(straight_across::<A, B>(world, (summary.rows, before))).await;
}

/// Without an archive in between, and once more, when all of it is there.
async fn straight_across<A: Harness, B: Harness>(
    mut world: World<A>,
    (all, before): (u64, Vec<String>),
) {
    world.close();
    let mut straight = World::<B>::closed(1).await;
    for is_known in [false, true] {
        let source = world.own_party().await;
        let source = source.installation().await.unwrap().unwrap();
        let mut steps = Vec::new();
        let target = straight.party(&ROOT).await;
        let done = copy(&source, target, &mut |step| steps.push(step)).await;
        let done = done.unwrap();
        let rows = if is_known { 0 } else { all };
        assert_eq!(
            (done.rows, done.workspaces, done.was_complete),
            (rows, 2, is_known)
        );
        assert!(steps.contains(&Step::Workspaces(2)));
        assert_eq!(done.known, if is_known { 2 } else { 0 });
    }
    // What came to the source since is not passed over.
    world.reopen().await;
    remember(&world, &world.ours, "said after the move").await;
    world.close();
    let source = world.own_party().await.installation().await;
    let source = source.unwrap().unwrap();
    let target = straight.party(&ROOT).await;
    let refused = copy(&source, target, &mut |_| {}).await;
    assert!(
        matches!(refused, Err(StoreError::Refused(_))),
        "{refused:?}"
    );
    straight.open_moved(&ROOT).await;
    assert_eq!(recalled(&straight, &straight.ours, HUMAN).await, before);
}

pub(crate) async fn f10_an_archive_puts_back_every_row<H: Harness>() {
    across::<H, H>().await;
}

/// Closes: half of an archive is restored before it shows that the rest is missing.
pub(crate) async fn f10_a_damaged_archive_writes_nothing<H: Harness>() {
    let folder = Folder::new();
    let world = World::<H>::new().await;
    fill(&world).await;
    let whole = folder.file("whole");
    back_up(&world, Contents::Everything, &whole).await;
    let bytes = std::fs::read(&whole).unwrap();
    let damaged = folder.file("damaged");
    let there = World::<H>::closed(1).await;
    let party = there.party(&ROOT).await;
    let last = bytes.len() - 1;
    for at in (0..bytes.len()).step_by(bytes.len() / 40).chain([last]) {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        for one in [changed, bytes[..at].to_vec(), [&bytes[..], b"x"].concat()] {
            std::fs::write(&damaged, one).unwrap();
            assert!(put_back(&archive(&damaged), &party).await.is_err(), "{at}");
        }
    }
    let passphrase = ArchiveLock::Passphrase(Plain::new("another thing".into()));
    let other = RecoveryKey::generate(&SeededRandom::new(6));
    for wrong in [passphrase, ArchiveLock::Recovery(other)] {
        let refused = put_back(&Archive::new(&whole, wrong), &party).await;
        assert!(
            matches!(refused, Err(StoreError::Refused(_))),
            "{refused:?}"
        );
    }
    assert!(party.installation().await.unwrap().is_none());
    assert!(put_back(&archive(&whole), &party).await.is_ok());
    let twice = put_back(&archive(&whole), &party).await;
    assert!(matches!(twice, Err(StoreError::Refused(_))), "{twice:?}");
}

async fn restore_ours<H: Harness>(
    world: &mut World<H>,
    archive: &Archive,
    into: &Into,
    erasures: Erasures,
) -> Result<SingleRestored, StoreError> {
    world.close();
    let party = world.own_party().await;
    let installation = party.installation().await.unwrap().unwrap();
    let chosen = Chosen::Id(world.ours.workspace);
    let clock = world.clock();
    let done = restore_workspace(archive, &installation, (&chosen, into), erasures, clock).await;
    drop((party, installation));
    world.reopen().await;
    done
}

fn replacing() -> Into {
    Into {
        replaces: true,
        ..Into::default()
    }
}

/// Closes: restoring one workspace brings back, takes away or shows rows of another.
pub(crate) async fn t19_a_workspace_comes_back_and_no_other_changes<H: Harness>() {
    let folder = Folder::new();
    let mut world = World::<H>::new().await;
    fill(&world).await;
    remember(&world, &world.theirs, "their canary").await;
    let (ours, others) = (folder.file("ours"), folder.file("others"));
    back_up(&world, workspace(&world.ours), &ours).await;
    back_up(&world, workspace(&world.theirs), &others).await;
    let ours = archive(&ours);
    let summary = ours.read_through().unwrap();
    let names: Vec<_> = summary.workspaces.iter().map(|(_, id, _)| *id).collect();
    assert_eq!(names, [world.ours.workspace]);
    assert!(!summary.is_whole);
    assert_eq!(ours.names().unwrap().len(), 1, "nor the name of another");
    let before = recalled(&world, &world.ours, HUMAN).await;

    let later = remember(&world, &world.ours, "said after the backup").await;
    let refused = restore_ours(&mut world, &ours, &Into::default(), Erasures::Win).await;
    assert!(
        matches!(refused, Err(StoreError::Refused(_))),
        "{refused:?}"
    );
    assert_eq!(
        recalled(&world, &world.ours, HUMAN).await.len(),
        before.len() + 1
    );

    let done = restore_ours(&mut world, &ours, &replacing(), Erasures::Win).await;
    let done = done.unwrap();
    assert_eq!((done.replaced, done.withheld), (true, Some(0)));
    assert_eq!(recalled(&world, &world.ours, HUMAN).await, before);
    let mut tx: Tx<MemoryRead> = world.begin(&world.ours, HUMAN).await;
    assert!(tx.get_memory(later).await.unwrap().is_none());
    drop(tx);
    // The other one is, row by row, what its own archive says.
    world.close();
    let party = world.own_party().await;
    let installation = party.installation().await.unwrap().unwrap();
    let theirs = archive(&others);
    assert!(theirs.compare(&installation).await.unwrap() > 2);
    open_all(&installation).await.unwrap();
}

/// Closes: what somebody had erased, or took back, is there again after a restore.
pub(crate) async fn t18_what_was_erased_since_stays_erased<H: Harness>() {
    let folder = Folder::new();
    let mut world = World::<H>::new().await;
    fill(&world).await;
    let doomed = remember(&world, &world.ours, "to be erased").await;
    let before = recalled(&world, &world.ours, HUMAN).await;
    let subject = own(&world, &world.ours, HUMAN).await;
    consent(&world, subject, None, true).await;
    let file = folder.file("ours");
    back_up(&world, workspace(&world.ours), &file).await;
    erase(&world, &world.ours, doomed).await;
    assert!(consent(&world, subject, None, false).await);
    let since = recalled(&world, &world.ours, HUMAN).await;
    assert!(
        since.len() < before.len() - 1,
        "observations are hidden too"
    );
    let archive = archive(&file);

    let done = restore_ours(&mut world, &archive, &replacing(), Erasures::Win).await;
    let done = done.unwrap();
    assert!(done.withheld.unwrap() >= 3, "{done:?}");
    let after = recalled(&world, &world.ours, HUMAN).await;
    assert_eq!(after, since);
    let mut tx = world.survey(&world.ours).await;
    let erased = tx.list_erasures((0, None), 99).await.unwrap();
    assert!(
        erased.iter().any(|(_, id)| *id == doomed),
        "its tombstone stays"
    );
    drop(tx);
    assert!(
        consent(&world, subject, None, true).await,
        "it was withdrawn still"
    );

    // Unless somebody says so.
    let done = restore_ours(&mut world, &archive, &replacing(), Erasures::Undone).await;
    assert_eq!(done.unwrap().withheld, None);
    assert_eq!(recalled(&world, &world.ours, HUMAN).await, before);
}

/// Closes: a kill half-way leaves something that a daemon would serve, or that stops the next run.
pub(crate) async fn f10_a_restore_that_stopped_half_way_can_be_run_again<H: Harness>() {
    let folder = Folder::new();
    let mut world = World::<H>::new().await;
    fill(&world).await;
    let file = folder.file("whole");
    back_up(&world, Contents::Everything, &file).await;
    let there = World::<H>::closed(1).await;
    let whole = archive(&file);
    let runs = killed_until_it_is_there(&there, async |party| {
        put_back(&whole, &party).await.map(drop)
    });
    let runs = runs.await;
    assert!(runs > 3, "{runs}");
    let moved = there.party(&ROOT).await.installation().await;
    whole.compare(&moved.unwrap().unwrap()).await.unwrap();

    world.close();
    let straight = World::<H>::closed(2).await;
    let runs = killed_until_it_is_there(&straight, async |party| {
        let source = world.own_party().await.installation().await?.unwrap();
        copy(&source, party, &mut |_| {}).await.map(drop)
    });
    let runs = runs.await;
    assert!(runs > 3, "{runs}");
    let moved = straight.party(&ROOT).await.installation().await;
    whole.compare(&moved.unwrap().unwrap()).await.unwrap();
}

/// Begins it again and again, each run given up after more polls than the one before as a kill would, until
/// there is an installation. How many runs that took.
///
/// A statement of what was given up goes on in a thread of its own, which no kill would let it: it may come
/// between, and the last commit may be one. It does so once or twice; what hinders for good stays.
async fn killed_until_it_is_there<H: Harness>(
    place: &World<H>,
    work: impl AsyncFn(Party<'static>) -> Result<(), StoreError>,
) -> usize {
    let (mut polls, mut runs, mut late) = (3, 0, 0);
    loop {
        let installed = place.party(&ROOT).await.installation().await;
        if installed.unwrap().is_some() {
            return runs;
        }
        runs += 1;
        assert!(runs < 20, "it is never done");
        match given_up_after(polls, work(place.party(&ROOT).await)).await {
            None => polls *= 2,
            Some(Err(StoreError::Conflict(_) | StoreError::Refused(_))) if late < 2 => late += 1,
            Some(done) => done.unwrap(),
        }
    }
}

/// What comes of it, unless it takes longer than so many polls.
async fn given_up_after<T>(polls: usize, work: impl Future<Output = T>) -> Option<T> {
    let mut work = std::pin::pin!(work);
    let mut left = polls;
    std::future::poll_fn(|context| {
        use std::task::Poll;
        left -= 1;
        match work.as_mut().poll(context) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Closes: a backup made during writes has a memory without its vector, or a count that no moment had.
pub(crate) async fn f10_a_backup_while_others_write_is_of_one_moment<H: Harness>() {
    backups_while_others_write::<H>(2).await;
}

/// The same as often as one likes.
pub async fn backups_while_others_write<H: Harness>(runs: usize) {
    for run in 0..runs {
        let folder = Folder::new();
        let world = World::<H>::new().await;
        fill(&world).await;
        let file = folder.file("whole");
        let writing = async {
            for n in 0..60 {
                // Both or none, in one commit.
                let mut tx: Tx<skep_authz::rights::MemoryWrite> =
                    world.begin(&world.ours, HUMAN).await;
                for half in ["left", "right"] {
                    let new = new_memory(world.store(), &format!("{half} of {run}-{n}"));
                    fresh(tx.put_memory(new).await.unwrap());
                }
                tx.commit().await.unwrap();
            }
        };
        tokio::join!(writing, back_up(&world, Contents::Everything, &file));
        let mut there = World::<H>::closed(1).await;
        let party = there.party(&ROOT).await;
        put_back(&archive(&file), &party).await.unwrap();
        let moved = party.installation().await.unwrap().unwrap();
        archive(&file).compare(&moved).await.unwrap();
        open_all(&moved).await.unwrap();
        drop((party, moved));
        there.open_moved(&ROOT).await;
        let texts = recalled(&there, &there.ours, HUMAN).await;
        let of = |half: &str| {
            let of = texts.iter().filter_map(|text| text.split_once(half));
            let mut of: Vec<&str> = of.map(|(_, rest)| rest).collect();
            of.sort_unstable();
            of
        };
        assert_eq!(of("left of"), of("right of"));
    }
}
