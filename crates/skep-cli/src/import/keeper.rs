//! Hands memories that others made to the daemon, as documents of a source, and counts what became of them.
//!
//! A document that is there already is known by its name in the source, so a second import changes nothing, and
//! what was forgotten since stays forgotten.

use skep_api::ErrorCode;
use skep_api::source::{AddSourceRequest, DocumentInput, ManifestEntry, Source, SyncRequest};
use skep_client::{Client, ClientError};
use tokio::time::sleep;

use super::report::Report;
use super::sender::{ATTEMPTS, interrupted, wait_for};
use crate::failure::Failure;

/// Documents that go out together.
const DOCUMENTS: usize = 200;
/// Bytes of text that go out together; as JSON they are at most six times as many.
const BYTES: usize = 1 << 20;

/// A memory to hand over, and where it was read.
struct Kept {
    document: DocumentInput,
    file: String,
    number: u64,
}

/// One import's conversation with the daemon.
pub(crate) struct Keeper {
    client: Client,
    source: Source,
    open: Vec<Kept>,
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
            open: Vec::new(),
            bytes: 0,
            report,
        })
    }

    /// Adds a memory, with where it stands; full batches go out.
    pub(crate) async fn keep(
        &mut self,
        document: DocumentInput,
        (file, number): (&str, u64),
    ) -> Result<(), Failure> {
        let bytes = weight(&document);
        let full = self.open.len() == DOCUMENTS || self.bytes + bytes > BYTES;
        if full {
            self.flush().await?;
        }
        self.bytes += bytes;
        self.open.push(Kept {
            document,
            file: file.to_owned(),
            number,
        });
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

    /// Sends what is open. What the daemon does not take is halved until it is one memory, which is named
    /// and left out, so that one does not keep the others from coming in.
    async fn flush(&mut self) -> Result<(), Failure> {
        self.bytes = 0;
        let mut batches = vec![std::mem::take(&mut self.open)];
        while let Some(mut batch) = batches.pop() {
            if batch.is_empty() {
                continue;
            }
            let Some(why) = self.send(&batch).await? else {
                continue;
            };
            if let [one] = batch.as_slice() {
                self.report.fail(&one.file, one.number, why);
                continue;
            }
            let second = batch.split_off(batch.len() / 2);
            batches.extend([second, batch]);
        }
        Ok(())
    }

    /// Sends some; why they are not taken, if so.
    async fn send(&mut self, batch: &[Kept]) -> Result<Option<String>, Failure> {
        let documents = batch.iter().map(|one| one.document.clone());
        let request = SyncRequest {
            manifest: None,
            documents: documents.collect(),
        };
        let mut attempt = 0;
        let answer = loop {
            let error = match self.client.sync_source(&self.source.id, &request).await {
                Ok(answer) => break answer,
                Err(error) => error,
            };
            if let Some(why) = not_taken(&error) {
                return Ok(Some(why));
            }
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
        Ok(None)
    }
}

/// What a memory takes of a batch, about.
fn weight(document: &DocumentInput) -> usize {
    let memory = document.memory.as_ref();
    let references = memory.map_or(0, |memory| {
        let key = memory.key.as_ref().map_or(0, String::len);
        memory.references.iter().map(String::len).sum::<usize>() + key
    });
    document.text.len() + references
}

/// Why the daemon takes none of what it was sent, if that lies in what was sent.
fn not_taken(error: &ClientError) -> Option<String> {
    let ClientError::Refused(envelope) = error else {
        return None;
    };
    let error = &envelope.error;
    let of_the_text = [ErrorCode::ValidationError, ErrorCode::PayloadTooLarge];
    of_the_text
        .contains(&error.code)
        .then(|| error.message.clone())
}
