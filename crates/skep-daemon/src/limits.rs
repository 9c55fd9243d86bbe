//! Rate limits put together: the quotas, and the store that nodes share if there is one.

use std::path::Path;
use std::sync::Arc;

use skep_http::Limits;
use skep_limit::Limiter;

use crate::config::limits::Limits as Section;
use crate::files;

/// What the edge counts by; `None` when it does not.
pub(crate) fn open(home: &Path, section: &Section) -> anyhow::Result<Option<Limits>> {
    if !section.enabled {
        tracing::warn!(
            "limits.enabled is false: calls are not counted, and passwords may be guessed at any pace"
        );
        return Ok(None);
    }
    let file = section.redis_password_file.as_ref();
    let password = file
        .map(|file| files::read_key(&home.join(file)))
        .transpose()?;
    let shared = section.shared(password.map(|password| password.expose().clone()))?;
    let limiter = match shared {
        None => Limiter::local(),
        Some(shared) => Limiter::shared(shared, section.nodes),
    };
    Ok(Some(Limits {
        limiter: Arc::new(limiter),
        quotas: section.quotas()?,
    }))
}

/// Connects before the first call comes. A store that is away is no reason not to start.
pub(crate) async fn meet(limiter: &Limiter) {
    if let Some(store) = limiter.store()
        && store.mend().await
    {
        tracing::info!(
            store = store.address(),
            "rate limits are counted together with other nodes"
        );
    }
}
