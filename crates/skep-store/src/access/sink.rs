//! Sinks of the ledger: what an organization has set, whose turn a sink is, how far it has come, and the entries that
//! it is given.

use skep_authz::rights::{DiagnosticsRead, OrgManage};
use skep_crypto::{Plain, Sealed};
use skep_domain::{Id, OrganizationId, Timestamp};

use super::keys::SINK_BODY;
use super::{ControlKeys, DoorTx, Exported, OrgTx};
use crate::StoreError;
use crate::row::{BehindRow, Log, LogKey, SinkKey, SinkRow, SinkTurnRow};

/// A sink that an organization has set.
pub struct Sink {
    /// Whose.
    pub organization: OrganizationId,
    /// Its id.
    pub id: [u8; 16],
    /// Its name, unique in the organization.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was set last.
    pub changed_at: Timestamp,
    /// What whoever set it made of it. There are keys in it.
    pub body: Plain<Vec<u8>>,
}

/// An entry for a sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Which action it records; nothing for what was used.
    pub action: Option<String>,
    /// The entry.
    pub entry: Exported,
}

impl Sink {
    /// As turns and cursors know it.
    #[must_use]
    pub fn key(&self) -> SinkKey {
        SinkKey {
            organization: Some(self.organization),
            id: self.id,
        }
    }
}

impl DoorTx {
    /// Sinks that something is to be delivered to now, by nobody yet.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_sinks_due(&mut self, limit: u32) -> Result<Vec<SinkKey>, StoreError> {
        let rows = self.rows.sinks_due(self.now, limit).await?;
        let key = |row: SinkRow| SinkKey {
            organization: Some(row.organization),
            id: row.id,
        };
        Ok(rows.into_iter().map(key).collect())
    }

    /// A sink of an organization.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_sink(&mut self, key: SinkKey) -> Result<Option<Sink>, StoreError> {
        let Some(organization) = key.organization else {
            return Ok(None);
        };
        let rows = self.rows.sinks(organization).await?;
        let found = rows.into_iter().find(|row| row.id == key.id);
        found.map(|row| open(&self.keys, row)).transpose()
    }

    /// Whose turn a sink is; `None` for one that there is not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sink_turn(&mut self, key: SinkKey) -> Result<Option<SinkTurnRow>, StoreError> {
        self.rows.sink_turn(key).await
    }

    /// Says whose turn a sink is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_sink_turn(
        &mut self,
        key: SinkKey,
        turn: SinkTurnRow,
    ) -> Result<(), StoreError> {
        self.rows.put_sink_turn(key, turn).await
    }

    /// Says of every sink that it is nobody's turn: for whoever knows that nobody delivers.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn release_sinks(&mut self) -> Result<(), StoreError> {
        self.rows.release_sinks().await
    }

    /// Logs that a sink has not been given all of; for one of nobody's, of these.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_behind(
        &mut self,
        key: SinkKey,
        logs: &[Log],
        page: (Option<LogKey>, u32),
    ) -> Result<Vec<BehindRow>, StoreError> {
        self.rows.sink_behind(key, logs, page).await
    }

    /// Says how far a sink has come with a log.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_sink_cursor(
        &mut self,
        id: [u8; 16],
        log: LogKey,
        next: u64,
    ) -> Result<(), StoreError> {
        self.rows.put_sink_cursor(id, log, next).await
    }

    /// Entries of a log from a place on, in order; none from before there was a tree.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_outgoing(
        &mut self,
        key: LogKey,
        seq: u64,
        limit: u32,
    ) -> Result<Vec<Outgoing>, StoreError> {
        let owner = key.owner();
        match (key.log, key.organization) {
            (Log::Audit, organization) => {
                let rows = self.rows.audit_from(organization, seq, limit).await?;
                let told = rows.into_iter().filter_map(|row| {
                    let entry = self.exported_audit(owner, &row)?;
                    let action = Some(row.action);
                    Some(Outgoing { action, entry })
                });
                Ok(told.collect())
            }
            // Nobody's use of anything is recorded.
            (Log::Usage, None) => Ok(Vec::new()),
            (Log::Usage, Some(organization)) => {
                let rows = self.rows.usage_from(organization, seq, limit).await?;
                let told = rows.iter().map(|row| Outgoing {
                    action: None,
                    entry: self.exported_usage(owner, row),
                });
                Ok(told.collect())
            }
        }
    }
}

