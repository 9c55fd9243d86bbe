//! The tree of memories.

use axum::response::Response;
use skep_api::page::PageQuery;
use skep_api::tree::{
    Entry as WireEntry, File, FileRequest, FindRequest, GrepRequest, GrepResponse, ListRequest,
    Listing as WireListing, Match, Type,
};
use skep_api::{Instant, id};
use skep_app::{Entry, Find, Grep, Listing, Node, Wording, show_memory};
use skep_authz::{Authorized, rights};
use skep_domain::{MemoryId, SessionId, Timestamp};

use super::page;
use crate::call::{Call, ok};
use crate::convert;
use crate::error::ApiError;

/// Ids and times as this caller reads them.
struct Words<'a>(&'a Call);

impl Wording for Words<'_> {
    fn memory(&self, id: MemoryId) -> String {
        self.0.text(id)
    }
    fn session(&self, id: SessionId) -> String {
        self.0.text(id)
    }
    fn time(&self, at: Timestamp) -> String {
        Instant(at).to_string()
    }
    fn parse(&self, text: &str) -> Option<MemoryId> {
        // A foreign id is refused as one that is nobody's: there is no such file.
        id::parse(&self.0.tags(), text).ok()
    }
}

pub(crate) async fn list(
    authorized: Authorized<rights::MemoryRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: ListRequest = call.body()?;
    let listing = format!("tree at {}", request.path);
    let (from, limit) = wanted(&call, (request.limit, request.cursor), &listing)?;
    let asked = (request.path.as_str(), &Words(&call) as &dyn Wording);
    let found = call.app().list_tree(authorized, asked, (from, limit));
    let found = found.await?;
    ok(&shown(&call, found, &listing, false))
}

pub(crate) async fn file(
    authorized: Authorized<rights::MemoryRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: FileRequest = call.body()?;
    let asked = (request.path.as_str(), &Words(&call) as &dyn Wording);
    let file = call.app().read_tree(authorized, asked).await?;
    ok(&File {
        path: file.path,
        id: file.memory.map(|memory| call.text(memory.id)),
        text: file.text,
    })
}

pub(crate) async fn find(
    authorized: Authorized<rights::MemoryRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: FindRequest = call.body()?;
    let listing = format!(
        "found in the tree: {:?}",
        (
            &request.path,
            &request.name,
            &request.kind,
            &request.project,
            &request.day
        )
    );
    let (from, limit) = wanted(&call, (request.limit, request.cursor), &listing)?;
    let kind = request.kind.as_deref().map(convert::memory_kind);
    let find = Find {
        path: request.path.unwrap_or_else(|| "/".into()),
        name: request.name,
        kind: kind.transpose()?,
        project: request.project,
        day: request.day,
        from,
        limit,
    };
    let asked = (&find, &Words(&call) as &dyn Wording);
    let found = call.app().find_in_tree(authorized, asked).await?;
    ok(&shown(&call, found, &listing, request.texts))
}

pub(crate) async fn grep(
    authorized: Authorized<rights::MemoryRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: GrepRequest = call.body()?;
    let path = request.path.unwrap_or_else(|| "/".into());
    let listing = format!(
        "lines in the tree at {path}: {:?}",
        (&request.pattern, request.ignore_case)
    );
    let (from, limit) = wanted(&call, (request.limit, request.cursor), &listing)?;
    let grep = Grep {
        pattern: request.pattern,
        path,
        ignore_case: request.ignore_case,
        names_only: request.names_only,
        from,
        limit,
    };
    let asked = (&grep, &Words(&call) as &dyn Wording);
    let found = call.app().grep_tree(authorized, asked).await?;
    let matches = found.matches.into_iter().map(|one| Match {
        path: one.path,
        line: one.line,
        text: one.text,
    });
    ok(&GrepResponse {
        matches: matches.collect(),
        searched: found.searched,
        next: found.next.map(|next| page::seal(&call, &next, &listing)),
    })
}

/// Where a listing goes on, and how far.
fn wanted(
    call: &Call,
    (limit, cursor): (Option<u32>, Option<String>),
    listing: &str,
) -> Result<(Option<[u8; 16]>, u32), ApiError> {
    let query = PageQuery { limit, cursor };
    let limit = page::limit(query.limit)?;
    let from = query.cursor.as_deref();
    let from = from.map(|cursor| page::open(call, cursor, listing));
    Ok((from.transpose()?, limit))
}

fn shown(call: &Call, found: Listing, listing: &str, texts: bool) -> WireListing {
    let entries = found.entries.into_iter();
    WireListing {
        entries: entries.map(|one| entry(call, one, texts)).collect(),
        next: found.next.map(|next| page::seal(call, &next, listing)),
        partial: found.partial,
    }
}

fn entry(call: &Call, entry: Entry, texts: bool) -> WireEntry {
    let shown = WireEntry {
        path: entry.path,
        name: entry.name,
        ..WireEntry::default()
    };
    match entry.node {
        Node::Index => shown,
        Node::Folder(memories) => WireEntry {
            node: Type::Folder,
            memories,
            ..shown
        },
        Node::File(memory, text) => {
            show_memory(&memory);
            WireEntry {
                id: Some(call.text(memory.id)),
                kind: Some(memory.kind.as_str().into()),
                trust: Some(memory.trust.as_str().into()),
                key: Some(memory.body.key),
                project: memory.project,
                valid_from: Some(Instant(memory.validity.from)),
                bytes: Some(text.len() as u64),
                text: texts.then_some(text),
                ..shown
            }
        }
    }
}
