//! Connections whose statement was given up half-way: the server is asked to stop it, and until it has, the
//! connection counts as one of the node's. Else who asks for something slow and hangs up, again and again,
//! would have the server at work on any number of them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use deadpool_postgres::Object;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_postgres_rustls::MakeRustlsConnect;

/// Where they end.
#[derive(Clone)]
pub(crate) struct GivenUp {
    tls: MakeRustlsConnect,
    patience: Duration,
    ends: Arc<Mutex<JoinSet<()>>>,
}

/// One of them: never used again, whatever happens.
struct Doomed(Option<Object>);

impl GivenUp {
    pub(crate) fn new(tls: MakeRustlsConnect, patience: Duration) -> Self {
        Self {
            tls,
            patience,
            ends: Arc::default(),
        }
    }

    /// Sees to the end of one.
    pub(crate) fn end(&self, connection: Object) {
        let doomed = Doomed(Some(connection));
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        while ends.try_join_next().is_some() {}
        ends.spawn_on(doomed.stop(self.tls.clone(), self.patience), &runtime);
    }
}

impl Doomed {
    /// Until the server has stopped, or takes too long: then it sees for itself that nobody is there.
    async fn stop(self, tls: MakeRustlsConnect, patience: Duration) {
        let Some(connection) = &self.0 else { return };
        let stopped = async {
            let _ = connection.cancel_token().cancel_query(tls).await;
            connection.batch_execute("ROLLBACK").await
        };
        let _ = timeout(patience, stopped).await;
    }
}

impl Drop for Doomed {
    fn drop(&mut self) {
        drop(self.0.take().map(Object::take));
    }
}
