//! Statements of a store by their shape, timed over and over.

use anyhow::{Context, Result, ensure};
use skep_authz::rights::{MemoryRead, SessionCapture};
use skep_conformance::{new_memory, new_session, new_turn};
use skep_domain::MemoryId;
use skep_store::{MemoryFilter, PageOf};

use crate::fixture::Fixture;
use crate::measure::{Measure, percentile_ms};

/// Ids that one statement authorizes.
const CANDIDATES: usize = 200;
/// Rows of a page.
const PAGE: u32 = 50;
/// Turns of a batch.
const BATCH: usize = 100;

/// What a statement does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    PointRead,
    Authorize,
    Insert,
    BatchInsert,
    RangeScan,
}

impl Shape {
    pub(crate) const ALL: [Self; 5] = [
        Self::PointRead,
        Self::Authorize,
        Self::Insert,
        Self::BatchInsert,
        Self::RangeScan,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::PointRead => "point_read",
            Self::Authorize => "authorize_200",
            Self::Insert => "insert",
            Self::BatchInsert => "batch_insert_100",
            Self::RangeScan => "range_scan_50",
        }
    }
}

/// A store with memories, and how far the new ones are counted.
pub(crate) struct Statements {
    pub(crate) fixture: Fixture,
    ids: Vec<MemoryId>,
    made: usize,
}

impl Statements {
    /// Over all memories that there are.
    pub(crate) async fn over(fixture: Fixture) -> Result<Self> {
        let ids = ids(&fixture).await?;
        Ok(Self {
            fixture,
            ids,
            made: 0,
        })
    }

    /// The median time of one.
    pub(crate) async fn median_ms(&mut self, shape: Shape, statements: usize) -> Result<f64> {
        let mut times = Vec::with_capacity(statements);
        for number in 0..statements {
            let one = Measure::start();
            match shape {
                Shape::PointRead => self.point_read(number).await?,
                Shape::Authorize => self.authorize(number).await?,
                Shape::Insert => self.insert().await?,
                Shape::BatchInsert => self.batch_insert().await?,
                Shape::RangeScan => self.range_scan(number).await?,
            }
            times.push(one.wall());
        }
        Ok(percentile_ms(&mut times, 0.50))
    }

    async fn point_read(&self, number: usize) -> Result<()> {
        let id = self.ids[number * 7 % self.ids.len()];
        let mut tx = self
            .fixture
            .store
            .begin(self.fixture.may::<MemoryRead>()?)
            .await?;
        tx.get_memory(id).await?.context("a memory")?;
        Ok(())
    }

    async fn authorize(&self, number: usize) -> Result<()> {
        let from = number * 31 % (self.ids.len() - CANDIDATES);
        let some = &self.ids[from..from + CANDIDATES];
        let mut tx = self
            .fixture
            .store
            .begin(self.fixture.may::<MemoryRead>()?)
            .await?;
        let visible = tx.authorize(some, &MemoryFilter::default()).await?;
        ensure!(visible.len() == CANDIDATES);
        Ok(())
    }

    async fn insert(&mut self) -> Result<()> {
        self.made += 1;
        let new = new_memory(&self.fixture.store, &format!("statement {}", self.made));
        let mut tx = self
            .fixture
            .store
            .begin(self.fixture.may::<SessionCapture>()?)
            .await?;
        tx.put_memory(new).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn batch_insert(&mut self) -> Result<()> {
        self.made += 1;
        let store = &self.fixture.store;
        let name = format!("session {}", self.made);
        let turns: Vec<_> = (0..BATCH)
            .map(|turn| new_turn(store, &format!("{name} {turn}")))
            .collect();
        let mut tx = store.begin(self.fixture.may::<SessionCapture>()?).await?;
        let session = tx.put_session(&new_session(store, &name)).await?;
        tx.append_turns(session, &turns).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn range_scan(&self, number: usize) -> Result<()> {
        let page = PageOf {
            limit: PAGE,
            before: Some(self.ids[number * 13 % self.ids.len()]),
        };
        let mut tx = self
            .fixture
            .store
            .begin(self.fixture.may::<MemoryRead>()?)
            .await?;
        tx.list_memories(&MemoryFilter::default(), page).await?;
        Ok(())
    }
}

/// Every memory's id, newest first.
async fn ids(fixture: &Fixture) -> Result<Vec<MemoryId>> {
    let mut tx = fixture.store.begin(fixture.may::<MemoryRead>()?).await?;
    let (mut ids, mut before) = (Vec::new(), None);
    loop {
        let page = PageOf {
            limit: 1_000,
            before,
        };
        let some = tx.list_memories(&MemoryFilter::default(), page).await?;
        let Some(last) = some.last() else {
            return Ok(ids);
        };
        before = Some(last.id);
        ids.extend(some.iter().map(|memory| memory.id));
    }
}
