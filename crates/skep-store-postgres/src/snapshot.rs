//! The sealed snapshot of a workspace's index, in parts: a cache.

use skep_crypto::Sealed;

use crate::failure::Failure;
use crate::rows::Rows;
use crate::statement::statements;
use crate::value::{Value, values};

statements! {
    PUT = "INSERT INTO index_snapshot (workspace_id, part, body) VALUES ($1, $2, $3)";
    GET = "SELECT body FROM index_snapshot WHERE workspace_id = $1 ORDER BY part";
    REMOVE = "DELETE FROM index_snapshot WHERE workspace_id = $1";
}

/// Bytes of a part.
const PART: usize = 1 << 20;

pub(crate) async fn put(rows: &Rows<'_>, snapshot: &Sealed) -> Result<(), Failure> {
    remove(rows).await?;
    for (part, body) in snapshot.as_bytes().chunks(PART).enumerate() {
        let values: &[Value] = values![rows.workspace, part, body];
        rows.run(PUT, values).await?;
    }
    Ok(())
}

pub(crate) async fn get(rows: &Rows<'_>) -> Result<Option<Sealed>, Failure> {
    let values = values![rows.workspace];
    let parts: Vec<Vec<u8>> = rows.list(GET, values, |row| row.get(0)).await?;
    Ok((!parts.is_empty()).then(|| Sealed::from_bytes(parts.concat())))
}

pub(crate) async fn remove(rows: &Rows<'_>) -> Result<(), Failure> {
    rows.run(REMOVE, values![rows.workspace]).await.map(|_| ())
}
