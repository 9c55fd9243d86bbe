//! Auth over gRPC put together: a listener for other programs, or the daemon that this one asks.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use skep_app::App;
use skep_crypto::SystemRandom;
use skep_grpc::{Answering, Destination, Listener, Remote, Server, TlsFiles, ask};
use skep_http::{Limits, Mode};
use tokio::net::{TcpListener, UnixListener};

use crate::clock::SystemClock;
use crate::config::{Config, Endpoint, Files, Listen};
use crate::files;

/// A service about to be served.
pub(crate) struct Service {
    server: Server,
    listener: Listener,
    socket: Option<PathBuf>,
    /// How the posture report calls its listener.
    pub(crate) shown: String,
}

impl Service {
    /// Serves as long as it is polled.
    pub(crate) async fn run(self) {
        let _trace = self.socket.map(Trace);
        self.server.run(self.listener).await;
    }
}

/// A socket that goes with whoever listened on it.
struct Trace(PathBuf);

impl Drop for Trace {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// The service at its listener, if there is one.
pub(crate) async fn open(
    home: &Path,
    config: &Config,
    app: &Arc<App>,
    limits: Option<Limits>,
    mode: Mode,
) -> anyhow::Result<Option<Service>> {
    let Some(place) = config.auth.grpc.listen()? else {
        return Ok(None);
    };
    let (listener, socket, shown) = match place {
        Listen::Unix(path) => {
            let path = home.join(path);
            let listener = bind(&path)?;
            let own = rustix::process::geteuid().as_raw();
            let shown = format!("grpc unix:{}", path.display());
            (Listener::Unix(listener, own), Some(path), shown)
        }
        Listen::Tls(address, files) => {
            let listener = TcpListener::bind(address).await;
            let listener = listener.with_context(|| {
                format!("listening on {address}: set auth.grpc.listen to another port")
            })?;
            let shown = format!("grpc https://{}", listener.local_addr()?);
            let files = read(&files.in_home(home))?;
            let listener = Listener::tls(listener, &files).context("auth.grpc")?;
            (listener, None, shown)
        }
    };
    // As over HTTP: on this machine alone, and only where the mode lets them.
    let trusts_installation = socket.is_some() && mode != Mode::Team;
    let server = Server::new(Answering {
        app: Arc::clone(app),
        limits,
        trusts_installation,
        reflection: config.auth.grpc.reflection,
    });
    Ok(Some(Service {
        server,
        listener,
        socket,
        shown,
    }))
}

/// The daemon that is asked, if one is.
pub(crate) fn remote(home: &Path, config: &Config) -> anyhow::Result<Option<Arc<Remote>>> {
    let (place, destination) = match config.auth.endpoint()? {
        None => return Ok(None),
        Some(Endpoint::Unix(path)) => {
            let path = home.join(path);
            (format!("unix:{}", path.display()), Destination::Unix(path))
        }
        Some(Endpoint::Tls { host, port, files }) => {
            let place = format!("https://{host}:{port}");
            let files = read(&files.in_home(home))?;
            (place, Destination::Tls { host, port, files })
        }
    };
    let channel = ask(&destination).context("auth.endpoint")?;
    let remote = Remote::new(place, channel, Arc::new(SystemClock), &SystemRandom);
    Ok(Some(Arc::new(remote)))
}

fn read(files: &Files) -> anyhow::Result<TlsFiles> {
    let pem = |path: &Path| fs::read(path).with_context(|| format!("reading {}", path.display()));
    Ok(TlsFiles {
        certificate: pem(&files.certificate)?,
        key: files::read_pem(&files.key)?.expose().as_bytes().to_vec(),
        authority: pem(&files.authority)?,
    })
}

/// A socket that its owner alone may connect to, in the place of one that nobody listens on.
fn bind(path: &Path) -> anyhow::Result<UnixListener> {
    let shown = path.display();
    let folder = path.parent().unwrap_or(Path::new("/"));
    let around =
        fs::metadata(folder).with_context(|| format!("looking at {}", folder.display()))?;
    // Whoever may write there may put a socket of their own in its place; the sticky bit forbids it.
    if around.mode() & 0o022 != 0 && around.mode() & 0o1000 == 0 {
        bail!(
            "{} is open to others: put the socket elsewhere",
            folder.display()
        );
    }
    match fs::symlink_metadata(path) {
        Ok(facts) if !facts.file_type().is_socket() => bail!("{shown} is there and no socket"),
        Ok(_) if UnixStream::connect(path).is_ok() => {
            bail!("{shown} is in use: another program listens there")
        }
        Ok(_) => fs::remove_file(path).with_context(|| format!("removing the stale {shown}"))?,
        Err(_) => {}
    }
    let listener = UnixListener::bind(path).with_context(|| format!("listening on {shown}"))?;
    files::close_to_others(path)?;
    Ok(listener)
}
