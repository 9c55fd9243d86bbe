//! The settings `auth.grpc` and `auth.endpoint`: where other programs ask about credentials, and whom
//! this one asks.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Deserialize;

use super::auth::Auth;

/// Longest path that a Unix socket's address has room for.
const SOCKET_PATH: usize = 107;

/// The section `[auth.grpc]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Grpc {
    /// `unix:PATH`, or `https://ADDRESS:PORT`; nobody may ask if empty. A relative path is one in the
    /// data directory.
    listen: String,
    /// Our certificate, for `https`.
    certificate: Option<PathBuf>,
    /// Its key, readable by its owner alone.
    key: Option<PathBuf>,
    /// The authority that clients must have a certificate of.
    client_ca: Option<PathBuf>,
    /// Whether the service describes itself, for development.
    pub(crate) reflection: bool,
}

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Listen {
    Unix(PathBuf),
    Tls(SocketAddr, Files),
}

/// Whom to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Unix(PathBuf),
    Tls {
        host: String,
        port: u16,
        files: Files,
    },
}

/// What TLS needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Files {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    pub(crate) authority: PathBuf,
}

impl Grpc {
    /// The files in which it has keys.
    pub(crate) fn key_files(&self) -> impl Iterator<Item = &Path> {
        self.key.iter().map(PathBuf::as_path)
    }

    /// Where to listen, if anywhere.
    pub(crate) fn listen(&self) -> anyhow::Result<Option<Listen>> {
        let files = [&self.certificate, &self.key, &self.client_ca];
        let names = ["certificate", "key", "client_ca"].map(|name| format!("auth.grpc.{name}"));
        let listen = self.listen.as_str();
        Ok(match place("auth.grpc.listen", listen)? {
            None => {
                unneeded(&names, files)?;
                None
            }
            Some(Place::Unix(path)) => {
                unneeded(&names, files)?;
                Some(Listen::Unix(path))
            }
            Some(Place::Tls(address)) => {
                let address = address.parse().with_context(|| {
                    format!("auth.grpc.listen is {listen:?}: expected an address and a port, such as https://10.0.0.5:3852")
                })?;
                Some(Listen::Tls(address, needed(&names, files)?))
            }
        })
    }
}

impl Auth {
    /// Whom to ask, if anybody.
    pub(crate) fn endpoint(&self) -> anyhow::Result<Option<Endpoint>> {
        let files = [
            &self.endpoint_certificate,
            &self.endpoint_key,
            &self.endpoint_ca,
        ];
        let names = ["certificate", "key", "ca"].map(|name| format!("auth.endpoint_{name}"));
        let endpoint = self.endpoint.as_str();
        let found = match place("auth.endpoint", endpoint)? {
            None => {
                unneeded(&names, files)?;
                None
            }
            Some(Place::Unix(path)) => {
                unneeded(&names, files)?;
                Some(Endpoint::Unix(path))
            }
            Some(Place::Tls(place)) => {
                let (host, port) = place.rsplit_once(':').unwrap_or((place, ""));
                let host = host.trim_start_matches('[').trim_end_matches(']');
                let port = port
                    .parse()
                    .ok()
                    .filter(|port| *port != 0 && !host.is_empty());
                let port = port.with_context(|| {
                    format!("auth.endpoint is {endpoint:?}: expected a host and a port, such as https://auth.example.com:3852")
                })?;
                let (host, files) = (host.to_owned(), needed(&names, files)?);
                Some(Endpoint::Tls { host, port, files })
            }
        };
        if found.is_some() && self.grpc.listen()?.is_some() {
            bail!(
                "auth.grpc.listen and auth.endpoint are both set: a node that asks another one has nothing to answer with"
            );
        }
        Ok(found)
    }
}

impl Files {
    /// The files, relative ones in the data directory.
    pub(crate) fn in_home(&self, home: &Path) -> Self {
        Self {
            certificate: home.join(&self.certificate),
            key: home.join(&self.key),
            authority: home.join(&self.authority),
        }
    }
}

enum Place<'t> {
    Unix(PathBuf),
    Tls(&'t str),
}

fn place<'t>(name: &str, text: &'t str) -> anyhow::Result<Option<Place<'t>>> {
    if text.is_empty() {
        return Ok(None);
    }
    if let Some(path) = text.strip_prefix("unix:") {
        if path.is_empty() || path.len() > SOCKET_PATH {
            bail!("{name} is {text:?}: expected a path of at most {SOCKET_PATH} bytes");
        }
        return Ok(Some(Place::Unix(path.into())));
    }
    if let Some(rest) = text.strip_prefix("https://") {
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.is_empty() || rest.contains(['/', '@', '?', '#', ' ']) {
            bail!("{name} is {text:?}: expected a host and a port, and nothing after");
        }
        return Ok(Some(Place::Tls(rest)));
    }
    if text.starts_with("http:") || text.starts_with("tcp:") {
        bail!(
            "{name} is {text:?}: credentials travel there, so it is a Unix socket (unix:PATH) or TLS with \
             certificates on both ends (https://HOST:PORT), never plain TCP"
        );
    }
    bail!("{name} is {text:?}: expected unix:PATH or https://HOST:PORT")
}

fn needed(names: &[String; 3], files: [&Option<PathBuf>; 3]) -> anyhow::Result<Files> {
    let mut pairs = names.iter().zip(files);
    let mut next = || {
        let (name, file) = pairs.next().context("three files")?;
        file.clone().with_context(|| {
            format!("{name} is missing: https needs a certificate, its key, and the authority of the other end")
        })
    };
    Ok(Files {
        certificate: next()?,
        key: next()?,
        authority: next()?,
    })
}

