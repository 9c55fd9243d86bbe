//! One request on a public route: nobody is known, and a handler may look at all of it.

use std::sync::Arc;

use axum::extract::Query;
use axum::http::request::Parts;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use skep_app::App;
use skep_domain::RateClass;

use crate::error::ApiError;
use crate::json;
use crate::limits::Told;
use crate::mount::Edge;
use crate::peer::Peer;
use crate::request_id::RequestId;

/// One request of somebody not known.
pub(crate) struct Visit {
    pub(crate) edge: Arc<Edge>,
    pub(crate) parts: Parts,
    pub(crate) body: Bytes,
    /// Parameters of the path, by name.
    pub(crate) path: Vec<(String, String)>,
    /// Which allowance the route draws on.
    pub(crate) class: RateClass,
    pub(crate) told: Arc<Told>,
}

#[expect(
    dead_code,
    reason = "what the doors of login, setup and OAuth look at; probes look at nothing"
)]
impl Visit {
    pub(crate) fn app(&self) -> &App {
        &self.edge.app
    }

    /// The body as JSON.
    pub(crate) fn body<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        json::parse(&self.body)
    }

    /// The query string.
    pub(crate) fn query<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        Query::try_from_uri(&self.parts.uri)
            .map(|Query(query)| query)
            .map_err(|_| ApiError::field("query", "INVALID", "The query string is malformed."))
    }

    /// A parameter of the path.
    pub(crate) fn path(&self, name: &str) -> &str {
        let found = self.path.iter().find(|(held, _)| held == name);
        found.map_or("", |(_, value)| value)
    }

    /// The other end of the connection.
    pub(crate) fn peer(&self) -> Option<Peer> {
        self.parts.extensions.get::<Peer>().copied()
    }

    /// Counts this call for an account too, by whatever name somebody typed, known or not. The name
    /// is normalised by the caller as it is before it is looked up.
    pub(crate) async fn count_account(&self, name: &[u8]) -> Result<(), ApiError> {
        self.told.count_account(&self.edge, self.class, name).await
    }

    /// The request's id.
    pub(crate) fn request_id(&self) -> RequestId {
        crate::mount::request_id(&self.parts.extensions)
    }
}
