//! The ledger: checkpoints, proofs, and exports as a stream.

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use futures_util::stream::try_unfold;
use skep_api::Instant;
use skep_api::ledger::{
    Checkpoint, CheckpointQuery, Checkpoints, EraseEntriesRequest, ErasedEntries, LogQuery, Proof,
    ProofQuery,
};
use skep_app::{App, EntriesToErase, LogExport, PageOf, ToProve, digits};
use skep_authz::{Authorized, rights};

use super::page;
use crate::call::{Call, ok};
use crate::error::ApiError;

pub(crate) async fn checkpoints(
    authorized: Authorized<rights::AuditRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let query: CheckpointQuery = call.query()?;
    let wanted = PageOf {
        limit: page::limit(query.limit)?,
        before: query.before,
    };
    let log = App::log_of(query.log.as_deref())?;
    let found = call.app().list_checkpoints(authorized, log, wanted).await?;
    let last = found.items.last().filter(|_| found.more);
    ok(&Checkpoints {
        next: last.map(|row| row.size),
        origin: found.head.origin,
        key: found.head.key,
        first: found.head.first,
        size: found.head.size,
        items: found
            .items
            .into_iter()
            .map(|row| Checkpoint {
                size: row.size,
                at: Instant(row.at),
                note: row.note,
            })
            .collect(),
    })
}

pub(crate) async fn proof(
    authorized: Authorized<rights::AuditRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let query: ProofQuery = call.query()?;
    let what = match (query.entry, query.old) {
        (Some(entry), None) => ToProve::Entry(entry),
        (None, Some(old)) => ToProve::Old(old),
        _ => {
            return Err(ApiError::field(
                "entry",
                "INVALID",
                "Say what is to be proved: either entry, a place, or old, a number of entries.",
            ));
        }
    };
    let log = App::log_of(query.log.as_deref())?;
    let app = call.app();
    let proved = app.prove(authorized, (log, what), query.size).await?;
    ok(&Proof {
        origin: proved.head.origin,
        key: proved.head.key,
        size: proved.size,
        checkpoint: proved.checkpoint,
        index: proved.entry.as_ref().map(|entry| entry.index),
        leaf: proved.entry.as_ref().map(|entry| digits(&entry.leaf)),
        hashes: proved.hashes.iter().map(|hash| digits(hash)).collect(),
    })
}

pub(crate) async fn export(
    authorized: Authorized<rights::AuditExport>,
    call: Call,
) -> Result<Response, ApiError> {
    let query: LogQuery = call.query()?;
    let log = App::log_of(query.log.as_deref())?;
    let app = call.app();
    let export = app.begin_log_export(&call.caller, authorized, log).await?;
    let mut response = Response::new(Body::from_stream(try_unfold((call, export), next)));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/x-ndjson"),
    );
    Ok(response)
}

pub(crate) async fn erase(
    authorized: Authorized<rights::AuditErase>,
    call: Call,
) -> Result<Response, ApiError> {
    let asked: EraseEntriesRequest = call.body()?;
    let asked = EntriesToErase {
        log: App::log_of(asked.log.as_deref())?,
        places: asked.places,
        reason: asked.reason,
    };
    let app = call.app();
    let (done, scrubbed) = app.erase_entries(&call.caller, authorized, asked).await?;
    ok(&ErasedEntries {
        entry: done.entry,
        erased: done.erased,
        already: done.already,
        scrubbed,
    })
}

/// An error ends the answer before its end, which whoever reads it sees, and whoever verifies it too.
async fn next(
    (call, mut export): (Call, LogExport),
) -> Result<Option<(Bytes, (Call, LogExport))>, std::io::Error> {
    let part = call.app().next_of_log(&call.caller, &mut export).await;
    match part {
        Ok(part) => Ok(part.map(|part| (Bytes::from(part), (call, export)))),
        Err(error) => {
            tracing::error!(%error, "an export of a log ended before its end");
            Err(std::io::Error::other("the export ended before its end"))
        }
    }
}
