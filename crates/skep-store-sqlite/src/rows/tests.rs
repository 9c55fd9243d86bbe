//! Two workspaces in one file, with the same ids and fingerprints in both: a statement that forgets
//! the workspace reads, changes or counts the other's rows. Files keep workspaces apart already;
//! this is the wall behind that one.

use rusqlite::Connection;
use skep_crypto::Sealed;
use skep_domain::{
    Harness, Id, MemoryId, MemoryKind, MemoryState, Moment, Principal, ProjectId, Reader,
    ReadingRing, SessionId, SessionState, Timestamp, Trust, TurnId, TurnRole, UserId, Validity,
    Visibility,
};
use skep_store::StoreError;
use skep_store::backend::{MemoryFilter, PageOf};
use skep_store::row::{
    HistoryRow, InjectionRow, MemoryRow, ProjectRow, SessionRow, TurnRow, VectorRow,
};

use super::{Counter, Rows, put_identity};
use crate::failure::Failure;
use crate::migration::WORKSPACE;
use crate::{injection, memory, project, session, turn, upkeep};

const OURS: [u8; 16] = [0xA; 16];
const THEIRS: [u8; 16] = [0xB; 16];
const MODEL: [u8; 8] = [1; 8];
const LATER: Timestamp = Timestamp::from_micros(9);

fn file() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    rusqlite::vtab::array::load_module(&connection).unwrap();
    for migration in &WORKSPACE.migrations {
        connection.execute_batch(migration.sql()).unwrap();
    }
    for workspace in [OURS, THEIRS] {
        put_identity(&connection, workspace, [0xC; 16]).unwrap();
    }
    connection
}

