//! One request on a public route: nobody is known, and a handler may look at all of it.

use std::sync::Arc;

use axum::http::request::Parts;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use skep_app::App;
use skep_domain::{RateClass, normal_address};

use crate::error::ApiError;
use crate::json;
use crate::limits::Told;
use crate::mount::Edge;

/// One request of somebody not known.
pub(crate) struct Visit {
    pub(crate) edge: Arc<Edge>,
    pub(crate) parts: Parts,
    pub(crate) body: Bytes,
    /// Which allowance the route draws on.
    pub(crate) class: RateClass,
    pub(crate) told: Arc<Told>,
}

impl Visit {
    pub(crate) fn app(&self) -> &App {
        &self.edge.app
    }

    /// The body as JSON.
    pub(crate) fn body<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        json::parse(&self.body)
    }

    /// Counts this call for an account too.
    pub(crate) async fn count_account(&self, name: &[u8]) -> Result<(), ApiError> {
        self.told.count_account(&self.edge, self.class, name).await
    }

    /// Counts this call for the account of whatever address somebody typed, whether there is one or
    /// not.
    pub(crate) async fn count_address(&self, typed: &str) -> Result<(), ApiError> {
        self.count_account(normal_address(typed).as_bytes()).await
    }
}
