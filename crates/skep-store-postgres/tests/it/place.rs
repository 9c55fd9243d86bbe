//! A database of one's own, brought up to date.

use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, RootCertStore};
use skep_store_postgres::{Server as Administered, Tls, migrate_at, schema};
use skep_test_programs::postgres::{Database, PORT, Server};
use tokio::task::JoinSet;
use tokio_postgres::{Client, Config, NoTls};

/// A database with our schema and nothing in it.
pub(crate) struct Place {
    pub(crate) database: Database,
}

/// A connection, which ends with it.
pub(crate) struct Session {
    client: Client,
    _task: JoinSet<()>,
}

impl Place {
    pub(crate) async fn new() -> Self {
        Self::on(Server::shared()).await
    }

    pub(crate) async fn on(server: &'static Server) -> Self {
        let schema = schema();
        let database = server.database(&schema, async |socket, name| {
            migrate_at(&administered(&socket, name), None)
                .await
                .unwrap();
        });
        Self {
            database: database.await,
        }
    }

    /// How whoever runs the database connects.
    pub(crate) fn administered(&self) -> Administered {
        let socket = self.database.server().socket();
        administered(&socket, self.database.name().to_owned())
    }

    /// How a node connects.
    pub(crate) fn server(&self) -> Config {
        self.server_for("skep_app")
    }

    /// How somebody connects.
    pub(crate) fn server_for(&self, user: &str) -> Config {
        let mut server = Config::new();
        server
            .host_path(self.database.server().socket())
            .user(user)
            .dbname(self.database.name());
        server
    }

    /// A connection of somebody's, with no backend around it.
    pub(crate) async fn session(&self, user: &str) -> Session {
        let mut server = self.server_for(user);
        server.options("-c search_path=skep,pg_temp");
        let (client, connection) = server.connect(NoTls).await.unwrap();
        let mut task = JoinSet::new();
        task.spawn(async move {
            let _ = connection.await;
        });
        Session {
            client,
            _task: task,
        }
    }

    /// The tables of workspaces, and those of the installation.
    pub(crate) fn tables(&self) -> (Vec<String>, Vec<String>) {
        let named = |is_tenants| {
            let said = self.database.query(&format!(
                "SELECT c.relname FROM pg_class AS c
                 WHERE c.relnamespace = 'skep'::regnamespace AND c.relkind IN ('r', 'p')
                     AND c.relname <> 'refinery_schema_history'
                     AND {is_tenants} EXISTS (SELECT FROM pg_attribute AS a
                         WHERE a.attrelid = c.oid AND a.attname = 'workspace_id')
                 ORDER BY 1"
            ));
            said.lines().map(str::to_owned).collect()
        };
        (named(""), named("NOT"))
    }
}

impl Deref for Session {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

fn administered(socket: &Path, database: String) -> Administered {
    Administered {
        host: socket.display().to_string(),
        port: PORT,
        database,
        user: "postgres".into(),
        password: None,
        tls: Tls::Off,
        patience: Duration::from_secs(10),
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
