//! Work that may block, off the threads that serve.

use std::cell::Cell;

use skep_store::StoreError;
use skep_store::backend::Many;
use tokio::runtime::{Handle, RuntimeFlavor};

thread_local! {
    /// Whether this thread waits for nobody but whoever has it.
    static MAY_BLOCK: Cell<bool> = const { Cell::new(false) };
}

/// A thread that may block, until it is let go.
struct Here;

/// Runs `work` on a thread of the runtime's pool, or right here on one that [`at_once`] has. A panic in it goes
/// on in the caller; if the caller goes away, the work is finished and its value dropped.
pub(crate) async fn run<T, F>(work: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    if MAY_BLOCK.get() {
        return Ok(work());
    }
    apart(work).await
}

/// Runs all of `work` on one thread: each of its statements would else go to another and back, which costs more than
/// the statement. It is this one, where there are others that serve meanwhile.
pub(crate) async fn at_once(work: Many) -> Result<(), StoreError> {
    let runtime = Handle::current();
    let serves_on = runtime.runtime_flavor() == RuntimeFlavor::MultiThread;
    let work = move || {
        let _here = Here::enter();
        runtime.block_on(work);
    };
    if serves_on {
        tokio::task::block_in_place(work);
        return Ok(());
    }
    apart(work).await
}

async fn apart<T, F>(work: F) -> Result<T, StoreError>
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

impl Here {
    fn enter() -> Self {
        MAY_BLOCK.set(true);
        Self
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        MAY_BLOCK.set(false);
    }
}

#[cfg(test)]
mod tests {
    use std::thread::{ThreadId, current};

    use super::{at_once, run};

    async fn has_not_stayed() -> bool {
        let one = tokio::task::spawn_blocking(|| super::MAY_BLOCK.get()).await;
        !one.unwrap() && !super::MAY_BLOCK.get()
    }

    async fn threads() -> Vec<ThreadId> {
        let (told, seen) = std::sync::mpsc::channel();
        at_once(Box::pin(async move {
            for _ in 0..3 {
                let _ = told.send(run(|| current().id()).await.unwrap());
                tokio::task::yield_now().await;
            }
        }))
        .await
        .unwrap();
        seen.try_iter().collect()
    }

    #[tokio::test]
    async fn many_statements_have_one_thread_and_the_next_one_has_its_own_say() {
        let many = threads().await;
        assert_eq!(many.len(), 3);
        assert!(
            many.iter()
                .all(|id| *id == many[0] && *id != current().id())
        );
        // The thread is another's now, and may not block there.
        assert!(has_not_stayed().await);
        assert_ne!(run(|| current().id()).await.unwrap(), current().id());
    }

    #[tokio::test]
    async fn a_panic_goes_on_in_the_caller_and_leaves_the_thread_as_it_was() {
        let mut panics = tokio::task::JoinSet::new();
        panics.spawn(at_once(Box::pin(async {
            run(|| panic!("a bug")).await.unwrap();
        })));
        assert!(panics.join_next().await.unwrap().unwrap_err().is_panic());
        assert_eq!(threads().await.len(), 3);
        assert!(has_not_stayed().await);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn others_are_served_while_many_statements_are_done() {
        let mut others = tokio::task::JoinSet::new();
        let (go, told) = std::sync::mpsc::channel();
        others.spawn(async move {
            let (served, waits) = tokio::sync::oneshot::channel();
            let mut inner = tokio::task::JoinSet::new();
            inner.spawn(async move {
                let _ = served.send(());
            });
            waits.await.unwrap();
            go.send(()).unwrap();
        });
        let mut many = tokio::task::JoinSet::new();
        many.spawn(at_once(Box::pin(async move {
            run(move || told.recv().unwrap()).await.unwrap();
        })));
        many.join_next().await.unwrap().unwrap().unwrap();
        assert!(has_not_stayed().await);
    }
}
