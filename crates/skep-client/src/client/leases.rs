//! Leases of programs that use secrets without holding them.

use skep_api::RouteId;
use skep_api::lease::{BegunLease, EndedLease, LeaseRequest, Leases, RenewedLease};

use super::{Client, PATIENCE};
use crate::ClientError;

impl Client {
    /// `POST /api/v1/leases`.
    ///
    /// # Errors
    /// As [`ClientError`] says; so with every method.
    pub async fn begin_lease(&mut self, request: &LeaseRequest) -> Result<BegunLease, ClientError> {
        self.post(RouteId::LeaseBegin, None, Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/leases`.
    pub async fn leases(&mut self) -> Result<Leases, ClientError> {
        self.get(RouteId::LeaseList, None, &[]).await
    }

    /// `POST /api/v1/leases/{id}/renew`.
    pub async fn renew_lease(&mut self, id: &str) -> Result<RenewedLease, ClientError> {
        self.post::<(), _>(RouteId::LeaseRenew, Some(id), None, PATIENCE)
            .await
    }

    /// `POST /api/v1/leases/{id}/end`.
    pub async fn end_lease(&mut self, id: &str) -> Result<EndedLease, ClientError> {
        self.post::<(), _>(RouteId::LeaseEnd, Some(id), None, PATIENCE)
            .await
    }
}
