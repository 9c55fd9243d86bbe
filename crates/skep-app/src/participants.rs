//! Participants: who is there, under which name, and what is one or gone.

mod card;
mod consent;
mod members;
mod observe;
mod recent;

use skep_authz::{
    Authorized, CanRead, CanWrite, Denied,
    rights::{MemberManage, ParticipantSelf, ParticipantSpeak, SessionRead},
};
use skep_domain::{
    Name, OrganizationId, ParticipantId, ParticipantKind, Permission, Principal, Quota, WorkspaceId,
};
use skep_store::{Erased, NewParticipant, PageOf, Participant, Reach, Tx};

use crate::error::Invalid;
use crate::throttle::Throttle;
use crate::{App, AppError, Rule};

pub use card::{CardEdit, CardFact, CardView};
pub use consent::Say;
pub use members::Start;
pub use observe::{ListObservations, ObservationPageOf, Observe, Observed};
pub use recent::{Recent, Summary};

/// Looks at participants and observations that one principal has at once, and per minute after.
const LOOKS: Quota = Quota::new(60, 30);
const PARTICIPANT: &str = "participant";

/// One principal of one workspace.
type Looker = (OrganizationId, WorkspaceId, Principal);
pub(crate) type Looks = Throttle<Looker>;

pub(crate) fn looks() -> Looks {
    Throttle::new(LOOKS)
}

/// Which participants to list.
#[derive(Clone, Debug)]
pub enum Whom {
    /// All that are reached.
    All,
    /// The one with this name.
    Named(String),
    /// The caller's own.
    Me,
}

/// A page of participants.
#[derive(Debug)]
pub struct ParticipantPage {
    /// Newest first.
    pub items: Vec<Participant>,
    /// Whether there may be more.
    pub more: bool,
}

impl App {
    /// Participants that the caller reaches.
    ///
    /// # Errors
    /// [`AppError::RateLimited`].
    pub async fn list_participants(
        &self,
        authorized: Authorized<SessionRead>,
        manages: Option<Authorized<MemberManage>>,
        whom: Whom,
        page: PageOf<ParticipantId>,
    ) -> Result<ParticipantPage, AppError> {
        self.look(&authorized)?;
        let reach = Reach::of(manages.as_ref());
        let mut tx = self.store.begin(authorized).await?;
        let items = match whom {
            Whom::Me => tx.get_own_participant().await?.into_iter().collect(),
            Whom::All => tx.list_participants(reach, None, page).await?,
            Whom::Named(name) => {
                let name = name_of(&name)?;
                tx.list_participants(reach, Some(&name), page).await?
            }
        };
        let more = items.len() == page.limit as usize;
        Ok(ParticipantPage { items, more })
    }

    /// One participant. One that is out of reach is as absent as one that never was.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::RateLimited`].
    pub async fn get_participant(
        &self,
        authorized: Authorized<SessionRead>,
        manages: Option<Authorized<MemberManage>>,
        id: ParticipantId,
    ) -> Result<Participant, AppError> {
        self.look(&authorized)?;
        let reach = Reach::of(manages.as_ref());
        let mut tx = self.store.begin(authorized).await?;
        reached(&mut tx, id, reach).await
    }

    /// Adds somebody who has no credential here.
    ///
    /// # Errors
    /// [`AppError::Conflict`] when the name, or one that looks the same, is taken.
    pub async fn add_participant(
        &self,
        authorized: Authorized<ParticipantSpeak>,
        name: &str,
        kind: ParticipantKind,
    ) -> Result<Participant, AppError> {
        let name = name_of(name)?;
        let mut tx = self.store.begin(authorized).await?;
        let new = NewParticipant {
            id: self.store.mint(),
            kind,
            principal: None,
            name: Some(name),
            at: self.store.now(),
        };
        if !tx.put_participant(&new).await? {
            return Err(AppError::Conflict(NAME_TAKEN));
        }
        let kept = reached(&mut tx, new.id, Reach::default()).await?;
        tx.commit().await?;
        Ok(kept)
    }

    /// Gives the caller's own participant a name, and makes it if there is none.
    ///
    /// # Errors
    /// [`AppError::Conflict`] when the name, or one that looks the same, is taken;
    /// [`AppError::RateLimited`], so that names cannot be tried out.
    pub async fn name_self(
        &self,
        authorized: Authorized<ParticipantSelf>,
        name: &str,
    ) -> Result<Participant, AppError> {
        self.look(&authorized)?;
        let name = name_of(name)?;
        let mut tx = self.store.begin(authorized).await?;
        let own = self.own(&mut tx).await?;
        let now = self.store.now();
        if !tx.set_participant_name(own.id, &name, now).await? {
            return Err(AppError::Conflict(NAME_TAKEN));
        }
        let named = reached(&mut tx, own.id, Reach::default()).await?;
        tx.commit().await?;
        Ok(named)
    }