/// One step in one workspace, as a transaction of its own.
fn step<T>(
    connection: &Connection,
    workspace: [u8; 16],
    work: impl FnOnce(&mut Rows<'_>) -> Result<T, Failure>,
) -> T {
    work(&mut Rows::new(
        connection,
        workspace,
        &mut Counter::default(),
    ))
    .unwrap()
}

fn user() -> Principal {
    Principal::User(UserId::from_bytes([1; 16]))
}

fn ring() -> ReadingRing {
    ReadingRing::new(Reader::Human(UserId::from_bytes([1; 16])))
}

fn id<I: Id>(n: u8) -> I {
    I::from_bytes([n; 16])
}

/// Says whose it is.
fn of(workspace: [u8; 16]) -> Sealed {
    Sealed::from_bytes(workspace.to_vec())
}

fn project_row(workspace: [u8; 16], n: u8) -> ProjectRow {
    ProjectRow {
        id: id(n),
        fingerprint: [n; 16],
        name: of(workspace),
    }
}

fn session_row(workspace: [u8; 16], n: u8) -> SessionRow {
    SessionRow {
        id: id(n),
        harness: Harness::Git,
        fingerprint: [n; 16],
        project: Some(id(1)),
        owner: user(),
        owner_group: None,
        visibility: Visibility::Workspace,
        state: SessionState::Open,
        started_at: Timestamp::from_micros(1),
        last_at: Timestamp::from_micros(2),
        recorded_at: Timestamp::from_micros(3),
        body: of(workspace),
    }
}

fn turn_row(workspace: [u8; 16], n: u8) -> TurnRow {
    TurnRow {
        id: id(n),
        fingerprint: [n; 16],
        role: TurnRole::User,
        branch: 0,
        author: None,
        is_error: false,
        at: LATER,
        recorded_at: LATER,
        body: of(workspace),
    }
}

fn memory_row(workspace: [u8; 16], n: u8) -> MemoryRow {
    MemoryRow {
        id: id(n),
        kind: MemoryKind::Fact,
        trust: Trust::User,
        state: MemoryState::Active,
        validity: Validity::open(LATER, LATER),
        owner: user(),
        owner_group: None,
        visibility: Visibility::Workspace,
        project: Some(id(1)),
        harness: Harness::Git,
        session: Some(id(n)),
        fingerprint: [n; 16],
        body: of(workspace),
        turns: vec![id(1)],
    }
}

fn vector_row(workspace: [u8; 16], n: u8) -> VectorRow {
    VectorRow {
        id: id(n),
        model: MODEL,
        dim: 2,
        vector: of(workspace),
    }
}

fn injection_row(workspace: [u8; 16], n: u8) -> InjectionRow {
    InjectionRow {
        id: id(n),
        session: id(n),
        at: LATER,
        moment: Moment::Prompt,
        memories: vec![id(n), id(n)],
        body: of(workspace),
    }
}

fn entry(workspace: [u8; 16], state: MemoryState) -> HistoryRow {
    HistoryRow {
        at: LATER,
        actor: Some(user()),
        state,
        reason: of(workspace),
    }
}

/// Every kind of write there is; `n` and up to it, the ids that the workspace uses.
fn write(connection: &Connection, workspace: [u8; 16], n: u8) {
    step(connection, workspace, |rows| {
        for n in 1..=n {
            project::put(rows, &project_row(workspace, n))?;
            session::put(rows, &session_row(workspace, n))?;
            turn::append(rows, id(n), &[turn_row(workspace, n)])?;
            memory::put(rows, &memory_row(workspace, n))?;
            project::put_cursor(rows, [n; 16], &of(workspace))?;
        }
        Ok(())
    });
}

/// Everything a workspace has, whatever table it is in.
fn dump(connection: &Connection, workspace: [u8; 16]) -> Vec<String> {
    let mut tables = connection
        .prepare(
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%'",
        )
        .unwrap();
    let tables = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let mut lines = Vec::new();
    for table in tables.map(Result::unwrap) {
        let sql = format!("SELECT * FROM {table} WHERE workspace_id = ?1 ORDER BY 1, 2, 3");
        let mut rows = connection.prepare(&sql).unwrap();
        let columns = rows.column_count();
        let found = rows.query_map([&workspace], |row| {
            (0..columns)
                .map(|at| row.get::<_, rusqlite::types::Value>(at))
                .collect::<Result<Vec<_>, _>>()
        });
        lines.extend(
            found
                .unwrap()
                .map(|row| format!("{table} {:?}", row.unwrap())),
        );
    }
    lines
}

/// A write in our workspace, after which theirs is as it was and ours is not.
fn writes_ours_only<T>(
    connection: &Connection,
    what: &str,
    work: impl FnOnce(&mut Rows<'_>) -> Result<T, Failure>,
) -> T {
    let (ours, theirs) = (dump(connection, OURS), dump(connection, THEIRS));
    let value = step(connection, OURS, work);
    assert_eq!(dump(connection, THEIRS), theirs, "{what} wrote theirs");
    assert_ne!(dump(connection, OURS), ours, "{what} wrote nothing");
    value
}

#[test]
fn t03_each_write_touches_its_own_workspace() {
    let connection = file();
    write(&connection, THEIRS, 3);
    write(&connection, OURS, 2);
    let entry_of = |workspace, state| {
        step(&connection, workspace, |rows| {
            memory::set_state(rows, &ring(), id(1), &entry(workspace, state))
        })
    };
    entry_of(THEIRS, MemoryState::Quarantined);
    entry_of(THEIRS, MemoryState::Active);
    step(&connection, THEIRS, |rows| {
        injection::put(rows, &ring(), &injection_row(THEIRS, 1))
    });
    let theirs = dump(&connection, THEIRS);
    let c = &connection;
    writes_ours_only(c, "put_project", |rows| {
        project::put(rows, &project_row(OURS, 3))
    });
    writes_ours_only(c, "put_session", |rows| {
        session::put(rows, &session_row(OURS, 3))
    });
    writes_ours_only(c, "widen a session", |rows| {
        let mut wider = session_row(OURS, 1);
        wider.last_at = LATER;
        session::put(rows, &wider)
    });
    writes_ours_only(c, "set_session_state", |rows| {
        session::set_state(rows, id(1), SessionState::Ended)
    });
    let new = writes_ours_only(c, "append_turns", |rows| {
        turn::append(rows, id(3), &[turn_row(OURS, 3), turn_row(OURS, 4)])
    });
    assert_eq!(new, [true, true]);
    writes_ours_only(c, "put_cursor", |rows| {
        project::put_cursor(rows, [3; 16], &of(OURS))
    });
    let known = writes_ours_only(c, "put_memory", |rows| {
        memory::put(rows, &memory_row(OURS, 3))
    });
    assert_eq!(known, None, "theirs says the same");
    let ordinal = writes_ours_only(c, "put_injection", |rows| {
        injection::put(rows, &ring(), &injection_row(OURS, 1))
    });
    assert_eq!(ordinal, 0, "theirs has one");
    writes_ours_only(c, "set_memory_state", |rows| {
        memory::set_state(rows, &ring(), id(1), &entry(OURS, MemoryState::Forgotten))
    });
    let sql = "SELECT MAX(entry) FROM memory_history WHERE workspace_id = ?1";
    let last: i64 = c.query_row(sql, [OURS], |row| row.get(0)).unwrap();
    assert_eq!(last, 0, "entries of others are not counted");
    writes_ours_only(c, "put_vectors", |rows| {
        upkeep::put_vectors(rows, &[vector_row(OURS, 2)])
    });
    writes_ours_only(c, "put_vectors again", |rows| {
        upkeep::put_vectors(rows, &[vector_row(OURS, 2)])
    });
    writes_ours_only(c, "set_distilled", |rows| {
        upkeep::set_distilled(rows, id(1), 1)
    });
    assert_eq!(dump(c, THEIRS), theirs);
}

/// What only the other workspace has is not there for us, whichever way we ask.
#[test]
fn t03_each_read_stays_in_its_own_workspace() {
    let connection = file();
    write(&connection, THEIRS, 3);
    step(&connection, THEIRS, |rows| {
        upkeep::put_vectors(rows, &[vector_row(THEIRS, 1), vector_row(THEIRS, 2)])?;
        memory::set_state(rows, &ring(), id(2), &entry(THEIRS, MemoryState::Forgotten))
    });
    write(&connection, OURS, 2);
    step(&connection, OURS, |rows| {
        lookups(rows)?;
        pages(rows)?;
        by_id(rows)?;
        for_upkeep(rows)
    });
}

fn lookups(rows: &mut Rows<'_>) -> Result<(), Failure> {
    assert_eq!(project::find(rows, [3; 16])?, None);
    assert_eq!(project::find(rows, [2; 16])?, Some(id::<ProjectId>(2)));
    assert_eq!(project::cursor(rows, [3; 16])?, None);
    assert_eq!(project::cursor(rows, [2; 16])?, Some(of(OURS)));
    assert!(session::get(rows, &ring(), id(3))?.is_none());
    assert!(session::get_for_upkeep(rows, id(3))?.is_none());
    let found = session::get(rows, &ring(), id(1))?.unwrap();
    assert_eq!(found.session.body, of(OURS));
    assert_eq!(found.project_name, Some(of(OURS)));
    assert_eq!((found.turns, found.memories), (1, 1));
    let found = session::get_for_upkeep(rows, id(1))?.unwrap();
    assert_eq!(found.body, of(OURS));
    assert!(session::set_state(rows, id(3), SessionState::Ended).is_err());
    assert!(turn::append(rows, id(3), &[turn_row(OURS, 9)]).is_err());
    let entry = entry(OURS, MemoryState::Forgotten);
    assert_eq!(memory::set_state(rows, &ring(), id(3), &entry)?, None);
    Ok(())
}

fn pages(rows: &Rows<'_>) -> Result<(), Failure> {
    let page = PageOf {
        limit: 99,
        before: None,
    };
    let listed = session::list(rows, &ring(), page)?;
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|row| row.session.body == of(OURS)));
    assert!(listed.iter().all(|row| row.memories == 1));
    assert!(listed.iter().all(|row| row.project_name == Some(of(OURS))));
    for project in [None, Some(id(1))] {
        let page = PageOf {
            limit: 99,
            before: None,
        };
        let filter = MemoryFilter {
            project,
            ..MemoryFilter::default()
        };
        let listed = memory::list(rows, &ring(), &filter, page)?;
        assert_eq!(listed.len(), 2);
        assert!(listed.iter().all(|row| row.memory.body == of(OURS)));
        assert!(listed.iter().all(|row| row.project_name == Some(of(OURS))));
    }
    Ok(())
}

