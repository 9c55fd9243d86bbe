//! How much each table has of a workspace.

use crate::failure::Failure;
use crate::rows::Rows;
use crate::statement::{Statement, statements};
use crate::value::values;

macro_rules! count {
    ($table:literal) => {
        concat!("SELECT COUNT(*) FROM ", $table, " WHERE workspace_id = $1")
    };
}

statements! {
    TURN = count!("turn");
    MEMORY = count!("memory");
    MEMORY_VECTOR = count!("memory_vector");
    MEMORY_HISTORY = count!("memory_history");
    IMPORT_CURSOR = count!("import_cursor");
    MEMORY_TOPIC = count!("memory_topic");
    MEMORY_ORIGIN = count!("memory_origin");
    MEMORY_SUCCESSOR = count!("memory_successor");
    MEMORY_CONFLICT = count!("memory_conflict");
    TOMBSTONE = count!("tombstone");
    REMOVAL = count!("removal");
    SESSION_SOURCE = count!("session_source");
    PARTICIPANT_EVENT = count!("participant_event");
    CONSENT_NOTE = count!("consent_note");
    MEMORY_ABOUT = count!("memory_about");
    SESSION_MEMBER = count!("session_member");
    MEMORY_SPAN = count!("memory_span");
    TURN_AUTHOR = count!("turn_author");
    INJECTION = count!("injection");
    ONTOLOGY_PROPOSAL = count!("ontology_proposal");
    CAPTURE_COUNT = count!("capture_count");
    CAPTURE_SPOOL = count!("capture_spool");
    CAPTURE_PAUSE = count!("capture_pause");
    CAPTURE_BINDING = count!("capture_binding");
    SOURCE_DOCUMENT = count!("source_document");
    SOURCE_CHUNK = count!("source_chunk");
    COMMAND_RUN = count!("command_run");
    MODEL_PASS = count!("model_pass");
    MODEL_DAY = count!("model_day");
    MODEL_REFUSAL = count!("model_refusal");
    SOURCE_FETCH = count!("source_fetch");
    MEMORY_FACTS = count!("memory_facts");
    CONSENT = count!("consent");
    SOURCE = count!("source");
    SESSION = count!("session");
    PARTICIPANT = count!("participant");
    PROJECT = count!("project");
}

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
    ("memory_facts", MEMORY_FACTS),
    ("consent", CONSENT),
    ("source", SOURCE),
    ("session", SESSION),
    ("participant", PARTICIPANT),
    ("project", PROJECT),
];

/// Only those that have any; the snapshot of the index is none of what a workspace holds.
pub(crate) async fn count(rows: &Rows<'_>) -> Result<Vec<(&'static str, u64)>, Failure> {
    let mut counts = Vec::new();
    for (name, statement) in TABLES {
        let of_all = values![rows.workspace];
        let count: u64 = rows.get(*statement, of_all, |row| row.get(0)).await?;
        if count > 0 {
            counts.push((*name, count));
        }
    }
    Ok(counts)
}
