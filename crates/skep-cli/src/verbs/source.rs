//! `skep source`: folders, files, pages and issue exports whose pieces are remembered.

mod sync;
mod watch;

use std::path::Path;
use std::process::ExitCode;

use skep_api::page::PageQuery;
use skep_api::source::{AddSourceRequest, Source as Known};
use skep_client::Client;

use crate::args::Source;
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::{columns, counted, one_line};
use crate::reading::kind_of;

pub(super) async fn run(context: &Context<'_>, arguments: Source) -> Result<ExitCode, Failure> {
    match arguments {
        Source::Add {
            place,
            issues,
            mine,
            visibility,
            project,
        } => {
            let (kind, location) = placed(&place, issues)?;
            let request = AddSourceRequest {
                kind: kind.into(),
                location,
                title: None,
                trust: mine.then(|| "agent".to_owned()),
                visibility: Some(visibility),
                project,
            };
            add(context, &request).await
        }
        Source::List => list(context).await,
        Source::Sync { id, allow_empty } => {
            let mut client = context.client().await?;
            let source = client.source(&id).await?;
            let synced = sync::bring(&mut client, &source, allow_empty).await?;
            synced.show(context.output, &source)
        }
        Source::Watch { ids } => watch::run(context, &ids).await,
        Source::Purge { id, yes } => purge(context, &id, yes).await,
    }
}

/// Without `--yes`: exit 2, and nothing is changed.
async fn purge(context: &Context<'_>, id: &str, yes: bool) -> Result<ExitCode, Failure> {
    let mut client = context.client().await?;
    let out = context.output;
    if !yes {
        let source = client.source(id).await?;
        out.note(&format!("would purge: {}", one_line(&source.location)));
        out.note(&format!(
            "  {} of {}, and what came of them",
            counted(source.chunks, "memory", "memories"),
            counted(source.documents, "document", "documents")
        ));
        return Err(
            Failure::usage("purging cannot be undone, so nothing was done")
                .hint(format!("skep source purge {} --yes", one_line(id))),
        );
    }
    let purged = client.purge_source(id).await?;
    if out.is_json() {
        out.json(&purged)?;
    } else {
        out.line(&format!(
            "erased: {}",
            counted(purged.memories, "memory", "memories")
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What sort of source a place is, and where it is.
fn placed(place: &str, issues: bool) -> Result<(&'static str, String), Failure> {
    if is_url(place) {
        return Ok((if issues { "issues" } else { "url" }, place.to_owned()));
    }
    if place.contains("://") {
        let message = format!("{place} cannot be fetched: a URL begins with https:// or http://");
        return Err(Failure::usage(message));
    }
    let path = Path::new(place);
    let kind = kind_of(path, issues)?;
    let location = std::path::absolute(path)?;
    Ok((kind, location.to_string_lossy().into_owned()))
}

/// Whether the daemon fetches it.
fn is_url(location: &str) -> bool {
    let start = location.split("://").next().unwrap_or_default();
    start.len() < location.len()
        && (start.eq_ignore_ascii_case("https") || start.eq_ignore_ascii_case("http"))
}

async fn add(context: &Context<'_>, request: &AddSourceRequest) -> Result<ExitCode, Failure> {
    let mut client = context.client().await?;
    let source = client.add_source(request).await?;
    let brought = sync::bring(&mut client, &source, false).await;
    let brought = brought.and_then(|synced| match synced.nothing() {
        Some(why) if source.documents == 0 => {
            let message = format!("{}: nothing to remember: {why}", source.location);
            Err(Failure::new("EMPTY", message))
        }
        _ => Ok(synced),
    });
    match brought {
        Ok(synced) => synced.show(context.output, &source),
        Err(failure) => {
            // What was never read is not worth keeping; mistyped, it would only lie about.
            if source.synced_at.is_none() && source.documents == 0 {
                let _best_effort = client.purge_source(&source.id).await;
                return Err(failure.hint("it was not added"));
            }
            Err(failure)
        }
    }
}

/// All sources, newest first.
async fn all(client: &mut Client) -> Result<Vec<Known>, Failure> {
    let mut all = Vec::new();
    let mut query = PageQuery::default();
    loop {
        let page = client.sources(&query).await?;
        all.extend(page.items);
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => return Ok(all),
        }
    }
}

async fn list(context: &Context<'_>) -> Result<ExitCode, Failure> {
    let mut client = context.client().await?;
    let all = all(&mut client).await?;
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
