//! What other workspaces on the same database cost one of them: the same statements and recalls while there
//! are more and more. Beside it what the tables would cost with a partition for each workspace.

use anyhow::{Context, Result};
use skep_domain::Id as _;
use skep_test_support::TeamStore;

use crate::fixture::Fixture;
use crate::measure::{Measure, percentile_ms};
use crate::recall::ask;
use crate::report::Report;
use crate::statements::{Shape, Statements};

/// Statements of each shape.
const STATEMENTS: usize = 200;
/// Questions asked.
const QUESTIONS: usize = 200;
/// Words of a question.
const WORDS: usize = 8;
/// Partitions made in one transaction: each is locked until it ends.
const AT_ONCE: usize = 200;
/// Plans made on one connection.
const PLANS: usize = 21;
/// What a workspace's memory consists of.
const TABLES: [&str; 3] = ["memory_facts", "memory", "memory_vector"];
const SHAPES: [Shape; 4] = [
    Shape::PointRead,
    Shape::Authorize,
    Shape::Insert,
    Shape::RangeScan,
];

/// How much of what.
#[derive(Debug, clap::Args)]
pub(crate) struct Asked {
    /// Memories of the workspace that is asked
    #[arg(long, default_value_t = 5_000)]
    pub(crate) memories: usize,
    /// How many workspaces there are, one count after the other
    #[arg(long, value_delimiter = ',', default_values_t = [1, 1_000, 10_000])]
    counts: Vec<usize>,
    /// Memories of each of the others
    #[arg(long, default_value_t = 50)]
    others: usize,
}

/// A database, and one workspace of it.
struct Crowd {
    place: TeamStore,
    /// The workspace that is asked.
    own: String,
    /// Some of its memories.
    some: String,
    /// The others so far, and the partitions.
    others: usize,
}

pub(crate) async fn run(texts: &[String], asked: &Asked) -> Result<Report> {
    let others = asked.others;
    let place = TeamStore::new().await;
    let fixture = Fixture::on(&place).await?;
    fixture.fill(texts).await?;
    let mut crowd = Crowd::around(place, &fixture, others);
    let mut statements = Statements::over(fixture).await?;
    let version = crowd.place.database().server().version();
    let mut report = Report::new(format!(
        "PostgreSQL {version} on a socket, no fsync: a workspace of {} memories among others of {others}",
        texts.len()
    ));
    crowd.found_partitions();
    for count in &asked.counts {
        crowd.grow(count.saturating_sub(1));
        for shape in SHAPES {
            // Plans, pages and connections are warm before anything counts.
            statements.median_ms(shape, STATEMENTS / 4).await?;
            let took = statements.median_ms(shape, STATEMENTS).await?;
            report.row(&format!("{}_ms_p50_at_{count}", shape.name()), took, "");
        }
        let took = recalls(&statements.fixture, texts).await?;
        report.row(&format!("recall_ms_p50_at_{count}"), took, "");
        crowd.plans(*count, &mut report)?;
    }
    Ok(report)
}

/// The median of the questions' times.
async fn recalls(fixture: &Fixture, texts: &[String]) -> Result<f64> {
    let mut times = Vec::new();
    for text in texts.iter().step_by(texts.len() / QUESTIONS + 1) {
        let words: Vec<&str> = text.split_whitespace().take(WORDS).collect();
        let one = Measure::start();
        ask(fixture, &words.join(" ")).await?;
        times.push(one.wall());
    }
    Ok(percentile_ms(&mut times, 0.50))
}

