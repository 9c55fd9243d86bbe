//! Second factors, attempts at accounts, and identities that others vouch for.

use skep_crypto::Plain;
use skep_domain::{
    Attempt, FactorId, FactorKind, Id, Lockout, OrganizationId, Timestamp, UserId, normal_address,
};

use super::keys::FACTOR_BODY;
use super::{DoorTx, Revoked, SelfTx};
use crate::StoreError;
use crate::row::{FactorChange, FactorRow};

/// Something that a human proves themselves with beside a password.
pub struct Factor {
    /// Whose.
    pub user: UserId,
    /// Its id.
    pub id: FactorId,
    /// What it is.
    pub kind: FactorKind,
    /// What its holder calls it.
    pub label: String,
    /// A seed, stored forms of codes, or a passkey.
    pub secret: Plain<Vec<u8>>,
    /// Whether its holder has shown that it works.
    pub confirmed: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used.
    pub used_at: Option<Timestamp>,
    version: u64,
}

/// A factor to keep.
pub struct NewFactor<'a> {
    /// What it is.
    pub kind: FactorKind,
    /// What its holder calls it.
    pub label: &'a str,
    /// A seed, stored forms of codes, or a passkey.
    pub secret: &'a [u8],
    /// A passkey's own id, which it is found by.
    pub found_by: Option<&'a [u8]>,
    /// Whether its holder has shown that it works.
    pub confirmed: bool,
}

/// Whose attempts are counted.
#[derive(Clone, Copy, Debug)]
pub enum Account<'a> {
    /// Of whoever has this address, if anybody does.
    Address(&'a str),
    /// At the second factor of a human.
    SecondFactor(UserId),
}

impl DoorTx {
    /// Keeps a factor of a human.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody has this passkey.
    pub async fn put_factor(
        &mut self,
        user: UserId,
        new: NewFactor<'_>,
    ) -> Result<FactorId, StoreError> {
        let id: FactorId = self.mint();
        let row = FactorRow {
            user,
            id,
            kind: new.kind,
            fingerprint: new.found_by.map(|found_by| self.passkey(found_by)),
            confirmed: new.confirmed,
            version: 0,
            body: self.seal_factor(user, id, new.label, new.secret),
            created_at: self.now,
            used_at: None,
        };
        self.rows.put_factor(row).await?;
        Ok(id)
    }