impl OrgTx<OrgManage> {
    /// The sinks of the organization, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_sinks(&mut self) -> Result<Vec<Sink>, StoreError> {
        let rows = self.door.rows.sinks(self.organization).await?;
        let keys = &self.door.keys;
        rows.into_iter().map(|row| open(keys, row)).collect()
    }

    /// Keeps a sink, in the place of the one of its id, and says that it is nobody's turn: whoever delivers to it as
    /// it was stops.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for a name that another has.
    pub async fn put_sink(
        &mut self,
        (id, name): ([u8; 16], &str),
        created_at: Timestamp,
        body: &[u8],
    ) -> Result<(), StoreError> {
        let (organization, now) = (self.organization, self.door.now);
        let place = (organization.to_bytes(), id);
        let row = SinkRow {
            organization,
            id,
            name: name.to_owned(),
            created_at,
            changed_at: now,
            body: self.door.keys.seal(SINK_BODY, place, body),
        };
        self.door.rows.put_sink(row).await?;
        let key = SinkKey {
            organization: Some(organization),
            id,
        };
        let held = self.door.rows.sink_turn(key).await?;
        let turn = SinkTurnRow {
            delivered_at: held.and_then(|held| held.delivered_at),
            ..SinkTurnRow::fresh(now)
        };
        self.door.rows.put_sink_turn(key, turn).await
    }

    /// Forgets a sink and how far it has come; `false` when there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete_sink(&mut self, id: [u8; 16]) -> Result<bool, StoreError> {
        self.door.rows.delete_sink(self.organization, id).await
    }

    /// Has a sink given a log from this place on; nothing more of it for `None`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_sink_cursor(
        &mut self,
        id: [u8; 16],
        log: Log,
        next: Option<u64>,
    ) -> Result<(), StoreError> {
        let key = LogKey::new(Some(self.organization), log);
        match next {
            Some(next) => self.door.rows.put_sink_cursor(id, key, next).await,
            None => self.door.rows.delete_sink_cursor(id, key).await,
        }
    }

    /// How far a sink has come with which logs.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_sink_cursors(&mut self, id: [u8; 16]) -> Result<Vec<(Log, u64)>, StoreError> {
        let rows = self.door.rows.sink_cursors(id).await?;
        let own = Some(self.organization);
        let own = rows.into_iter().filter(|(key, _)| key.organization == own);
        Ok(own.map(|(key, next)| (key.log, next)).collect())
    }

    /// Whose turn a sink of the organization is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sink_turn(&mut self, id: [u8; 16]) -> Result<Option<SinkTurnRow>, StoreError> {
        let organization = Some(self.organization);
        let key = SinkKey { organization, id };
        self.door.rows.sink_turn(key).await
    }

    /// The places of the first entry of a log and of the one that comes next.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn log_bounds(&mut self, log: Log) -> Result<(u64, u64), StoreError> {
        let key = LogKey::new(Some(self.organization), log);
        let head = self.door.rows.ledger_head(key).await?;
        let next = self.door.growing(key).await?.next();
        Ok((head.map_or(next, |head| head.first), next))
    }
}

impl OrgTx<DiagnosticsRead> {
    /// The names of the organization's sinks, each with how its last tries went.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_sink_turns(&mut self) -> Result<Vec<(String, SinkTurnRow)>, StoreError> {
        let organization = self.organization;
        let rows = self.door.rows.sinks(organization).await?;
        let mut turns = Vec::with_capacity(rows.len());
        for row in rows {
            let key = SinkKey {
                organization: Some(organization),
                id: row.id,
            };
            if let Some(turn) = self.door.rows.sink_turn(key).await? {
                turns.push((row.name, turn));
            }
        }
        Ok(turns)
    }
}

fn open(keys: &ControlKeys, row: SinkRow) -> Result<Sink, StoreError> {
    let place = (row.organization.to_bytes(), row.id);
    let body: &Sealed = &row.body;
    Ok(Sink {
        body: keys.open(SINK_BODY, place, body)?,
        organization: row.organization,
        id: row.id,
        name: row.name,
        created_at: row.created_at,
        changed_at: row.changed_at,
    })
}
