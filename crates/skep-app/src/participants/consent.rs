//! Consent: given and withdrawn by whom it is about, or by who answers for them.

use skep_authz::{
    Authorized, Denied,
    rights::{MemberManage, ParticipantSelf, ParticipantSpeak, SessionRead},
};
use skep_domain::{Limits, ParticipantId, ParticipantKind, Permission};
use skep_store::{Consent, NewConsent, Reach};

use super::{answers_for, reached};
use crate::error::Invalid;
use crate::{App, AppError};

/// A consent, or its withdrawal.
#[derive(Clone, Debug)]
pub struct Say {
    /// About whom.
    pub subject: ParticipantId,
    /// As seen by whom; anybody if `None`.
    pub observer: Option<ParticipantId>,
    /// Given, or withdrawn.
    pub given: bool,
    /// Why, or how it is known.
    pub note: Option<String>,
}

impl App {
    /// Gives or withdraws consent. It holds when this returns: what rests on a withdrawn one shows
    /// nowhere, and shows again when it is given again.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Denied`] for anybody but the participant itself and,
    /// when it has no credential, whoever added it; [`AppError::Invalid`] when that is a person and
    /// nothing says how the consent is known.
    pub async fn say_consent(
        &self,
        authorized: Authorized<ParticipantSelf>,
        speaks: Option<Authorized<ParticipantSpeak>>,
        say: Say,
    ) -> Result<Vec<Consent>, AppError> {
        self.look(&authorized)?;
        let note = say.note.as_deref().map(str::trim).unwrap_or_default();
        Invalid::check_length("note", note, Limits::NOTE)?;
        let mut tx = self.store.begin(authorized).await?;
        let subject = reached(&mut tx, say.subject, Reach::default()).await?;
        if !answers_for(&tx, &subject) {
            return Err(AppError::Forbidden(
                "only the participant itself consents, or whoever added one that has no credential",
            ));
        }
        let on_behalf = subject.principal.is_none() && subject.kind != ParticipantKind::Agent;
        if on_behalf && speaks.is_none() {
            return Err(Denied::MissingPermission(Permission::ParticipantSpeak).into());
        }
        if on_behalf && say.given && note.is_empty() {
            return Err(Invalid::required("note"));
        }
        if let Some(observer) = say.observer {
            reached(&mut tx, observer, Reach::default()).await?;
        }
        let new = NewConsent {
            subject: subject.id,
            observer: say.observer,
            given: say.given,
            at: self.store.now(),
            note: (!note.is_empty()).then(|| self.take_in_line(note)),
        };
        tx.put_consent(&new).await?;
        if !say.given {
            // Who turned out to be the same withdraws with it; a consent never spreads like that.
            for alias in tx.list_merged(subject.id).await? {
                tx.put_consent(&NewConsent {
                    subject: alias,
                    note: None,
                    ..new
                })
                .await?;
            }
        }
        let history = tx.list_consents(subject.id).await?;
        tx.commit().await?;
        Ok(history)
    }

    /// The history of consent of a participant, oldest first, for itself, for who answers for it,
    /// and for who manages members.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Forbidden`].
    pub async fn list_consents(
        &self,
        authorized: Authorized<SessionRead>,
        manages: Option<Authorized<MemberManage>>,
        subject: Option<ParticipantId>,
    ) -> Result<Vec<Consent>, AppError> {
        self.look(&authorized)?;
        let reach = Reach::of(manages.as_ref());
        let mut tx = self.store.begin(authorized).await?;
        let subject = match subject {
            Some(id) => reached(&mut tx, id, reach).await?,
            None => match tx.get_own_participant().await? {
                Some(own) => own,
                None => return Ok(Vec::new()),
            },
        };
        if !reach.is_everyone() && !answers_for(&tx, &subject) {
            return Err(AppError::Forbidden(
                "a history of consent is for whom it is about, and for who answers for them",
            ));
        }
        Ok(tx.list_consents(subject.id).await?)
    }
}
