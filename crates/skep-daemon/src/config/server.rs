//! The section `[server]`: where to listen, and who is let in from there.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Deserialize;
use skep_http::Mode;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Server {
    /// `local`, `team` or `hybrid`; if absent, team where other machines reach it or its store,
    /// else local.
    mode: Option<String>,
    /// Address for TCP, or `off`.
    tcp: String,
    /// `proxy` says that a proxy in front ends TLS: needed to listen where other machines reach it.
    tls: Option<String>,
    /// The address that others reach it at, such as `https://skep.example.com`.
    public_url: Option<String>,
    /// Addresses of the proxies in front.
    proxies: Vec<IpAddr>,
    /// Milliseconds from a signal on in which it still takes what comes, while `/readyz` says that it stops.
    drain_ms: u64,
    /// Whether other nodes use the same store, which is for many people unless somebody says otherwise.
    #[serde(skip)]
    pub(crate) shares_its_store: bool,
}

/// A supervisor that has asked kindly kills after a while.
const DRAIN_MS: u64 = 60_000;

/// What the section comes to.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) mode: Mode,
    pub(crate) tcp: Option<SocketAddr>,
    pub(crate) public_url: Option<String>,
    pub(crate) proxies: Vec<IpAddr>,
    pub(crate) drain: Duration,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            mode: None,
            tcp: "127.0.0.1:3850".into(),
            tls: None,
            public_url: None,
            proxies: Vec::new(),
            drain_ms: 0,
            shares_its_store: false,
        }
    }
}

impl Standing {
    /// Whether other machines reach it.
    pub(crate) fn is_public(&self) -> bool {
        self.tcp
            .is_some_and(|tcp| !tcp.ip().to_canonical().is_loopback())
    }
}

impl Server {
    /// What is in force.
    pub(crate) fn standing(&self) -> anyhow::Result<Standing> {
        let mut standing = Standing {
            mode: Mode::Local,
            tcp: self.tcp_address()?,
            public_url: self.public_url.as_deref().map(public_url).transpose()?,
            proxies: self.proxies.clone(),
            drain: self.drain()?,
        };
        standing.mode = match self.mode.as_deref() {
            None if standing.is_public() || self.shares_its_store => Mode::Team,
            None => Mode::Local,
            Some(text) => Mode::parse(text).with_context(|| {
                format!("server.mode is {text:?}: it must be local, team or hybrid")
            })?,
        };
        self.check(&standing)?;
        Ok(standing)
    }

    fn check(&self, standing: &Standing) -> anyhow::Result<()> {
        if let Some(tls) = self.tls.as_deref()
            && tls != "proxy"
        {
            bail!("server.tls is {tls:?}: it must be proxy, or left out");
        }
        let tcp = &self.tcp;
        if standing.mode == Mode::Local {
            if standing.is_public() {
                bail!(
                    "server.tcp is {tcp}: local mode listens on loopback only, such as 127.0.0.1:3850"
                );
            }
            return Ok(());
        }
        if standing.is_public() && self.tls.is_none() {
            bail!(
                "server.tcp is {tcp}, where other machines reach it, and skepd speaks plain HTTP: put a proxy \
                 with TLS in front and say so with server.tls = \"proxy\", or listen on loopback"
            );
        }
        if standing.public_url.is_none() {
            let way_out = if self.mode.is_none() && !standing.is_public() {
                "; or set server.mode = \"local\" for a daemon of one person"
            } else {
                ""
            };
            bail!(
                "server.public_url is missing: {} mode needs the address that others reach it at, such as https://skep.example.com{way_out}",
                standing.mode.as_str()
            );
        }
        Ok(())
    }

    fn drain(&self) -> anyhow::Result<Duration> {
        if self.drain_ms > DRAIN_MS {
            bail!("server.drain_ms must be at most {DRAIN_MS}");
        }
        Ok(Duration::from_millis(self.drain_ms))
    }

    fn tcp_address(&self) -> anyhow::Result<Option<SocketAddr>> {
        if self.tcp == "off" {
            return Ok(None);
        }
        let address = self.tcp.parse().with_context(|| {
            format!(
                "server.tcp is {:?}: expected an address such as 127.0.0.1:3850, or off",
                self.tcp
            )
        })?;
        Ok(Some(address))
    }
}

