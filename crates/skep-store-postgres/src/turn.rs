//! Statements on turns.

use std::collections::{HashMap, HashSet};

use skep_domain::{Id, ParticipantId, ReadingRing, SessionId, TurnId};
use skep_store::column::{Stored, bytes_of, id_option};
use skep_store::row::{StoredTurnRow, TurnRow};

use crate::failure::Failure;
use crate::ring::turn_predicate;
use crate::rows::{Rows, id_array};
use crate::session;
use crate::statement::statements;
use crate::value::{Value, values};

macro_rules! turn_columns {
    () => {
        "t.session, t.ordinal, t.id, t.fingerprint, t.role, t.branch, t.is_error, t.at, \
         t.recorded_at, t.body, (SELECT au.author FROM turn_author AS au \
         WHERE au.workspace_id = $1 AND au.session = t.session AND au.from_ordinal <= t.ordinal \
         ORDER BY au.from_ordinal DESC LIMIT 1)"
    };
}

statements! {
    KNOWN = "SELECT fingerprint FROM turn
             WHERE workspace_id = $1 AND session = $2 AND fingerprint = ANY ($3)";
    INSERT = "INSERT INTO turn (workspace_id, session, ordinal, id, fingerprint, role, branch,
                  is_error, at, recorded_at, body)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    SET_COUNT [once] = "UPDATE session SET turn_count = $3 WHERE workspace_id = $1 AND id = $2";
    LAST_AUTHOR [once] = "SELECT author FROM turn_author WHERE workspace_id = $1 AND session = $2
                   ORDER BY from_ordinal DESC LIMIT 1";
    PUT_AUTHOR = "INSERT INTO turn_author (workspace_id, session, from_ordinal, author)
                  VALUES ($1, $2, $3, $4)";
    COUNT [once] = "SELECT turn_count FROM session WHERE workspace_id = $1 AND id = $2";
    PAGE = concat!(
        "SELECT ",
        turn_columns!(),
        " FROM session AS s JOIN turn AS t
          ON t.workspace_id = $1 AND t.session = s.id AND t.ordinal >= $8
          WHERE s.workspace_id = $1 AND s.id = $7 AND ",
        turn_predicate!(),
        " ORDER BY t.ordinal LIMIT $9"
    );
    PAGE_BEFORE = concat!(
        "SELECT ",
        turn_columns!(),
        " FROM session AS s JOIN turn AS t
          ON t.workspace_id = $1 AND t.session = s.id AND t.ordinal < $8
          WHERE s.workspace_id = $1 AND s.id = $7 AND ",
        turn_predicate!(),
        " ORDER BY t.ordinal DESC LIMIT $9"
    );
    BY_ID [once] = concat!(
        "SELECT ",
        turn_columns!(),
        " FROM turn AS t
          JOIN session AS s ON s.workspace_id = $1 AND s.id = t.session
          WHERE t.workspace_id = $1 AND t.id = ANY ($7) AND ",
        turn_predicate!()
    );
    FOR_UPKEEP = concat!(
        "SELECT ",
        turn_columns!(),
        " FROM turn AS t
          WHERE t.workspace_id = $1 AND t.session = $2 AND t.ordinal >= $3
          ORDER BY t.ordinal LIMIT $4"
    );
}

/// Appends what is new. Ordinals have no gap: one is used only by a row that was inserted.
pub(crate) async fn append(
    rows: &mut Rows<'_>,
    session: SessionId,
    turns: &[TurnRow],
) -> Result<Vec<bool>, Failure> {
    let first = turn_count(rows, session).await?;
    let first = first.ok_or_else(session::absent)?;
    let mut known = known(rows, session, turns).await?;
    let mut speaking = last_author(rows, session).await?;
    let (mut next, mut new) = (first, Vec::with_capacity(turns.len()));
    let (mut inserts, mut authors) = (Vec::new(), Vec::new());
    for turn in turns {
        let is_new = known.insert(turn.fingerprint);
        new.push(is_new);
        if !is_new {
            continue;
        }
        inserts.push(insertion(rows.workspace, (session, next), turn));
        if speaking != turn.author {
            let author = bytes_of(turn.author);
            authors.push(values![rows.workspace, session.to_bytes(), next, author].to_vec());
            speaking = turn.author;
        }
        next += 1;
    }
    if next > first {
        rows.writing().await?;
        rows.run_each(INSERT, &inserts).await?;
        rows.run_each(PUT_AUTHOR, &authors).await?;
        let values = values![rows.workspace, session.to_bytes(), next];
        rows.run(SET_COUNT, values).await?;
    }
    Ok(new)
}

