//! Statements on participants: keeping, finding within reach, naming, merging, blanking.

use rusqlite::{OptionalExtension, params};
use skep_crypto::Sealed;
use skep_domain::{Id, ParticipantId, Principal};
use skep_store::backend::{PageOf, ReachRow, RingValues};
use skep_store::column::{bytes_of, id, principal_kind};
use skep_store::participant_columns;
use skep_store::row::{Fingerprint, NameRow, ParticipantEventRow, ParticipantRow};

use crate::column::page_end;
use crate::failure::Failure;
use crate::rows::Rows;

/// The participants that a principal (`?2`, `?3`) reaches: its own, those it added, and those who
/// were in a session while it was. What this costs follows from the asker's own sessions alone, so
/// that the time it takes tells nothing of who is asked for.
macro_rules! reached {
    () => {
        "SELECT COALESCE(o.merged_into, o.id) FROM participant AS o
         WHERE o.workspace_id = ?1
         AND ((o.principal_kind = ?2 AND o.principal = ?3) OR (o.owner_kind = ?2 AND o.owner = ?3))
         UNION
         SELECT COALESCE(met.merged_into, met.id) FROM participant AS own
         CROSS JOIN participant AS me ON me.workspace_id = ?1
             AND (me.id = own.id OR me.merged_into = own.id)
         CROSS JOIN session_member AS a ON a.workspace_id = ?1 AND a.participant = me.id
         CROSS JOIN session_member AS b ON b.workspace_id = ?1 AND b.session = a.session
             AND MAX(a.from_ordinal, b.from_ordinal) < COALESCE(a.to_ordinal, 9223372036854775807)
             AND MAX(a.from_ordinal, b.from_ordinal) < COALESCE(b.to_ordinal, 9223372036854775807)
         CROSS JOIN participant AS met ON met.workspace_id = ?1 AND met.id = b.participant
         WHERE own.workspace_id = ?1 AND own.principal_kind = ?2 AND own.principal = ?3"
    };
}

pub(crate) fn own(
    rows: &Rows<'_>,
    principal: Principal,
) -> Result<Option<ParticipantRow>, Failure> {
    let sql = concat!(
        "SELECT ",
        participant_columns!(),
        " FROM participant AS p
          WHERE p.workspace_id = ?1 AND p.principal_kind = ?2 AND p.principal = ?3"
    );
    rows.find(
        sql,
        params![
            rows.workspace,
            principal_kind(principal),
            principal.to_bytes()
        ],
    )
}

/// Merged or not, whoever asks.
pub(crate) fn exact(rows: &Rows<'_>, id: ParticipantId) -> Result<Option<ParticipantRow>, Failure> {
    let sql = concat!(
        "SELECT ",
        participant_columns!(),
        " FROM participant AS p WHERE p.workspace_id = ?1 AND p.id = ?2 AND p.state = 0"
    );
    rows.find(sql, params![rows.workspace, id.to_bytes()])
}

/// The reach is worked out before the row is looked for, and whether it is there or not.
pub(crate) fn get(
    rows: &Rows<'_>,
    reach: &ReachRow,
    asked: ParticipantId,
) -> Result<Option<ParticipantRow>, Failure> {
    let ring = RingValues::of(&reach.ring);
    let sql = "SELECT COALESCE((SELECT r.merged_into FROM participant AS r
                   WHERE r.workspace_id = ?1 AND r.id = ?2), ?2)";
    let target: [u8; 16] = rows
        .statement(sql)?
        .query_row(params![rows.workspace, asked.to_bytes()], |row| row.get(0))?;
    let sql = concat!("SELECT ?4 IN (", reached!(), ")");
    let within: bool = rows.statement(sql)?.query_row(
        params![rows.workspace, ring.kind, ring.owner, target],
        |row| row.get(0),
    )?;
    let found = exact(rows, ParticipantId::from_bytes(target))?;
    Ok(found.filter(|_| within || reach.everyone))
}

