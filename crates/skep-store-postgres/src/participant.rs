//! Statements on participants: keeping, finding within reach, naming, merging, blanking.

use skep_crypto::Sealed;
use skep_domain::{Id, ParticipantId, Principal};
use skep_store::backend::{PageOf, ReachRow, RingValues};
use skep_store::column::{Stored, bytes_of, id, principal_kind};
use skep_store::participant_columns;
use skep_store::row::{Fingerprint, NameRow, ParticipantEventRow, ParticipantRow};

use crate::failure::Failure;
use crate::rows::Rows;
use crate::statement::statements;
use crate::value::values;

/// The participants that a principal (`$2`, `$3`) reaches: its own, those it added, and those who
/// were in a session while it was. What this costs follows from the asker's own sessions alone, so
/// that the time it takes tells nothing of who is asked for.
macro_rules! reached {
    () => {
        "SELECT COALESCE(o.merged_into, o.id) FROM participant AS o
         WHERE o.workspace_id = $1
         AND ((o.principal_kind = $2 AND o.principal = $3) OR (o.owner_kind = $2 AND o.owner = $3))
         UNION
         SELECT COALESCE(met.merged_into, met.id) FROM participant AS own
         JOIN participant AS me ON me.workspace_id = $1
             AND (me.id = own.id OR me.merged_into = own.id)
         JOIN session_member AS a ON a.workspace_id = $1 AND a.participant = me.id
         JOIN session_member AS b ON b.workspace_id = $1 AND b.session = a.session
             AND GREATEST(a.from_ordinal, b.from_ordinal)
                 < COALESCE(a.to_ordinal, 9223372036854775807)
             AND GREATEST(a.from_ordinal, b.from_ordinal)
                 < COALESCE(b.to_ordinal, 9223372036854775807)
         JOIN participant AS met ON met.workspace_id = $1 AND met.id = b.participant
         WHERE own.workspace_id = $1 AND own.principal_kind = $2 AND own.principal = $3"
    };
}

statements! {
    OWN = concat!(
        "SELECT ",
        participant_columns!(),
        " FROM participant AS p
          WHERE p.workspace_id = $1 AND p.principal_kind = $2 AND p.principal = $3"
    );
    EXACT = concat!(
        "SELECT ",
        participant_columns!(),
        " FROM participant AS p WHERE p.workspace_id = $1 AND p.id = $2 AND p.state = 0"
    );
    /// Whom a participant was merged into, or itself.
    TARGET = "SELECT COALESCE((SELECT r.merged_into FROM participant AS r
        WHERE r.workspace_id = $1 AND r.id = $2), $2)";
    /// An aggregate, so that all of the reach is read whether the target is in it or not.
    IS_REACHED = concat!(
        "SELECT COALESCE(bool_or(r.id = $4), false) FROM (",
        reached!(),
        ") AS r (id)"
    );
    LIST = concat!(
        "SELECT ",
        participant_columns!(),
        " FROM participant AS p
          WHERE p.workspace_id = $1 AND p.state = 0 AND p.merged_into IS NULL
          AND ($4::uuid IS NULL OR p.id < $4)
          AND ($5::bytea IS NULL OR p.name_folded = $5) AND ($6::boolean OR p.id IN (",
        reached!(),
        ")) ORDER BY p.id DESC LIMIT $7"
    );
    PUT = "INSERT INTO participant (workspace_id, id, kind, state, principal_kind, principal,
            owner_kind, owner, created_at, name, name_folded, name_written)
        VALUES ($1, $2, $3, 0, $4, $5, $6, $7, $8, $9, $10, $11)";
    SET_NAME = "UPDATE participant SET name = $3, name_folded = $4, name_written = $5
        WHERE workspace_id = $1 AND id = $2 AND state = 0";
    TAKEN = "SELECT 1 FROM participant WHERE workspace_id = $1 AND id <> $2
        AND (name_folded = $3 OR name_written = $4) LIMIT 1";
    SET_CARD = "UPDATE participant SET card = $3
        WHERE workspace_id = $1 AND id = $2 AND state = 0";
    NOTE = "INSERT INTO participant_event (workspace_id, participant, entry, at, actor_kind,
            actor, action, other)
        SELECT s.workspace_id, $2, (SELECT COUNT(*) FROM participant_event AS e
            WHERE e.workspace_id = $1 AND e.participant = $2), $3, $4, $5, $6, $7
        FROM workspace_state AS s WHERE s.workspace_id = $1";
    MERGED = "SELECT id FROM participant WHERE workspace_id = $1 AND merged_into = $2 ORDER BY id";
    SET_MERGED = "UPDATE participant SET merged_into = $3 WHERE workspace_id = $1 AND id = $2";
    BLANK = "UPDATE participant SET state = 1, principal_kind = NULL, principal = NULL,
            name = NULL, name_folded = NULL, name_written = NULL, card = NULL
        WHERE workspace_id = $1 AND id = $2";
    BLANK_AUTHOR = "UPDATE turn_author SET author = NULL WHERE workspace_id = $1 AND author = $2";
    REMOVE_NOTES = "DELETE FROM consent_note WHERE workspace_id = $1 AND subject = $2";
    IS_THERE = "SELECT 1 FROM participant WHERE workspace_id = $1 AND id = $2 AND state = 0";
}

pub(crate) async fn own(
    rows: &Rows<'_>,
    principal: Principal,
) -> Result<Option<ParticipantRow>, Failure> {
    let values = values![
        rows.workspace,
        principal_kind(principal),
        principal.to_bytes()
    ];
    rows.find(OWN, values, ParticipantRow::read).await
}

