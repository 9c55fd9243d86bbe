//! Where a way out may lead.

use std::net::IpAddr;

use crate::{EgressError, Origin, Place};

/// The policy of a way out.
#[derive(Clone, Debug)]
pub enum Reach {
    /// What everybody can reach: for URLs that users name.
    Public,
    /// These and no others, as the operator configured them. They may be on this machine or in a
    /// private network; a redirect must lead to one of them too.
    Listed(Vec<Origin>),
    /// What everybody can reach, and these as the operator configured them.
    PublicAnd(Vec<Origin>),
}

/// Ports of the web. Others are where mail, databases and remote shells listen, and a caller who
/// may choose any could have this machine knock at all of them.
const PORTS: [u16; 4] = [80, 443, 8080, 8443];

const PUBLIC_ONLY: &str = "no public address is known for it, and what is inside is called only if \
                           the operator names it";

impl Reach {
    /// Before anything is resolved.
    pub(crate) fn check_origin(&self, origin: &Origin) -> Result<(), EgressError> {
        match self {
            _ if self.lists(origin) => Ok(()),
            Self::Public | Self::PublicAnd(_) if PORTS.contains(&origin.port) => Ok(()),
            Self::Public | Self::PublicAnd(_) => Err(EgressError::Url(
                "its port is not one of 80, 443, 8080 and 8443",
            )),
            Self::Listed(_) => Err(forbidden(
                origin,
                "it is not the address that is configured; change that one if it moved",
            )),
        }
    }

    /// Everything that a host resolved to. One address that is forbidden condemns the others: a
    /// name that leads both outside and inside is a trap.
    pub(crate) fn check_addresses(
        &self,
        origin: &Origin,
        addresses: &[IpAddr],
    ) -> Result<(), EgressError> {
        let listed = self.lists(origin);
        let may = |place| match place {
            Place::Public => true,
            Place::Loopback | Place::Private => listed,
            Place::Never => false,
        };
        if !addresses.is_empty() && addresses.iter().all(|address| may(Place::of(*address))) {
            return Ok(());
        }
        Err(self.unresolved(origin))
    }

    /// The same for a name that nobody knows as for one that leads inside: which names exist
    /// inside is not told.
    pub(crate) fn unresolved(&self, origin: &Origin) -> EgressError {
        match self {
            Self::Public | Self::PublicAnd(_) => forbidden(origin, PUBLIC_ONLY),
            Self::Listed(_) => forbidden(
                origin,
                "its name is unknown, or it is a link-local, multicast or reserved address",
            ),
        }
    }
}

impl Reach {
    fn lists(&self, origin: &Origin) -> bool {
        match self {
            Self::Public => false,
            Self::Listed(origins) | Self::PublicAnd(origins) => origins.contains(origin),
        }
    }
}

fn forbidden(origin: &Origin, advice: &'static str) -> EgressError {
    EgressError::Forbidden {
        host: origin.host.to_string(),
        advice,
    }
}
