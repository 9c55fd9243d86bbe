//! Credentials whose form is right: the first door.

use skep_crypto::{InstallToken, InstanceKeys};

use crate::Denied;

/// What a stored credential row is found by. Holds nothing secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CredentialKey {
    /// The user who runs the daemon, over its own socket.
    SocketOwner,
    /// HMAC-SHA-256 of an install token under the instance's pepper.
    InstallToken([u8; 32]),
}

/// A credential whose form is right and that may now be looked up.
#[derive(Debug)]
pub struct Presented(CredentialKey);

impl Presented {
    /// A peer of the Unix socket, by the user id that the kernel reports for it.
    ///
    /// # Errors
    /// [`Denied::InvalidCredential`] for any user but the daemon's own.
    pub fn socket_peer(peer: u32, own: u32) -> Result<Self, Denied> {
        if peer == own {
            Ok(Self(CredentialKey::SocketOwner))
        } else {
            Err(Denied::InvalidCredential)
        }
    }

    /// The value of an `Authorization` header.
    ///
    /// # Errors
    /// [`Denied::MissingCredential`] without one, [`Denied::InvalidCredential`] for one that we
    /// cannot have minted; nothing is queried for those.
    pub fn authorization(header: Option<&[u8]>, keys: &InstanceKeys) -> Result<Self, Denied> {
        let header = header.ok_or(Denied::MissingCredential)?;
        let (scheme, token) = header
            .split_at_checked(7)
            .ok_or(Denied::InvalidCredential)?;
        if !scheme.eq_ignore_ascii_case(b"bearer ") {
            return Err(Denied::InvalidCredential);
        }
        let token = InstallToken::parse(token).map_err(|_| Denied::InvalidCredential)?;
        Ok(Self(CredentialKey::InstallToken(
            token.stored_form(&keys.pepper),
        )))
    }

    /// What to look the row up by.
    #[must_use]
    pub fn key(&self) -> CredentialKey {
        self.0
    }
}
