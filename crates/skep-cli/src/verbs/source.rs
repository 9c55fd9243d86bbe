//! `skep source`: folders, files and issue exports whose pieces are remembered.

use std::path::Path;
use std::process::ExitCode;

use skep_api::page::PageQuery;
use skep_api::source::{AddSourceRequest, ManifestEntry, SyncRequest, SyncResponse};
use skep_client::Client;

use crate::args::Source;
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::{columns, one_line};
use crate::reading::{Reading, kind_of};

/// Bytes of text that go out together; as JSON they are at most six times as many.
const BATCH: usize = 1 << 20;
/// Documents that go out together.
const DOCUMENTS: usize = 200;

pub(super) async fn run(context: &Context<'_>, arguments: Source) -> Result<ExitCode, Failure> {
    match arguments {
        Source::Add {
            path,
            issues,
            mine,
            visibility,
            project,
        } => {
            let kind = kind_of(&path, issues)?;
            let request = AddSourceRequest {
                kind: kind.into(),
                location: std::path::absolute(&path)?.to_string_lossy().into_owned(),
                title: None,
                trust: mine.then(|| "agent".to_owned()),
                visibility: Some(visibility),
                project,
            };
            let mut client = context.client().await?;
            let source = client.add_source(&request).await?;
            sync(context, &mut client, &source.id, false).await
        }
        Source::List => list(context).await,
        Source::Sync { id, allow_empty } => {
            let mut client = context.client().await?;
            sync(context, &mut client, &id, allow_empty).await
        }
        Source::Purge { id } => {
            let purged = context.client().await?.purge_source(&id).await?;
            if context.output.is_json() {
                context.output.json(&purged)?;
            } else {
                context
                    .output
                    .line(&format!("{} memories are gone", purged.memories))?;
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn list(context: &Context<'_>) -> Result<ExitCode, Failure> {
    let mut client = context.client().await?;
    let mut all = Vec::new();
    let mut query = PageQuery::default();
    loop {
        let page = client.sources(&query).await?;
        all.extend(page.items);
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => break,
        }
    }
    if context.output.is_json() {
        context.output.json(&all)?;
        return Ok(ExitCode::SUCCESS);
    }
    if all.is_empty() {
        context.output.line("no source: skep source add PATH")?;
    }
    let rows = all.iter().map(|source| {
        vec![
            one_line(&source.id),
            one_line(&source.kind),
            one_line(&source.trust),
            format!("{} documents", source.documents),
            format!("{} pieces", source.chunks),
            one_line(&source.location),
        ]
    });
    for line in columns(&rows.collect::<Vec<_>>()) {
        context.output.line(&line)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Says what there is, then brings what the daemon does not have in that version.
async fn sync(
    context: &Context<'_>,
    client: &mut Client,
    id: &str,
    allow_empty: bool,
) -> Result<ExitCode, Failure> {
    let source = client.source(id).await?;
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
    show(context, id, &sum, reading.skipped())
}

fn add(sum: &mut SyncResponse, more: &SyncResponse) {
    sum.new += more.new;
    sum.same += more.same;
    sum.gone += more.gone;
    sum.cut += more.cut;
    sum.redacted += more.redacted;
}

fn show(
    context: &Context<'_>,
    id: &str,
    sum: &SyncResponse,
    skipped: &[(String, String)],
) -> Result<ExitCode, Failure> {
    let out = context.output;
    if out.is_json() {
        let skipped: Vec<_> = skipped
            .iter()
            .map(|(path, why)| serde_json::json!({ "path": path, "why": why }))
            .collect();
        out.json(&serde_json::json!({ "source": id, "sync": sum, "skipped": skipped }))?;
        return Ok(ExitCode::SUCCESS);
    }
    out.line(&format!(
        "{}: {} pieces new, {} left, {} documents gone, {} secrets taken out",
        one_line(id),
        sum.new,
        sum.gone,
        sum.documents_gone,
        sum.redacted
    ))?;
    for (path, why) in skipped.iter().take(20) {
        out.line(&format!("  skipped {}: {}", one_line(path), one_line(why)))?;
    }
    if skipped.len() > 20 {
        out.line(&format!(
            "  … {} more; all of them with --json",
            skipped.len() - 20
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}
