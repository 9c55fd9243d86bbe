//! What several processes need of a backend that they use at once: to hear of each other, not to do the
//! same work at the same time, and to see what one of them has used up.

use async_trait::async_trait;
use skep_domain::Timestamp;

use crate::StoreError;
use crate::access::Announcement;
use crate::scope::{ControlKey, ScopeKey};

/// What a node hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Some node committed this; it may be this one.
    Told(Announcement),
    /// Something was announced, and nobody knows any more what.
    Missed,
    /// Another node is gone, with whatever it had begun.
    Gone,
}

/// Work on a workspace that one node does at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Distilling, embedding, removals, snapshots.
    Upkeep = 1,
    /// The pass with a model, which is paid for.
    Model = 2,
}

/// A piece of work is this node's until it is dropped, or the node is gone.
pub trait Hold: Send + Sync {}

/// A backend that several processes use at once.
#[async_trait]
pub trait Shared: Send + Sync {
    /// Waits for what other nodes do. For one caller at a time, which calls again at once.
    async fn hear(&self, key: &ControlKey) -> Heard;

    /// Takes a piece of work on a workspace; `None` while another node does it.
    async fn hold(&self, scope: &ScopeKey, work: Work)
    -> Result<Option<Box<dyn Hold>>, StoreError>;

    /// Remembers a proof of possession as used; `false` when it was, by whatever node.
    async fn spend_proof(
        &self,
        key: &ControlKey,
        digest: [u8; 32],
        until: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Forgets proofs that would be refused for their age, at most so many; says how many.
    async fn sweep_proofs(
        &self,
        key: &ControlKey,
        now: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError>;
}
