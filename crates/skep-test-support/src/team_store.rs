//! The store of a team: a PostgreSQL database of the test's own.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use skep_domain::Clock;
use skep_store::{Store, StoreError};
use skep_store_postgres::{Options, PostgresBackend, Roles, migrate, schema};
use skep_test_programs::postgres::{Database, Server};
use tokio_postgres::{Config, NoTls};

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
        let database = Server::shared().database(&schema, async |socket, name| {
            let mut admin = Config::new();
            admin.host_path(socket).user("postgres").dbname(name);
            let (mut client, connection) = admin.connect(NoTls).await.expect("a connection");
            let filled = async move {
                let migrated = migrate(&mut client, &Roles::Elsewhere).await;
                migrated.expect("a schema");
            };
            tokio::join!(connection, filled).0.expect("a connection");
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

    /// Opens the store, as a node does.
    ///
    /// # Errors
    /// As [`PostgresBackend::open`] and [`Store::open`].
    pub async fn open(
        &self,
        root: &MemoryRootKey,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> Result<Store, StoreError> {
        let mut node = Config::new();
        node.host_path(self.database.server().socket())
            .user("skep_app")
            .dbname(self.database.name());
        let backend = PostgresBackend::open(node, nobody_trusted()?, options).await?;
        open_on(Arc::new(backend), root, clock).await
    }
}

/// The socket needs no TLS.
fn nobody_trusted() -> Result<ClientConfig, StoreError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let versions = versions.map_err(|_| StoreError::Refused("no version of TLS".into()))?;
    Ok(versions
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth())
}
