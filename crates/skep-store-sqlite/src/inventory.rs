//! How much each table has of a workspace.

use skep_store::archive::tables;

use crate::archive;
use crate::failure::Failure;
use crate::rows::Rows;

/// Only those that have any.
pub(crate) fn count(rows: &Rows<'_>) -> Result<Vec<(&'static str, u64)>, Failure> {
    let mut counts = Vec::new();
    for table in tables::content() {
        let count = rows
            .statement(archive::count(table))?
            .query_row([&rows.workspace], |row| row.get(0))?;
        if count > 0 {
            counts.push((table.name, count));
        }
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;
    use skep_store::archive::tables;

    use crate::migration::WORKSPACE;

    #[test]
    fn t18_every_table_of_a_workspace_is_counted() {
        let connection = Connection::open_in_memory().unwrap();
        for migration in &WORKSPACE.migrations {
            connection.execute_batch(migration.sql()).unwrap();
        }
        // Runs, and answers that are kept for a day, go with the workspace and are no part of what is in it.
        let sql =
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'workspace_state'
                   AND name NOT LIKE 'sqlite_%' AND name NOT IN ('exec_job', 'model_answer') ORDER BY name";
        let mut statement = connection.prepare(sql).unwrap();
        let names = statement.query_map([], |row| row.get(0)).unwrap();
        let names: Vec<String> = names.collect::<Result<_, _>>().unwrap();
        let mut counted: Vec<&str> = tables::content().map(|table| table.name).collect();
        counted.sort_unstable();
        assert_eq!(names, counted);
    }
}
