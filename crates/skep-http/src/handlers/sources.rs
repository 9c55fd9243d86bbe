//! Sources: where memories were read from.

use axum::response::Response;
use skep_api::Instant;
use skep_api::page::{Page, PageQuery};
use skep_api::source::{
    AddSourceRequest, DocumentInput, FetchRequest, FetchResponse, Format, Found as WireFound,
    PurgeResponse, Source as WireSource, SyncRequest, SyncResponse,
};
use skep_app::{AddSource, Document, Fetch, Found, Source, SourceSync, Synced, TextForm};
use skep_authz::{Authorized, rights};
use skep_domain::{Id, SourceId};

use super::page;
use crate::call::{Call, ok};
use crate::convert;
use crate::error::ApiError;

const SOURCES: &str = "sources";

pub(crate) async fn add(
    authorized: Authorized<rights::SourceManage>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: AddSourceRequest = call.body()?;
    let kind = convert::source_kind(&request.kind)?;
    let add = AddSource {
        kind,
        location: request.location,
        title: request.title,
        trust: convert::source_trust(kind, request.trust.as_deref())?,
        visibility: convert::visibility(request.visibility.as_deref().unwrap_or("own"))?,
        project: request.project,
    };
    let source = call.app().add_source(authorized, add).await?;
    ok(&wire(&call, source))
}

pub(crate) async fn list(
    authorized: Authorized<rights::SourceManage>,
    call: Call,
) -> Result<Response, ApiError> {
    let query: PageQuery = call.query()?;
    let found = call
        .app()
        .list_sources(authorized, page::wanted(&call, &query, SOURCES)?)
        .await?;
    let next = found
        .items
        .last()
        .filter(|_| found.more)
        .map(|last| page::seal(&call, &last.id.to_bytes(), SOURCES));
    ok(&Page {
        items: found
            .items
            .into_iter()
            .map(|source| wire(&call, source))
            .collect(),
        next,
    })
}

pub(crate) async fn get(
    authorized: Authorized<rights::SourceManage>,
    call: Call,
) -> Result<Response, ApiError> {
    let source = call.app().get_source(authorized, call.path_id()?).await?;
    ok(&wire(&call, source))
}

pub(crate) async fn sync(
    authorized: Authorized<rights::SourceManage>,
    call: Call,
) -> Result<Response, ApiError> {
    let id: SourceId = call.path_id()?;
    let request: SyncRequest = call.body()?;
    let sync = SourceSync {
        manifest: request.manifest.map(|entries| {
            entries
                .into_iter()
                .map(|entry| (entry.path, entry.version))
                .collect()
        }),
        documents: request
            .documents
            .into_iter()
            .map(document)
            .collect::<Result<_, _>>()?,
    };
    let synced = call.app().sync_source(authorized, id, &sync).await?;
    ok(&wire_sync(synced))
}

fn document(document: DocumentInput) -> Result<Document, ApiError> {
    Ok(Document {
        path: document.path,
        version: document.version,
        form: match document.format {
            Format::Markdown => TextForm::Markdown,
            Format::Html => TextForm::Html,
            Format::Text => TextForm::Plain,
        },
        text: document.text,
        statement: document.memory.map(convert::statement).transpose()?,
    })
}

/// A server is waited for between transactions, and each of those takes a right of its own.
pub(crate) async fn fetch(
    _first: Authorized<rights::SourceManage>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: FetchRequest = call.body()?;
    let fetch = Fetch {
        source: call.path_id()?,
        allow_empty: request.allow_empty,
        read_export,
    };
    let right = || call.caller.authorize();
    let fetched = call.app().fetch_source(right, fetch).await?;
    ok(&FetchResponse {
        found: match fetched.found {
            Found::Changed => WireFound::Changed,
            Found::Unchanged => WireFound::Unchanged,
            Found::Gone => WireFound::Gone,
            Found::Empty => WireFound::Empty,
        },
        status: fetched.status,
        moved_to: fetched.moved_to,
        sync: wire_sync(fetched.synced),
    })
}

fn read_export(bytes: &[u8]) -> Result<Vec<(String, String)>, String> {
    let (pages, _) = skep_api::issues::read(bytes)?;
    Ok(pages
        .into_iter()
        .map(|page| (page.name, page.text))
        .collect())
}

fn wire_sync(synced: Synced) -> SyncResponse {
    SyncResponse {
        wanted: synced.wanted,
        new: synced.changes.new,
        same: synced.changes.same,
        gone: synced.changes.gone,
        documents_gone: synced.documents_gone,
        cut: synced.cut,
        redacted: synced.redacted,
        withheld: synced.withheld,
        held: synced.held,
    }
}

pub(crate) async fn purge(
    authorized: Authorized<rights::SourceManage>,
    call: Call,
) -> Result<Response, ApiError> {
    let memories = call.app().purge_source(authorized, call.path_id()?).await?;
    ok(&PurgeResponse { memories })
}

fn wire(call: &Call, source: Source) -> WireSource {
    WireSource {
        id: call.text(source.id),
        kind: source.kind.as_str().into(),
        location: source.location,
        title: source.title,
        trust: source.trust.as_str().into(),
        visibility: source.visibility.as_str().into(),
        project: source.project,
        own: source.is_own,
        created_at: Instant(source.created_at),
        synced_at: source.synced_at.map(Instant),
        documents: source.documents,
        chunks: source.chunks,
    }
}
