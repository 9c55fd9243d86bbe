//! Reading a source again: files are read here and brought, a page is fetched by the daemon.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};
use skep_api::source::{
    FetchRequest, FetchResponse, Found, ManifestEntry, Source, SyncRequest, SyncResponse,
};
use skep_client::Client;

use super::is_url;
use crate::failure::Failure;
use crate::layout::{counted, one_line};
use crate::output::Output;
use crate::reading::Reading;

/// Bytes of text that go out together; as JSON they are at most six times as many.
const BATCH: usize = 1 << 20;
/// Documents that go out together.
const DOCUMENTS: usize = 200;

/// What a sync did.
#[derive(Debug)]
pub(super) struct Brought {
    sum: SyncResponse,
    /// Documents that there are.
    documents: usize,
    skipped: Vec<(String, String)>,
    /// What the daemon found, if it fetched.
    fetched: Option<FetchResponse>,
}

/// Says what there is, then brings what the daemon does not have in that version.
pub(super) async fn bring(
    client: &mut Client,
    source: &Source,
    allow_empty: bool,
) -> Result<Brought, Failure> {
    let fetched = match source.kind.as_str() {
        "url" => true,
        "issues" => is_url(&source.location),
        _ => false,
    };
    if fetched {
        return fetch(client, source, allow_empty).await;
    }
    let reading = Reading::open(&source.kind, Path::new(&source.location))?;
    let manifest: Vec<ManifestEntry> = reading
        .documents()
        .map(|(path, version)| ManifestEntry {
            path: path.to_owned(),
            version: version.to_owned(),
        })
        .collect();
    // A folder that is not mounted looks like one that was emptied.
    if manifest.is_empty() && source.documents > 0 && !allow_empty {
        let message = format!(
            "{} has no documents, and had {}",
            source.location, source.documents
        );
        return Err(Failure::new("EMPTY", message).hint("if that is so: --allow-empty"));
    }
    let documents = manifest.len();
    let sum = send(client, &source.id, &reading, manifest).await?;
    Ok(Brought {
        sum,
        documents,
        skipped: reading.skipped().to_vec(),
        fetched: None,
    })
}

async fn send(
    client: &mut Client,
    id: &str,
    reading: &Reading,
    manifest: Vec<ManifestEntry>,
) -> Result<SyncResponse, Failure> {
    let request = SyncRequest {
        manifest: Some(manifest),
        documents: Vec::new(),
    };
    let mut sum = client.sync_source(id, &request).await?;
    let wanted = std::mem::take(&mut sum.wanted);
    let mut open = SyncRequest::default();
    let mut bytes = 0;
    for path in &wanted {
        let Some(document) = reading.read(path) else {
            continue;
        };
        let full = open.documents.len() == DOCUMENTS || bytes + document.text.len() > BATCH;
        if full && !open.documents.is_empty() {
            add(&mut sum, &client.sync_source(id, &open).await?);
            open.documents.clear();
            bytes = 0;
        }
        bytes += document.text.len();
        open.documents.push(document);
    }
    if !open.documents.is_empty() {
        add(&mut sum, &client.sync_source(id, &open).await?);
    }
    Ok(sum)
}

async fn fetch(
    client: &mut Client,
    source: &Source,
    allow_empty: bool,
) -> Result<Brought, Failure> {
    let request = FetchRequest { allow_empty };
    let fetched = client.fetch_source(&source.id, &request).await?;
    let was_there = source.documents > 0;
    let (code, what) = match fetched.found {
        Found::Gone if was_there => ("GONE", "is gone"),
        Found::Gone => ("NOT_THERE", "is not there"),
        Found::Empty => ("EMPTY", "has nothing on it"),
        Found::Changed | Found::Unchanged => {
            return Ok(Brought {
                sum: fetched.sync.clone(),
                documents: 1,
                skipped: Vec::new(),
                fetched: Some(fetched),
            });
        }
    };
    let message = format!(
        "{} {what} (the server answered {})",
        source.location, fetched.status
    );
    let failure = Failure::new(code, message);
    Err(if was_there {
        failure.hint("what is known of it stays; if that is to go: --allow-empty")
    } else {
        failure
    })
}

fn add(sum: &mut SyncResponse, more: &SyncResponse) {
    sum.new += more.new;
    sum.same += more.same;
    sum.gone += more.gone;
    sum.cut += more.cut;
    sum.redacted += more.redacted;
}

impl Brought {
    /// Whether there is anything to tell.
    pub(super) fn is_news(&self) -> bool {
        self.sum.new + self.sum.gone + self.sum.documents_gone > 0
    }

    /// Why there is nothing to remember of it, if that is so.
    pub(super) fn nothing(&self) -> Option<String> {
        if self.sum.new + self.sum.same > 0 {
            return None;
        }
        let (withheld, documents) = (self.sum.withheld as usize, self.documents);
        Some(match self.skipped.first() {
            _ if documents > withheld => {
                "there is no text in it; a heading alone says nothing".into()
            }
            _ if withheld > 0 => "a rule keeps its paths out: see skep capture rules".into(),
            Some((_, why)) => why.clone(),
            None => "no document is there that can be read".into(),
        })
    }

    /// What programs read of it.
    pub(super) fn as_json(&self, source: &Source) -> Value {
        let skipped = self.skipped.iter();
        let skipped: Vec<_> = skipped
            .map(|(path, why)| json!({ "path": path, "why": why }))
            .collect();
        let mut shown = json!({ "source": source.id, "sync": self.sum, "skipped": skipped });
        if let Some(fetched) = &self.fetched {
            shown["found"] = json!(fetched.found);
            shown["moved_to"] = json!(fetched.moved_to);
        }
        shown
    }

    /// What a person reads of it.
    pub(super) fn summary(&self) -> String {
        let sum = &self.sum;
        let mut summary = format!(
            "{} new, {} left, {} gone, {} taken out",
            counted(sum.new.into(), "piece", "pieces"),
            sum.gone,
            counted(sum.documents_gone.into(), "document", "documents"),
            counted(sum.redacted.into(), "secret", "secrets"),
        );
        if sum.withheld > 0 {
            let withheld = counted(sum.withheld.into(), "document", "documents");
            let _infallible = write!(summary, ", {withheld} kept out by rule");
        }
        summary
    }

    pub(super) fn show(&self, out: &Output, source: &Source) -> Result<ExitCode, Failure> {
        if out.is_json() {
            out.json(&self.as_json(source))?;
            return Ok(ExitCode::SUCCESS);
        }
        out.line(&format!("{}: {}", one_line(&source.id), self.summary()))?;
        if let Some(to) = self.fetched.as_ref().and_then(|f| f.moved_to.as_ref()) {
            out.line(&format!("  it came from {}", one_line(to)))?;
        }
        for (path, why) in self.skipped.iter().take(20) {
            out.line(&format!("  skipped {}: {}", one_line(path), one_line(why)))?;
        }
        if self.skipped.len() > 20 {
            out.line(&format!(
                "  … {} more; all of them with --json",
                self.skipped.len() - 20
            ))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
