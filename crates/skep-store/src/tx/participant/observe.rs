//! Observations: memories about a participant as seen by another, and what is derived from them.

use skep_authz::{CanRead, CanWrite, rights::MemoryWrite};
use skep_domain::{Id, MemoryId, ParticipantId};

use crate::StoreError;
use crate::row::{AboutRow, ObservationPage};
use crate::tx::Tx;
use crate::tx::read::open_memory;
use crate::value::{Kept, NewMemory, Observation, Observed, Origin};

impl<P: CanRead> Tx<P> {
    /// Observations of a participant, and of those merged into it, newest first, as far as the
    /// caller's ring and the present consent allow.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_observations(
        &mut self,
        page: ObservationPage,
    ) -> Result<Vec<Observation>, StoreError> {
        let rows = self
            .backend
            .observations(&self.scope, &self.ring, page)
            .await?;
        rows.into_iter()
            .map(|row| {
                Ok(Observation {
                    observed: Observed {
                        subject: row.about.subject,
                        observer: row.about.observer,
                    },
                    derived: row.about.derived,
                    memory: open_memory(&self.keys, row.memory)?,
                })
            })
            .collect()
    }
}

impl Tx<MemoryWrite> {
    /// Keeps an observation. It is a statement of its own even if somebody said the same before
    /// without meaning a participant, so that a consent withdrawn hides no other memory.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_observation(
        &mut self,
        observed: Observed,
        new: NewMemory,
    ) -> Result<Kept, StoreError> {
        let about = AboutRow {
            subject: observed.subject,
            observer: observed.observer,
            derived: false,
        };
        let writer = self.writer()?;
        self.put_memory_about(&writer, vec![about], new).await
    }
}

impl<P: CanWrite> Tx<P> {
    /// Whom a memory is about: those given, and all whom its parents are about. Being about
    /// somebody is part of what counts for being the same statement.
    pub(in crate::tx) async fn with_inherited(
        &mut self,
        mut about: Vec<AboutRow>,
        new: &mut NewMemory,
    ) -> Result<Vec<AboutRow>, StoreError> {
        let parents: Vec<MemoryId> = new
            .origins
            .iter()
            .filter_map(|origin| match origin {
                Origin::Memory(id) => Some(*id),
                Origin::Session(_) | Origin::Source(_) => None,
            })
            .collect();
        if !parents.is_empty() {
            for mut row in self.backend.about(&self.scope, &parents).await? {
                row.derived = true;
                let known =
                    |one: &AboutRow| (one.subject, one.observer) == (row.subject, row.observer);
                if !about.iter().any(known) {
                    about.push(row);
                }
            }
        }
        if !about.is_empty() {
            about.sort_unstable();
            let pairs: Vec<String> = about.iter().map(pair).collect();
            new.normal_form = format!("{}\0{}", pairs.join("\0"), new.normal_form);
        }
        Ok(about)
    }
}

fn pair(row: &AboutRow) -> String {
    let hex = |id: ParticipantId| format!("{:032x}", u128::from_be_bytes(id.to_bytes()));
    let kind = if row.derived { "from" } else { "about" };
    format!("{kind}:{}:{}", hex(row.subject), hex(row.observer))
}
