//! A database that nodes share: how this node reaches it, and how its administrator does.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use skep_store::backend::Backend;
use skep_store_postgres::{Options, PostgresBackend, Server, Tls};

use crate::config::store::{Link, Postgres, host_of};
use crate::files;

/// How long an administrator waits for a connection.
const PATIENCE: Duration = Duration::from_secs(10);
const PORT: u16 = 5_432;
/// The setting with the file of a node's password.
pub(crate) const PASSWORD_FILE: &str = "store.password_file";

/// Connects, and looks whether it keeps workspaces apart; with a line on what and as whom.
pub(crate) async fn open(
    home: &Path,
    settings: &Postgres,
) -> anyhow::Result<(Arc<dyn Backend>, String)> {
    let server = server(home, settings)?;
    let options = Options {
        connections: settings.connections,
        patience: settings.patience,
        ..Options::default()
    };
    let backend = PostgresBackend::connect(&server, options).await;
    let backend = backend.with_context(|| format!("opening the database {}", settings.shown()))?;
    let line = format!(
        "postgres {}, database {}, role {}, {}; content sealed",
        backend.version(),
        settings.shown(),
        settings.user,
        settings.link.shown(&settings.host)
    );
    Ok((Arc::new(backend), line))
}

fn server(home: &Path, settings: &Postgres) -> anyhow::Result<Server> {
    let file = settings.password_file.as_ref();
    let password = file.map(|file| files::read_set_key(PASSWORD_FILE, home, file));
    Ok(Server {
        host: settings.host.clone(),
        port: settings.port,
        database: settings.database.clone(),
        user: settings.user.clone(),
        password: password.transpose()?,
        tls: tls(home, &settings.link)?,
        patience: settings.patience,
    })
}

fn tls(home: &Path, link: &Link) -> anyhow::Result<Tls> {
    let Link::Verified { ca_file } = link else {
        return Ok(Tls::Off);
    };
    let read = |file: &PathBuf| {
        let path = home.join(file);
        std::fs::read(&path).with_context(|| format!("reading {}", path.display()))
    };
    Ok(Tls::VerifyFull {
        authorities: ca_file.as_ref().map(read).transpose()?,
    })
}

impl Postgres {
    /// Where it is, in a few words.
    pub(crate) fn shown(&self) -> String {
        shown(&self.database, &self.host, self.port)
    }
}

fn shown(database: &str, host: &str, port: u16) -> String {
    if port == PORT {
        format!("{database} at {host}")
    } else {
        format!("{database} at {host}, port {port}")
    }
}

/// An administrator's way in.
pub(crate) struct AdminUrl {
    user: String,
    host: String,
    port: u16,
    database: String,
}

impl AdminUrl {
    /// `postgres://USER@HOST:PORT/DATABASE`; for a Unix socket `postgres://USER@/DATABASE?host=/FOLDER`.
    /// What is refused is not repeated: it may hold a password.
    pub(crate) fn parse(url: &str) -> anyhow::Result<Self> {
        const FORM: &str = "--admin-url is not of the form postgres://USER@HOST:PORT/DATABASE (for a Unix \
                            socket, postgres://USER@/DATABASE?host=/run/postgresql)";
        let rest = url
            .strip_prefix("postgres://")
            .or_else(|| url.strip_prefix("postgresql://"))
            .context(FORM)?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        // Whatever stands before the last @ is who, however it is cut.
        let (user, place) = rest.rsplit_once('@').context(FORM)?;
        if user.contains(':') || query.contains("password") {
            bail!(
                "--admin-url holds a password, which every user of this machine can read while this runs: \
                 change it, and put the new one into a file for --admin-password-file"
            );
        }
        let (host, database) = place.split_once('/').context(FORM)?;
        let (host, port) = match host.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().context(FORM)?),
            _ => (host, PORT),
        };
        let (folder, port) = match query.split_once("&port=") {
            Some((folder, port)) => (folder, port.parse().context(FORM)?),
            None => (query, port),
        };
        let host = match (host.is_empty(), folder.strip_prefix("host=")) {
            (true, Some(folder)) if folder.starts_with('/') && !folder.contains('&') => {
                folder.to_owned()
            }
            (false, None) if query.is_empty() => host_of("the host of --admin-url", host)?,
            _ => bail!(FORM),
        };
        let [user, database] = [user, database].map(plain);
        match (user, database) {
            (Some(user), Some(database)) => Ok(Self {
                user,
                host,
                port,
                database,
            }),
            _ => bail!(FORM),
        }
    }

    /// Where it leads, in a few words.
    pub(crate) fn shown(&self) -> String {
        shown(&self.database, &self.host, self.port)
    }

    /// The section of the configuration that leads there.
    pub(crate) fn settings(
        &self,
        password_file: Option<&Path>,
        ca_file: Option<&Path>,
    ) -> anyhow::Result<Vec<String>> {
        let mut lines = vec!["[store]".to_owned(), "backend = \"postgres\"".to_owned()];
        lines.push(format!("host = {:?}", self.host));
        if self.port != PORT {
            lines.push(format!("port = {}", self.port));
        }
        lines.push(format!("database = {:?}", self.database));
        lines.push(format!("user = {:?}", self.user));
        for (name, file) in [("password_file", password_file), ("ca_file", ca_file)] {
            if let Some(file) = file {
                let path = std::path::absolute(file)?.display().to_string();
                lines.push(format!("{name} = {path:?}"));
            }
        }
        Ok(lines)
    }

    /// How the administrator connects. The link is kept as a node's to the same host; else verified unless
    /// it is a socket.
    pub(crate) fn server(
        &self,
        home: &Path,
        node: Option<&Postgres>,
        password_file: Option<&Path>,
        ca_file: Option<&Path>,
    ) -> anyhow::Result<Server> {
        let same = node.filter(|node| node.host == self.host);
        let link = match (ca_file, same) {
            (Some(file), _) => Link::Verified {
                ca_file: Some(std::path::absolute(file)?),
            },
            (None, Some(node)) => node.link.clone(),
            (None, None) if self.host.starts_with('/') => Link::Own,
            (None, None) => Link::Verified { ca_file: None },
        };
        if self.host.starts_with('/') && ca_file.is_some() {
            bail!("--ca-file is given and a Unix socket has no TLS: leave it out");
        }
        if matches!(link, Link::Verified { .. }) && password_file.is_none() {
            bail!(
                "--admin-password-file is missing: over TLS the login is bound to the server's certificate, \
                 which takes a password"
            );
        }
        let read = |file| files::read_named_key("--admin-password-file", file);
        let password = password_file.map(read);
        Ok(Server {
            host: self.host.clone(),
            port: self.port,
            database: self.database.clone(),
            user: self.user.clone(),
            password: password.transpose()?,
            tls: tls(home, &link)?,
            patience: PATIENCE,
        })
    }
}

