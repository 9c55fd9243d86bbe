//! A database of one's own, brought up to date.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use skep_store_postgres::{Roles, migrate, schema};
use skep_test_programs::postgres::{Database, Server};
use tokio_postgres::{Config, NoTls};

/// A database with our schema and nothing in it.
pub(crate) struct Place {
    pub(crate) database: Database,
}

impl Place {
    pub(crate) async fn new() -> Self {
        let schema = schema();
        let database = Server::shared().database(&schema, async |socket, name| {
            let mut admin = Config::new();
            admin.host_path(socket).user("postgres").dbname(name);
            let (mut client, connection) = admin.connect(NoTls).await.unwrap();
            let filled = async move { migrate(&mut client, &Roles::Elsewhere).await.unwrap() };
            tokio::join!(connection, filled).0.unwrap();
        });
        Self {
            database: database.await,
        }
    }

    /// How a node connects.
    pub(crate) fn server(&self) -> Config {
        let mut server = Config::new();
        server
            .host_path(self.database.server().socket())
            .user("skep_app")
            .dbname(self.database.name());
        server
    }
}

/// Nobody is trusted: sockets need no TLS.
pub(crate) fn tls() -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth()
}