fn by_id(rows: &Rows<'_>) -> Result<(), Failure> {
    let memories = [id::<MemoryId>(1), id(2), id(3)];
    let visible = memory::visible(rows, &ring(), &MemoryFilter::default(), &memories)?;
    assert_eq!(visible, memories[..2]);
    let loaded = memory::list_by_id(rows, &ring(), &memories)?;
    assert_eq!(loaded.len(), 2);
    assert!(loaded.iter().all(|row| row.memory.body == of(OURS)));
    assert!(loaded.iter().all(|row| row.project_name == Some(of(OURS))));
    let turns = [id::<TurnId>(1), id(2), id(3)];
    let loaded = turn::list_by_id(rows, &ring(), &turns)?;
    assert_eq!(loaded.len(), 2);
    assert!(loaded.iter().all(|row| row.turn.body == of(OURS)));
    for n in [1, 3] {
        let session = id::<SessionId>(n);
        let mut loaded = turn::list(rows, &ring(), session, 0, 99)?;
        loaded.extend(turn::list_for_upkeep(rows, session, 0, 99)?);
        assert_eq!(loaded.len(), if n == 3 { 0 } else { 2 });
        assert!(loaded.iter().all(|row| row.turn.body == of(OURS)));
    }
    Ok(())
}

fn for_upkeep(rows: &Rows<'_>) -> Result<(), Failure> {
    let changes = upkeep::changes(rows, (0, None), 99)?;
    assert_eq!(changes.len(), 2);
    assert!(changes.iter().all(|row| row.body == of(OURS)));
    assert!(changes.iter().all(|row| row.vector.is_none()));
    for model in [MODEL, [0; 8], [9; 8]] {
        let waiting = upkeep::unembedded(rows, model, 99)?;
        assert_eq!(waiting.len(), 2, "{model:?}");
        assert!(waiting.iter().all(|row| row.body == of(OURS)));
    }
    let undistilled = upkeep::undistilled(rows, 99)?;
    assert_eq!(undistilled.len(), 2);
    assert!(upkeep::distil_state(rows, id(3))?.is_none());
    let counts = upkeep::counts(rows, MODEL)?;
    assert_eq!((counts.sessions, counts.turns, counts.memories), (2, 2, 2));
    assert_eq!((counts.awaiting_vector, counts.awaiting_distil), (2, 2));
    Ok(())
}

