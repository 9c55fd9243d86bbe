//! Sources: each workspace's own, in pieces that come and go, purged with what came of them.

use skep_authz::rights::{MemoryRead, SourceManage};
use skep_domain::{MemoryState, SourceId, SourceKind, Trust, Visibility};
use skep_store::{MemoryFilter, NewChunk, NewSource, Origin, PageOf, SourceChanges, Tx};

use crate::Harness;
use crate::sample::{fresh, new_memory};
use crate::world::{Persona, Tenant, World};

const HUMAN: Persona = Persona::Human;

async fn put_source<H: Harness>(world: &World<H>, tenant: &Tenant) -> SourceId {
    let mut tx: Tx<SourceManage> = world.begin(tenant, HUMAN).await;
    let source = NewSource {
        id: world.store().mint(),
        kind: SourceKind::Folder,
        location: "/srv/notes".into(),
        title: None,
        trust: Trust::External,
        visibility: Visibility::Own,
        project: None,
        created_at: world.store().now(),
    };
    let id = tx.put_source(&source).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn put_document<H: Harness>(
    world: &World<H>,
    source: SourceId,
    version: &str,
    pieces: &[&str],
) -> SourceChanges {
    let store = world.store();
    let chunks = pieces.iter().map(|piece| NewChunk {
        identity: (*piece).into(),
        memory: skep_store::NewMemory {
            origins: vec![Origin::Source(source)],
            ..new_memory(store, piece)
        },
    });
    let mut tx: Tx<SourceManage> = world.begin(&world.ours, HUMAN).await;
    let changes = tx
        .put_document(source, ("a.md", version), chunks.collect(), store.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    changes
}

pub(crate) async fn a_document_consists_of_its_pieces<H: Harness>() {
    let world = World::<H>::new().await;
    let source = put_source(&world, &world.ours).await;
    assert_eq!(put_source(&world, &world.ours).await, source, "found again");
    for (version, pieces, (new, same, gone)) in [
        ("1", &["one", "two", "two"][..], (2, 0, 0)),
        ("2", &["two", "three"], (1, 1, 1)),
        ("3", &["one"], (1, 0, 2)),
    ] {
        let changes = put_document(&world, source, version, pieces).await;
        assert_eq!(changes, SourceChanges { new, same, gone }, "{version}");
    }
    let mut tx: Tx<SourceManage> = world.begin(&world.ours, HUMAN).await;
    let stale = [("a.md", "3"), ("a.md", "2"), ("b.md", "3")];
    assert_eq!(
        tx.list_stale_documents(source, &stale).await.unwrap(),
        [1, 2]
    );
    let found = tx.get_source(source).await.unwrap().unwrap();
    assert_eq!((found.documents, found.chunks), (1, 1));
    let gone = tx
        .keep_documents(source, &["b.md"], world.store().now())
        .await;
    assert_eq!(gone.unwrap(), (1, 1));
}

pub(crate) async fn m04_a_purge_takes_what_was_derived_as_well<H: Harness>() {
    let world = World::<H>::new().await;
    let store = world.store();
    let source = put_source(&world, &world.ours).await;
    put_document(&world, source, "1", &["one", "two"]).await;
    put_document(&world, source, "2", &["two"]).await;
    let mut tx: Tx<MemoryRead> = world.begin(&world.ours, HUMAN).await;
    let page = || PageOf {
        limit: 9,
        before: None,
    };
    let filter = MemoryFilter::default();
    let two = tx.list_memories(&filter, page()).await.unwrap()[0].id;
    drop(tx);
    let mut tx: Tx<SourceManage> = world.begin(&world.ours, HUMAN).await;
    let derived = skep_store::NewMemory {
        origins: vec![Origin::Memory(two)],
        ..new_memory(store, "derived")
    };
    let derived = fresh(tx.put_memory(derived).await.unwrap());
    let second = skep_store::NewMemory {
        origins: vec![Origin::Memory(derived)],
        ..new_memory(store, "derived from that")
    };
    fresh(tx.put_memory(second).await.unwrap());
    let stays = fresh(tx.put_memory(new_memory(store, "stays")).await.unwrap());
    tx.commit().await.unwrap();

    let mut tx: Tx<SourceManage> = world.begin(&world.ours, HUMAN).await;
    let purged = tx.purge_source(source, "bad", store.now()).await.unwrap();
    assert_eq!(
        purged,
        Some(4),
        "two pieces, one superseded, and two derived"
    );
    tx.commit().await.unwrap();
    let mut tx: Tx<MemoryRead> = world.begin(&world.ours, HUMAN).await;
    let left = tx.list_memories(&filter, page()).await.unwrap();
    let left: Vec<_> = left.iter().map(|memory| memory.id).collect();
    assert_eq!(left, [stays]);
    let mut tx = world.survey(&world.ours).await;
    for change in tx.list_changes((0, None), 9).await.unwrap() {
        let kept = change.id == stays;
        assert_eq!(change.state == MemoryState::Active, kept);
        assert_eq!(change.body.text.is_empty(), !kept, "overwritten");
    }
    let mut tx: Tx<SourceManage> = world.begin(&world.ours, HUMAN).await;
    let again = tx.purge_source(source, "bad", store.now()).await.unwrap();
    assert_eq!(again, None);
}

pub(crate) async fn t01_a_source_is_its_workspaces_own<H: Harness>() {
    let world = World::<H>::new().await;
    let (ours, theirs) = (
        put_source(&world, &world.ours).await,
        put_source(&world, &world.theirs).await,
    );
    assert_ne!(ours, theirs);
    let now = world.store().now();
    let mut tx: Tx<SourceManage> = world.begin(&world.theirs, HUMAN).await;
    assert!(tx.get_source(ours).await.unwrap().is_none());
    assert_eq!(tx.purge_source(ours, "no", now).await.unwrap(), None);
    drop(tx);
    for (persona, sees) in [(HUMAN, 1), (Persona::Colleague, 1), (Persona::Shared, 0)] {
        let mut tx: Tx<SourceManage> = world.begin(&world.ours, persona).await;
        let page = PageOf {
            limit: 9,
            before: None,
        };
        let found = tx.list_sources(page).await.unwrap();
        assert_eq!(found.len(), sees, "{persona:?}");
        assert!(found.iter().all(|source| source.id == ours));
        assert!(
            found
                .iter()
                .all(|source| source.is_own == (persona == HUMAN))
        );
    }
}