/// A name as it is; one that would have to be spelled with `%` is not taken.
fn plain(name: &str) -> Option<String> {
    let fits = |c: char| c.is_alphanumeric() || "._-".contains(c);
    (!name.is_empty() && name.chars().all(fits)).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::AdminUrl;

    #[test]
    fn a_url_names_who_and_where_and_nothing_else() {
        for (url, expected) in [
            ("postgres://me@db.internal/skep", "me|skep at db.internal"),
            (
                "postgresql://me@10.0.0.5:6432/skep",
                "me|skep at 10.0.0.5, port 6432",
            ),
            ("postgres://me@[::1]/skep", "me|skep at ::1"),
            ("postgres://me@[::1]:6432/skep", "me|skep at ::1, port 6432"),
            ("postgres://me@/skep?host=/run/pg", "me|skep at /run/pg"),
            (
                "postgres://me@/skep?host=/run/pg&port=6432",
                "me|skep at /run/pg, port 6432",
            ),
            (
                "postgres://me@:6432/skep?host=/run/pg",
                "me|skep at /run/pg, port 6432",
            ),
        ] {
            let parsed = AdminUrl::parse(url).expect(url);
            assert_eq!(format!("{}|{}", parsed.user, parsed.shown()), expected);
        }
    }

    #[test]
    fn a_url_with_a_password_is_refused_without_repeating_it() {
        for url in [
            "postgres://me:hunter2@db.internal/skep",
            "postgres://me:hunter2@x@db.internal/skep",
            "postgres://me:@db.internal/skep?hunter2",
            "postgres://me@db.internal/skep?password=hunter2",
        ] {
            let refused = format!("{:#}", AdminUrl::parse(url).err().expect(url));
            assert!(
                refused.contains("--admin-password-file"),
                "{url}: {refused}"
            );
            assert!(!refused.contains("hunter2"), "{refused}");
        }
        for url in [
            "",
            "hunter2",
            "http://me@hunter2/skep",
            "postgres://hunter2/skep",
            "postgres://me@hunter2",
            "postgres://me@hunter2/",
            "postgres://@hunter2/skep",
            "postgres://me@/hunter2",
            "postgres://me@h:hunter2/skep",
            "postgres://me@h/hunter2?sslmode=disable",
            "postgres://me@h/hunter2?host=/run/pg",
            "postgres://me@/hunter2?host=run",
            "postgres://me@/hunter2?host=/run/pg&port=x",
            "postgres://me@/hunter2?host=/run/pg&sslmode=disable",
            "postgres://me@h/hunter2/more",
            "postgres://m%65@hunter2/skep",
        ] {
            let refused = format!("{:#}", AdminUrl::parse(url).err().expect(url));
            assert!(refused.contains("--admin-url"), "{url}: {refused}");
            assert!(!refused.contains("hunter2"), "{refused}");
        }
    }
}