/// Those of the turns' fingerprints that the session has. Writers take turns, so no other comes meanwhile.
async fn known(
    rows: &Rows<'_>,
    session: SessionId,
    turns: &[TurnRow],
) -> Result<HashSet<[u8; 16]>, Failure> {
    let wanted: Vec<[u8; 16]> = turns.iter().map(|turn| turn.fingerprint).collect();
    let values = values![rows.workspace, session.to_bytes(), wanted];
    let known = rows.list(KNOWN, values, |row| row.get(0)).await?;
    Ok(known.into_iter().collect())
}

fn insertion(
    workspace: [u8; 16],
    (session, ordinal): (SessionId, u64),
    turn: &TurnRow,
) -> Vec<Value> {
    values![
        workspace,
        session.to_bytes(),
        ordinal,
        turn.id.to_bytes(),
        turn.fingerprint,
        turn.role.code(),
        turn.branch,
        turn.is_error,
        turn.at.as_micros(),
        turn.recorded_at.as_micros(),
        turn.body.as_bytes(),
    ]
    .to_vec()
}

/// Who spoke last; nobody, if none is known.
async fn last_author(
    rows: &Rows<'_>,
    session: SessionId,
) -> Result<Option<ParticipantId>, Failure> {
    let values = values![rows.workspace, session.to_bytes()];
    let found = rows.find(LAST_AUTHOR, values, |row| id_option(row, 0));
    Ok(found.await?.flatten())
}

async fn turn_count(rows: &Rows<'_>, session: SessionId) -> Result<Option<u64>, Failure> {
    let values = values![rows.workspace, session.to_bytes()];
    rows.find(COUNT, values, |row| row.get(0)).await
}

pub(crate) async fn list(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    session: SessionId,
    from: u64,
    limit: u32,
) -> Result<Vec<StoredTurnRow>, Failure> {
    let values = rows.for_reader(ring, values![session.to_bytes(), from, limit]);
    rows.list(PAGE, &values, StoredTurnRow::read).await
}

/// Newest first, before an ordinal.
pub(crate) async fn list_before(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    session: SessionId,
    before: u64,
    limit: u32,
) -> Result<Vec<StoredTurnRow>, Failure> {
    let values = rows.for_reader(ring, values![session.to_bytes(), before, limit]);
    rows.list(PAGE_BEFORE, &values, StoredTurnRow::read).await
}

/// In the order asked for; what is not there, or not for this reader, is left out.
pub(crate) async fn list_by_id(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    ids: &[TurnId],
) -> Result<Vec<StoredTurnRow>, Failure> {
    let values = rows.for_reader(ring, values![id_array(ids)]);
    let found = rows.list(BY_ID, &values, StoredTurnRow::read).await?;
    let mut found: HashMap<_, _> = found.into_iter().map(|turn| (turn.turn.id, turn)).collect();
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

/// Turns for the daemon's own upkeep, whoever may read them.
pub(crate) async fn list_for_upkeep(
    rows: &Rows<'_>,
    session: SessionId,
    from: u64,
    limit: u32,
) -> Result<Vec<StoredTurnRow>, Failure> {
    let values = values![rows.workspace, session.to_bytes(), from, limit];
    rows.list(FOR_UPKEEP, values, StoredTurnRow::read).await
}