    /// Says that a participant is another one. The history of both is kept, no consent of the one
    /// covers the other, and [`App::unmerge_participant`] undoes it.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Conflict`] when both have credentials, or either is part
    /// of a merge that this would bury.
    pub async fn merge_participant(
        &self,
        authorized: Authorized<MemberManage>,
        id: ParticipantId,
        into: ParticipantId,
    ) -> Result<Participant, AppError> {
        let mut tx = self.store.begin(authorized).await?;
        let one = exact(&mut tx, id).await?;
        let other = exact(&mut tx, into).await?;
        if id == into {
            return Err(AppError::Conflict("a participant is itself already"));
        }
        if one.principal.is_some() {
            return Err(AppError::Conflict(
                "it has a credential of its own: merge the other one into it instead",
            ));
        }
        let is_part = one.merged_into.is_some() || other.merged_into.is_some();
        if is_part || !tx.list_merged(id).await?.is_empty() {
            return Err(AppError::Conflict(
                "one of the two is part of a merge: undo that first, or merge into the same one",
            ));
        }
        tx.set_merged(id, Some(into), self.store.now()).await?;
        let merged = exact(&mut tx, into).await?;
        tx.commit().await?;
        Ok(merged)
    }

    /// Undoes a merge.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Conflict`] when it is not merged.
    pub async fn unmerge_participant(
        &self,
        authorized: Authorized<MemberManage>,
        id: ParticipantId,
    ) -> Result<Participant, AppError> {
        let mut tx = self.store.begin(authorized).await?;
        if exact(&mut tx, id).await?.merged_into.is_none() {
            return Err(AppError::Conflict("it is not merged into another"));
        }
        tx.set_merged(id, None, self.store.now()).await?;
        let apart = exact(&mut tx, id).await?;
        tx.commit().await?;
        Ok(apart)
    }

    /// Deletes a participant: oneself, one that one added, or anybody for who manages members.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Denied`].
    pub async fn delete_participant(
        &self,
        authorized: Authorized<ParticipantSelf>,
        manages: Option<Authorized<MemberManage>>,
        id: ParticipantId,
    ) -> Result<Erased, AppError> {
        let now = self.store.now();
        if let Some(manages) = manages {
            let mut tx = self.store.begin(manages).await?;
            let one = exact(&mut tx, id).await?;
            let erased = tx.erase_participant(&one, now).await?;
            tx.commit().await?;
            return Ok(erased);
        }
        let mut tx = self.store.begin(authorized).await?;
        let one = reached(&mut tx, id, Reach::default()).await?;
        if !answers_for(&tx, &one) {
            return Err(Denied::MissingPermission(Permission::MemberManage).into());
        }
        let erased = tx.erase_participant(&one, now).await?;
        tx.commit().await?;
        Ok(erased)
    }

    /// The caller's own participant, made on first need.
    pub(crate) async fn own<P: CanWrite>(&self, tx: &mut Tx<P>) -> Result<Participant, AppError> {
        if let Some(own) = tx.get_own_participant().await? {
            return Ok(own);
        }
        let principal = tx.principal();
        let new = NewParticipant {
            id: self.store.mint(),
            kind: match principal {
                Some(Principal::Agent(_)) => ParticipantKind::Agent,
                Some(Principal::User(_)) | None => ParticipantKind::Human,
            },
            principal,
            name: None,
            at: self.store.now(),
        };
        tx.put_participant(&new).await?;
        tx.get_own_participant()
            .await?
            .ok_or(AppError::Internal("a participant was not kept"))
    }

    /// Takes one of the looks that a principal has.
    pub(crate) fn look<P: skep_authz::Right>(
        &self,
        authorized: &Authorized<P>,
    ) -> Result<(), AppError> {
        let Some(principal) = authorized.principal() else {
            return Ok(());
        };
        let who = (authorized.organization(), authorized.workspace(), principal);
        self.looks
            .take(who, self.store.now())
            .map_err(|retry_after_ms| AppError::RateLimited { retry_after_ms })
    }
}

const NAME_TAKEN: &str =
    "another participant has this name, or one that looks the same: choose another";

/// One that the caller reaches.
async fn reached<P: CanRead>(
    tx: &mut Tx<P>,
    id: ParticipantId,
    reach: Reach,
) -> Result<Participant, AppError> {
    tx.get_participant(id, reach)
        .await?
        .ok_or(AppError::NotFound(PARTICIPANT))
}

async fn exact(tx: &mut Tx<MemberManage>, id: ParticipantId) -> Result<Participant, AppError> {
    tx.get_exact_participant(id)
        .await?
        .ok_or(AppError::NotFound(PARTICIPANT))
}

/// Whether whoever acts is the participant, or added it and nobody else speaks as it.
fn answers_for<P: CanRead>(tx: &Tx<P>, one: &Participant) -> bool {
    match one.principal {
        Some(principal) => Some(principal) == tx.principal(),
        None => Some(one.owner) == tx.principal(),
    }
}

fn name_of(text: &str) -> Result<Name, AppError> {
    Name::parse(text).map_err(|error| {
        AppError::Invalid(Invalid {
            field: "name".into(),
            rule: Rule::Invalid,
            message: error.to_string(),
        })
    })
}
