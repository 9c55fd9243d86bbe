//! From one backend to another: each workspace whole, then the installation's own rows, which make it one.
//!
//! Until the last step nobody finds anything at the target, so that a run that is killed has moved nothing;
//! the next one goes on with the workspaces that are not there yet, or not as they are at the source.

use std::collections::BTreeSet;

use skep_crypto::{MacKey, Random};
use skep_domain::{OrganizationId, WorkspaceId};

use super::backup::{Walker, list, tally};
use super::party::{Installation, Party, rewrap};
use super::tables::{INSTALLATION, Table, WORKSPACE};
use super::value::Row;
use crate::StoreError;
use crate::backend::{Area, Fill};
use crate::scope::{ControlKey, ScopeKey};

/// How far a move is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many workspaces there are.
    Workspaces(u64),
    /// A workspace was there already, as it is at the source.
    Known(WorkspaceId),
    /// So many rows more were put.
    Rows(u64),
    /// A workspace is there, and compared.
    Done(WorkspaceId),
}

/// What was moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Workspaces that are there now.
    pub workspaces: u64,
    /// Those of them that an earlier run had moved.
    pub known: u64,
    /// Rows that were put.
    pub rows: u64,
    /// Rows that were compared, at both ends.
    pub compared: u64,
    /// Whether all of it was there before.
    pub was_complete: bool,
}

/// A move on its way.
struct Copy<'c> {
    source: &'c Installation,
    target: Installation,
    key: MacKey,
    say: &'c mut (dyn FnMut(Step) + Send),
    done: Copied,
}

type Tenant = (OrganizationId, WorkspaceId);

const CHANGED: &str = "the source was written to meanwhile: stop every daemon that uses it, and run this again; \
                       what is moved already stays moved";

/// Moves everything, and compares it row by row. The source is not written to.
///
/// # Errors
/// [`StoreError::Refused`] when the target has another installation, or the source does not stand still;
/// [`StoreError`].
pub async fn copy(
    source: &Installation,
    target: Party<'_>,
    say: &mut (dyn FnMut(Step) + Send),
) -> Result<Copied, StoreError> {
    let there = target.installation().await?;
    let was_complete = there.is_some();
    let target = match there {
        Some(same) if same.id == source.id => same,
        Some(_) => {
            return Err(StoreError::Refused(
                "there is another installation at the target: nothing was changed".into(),
            ));
        }
        None => target.vacant().await?.of(source.id),
    };
    let random: &dyn Random = &*source.random;
    let mut copy = Copy {
        source,
        target,
        key: MacKey::from_bytes(&random.array()),
        say,
        done: Copied {
            was_complete,
            ..Copied::default()
        },
    };
    let tenants = copy.workspaces(was_complete).await?;
    if was_complete {
        copy.compare_installation().await?;
    } else {
        copy.stands_still(&tenants).await?;
        copy.installation().await?;
    }
    copy.done.workspaces = tenants.len() as u64;
    Ok(copy.done)
}

