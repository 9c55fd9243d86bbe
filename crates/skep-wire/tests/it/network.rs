//! A network of a test's own: names have public addresses, and these lead to servers on loopback.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use skep_egress::{Dial, Egress, Patience, Reach, Resolver};
use tokio::net::TcpStream;

use crate::origin::Origin;

/// Names to addresses, and addresses to servers on loopback.
#[derive(Default)]
pub(crate) struct Network {
    names: Mutex<HashMap<String, VecDeque<Vec<IpAddr>>>>,
    servers: Mutex<HashMap<SocketAddr, SocketAddr>>,
    pub(crate) dialled: Mutex<Vec<SocketAddr>>,
}

impl Network {
    /// Each time the name is asked for, the next of these; the last one stays.
    pub(crate) fn name(&self, name: &str, answers: &[&str]) {
        let answers = answers.iter().map(|text| vec![text.parse().unwrap()]);
        self.names
            .lock()
            .unwrap()
            .insert(name.into(), answers.collect());
    }

    pub(crate) fn server(&self, address: &str, at: SocketAddr) {
        self.servers
            .lock()
            .unwrap()
            .insert(address.parse().unwrap(), at);
    }
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
    async fn dial(&self, address: SocketAddr) -> io::Result<Box<dyn skep_egress::Wire>> {
        self.dialled.lock().unwrap().push(address);
        let at = self.servers.lock().unwrap().get(&address).copied();
        let at = at.ok_or(io::ErrorKind::ConnectionRefused)?;
        let stream = TcpStream::connect(at).await?;
        stream.set_nodelay(true)?;
        Ok(Box::new(stream))
    }
}

/// The way out to an origin: its names, at public addresses.
pub(crate) fn out(origin: &Origin) -> (Arc<Network>, Egress) {
    let network = Arc::new(Network::default());
    for (name, address) in [
        ("api.test", "93.184.216.34"),
        ("deep.wild.test", "93.184.216.35"),
        ("other.test", "151.101.1.69"),
        ("evil.test", "151.101.1.70"),
    ] {
        network.name(name, &[address]);
        network.server(&format!("{address}:443"), origin.address);
        network.server(&format!("{address}:80"), origin.clear);
    }
    let patience = Patience {
        connect: Duration::from_secs(5),
        ..Patience::default()
    };
    let egress = Egress::new(Reach::Public)
        .over(network.clone(), network.clone())
        .with_patience(patience)
        .trusting(vec![origin.authority.clone()]);
    (network, egress)
}
