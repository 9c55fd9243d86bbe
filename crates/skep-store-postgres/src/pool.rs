//! Connections: a bounded number of them, each given out clean.

use std::time::Duration;

use deadpool_postgres::{
    Manager, ManagerConfig, Pool, PoolError, RecyclingMethod, Runtime, TimeoutType,
};
use rustls::ClientConfig;
use skep_store::StoreError;
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::given_up::GivenUp;
use crate::planning::Planning;
use crate::{Options, distributed};

/// The connections of a node.
#[derive(Clone)]
pub(crate) struct Connections {
    pool: Pool,
    patience: Duration,
    given_up: GivenUp,
    is_distributed: bool,
}

impl Connections {
    pub(crate) fn new(
        mut server: Config,
        tls: ClientConfig,
        options: Options,
        is_distributed: bool,
    ) -> Result<Self, StoreError> {
        server
            .options(session(options, is_distributed))
            .application_name("skepd")
            .connect_timeout(options.patience)
            .keepalives_idle(Duration::from_secs(30));
        let tls = MakeRustlsConnect::new(tls);
        let given_up = GivenUp::new(tls.clone(), options.patience);
        let manager = Manager::from_config(
            server,
            tls,
            ManagerConfig {
                recycling_method: RecyclingMethod::Fast,
            },
        );
        let pool = Pool::builder(manager)
            .max_size(options.connections.max(2))
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(options.patience))
            .create_timeout(Some(options.patience))
            .build()
            .map_err(|_| StoreError::Unavailable("no connections can be kept".into()))?;
        Ok(Self {
            pool,
            patience: options.patience,
            given_up,
            is_distributed,
        })
    }

    /// Whether a transaction has to tell other machines what it is about.
    pub(crate) fn is_distributed(&self) -> bool {
        self.is_distributed
    }

    /// How long a transaction waits for another one.
    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    /// For connections whose statement is given up.
    pub(crate) fn given_up(&self) -> GivenUp {
        self.given_up.clone()
    }

    /// A connection that nobody else uses.
    pub(crate) async fn get(&self) -> Result<deadpool_postgres::Object, StoreError> {
        self.pool.get().await.map_err(|error| match error {
            PoolError::Timeout(TimeoutType::Wait) => {
                StoreError::Unavailable("all connections to the database are in use".into())
            }
            PoolError::Timeout(_) => {
                StoreError::Unavailable("the database does not answer in time".into())
            }
            PoolError::Backend(error) => crate::failure::Failure::from(error).into(),
            _ => StoreError::Unavailable("the database cannot be reached".into()),
        })
    }
}

/// What a session is before any transaction of it; a transaction's own words end with it.
///
/// Most plans are made for the values at hand: workspaces differ by a thousand times in size, and a plan for
/// the mean of them reads all of a large one to give a page of it. See [`Planning`].
pub(crate) fn session(options: Options, is_distributed: bool) -> String {
    let timeout = options.statement_timeout.as_millis();
    [
        "search_path=skep,pg_temp",
        &format!("plan_cache_mode={}", Planning::at_first(is_distributed)),
        distributed::SESSION,
        "idle_in_transaction_session_timeout=60000",
        &format!("statement_timeout={timeout}"),
    ]
    .map(|setting| format!("-c {setting}"))
    .join(" ")
}
