//! The tree of a log: as it grows within the transaction that adds to it, its signed heads, and what proves
//! something of it.

use std::ops::Range;

use skep_ledger::{
    Checkpoint, Frontier, Hash, Log, Node, VerifierKey, complete, digits, join, origin, perfect,
};

use super::DoorTx;
use crate::StoreError;
use crate::row::{AheadRow, CheckpointRow, Growth, HeadRow, LogKey, TileRow};

/// Levels whose complete subtrees are kept. A proof reads at most 255 hashes for each of its steps then.
const TILES: [u8; 3] = [8, 16, 24];

/// So many entries at most have no checkpoint: the transaction that adds more signs one.
pub const UNSIGNED: u64 = 1_000;

const DAMAGED: StoreError = StoreError::Damaged("the head of a log");
const LACKING: StoreError = StoreError::Damaged("a log lacks hashes of its tree");

/// A log that entries are added to.
pub(super) struct Growing {
    before: u64,
    first: u64,
    frontier: Frontier,
    tiles: Vec<TileRow>,
}

impl Growing {
    /// The place of the next entry.
    pub(super) fn next(&self) -> u64 {
        self.first + self.frontier.size()
    }

    /// Takes an entry in.
    pub(super) fn enter(&mut self, leaf: Hash) {
        let tiles = &mut self.tiles;
        self.frontier.push(leaf, |level, position, hash| {
            if TILES.contains(&level) {
                tiles.push(TileRow {
                    level,
                    position,
                    hash,
                });
            }
        });
    }

    /// What became of the tree; and its root, if a checkpoint is due.
    pub(super) fn finish(self) -> (Growth, Option<Hash>) {
        let size = self.frontier.size();
        let is_due = size / UNSIGNED > self.before / UNSIGNED;
        let growth = Growth {
            head: HeadRow {
                first: self.first,
                size,
                frontier: self.frontier.to_bytes(),
            },
            tiles: self.tiles,
        };
        (growth, is_due.then(|| self.frontier.root()))
    }
}

/// A log as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogHead {
    /// Its name.
    pub origin: String,
    /// The key that signs its heads, as whoever verifies writes it.
    pub key: String,
    /// The place of its first entry.
    pub first: u64,
    /// Its entries.
    pub size: u64,
}

/// What proves that an entry is in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inclusion {
    /// The leaf.
    pub leaf: Hash,
    /// Its index, from 0.
    pub index: u64,
    /// The tree that it is in.
    pub size: u64,
    /// Hashes that lead to its root.
    pub proof: Vec<Hash>,
}

impl DoorTx {
    /// A log as it is now.
    pub(super) async fn growing(&mut self, key: LogKey) -> Result<Growing, StoreError> {
        let (first, frontier) = match (self.rows.ledger_head(key).await?, key.log) {
            (Some(row), _) => {
                let frontier = Frontier::from_bytes(row.size, &row.frontier);
                (row.first, frontier.ok_or(DAMAGED)?)
            }
            // Entries from before there was a tree keep their places, and stay outside.
            (None, Log::Audit) => {
                let next = self.rows.next_audit_seq(key.organization).await?;
                (next, Frontier::default())
            }
            (None, Log::Usage) => (1, Frontier::default()),
        };
        Ok(Growing {
            before: frontier.size(),
            first,
            frontier,
            tiles: Vec::new(),
        })
    }

    /// Signs what an append left due, in the same transaction.
    pub(super) async fn sign_due(
        &mut self,
        key: LogKey,
        size: u64,
        root: Option<Hash>,
    ) -> Result<(), StoreError> {
        match root {
            Some(root) => self.sign(key, size, root).await.map(drop),
            None => Ok(()),
        }
    }

    /// Logs with entries that no checkpoint stands for.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_ledgers_ahead(&mut self, limit: u32) -> Result<Vec<AheadRow>, StoreError> {
        self.rows.ledgers_ahead(limit).await
    }

    /// The last checkpoint of each log after this one, in an order that stays.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_last_checkpoints(
        &mut self,
        after: Option<LogKey>,
        limit: u32,
    ) -> Result<Vec<(LogKey, CheckpointRow)>, StoreError> {
        self.rows.last_checkpoints(after, limit).await
    }

    /// Signs the head of a log as it is now. `None` for one without entries.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sign_ledger(&mut self, key: LogKey) -> Result<Option<CheckpointRow>, StoreError> {
        let Some(head) = self.rows.ledger_head(key).await? else {
            return Ok(None);
        };
        let frontier = Frontier::from_bytes(head.size, &head.frontier).ok_or(DAMAGED)?;
        self.sign(key, head.size, frontier.root()).await.map(Some)
    }

    async fn sign(
        &mut self,
        key: LogKey,
        size: u64,
        root: Hash,
    ) -> Result<CheckpointRow, StoreError> {
        let signer = self.verifier(key)?;
        let checkpoint = Checkpoint {
            origin: signer.name().to_owned(),
            size,
            root,
        };
        let text = checkpoint.text();
        let signature = self.keys.ledger().sign(text.as_bytes());
        let row = CheckpointRow {
            size,
            root,
            at: self.now,
            note: signer.note(&text, &signature.to_bytes()),
        };
        // Of a size that was signed before there is one: its text, and so its signature, is the same.
        self.rows.put_checkpoint(key, row.clone()).await?;
        Ok(row)
    }

    /// The key that signs a log, under the log's name.
    pub(super) fn verifier(&self, key: LogKey) -> Result<VerifierKey, StoreError> {
        let public = self.keys.ledger().public_key().to_bytes();
        let name = origin(&public, key.owner(), key.log);
        VerifierKey::new(&name, &public).ok_or(StoreError::Damaged("the key of the ledger"))
    }

    /// A log as it is now; without entries before its first.
    pub(super) async fn log_head(&mut self, key: LogKey) -> Result<LogHead, StoreError> {
        let verifier = self.verifier(key)?;
        let head = self.rows.ledger_head(key).await?;
        let (first, size) = head.map_or((1, 0), |head| (head.first, head.size));
        Ok(LogHead {
            origin: verifier.name().to_owned(),
            key: verifier.to_string(),
            first,
            size,
        })
    }

    /// The hashes of ranges of leaves of a tree whose first leaf has this place.
    pub(super) async fn hashes(
        &mut self,
        key: LogKey,
        first: u64,
        ranges: &[Range<u64>],
    ) -> Result<Vec<Hash>, StoreError> {
        let mut hashes = Vec::with_capacity(ranges.len());
        for range in ranges {
            let mut parts = Vec::new();
            for node in complete(range) {
                parts.push(self.node(key, first, node).await?);
            }
            hashes.push(join(&parts));
        }
        Ok(hashes)
    }

    async fn node(&mut self, key: LogKey, first: u64, node: Node) -> Result<Hash, StoreError> {
        let level = TILES.into_iter().rev().find(|level| *level <= node.level);
        let above = node.level - level.unwrap_or(0);
        let parts = if let Some(level) = level {
            let positions = node.position << above..(node.position + 1) << above;
            self.rows.ledger_tiles(key, level, positions).await?
        } else {
            let leaves = node.leaves();
            let places = first + leaves.start..first + leaves.end;
            self.rows.ledger_leaves(key, places).await?
        };
        if parts.len() as u64 != 1 << above {
            return Err(LACKING);
        }
        perfect(parts).ok_or(LACKING)
    }

    /// Random bytes in hexadecimal digits, for a line.
    pub(super) fn salt(&self) -> String {
        let salt: [u8; skep_ledger::SALT] = self.random();
        digits(&salt)
    }
}
