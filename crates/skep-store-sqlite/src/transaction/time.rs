//! What stands beside memories, on a thread that may block.

use async_trait::async_trait;
use skep_domain::MemoryId;
use skep_store::backend::TimeRows;
use skep_store::row::TraceRow;
use skep_store::{ScopeKey, StoreError};

use super::SqliteTx;
use crate::time;

#[async_trait]
impl TimeRows for SqliteTx {
    async fn put_trace(
        &mut self,
        scope: &ScopeKey,
        id: MemoryId,
        new: bool,
        trace: TraceRow,
    ) -> Result<(), StoreError> {
        self.run(scope, move |rows| time::put_trace(rows, id, new, &trace))
            .await
    }
}