/// Scheme, host and port, as tokens and links name it; plain HTTP for this machine only.
fn public_url(text: &str) -> anyhow::Result<String> {
    let fault = || {
        format!(
            "server.public_url is {text:?}: expected https, a host and no path, such as https://skep.example.com"
        )
    };
    let (scheme, host) = text.split_once("://").with_context(fault)?;
    let host = host.strip_suffix('/').unwrap_or(host);
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        if port.parse::<u16>().is_ok() {
            name
        } else {
            host
        }
    });
    let own = matches!(name, "localhost" | "127.0.0.1" | "[::1]");
    let plain = !host.is_empty()
        && host.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:[]".contains(&byte)
        });
    if !plain || !(scheme == "https" || scheme == "http" && own) {
        bail!(fault());
    }
    Ok(format!("{scheme}://{host}"))
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let standing = self.standing().map_err(|_| fmt::Error)?;
        writeln!(f, "server.mode = {:?}", standing.mode.as_str())?;
        write!(f, "server.tcp = {:?}", self.tcp)?;
        if let Some(tls) = &self.tls {
            write!(f, "\nserver.tls = {tls:?}")?;
        }
        if let Some(url) = &standing.public_url {
            write!(f, "\nserver.public_url = {url:?}")?;
        }
        if !self.proxies.is_empty() {
            let proxies: Vec<String> = self.proxies.iter().map(IpAddr::to_string).collect();
            write!(f, "\nserver.proxies = {proxies:?}")?;
        }
        if self.drain_ms > 0 {
            write!(f, "\nserver.drain_ms = {}", self.drain_ms)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Server;

    fn standing(text: &str) -> Result<(String, bool), String> {
        let server: Server = toml::from_str(text).map_err(|error| error.to_string())?;
        let standing = server.standing().map_err(|error| format!("{error:#}"))?;
        Ok((standing.mode.as_str().to_owned(), standing.is_public()))
    }

    #[test]
    fn n04_the_mode_follows_from_where_it_listens_and_never_widens_by_itself() {
        const TEAM: &str = "tls = \"proxy\"\npublic_url = \"https://skep.example.com\"";
        let good = [
            ("", "local", false),
            ("tcp = \"off\"", "local", false),
            ("tcp = \"[::1]:3850\"", "local", false),
            ("tcp = \"[::ffff:127.0.0.1]:3850\"", "local", false),
            (&format!("tcp = \"0.0.0.0:1\"\n{TEAM}"), "team", true),
            (&format!("tcp = \"[::]:1\"\n{TEAM}"), "team", true),
            (
                &format!("mode = \"hybrid\"\ntcp = \"10.0.0.1:1\"\n{TEAM}"),
                "hybrid",
                true,
            ),
            (
                "mode = \"team\"\npublic_url = \"https://skep.example.com\"",
                "team",
                false,
            ),
            (
                "mode = \"team\"\npublic_url = \"http://localhost:3850/\"",
                "team",
                false,
            ),
        ];
        for (text, mode, public) in good {
            assert_eq!(standing(text), Ok((mode.to_owned(), public)), "{text}");
        }
        let bad = [
            (
                "mode = \"local\"\ntcp = \"0.0.0.0:1\"",
                "local mode listens on loopback only",
            ),
            (
                "mode = \"local\"\ntcp = \"[::]:1\"",
                "local mode listens on loopback only",
            ),
            (
                "mode = \"local\"\ntcp = \"[::ffff:10.0.0.1]:1\"",
                "loopback only",
            ),
            ("tcp = \"0.0.0.0:1\"", "server.tls = \"proxy\""),
            ("tcp = \"0.0.0.0:1\"\ntls = \"no\"", "it must be proxy"),
            (
                "tcp = \"0.0.0.0:1\"\ntls = \"proxy\"",
                "server.public_url is missing",
            ),
            ("mode = \"team\"", "server.public_url is missing"),
            ("mode = \"hybrid\"", "server.public_url is missing"),
            ("mode = \"open\"", "local, team or hybrid"),
            ("proxies = [\"nginx\"]", "invalid"),
            ("public_url = \"http://skep.example.com\"", "expected https"),
            ("public_url = \"https://skep.example.com/a\"", "no path"),
            ("public_url = \"https://me@skep.example.com\"", "no path"),
            ("public_url = \"https://\"", "no path"),
            ("public_url = \"skep.example.com\"", "expected https"),
        ];
        for (text, problem) in bad {
            let refused = standing(text).expect_err(text);
            assert!(refused.contains(problem), "{text}: {refused}");
        }
    }

    #[test]
    fn n12_a_drain_ends() {
        assert!(standing("drain_ms = 60000").is_ok());
        let refused = standing("drain_ms = 60001").unwrap_err();
        assert!(refused.contains("at most 60000"), "{refused}");
    }
}