/// Merged or not, whoever asks.
pub(crate) async fn exact(
    rows: &Rows<'_>,
    id: ParticipantId,
) -> Result<Option<ParticipantRow>, Failure> {
    let values = values![rows.workspace, id.to_bytes()];
    rows.find(EXACT, values, ParticipantRow::read).await
}

/// The reach is worked out before the row is looked for, and whether it is there or not.
pub(crate) async fn get(
    rows: &Rows<'_>,
    reach: &ReachRow,
    asked: ParticipantId,
) -> Result<Option<ParticipantRow>, Failure> {
    let ring = RingValues::of(&reach.ring);
    let values = values![rows.workspace, asked.to_bytes()];
    let target: [u8; 16] = rows.get(TARGET, values, |row| row.get(0)).await?;
    let values = values![rows.workspace, ring.kind, ring.owner, target];
    let within: bool = rows.get(IS_REACHED, values, |row| row.get(0)).await?;
    let found = exact(rows, ParticipantId::from_bytes(target)).await?;
    Ok(found.filter(|_| within || reach.everyone))
}

pub(crate) async fn list(
    rows: &Rows<'_>,
    reach: &ReachRow,
    named: Option<Fingerprint>,
    page: PageOf<ParticipantId>,
) -> Result<Vec<ParticipantRow>, Failure> {
    let ring = RingValues::of(&reach.ring);
    let values = values![
        rows.workspace,
        ring.kind,
        ring.owner,
        bytes_of(page.before),
        named,
        reach.everyone,
        page.limit
    ];
    rows.list(LIST, values, ParticipantRow::read).await
}

pub(crate) async fn put(rows: &mut Rows<'_>, row: &ParticipantRow) -> Result<bool, Failure> {
    if let Some(name) = &row.name
        && taken(rows, row.id, name).await?
    {
        return Ok(false);
    }
    rows.writing().await?;
    let name = row.name.as_ref();
    let values = values![
        rows.workspace,
        row.id.to_bytes(),
        row.kind.code(),
        row.principal.map(principal_kind),
        row.principal.map(Principal::to_bytes),
        principal_kind(row.owner),
        row.owner.to_bytes(),
        row.created_at.as_micros(),
        name.map(|name| name.name.as_bytes()),
        name.map(|name| name.skeletons[0]),
        name.map(|name| name.skeletons[1]),
    ];
    rows.run(PUT, values).await?;
    Ok(true)
}

pub(crate) async fn set_name(
    rows: &mut Rows<'_>,
    id: ParticipantId,
    name: &NameRow,
) -> Result<bool, Failure> {
    if taken(rows, id, name).await? {
        return Ok(false);
    }
    rows.writing().await?;
    let values = values![
        rows.workspace,
        id.to_bytes(),
        name.name.as_bytes(),
        name.skeletons[0],
        name.skeletons[1]
    ];
    rows.run(SET_NAME, values).await?;
    Ok(true)
}

/// Whether another participant has this name, or one that looks the same.
async fn taken(rows: &Rows<'_>, id: ParticipantId, name: &NameRow) -> Result<bool, Failure> {
    let values = values![
        rows.workspace,
        id.to_bytes(),
        name.skeletons[0],
        name.skeletons[1]
    ];
    rows.exists(TAKEN, values).await
}

pub(crate) async fn set_card(
    rows: &mut Rows<'_>,
    id: ParticipantId,
    card: &Sealed,
) -> Result<(), Failure> {
    rows.writing().await?;
    let values = values![rows.workspace, id.to_bytes(), card.as_bytes()];
    rows.run(SET_CARD, values).await?;
    Ok(())
}

pub(crate) async fn note(
    rows: &mut Rows<'_>,
    id: ParticipantId,
    event: &ParticipantEventRow,
) -> Result<(), Failure> {
    rows.writing().await?;
    let values = values![
        rows.workspace,
        id.to_bytes(),
        event.at.as_micros(),
        event.actor.map(principal_kind),
        event.actor.map(Principal::to_bytes),
        event.action,
        bytes_of(event.other)
    ];
    rows.run(NOTE, values).await?;
    Ok(())
}

pub(crate) async fn merged(
    rows: &Rows<'_>,
    into: ParticipantId,
) -> Result<Vec<ParticipantId>, Failure> {
    let values = values![rows.workspace, into.to_bytes()];
    rows.list(MERGED, values, |row| id(row, 0)).await
}

pub(crate) async fn set_merged(
    rows: &mut Rows<'_>,
    id: ParticipantId,
    into: Option<ParticipantId>,
) -> Result<(), Failure> {
    rows.writing().await?;
    let values = values![rows.workspace, id.to_bytes(), bytes_of(into)];
    rows.run(SET_MERGED, values).await?;
    Ok(())
}

pub(crate) async fn blank(rows: &mut Rows<'_>, id: ParticipantId) -> Result<(), Failure> {
    rows.writing().await?;
    let values = values![rows.workspace, id.to_bytes()];
    for statement in [BLANK, BLANK_AUTHOR, REMOVE_NOTES] {
        rows.run(statement, values).await?;
    }
    Ok(())
}

/// Whether a participant is there, for those who need no more.
pub(crate) async fn is_there(rows: &Rows<'_>, id: ParticipantId) -> Result<bool, Failure> {
    let values = values![rows.workspace, id.to_bytes()];
    rows.exists(IS_THERE, values).await
}
