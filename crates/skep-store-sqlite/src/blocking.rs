//! Work that may block, off the threads that serve.

use skep_store::StoreError;

/// Runs `work` on a thread of the runtime's pool. A panic in it goes on in the caller; if the
/// caller goes away, the work is finished and its value dropped.
pub(crate) async fn run<T, F>(work: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => Ok(value),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(StoreError::Unavailable("the store is closing".into())),
    }
}
