//! Sessions: listing, reading, ending.

use skep_authz::{
    Authorized,
    rights::{SessionCapture, SessionRead},
};
use skep_domain::{SessionId, SessionState};
use skep_store::{PageOf, Piece, Session, Turn};

use crate::access::show;
use crate::{App, AppError};

/// A page of sessions.
#[derive(Debug)]
pub struct SessionPage {
    /// Newest first.
    pub items: Vec<Session>,
    /// Whether there may be more.
    pub more: bool,
}

/// A page of turns.
#[derive(Debug)]
pub struct TurnPage {
    /// In order.
    pub items: Vec<Turn>,
    /// Ordinal to go on from, if there may be more.
    pub next: Option<u64>,
}

/// What ending a session brought.
#[derive(Debug)]
pub struct Ended {
    /// The session.
    pub session: Session,
    /// Memories made.
    pub memories: u32,
    /// Statements known already.
    pub known: u32,
}

const SESSION: &str = "session";

impl App {
    /// Sessions that the caller may see, newest first.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn list_sessions(
        &self,
        authorized: Authorized<SessionRead>,
        page: PageOf<SessionId>,
    ) -> Result<SessionPage, AppError> {
        let mut tx = self.store.begin(authorized).await?;
        let items = tx.list_sessions(page).await?;
        let more = items.len() == page.limit as usize;
        Ok(SessionPage { items, more })
    }

    /// One session.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn get_session(
        &self,
        authorized: Authorized<SessionRead>,
        id: SessionId,
    ) -> Result<Session, AppError> {
        let mut tx = self.store.begin(authorized).await?;
        tx.get_session(id).await?.ok_or(AppError::NotFound(SESSION))
    }

    /// Turns of a session, in order.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn list_turns(
        &self,
        authorized: Authorized<SessionRead>,
        id: SessionId,
        from: u64,
        limit: u32,
    ) -> Result<TurnPage, AppError> {
        let mut tx = self.store.begin(authorized).await?;
        let session = tx.get_session(id).await?;
        let session = session.ok_or(AppError::NotFound(SESSION))?;
        show(session.owner, Piece::Session(id));
        let items = tx.list_turns(id, from, limit).await?;
        let next = (items.len() == limit as usize)
            .then(|| items.last().map_or(from, |turn| turn.ordinal + 1));
        Ok(TurnPage { items, next })
    }

    /// Ends a session and distils what is left of it. The session is read again afterwards, because
    /// upkeep may have distilled some of it meanwhile.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn end_session(
        &self,
        authorized: Authorized<SessionCapture>,
        reading: Authorized<SessionRead>,
        id: SessionId,
    ) -> Result<Ended, AppError> {
        let tenant = (authorized.organization(), authorized.workspace());
        let mut tx = self.store.begin(authorized).await?;
        tx.get_session(id)
            .await?
            .ok_or(AppError::NotFound(SESSION))?;
        tx.set_session_state(id, SessionState::Ended).await?;
        tx.commit().await?;
        let distilled = self.distil_session(tenant, id).await?;
        self.dirty.mark(tenant);
        Ok(Ended {
            session: self.get_session(reading, id).await?,
            memories: distilled.new,
            known: distilled.known,
        })
    }
}
