//! A network in memory: names answer as scripted, one list of addresses per question, and each
//! address plays one script per connection. Time stands still unless everybody waits.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use skep_egress::{Dial, Egress, EgressError, Reach, Request, Resolver, Response, Target, Wire};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinSet;
use tokio::time::{Duration, sleep};

/// A public address that answers in tests.
pub(crate) const OUTSIDE: &str = "93.184.216.34";
pub(crate) const ELSEWHERE: &str = "151.101.1.69";

/// What a server does with one connection.
#[derive(Clone)]
pub(crate) enum Script {
    /// Sends this and closes.
    Say(String),
    /// Sends this without waiting for a request, and keeps the connection.
    Greet(String),
    /// Reads the request and says nothing.
    Silence,
    /// Sends this, then `x` each second, for ever.
    Dribble(String),
    /// Sends this, then zeroes as fast as they are taken, for ever.
    Flood(String),
    /// Sends this and keeps the connection.
    Hold(String),
    /// Never lets a connection be made.
    Swallow,
    /// Speaks TLS, then sends this.
    Tls(String),
}

#[derive(Default)]
pub(crate) struct Network {
    names: Mutex<HashMap<String, VecDeque<Vec<IpAddr>>>>,
    servers: Mutex<HashMap<SocketAddr, VecDeque<Script>>>,
    dialled: Mutex<Vec<SocketAddr>>,
    asked: Arc<Mutex<Vec<String>>>,
    tasks: Mutex<JoinSet<()>>,
}

impl Network {
    /// Each time the name is asked for, the next of these; the last one stays.
    pub(crate) fn name(self, name: &str, answers: &[&[&str]]) -> Self {
        let parse = |list: &&[&str]| list.iter().map(|text| text.parse().unwrap()).collect();
        let answers = answers.iter().map(parse).collect();
        self.names.lock().unwrap().insert(name.into(), answers);
        self
    }

    /// Each connection plays the next of these.
    pub(crate) fn server(self, address: &str, scripts: impl Into<VecDeque<Script>>) -> Self {
        let address = address.parse().unwrap();
        self.servers.lock().unwrap().insert(address, scripts.into());
        self
    }

    /// What was connected to, in order.
    pub(crate) fn dialled(&self) -> Vec<String> {
        let dialled = self.dialled.lock().unwrap();
        dialled.iter().map(SocketAddr::to_string).collect()
    }

    /// What was sent, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) async fn get(self: &Arc<Self>, url: &str) -> Result<Response, EgressError> {
        let request = Request::get(Target::parse(url)?);
        self.egress(Reach::Public).send(&request).await
    }

    pub(crate) fn egress(self: &Arc<Self>, reach: Reach) -> Egress {
        Egress::new(reach).over(self.clone(), self.clone())
    }
}

/// One page on a public address that a name leads to.
pub(crate) fn site(scripts: impl Into<VecDeque<Script>>) -> Arc<Network> {
    let network = Network::default()
        .name("site.example", &[&[OUTSIDE]])
        .server(&format!("{OUTSIDE}:80"), scripts);
    Arc::new(network)
}

pub(crate) fn ok(body: &str) -> Script {
    Script::Say(format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    ))
}

pub(crate) fn moved(status: u16, to: &str) -> Script {
    Script::Say(format!(
        "HTTP/1.1 {status} Moved\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n"
    ))
}

#[async_trait]
impl Resolver for Network {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let mut names = self.names.lock().unwrap();
        let answers = names.get_mut(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(if answers.len() > 1 {
            answers.pop_front().unwrap()
        } else {
            answers[0].clone()
        })
    }
}

#[async_trait]
impl Dial for Network {
    async fn dial(&self, address: SocketAddr) -> io::Result<Box<dyn Wire>> {
        self.dialled.lock().unwrap().push(address);
        let script = {
            let mut servers = self.servers.lock().unwrap();
            let scripts = servers.get_mut(&address);
            let script = scripts.and_then(VecDeque::pop_front);
            script.ok_or(io::ErrorKind::ConnectionRefused)?
        };
        if matches!(script, Script::Swallow) {
            return std::future::pending().await;
        }
        let (ours, theirs) = duplex(1 << 14);
        let asked = Arc::clone(&self.asked);
        self.tasks.lock().unwrap().spawn(async move {
            let _hung_up = play(theirs, script, &asked).await;
        });
        Ok(Box::new(ours))
    }
}

async fn play(
    mut wire: DuplexStream,
    script: Script,
    asked: &Mutex<Vec<String>>,
) -> io::Result<()> {
    if let Script::Tls(answer) = script {
        let mut wire = crate::tls::acceptor().accept(wire).await?;
        read_request(&mut wire, asked).await?;
        wire.write_all(answer.as_bytes()).await?;
        return wire.shutdown().await;
    }
    if let Script::Greet(greeting) = script {
        wire.write_all(greeting.as_bytes()).await?;
        return std::future::pending().await;
    }
    read_request(&mut wire, asked).await?;
    match script {
        Script::Say(answer) => wire.write_all(answer.as_bytes()).await?,
        Script::Silence => std::future::pending().await,
        Script::Hold(answer) => {
            wire.write_all(answer.as_bytes()).await?;
            std::future::pending::<()>().await;
        }
        Script::Dribble(answer) => {
            wire.write_all(answer.as_bytes()).await?;
            loop {
                sleep(Duration::from_secs(1)).await;
                wire.write_all(b"x").await?;
            }
        }
        Script::Flood(answer) => {
            wire.write_all(answer.as_bytes()).await?;
            loop {
                wire.write_all(&[b'0'; 4096]).await?;
            }
        }
        Script::Tls(_) | Script::Greet(_) | Script::Swallow => {}
    }
    wire.shutdown().await
}

/// Up to the end of the body that the head announces.
async fn read_request(
    wire: &mut (impl AsyncReadExt + Unpin),
    asked: &Mutex<Vec<String>>,
) -> io::Result<()> {
    let mut read = Vec::new();
    loop {
        let mut part = [0; 4096];
        let length = wire.read(&mut part).await?;
        read.extend_from_slice(&part[..length]);
        let text = String::from_utf8_lossy(&read).into_owned();
        let body = text.split_once("\r\n\r\n").and_then(|(head, body)| {
            let length = head.to_ascii_lowercase();
            let length = length
                .lines()
                .find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
            (body.len() >= length.unwrap_or(0)).then_some(())
        });
        if body.is_some() || length == 0 {
            asked.lock().unwrap().push(text);
            return Ok(());
        }
    }
}
