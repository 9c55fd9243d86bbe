//! Hands batches to the daemon and counts what became of them.

use std::time::Duration;

use skep_api::capture::{
    CaptureRequest, CaptureResponse, CursorRequest, ImportCursor, Origin, SessionRef,
};
use skep_api::{ErrorCode, ErrorEnvelope};
use skep_client::{Client, ClientError};
use tokio::time::sleep;

use super::batch::Batch;
use super::report::Report;
use crate::failure::Failure;

/// How often a batch is offered before we give up.
pub(super) const ATTEMPTS: u32 = 8;
/// The longest wait between two of them.
const WAIT_MAX: Duration = Duration::from_secs(30);
/// The API's limit for the name of a source.
const SOURCE_MAX: usize = 4_096;

/// One import's conversation with the daemon.
pub(crate) struct Sender {
    client: Client,
    /// What was done so far.
    pub(crate) report: Report,
    memories_before: u64,
}

impl Sender {
    pub(crate) async fn begin(mut client: Client, report: Report) -> Result<Self, Failure> {
        let memories_before = client.health().await?.workspace.memories;
        Ok(Self {
            client,
            report,
            memories_before,
        })
    }

    /// How far a source was read before.
    pub(crate) async fn cursor(&mut self, source: &str) -> Result<Option<String>, Failure> {
        let request = CursorRequest {
            source: source.to_owned(),
        };
        Ok(self.client.import_cursor(&request).await?.position)
    }

    /// Stores a batch together with the place it brings us to. Gives the session's id, unless
    /// somebody decided that nothing of it is captured.
    pub(crate) async fn send(
        &mut self,
        session: &SessionRef,
        batch: Batch<String>,
        source: &str,
    ) -> Result<Option<String>, Failure> {
        let (mut lines, turns): (Vec<_>, Vec<_>) = batch.turns.into_iter().unzip();
        let cursor = batch.position.map(|position| ImportCursor {
            source: source.to_owned(),
            position,
        });
        let mut request = CaptureRequest {
            session: session.clone(),
            turns,
            cursor,
            origin: Origin::Import,
            spool: None,
            ended: false,
        };
        let mut attempt = 0;
        loop {
            let error = match self.client.capture(&request).await {
                Ok(answer) => return Ok(self.count(answer)),
                Err(error) => error,
            };
            attempt += 1;
            if attempt == ATTEMPTS {
                return Err(interrupted(error));
            }
            match &error {
                ClientError::Refused(refusal)
                    if refusal.error.code == ErrorCode::ValidationError =>
                {
                    if !self.drop_refused(&mut request, &mut lines, refusal, source) {
                        return Err(interrupted(error));
                    }
                }
                _ => match wait_for(&error, attempt) {
                    Some(wait) => sleep(wait).await,
                    None => return Err(interrupted(error)),
                },
            }
        }
    }

    /// No more turns will come: distils what is left.
    pub(crate) async fn end(&mut self, session: &str) -> Result<(), Failure> {
        let answer = self.client.end_session(session).await?;
        self.report.sessions += 1;
        self.report.memories_known += u64::from(answer.known);
        Ok(())
    }

    /// All is sent: counts what came of it. The daemon distils as turns arrive, so the answer to
    /// the end of a session tells only what was left until then.
    pub(crate) async fn finish(mut self) -> Result<Report, Failure> {
        let memories = self.client.health().await?.workspace.memories;
        self.report.memories = memories.saturating_sub(self.memories_before);
        Ok(self.report)
    }

    fn count(&mut self, answer: CaptureResponse) -> Option<String> {
        let refused = answer.outcomes.iter();
        for outcome in refused.filter(|outcome| outcome.starts_with("refused")) {
            self.report.skip(outcome);
        }
        self.report.withheld += u64::from(answer.withheld);
        self.report.imported += u64::from(answer.stored);
        self.report.known += u64::from(answer.duplicates);
        self.report.redacted += u64::from(answer.redacted);
        self.report.cut += u64::from(answer.cut);
        answer.session
    }

    /// Takes out the turns that the daemon names. `false` if it named none.
    fn drop_refused(
        &mut self,
        request: &mut CaptureRequest,
        lines: &mut Vec<u64>,
        refusal: &ErrorEnvelope,
        source: &str,
    ) -> bool {
        let mut refused: Vec<(usize, String)> = Vec::new();
        for field in &refusal.error.details {
            if let Some(at) = turn_number(&field.field).filter(|at| *at < request.turns.len()) {
                refused.push((at, format!("refused by the daemon: {}", field.message)));
            }
        }
        refused.sort();
        refused.dedup_by_key(|(at, _)| *at);
        let file = source.split_once(':').map_or(source, |(_, file)| file);
        for (at, why) in refused.iter().rev() {
            request.turns.remove(*at);
            self.report.fail(file, lines.remove(*at), why);
        }
        !refused.is_empty()
    }
}

/// The name of a source, at most as long as the API takes.
pub(crate) fn source_name(harness: &str, path: &str) -> String {
    let name = format!("{harness}:{path}");
    if name.len() <= SOURCE_MAX {
        return name;
    }
    let digest = super::cursor::fingerprint(path.as_bytes());
    format!(
        "{}~{digest:016x}",
        super::clip::head(&name, SOURCE_MAX - 17)
    )
}

/// `3` of `turns[3].text`.
fn turn_number(field: &str) -> Option<usize> {
    field
        .strip_prefix("turns[")?
        .split(']')
        .next()?
        .parse()
        .ok()
}

/// How long to wait before the same batch is offered again; `None` if that would not help.
/// A batch may be sent twice: turns that were stored are known by their ids.
pub(crate) fn wait_for(error: &ClientError, attempt: u32) -> Option<Duration> {
    let growing = Duration::from_millis(100 << attempt);
    match error {
        ClientError::Refused(ErrorEnvelope { error }) => match error.code {
            ErrorCode::RateLimited
            | ErrorCode::QueueFull
            | ErrorCode::Overloaded
            | ErrorCode::StorageUnavailable => {
                let asked = error.retry_after_ms.map(Duration::from_millis);
                Some(asked.unwrap_or(growing).min(WAIT_MAX))
            }
            _ => None,
        },
        ClientError::Io { .. } if attempt == 1 => Some(growing),
        _ => None,
    }
}

pub(super) fn interrupted(error: ClientError) -> Failure {
    Failure::from(error)
        .hint("what was imported so far is kept; the same command goes on from there")
}

#[cfg(test)]
mod tests {
    use super::{SOURCE_MAX, source_name, turn_number};

    #[test]
    fn refused_turns_are_found_by_their_field() {
        assert_eq!(turn_number("turns[12].text"), Some(12));
        assert_eq!(turn_number("turns[0]"), Some(0));
        for other in ["turns", "turns[x]", "session.title", "turns[-1]"] {
            assert_eq!(turn_number(other), None, "{other}");
        }
    }

    #[test]
    fn sources_of_any_length_have_a_name_of_their_own() {
        let (one, two) = ("a".repeat(9_000), format!("{}b", "a".repeat(8_999)));
        assert!(source_name("codex", &one).len() <= SOURCE_MAX);
        assert_ne!(source_name("codex", &one), source_name("codex", &two));
        assert_eq!(source_name("codex", "/x"), "codex:/x");
    }
}
