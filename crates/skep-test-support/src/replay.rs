//! What one home holds told to another, in other pieces and with other upkeep in between.

use skep_app::{Capture, PageOf, Session, Turn, TurnIn};
use skep_authz::{Authorized, Right, rights};
use skep_domain::CaptureOrigin;

use crate::{Tenant, TestDaemon};

/// Sessions and turns read of a home, at most.
const ALL: u32 = 10_000;

/// How a home is told.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Turns in one batch.
    pub turns: usize,
    /// Whether upkeep comes after each batch.
    pub tends: bool,
}

impl TestDaemon {
    /// Tells this home the sessions of another, oldest first, each ended before the next begins; and
    /// does the upkeep at the end.
    ///
    /// # Panics
    /// When a use case fails.
    #[expect(clippy::expect_used, reason = "a test without its turns cannot go on")]
    pub async fn replay(&self, to: &Tenant, (of, from): (&Self, &Tenant), pace: Pace) {
        for (session, turns) in of.told(from).await {
            let mut kept = None;
            for piece in turns.chunks(pace.turns) {
                let batch = batch(&session, piece);
                let right = self.right::<rights::SessionCapture>(to).await;
                let captured = self.app.capture(right, batch).await;
                kept = captured.expect("a batch is kept").session;
                if pace.tends {
                    self.tend(to).await;
                }
            }
            let right = self.right(to).await;
            let id = kept.expect("a session has turns");
            let ended = self.app.end_session(right, self.right(to).await, id);
            ended.await.expect("a session ends");
            if pace.tends {
                self.tend(to).await;
            }
        }
        self.tend(to).await;
    }

    /// Every session of a tenant with its turns, oldest first.
    #[expect(clippy::expect_used, reason = "a test without its turns cannot go on")]
    async fn told(&self, tenant: &Tenant) -> Vec<(Session, Vec<Turn>)> {
        let page = PageOf {
            limit: ALL,
            before: None,
        };
        let sessions = self.app.list_sessions(self.right(tenant).await, page);
        let mut sessions = sessions.await.expect("sessions are listed").items;
        sessions.reverse();
        let mut told = Vec::new();
        for session in sessions {
            let right = self.right(tenant).await;
            let turns = self.app.list_turns(right, session.id, 0, ALL).await;
            told.push((session, turns.expect("turns are listed").items));
        }
        told
    }

    #[expect(clippy::expect_used, reason = "a test without its right cannot go on")]
    async fn right<P: Right>(&self, tenant: &Tenant) -> Authorized<P> {
        let owner = tenant.caller(&self.store, "owner").await;
        owner.authorize().expect("an owner may")
    }
}

fn batch(session: &Session, turns: &[Turn]) -> Capture {
    let turn = |turn: &Turn| {
        let turn = turn.turn.clone();
        TurnIn {
            client_event_id: turn.client_event_id,
            role: turn.role,
            at: turn.at,
            text: turn.text,
            tool: turn.tool,
            is_error: turn.is_error,
            paths: turn.paths,
            branch: turn.branch,
            author: None,
        }
    };
    Capture {
        harness: session.harness,
        external_id: session.external_id.clone(),
        title: session.title.clone(),
        project: session.project.clone(),
        cwd: session.cwd.clone(),
        turns: turns.iter().map(turn).collect(),
        cursor: None,
        origin: CaptureOrigin::Import,
        spool: None,
        ended: false,
    }
}
