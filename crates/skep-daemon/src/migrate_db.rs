//! `skepd migrate-db`: everything from the store that is configured to another one. The source is read and
//! never written to; what to change in the configuration is said in the end, and done by nobody.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use serde_json::json;
use skep_crypto::{RootKeyProvider, SystemRandom, machine_id};
use skep_store::archive::{Copied, Party, Step, copy};
use skep_store_postgres::PostgresBackend;
use skep_store_sqlite::{Options, SqliteBackend};

use crate::config::Config;
use crate::database::AdminUrl;
use crate::key::Root;
use crate::progress::Progress;
use crate::{local, process};

const EMBEDDED: &str = "embedded";

/// Where to.
#[derive(Debug, Args)]
pub(crate) struct MigrateDb {
    /// A database that `skepd migrate --admin-url` has prepared, as `postgres://skep_app@HOST:PORT/DATABASE`; or
    /// `embedded`, the files of the data directory
    #[arg(long, value_name = "URL|embedded")]
    to: String,
    /// The file with that role's password (0600), from the working directory
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Whose certificates count, in PEM [default: whom this system trusts]
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Say what was done as JSON
    #[arg(long)]
    json: bool,
}

impl MigrateDb {
    /// Whoever calls holds the lock of the data directory: no daemon of it writes meanwhile.
    pub(crate) async fn run(&self, home: &Path, config: &Config) -> anyhow::Result<()> {
        let root = Root::of(home, config)?;
        let source = local::party(home, config, &root).await?;
        let source = source.installation().await.context("opening the source")?;
        let source = source.context("there is no installation here to move")?;
        let (target, lines) = self.target(home, config, &root).await?;
        let mut progress = Progress::new("rows moved");
        let mut say = |step| match step {
            Step::Workspaces(count) => process::complain(&format!("{count} workspaces to move")),
            Step::Rows(rows) => progress.add(rows),
            Step::Known(_) | Step::Done(_) => {}
        };
        let done = copy(&source, target, &mut say).await.context(
            "moving: the source is as it was, and nothing is there that a daemon would serve; run it again to go on",
        )?;
        let rate = progress.rate(done.rows);
        process::say(&if self.json {
            json!({
                "workspaces": done.workspaces, "already_there": done.known, "rows": done.rows,
                "compared": done.compared, "rows_per_second": rate, "settings": lines,
            })
            .to_string()
        } else {
            in_words(&done, rate, &lines)
        });
        Ok(())
    }

    async fn target<'r>(
        &self,
        home: &Path,
        config: &Config,
        root: &'r dyn RootKeyProvider,
    ) -> anyhow::Result<(Party<'r>, Vec<String>)> {
        let random = Arc::new(SystemRandom);
        if self.to == EMBEDDED {
            if !config.store.is_shared() {
                bail!("the store is the files of the data directory already");
            }
            if self.password_file.is_some() || self.ca_file.is_some() {
                bail!("--password-file and --ca-file are for a database: leave them out");
            }
            let backend = SqliteBackend::open(&home.join("data"), Options::default()).await;
            let party = Party {
                backend: Arc::new(backend.context("opening the files of the data directory")?),
                root,
                machine_id: machine_id(),
                random,
            };
            return Ok((party, vec!["[store]".into(), "backend = \"sqlite\"".into()]));
        }
        // What is wrong is said in the words of this verb's own flags.
        let own_words = |error: anyhow::Error| {
            let said = format!("{error:#}").replace("--admin-password-file", "--password-file");
            anyhow!(said.replace("--admin-url", "--to"))
        };
        let url = AdminUrl::parse(&self.to).map_err(own_words)?;
        let given = [&self.password_file, &self.ca_file].map(Option::as_deref);
        let server = url
            .server(home, None, given[0], given[1])
            .map_err(own_words)?;
        let backend = PostgresBackend::connect(&server, skep_store_postgres::Options::default());
        let backend = backend.await;
        let backend = backend.with_context(|| format!("opening the database {}", url.shown()))?;
        let party = Party {
            backend: Arc::new(backend),
            root,
            machine_id: Vec::new(),
            random,
        };
        Ok((party, url.settings(given[0], given[1])?))
    }
}

fn in_words(done: &Copied, rate: u64, lines: &[String]) -> String {
    let moved = if done.was_complete {
        "nothing to move: all of it is there".to_owned()
    } else {
        format!(
            "moved: {} workspaces, {} rows, {rate} rows/s",
            done.workspaces, done.rows
        )
    };
    format!(
        "{moved}\ncompared: {} rows are the same at both ends\n\
         The source is as it was. To use the other one from the next start on, put this into skep.toml, in the \
         place of its section [store]:\n\n{}\n\n\
         The root key is the same, and is in neither: a database without it opens for nobody. When all is well, \
         remove the source by hand.",
        done.compared,
        lines.join("\n")
    )
}