fn unneeded(names: &[String; 3], files: [&Option<PathBuf>; 3]) -> anyhow::Result<()> {
    match names.iter().zip(files).find(|(_, file)| file.is_some()) {
        Some((name, _)) => bail!("{name} is set and nothing is behind https"),
        None => Ok(()),
    }
}

/// What is in force, a line each.
pub(super) fn shown(auth: &Auth, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let grpc = &auth.grpc;
    if auth.endpoint.is_empty() {
        writeln!(
            f,
            "# auth.endpoint is not set: credentials are checked here"
        )?;
    } else {
        writeln!(f, "auth.endpoint = {:?}", auth.endpoint)?;
    }
    let mut files = vec![
        ("auth.endpoint_ca", &auth.endpoint_ca),
        ("auth.endpoint_certificate", &auth.endpoint_certificate),
        ("auth.endpoint_key", &auth.endpoint_key),
    ];
    if grpc.listen.is_empty() {
        write!(
            f,
            "# auth.grpc.listen is not set: no other program asks about credentials"
        )?;
    } else {
        writeln!(f, "auth.grpc.listen = {:?}", grpc.listen)?;
        write!(f, "auth.grpc.reflection = {}", grpc.reflection)?;
        files.extend([
            ("auth.grpc.certificate", &grpc.certificate),
            ("auth.grpc.key", &grpc.key),
            ("auth.grpc.client_ca", &grpc.client_ca),
        ]);
    }
    for (name, file) in files {
        if let Some(file) = file {
            write!(f, "\n{name} = {:?}", file.display().to_string())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    const FILES: &str = "certificate = \"a.pem\"\nkey = \"a.key\"\nclient_ca = \"ca.pem\"";

    #[test]
    fn a_listener_or_endpoint_that_is_not_safe_or_means_nothing_is_refused() {
        let tls = |listen: &str| format!("[auth.grpc]\nlisten = \"{listen}\"\n{FILES}");
        let asks = |endpoint: &str| format!("[auth]\nendpoint = \"{endpoint}\"");
        let bad = [
            (
                "[auth.grpc]\nlisten = \"http://127.0.0.1:3852\"".into(),
                "never plain TCP",
            ),
            (tls("http://10.0.0.5:3852"), "never plain TCP"),
            (tls("tcp:10.0.0.5:3852"), "never plain TCP"),
            (
                "[auth.grpc]\nlisten = \"127.0.0.1:3852\"".into(),
                "expected unix:PATH or https",
            ),
            (
                "[auth.grpc]\nlisten = \"https://10.0.0.5:3852\"".into(),
                "auth.grpc.certificate is missing",
            ),
            (
                tls("https://auth.example.com:3852"),
                "an address and a port",
            ),
            (tls("https://10.0.0.5"), "an address and a port"),
            (tls("https://10.0.0.5:3852/path"), "nothing after"),
            (tls("unix:auth.sock"), "nothing is behind https"),
            (
                "[auth.grpc]\nkey = \"a.key\"".into(),
                "nothing is behind https",
            ),
            ("[auth.grpc]\nlisten = \"unix:\"".into(), "expected a path"),
            (
                format!("[auth.grpc]\nlisten = \"unix:/{}\"", "x".repeat(107)),
                "expected a path",
            ),
            (
                "[auth.grpc]\nlsten = \"unix:a\"".into(),
                "did you mean listen?",
            ),
            (asks("http://10.0.0.5:3852"), "never plain TCP"),
            (
                asks("https://10.0.0.5:3852"),
                "auth.endpoint_certificate is missing",
            ),
            (asks("https://me@10.0.0.5:3852"), "nothing after"),
            (
                format!("{}\n[auth.grpc]\nlisten = \"unix:b\"", asks("unix:a")),
                "both set",
            ),
        ];
        for (text, problem) in bad {
            let refused = Config::parse(&text, &[]).expect_err(&text);
            let refused = format!("{refused:#}");
            assert!(refused.contains(problem), "{text}: {refused}");
        }
        let port = asks("https://auth.example.com")
            + "\nendpoint_ca = \"a\"\nendpoint_certificate = \"b\"\nendpoint_key = \"c\"";
        let refused = Config::parse(&port, &[]).expect_err(&port);
        assert!(
            format!("{refused:#}").contains("a host and a port"),
            "{refused:#}"
        );
    }

    #[test]
    fn what_is_in_force_is_shown() {
        let environment = [crate::config::source::Override::new(
            "SKEP_AUTH__GRPC__REFLECTION",
            "true",
        )];
        let good = [
            format!("[auth.grpc]\nlisten = \"https://[::1]:3852\"\n{FILES}"),
            "[auth.grpc]\nlisten = \"unix:auth.sock\"".into(),
            "[auth]\nendpoint = \"unix:/run/skep/auth.sock\"".into(),
            "[auth]\nendpoint = \"https://[::1]:3852\"\nendpoint_ca = \"a\"\nendpoint_certificate = \"b\"\nendpoint_key = \"c\"".into(),
        ];
        let shown: Vec<String> = good
            .iter()
            .map(|text| Config::parse(text, &environment).unwrap().auth.to_string())
            .collect();
        insta::assert_snapshot!(shown.join("\n\n"));
    }
}
