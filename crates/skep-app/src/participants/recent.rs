//! The last of a session in so many tokens: what came of it, then its latest turns.

use skep_authz::{Authorized, rights::SessionRead};
use skep_domain::{MemoryId, SessionId, TurnRole};
use skep_memory::estimate_tokens;
use skep_store::{Memory, Session, Turn};

use crate::{App, AppError};

/// The last of a session.
#[derive(Debug)]
pub struct Recent {
    /// The session.
    pub session: Session,
    /// What came of it.
    pub summary: Vec<Summary>,
    /// Its latest turns without a gap, oldest first.
    pub turns: Vec<Turn>,
    /// Estimated tokens of all that.
    pub tokens: u32,
    /// Turns that the caller may see and that did not fit.
    pub left_out: u64,
}

/// One line of what came of a session.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The memory it is the key line of; the harness's own summary if `None`.
    pub memory: Option<MemoryId>,
    /// The line.
    pub text: String,
}

/// Of ten tokens, so many for the summary at most.
const SUMMARY_TENTHS: u32 = 4;
/// Memories looked through for a summary.
const MEMORIES: u32 = 50;
/// Turns fetched at a time.
const PAGE: u32 = 64;
/// Tokens around a turn: who and when.
const FRAME: u32 = 8;

impl App {
    /// The last of a session, as far as the caller may see it, in at most `tokens` estimated tokens.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn recent(
        &self,
        authorized: Authorized<SessionRead>,
        id: SessionId,
        tokens: u32,
    ) -> Result<Recent, AppError> {
        let mut tx = self.store.begin(authorized).await?;
        let session = tx
            .get_session(id)
            .await?
            .ok_or(AppError::NotFound("session"))?;
        let memories = tx.list_session_memories(id, MEMORIES).await?;
        let (mut turns, mut used, mut before) = (Vec::new(), 0, u64::MAX);
        let reserve = reserved(&memories, tokens);
        'filling: loop {
            let page = tx.list_turns_before(id, before, PAGE).await?;
            let last = page.len() < PAGE as usize;
            for turn in page {
                before = turn.ordinal;
                let cost = cost(&turn);
                if used + cost > tokens - reserve {
                    break 'filling;
                }
                used += cost;
                turns.push(turn);
            }
            if last {
                break;
            }
        }
        turns.reverse();
        let harness = turns
            .iter()
            .rposition(|turn: &Turn| turn.turn.role == TurnRole::Summary);
        let summary = match harness {
            // The harness's own summary stands among the turns already.
            Some(_) => Vec::new(),
            None => lines(memories, tokens - used),
        };
        used += summary.iter().map(line_cost).sum::<u32>();
        Ok(Recent {
            left_out: session.turns.saturating_sub(turns.len() as u64),
            session,
            summary,
            turns,
            tokens: used,
        })
    }
}

/// What the summary may take away from the turns: no more than its share, and than there is of it.
fn reserved(memories: &[Memory], tokens: u32) -> u32 {
    let share = tokens / 10 * SUMMARY_TENTHS;
    let all: u32 = memories
        .iter()
        .map(|memory| FRAME + estimate_tokens(&memory.body.key))
        .sum();
    share.min(all)
}

fn lines(memories: Vec<Memory>, mut room: u32) -> Vec<Summary> {
    let mut lines = Vec::new();
    for memory in memories {
        let line = Summary {
            memory: Some(memory.id),
            text: memory.body.key,
        };
        let cost = line_cost(&line);
        if cost <= room {
            room -= cost;
            lines.push(line);
        }
    }
    lines.reverse();
    lines
}

fn line_cost(line: &Summary) -> u32 {
    FRAME + estimate_tokens(&line.text)
}

fn cost(turn: &Turn) -> u32 {
    FRAME + estimate_tokens(&turn.turn.text)
}
