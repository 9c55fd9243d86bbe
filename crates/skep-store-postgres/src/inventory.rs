//! How much each table has of a workspace.

use skep_store::archive::tables;

use crate::archive;
use crate::failure::Failure;
use crate::rows::Rows;
use crate::value::values;

/// Only those that have any.
pub(crate) async fn count(rows: &Rows<'_>) -> Result<Vec<(&'static str, u64)>, Failure> {
    let mut counts = Vec::new();
    for table in tables::content() {
        let of_all = values![rows.workspace];
        let counted = rows.get(archive::count(table), of_all, |row| row.get(0));
        let count: u64 = counted.await?;
        if count > 0 {
            counts.push((table.name, count));
        }
    }
    Ok(counts)
}
