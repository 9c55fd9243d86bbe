//! The one way out: every HTTP and HTTPS call that Skep makes leaves here, and every letter.
//!
//! Whoever names a URL could otherwise have this machine call where only this machine can. So the
//! host is resolved here, **every** address it has is checked, and the connection is made to
//! exactly the address that was checked: a name that answers differently the second time changes
//! nothing. Redirects are followed by hand and each is checked like the first. Nothing is read from
//! the environment, so no proxy stands between the check and the connection.

mod address;
mod call;
mod error;
mod inside;
mod mail;
mod network;
mod open;
mod pool;
mod reach;
mod request;
mod response;
mod target;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OnceCell, Semaphore};

pub use address::Place;
pub use error::{EgressError, Stage};
pub use inside::Inside;
pub use mail::{Letter, MailError, MailSecurity, MailServer, Mailer};
pub use network::{Dial, Resolver, Wire};
pub use open::{Offer, Opened};
pub use pool::{Answering, Pool};
pub use reach::Reach;
pub use request::{Request, Secret};
pub use response::Response;
pub use target::{Host, Origin, Scheme, Target};
pub use tls::{authorities_in, system_authorities};

/// How long each part of a call may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Resolving, connecting and the TLS handshake of one hop.
    pub connect: Duration,
    /// From the request to the head of its answer.
    pub first_byte: Duration,
    /// Between two parts of the answer.
    pub idle: Duration,
    /// All hops together.
    pub whole: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(15),
            idle: Duration::from_secs(10),
            whole: Duration::from_mins(1),
        }
    }
}

/// Calls that may be under way at a time.
const CALLS: usize = 32;

/// A way out, with a policy of where it leads.
pub struct Egress {
    reach: Reach,
    patience: Patience,
    resolver: Arc<dyn Resolver>,
    dial: Arc<dyn Dial>,
    authorities: tls::Authorities,
    /// Made when TLS is first needed: a system without a list of authorities can still call a
    /// model on its own machine.
    tls: OnceCell<Arc<rustls::ClientConfig>>,
    inside: Option<(Origin, Arc<dyn Inside>)>,
    slots: Semaphore,
}

impl Egress {
    /// Over this machine's network, trusting the authorities that its system trusts.
    #[must_use]
    pub fn new(reach: Reach) -> Self {
        let system = Arc::new(network::System);
        Self {
            reach,
            patience: Patience::default(),
            resolver: system.clone(),
            dial: system,
            authorities: tls::Authorities::System,
            tls: OnceCell::new(),
            inside: None,
            slots: Semaphore::new(CALLS),
        }
    }

    /// With other deadlines.
    #[must_use]
    pub fn with_patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// With so many calls under way at a time.
    #[must_use]
    pub fn with_calls(mut self, calls: usize) -> Self {
        self.slots = Semaphore::new(calls);
        self
    }

    /// Trusting these certificates, in DER, and no others: for a server with an authority of its
    /// own.
    #[must_use]
    pub fn trusting(mut self, certificates: Vec<Vec<u8>>) -> Self {
        self.authorities = tls::Authorities::These(certificates);
        self
    }

    /// Trusting these certificates, in DER, beside the authorities that the system trusts.
    #[must_use]
    pub fn also_trusting(mut self, certificates: Vec<Vec<u8>>) -> Self {
        self.authorities = tls::Authorities::SystemAnd(certificates);
        self
    }

    /// Over another network: a scripted one, in tests. What it resolves is checked all the same.
    #[must_use]
    pub fn over(mut self, resolver: Arc<dyn Resolver>, dial: Arc<dyn Dial>) -> Self {
        self.resolver = resolver;
        self.dial = dial;
        self
    }

    /// With an origin within this process, for [`Egress::open`] alone.
    #[must_use]
    pub fn with_inside(mut self, origin: Origin, inside: Arc<dyn Inside>) -> Self {
        self.inside = Some((origin, inside));
        self
    }
}
