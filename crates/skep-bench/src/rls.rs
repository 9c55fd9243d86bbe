//! What row-level security costs: the same statements with the policies on and off, in turn, on one
//! database; and a recall there beside one on the embedded store.

use anyhow::Result;
use skep_test_support::TeamStore;

use crate::fixture::Fixture;
use crate::measure::{Measure, percentile_ms};
use crate::recall::ask;
use crate::report::Report;
use crate::statements::{Shape, Statements};

/// Questions asked of each store.
const QUESTIONS: usize = 300;
/// Words of a question.
const WORDS: usize = 8;

/// A store, and the database that it is in.
struct Bench {
    statements: Statements,
    place: TeamStore,
}

pub(crate) async fn run(texts: &[String], (runs, statements): (usize, usize)) -> Result<Report> {
    let place = TeamStore::new().await;
    let fixture = Fixture::on(&place).await?;
    fixture.fill(texts).await?;
    place.database().run("VACUUM ANALYZE");
    let version = place.database().server().version();
    let mut report = Report::new(format!(
        "PostgreSQL {version} on a socket, no fsync, {} memories, {runs} runs of {statements}",
        texts.len()
    ));
    let mut bench = Bench {
        statements: Statements::over(fixture).await?,
        place,
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
    recalls(&bench.statements.fixture, texts, &mut report).await?;
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
        self.statements.median_ms(shape, statements / 4 + 1).await?;
        let (mut ratios, mut with_all) = (Vec::new(), Vec::new());
        for run in 0..runs {
            let mut took = [0.0; 2];
            for at in [run % 2, 1 - run % 2] {
                self.wall(at == 0);
                took[at] = self.statements.median_ms(shape, statements).await?;
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
