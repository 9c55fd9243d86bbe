//! Observations: a memory about one participant as seen by another, kept and read with consent.

use skep_authz::{
    Authorized, Denied,
    rights::{MemoryRead, MemoryWrite, ParticipantSpeak},
};
use skep_domain::{
    Harness, MemoryId, MemoryKind, MemoryState, ParticipantId, Permission, Trust, Validity,
    Visibility,
};
use skep_memory::normal_form;
use skep_store::row::ObservationPage;
use skep_store::{Consent, Memory, NewMemory, Observation, Observed as Seen, Reach, Tx};

use super::reached;
use crate::memories::body;
use crate::{App, AppError};

/// Something that is said about a participant.
#[derive(Clone, Debug)]
pub struct Observe {
    /// About whom.
    pub subject: ParticipantId,
    /// As seen by whom; the caller if `None`.
    pub observer: Option<ParticipantId>,
    /// The statement.
    pub text: String,
    /// What sort.
    pub kind: MemoryKind,
    /// Who may read it.
    pub visibility: Visibility,
}

/// What became of it.
#[derive(Debug)]
pub struct Observed {
    /// The memory, new or known.
    pub memory: Memory,
    /// About whom and as seen by whom.
    pub observed: Seen,
    /// It was known already.
    pub known: bool,
    /// Secrets taken out.
    pub redacted: u32,
}

/// Which observations to list.
#[derive(Clone, Copy, Debug)]
pub struct ListObservations {
    /// About whom.
    pub subject: ParticipantId,
    /// Only as seen by this one.
    pub observer: Option<ParticipantId>,
    /// Rows wanted.
    pub limit: u32,
    /// Only memories whose id is less.
    pub before: Option<MemoryId>,
}

/// A page of observations.
#[derive(Debug)]
pub struct ObservationPageOf {
    /// Newest first.
    pub items: Vec<Observation>,
    /// Whether there may be more.
    pub more: bool,
}

impl App {
    /// Keeps what somebody says about a participant who agreed to that. The time is ours: no client
    /// dates an observation.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for who is out of reach, whether they agreed or not;
    /// [`AppError::ConsentRequired`]; [`AppError::Denied`] for the word of another observer.
    pub async fn observe(
        &self,
        authorized: Authorized<MemoryWrite>,
        speaks: Option<Authorized<ParticipantSpeak>>,
        observe: Observe,
    ) -> Result<Observed, AppError> {
        let taken = self.take_in_said(&observe.text)?;
        let tenant = (authorized.organization(), authorized.workspace());
        let trust = if authorized.agent().is_some() {
            Trust::Agent
        } else {
            Trust::User
        };
        let mut tx = self.store.begin(authorized).await?;
        let subject = reached(&mut tx, observe.subject, Reach::default()).await?;
        let observer = self
            .observer(&mut tx, observe.observer, speaks.is_some())
            .await?;
        if !Consent::allows(&tx.list_consents(subject.id).await?, observer) {
            return Err(AppError::ConsentRequired);
        }
        let about = Seen {
            subject: subject.id,
            observer,
        };
        let now = self.store.now();
        let new = NewMemory {
            id: self.store.mint(),
            kind: observe.kind,
            trust,
            state: MemoryState::Active,
            validity: Validity::open(now, now),
            visibility: observe.visibility,
            project: None,
            harness: Harness::Cli,
            session: None,
            turns: Vec::new(),
            normal_form: normal_form(&taken.text),
            body: body(taken.text),
            origins: Vec::new(),
            topics: Vec::new(),
            reasons: Vec::new(),
        };
        let kept = tx.put_observation(about, new).await?;
        let memory = tx
            .get_kept(&kept)
            .await?
            .ok_or(AppError::Internal("an observation was not kept"))?;
        tx.commit().await?;
        self.dirty.mark(tenant);
        Ok(Observed {
            memory,
            observed: about,
            known: matches!(kept, skep_store::Kept::Known(_)),
            redacted: taken.redacted,
        })
    }

    /// Whoever observes is the caller; somebody else only for who may speak for others.
    async fn observer(
        &self,
        tx: &mut Tx<MemoryWrite>,
        asked: Option<ParticipantId>,
        speaks: bool,
    ) -> Result<ParticipantId, AppError> {
        let own = self.own(tx).await?.id;
        match asked {
            Some(other) if other != own => {
                if !speaks {
                    return Err(Denied::MissingPermission(Permission::ParticipantSpeak).into());
                }
                Ok(reached(tx, other, Reach::default()).await?.id)
            }
            _ => Ok(own),
        }
    }

    /// Observations of a participant, newest first.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::ConsentRequired`], [`AppError::RateLimited`].
    pub async fn list_observations(
        &self,
        authorized: Authorized<MemoryRead>,
        list: ListObservations,
    ) -> Result<ObservationPageOf, AppError> {
        self.look(&authorized)?;
        let mut tx = self.store.begin(authorized).await?;
        let subject = reached(&mut tx, list.subject, Reach::default()).await?;
        let observer = match list.observer {
            Some(id) => Some(reached(&mut tx, id, Reach::default()).await?.id),
            None => None,
        };
        let history = tx.list_consents(subject.id).await?;
        let allowed = observer.map_or_else(
            || Consent::allows_any(&history),
            |observer| Consent::allows(&history, observer),
        );
        if !allowed {
            return Err(AppError::ConsentRequired);
        }
        let items = tx
            .list_observations(ObservationPage {
                subject: subject.id,
                observer,
                limit: list.limit,
                before: list.before,
            })
            .await?;
        let more = items.len() == list.limit as usize;
        Ok(ObservationPageOf { items, more })
    }
}