    /// The factors of a human, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_factors(&mut self, user: UserId) -> Result<Vec<Factor>, StoreError> {
        let rows = self.rows.factors_of(user).await?;
        rows.iter().map(|row| self.open_factor(row)).collect()
    }

    /// The passkey of this id, whoever has it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_passkey(&mut self, found_by: &[u8]) -> Result<Option<Factor>, StoreError> {
        let fingerprint = self.passkey(found_by);
        let row = self.rows.factor_of_fingerprint(fingerprint).await?;
        row.map(|row| self.open_factor(&row)).transpose()
    }

    /// Notes that a factor was used, with what it keeps from now on; `false` when somebody used it
    /// meanwhile, so that nothing is good twice.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn use_factor(&mut self, factor: &Factor, secret: &[u8]) -> Result<bool, StoreError> {
        let change = FactorChange {
            user: factor.user,
            id: factor.id,
            version: factor.version,
            confirmed: true,
            body: self.seal_factor(factor.user, factor.id, &factor.label, secret),
            used_at: Some(self.now),
        };
        self.rows.update_factor(change).await
    }

    /// Removes a factor; `false` when there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete_factor(&mut self, user: UserId, id: FactorId) -> Result<bool, StoreError> {
        self.rows.delete_factor(user, id).await
    }

    /// Books an attempt at an account before it is judged.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn book_attempt(&mut self, account: Account<'_>) -> Result<Attempt, StoreError> {
        let place = self.account(account);
        let stored = self.rows.login_attempts(place).await?;
        let lockout = stored.map_or_else(Lockout::default, |(n, at)| Lockout::stored(n, at));
        let attempt = lockout.attempt(self.now);
        if let Attempt::Booked(next) = attempt {
            self.rows
                .put_login_attempts(place, Some(next.parts()))
                .await?;
        }
        Ok(attempt)
    }

    /// Forgets the attempts at an account: one of them succeeded.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn forget_attempts(&mut self, account: Account<'_>) -> Result<(), StoreError> {
        let place = self.account(account);
        self.rows.put_login_attempts(place, None).await
    }

    /// Removes what is known of accounts at which nobody tried lately; says how many.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sweep_attempts(&mut self, limit: u32) -> Result<u64, StoreError> {
        let before = self.now.as_micros().saturating_sub(Lockout::SHUT_MICROS);
        let before = Timestamp::from_micros(before);
        self.rows.sweep_login_attempts(before, limit).await
    }

    /// Whom an organization's issuer means by a subject.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_identity_link(
        &mut self,
        organization: OrganizationId,
        (issuer, subject): (&str, &str),
    ) -> Result<Option<UserId>, StoreError> {
        let fingerprint = self.identity(issuer, subject);
        self.rows.identity_link(organization, fingerprint).await
    }

    /// Keeps whom an organization's issuer means by a subject.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it means somebody.
    pub async fn put_identity_link(
        &mut self,
        organization: OrganizationId,
        (issuer, subject): (&str, &str),
        user: UserId,
    ) -> Result<(), StoreError> {
        let (fingerprint, now) = (self.identity(issuer, subject), self.now);
        self.rows
            .put_identity_link(organization, fingerprint, user, now)
            .await
    }

    /// Whether an organization's issuer means a human by anything.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn has_identity_link(
        &mut self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<bool, StoreError> {
        self.rows.has_identity_link(organization, user).await
    }

    /// Revokes all of a human in an organization that came of its issuer's word; says how many.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revoke_confined_of(
        &mut self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<u64, StoreError> {
        let now = self.now;
        self.news.add(Revoked::Credential);
        self.rows
            .revoke_confined_credentials(organization, Some(user), now)
            .await
    }

    /// Forgets by what an organization's issuer means a human; says how many there were.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete_identity_links(
        &mut self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<u64, StoreError> {
        self.rows.delete_identity_links(organization, user).await
    }

    fn seal_factor(
        &self,
        user: UserId,
        id: FactorId,
        label: &str,
        secret: &[u8],
    ) -> skep_crypto::Sealed {
        let length = (label.len() as u32).to_le_bytes();
        let bytes = Plain::new([&length[..], label.as_bytes(), secret].concat());
        self.keys.seal(
            FACTOR_BODY,
            (user.to_bytes(), id.to_bytes()),
            bytes.expose(),
        )
    }

    fn open_factor(&self, row: &FactorRow) -> Result<Factor, StoreError> {
        const DAMAGED: StoreError = StoreError::Damaged("the body of a factor");
        let at = (row.user.to_bytes(), row.id.to_bytes());
        let plain = self.keys.open(FACTOR_BODY, at, &row.body)?;
        let (length, rest) = plain.expose().split_first_chunk().ok_or(DAMAGED)?;
        let length = u32::from_le_bytes(*length) as usize;
        let (label, secret) = rest.split_at_checked(length).ok_or(DAMAGED)?;
        Ok(Factor {
            user: row.user,
            id: row.id,
            kind: row.kind,
            label: String::from_utf8(label.to_vec()).map_err(|_| DAMAGED)?,
            secret: Plain::new(secret.to_vec()),
            confirmed: row.confirmed,
            created_at: row.created_at,
            used_at: row.used_at,
            version: row.version,
        })
    }

    fn passkey(&self, id: &[u8]) -> [u8; 16] {
        self.keys.fingerprint(&[b"passkey", id])
    }

    fn identity(&self, issuer: &str, subject: &str) -> [u8; 16] {
        let parts = [b"identity", issuer.as_bytes(), subject.as_bytes()];
        self.keys.fingerprint(&parts)
    }

    fn account(&self, account: Account<'_>) -> [u8; 16] {
        match account {
            Account::Address(address) => {
                let normal = normal_address(address);
                self.keys.fingerprint(&[b"attempts", normal.as_bytes()])
            }
            Account::SecondFactor(user) => {
                let user = user.to_bytes();
                self.keys.fingerprint(&[b"second factor attempts", &user])
            }
        }
    }
}

impl SelfTx {
    /// Their factors, oldest first; none for an agent.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_factors(&mut self) -> Result<Vec<Factor>, StoreError> {
        match self.user() {
            Some(user) => self.door.list_factors(user).await,
            None => Ok(Vec::new()),
        }
    }

    /// Keeps a factor of theirs.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody has this passkey; [`StoreError::Refused`] for an agent.
    pub async fn put_factor(&mut self, new: NewFactor<'_>) -> Result<FactorId, StoreError> {
        match self.user() {
            Some(user) => self.door.put_factor(user, new).await,
            None => Err(StoreError::Refused("an agent has no second factor".into())),
        }
    }

    /// Notes that a factor of theirs was used; `false` when it was meanwhile, or is somebody else's.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn use_factor(&mut self, factor: &Factor, secret: &[u8]) -> Result<bool, StoreError> {
        if self.user() != Some(factor.user) {
            return Ok(false);
        }
        self.door.use_factor(factor, secret).await
    }

    /// Removes a factor of theirs; `false` when they have none such.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete_factor(&mut self, id: FactorId) -> Result<bool, StoreError> {
        match self.user() {
            Some(user) => self.door.delete_factor(user, id).await,
            None => Ok(false),
        }
    }
}

/// Shows which, never the secret.
impl std::fmt::Debug for Factor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Factor")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}
