//! The tasks of a lease: they end with it.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use hyper::rt::Executor;
use tokio::task::JoinSet;

/// What runs for a lease; nothing once it has ended.
pub(crate) struct Tasks(Mutex<Option<JoinSet<()>>>);

impl Tasks {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Some(JoinSet::new()))))
    }

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = running.as_mut() {
            while running.try_join_next().is_some() {}
            running.spawn(task);
        }
    }

    /// Ends them all, now and for good.
    pub(crate) fn end(&self) {
        let running = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(running);
    }
}

/// Where hyper spawns what belongs to a connection.
#[derive(Clone)]
pub(crate) struct Spawner(pub(crate) Arc<Tasks>);

impl<F> Executor<F> for Spawner
where
    F: Future + Send + 'static,
{
    fn execute(&self, future: F) {
        self.0.spawn(async move {
            let _ended = future.await;
        });
    }
}
