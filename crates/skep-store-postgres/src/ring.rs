//! The reading ring as SQL: the one predicate that every statement on memories, sessions and turns
//! carries for a caller.
//!
//! Beside owner and visibility it asks for consent, and for a place in the session: see
//! [`ring_predicate`].
//!
//! Convention of all statements here: `$1` is the workspace, `$2` to `$6` are the ring.

use skep_domain::ReadingRing;
use skep_store::backend::RingValues;

use crate::rows::Rows;
use crate::value::{Value, values};

/// Whether a row lies in the projects that the reader is confined to (`$6`: their ids). Without bounds every
/// row does; within some, what belongs to no project does not.
macro_rules! project_predicate {
    ($alias:literal) => {
        concat!(
            "($6::uuid[] IS NULL OR ",
            $alias,
            ".project = ANY ($6::uuid[]))"
        )
    };
}
pub(crate) use project_predicate;

/// Whether the ring in `$2` to `$6` lets a row of the given alias through, by owner and visibility.
///
/// A row passes for its owner (`$2`, `$3`), or when its visibility lies between what the reader
/// may see at the least (`$4`) and `workspace`, and, for a reader by group (`$5`), its owner wrote
/// it in that group. A visibility or a kind of principal that nobody knows passes for nobody.
macro_rules! visibility_predicate {
    ($alias:literal) => {
        concat!(
            $crate::ring::project_predicate!($alias),
            " AND ((",
            $alias,
            ".owner_kind = $2 AND ",
            $alias,
            ".owner = $3) OR (",
            $alias,
            ".visibility BETWEEN $4 AND 2 AND ($5::uuid IS NULL OR ",
            $alias,
            ".owner_group = $5)))"
        )
    };
}
pub(crate) use visibility_predicate;

/// Whether every consent that a memory rests on is given now. It names no time: a consent withdrawn
/// hides the past too. A memory about nobody rests on none.
macro_rules! consent_predicate {
    ($memory:literal) => {
        concat!(
            "NOT EXISTS (SELECT 1 FROM memory_about AS ab WHERE ab.workspace_id = $1
              AND NOT COALESCE((SELECT co.given FROM consent AS co
                  WHERE co.workspace_id = $1 AND co.subject = ab.subject
                  AND (co.observer IS NULL OR co.observer = ab.observer)
                  ORDER BY co.entry DESC LIMIT 1), false)
              AND ab.memory = ",
            $memory,
            ")"
        )
    };
}
pub(crate) use consent_predicate;

/// Whether whoever asks (`$2`, `$3`) has a window in a session, of which more may be demanded. A
/// participant merged into theirs is theirs.
macro_rules! window_predicate {
    ($session:literal, $more:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM session_member AS w
              JOIN participant AS wp ON wp.workspace_id = $1 AND wp.id = w.participant
              JOIN participant AS me
                  ON me.workspace_id = $1 AND me.id = COALESCE(wp.merged_into, wp.id)
              WHERE w.workspace_id = $1 AND me.principal_kind = $2 AND me.principal = $3
              AND w.session = ",
            $session,
            $more,
            ")"
        )
    };
}
pub(crate) use window_predicate;

/// Whether nobody was ever a member of a session, so that its visibility decides.
macro_rules! memberless {
    ($session:literal) => {
        concat!(
            "NOT EXISTS (SELECT 1 FROM session_member AS sm WHERE sm.workspace_id = $1
              AND sm.session = ",
            $session,
            ")"
        )
    };
}
pub(crate) use memberless;

/// What a memory passes by: see [`ring_predicate`].
macro_rules! memory_ring {
    ($alias:literal, $id:literal, $session:literal) => {
        concat!(
            "(",
            $crate::ring::visibility_predicate!($alias),
            " AND ",
            $crate::ring::consent_predicate!($id),
            " AND (",
            $session,
            " IS NULL OR (",
            $alias,
            ".owner_kind = $2 AND ",
            $alias,
            ".owner = $3) OR ",
            $crate::ring::memberless!($session),
            " OR EXISTS (SELECT 1 FROM memory_span AS sp WHERE sp.workspace_id = $1
                  AND sp.memory = ",
            $id,
            " AND ",
            $crate::ring::window_predicate!(
                $session,
                " AND w.from_ordinal <= sp.first_turn
                  AND (w.to_ordinal IS NULL OR sp.last_turn < w.to_ordinal)"
            ),
            ")))"
        )
    };
}
pub(crate) use memory_ring;

/// What every statement on sessions (alias `s`) and on memories (`m`, and `n` for a second one)
/// carries for a caller.
/// No other alias is taken, so that none forgets consent and membership.
///
/// A session passes for its owner; for a member, in whose windows [`turn_predicate`] keeps them;
/// and by visibility if it has no members. A memory passes by visibility, if every consent that it
/// rests on is given, and, if its session has members, for its owner and for whoever has a window
/// around all the turns that it came from.
macro_rules! ring_predicate {
    ("s") => {
        concat!(
            $crate::ring::project_predicate!("s"),
            " AND ((s.owner_kind = $2 AND s.owner = $3) OR (",
            $crate::ring::visibility_predicate!("s"),
            " AND ",
            $crate::ring::memberless!("s.id"),
            ") OR ",
            $crate::ring::window_predicate!("s.id", ""),
            ")"
        )
    };
    ("m") => {
        $crate::ring::memory_ring!("m", "m.id", "m.session")
    };
    // Where a second memory stands beside the first.
    ("n") => {
        $crate::ring::memory_ring!("n", "n.id", "n.session")
    };
}
pub(crate) use ring_predicate;

/// Whether a turn `t` of a session `s` passes, which implies that the session does.
macro_rules! turn_predicate {
    () => {
        concat!(
            $crate::ring::project_predicate!("s"),
            " AND ((s.owner_kind = $2 AND s.owner = $3) OR (",
            $crate::ring::visibility_predicate!("s"),
            " AND ",
            $crate::ring::memberless!("s.id"),
            ") OR ",
            $crate::ring::window_predicate!(
                "s.id",
                " AND w.from_ordinal <= t.ordinal
                  AND (w.to_ordinal IS NULL OR t.ordinal < w.to_ordinal)"
            ),
            ")"
        )
    };
}
pub(crate) use turn_predicate;

impl Rows<'_> {
    /// The workspace and the ring, `$1` to `$6`, and what follows them.
    pub(crate) fn for_reader(&self, ring: &ReadingRing, rest: &[Value]) -> Vec<Value> {
        let ring = RingValues::of(ring);
        let mut all = values![
            self.workspace,
            ring.kind,
            ring.owner,
            ring.least,
            ring.group,
            ring.projects
        ]
        .to_vec();
        all.extend_from_slice(rest);
        all
    }
}
