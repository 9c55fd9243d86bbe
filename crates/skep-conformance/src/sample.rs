//! Rows to put in: everything the same but what a property varies.

use skep_domain::{
    Harness, MemoryId, MemoryKind, MemoryState, SessionId, Trust, TurnRole, Validity, Visibility,
};
use skep_store::{Branch, Kept, MemoryBody, NewMemory, NewSession, NewTurn, Store};

/// A session under the harness's own name for it.
#[must_use]
pub fn new_session(store: &Store, external_id: &str) -> NewSession {
    let now = store.now();
    NewSession {
        id: store.mint(),
        harness: Harness::ClaudeCode,
        external_id: external_id.into(),
        title: Some(format!("about {external_id}")),
        cwd: Some("src".into()),
        project: None,
        visibility: Visibility::Workspace,
        span: (now, now),
        recorded_at: now,
    }
}

/// A turn under the client's own id.
#[must_use]
pub fn new_turn(store: &Store, event: &str) -> NewTurn {
    let now = store.now();
    NewTurn {
        id: store.mint(),
        client_event_id: event.into(),
        role: TurnRole::User,
        branch: Branch::Main,
        author: None,
        is_error: false,
        at: now,
        recorded_at: now,
        text: format!("said in {event}"),
        tool: None,
        paths: vec!["src/lib.rs".into()],
    }
}

/// Turns `prefix-0`, `prefix-1` and so on.
pub(crate) fn new_turns(store: &Store, prefix: &str, count: usize) -> Vec<NewTurn> {
    (0..count)
        .map(|n| new_turn(store, &format!("{prefix}-{n}")))
        .collect()
}

/// A memory that says something.
#[must_use]
pub fn new_memory(store: &Store, statement: &str) -> NewMemory {
    let now = store.now();
    NewMemory {
        id: store.mint(),
        kind: MemoryKind::Fact,
        trust: Trust::User,
        state: MemoryState::Active,
        validity: Validity::open(now, now),
        visibility: Visibility::Workspace,
        project: None,
        harness: Harness::Cli,
        session: None,
        turns: Vec::new(),
        normal_form: statement.into(),
        body: MemoryBody {
            key: statement.into(),
            text: format!("It is so: {statement}."),
            entities: vec!["src/lib.rs".into()],
            references: Vec::new(),
            ..MemoryBody::default()
        },
        origins: Vec::new(),
        topics: Vec::new(),
        reasons: Vec::new(),
    }
}

/// The id of a memory that must be new.
pub(crate) fn fresh(kept: Kept) -> MemoryId {
    match kept {
        Kept::New(id) => id,
        Kept::Known(id) => panic!("known already as {id:?}"),
    }
}

/// A session with turns, in a transaction that goes on.
pub(crate) async fn put_session<P: skep_authz::CanWrite>(
    tx: &mut skep_store::Tx<P>,
    store: &Store,
    external_id: &str,
    turns: usize,
) -> SessionId {
    let session = tx
        .put_session(&new_session(store, external_id))
        .await
        .unwrap();
    let turns = new_turns(store, external_id, turns);
    let new = tx.append_turns(session, &turns).await.unwrap();
    assert!(new.iter().all(|new| *new));
    session
}