impl Copy<'_> {
    /// All there are, those too that were made meanwhile.
    async fn workspaces(&mut self, was_complete: bool) -> Result<BTreeSet<Tenant>, StoreError> {
        let mut done = BTreeSet::new();
        loop {
            let mut walk = Walker::new(self.source.control().await?);
            let known: BTreeSet<Tenant> = list(&mut walk).await?.into_iter().collect();
            drop(walk);
            let Some(next) = known.iter().find(|tenant| !done.contains(*tenant)) else {
                return Ok(known);
            };
            if done.is_empty() {
                (self.say)(Step::Workspaces(known.len() as u64));
            }
            self.workspace(*next, was_complete).await?;
            done.insert(*next);
        }
    }

    async fn workspace(&mut self, tenant: Tenant, was_complete: bool) -> Result<(), StoreError> {
        if self.is_same(tenant).await? {
            self.done.known += 1;
            (self.say)(Step::Known(tenant.1));
            return Ok(());
        }
        if was_complete {
            return Err(StoreError::Refused(
                "the installation was moved before, and source and target differ since: nothing was changed".into(),
            ));
        }
        let scope = ScopeKey::provision(tenant.0, tenant.1);
        let walk = self.source.backend.walk(Area::Workspace(&scope)).await?;
        let walk = walk.ok_or(StoreError::Damaged("a workspace's rows are gone"))?;
        let fill = self.target.backend.fill(Area::Workspace(&scope)).await?;
        self.rows(Walker::new(walk), fill, WORKSPACE).await?;
        if !self.is_same(tenant).await? {
            return Err(StoreError::Refused(CHANGED.into()));
        }
        (self.say)(Step::Done(tenant.1));
        Ok(())
    }

    async fn rows(
        &mut self,
        mut walk: Walker,
        mut fill: Box<dyn Fill>,
        tables: &'static [Table],
    ) -> Result<(), StoreError> {
        for table in tables.iter().filter(|table| table.is_archived) {
            walk.enter(table);
            loop {
                let mut rows = walk.page(table).await?;
                if rows.is_empty() {
                    break;
                }
                let count = rows.len() as u64;
                let keys = (&*self.source.kek, &*self.target.kek);
                for row in &mut rows {
                    rewrap(table, row, keys, &*self.source.random)?;
                }
                fill.put(table, rows).await?;
                self.done.rows += count;
                (self.say)(Step::Rows(count));
            }
        }
        fill.commit().await
    }

    /// Whether a workspace is at the target as it is at the source.
    async fn is_same(&mut self, (organization, workspace): Tenant) -> Result<bool, StoreError> {
        let scope = ScopeKey::provision(organization, workspace);
        let there = self.target.backend.walk(Area::Workspace(&scope)).await?;
        let here = self.source.backend.walk(Area::Workspace(&scope)).await?;
        let (Some(there), Some(here)) = (there, here) else {
            return Ok(false);
        };
        let there = tally(there, WORKSPACE, &self.key).await?;
        let here = tally(here, WORKSPACE, &self.key).await?;
        self.done.compared += here.iter().map(|(_, tally)| tally.rows).sum::<u64>();
        Ok(there == here)
    }

    /// Whether every workspace is where it was when it was compared.
    async fn stands_still(&self, tenants: &BTreeSet<Tenant>) -> Result<(), StoreError> {
        for (organization, workspace) in tenants {
            let scope = ScopeKey::provision(*organization, *workspace);
            let (here, there) = (
                state(self.source, &scope).await?,
                state(&self.target, &scope).await?,
            );
            if here != there {
                return Err(StoreError::Refused(CHANGED.into()));
            }
        }
        Ok(())
    }

    async fn installation(&mut self) -> Result<(), StoreError> {
        let walk = Walker::new(self.source.control().await?);
        let control = ControlKey::new();
        let fill = self
            .target
            .backend
            .fill(Area::Installation(&control))
            .await?;
        self.rows(walk, fill, INSTALLATION).await?;
        self.compare_installation().await
    }

    async fn compare_installation(&mut self) -> Result<(), StoreError> {
        let here = tally(self.source.control().await?, INSTALLATION, &self.key).await?;
        let there = tally(self.target.control().await?, INSTALLATION, &self.key).await?;
        self.done.compared += here.iter().map(|(_, tally)| tally.rows).sum::<u64>();
        let differs = here.iter().zip(&there).find(|(here, there)| here != there);
        match differs {
            None => Ok(()),
            Some(((table, _), _)) => Err(StoreError::Refused(format!(
                "the table {table} of the installation differs at the two ends since it was moved"
            ))),
        }
    }
}

/// The row that every commit changes.
async fn state(installation: &Installation, scope: &ScopeKey) -> Result<Vec<Row>, StoreError> {
    let table = WORKSPACE.first().ok_or(StoreError::Damaged("the tables"))?;
    let walk = installation.backend.walk(Area::Workspace(scope)).await?;
    let mut walk = Walker::new(walk.ok_or(StoreError::Damaged("a workspace's rows are gone"))?);
    walk.enter(table);
    walk.page(table).await
}
