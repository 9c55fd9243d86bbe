//! What row-level security costs: the same statements with the policies on and off, in turn, on one
//! database; and a recall there beside one on the embedded store.

use anyhow::{Context, Result, ensure};
use skep_authz::rights::{MemoryRead, SessionCapture};
use skep_conformance::{new_memory, new_session, new_turn};
use skep_domain::MemoryId;
use skep_store::{MemoryFilter, PageOf};
use skep_test_support::TeamStore;

use crate::fixture::Fixture;
use crate::measure::{Measure, percentile_ms};
use crate::recall::ask;
use crate::report::Report;

/// Ids that one statement authorizes.
const CANDIDATES: usize = 200;
/// Rows of a page.
const PAGE: u32 = 50;
/// Turns of a batch.
const BATCH: usize = 100;
/// Questions asked of each store.
const QUESTIONS: usize = 300;
/// Words of a question.
const WORDS: usize = 8;

/// What a statement does.
#[derive(Clone, Copy, Debug)]
enum Shape {
    PointRead,
    Authorize,
    Insert,
    BatchInsert,
    RangeScan,
}

impl Shape {
    const ALL: [Self; 5] = [
        Self::PointRead,
        Self::Authorize,
        Self::Insert,
        Self::BatchInsert,
        Self::RangeScan,
    ];

    const fn name(self) -> &'static str {
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
struct Bench {
    fixture: Fixture,
    place: TeamStore,
    ids: Vec<MemoryId>,
    made: usize,
}

pub(crate) async fn run(texts: &[String], (runs, statements): (usize, usize)) -> Result<Report> {
    let place = TeamStore::new().await;
    let fixture = Fixture::on(&place).await?;
    fixture.fill(texts).await?;
    place.database().run("VACUUM ANALYZE");
    let ids = ids(&fixture).await?;
    let version = place.database().server().version();
    let mut report = Report::new(format!(
        "PostgreSQL {version} on a socket, no fsync, {} memories, {runs} runs of {statements}",
        texts.len()
    ));
    let mut bench = Bench {
        fixture,
        place,
        ids,
        made: 0,
    };
    let mut medians = Vec::new();
    for shape in Shape::ALL {
        medians.push(
            bench
                .compare(shape, (runs, statements), &mut report)
                .await?,
        );
    }
    medians.sort_by(f64::total_cmp);
    report.row(
        "ratio_median",
        medians[medians.len() / 2],
        "of the shapes; target 1.05",
    );
    recalls(&bench.fixture, texts, &mut report).await?;
    Ok(report)
}

impl Bench {
    /// The median of the runs' ratios, each of the medians with and without.
    async fn compare(
        &mut self,
        shape: Shape,
        (runs, statements): (usize, usize),
        report: &mut Report,
    ) -> Result<f64> {
        // Plans, pages and connections are warm before anything counts.
        self.median_ms(shape, statements / 4 + 1).await?;
        let (mut ratios, mut with_all) = (Vec::new(), Vec::new());
        for run in 0..runs {
            let mut took = [0.0; 2];
            for at in [run % 2, 1 - run % 2] {
                self.wall(at == 0);
                took[at] = self.median_ms(shape, statements).await?;
            }
            self.wall(true);
            ratios.push(took[0] / took[1]);
            with_all.push(took[0]);
        }
        ratios.sort_by(f64::total_cmp);
        with_all.sort_by(f64::total_cmp);
        let (name, median) = (shape.name(), ratios[ratios.len() / 2]);
        let spread = format!("{:.2} to {:.2}", ratios[0], ratios[ratios.len() - 1]);
        report.row(&format!("{name}_ratio"), median, spread);
        let p50 = with_all[with_all.len() / 2];
        report.row(&format!("{name}_ms_p50"), p50, "with row-level security");
        Ok(median)
    }

    /// The policies of all tables, on or off.
    fn wall(&self, on: bool) {
        let what = if on { "ENABLE" } else { "DISABLE" };
        self.place.database().run(&format!(
            "DO $$ DECLARE t regclass; BEGIN
             FOR t IN SELECT oid FROM pg_class WHERE relnamespace = 'skep'::regnamespace
                 AND relkind = 'r' AND relforcerowsecurity LOOP
                 EXECUTE format('ALTER TABLE %s {what} ROW LEVEL SECURITY', t);
             END LOOP; END $$"
        ));
    }

    async fn median_ms(&mut self, shape: Shape, statements: usize) -> Result<f64> {
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

/// The same questions on both stores, in turn.
async fn recalls(team: &Fixture, texts: &[String], report: &mut Report) -> Result<()> {
    let alone = Fixture::new().await?;
    alone.fill(texts).await?;
    let mut times = [Vec::new(), Vec::new()];
    for (number, text) in texts
        .iter()
        .step_by(texts.len() / QUESTIONS + 1)
        .enumerate()
    {
        let words: Vec<&str> = text.split_whitespace().take(WORDS).collect();
        let question = words.join(" ");
        for (at, fixture) in [&alone, team].into_iter().enumerate() {
            let one = Measure::start();
            ask(fixture, &question).await?;
            // The first brings the index into memory.
            if number > 0 {
                times[at].push(one.wall());
            }
        }
    }
    let [alone, team] = &mut times;
    let (alone, team) = (percentile_ms(alone, 0.50), percentile_ms(team, 0.50));
    report.row("recall_sqlite_ms_p50", alone, "the same questions");
    report.row("recall_postgres_ms_p50", team, "");
    report.row("recall_ratio", team / alone, "target 1.5");
    Ok(())
}
