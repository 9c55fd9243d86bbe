//! How much each table has of a workspace.

use crate::failure::Failure;
use crate::rows::Rows;

macro_rules! tables {
    ($($name:literal)*) => {
        /// Every table of a workspace but the one that names it, and how its rows are counted.
        const TABLES: &[(&str, &str)] = &[$((
            $name,
            concat!("SELECT COUNT(*) FROM ", $name, " WHERE workspace_id = ?1"),
        ),)*];
    };
}

tables! {
    "project"
    "session"
    "turn"
    "memory_facts"
    "memory"
    "memory_vector"
    "memory_history"
    "import_cursor"
    "memory_topic"
    "memory_origin"
    "memory_successor"
    "memory_conflict"
    "tombstone"
    "removal"
    "session_source"
    "participant"
    "participant_event"
    "consent"
    "consent_note"
    "memory_about"
    "session_member"
    "memory_span"
    "turn_author"
    "injection"
    "ontology_proposal"
    "capture_count"
    "capture_spool"
    "capture_pause"
    "capture_binding"
    "source"
    "source_document"
    "source_chunk"
    "command_run"
    "model_pass"
    "model_day"
    "model_refusal"
    "source_fetch"
}

/// Only those that have any.
pub(crate) fn count(rows: &Rows<'_>) -> Result<Vec<(&'static str, u64)>, Failure> {
    let mut counts = Vec::new();
    for (name, sql) in TABLES {
        let count = rows
            .statement(sql)?
            .query_row([&rows.workspace], |row| row.get(0))?;
        if count > 0 {
            counts.push((*name, count));
        }
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::TABLES;
    use crate::migration::WORKSPACE;

    #[test]
    fn t18_every_table_of_a_workspace_is_counted() {
        let connection = Connection::open_in_memory().unwrap();
        for migration in &WORKSPACE.migrations {
            connection.execute_batch(migration.sql()).unwrap();
        }
        let sql =
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'workspace_state'
                   AND name NOT LIKE 'sqlite_%' ORDER BY name";
        let mut statement = connection.prepare(sql).unwrap();
        let names = statement.query_map([], |row| row.get(0)).unwrap();
        let names: Vec<String> = names.collect::<Result<_, _>>().unwrap();
        let mut counted: Vec<&str> = TABLES.iter().map(|(name, _)| *name).collect();
        counted.sort_unstable();
        assert_eq!(names, counted);
    }
}
