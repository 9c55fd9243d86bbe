//! A node's own connection: what it hears of other nodes, and the work that it keeps them from doing too.
//! Both end with the connection, and so with the node, however it ends.
//!
//! An announcement is a notification sent within the transaction that it is about, with the number that this
//! transaction gave it. A number that was skipped, or one that is read from the table and was never heard, is
//! something missed. The number is read each second, over this connection, or while there is none over one of
//! the others.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use futures_util::future::{join, try_join5};
use rustls::ClientConfig;
use skep_store::StoreError;
use skep_store::backend::{Heard, Hold, Mode};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Mutex as AsyncMutex;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::Options;
use crate::failure::Failure;
use crate::hearing::Hearing;
use crate::lease::Lease;
use crate::pool::{self, Connections};
use crate::rights;
use crate::statement::statements;

/// How often it looks whether it missed something, and who is there.
const LOOK: Duration = Duration::from_secs(1);
/// A look that takes longer is no look.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between attempts to connect: twice as long after each, up to the second.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), LOOK);
/// Notifications held for the listener; one that finds no room is missed.
const HELD: usize = 1_024;
/// By this, nodes know each other's own connections.
const NAME: &str = "skepd node";

statements! {
    WORDS = "SELECT set_config('skep.installation', 'on', true)";
    NEWS = "SELECT news FROM instance WHERE slot = 1";
    /// The own connections of other nodes.
    NODES = "SELECT pid || ' ' || backend_start FROM pg_stat_activity
        WHERE datname = current_database() AND usename = current_user
            AND application_name = 'skepd node' AND pid <> pg_backend_pid()";
    TAKE = "SELECT pg_try_advisory_lock($1)";
    GIVE = "SELECT pg_advisory_unlock($1)";
}

/// A node among others.
pub(crate) struct Node {
    server: Config,
    tls: MakeRustlsConnect,
    connections: Connections,
    own: AsyncMutex<Option<Arc<Own>>>,
    hearing: AsyncMutex<Hearing>,
}

/// Its connection.
struct Own {
    client: Client,
    words: tokio_postgres::Statement,
    news: tokio_postgres::Statement,
    nodes: tokio_postgres::Statement,
    lacking: tokio_postgres::Statement,
    take: tokio_postgres::Statement,
    give: tokio_postgres::Statement,
    notes: AsyncMutex<Receiver<String>>,
    /// Ends with it.
    _driver: JoinSet<()>,
}

/// A piece of work, while it lasts.
struct Held {
    own: Arc<Own>,
    key: i64,
    /// Whether there may be something to give back.
    may_be_ours: bool,
}

impl Hold for Held {}

impl Drop for Held {
    fn drop(&mut self) {
        if !self.may_be_ours {
            return;
        }
        // Sent by its first poll; the connection's own task sees to the answer. A connection that is gone holds
        // nothing.
        let key: [&(dyn ToSql + Sync); 1] = [&self.key];
        let give = pin!(self.own.client.execute(&self.own.give, &key));
        let _ = give.poll(&mut Context::from_waker(Waker::noop()));
    }
}

impl Node {
    pub(crate) fn new(
        mut server: Config,
        tls: ClientConfig,
        options: Options,
        connections: Connections,
    ) -> Self {
        // A machine that vanishes is noticed by the server within half a minute, and its work is free.
        let alive =
            "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3";
        server
            .options(format!("{} {alive}", pool::session(options, false)))
            .application_name(NAME)
            .connect_timeout(PATIENCE)
            .keepalives_idle(Duration::from_secs(10));
        Self {
            server,
            tls: MakeRustlsConnect::new(tls),
            connections,
            own: AsyncMutex::default(),
            hearing: AsyncMutex::default(),
        }
    }

    /// Waits for what other nodes do.
    pub(crate) async fn hear(&self) -> Heard {
        let mut hearing = self.hearing.lock().await;
        loop {
            if let Some(heard) = hearing.next() {
                return heard;
            }
            let own = self.own.lock().await.clone();
            match own.filter(|own| !own.client.is_closed()) {
                Some(own) => self.listen(&own, &mut hearing).await,
                None => self.find_again(&mut hearing).await,
            }
        }
    }

    /// Listens until it is time for a look, and looks.
    async fn listen(&self, own: &Arc<Own>, hearing: &mut Hearing) {
        let next = {
            let mut notes = own.notes.lock().await;
            timeout_at(hearing.next_look, notes.recv()).await
        };
        match next {
            Ok(Some(note)) => hearing.note(&note),
            Ok(None) => self.lose(own).await,
            Err(_) => match timeout(PATIENCE, own.look()).await {
                Ok(Ok((news, nodes))) => {
                    hearing.read(news);
                    hearing.see(nodes);
                    hearing.next_look = Instant::now() + LOOK;
                }
                Ok(Err(_)) | Err(_) => self.lose(own).await,
            },
        }
    }

