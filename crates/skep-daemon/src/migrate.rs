//! `skepd migrate`: files of our own by this user, a database by whoever runs it.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use serde_json::json;
use skep_store_postgres::{Migrated, migrate_at};

use crate::config::Config;
use crate::config::store::{Backend, Postgres};
use crate::database::{AdminUrl, PASSWORD_FILE};
use crate::{files, process};

/// Whoever runs a database, and how they log in.
#[derive(Debug, Args)]
pub(crate) struct Admin {
    /// Makes roles and schema in a database, as `postgres://USER@HOST:PORT/DATABASE`
    #[arg(long = "admin-url", id = "admin_url", value_name = "URL")]
    url: Option<String>,
    /// The file with that user's password (0600), from the working directory
    #[arg(
        long = "admin-password-file",
        value_name = "FILE",
        requires = "admin_url"
    )]
    password_file: Option<PathBuf>,
    /// Whose certificates count, in PEM [default: `store.ca_file`, else whom this system trusts]
    #[arg(long, value_name = "FILE", requires = "admin_url")]
    ca_file: Option<PathBuf>,
    /// Say what was done as JSON
    #[arg(long, requires = "admin_url")]
    json: bool,
}

impl Admin {
    /// Where the database is, if it is one that is migrated.
    pub(crate) fn url(&self, config: &Config) -> anyhow::Result<Option<AdminUrl>> {
        match (&self.url, config.store.is_shared()) {
            (Some(url), _) => AdminUrl::parse(url).map(Some),
            (None, false) => Ok(None),
            (None, true) => bail!(
                "the store is a database, which whoever runs it brings up to date: use --admin-url \
                 postgres://USER@HOST/DATABASE"
            ),
        }
    }

    /// Migrates it, and says what was done.
    pub(crate) async fn migrate(
        &self,
        home: &Path,
        config: &Config,
        url: &AdminUrl,
    ) -> anyhow::Result<()> {
        let backend = config.store.backend()?;
        let node = match &backend {
            Backend::Postgres(postgres) => Some(postgres),
            Backend::Sqlite { .. } => None,
        };
        let given = [&self.password_file, &self.ca_file].map(Option::as_deref);
        let server = url.server(home, node, given[0], given[1])?;
        let password_file = node.and_then(|node| node.password_file.as_ref());
        let read = |file: &PathBuf| files::read_set_key(PASSWORD_FILE, home, file);
        let password = password_file.map(read).transpose()?;
        let password_file = password_file.map(|file| home.join(file));
        let done = migrate_at(&server, password.as_ref())
            .await
            .with_context(|| format!("migrating the database {}", url.shown()))?;
        process::say(&if self.json {
            as_json(&done)
        } else {
            in_words(&done, url, node, password_file.as_deref())
        });
        Ok(())
    }
}

fn as_json(done: &Migrated) -> String {
    json!({
        "roles": done.roles,
        "password": done.password,
        "applied": done.applied,
        "rights": done.rights,
        "schema": done.schema,
    })
    .to_string()
}

fn in_words(
    done: &Migrated,
    url: &AdminUrl,
    node: Option<&Postgres>,
    password_file: Option<&Path>,
) -> String {
    let mut lines = Vec::new();
    if !done.roles.is_empty() {
        lines.push(format!("made: role {}", done.roles.join(", role ")));
    }
    if let (true, Some(file)) = (done.password, password_file) {
        lines.push(format!(
            "set: nodes log in as skep_app by the password in {}",
            file.display()
        ));
    }
    for migration in &done.applied {
        lines.push(format!("applied: {migration}"));
    }
    if !done.rights.is_empty() {
        lines.push(format!(
            "given back to skep_app: {}",
            done.rights.join("; ")
        ));
    }
    if lines.is_empty() {
        lines.push("nothing to do".into());
    }
    let (shown, schema) = (url.shown(), done.schema);
    lines.push(format!("the database {shown} has all {schema} migrations"));
    if password_file.is_none() {
        let why = match node {
            Some(_) => "store.password_file is not set",
            None => "no store is configured here",
        };
        lines.push(format!(
            "skep_app's password was left as it is, since {why}: nodes log in as the server's rules let them"
        ));
    }
    lines.join("\n")
}
