//! Sources: each workspace's own, in pieces that come and go, purged with what came of them.

use skep_authz::rights::{MemoryDelete, MemoryRead, SourceManage};
use skep_domain::{RemovalMode, SourceId, SourceKind, Trust, Visibility};
use skep_store::{
    MemoryFilter, NewChunk, NewSource, Origin, PageOf, Removal, Root, SourceChanges, Tx, Validators,
};

use crate::Harness;
use crate::sample::{fresh, new_memory};
use crate::time::take_back;
use crate::world::{Persona, Tenant, World};

const HUMAN: Persona = Persona::Human;

pub(crate) async fn put_source<H: Harness>(world: &World<H>, tenant: &Tenant) -> SourceId {
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

pub(crate) async fn put_document<H: Harness>(
    world: &World<H>,
    source: SourceId,
    version: &str,
    pieces: &[&str],
) -> SourceChanges {
    let store = world.store();
    let chunks = pieces.iter().map(|piece| NewChunk {
        shared: false,
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
    let removal = purged.unwrap();
    assert!(
        tx.get_source(source).await.unwrap().is_none(),
        "gone at once"
    );
    tx.commit().await.unwrap();
    let mut tx = world.survey(&world.ours).await;
    assert_eq!(tx.list_removals(9).await.unwrap().len(), 1, "after a kill");
    drop(tx);
    let done = take_back(&world, &removal).await;
    assert_eq!(done.removed, 4, "two pieces, one superseded, two derived");
    let mut tx: Tx<MemoryRead> = world.begin(&world.ours, HUMAN).await;
    let left = tx.list_memories(&filter, page()).await.unwrap();
    let left: Vec<_> = left.iter().map(|memory| memory.id).collect();
    assert_eq!(left, [stays]);
    let mut tx = world.survey(&world.ours).await;
    let rows = tx.list_changes((0, None), 9).await.unwrap();
    let rows: Vec<_> = rows.iter().map(|change| change.id).collect();
    assert_eq!(rows, [stays], "no row is left of the others");
    assert_eq!(tx.list_erasures((0, None), 9).await.unwrap().len(), 4);
    let mut tx: Tx<SourceManage> = world.begin(&world.ours, HUMAN).await;
    let again = tx.purge_source(source, "bad", store.now()).await.unwrap();
    assert!(again.is_none());
}

pub(crate) async fn m04_a_preview_counts_what_a_removal_takes<H: Harness>() {
    let world = World::<H>::new().await;
    let store = world.store();
    let source = put_source(&world, &world.ours).await;
    put_document(&world, source, "1", &["one", "two"]).await;
    let mut tx: Tx<SourceManage> = world.begin(&world.ours, HUMAN).await;
    let from = |text: &str, origins: Vec<Origin>| skep_store::NewMemory {
        origins,
        ..new_memory(store, text)
    };
    let (ours, also) = (Origin::Source(source), Origin::Source(store.mint()));
    let shared = fresh(
        tx.put_memory(from("shared", vec![ours, also]))
            .await
            .unwrap(),
    );
    let mut last = fresh(tx.put_memory(from("rests", vec![ours])).await.unwrap());
    // A chain, two that meet again in one, and one of what stays.
    for text in ["first", "second"] {
        last = fresh(
            tx.put_memory(from(text, vec![Origin::Memory(last)]))
                .await
                .unwrap(),
        );
    }
    let fork = vec![Origin::Memory(last)];
    let left = fresh(tx.put_memory(from("left", fork.clone())).await.unwrap());
    let right = fresh(tx.put_memory(from("right", fork)).await.unwrap());
    let both = vec![Origin::Memory(left), Origin::Memory(right)];
    fresh(tx.put_memory(from("both", both)).await.unwrap());
    fresh(
        tx.put_memory(from("of what stays", vec![Origin::Memory(shared)]))
            .await
            .unwrap(),
    );
    tx.commit().await.unwrap();

    let root = Root::Source(source);
    let mut tx: Tx<MemoryDelete> = world.begin(&world.ours, HUMAN).await;
    let (going, kept) = tx.preview_removal(root, 100).await.unwrap();
    let (cut, _) = tx.preview_removal(root, 5).await.unwrap();
    assert_eq!(cut.len(), 5);
    drop(tx);
    let mut tx: Tx<MemoryDelete> = world.begin(&world.theirs, HUMAN).await;
    assert_eq!(tx.preview_removal(root, 100).await.unwrap(), (vec![], 0));
    drop(tx);
    let removal = Removal {
        root,
        mode: RemovalMode::Forget,
        reason: "bad".into(),
    };
    let done = take_back(&world, &removal).await;
    assert_eq!((going.len() as u64, kept), (8, 1));
    assert_eq!((done.removed, done.kept), (8, 1));
}

pub(crate) async fn t01_what_a_server_said_of_a_page_stays_with_its_source<H: Harness>() {
    let world = World::<H>::new().await;
    let (ours, theirs) = (
        put_source(&world, &world.ours).await,
        put_source(&world, &world.theirs).await,
    );
    let said = |etag: &str| Validators {
        etag: Some(etag.into()),
        modified: None,
    };
    for etag in ["\"1\"", "\"2\""] {
        let mut tx: Tx<SourceManage> = world.begin(&world.ours, HUMAN).await;
        tx.put_validators(ours, &said(etag)).await.unwrap();
        tx.commit().await.unwrap();
    }
    let mut tx: Tx<SourceManage> = world.begin(&world.ours, HUMAN).await;
    assert_eq!(tx.get_validators(ours).await.unwrap(), Some(said("\"2\"")));
    assert_eq!(tx.get_validators(theirs).await.unwrap(), None);
    drop(tx);
    let mut tx: Tx<SourceManage> = world.begin(&world.theirs, HUMAN).await;
    for id in [ours, theirs] {
        assert_eq!(tx.get_validators(id).await.unwrap(), None);
    }
    drop(tx);
    let mut tx: Tx<SourceManage> = world.begin(&world.ours, HUMAN).await;
    let now = world.store().now();
    tx.purge_source(ours, "bad", now).await.unwrap();
    assert_eq!(tx.get_validators(ours).await.unwrap(), None);
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
    assert!(tx.purge_source(ours, "no", now).await.unwrap().is_none());
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