/// A row that is shut here does not open because another workspace has an open one of that id.
#[test]
fn t03_the_ring_looks_at_its_own_workspaces_row() {
    let connection = file();
    write(&connection, THEIRS, 1);
    step(&connection, OURS, |rows| {
        let stranger = Principal::User(UserId::from_bytes([2; 16]));
        project::put(rows, &project_row(OURS, 1))?;
        let shut = SessionRow {
            owner: stranger,
            visibility: Visibility::Private,
            ..session_row(OURS, 1)
        };
        session::put(rows, &shut)?;
        turn::append(rows, id(1), &[turn_row(OURS, 1)])?;
        let shut = MemoryRow {
            owner: stranger,
            visibility: Visibility::Private,
            ..memory_row(OURS, 1)
        };
        memory::put(rows, &shut)?;
        assert!(session::get(rows, &ring(), id(1))?.is_none());
        assert!(turn::list(rows, &ring(), id(1), 0, 9)?.is_empty());
        assert!(turn::list_by_id(rows, &ring(), &[id(1)])?.is_empty());
        let filter = MemoryFilter::default();
        assert!(memory::visible(rows, &ring(), &filter, &[id(1)])?.is_empty());
        assert!(memory::list_by_id(rows, &ring(), &[id(1)])?.is_empty());
        let entry = entry(OURS, MemoryState::Forgotten);
        assert_eq!(memory::set_state(rows, &ring(), id(1), &entry)?, None);
        Ok(())
    });
}

