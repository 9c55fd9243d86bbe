//! Statements on what was put in front of models.

use skep_domain::{Id, InjectionId, MemoryId, ReadingRing, SessionId};
use skep_store::backend::PageOf;
use skep_store::column::{Stored, bytes_of, ids};
use skep_store::row::{InjectionRow, StoredInjectionRow};

use crate::failure::Failure;
use crate::ring::ring_predicate;
use crate::rows::Rows;
use crate::session;
use crate::statement::statements;
use crate::value::values;

statements! {
    NEXT = concat!(
        "SELECT (SELECT COALESCE(MAX(i.ordinal) + 1, 0) FROM injection AS i
                 WHERE i.workspace_id = $1 AND i.session = s.id)
         FROM session AS s WHERE s.workspace_id = $1 AND s.id = $7 AND ",
        ring_predicate!("s")
    );
    PUT = "INSERT INTO injection (workspace_id, session, ordinal, id, at, moment, memories, body)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    INJECTED = concat!(
        "SELECT i.memories FROM session AS s JOIN injection AS i
          ON i.workspace_id = $1 AND i.session = s.id
          WHERE s.workspace_id = $1 AND s.id = $7
            AND i.ordinal >= (SELECT COALESCE(MAX(l.ordinal), 0) FROM injection AS l
                              WHERE l.workspace_id = $1 AND l.session = s.id AND l.moment = 2)
            AND ",
        ring_predicate!("s"),
        " ORDER BY i.ordinal DESC LIMIT $8"
    );
    LIST = concat!(
        "SELECT i.id, i.session, i.ordinal, i.at, i.moment, i.memories, i.body
          FROM injection AS i JOIN session AS s
          ON s.workspace_id = $1 AND s.id = i.session
          WHERE i.workspace_id = $1 AND ($7::uuid IS NULL OR i.id < $7)
            AND ($9::uuid IS NULL OR i.session = $9) AND ",
        ring_predicate!("s"),
        " ORDER BY i.id DESC LIMIT $8"
    );
}

pub(crate) async fn put(
    rows: &mut Rows<'_>,
    ring: &ReadingRing,
    row: &InjectionRow,
) -> Result<u64, Failure> {
    let values = rows.for_reader(ring, values![row.session.to_bytes()]);
    let ordinal: Option<u64> = rows.find(NEXT, &values, |row| row.get(0)).await?;
    let ordinal = ordinal.ok_or_else(session::absent)?;
    rows.writing().await?;
    let memories: Vec<u8> = row.memories.iter().flat_map(|id| id.to_bytes()).collect();
    let values = values![
        rows.workspace,
        row.session.to_bytes(),
        ordinal,
        row.id.to_bytes(),
        row.at.as_micros(),
        row.moment.code(),
        memories,
        row.body.as_bytes(),
    ];
    rows.run(PUT, values).await?;
    Ok(ordinal)
}

/// What a model has in its context: from the last injection after its context was emptied on.
pub(crate) async fn injected(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    session: SessionId,
    limit: u32,
) -> Result<Vec<MemoryId>, Failure> {
    let values = rows.for_reader(ring, values![session.to_bytes(), limit]);
    let lists = rows
        .list(INJECTED, &values, |row| {
            ids(row, 0, "the memories of an injection")
        })
        .await?;
    Ok(lists.concat())
}

pub(crate) async fn list(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    session: Option<SessionId>,
    page: PageOf<InjectionId>,
) -> Result<Vec<StoredInjectionRow>, Failure> {
    let values = rows.for_reader(
        ring,
        values![bytes_of(page.before), page.limit, bytes_of(session)],
    );
    rows.list(LIST, &values, StoredInjectionRow::read).await
}
