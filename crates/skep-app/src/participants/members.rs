//! Who is in a session, from which turn to which.

use skep_authz::{
    Authorized,
    rights::{MemberManage, SessionCapture, SessionRead},
};
use skep_domain::{ParticipantId, SessionId, Timestamp};
use skep_store::{Member, Reach, Tx};

use super::reached;
use crate::error::Invalid;
use crate::{App, AppError, Rule};

/// Where a stay begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the next turn.
    Now,
    /// With this turn.
    Ordinal(u64),
    /// With the first turn that we recorded then or later.
    Time(Timestamp),
}

const SESSION: &str = "session";

impl App {
    /// Who was in a session, and when. Its owner sees all; a member sees those whose stay met one
    /// of its own.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn list_members(
        &self,
        authorized: Authorized<SessionRead>,
        session: SessionId,
    ) -> Result<Vec<Member>, AppError> {
        let mut tx = self.store.begin(authorized).await?;
        tx.get_session(session)
            .await?
            .ok_or(AppError::NotFound(SESSION))?;
        let members = tx.list_members(session).await?;
        let own = tx.list_own_windows(session).await?;
        Ok(members
            .into_iter()
            .filter(|member| {
                own.as_ref()
                    .is_none_or(|own| own.iter().any(|window| window.meets(&member.window)))
            })
            .collect())
    }

    /// Lets a participant into a session. From then on the session is read by its owner and its
    /// members alone, these within their stays.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Forbidden`] for who does not own the session: nobody
    /// joins by themselves; [`AppError::Conflict`] for who is in it.
    pub async fn join_session(
        &self,
        authorized: Authorized<SessionCapture>,
        manages: Option<Authorized<MemberManage>>,
        session: SessionId,
        participant: ParticipantId,
        from: Start,
    ) -> Result<Vec<Member>, AppError> {
        let reach = Reach::of(manages.as_ref());
        let mut tx = self.store.begin(authorized).await?;
        let turns = owned(&mut tx, session, JOIN).await?;
        let who = reached(&mut tx, participant, reach).await?;
        let own = self.own(&mut tx).await?;
        let from = place(&mut tx, session, from, turns).await?;
        let now = self.store.now();
        if who.id != own.id && tx.list_members(session).await?.is_empty() {
            tx.open_window(session, own.id, 0, now).await?;
        }
        if !tx.open_window(session, who.id, from, now).await? {
            return Err(AppError::Conflict("it is in the session already"));
        }
        let members = tx.list_members(session).await?;
        tx.commit().await?;
        Ok(members)
    }

    /// Ends a stay: of anybody by the owner of the session, of themselves by a member.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Forbidden`]; [`AppError::Conflict`] for who is not in it.
    pub async fn leave_session(
        &self,
        authorized: Authorized<SessionCapture>,
        session: SessionId,
        participant: Option<ParticipantId>,
        to: Start,
    ) -> Result<(), AppError> {
        let mut tx = self.store.begin(authorized).await?;
        let own = tx.get_own_participant().await?.map(|own| own.id);
        let who = participant
            .or(own)
            .ok_or(AppError::NotFound("participant"))?;
        let turns = if Some(who) == own {
            tx.get_session(session)
                .await?
                .ok_or(AppError::NotFound(SESSION))?;
            next_ordinal(&mut tx, session).await?
        } else {
            owned(&mut tx, session, LEAVE).await?
        };
        let to = place(&mut tx, session, to, turns).await?;
        let now = self.store.now();
        if !tx.close_window(session, who, to, now).await? {
            return Err(AppError::Conflict("it is not in the session"));
        }
        tx.commit().await?;
        Ok(())
    }
}

const JOIN: &str = "only who owns a session lets others into it";
const LEAVE: &str = "only who owns a session ends the stay of others";

/// The next ordinal of a session that the caller owns. One that they may not even see is absent.
async fn owned(
    tx: &mut Tx<SessionCapture>,
    session: SessionId,
    refusal: &'static str,
) -> Result<u64, AppError> {
    tx.get_session(session)
        .await?
        .ok_or(AppError::NotFound(SESSION))?;
    match tx.get_session_owner(session).await? {
        Some((owner, turns)) if Some(owner) == tx.principal() => Ok(turns),
        Some(_) => Err(AppError::Forbidden(refusal)),
        None => Err(AppError::NotFound(SESSION)),
    }
}

async fn next_ordinal(tx: &mut Tx<SessionCapture>, session: SessionId) -> Result<u64, AppError> {
    let owner = tx.get_session_owner(session).await?;
    owner
        .map(|(_, turns)| turns)
        .ok_or(AppError::NotFound(SESSION))
}

async fn place(
    tx: &mut Tx<SessionCapture>,
    session: SessionId,
    start: Start,
    turns: u64,
) -> Result<u64, AppError> {
    match start {
        Start::Now => Ok(turns),
        Start::Time(at) => Ok(tx.get_ordinal_at(session, at).await?),
        Start::Ordinal(ordinal) if ordinal <= turns => Ok(ordinal),
        Start::Ordinal(_) => Err(AppError::Invalid(Invalid {
            field: "turn".into(),
            rule: Rule::Invalid,
            message: format!("the session has {turns} turns: turn is at most {turns}"),
        })),
    }
}
