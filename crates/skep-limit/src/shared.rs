//! Counting in a store that nodes share: Redis or Valkey, one atomic script a call.
//!
//! A call waits for it once and for a bounded time: a link that failed or was late is dropped, and
//! no call asks again before [`Shared::mend`], which no call waits for, has found it well.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, IntoConnectionInfo, Script};
use skep_domain::Quota;
use skep_domain::gcra::{Allowance, Decision, Weight};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::subject::Fingerprint;

/// Where the store is, and how long a call may wait for it.
pub struct SharedConfig {
    /// `redis://host:port/db` or `unix:///path`, without a password.
    pub url: String,
    /// The user, if the store wants one.
    pub user: Option<String>,
    /// The password, if the store wants one.
    pub password: Option<String>,
    /// How long one call may wait.
    pub patience: Duration,
}

/// What is wrong with a [`SharedConfig`]. Says nothing of its secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SharedError {
    /// Not a URL of a kind that can be reached.
    #[error("not the URL of a Redis or Valkey: expected redis://HOST:PORT/DB or unix:///PATH")]
    Url,
    /// A password in the URL would stand in configuration, logs and process lists.
    #[error("the URL holds a password: put it into a file")]
    Password,
}

/// The store that nodes share.
pub struct Shared {
    client: Client,
    script: Script,
    patience: Duration,
    link: RwLock<Link>,
    lost: Notify,
    /// Whether the present outage was told of.
    told: AtomicBool,
    outages: AtomicU64,
}

/// The connection, and which of them it is: a late failure must not cut its successor.
#[derive(Default)]
struct Link {
    connection: Option<MultiplexedConnection>,
    number: u64,
}

/// How long one attempt at a new connection may take.
const ATTEMPT: Duration = Duration::from_secs(2);
/// How long after a failed attempt the next one is made.
const PAUSE: Duration = Duration::from_millis(500);

impl Shared {
    /// Reads the configuration; connects to nothing yet.
    ///
    /// # Errors
    /// [`SharedError`] for a URL that means nothing or holds a secret.
    pub fn new(config: SharedConfig) -> Result<Self, SharedError> {
        let info = config
            .url
            .as_str()
            .into_connection_info()
            .map_err(|_| SharedError::Url)?;
        if !matches!(
            info.addr(),
            ConnectionAddr::Tcp(..) | ConnectionAddr::Unix(_)
        ) {
            return Err(SharedError::Url);
        }
        let mut settings = info.redis_settings().clone();
        if settings.password().is_some() {
            return Err(SharedError::Password);
        }
        if let Some(user) = config.user {
            settings = settings.set_username(user);
        }
        if let Some(password) = config.password {
            settings = settings.set_password(password);
        }
        let client =
            Client::open(info.set_redis_settings(settings)).map_err(|_| SharedError::Url)?;
        Ok(Self {
            client,
            script: Script::new(include_str!("take.lua")),
            patience: config.patience,
            link: RwLock::default(),
            lost: Notify::new(),
            told: AtomicBool::new(false),
            outages: AtomicU64::new(0),
        })
    }

    /// Whether calls are counted there now.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.link().0.is_some()
    }

    /// How often it went away.
    #[must_use]
    pub fn outages(&self) -> u64 {
        self.outages.load(Ordering::Relaxed)
    }

    /// Host and port, or the path of the socket; never user or password.
    #[must_use]
    pub fn address(&self) -> String {
        self.client.get_connection_info().addr().to_string()
    }

    /// Decides one call there; `None` when the store is away. `now` is for tests: nodes go by the
    /// store's own clock, which is one for all of them.
    pub(crate) async fn take(
        &self,
        asked: &[(Fingerprint, Allowance)],
        (now, weight): (Option<i64>, Weight),
    ) -> Option<(Decision, i64)> {
        let (connection, number) = self.link();
        let answer = timeout(self.patience, self.run(connection?, asked, (now, weight))).await;
        match answer {
            Ok(Ok(decided)) => Some(decided),
            Ok(Err(error)) => self.lose(number, error.category()),
            Err(_) => self.lose(number, "it did not answer in time"),
        }
    }

    /// Connects, and runs the script once; calls are counted there again when that went well.
    pub async fn mend(&self) -> bool {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(ATTEMPT))
            .set_response_timeout(Some(ATTEMPT));
        let attempt = async {
            let connection = self
                .client
                .get_multiplexed_async_connection_with_config(&config)
                .await?;
            // A store that is full, read-only or without scripts answers a ping all the same, and
            // a call that is refused writes nothing: hence an allowance that no probing uses up.
            let probe = (Fingerprint([0; 16]), Quota::new(Quota::MOST, 60).into());
            self.run(connection.clone(), &[probe], (None, Weight::ONE))
                .await?;
            Ok::<_, redis::RedisError>(connection)
        };
        match timeout(ATTEMPT, attempt).await {
            Ok(Ok(connection)) => {
                let mut link = self.link.write().unwrap_or_else(PoisonError::into_inner);
                link.number += 1;
                link.connection = Some(connection);
                drop(link);
                if self.told.swap(false, Ordering::Relaxed) {
                    tracing::info!("rate limits are counted in the shared store again");
                }
                true
            }
            Ok(Err(error)) => {
                self.tell(error.category());
                false
            }
            Err(_) => {
                self.tell("it did not answer in time");
                false
            }
        }
    }

    /// Mends whenever it is lost, as long as it is polled.
    pub async fn keep(&self) {
        loop {
            while !self.is_up() && !self.mend().await {
                tokio::time::sleep(PAUSE).await;
            }
            self.lost.notified().await;
        }
    }

    async fn run(
        &self,
        mut connection: MultiplexedConnection,
        asked: &[(Fingerprint, Allowance)],
        (now, weight): (Option<i64>, Weight),
    ) -> redis::RedisResult<(Decision, i64)> {
        let mut call = self.script.prepare_invoke();
        call.arg(now.map_or_else(String::new, |now| now.to_string()));
        for (key, allowance) in asked {
            call.key(key.name())
                .arg(weight.step(*allowance))
                .arg(allowance.depth);
        }
        call.arg(i64::from(weight.is_spent));
        let answer: Vec<i64> = call.invoke_async(&mut connection).await?;
        match answer.as_slice() {
            [allowed, now, full_at @ ..] if full_at.len() == asked.len() => Ok((
                Decision {
                    allowed: *allowed == 1,
                    full_at: full_at.to_vec(),
                },
                *now,
            )),
            _ => Err((
                redis::ErrorKind::UnexpectedReturnType,
                "not our script's answer",
            )
                .into()),
        }
    }

    fn link(&self) -> (Option<MultiplexedConnection>, u64) {
        let link = self.link.read().unwrap_or_else(PoisonError::into_inner);
        (link.connection.clone(), link.number)
    }

    fn lose<T>(&self, number: u64, why: &str) -> Option<T> {
        let mut link = self.link.write().unwrap_or_else(PoisonError::into_inner);
        if link.number == number && link.connection.take().is_some() {
            drop(link);
            self.tell(why);
            self.lost.notify_one();
        }
        None
    }

    /// Once an outage, however many calls it touches.
    fn tell(&self, why: &str) {
        if !self.told.swap(true, Ordering::Relaxed) {
            self.outages.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(
                store = self.address(),
                why,
                "the store that nodes share for rate limits is away: each node counts alone, and what must not be guessed at is refused"
            );
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("address", &self.address())
            .field("up", &self.is_up())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for SharedConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedConfig").finish_non_exhaustive()
    }
}
