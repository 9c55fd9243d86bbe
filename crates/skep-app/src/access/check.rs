//! The check of what was presented: form and MAC first, then one read, and a slow hash only for what
//! we minted, that still counts, and that did not pass before.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use skep_authz::{Caller, Checked, Mark, Presented, SlowCheck};
use skep_domain::{CredentialId, CredentialKind, Timestamp};
use tokio::sync::Semaphore;

use crate::upkeep::apart;
use crate::{App, AppError};

/// Slow hashes at a time: each takes 19 MiB and a core for tens of milliseconds.
const SLOW_AT_ONCE: usize = 2;
/// Checks that may wait for their turn; one more is told to come back.
const SLOW_WAITING: usize = 64;
/// Credentials whose last slow check is remembered.
const REMEMBERED: usize = 10_000;
/// A use is noted when the last one noted is older than this.
const NOTE_EVERY_MINUTES: i64 = 5;
/// A browser's session ends when it was not used for this long.
const BROWSER_IDLE_HOURS: i64 = 12;

/// What slow checks came to, and who may run one.
pub(crate) struct Remembered {
    marks: Mutex<HashMap<CredentialId, Mark>>,
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

impl Default for Remembered {
    fn default() -> Self {
        Self {
            marks: Mutex::default(),
            running: Arc::new(Semaphore::new(SLOW_AT_ONCE)),
            waiting: Arc::new(Semaphore::new(SLOW_AT_ONCE + SLOW_WAITING)),
        }
    }
}

impl Remembered {
    fn get(&self, id: CredentialId) -> Option<Mark> {
        self.marks().get(&id).copied()
    }

    fn keep(&self, id: CredentialId, mark: Mark) {
        let mut marks = self.marks();
        // Full means that ten thousand tokens are in use: forgetting all costs each one slow check.
        if marks.len() >= REMEMBERED {
            marks.clear();
        }
        marks.insert(id, mark);
    }

    /// Forgets everything, because something was revoked.
    pub(crate) fn clear(&self) {
        self.marks().clear();
    }

    fn marks(&self) -> std::sync::MutexGuard<'_, HashMap<CredentialId, Mark>> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl App {
    /// Who presents this `Authorization` header?
    ///
    /// # Errors
    /// [`AppError::Denied`] for a bad one, [`AppError::AuthUnavailable`] when it cannot be checked.
    pub async fn authenticate_header(&self, header: Option<&[u8]>) -> Result<Caller, AppError> {
        if let Some(answer) = self.ask_about(header).await {
            return answer;
        }
        let presented = Presented::authorization(header, self.store.instance_keys())?;
        self.authenticate(presented).await
    }

    /// Who is the peer of our own socket?
    ///
    /// # Errors
    /// [`AppError::Denied`] for any user but the daemon's own.
    pub async fn authenticate_peer(&self, peer: u32, own: u32) -> Result<Caller, AppError> {
        let presented = Presented::socket_peer(peer, own)?;
        self.authenticate(presented).await
    }

    /// Whose browser sends this session cookie?
    ///
    /// # Errors
    /// As [`App::authenticate_header`].
    pub async fn authenticate_browser(&self, cookie: &[u8]) -> Result<Caller, AppError> {
        let presented = self.presented_cookie(cookie)?;
        self.authenticate(presented).await
    }

    /// Checks a presented credential against its row.
    ///
    /// # Errors
    /// As [`App::authenticate_header`].
    pub async fn authenticate(&self, presented: Presented) -> Result<Caller, AppError> {
        let checked = self.store.check(presented).await;
        let caller = match checked.map_err(AppError::unchecked)? {
            Checked::Caller(caller) => *caller,
            Checked::Slow(slow) => {
                let remembered = self.verified.get(slow.credential());
                match slow.recall(remembered) {
                    Ok(caller) => caller,
                    Err(slow) => self.stretch(slow).await?,
                }
            }
        };
        self.note_use(&caller);
        Ok(caller)
    }

    async fn stretch(&self, slow: Box<SlowCheck>) -> Result<Caller, AppError> {
        let crowded = || AppError::Overloaded("too many tokens are being checked");
        let waiting = Arc::clone(&self.verified.waiting);
        let _place = waiting.try_acquire_owned().map_err(|_| crowded())?;
        let running = Arc::clone(&self.verified.running);
        let turn = running.acquire_owned().await.map_err(|_| crowded())?;
        let (id, mark) = (slow.credential(), slow.mark());
        let caller = apart(move || {
            let outcome = slow.run();
            drop(turn);
            outcome
        })
        .await??;
        self.verified.keep(id, mark);
        Ok(caller)
    }

    /// Has the use of a credential noted, once in a while: not each request is worth a write.
    fn note_use(&self, caller: &Caller) {
        if caller.kind().is_of_the_installation() {
            return;
        }
        let now = self.store.now();
        let due = caller.used_at().is_none_or(|used| {
            now.as_micros() - used.as_micros() > NOTE_EVERY_MINUTES * 60_000_000
        });
        if due {
            let idle = (caller.kind() == CredentialKind::Browser).then(|| {
                Timestamp::from_micros(now.as_micros() + BROWSER_IDLE_HOURS * 3_600_000_000)
            });
            self.desk.note_use(caller.credential(), idle);
        }
    }
}

impl AppError {
    /// A credential that could not be checked is no bad credential.
    pub(crate) fn unchecked(error: skep_store::AuthenticateError) -> Self {
        match error {
            skep_store::AuthenticateError::Denied(denied) => Self::Denied(denied),
            skep_store::AuthenticateError::Store(cause) => Self::AuthUnavailable(cause),
        }
    }
}
