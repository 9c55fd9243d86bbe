//! A checked connection handed out, for whoever speaks for itself over it.

use std::sync::Arc;

use rustls::ClientConfig;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::call::{late, unreachable};
use crate::{Egress, EgressError, Origin, Scheme, Stage, Wire, tls};

/// What is offered to an origin to speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2, or HTTP/1.1.
    Http2,
}

/// A connection to an address that was checked; over TLS, to an origin that has shown who it is.
pub struct Opened {
    /// Its bytes.
    pub wire: Box<dyn Wire>,
    /// Whether the origin chose HTTP/2.
    pub is_http2: bool,
}

impl Egress {
    /// Connects to an origin, checked like a call to it, with TLS where its scheme says so. How many
    /// such connections there are, and how long they last, is the caller's to bound.
    ///
    /// # Errors
    /// [`EgressError`].
    pub async fn open(&self, origin: &Origin, offer: Offer) -> Result<Opened, EgressError> {
        if let Some((_, inside)) = self.inside.as_ref().filter(|(known, _)| known == origin) {
            return Ok(Opened {
                wire: inside.open(),
                is_http2: false,
            });
        }
        let opened = async {
            let wire = self.dial_checked(origin).await?;
            match origin.scheme {
                Scheme::Http => Ok(Opened {
                    wire,
                    is_http2: false,
                }),
                Scheme::Https => self.over_tls(origin, wire, offer).await,
            }
        };
        timeout(self.patience.connect, opened)
            .await
            .unwrap_or_else(|_| Err(late(origin, Stage::Connect)))
    }

    /// Connects to an origin, checked like a call to it, without a word: what goes over it is between
    /// the two who speak.
    ///
    /// # Errors
    /// [`EgressError`].
    pub async fn tunnel(&self, origin: &Origin) -> Result<Box<dyn Wire>, EgressError> {
        timeout(self.patience.connect, self.dial_checked(origin))
            .await
            .unwrap_or_else(|_| Err(late(origin, Stage::Connect)))
    }

    async fn dial_checked(&self, origin: &Origin) -> Result<Box<dyn Wire>, EgressError> {
        let addresses = self.checked_addresses(origin).await?;
        self.dial_one(origin, &addresses).await
    }

    pub(crate) async fn over_tls(
        &self,
        origin: &Origin,
        wire: Box<dyn Wire>,
        offer: Offer,
    ) -> Result<Opened, EgressError> {
        let failed = |problem: String| EgressError::Tls {
            host: origin.host.to_string(),
            problem,
        };
        let config = self.tls.get_or_try_init(|| async {
            let authorities = self.authorities.clone();
            let made = tokio::task::spawn_blocking(|| tls::config(authorities)).await;
            made.map_err(|_| failed("its set-up broke off".into()))?
                .map(Arc::new)
                .map_err(|problem| failed(problem.into()))
        });
        let mut config = Arc::clone(config.await?);
        if offer == Offer::Http2 {
            let mut both = ClientConfig::clone(&config);
            both.alpn_protocols.insert(0, b"h2".to_vec());
            config = Arc::new(both);
        }
        let connector = TlsConnector::from(config);
        let name = tls::server_name(&origin.host)?;
        match connector.connect(name, wire).await {
            Ok(stream) => Ok(Opened {
                is_http2: stream.get_ref().1.alpn_protocol() == Some(b"h2"),
                wire: Box::new(stream),
            }),
            Err(error) => match error
                .get_ref()
                .and_then(|e| e.downcast_ref::<rustls::Error>())
            {
                Some(problem) => Err(failed(problem.to_string())),
                None => Err(unreachable(origin, error)),
            },
        }
    }
}
