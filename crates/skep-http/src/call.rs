//! One request, past the gate: what a handler may look at.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Query;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use skep_api::id::{self, Tagger};
use skep_app::{App, IdTags};
use skep_authz::Caller;
use skep_domain::{Id, IdKind};

use crate::error::ApiError;
use crate::json;
use crate::limits::Told;
use crate::mount::Edge;

/// One request.
pub(crate) struct Call {
    pub(crate) edge: Arc<Edge>,
    pub(crate) caller: Caller,
    /// Its head; what `admit` and `allow` of the gate judged.
    pub(crate) parts: Parts,
    /// The `{id}` of the path, if the route has one.
    pub(crate) path_id: Option<String>,
    pub(crate) body: Bytes,
    /// How it was counted.
    pub(crate) told: Arc<Told>,
}

/// Tags of the caller's tenant, in the shape that the text form of ids wants.
pub(crate) struct Tags<'a>(IdTags<'a>);

impl<'a> Tags<'a> {
    pub(crate) const fn of(tags: IdTags<'a>) -> Self {
        Self(tags)
    }
}

impl Tagger for Tags<'_> {
    fn tag(&self, kind: IdKind, uuid: &[u8; 16]) -> [u8; 4] {
        self.0.tag(kind, uuid)
    }
    fn verify(&self, kind: IdKind, uuid: &[u8; 16], tag: [u8; 4]) -> bool {
        self.0.verify(kind, uuid, tag)
    }
}

impl Call {
    pub(crate) fn app(&self) -> &App {
        &self.edge.app
    }

    pub(crate) fn tags(&self) -> Tags<'_> {
        Tags(self.app().id_tags(&self.caller))
    }

    /// The body as JSON.
    pub(crate) fn body<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        json::parse(&self.body)
    }

    /// The query string.
    pub(crate) fn query<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        Query::try_from_uri(&self.parts.uri)
            .map(|Query(query)| query)
            .map_err(|_| {
                ApiError::field(
                    "query",
                    "INVALID",
                    "The query string has an unknown or malformed parameter.",
                )
            })
    }

    /// The id in the path.
    pub(crate) fn path_id<I: Id>(&self) -> Result<I, ApiError> {
        Ok(id::parse(
            &self.tags(),
            self.path_id.as_deref().unwrap_or_default(),
        )?)
    }

    /// An id in the body.
    pub(crate) fn id<I: Id>(&self, text: &str) -> Result<I, ApiError> {
        Ok(id::parse(&self.tags(), text)?)
    }

    /// The text of an id.
    pub(crate) fn text<I: Id>(&self, id: I) -> String {
        id::format(&self.tags(), id)
    }
}

/// 202 with a JSON body.
pub(crate) fn accepted<T: Serialize>(value: &T) -> Result<Response, ApiError> {
    let mut response = ok(value)?;
    *response.status_mut() = StatusCode::ACCEPTED;
    Ok(response)
}

/// 200 with a JSON body.
pub(crate) fn ok<T: Serialize>(value: &T) -> Result<Response, ApiError> {
    let body = serde_json::to_vec(value).map_err(|_| ApiError::internal())?;
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    Ok(response)
}