    /// While there is no connection of its own: asks over another one what it missed, and tries again.
    async fn find_again(&self, hearing: &mut Hearing) {
        // What was missed meanwhile is looked for at once.
        hearing.next_look = Instant::now();
        let (found, news) = join(self.own(), timeout(PATIENCE, self.read_news())).await;
        if let Ok(Ok(news)) = news {
            hearing.read(news);
        }
        if found.is_ok() {
            hearing.pause = PAUSE.0;
        } else {
            sleep(hearing.pause).await;
            hearing.pause = (hearing.pause * 2).clamp(PAUSE.0, PAUSE.1);
        }
    }

    async fn read_news(&self) -> Result<Option<u64>, StoreError> {
        let mut lease = Lease::of_installation(&self.connections, Mode::Read).await?;
        let read = lease.wire()?.find(NEWS, &[], |row| row.get(0)).await;
        lease.step(read)
    }

    /// Takes a piece of work by its number; `None` while another node has it. The connection may have ended
    /// unseen, so it is tried once more.
    pub(crate) async fn hold(&self, key: i64) -> Result<Option<Box<dyn Hold>>, StoreError> {
        match self.hold_once(key).await {
            Err(_) => self.hold_once(key).await,
            held => held,
        }
    }

    async fn hold_once(&self, key: i64) -> Result<Option<Box<dyn Hold>>, StoreError> {
        let own = self.own().await?;
        // Made before it is asked for: one that is given up half-way is given back.
        let mut held = Held {
            own,
            key,
            may_be_ours: true,
        };
        let taken = async {
            let row = held.own.client.query_one(&held.own.take, &[&key]).await?;
            row.try_get::<_, bool>(0)
        };
        let is_ours = taken.await.map_err(Failure::from)?;
        held.may_be_ours = is_ours;
        Ok(is_ours.then(|| Box::new(held) as Box<dyn Hold>))
    }

    /// Whether the server answers, and still lets this node do its work.
    pub(crate) async fn reach(&self) -> Result<(), StoreError> {
        let own = self.own().await?;
        let asked = own.client.query(&own.lacking, &[&None::<&str>]).await;
        let lacking = asked.map_err(Failure::from)?;
        if lacking.is_empty() {
            Ok(())
        } else {
            Err(rights::taken())
        }
    }

    /// The connection; a new one if there is none.
    async fn own(&self) -> Result<Arc<Own>, StoreError> {
        let mut held = self.own.lock().await;
        if let Some(own) = &*held
            && !own.client.is_closed()
        {
            return Ok(Arc::clone(own));
        }
        *held = None;
        let connecting = timeout(PATIENCE, Own::connect(&self.server, self.tls.clone()));
        let own = connecting.await.map_err(|_| {
            StoreError::Unavailable("the database does not answer in time".into())
        })??;
        let own = Arc::new(own);
        *held = Some(Arc::clone(&own));
        Ok(own)
    }

    async fn lose(&self, own: &Arc<Own>) {
        let mut held = self.own.lock().await;
        if held.as_ref().is_some_and(|held| Arc::ptr_eq(held, own)) {
            *held = None;
        }
    }
}

impl Own {
    async fn connect(server: &Config, tls: MakeRustlsConnect) -> Result<Self, StoreError> {
        let connected = async {
            let (client, connection) = server.connect(tls).await?;
            let (tell, notes) = channel(HELD);
            let mut driver = JoinSet::new();
            driver.spawn(drive(connection, tell));
            client.batch_execute("LISTEN skep_news").await?;
            Ok::<_, tokio_postgres::Error>(Self {
                words: client.prepare(WORDS.text).await?,
                news: client.prepare(NEWS.text).await?,
                nodes: client.prepare(NODES.text).await?,
                lacking: client.prepare(rights::LACKING.text).await?,
                take: client.prepare(TAKE.text).await?,
                give: client.prepare(GIVE.text).await?,
                notes: AsyncMutex::new(notes),
                client,
                _driver: driver,
            })
        };
        connected.await.map_err(|error| Failure::from(error).into())
    }

    /// The number of the last announcement, and which other nodes are there: in one turn of the wire.
    async fn look(&self) -> Result<(Option<u64>, BTreeSet<String>), tokio_postgres::Error> {
        let (client, none) = (&self.client, &[]);
        let ((), _, news, nodes, ()) = try_join5(
            client.batch_execute("BEGIN READ ONLY"),
            client.query(&self.words, none),
            client.query(&self.news, none),
            client.query(&self.nodes, none),
            client.batch_execute("COMMIT"),
        )
        .await?;
        let news = match news.first() {
            Some(row) => u64::try_from(row.try_get::<_, i64>(0)?).ok(),
            None => None,
        };
        let nodes = nodes.iter().map(|row| row.try_get(0));
        Ok((news, nodes.collect::<Result<_, _>>()?))
    }
}

/// The connection itself: passes on what it is notified of, until it ends.
async fn drive<T>(mut connection: Connection<Socket, T>, tell: Sender<String>)
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let mut next = async || poll_fn(|context| connection.poll_message(context)).await;
    while let Some(Ok(message)) = next().await {
        if let AsyncMessage::Notification(note) = message {
            // Without room it is missed, which its number tells.
            let _ = tell.try_send(note.payload().to_owned());
        }
    }
}
