//! Erasing and taking back.

use axum::response::Response;
use skep_api::Instant;
use skep_api::removal::{Erased, RewindRequest, RewindResponse};
use skep_app::{Rewind, Target};
use skep_authz::{Authorized, rights};
use skep_domain::{Id, MemoryId, SessionId};

use crate::call::{Call, ok};
use crate::convert;
use crate::error::ApiError;

pub(crate) async fn erase_memory(
    authorized: Authorized<rights::MemoryDelete>,
    call: Call,
) -> Result<Response, ApiError> {
    let id: MemoryId = call.path_id()?;
    let erased = call.app().erase_memory(authorized, id).await?;
    ok(&shown(&call, id, erased))
}

pub(crate) async fn erase_session(
    authorized: Authorized<rights::MemoryDelete>,
    call: Call,
) -> Result<Response, ApiError> {
    let id: SessionId = call.path_id()?;
    let erased = call.app().erase_session(authorized, id).await?;
    ok(&shown(&call, id, erased))
}

fn shown<I: Id>(call: &Call, id: I, erased: skep_app::Erased) -> Erased {
    Erased {
        id: call.text(id),
        erased_at: Instant(erased.at),
        scrubbed: erased.scrubbed,
        versions: erased.versions,
        memories: erased.withdrawn.removed,
        kept: erased.withdrawn.kept,
    }
}

pub(crate) async fn rewind(
    authorized: Authorized<rights::MemoryDelete>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: RewindRequest = call.body()?;
    let rewind = Rewind {
        target: target(&call, &request)?,
        erase: request.erase,
        dry_run: request.dry_run,
        reason: request.reason.unwrap_or_else(|| "taken back".into()),
    };
    let rewound = call.app().rewind(authorized, rewind).await?;
    let sample = rewound.sample.into_iter();
    ok(&RewindResponse {
        dry_run: request.dry_run,
        roots: rewound.roots,
        removed: rewound.withdrawn.removed,
        kept: rewound.withdrawn.kept,
        restored: rewound.withdrawn.restored,
        sample: sample
            .map(|memory| convert::memory(&call, memory))
            .collect(),
    })
}

fn target(call: &Call, request: &RewindRequest) -> Result<Target, ApiError> {
    match (&request.session, &request.source) {
        (Some(session), None) => Ok(Target::Session(call.id(session)?)),
        (None, Some(source)) if source.starts_with("src_") => Ok(Target::Source(call.id(source)?)),
        (None, Some(source)) => Ok(Target::Import(source.clone())),
        _ => Err(ApiError::field(
            "session",
            "INVALID",
            "give a session or a source, and not both",
        )),
    }
}