#[test]
fn t03_a_vector_is_missing_only_in_its_own_workspace() {
    const BELOW: [u8; 8] = [0; 8];
    const ABOVE: [u8; 8] = [9; 8];
    let connection = file();
    let put = |workspace, vectors: &[(u8, [u8; 8])]| {
        let rows = vectors.iter().map(|(n, model)| VectorRow {
            model: *model,
            ..vector_row(workspace, *n)
        });
        let rows: Vec<VectorRow> = rows.collect();
        step(&connection, workspace, |at| upkeep::put_vectors(at, &rows));
    };
    let waiting = || {
        step(&connection, OURS, |rows| {
            upkeep::unembedded(rows, MODEL, 99)
        })
    };
    write(&connection, THEIRS, 3);
    write(&connection, OURS, 3);
    put(THEIRS, &[(2, BELOW), (3, ABOVE)]);
    put(OURS, &[(1, MODEL), (2, MODEL), (3, MODEL)]);
    assert!(waiting().is_empty());
    put(OURS, &[(1, BELOW), (2, ABOVE)]);
    let waiting = waiting();
    assert_eq!(waiting.len(), 2);
    assert!(waiting.iter().all(|row| row.body == of(OURS)));
}

#[test]
fn t03_a_file_answers_for_its_own_workspaces_only() {
    let connection = file();
    assert!(super::identity(&connection, OURS).is_ok());
    assert!(super::identity(&connection, [0xD; 16]).is_err());
}

/// A superseded memory holds until it was superseded; one that is taken back in holds again.
#[test]
fn a_superseded_memory_says_since_when() {
    let connection = file();
    write(&connection, OURS, 1);
    let since = |state| {
        step(&connection, OURS, |rows| {
            memory::set_state(rows, &ring(), id(1), &entry(OURS, state))?;
            let found = memory::list_by_id(rows, &ring(), &[id(1)])?;
            Ok(found[0].memory.validity.superseded)
        })
    };
    assert_eq!(since(MemoryState::Quarantined), None);
    assert_eq!(since(MemoryState::Superseded), Some(LATER));
    assert_eq!(since(MemoryState::Forgotten), Some(LATER));
    assert_eq!(since(MemoryState::Active), None);
}

/// A statement that was kept anew while its first form was held back cannot come back beside it.
#[test]
fn a_statement_is_active_once() {
    let connection = file();
    step(&connection, OURS, |rows| {
        project::put(rows, &project_row(OURS, 1))?;
        session::put(rows, &session_row(OURS, 1))?;
        let held = MemoryRow {
            state: MemoryState::Quarantined,
            ..memory_row(OURS, 1)
        };
        memory::put(rows, &held)?;
        let anew = MemoryRow {
            id: id(2),
            ..memory_row(OURS, 1)
        };
        assert_eq!(memory::put(rows, &anew)?, None);
        let back = memory::set_state(rows, &ring(), id(1), &entry(OURS, MemoryState::Active));
        let error = StoreError::from(back.unwrap_err());
        assert!(matches!(error, StoreError::Conflict(_)), "{error:?}");
        Ok(())
    });
}
