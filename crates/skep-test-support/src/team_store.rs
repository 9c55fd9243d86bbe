//! The store of a team: a PostgreSQL database of the test's own.

use std::path::Path;
use std::sync::Arc;

use skep_domain::Clock;
use skep_store::backend::Backend;
use skep_store::{Store, StoreError};
use skep_store_postgres::{Options, PostgresBackend, Server, Tls, migrate_at, schema};
use skep_test_programs::postgres::{self, Database};

use crate::MemoryRootKey;
use crate::tenant::open_on;

/// A database with the schema, and nothing in it at first.
#[derive(Debug)]
pub struct TeamStore {
    database: Database,
}

impl TeamStore {
    /// Makes one, on the server that all tests share.
    ///
    /// # Panics
    /// When there is no server to make it on.
    #[expect(
        clippy::expect_used,
        reason = "a test without its database cannot go on"
    )]
    pub async fn new() -> Self {
        let schema = schema();
        let database = postgres::Server::shared().database(&schema, async |socket, name| {
            let migrated = migrate_at(&on_socket(&socket, "postgres", &name), None).await;
            migrated.expect("a schema");
        });
        Self {
            database: database.await,
        }
    }

    /// Its database.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Opens the store as one more node, by the usual bounds.
    ///
    /// # Errors
    /// As [`TeamStore::open`].
    pub async fn node(
        &self,
        root: &MemoryRootKey,
        clock: Arc<dyn Clock>,
    ) -> Result<Store, StoreError> {
        self.open(root, clock, Options::default()).await
    }

    /// Opens the store, as a node does.
    ///
    /// # Errors
    /// As [`PostgresBackend::connect`] and [`Store::open`].
    pub async fn open(
        &self,
        root: &MemoryRootKey,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> Result<Store, StoreError> {
        let backend = PostgresBackend::connect(&self.server(), options).await?;
        open_on(Arc::new(backend), root, clock).await
    }

    /// The backend alone.
    ///
    /// # Panics
    /// When there is no database behind it.
    #[expect(
        clippy::expect_used,
        reason = "a test without its database cannot go on"
    )]
    pub async fn backend(&self) -> Arc<dyn Backend> {
        let opened = PostgresBackend::connect(&self.server(), Options::default()).await;
        Arc::new(opened.expect("a database"))
    }

    fn server(&self) -> Server {
        let socket = self.database.server().socket();
        on_socket(&socket, "skep_app", self.database.name())
    }
}

fn on_socket(socket: &Path, user: &str, database: &str) -> Server {
    Server {
        host: socket.display().to_string(),
        port: postgres::PORT,
        database: database.into(),
        user: user.into(),
        password: None,
        tls: Tls::Off,
        patience: Options::default().patience,
    }
}
