//! Credentials whose form is right: the first door.

use skep_crypto::{Bearer, BearerKind, InstallToken, InstanceKeys};
use skep_domain::{CredentialId, CredentialKind, Id};
use skep_jose::{Grant, VerifiedToken};

use crate::Denied;

/// What a stored credential row is found by. Holds nothing secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CredentialKey {
    /// The user who runs the daemon, over its own socket.
    SocketOwner,
    /// HMAC-SHA-256 of an install token under the instance's pepper.
    InstallToken([u8; 32]),
    /// The row of anything else, which must be of this kind.
    Row(CredentialKind, CredentialId),
}

/// A credential whose form is right and that may now be looked up.
pub struct Presented {
    key: CredentialKey,
    /// What the row's proof is held against; `None` where finding the row is proof enough.
    secret: Option<Bearer>,
    /// What a signed token says of itself, which the row must bear out.
    grant: Option<Grant>,
}

impl Presented {
    /// A peer of the Unix socket, by the user id that the kernel reports for it.
    ///
    /// # Errors
    /// [`Denied::InvalidCredential`] for any user but the daemon's own.
    pub fn socket_peer(peer: u32, own: u32) -> Result<Self, Denied> {
        if peer == own {
            Ok(Self {
                key: CredentialKey::SocketOwner,
                secret: None,
                grant: None,
            })
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
        Self::token(token, keys)
    }

    /// A bearer credential on its own.
    ///
    /// # Errors
    /// As [`Presented::authorization`]. A refresh token proves nobody here: it is good for a new
    /// access token and nothing else.
    pub fn token(token: &[u8], keys: &InstanceKeys) -> Result<Self, Denied> {
        if let Ok(token) = InstallToken::parse(token) {
            return Ok(Self {
                key: CredentialKey::InstallToken(token.stored_form(&keys.pepper)),
                secret: None,
                grant: None,
            });
        }
        let bearer =
            Bearer::parse(token, &keys.credential).map_err(|_| Denied::InvalidCredential)?;
        let kind = match bearer.kind() {
            BearerKind::PersonalAccess => CredentialKind::PersonalAccess,
            BearerKind::ApiKey => CredentialKind::ApiKey,
            BearerKind::RunnerKey => CredentialKind::RunnerKey,
            BearerKind::Refresh | BearerKind::Browser => return Err(Denied::InvalidCredential),
        };
        Ok(Self::bearer(kind, bearer))
    }

    /// The value of a browser's session cookie.
    ///
    /// # Errors
    /// [`Denied::InvalidCredential`] for one that we cannot have minted.
    pub fn browser(cookie: &[u8], keys: &InstanceKeys) -> Result<Self, Denied> {
        match Bearer::parse(cookie, &keys.credential) {
            Ok(bearer) if bearer.kind() == BearerKind::Browser => {
                Ok(Self::bearer(CredentialKind::Browser, bearer))
            }
            _ => Err(Denied::InvalidCredential),
        }
    }

    /// A signed access token, whose binding was proved too. The login that it came from still has to
    /// be there.
    #[must_use]
    pub fn access_token(token: &VerifiedToken) -> Self {
        Self::of_grant(token.grant().clone())
    }

    /// What a token that was verified says.
    pub(crate) fn of_grant(grant: Grant) -> Self {
        let id = CredentialId::from_bytes(grant.session);
        Self {
            key: CredentialKey::Row(CredentialKind::Login, id),
            secret: None,
            grant: Some(grant),
        }
    }

    fn bearer(kind: CredentialKind, bearer: Bearer) -> Self {
        Self {
            key: CredentialKey::Row(kind, CredentialId::from_bytes(bearer.id())),
            secret: Some(bearer),
            grant: None,
        }
    }

    /// What to look the row up by.
    #[must_use]
    pub fn key(&self) -> CredentialKey {
        self.key
    }

    pub(crate) fn into_parts(self) -> (Option<Bearer>, Option<Grant>) {
        (self.secret, self.grant)
    }
}

/// Shows which row, never the secret.
impl std::fmt::Debug for Presented {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Presented").field(&self.key).finish()
    }
}