pub(crate) fn list(
    rows: &Rows<'_>,
    reach: &ReachRow,
    named: Option<Fingerprint>,
    page: PageOf<ParticipantId>,
) -> Result<Vec<ParticipantRow>, Failure> {
    let ring = RingValues::of(&reach.ring);
    let before = page_end(page.before);
    let sql = concat!(
        "SELECT ",
        participant_columns!(),
        " FROM participant AS p
          WHERE p.workspace_id = ?1 AND p.state = 0 AND p.merged_into IS NULL AND p.id < ?4
          AND (?5 IS NULL OR p.name_folded = ?5) AND (?6 OR p.id IN (",
        reached!(),
        ")) ORDER BY p.id DESC LIMIT ?7"
    );
    rows.list(
        sql,
        params![
            rows.workspace,
            ring.kind,
            ring.owner,
            before,
            named,
            reach.everyone,
            page.limit
        ],
    )
}

pub(crate) fn put(rows: &mut Rows<'_>, row: &ParticipantRow) -> Result<bool, Failure> {
    if let Some(name) = &row.name
        && taken(rows, row.id, name)?
    {
        return Ok(false);
    }
    rows.writing()?;
    let sql = "INSERT INTO participant (workspace_id, id, kind, state, principal_kind, principal,
                   owner_kind, owner, created_at, name, name_folded, name_written)
               VALUES (?1, ?2, ?3, 0, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    let name = row.name.as_ref();
    rows.statement(sql)?.execute(params![
        rows.workspace,
        row.id.to_bytes(),
        row.kind.code(),
        row.principal.map(principal_kind),
        row.principal.map(Principal::to_bytes),
        principal_kind(row.owner),
        row.owner.to_bytes(),
        row.created_at.as_micros(),
        name.map(|name| name.name.as_bytes().to_vec()),
        name.map(|name| name.skeletons[0]),
        name.map(|name| name.skeletons[1]),
    ])?;
    Ok(true)
}

pub(crate) fn set_name(
    rows: &mut Rows<'_>,
    id: ParticipantId,
    name: &NameRow,
) -> Result<bool, Failure> {
    if taken(rows, id, name)? {
        return Ok(false);
    }
    rows.writing()?;
    let sql = "UPDATE participant SET name = ?3, name_folded = ?4, name_written = ?5
               WHERE workspace_id = ?1 AND id = ?2 AND state = 0";
    rows.statement(sql)?.execute(params![
        rows.workspace,
        id.to_bytes(),
        name.name.as_bytes(),
        name.skeletons[0],
        name.skeletons[1]
    ])?;
    Ok(true)
}

/// Whether another participant has this name, or one that looks the same.
fn taken(rows: &Rows<'_>, id: ParticipantId, name: &NameRow) -> Result<bool, Failure> {
    let sql = "SELECT EXISTS (SELECT 1 FROM participant WHERE workspace_id = ?1 AND id <> ?2
                   AND (name_folded = ?3 OR name_written = ?4))";
    let values = params![
        rows.workspace,
        id.to_bytes(),
        name.skeletons[0],
        name.skeletons[1]
    ];
    Ok(rows.statement(sql)?.query_row(values, |row| row.get(0))?)
}

pub(crate) fn set_card(
    rows: &mut Rows<'_>,
    id: ParticipantId,
    card: &Sealed,
) -> Result<(), Failure> {
    rows.writing()?;
    let sql = "UPDATE participant SET card = ?3
               WHERE workspace_id = ?1 AND id = ?2 AND state = 0";
    let values = params![rows.workspace, id.to_bytes(), card.as_bytes()];
    rows.statement(sql)?.execute(values)?;
    Ok(())
}

pub(crate) fn note(
    rows: &mut Rows<'_>,
    id: ParticipantId,
    event: &ParticipantEventRow,
) -> Result<(), Failure> {
    rows.writing()?;
    let sql = "INSERT INTO participant_event (workspace_id, participant, entry, at, actor_kind,
                   actor, action, other)
               SELECT ?1, ?2, COUNT(*), ?3, ?4, ?5, ?6, ?7 FROM participant_event
               WHERE workspace_id = ?1 AND participant = ?2";
    rows.statement(sql)?.execute(params![
        rows.workspace,
        id.to_bytes(),
        event.at.as_micros(),
        event.actor.map(principal_kind),
        event.actor.map(Principal::to_bytes),
        event.action,
        bytes_of(event.other)
    ])?;
    Ok(())
}

pub(crate) fn merged(rows: &Rows<'_>, into: ParticipantId) -> Result<Vec<ParticipantId>, Failure> {
    let sql = "SELECT id FROM participant WHERE workspace_id = ?1 AND merged_into = ?2";
    rows.statement(sql)?
        .query_and_then(params![rows.workspace, into.to_bytes()], |row| id(row, 0))?
        .collect()
}

pub(crate) fn set_merged(
    rows: &mut Rows<'_>,
    id: ParticipantId,
    into: Option<ParticipantId>,
) -> Result<(), Failure> {
    rows.writing()?;
    let sql = "UPDATE participant SET merged_into = ?3 WHERE workspace_id = ?1 AND id = ?2";
    let values = params![rows.workspace, id.to_bytes(), bytes_of(into)];
    rows.statement(sql)?.execute(values)?;
    Ok(())
}

pub(crate) fn blank(rows: &mut Rows<'_>, id: ParticipantId) -> Result<(), Failure> {
    rows.writing()?;
    let statements = [
        "UPDATE participant SET state = 1, principal_kind = NULL, principal = NULL, name = NULL,
             name_folded = NULL, name_written = NULL, card = NULL
         WHERE workspace_id = ?1 AND id = ?2",
        "UPDATE turn_author SET author = NULL WHERE workspace_id = ?1 AND author = ?2",
        "DELETE FROM consent_note WHERE workspace_id = ?1 AND subject = ?2",
    ];
    for sql in statements {
        rows.statement(sql)?
            .execute(params![rows.workspace, id.to_bytes()])?;
    }
    Ok(())
}

/// Whether a participant is there, for those who need no more.
pub(crate) fn is_there(rows: &Rows<'_>, id: ParticipantId) -> Result<bool, Failure> {
    let sql = "SELECT 1 FROM participant WHERE workspace_id = ?1 AND id = ?2 AND state = 0";
    let found: Option<i64> = rows
        .statement(sql)?
        .query_row(params![rows.workspace, id.to_bytes()], |row| row.get(0))
        .optional()?;
    Ok(found.is_some())
}
