//! The way to another daemon: a Unix socket of this machine, or TLS with certificates on both ends.

use std::path::{Path, PathBuf};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint, Uri};
use tower::service_fn;

use crate::listen::Stream;
use crate::tls::{self, TlsError, TlsFiles};

/// How long one question may take, the way there included.
pub(crate) const DEADLINE: Duration = Duration::from_millis(250);
/// Whoever is silent for this long is asked whether they are there, and given as long to say so.
const SILENCE: Duration = Duration::from_secs(1);

/// Where another daemon is.
#[derive(Clone, Debug)]
pub enum Destination {
    /// A socket of this machine.
    Unix(PathBuf),
    /// A name or address with a port, and what TLS needs.
    Tls {
        /// Whom its certificate must be for.
        host: String,
        /// Its port.
        port: u16,
        /// Our certificate, and the authority of theirs.
        files: TlsFiles,
    },
}

/// A channel that connects when it is first asked, and again when it was cut.
///
/// # Errors
/// [`TlsError`].
pub fn ask(destination: &Destination) -> Result<Channel, TlsError> {
    let endpoint = Endpoint::from_static("http://skep.invalid")
        .connect_timeout(DEADLINE)
        .http2_keep_alive_interval(SILENCE)
        .keep_alive_timeout(SILENCE)
        .keep_alive_while_idle(true);
    match destination {
        Destination::Unix(path) => {
            let path: &Path = path;
            let path = path.to_owned();
            let connect = service_fn(move |_: Uri| {
                let path = path.clone();
                async move { UnixStream::connect(path).await.map(TokioIo::new) }
            });
            Ok(endpoint.connect_with_connector_lazy(connect))
        }
        Destination::Tls { host, port, files } => {
            let connector = tls::connector(files)?;
            let name = ServerName::try_from(host.clone())
                .map_err(|error| TlsError::Unfit("the host", error.to_string()))?;
            let place = (host.clone(), *port);
            let connect = service_fn(move |_: Uri| {
                let way = (connector.clone(), name.clone(), place.clone());
                async move { secured(way.0, way.1, way.2).await.map(TokioIo::new) }
            });
            Ok(endpoint.connect_with_connector_lazy(connect))
        }
    }
}

async fn secured(
    connector: TlsConnector,
    name: ServerName<'static>,
    place: (String, u16),
) -> std::io::Result<Box<dyn Stream>> {
    let stream = TcpStream::connect(place).await?;
    stream.set_nodelay(true)?;
    Ok(Box::new(connector.connect(name, stream).await?))
}
