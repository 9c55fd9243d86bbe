//! Every statement, prepared against the real schema as a node would.

use std::path::Path;
use std::time::Duration;

use skep_test_programs::postgres::{PORT, Server};
use tokio_postgres::{Config, NoTls};

use crate::statement::{MODULES, all};
use crate::{Server as Administered, Tls, migrate_at, schema};

/// A module that is missing above would not be looked at.
#[test]
fn every_module_with_statements_is_listed() {
    fn files(folder: &Path) -> usize {
        let entries = std::fs::read_dir(folder).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .map(|path| {
                if path.is_dir() {
                    return files(&path);
                }
                let text = std::fs::read_to_string(&path).unwrap();
                usize::from(text.contains("\nstatements! {\n"))
            })
            .sum()
    }
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let listed = MODULES.len() + crate::control::ALL.len();
    assert_eq!(files(source.as_ref()), listed);
}

#[tokio::test]
async fn every_statement_can_be_prepared() {
    let (server, schema) = (Server::shared(), schema());
    let database = server.database(&schema, async |socket, name| {
        let admin = Administered {
            host: socket.display().to_string(),
            port: PORT,
            database: name,
            user: "postgres".into(),
            password: None,
            tls: Tls::Off,
            patience: Duration::from_secs(10),
        };
        migrate_at(&admin, None).await.unwrap();
    });
    let database = database.await;
    let mut node = config(&server.socket(), "skep_app", database.name());
    node.options("-c search_path=skep,pg_temp");
    let (client, connection) = node.connect(NoTls).await.unwrap();
    let prepared = async move {
        let mut refused = Vec::new();
        for statement in all() {
            if let Err(error) = client.prepare(statement.text).await {
                let why = error.as_db_error().map(ToString::to_string);
                refused.push((statement.name, why));
            }
        }
        refused
    };
    let (gone, refused) = tokio::join!(connection, prepared);
    gone.unwrap();
    assert!(refused.is_empty(), "{refused:#?}");
}

fn config(socket: &Path, user: &str, database: &str) -> Config {
    let mut config = Config::new();
    config.host_path(socket).user(user).dbname(database);
    config
}
