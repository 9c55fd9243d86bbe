//! Passwords on threads that may block: a few at a time, a bounded queue, and the same work whether
//! there is a password to compare with or not.

use std::sync::Arc;

use skep_crypto::{PasswordCost, PasswordHash, Plain, hash_password_at};
use skep_domain::PasswordRules;
use tokio::sync::Semaphore;

use crate::AppError;
use crate::upkeep::apart;

/// Hashes at a time: each takes 19 MiB and a core for tens of milliseconds.
const AT_ONCE: usize = 2;
/// Those that may wait for their turn; one more is told to come back.
const WAITING: usize = 64;

/// Who may hash, and what absent accounts are compared with.
pub(crate) struct Hashing {
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    nobody: Option<PasswordHash>,
    cost: PasswordCost,
}

impl Hashing {
    /// With a hash of nothing that anybody could type, at the price of all others.
    pub(crate) fn new(cost: PasswordCost, [never, salt]: [[u8; 16]; 2]) -> Self {
        Self {
            running: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: Arc::new(Semaphore::new(AT_ONCE + WAITING)),
            nobody: hash_password_at(cost, &never, salt).ok(),
            cost,
        }
    }

    /// Hashes a password that was checked.
    pub(crate) async fn hash(
        &self,
        password: Plain<String>,
        salt: [u8; 16],
    ) -> Result<String, AppError> {
        let cost = self.cost;
        let hash = self
            .run(move || hash_password_at(cost, password.expose().as_bytes(), salt))
            .await?;
        let hash = hash.map_err(|_| AppError::Internal("a password could not be hashed"))?;
        Ok(hash.as_str().to_owned())
    }

    /// Whether this is the password of that hash. Without a hash, or for a text that no password
    /// can be, the same work is done and the answer is no.
    pub(crate) async fn verify(
        &self,
        password: &str,
        stored: Option<&str>,
    ) -> Result<bool, AppError> {
        const NOTHING: AppError = AppError::Internal("there is nothing to compare with");
        let nobody = self.nobody.as_ref().ok_or(NOTHING)?;
        // Whichever it is, it is read as often: what a stored hash costs beside the hashing shows.
        let hash = PasswordHash::parse(stored.unwrap_or(nobody.as_str()));
        let normal = PasswordRules::normal_form(password);
        let possible = stored.is_some() && hash.is_ok() && normal.is_some();
        let password = Plain::new(normal.unwrap_or_default());
        let hash = hash.unwrap_or_else(|_| nobody.clone());
        let same = self
            .run(move || hash.verify(password.expose().as_bytes()))
            .await?;
        Ok(same && possible)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AppError> {
        let crowded = || AppError::Overloaded("too many passwords are being checked");
        let waiting = Arc::clone(&self.waiting);
        let _place = waiting.try_acquire_owned().map_err(|_| crowded())?;
        let running = Arc::clone(&self.running);
        let turn = running.acquire_owned().await.map_err(|_| crowded())?;
        apart(move || {
            let done = work();
            drop(turn);
            done
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use skep_crypto::{PasswordCost, SystemRandom, hash_password};

    use super::Hashing;

    #[expect(clippy::disallowed_methods, reason = "it is about the time it takes")]
    async fn took(hashing: &Hashing, password: &str, stored: Option<&str>) -> Duration {
        let mut best = Duration::MAX;
        for _ in 0..3 {
            let began = Instant::now();
            assert!(!hashing.verify(password, stored).await.unwrap());
            best = best.min(began.elapsed());
        }
        best
    }

    /// Of each the fastest of three: what else the machine does only ever adds.
    #[tokio::test]
    async fn s01_an_absent_account_costs_as_much_work_as_one_that_is_there() {
        let hashing = Hashing::new(PasswordCost::default(), [[1; 16], [2; 16]]);
        let stored = hash_password(b"plover anvil tuba", &SystemRandom).unwrap();
        let there = took(&hashing, "not the right one", Some(stored.as_str())).await;
        let damaged = Some("$argon2id$no hash at all");
        for (what, password, stored) in [
            ("absent", "not the right one", None),
            ("damaged", "not the right one", damaged),
            ("no password", "", Some(stored.as_str())),
            ("too long", &"x".repeat(5_000), Some(stored.as_str())),
        ] {
            let other = took(&hashing, password, stored).await;
            let alike = there / 2..there * 2;
            assert!(alike.contains(&other), "{what}: {other:?}, not {there:?}");
        }
    }
}