impl Crowd {
    fn around(place: TeamStore, fixture: &Fixture, others: usize) -> Self {
        let own = fixture.tenant.workspace.to_bytes();
        let own = format!("{:032x}", u128::from_be_bytes(own));
        let some = place.database().query(&format!(
            "SELECT array_agg(id) FROM (SELECT id FROM skep.memory_facts
             WHERE workspace_id = '{own}' ORDER BY id LIMIT {others}) AS first"
        ));
        Self {
            place,
            own,
            some,
            others: 0,
        }
    }

    /// A table like that of the facts, with a partition for the workspace that is asked.
    fn found_partitions(&self) {
        self.run(&format!(
            "CREATE TABLE parted (LIKE memory_facts) PARTITION BY LIST (workspace_id);
             ALTER TABLE parted ADD PRIMARY KEY (workspace_id, id);
             CREATE INDEX ON parted (workspace_id, seq, id);
             CREATE TABLE parted_0 PARTITION OF parted FOR VALUES IN ('{}');
             INSERT INTO parted SELECT * FROM memory_facts;",
            self.own
        ));
    }

    /// Until there are so many others, each with copies of the same memories, and with a partition.
    fn grow(&mut self, others: usize) {
        while self.others < others {
            let (from, to) = (self.others + 1, others.min(self.others + AT_ONCE));
            self.run(&self.copies(from, to));
            self.run(&format!(
                "DO $$ BEGIN FOR n IN {from}..{to} LOOP
                     EXECUTE format('CREATE TABLE parted_%s PARTITION OF parted FOR VALUES IN (%L)',
                         n, md5('other' || n));
                 END LOOP; END $$"
            ));
            self.others = to;
        }
        self.run("ANALYZE; ANALYZE parted");
    }

    fn copies(&self, from: usize, to: usize) -> String {
        let (own, some) = (&self.own, &self.some);
        let mut all = format!(
            "SET session_replication_role = replica;
             INSERT INTO workspace_state SELECT md5('other' || n)::uuid, organization_id, seq
             FROM workspace_state, generate_series({from}, {to}) AS n WHERE workspace_id = '{own}';"
        );
        for table in TABLES {
            let columns = self.place.database().query(&format!(
                "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
                 WHERE attrelid = 'skep.{table}'::regclass AND attnum > 0 AND attname <> 'workspace_id'"
            ));
            let id = if table == "memory_vector" {
                "memory"
            } else {
                "id"
            };
            all.push_str(&format!(
                "INSERT INTO {table} (workspace_id, {columns})
                 SELECT md5('other' || n)::uuid, {columns} FROM {table}, generate_series({from}, {to}) AS n
                 WHERE workspace_id = '{own}' AND {id} = ANY ('{some}');"
            ));
        }
        all
    }

    /// What it takes to plan a look at one row, and to make and drop one workspace's part of one table.
    fn plans(&self, count: usize, report: &mut Report) -> Result<()> {
        for (table, kind) in [("memory_facts", "shared"), ("parted", "parted")] {
            let mut times = self.plan(table)?;
            let first = times.remove(0);
            times.sort_by(f64::total_cmp);
            let key = format!("{kind}_first_plan_ms_at_{count}");
            report.row(&key, first, "on a new connection");
            let key = format!("{kind}_plan_ms_p50_at_{count}");
            report.row(&key, times[times.len() / 2], "");
        }
        let make = "CREATE TABLE parted_new PARTITION OF parted FOR VALUES IN (md5('new')::uuid)";
        for (what, statement) in [("make", make), ("drop", "DROP TABLE parted_new")] {
            let one = Measure::start();
            self.run(statement);
            let took = one.wall().as_secs_f64() * 1e3;
            let note = "with a new connection; for each of the large tables";
            report.row(&format!("parted_{what}_ms_at_{count}"), took, note);
        }
        let one = Measure::start();
        self.run("SELECT 1");
        let took = one.wall().as_secs_f64() * 1e3;
        report.row(
            &format!("connection_ms_at_{count}"),
            took,
            "to subtract from those",
        );
        Ok(())
    }

    /// How long each of some plans took, on one connection, with the policies as a node has them.
    fn plan(&self, table: &str) -> Result<Vec<f64>> {
        let own = &self.own;
        let look = format!(
            "EXPLAIN (SUMMARY) SELECT state FROM {table} WHERE workspace_id = '{own}'
             AND id = ('{}'::uuid[])[1];",
            self.some
        );
        let said = self.place.database().query(&format!(
            "SET search_path = skep; GRANT SELECT ON parted TO skep_app; SET ROLE skep_app;
             SET skep.workspace = '{own}'; {}",
            look.repeat(PLANS)
        ));
        let times = said
            .lines()
            .filter_map(|line| line.strip_prefix("Planning Time: "));
        let times: Option<Vec<f64>> = times
            .map(|time| time.strip_suffix(" ms")?.parse().ok())
            .collect();
        times
            .filter(|times| times.len() == PLANS)
            .context("a plan's time")
    }

    fn run(&self, statement: &str) {
        let statement = format!("SET search_path = skep; {statement}");
        self.place.database().run(&statement);
    }
}
