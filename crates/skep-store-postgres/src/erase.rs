//! A workspace that was deleted: its rows go in batches, then what it has among the installation's own.

use skep_domain::Id;
use skep_store::row::{EraseStep, JobLease, NewJobRow};
use skep_store::{Announcement, Revoked, ScopeKey, StoreError};

use crate::control::access::announce;
use crate::control::job;
use crate::failure::Failure;
use crate::rows::Wire;
use crate::statement::{Statement, statements};
use crate::value::values;

/// Up to so many rows of a table, in the order of its key: read from the index, however large the rest.
macro_rules! erase {
    ($table:literal, $key:literal) => {
        erase!($table, $key, "")
    };
    ($table:literal, $key:literal, $also:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE workspace_id = $1 AND ctid = ANY (ARRAY(SELECT ctid FROM ",
            $table,
            " WHERE workspace_id = $1 ",
            $also,
            " ORDER BY ",
            $key,
            " LIMIT $2))"
        )
    };
}

/// The same of the installation's own, which say whose they are otherwise.
macro_rules! erase_own {
    ($table:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE organization = $1 AND workspace = $2 AND ctid = ANY (ARRAY(SELECT ctid FROM ",
            $table,
            " WHERE organization = $1 AND workspace = $2 LIMIT $3))"
        )
    };
}

statements! {
    RETIRE = "UPDATE workspace SET gone_at = $3, wrapped_key = '', name = '', fingerprint = NULL
        WHERE organization = $1 AND id = $2 AND gone_at IS NULL";
    /// Every transaction on a workspace looks at this row first.
    SHUT = "DELETE FROM workspace_state WHERE workspace_id = $1";
    IS_THERE = "SELECT 1 FROM workspace WHERE organization = $1 AND id = $2 AND gone_at IS NULL";
    IS_OPEN = "SELECT 1 FROM workspace_state WHERE workspace_id = $1";
    END = "DELETE FROM workspace WHERE organization = $1 AND id = $2 AND gone_at IS NOT NULL";
    CREDENTIAL = erase_own!("credential");
    AGENT = erase_own!("agent");
    POLICY_GROUP = erase_own!("policy_group");
    WORKSPACE_MEMBER = erase_own!("workspace_member");
    TURN = erase!("turn", "workspace_id, session, ordinal");
    MEMORY = erase!("memory", "workspace_id, id");
    MEMORY_VECTOR = erase!("memory_vector", "workspace_id, memory");
    MEMORY_HISTORY = erase!("memory_history", "workspace_id, memory, entry");
    IMPORT_CURSOR = erase!("import_cursor", "workspace_id, source");
    MEMORY_TOPIC = erase!("memory_topic", "workspace_id, topic, memory");
    MEMORY_ORIGIN = erase!("memory_origin", "workspace_id, memory, kind, origin");
    MEMORY_SUCCESSOR = erase!("memory_successor", "workspace_id, memory");
    MEMORY_CONFLICT = erase!("memory_conflict", "workspace_id, id");
    TOMBSTONE = erase!("tombstone", "workspace_id, id");
    REMOVAL = erase!("removal", "workspace_id, kind, origin");
    SESSION_SOURCE = erase!("session_source", "workspace_id, source, session");
    PARTICIPANT_EVENT = erase!("participant_event", "workspace_id, participant, entry");
    CONSENT_NOTE = erase!("consent_note", "workspace_id, subject, entry");
    MEMORY_ABOUT = erase!("memory_about", "workspace_id, memory, subject, observer");
    SESSION_MEMBER = erase!("session_member", "workspace_id, session, participant, entry");
    MEMORY_SPAN = erase!("memory_span", "workspace_id, memory");
    TURN_AUTHOR = erase!("turn_author", "workspace_id, session, from_ordinal");
    INJECTION = erase!("injection", "workspace_id, session, ordinal");
    ONTOLOGY_PROPOSAL = erase!("ontology_proposal", "workspace_id, id");
    CAPTURE_COUNT = erase!("capture_count", "workspace_id, outcome");
    CAPTURE_SPOOL = erase!("capture_spool", "workspace_id, spool");
    CAPTURE_PAUSE = erase!("capture_pause", "workspace_id, holder_kind, holder, session");
    CAPTURE_BINDING = erase!("capture_binding", "workspace_id, owner_kind, owner, directory");
    SOURCE_DOCUMENT = erase!("source_document", "workspace_id, source, document");
    SOURCE_CHUNK = erase!("source_chunk", "workspace_id, source, memory");
    COMMAND_RUN = erase!("command_run", "workspace_id, run, session");
    MODEL_PASS = erase!("model_pass", "workspace_id, session");
    MODEL_DAY = erase!("model_day", "workspace_id, day");
    MODEL_REFUSAL = erase!("model_refusal", "workspace_id, day, reason");
    SOURCE_FETCH = erase!("source_fetch", "workspace_id, source");
    INDEX_SNAPSHOT = erase!("index_snapshot", "workspace_id, part");
    MEMORY_FACTS = erase!("memory_facts", "workspace_id, id");
    CONSENT = erase!("consent", "workspace_id, subject, entry");
    SOURCE = erase!("source", "workspace_id, id");
    SESSION = erase!("session", "workspace_id, id");
    MERGED = erase!("participant", "workspace_id, id", "AND merged_into IS NOT NULL");
    PARTICIPANT = erase!("participant", "workspace_id, id");
    PROJECT = erase!("project", "workspace_id, id");
}

/// Every table of a workspace but the one that names it; what refers to another comes before it.
const TABLES: &[(&str, Statement)] = &[
    ("turn", TURN),
    ("memory", MEMORY),
    ("memory_vector", MEMORY_VECTOR),
    ("memory_history", MEMORY_HISTORY),
    ("import_cursor", IMPORT_CURSOR),
    ("memory_topic", MEMORY_TOPIC),
    ("memory_origin", MEMORY_ORIGIN),
    ("memory_successor", MEMORY_SUCCESSOR),
    ("memory_conflict", MEMORY_CONFLICT),
    ("tombstone", TOMBSTONE),
    ("removal", REMOVAL),
    ("session_source", SESSION_SOURCE),
    ("participant_event", PARTICIPANT_EVENT),
    ("consent_note", CONSENT_NOTE),
    ("memory_about", MEMORY_ABOUT),
    ("session_member", SESSION_MEMBER),
    ("memory_span", MEMORY_SPAN),
    ("turn_author", TURN_AUTHOR),
    ("injection", INJECTION),
    ("ontology_proposal", ONTOLOGY_PROPOSAL),
    ("capture_count", CAPTURE_COUNT),
    ("capture_spool", CAPTURE_SPOOL),
    ("capture_pause", CAPTURE_PAUSE),
    ("capture_binding", CAPTURE_BINDING),
    ("source_document", SOURCE_DOCUMENT),
    ("source_chunk", SOURCE_CHUNK),
    ("command_run", COMMAND_RUN),
    ("model_pass", MODEL_PASS),
    ("model_day", MODEL_DAY),
    ("model_refusal", MODEL_REFUSAL),
    ("source_fetch", SOURCE_FETCH),
    ("index_snapshot", INDEX_SNAPSHOT),
    ("memory_facts", MEMORY_FACTS),
    ("consent", CONSENT),
    ("source", SOURCE),
    ("session", SESSION),
    ("participant", MERGED),
    ("participant", PARTICIPANT),
    ("project", PROJECT),
];

/// What belongs to a workspace among the installation's own, before its own row.
const OWN: [(&str, Statement); 4] = [
    ("credential", CREDENTIAL),
    ("agent", AGENT),
    ("policy_group", POLICY_GROUP),
    ("workspace_member", WORKSPACE_MEMBER),
];

/// Deletes a workspace: nothing finds it any more, its key and its name are no more, and a job is queued.
pub(crate) async fn retire(
    wire: &Wire<'_>,
    scope: &ScopeKey,
    row: &NewJobRow,
) -> Result<bool, Failure> {
    let (organization, workspace) = ids(scope);
    let at = values![organization, workspace, row.created_at.as_micros()];
    if wire.run(RETIRE, at).await? == 0 {
        return Ok(false);
    }
    wire.run(SHUT, values![workspace]).await?;
    job::put(wire, row).await?;
    announce(
        wire,
        &[
            Announcement::Revoked(Revoked::Credential),
            Announcement::Keys,
        ],
    )
    .await?;
    Ok(true)
}

/// One step: rows of the workspace, up to so many, from the table where the last step ended.
pub(crate) async fn step(
    wire: &Wire<'_>,
    scope: &ScopeKey,
    lease: JobLease,
    (from, limit): (u32, u32),
    until: i64,
) -> Result<EraseStep, Failure> {
    enter(wire, scope, lease, until).await?;
    let (_, workspace) = ids(scope);
    let (mut left, mut next) = (u64::from(limit), from);
    for (name, statement) in TABLES.iter().skip(from as usize) {
        let erased = wire.run(*statement, values![workspace, left]).await?;
        job::add(wire, lease.id, name, erased).await?;
        left -= erased;
        if left == 0 {
            break;
        }
        next += 1;
    }
    let rows = u64::from(limit) - left;
    if rows > 0 {
        return Ok(EraseStep {
            rows,
            next,
            is_done: false,
        });
    }
    let rows = erase_own(wire, scope, lease, limit).await?;
    Ok(EraseStep {
        rows: rows.unwrap_or(0),
        next,
        is_done: rows.is_none(),
    })
}

/// Makes sure that whoever asks has the job, and that the workspace was deleted or is no more.
async fn enter(
    wire: &Wire<'_>,
    scope: &ScopeKey,
    lease: JobLease,
    until: i64,
) -> Result<(), Failure> {
    let (organization, workspace) = ids(scope);
    if !job::renew(wire, lease, until).await? {
        return Err(StoreError::Conflict("another holder of this job").into());
    }
    let there = values![organization, workspace];
    if wire.exists(IS_THERE, there).await? || wire.exists(IS_OPEN, values![workspace]).await? {
        return Err(StoreError::Refused("the workspace was not deleted".into()).into());
    }
    Ok(())
}

/// Up to so many of the installation's own rows; at last the workspace's own, which nothing refers to then,
/// and `None`.
async fn erase_own(
    wire: &Wire<'_>,
    scope: &ScopeKey,
    lease: JobLease,
    limit: u32,
) -> Result<Option<u64>, Failure> {
    wire.take_turn().await?;
    let (organization, workspace) = ids(scope);
    let mut left = u64::from(limit);
    for (name, statement) in OWN {
        let up_to = values![organization, workspace, left];
        let erased = wire.run(statement, up_to).await?;
        job::add(wire, lease.id, name, erased).await?;
        left -= erased;
        if left == 0 {
            break;
        }
    }
    if left < u64::from(limit) {
        return Ok(Some(u64::from(limit) - left));
    }
    let ended = wire.run(END, values![organization, workspace]).await?;
    job::add(wire, lease.id, "workspace", ended).await?;
    Ok(None)
}

fn ids(scope: &ScopeKey) -> ([u8; 16], [u8; 16]) {
    (
        scope.organization().to_bytes(),
        scope.workspace().to_bytes(),
    )
}
