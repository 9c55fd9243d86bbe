//! From a presented credential and its row to a caller: the second door.

use std::sync::Arc;

use skep_crypto::{Bearer, InstanceKeys};
use skep_domain::{
    Bindings, CredentialKind, OrganizationId, PermissionSet, Principal, Reader, ReadingRing,
    Standing, Timestamp, WorkspaceId,
};

use skep_jose::Grant;

use crate::caller::{Caller, Denied};
use crate::presented::Presented;
use crate::stored::{CredentialFacts, Proof, StoredCredential};

/// What a check came to.
#[derive(Debug)]
pub enum Checked {
    /// It is known who calls.
    Caller(Box<Caller>),
    /// The secret has to be stretched first, which takes tens of milliseconds and 19 MiB.
    Slow(Box<SlowCheck>),
}

/// A check that waits for a slow hash. Whoever holds it has not proved anything yet.
pub struct SlowCheck {
    secret: Bearer,
    hash: skep_crypto::PasswordHash,
    mark: Mark,
    caller: Caller,
}

/// What is left of a slow check that passed: the same secret for the same stored hash passes
/// again without one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Mark([u8; 32]);

/// Joins a presented credential to the row that was found for it, at a moment. `bindings` are what
/// the row's sealed body says.
///
/// # Errors
/// [`Denied::InvalidCredential`], whatever is wrong with the credential, an ended or revoked one
/// included; [`Denied::OrganizationSuspended`] and [`Denied::AgentSuspended`] for a good one.
pub fn authenticate(
    presented: Presented,
    row: Option<StoredCredential>,
    bindings: Arc<Bindings>,
    keys: &InstanceKeys,
    now: Timestamp,
) -> Result<Checked, Denied> {
    let row = row
        .filter(|row| row.key == presented.key())
        .ok_or(Denied::InvalidCredential)?;
    let facts = row.facts;
    let (secret, grant) = presented.into_parts();
    // A login has no row to find without a token of ours, and the two must say the same.
    if (facts.kind == CredentialKind::Login) != grant.is_some()
        || grant.is_some_and(|grant| !bears_out(&facts, &grant))
    {
        return Err(Denied::InvalidCredential);
    }
    if let (Proof::Peppered(number, proof), Some(secret)) = (&facts.proof, &secret)
        && !secret.matches(&keys.peppers.get(*number), proof)
    {
        return Err(Denied::InvalidCredential);
    }
    match (&facts.proof, secret) {
        // A row that a token or the kernel vouches for has no secret, and no row does with one.
        (Proof::Found, None) | (Proof::Peppered(..), Some(_)) => {
            Ok(Checked::Caller(Box::new(admit(&facts, bindings, now)?)))
        }
        (Proof::Stretched(hash), Some(secret)) => {
            let hash = hash.clone();
            let mark =
                Mark(
                    keys.pepper
                        .tag32(&[b"verified", secret.secret(), hash.as_str().as_bytes()]),
                );
            let caller = admit(&facts, bindings, now)?;
            Ok(Checked::Slow(Box::new(SlowCheck {
                secret,
                hash,
                mark,
                caller,
            })))
        }
        _ => Err(Denied::InvalidCredential),
    }
}

/// Who asked for background work, as they stand when it is done: `row` is read then. Whom it was asked by
/// has to be whom the credential still proves, in the same organization and, where the work is about
/// one, the same workspace.
///
/// # Errors
/// As for [`authenticate`], of a credential whose secret is right.
pub fn resume(
    row: Option<StoredCredential>,
    (organization, workspace, principal): (OrganizationId, Option<WorkspaceId>, Principal),
    bindings: Arc<Bindings>,
    now: Timestamp,
) -> Result<Caller, Denied> {
    let facts = row.ok_or(Denied::InvalidCredential)?.facts;
    let is_theirs = facts.organization == organization
        && workspace.is_none_or(|workspace| workspace == facts.workspace)
        && facts.principal == principal;
    if !is_theirs {
        return Err(Denied::InvalidCredential);
    }
    admit(&facts, bindings, now)
}

impl SlowCheck {
    /// What is remembered of this check once it passed.
    #[must_use]
    pub fn mark(&self) -> Mark {
        self.mark
    }

    /// The row that is checked.
    #[must_use]
    pub fn credential(&self) -> skep_domain::CredentialId {
        self.caller.credential()
    }

    /// Passes without stretching, if this is what passed before.
    ///
    /// # Errors
    /// The check itself, when it is not.
    pub fn recall(self: Box<Self>, remembered: Option<Mark>) -> Result<Caller, Box<Self>> {
        if remembered == Some(self.mark) {
            Ok(self.caller)
        } else {
            Err(self)
        }
    }

    /// Stretches the secret and compares. Blocks for tens of milliseconds.
    ///
    /// # Errors
    /// [`Denied::InvalidCredential`].
    pub fn run(self) -> Result<Caller, Denied> {
        if self.hash.verify(self.secret.secret()) {
            Ok(self.caller)
        } else {
            Err(Denied::InvalidCredential)
        }
    }
}

/// Whether a login's row is of whom its token names.
fn bears_out(facts: &CredentialFacts, grant: &Grant) -> bool {
    facts.organization == grant.organization
        && grant
            .workspace
            .is_none_or(|workspace| workspace == facts.workspace)
        && facts.principal == grant.principal
}

fn admit(
    facts: &CredentialFacts,
    bindings: Arc<Bindings>,
    now: Timestamp,
) -> Result<Caller, Denied> {
    let ended = facts.revoked_at.is_some() || facts.expires_at.is_some_and(|end| end <= now);
    let role = facts.role.role().filter(|_| !ended);
    let role = role.ok_or(Denied::InvalidCredential)?;
    let [organization, principal] = facts.standing;
    let own = facts.kind.is_of_the_installation();
    // Whoever runs the installation has to be able to lift a suspension.
    if organization == Standing::Suspended && !own {
        return Err(Denied::OrganizationSuspended);
    }
    match (principal, facts.principal) {
        (Standing::Active, _) => {}
        (Standing::Suspended, Principal::Agent(_)) => return Err(Denied::AgentSuspended),
        // A human who was suspended learns no more than one who never was here.
        (Standing::Suspended, Principal::User(_)) => return Err(Denied::InvalidCredential),
    }
    // What is asked of somebody first comes before everything that their role lets them do.
    let permissions = if facts.owes_factor && !own {
        PermissionSet::EMPTY
    } else {
        narrowed(facts, role.permissions(), &bindings)
    };
    let reader = match facts.principal {
        Principal::User(user) => Reader::Human(user),
        Principal::Agent(agent) => Reader::Agent(agent, facts.policy),
    };
    let ring = ReadingRing::new(reader).within(bindings.projects);
    Ok(Caller::new(facts, role, permissions, ring, bindings))
}

/// What a role allows, less what the row and its bindings take away; a runner runs tasks beside.
fn narrowed(facts: &CredentialFacts, role: PermissionSet, bindings: &Bindings) -> PermissionSet {
    let role = if facts.kind == CredentialKind::RunnerKey {
        PermissionSet::RUNNER
    } else {
        role
    };
    [facts.narrowed_to, bindings.permissions]
        .into_iter()
        .flatten()
        .fold(role, PermissionSet::narrowed_to)
}

/// Shows which row, never the secret.
impl std::fmt::Debug for SlowCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SlowCheck")
            .field(&self.credential())
            .finish()
    }
}

#[cfg(test)]
mod tests;
