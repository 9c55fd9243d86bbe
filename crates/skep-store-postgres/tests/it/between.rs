//! Between a node and its server: hears every statement of the node, and may change it or let it fall.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

/// What a value is bound to, as it goes over the wire.
pub(crate) type Bound = Option<Vec<u8>>;

/// Heard at the end of what is asked in one go.
pub(crate) const END: &str = "";

/// What becomes of a statement.
pub(crate) enum Fate {
    Passes,
    /// Goes on as another one.
    Becomes(String),
    /// The connection ends, and the server never sees it.
    Falls,
    /// The server gets it, and the node gets no answer.
    IsNotAnswered,
}

/// Whoever listens.
pub(crate) trait Ear: Send + Sync + 'static {
    /// A statement that is prepared or done at once, on the connection of a number; and [`END`].
    fn hears(&self, connection: u32, text: &str) -> Fate;

    /// Values for a statement that was prepared.
    fn hears_values(&self, _text: &str, _values: Vec<Bound>) {}
}

/// A server's socket of its own, which goes away with it.
pub(crate) struct Between {
    folder: PathBuf,
    _tasks: JoinSet<()>,
}

impl Between {
    /// Stands before the server that a node would connect to.
    pub(crate) fn new(server: &Config, ear: Arc<dyn Ear>) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("skep-between-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let socket = folder.join(".s.PGSQL.5432");
        let _ = std::fs::remove_file(&socket);
        let listener = UnixListener::bind(socket).unwrap();
        let server = socket_of(server);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            let mut number = 0;
            while let Ok((node, _)) = listener.accept().await {
                number += 1;
                let (server, ear) = (server.clone(), Arc::clone(&ear));
                connections.spawn(async move {
                    let Ok(server) = UnixStream::connect(server).await else {
                        return;
                    };
                    let _ = carry(node, server, (number, &*ear)).await;
                });
                while connections.try_join_next().is_some() {}
            }
        });
        Self {
            folder,
            _tasks: tasks,
        }
    }

    /// How a node connects through here.
    pub(crate) fn server(&self, mut server: Config) -> Config {
        let (user, database) = (server.get_user().unwrap(), server.get_dbname().unwrap());
        let (user, database) = (user.to_owned(), database.to_owned());
        server = Config::new();
        server
            .host_path(&self.folder)
            .user(user)
            .dbname(database)
            .ssl_mode(SslMode::Disable);
        server
    }
}

impl Drop for Between {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn socket_of(server: &Config) -> PathBuf {
    use tokio_postgres::config::Host;
    match &server.get_hosts()[0] {
        Host::Unix(folder) => folder.join(".s.PGSQL.5432"),
        Host::Tcp(name) => Path::new(name).to_owned(),
    }
}

/// Until one of them ends; then both.
async fn carry(node: UnixStream, server: UnixStream, ear: (u32, &dyn Ear)) -> io::Result<()> {
    let (from_node, mut to_node) = node.into_split();
    let (mut from_server, to_server) = server.into_split();
    tokio::select! {
        ended = listen(from_node, to_server, ear) => ended,
        ended = tokio::io::copy(&mut from_server, &mut to_node) => ended.map(|_| ()),
    }
}

async fn listen(
    from_node: OwnedReadHalf,
    mut to_server: OwnedWriteHalf,
    (number, ear): (u32, &dyn Ear),
) -> io::Result<()> {
    let mut from_node = BufReader::new(from_node);
    let mut prepared = HashMap::new();
    let first = body(&mut from_node).await?;
    send(&mut to_server, None, &first).await?;
    loop {
        let kind = from_node.read_u8().await?;
        let mut body = body(&mut from_node).await?;
        let mut last = false;
        match kind {
            b'P' | b'Q' => {
                let (name, rest) = if kind == b'P' {
                    word(&body)
                } else {
                    ("", &*body)
                };
                let (text, rest) = word(rest);
                match ear.hears(number, text) {
                    Fate::Passes => {
                        prepared.insert(name.to_owned(), text.to_owned());
                    }
                    Fate::Becomes(other) => {
                        prepared.insert(name.to_owned(), text.to_owned());
                        let name = if kind == b'P' { Some(name) } else { None };
                        let words = name.into_iter().chain([&*other]);
                        let mut changed: Vec<u8> =
                            words.flat_map(|word| word.bytes().chain([0])).collect();
                        changed.extend(rest);
                        body = changed;
                    }
                    Fate::Falls => return Ok(()),
                    Fate::IsNotAnswered => last = true,
                }
            }
            b'B' => {
                let (_, rest) = word(&body);
                let (name, rest) = word(rest);
                if let Some(text) = prepared.get(name) {
                    ear.hears_values(text, values(rest));
                }
            }
            b'S' => match ear.hears(number, END) {
                Fate::Passes | Fate::Becomes(_) => {}
                Fate::Falls => return Ok(()),
                Fate::IsNotAnswered => last = true,
            },
            _ => {}
        }
        send(&mut to_server, Some(kind), &body).await?;
        if last {
            return Ok(());
        }
    }
}

async fn body(from: &mut BufReader<OwnedReadHalf>) -> io::Result<Vec<u8>> {
    let length = from.read_u32().await? as usize;
    let mut body = vec![0; length - 4];
    from.read_exact(&mut body).await?;
    Ok(body)
}

async fn send(to: &mut OwnedWriteHalf, kind: Option<u8>, body: &[u8]) -> io::Result<()> {
    let length = u32::try_from(body.len() + 4).unwrap();
    let message: Vec<u8> = kind
        .into_iter()
        .chain(length.to_be_bytes())
        .chain(body.iter().copied())
        .collect();
    to.write_all(&message).await
}

/// Up to the next zero, and what follows.
fn word(bytes: &[u8]) -> (&str, &[u8]) {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap();
    (
        std::str::from_utf8(&bytes[..end]).unwrap(),
        &bytes[end + 1..],
    )
}

/// The values of a `Bind`, after its two names.
fn values(mut rest: &[u8]) -> Vec<Bound> {
    let mut number = |width: usize| {
        let (number, after) = rest.split_at(width);
        rest = after;
        number
            .iter()
            .fold(0_i64, |sum, byte| sum << 8 | i64::from(*byte))
    };
    for _ in 0..number(2) {
        number(2);
    }
    let count = number(2);
    let mut all = Vec::new();
    for _ in 0..count {
        let length = u32::try_from(number(4)).unwrap();
        all.push((length != u32::MAX).then(|| {
            (0..length)
                .map(|_| u8::try_from(number(1)).unwrap())
                .collect()
        }));
    }
    all
}
