//! Hands memories that others made to the daemon, as documents of a source, and counts what became of them.
//!
//! A document that is there already is known by its name in the source, so a second import changes nothing, and
//! what was forgotten since stays forgotten.

use skep_api::source::{AddSourceRequest, DocumentInput, ManifestEntry, Source, SyncRequest};
use skep_client::Client;
use tokio::time::sleep;

use super::report::Report;
use super::sender::{ATTEMPTS, interrupted, wait_for};
use crate::failure::Failure;

/// Documents that go out together.
const DOCUMENTS: usize = 200;
/// Bytes of text that go out together; as JSON they are at most six times as many.
const BYTES: usize = 1 << 20;

/// One import's conversation with the daemon.
pub(crate) struct Keeper {
    client: Client,
    source: Source,
    open: SyncRequest,
    bytes: usize,
    /// What was done so far.
    pub(crate) report: Report,
}

impl Keeper {
    /// Finds the source, or adds it.
    pub(crate) async fn begin(
        mut client: Client,
        request: &AddSourceRequest,
        mut report: Report,
    ) -> Result<Self, Failure> {
        let source = client.add_source(request).await?;
        if request
            .trust
            .as_deref()
            .is_some_and(|trust| trust != source.trust)
        {
            let message = format!(
                "what was imported from {} before is trusted as {}, which one import alone cannot change",
                source.location, source.trust
            );
            let hint = format!("skep source purge {} --yes, then import again", source.id);
            return Err(Failure::new("TRUST", message).hint(hint));
        }
        report.source = Some(source.id.clone());
        Ok(Self {
            client,
            source,
            open: SyncRequest::default(),
            bytes: 0,
            report,
        })
    }

    /// Adds a memory; full batches go out.
    pub(crate) async fn keep(&mut self, document: DocumentInput) -> Result<(), Failure> {
        let full =
            self.open.documents.len() == DOCUMENTS || self.bytes + document.text.len() > BYTES;
        if full && !self.open.documents.is_empty() {
            self.flush().await?;
        }
        self.bytes += document.text.len();
        self.open.documents.push(document);
        Ok(())
    }

    /// Which of these the daemon does not have; what it has beside them leaves recall.
    pub(crate) async fn wanted(
        &mut self,
        manifest: Vec<ManifestEntry>,
    ) -> Result<Vec<String>, Failure> {
        let request = SyncRequest {
            manifest: Some(manifest),
            documents: Vec::new(),
        };
        let answer = self.client.sync_source(&self.source.id, &request).await?;
        self.report.gone += u64::from(answer.gone);
        Ok(answer.wanted)
    }

    /// How many memories the source had when the import began.
    pub(crate) fn had(&self) -> u64 {
        self.source.documents
    }

    /// All is read: what is left goes out.
    pub(crate) async fn finish(mut self) -> Result<Report, Failure> {
        self.flush().await?;
        Ok(self.report)
    }

    async fn flush(&mut self) -> Result<(), Failure> {
        if self.open.documents.is_empty() {
            return Ok(());
        }
        let mut attempt = 0;
        let answer = loop {
            let error = match self.client.sync_source(&self.source.id, &self.open).await {
                Ok(answer) => break answer,
                Err(error) => error,
            };
            attempt += 1;
            match wait_for(&error, attempt).filter(|_| attempt < ATTEMPTS) {
                Some(wait) => sleep(wait).await,
                None => return Err(interrupted(error)),
            }
        };
        let report = &mut self.report;
        report.memories += u64::from(answer.new);
        report.memories_known += u64::from(answer.same);
        report.gone += u64::from(answer.gone);
        report.held += u64::from(answer.held);
        report.cut += u64::from(answer.cut);
        report.redacted += u64::from(answer.redacted);
        self.open.documents.clear();
        self.bytes = 0;
        Ok(())
    }
}
