//! The tree of memories at size: what each verb's questions take, beside the same over few memories.

use anyhow::{Result, ensure};
use clap::Args;
use skep_api::Instant;
use skep_api::id::{self, Tagger};
use skep_app::{Find, Grep, IdTags, Wording};
use skep_authz::rights::{MemoryRead, MemoryWrite};
use skep_domain::IdKind;
use skep_domain::{MemoryId, MemoryKind, ProjectId, SessionId, Timestamp, Validity};
use skep_store::Project;

use crate::fixture::{Fixture, memory};
use crate::measure::{Measure, percentile_ms, resident_bytes};
use crate::report::Report;

/// What is measured, and how often.
#[derive(Debug, Args)]
pub(crate) struct Asked {
    /// Sizes to measure; the first is what the others stand beside
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 100_000, 200_000])]
    pub(crate) memories: Vec<usize>,
    /// Calls of each shape
    #[arg(long, default_value_t = 50)]
    calls: usize,
}

/// Projects that the memories belong to; a tenth of them belong to none.
const PROJECTS: usize = 40;
/// Days that they became true on.
const DAYS: i64 = 365;
/// Entries of a page.
const PAGE: u32 = 200;
/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;
/// No word of the corpus.
const NOTHING: &str = "zzyzxqqj";

/// One question, as one request asks it.
#[derive(Clone, Copy, Debug)]
enum Shape {
    List(&'static str),
    Read(&'static str),
    FindName(&'static str),
    FindKind,
    FindDay,
    Grep(&'static str),
}

const SHAPES: [(&str, Shape); 15] = [
    ("ls_kinds", Shape::List("/kinds")),
    ("ls_projects", Shape::List("/projects")),
    ("ls_days", Shape::List("/days")),
    ("ls_kind", Shape::List("/kinds/decision")),
    ("ls_project", Shape::List("/projects/project-7")),
    ("ls_project_named", Shape::List("named")),
    ("ls_none", Shape::List("/projects/_none")),
    ("ls_old_day", Shape::List("/days/1970-01-02")),
    ("cat_index", Shape::Read("/index.md")),
    ("cat_file", Shape::Read("file")),
    ("find_name", Shape::FindName("*the*")),
    ("find_no_name", Shape::FindName(NOTHING)),
    ("find_kind", Shape::FindKind),
    ("find_day", Shape::FindDay),
    ("grep", Shape::Grep("the")),
];

/// Ids and times as a daemon writes them.
struct Words<'f>(IdTags<'f>);

impl Tagger for Words<'_> {
    fn tag(&self, kind: IdKind, uuid: &[u8; 16]) -> [u8; 4] {
        self.0.tag(kind, uuid)
    }
    fn verify(&self, kind: IdKind, uuid: &[u8; 16], tag: [u8; 4]) -> bool {
        self.0.verify(kind, uuid, tag)
    }
}

impl Wording for Words<'_> {
    fn memory(&self, id: MemoryId) -> String {
        id::format(self, id)
    }
    fn session(&self, id: SessionId) -> String {
        id::format(self, id)
    }
    fn time(&self, at: Timestamp) -> String {
        Instant(at).to_string()
    }
    fn parse(&self, text: &str) -> Option<MemoryId> {
        id::parse(self, text).ok()
    }
}

/// Measures every size.
pub(crate) async fn run(texts: &[String], asked: &Asked) -> Result<Report> {
    let mut report = Report::new(format!("the tree of memories, {} calls each", asked.calls));
    for count in &asked.memories {
        let before = resident_bytes();
        let place = Filled::new(&texts[..*count]).await?;
        report.line(format!("{count} memories"));
        for (name, shape) in SHAPES {
            place
                .tell(&mut report, (name, *count), shape, asked.calls)
                .await?;
        }
        let whole = Measure::start();
        let opened = place.through(NOTHING).await?;
        let took = whole.wall().as_secs_f64() * 1e3;
        ensure!(opened == *count as u64, "a search went through {opened}");
        let note = "every page of a grep that finds nothing";
        report.row(&format!("grep_all_{count}_ms"), took, note);
        let grown = resident_bytes().saturating_sub(before) as f64 / f64::from(1 << 20);
        let note = "growth of the process, the store's caches included";
        report.row(&format!("resident_{count}_mib"), grown, note);
    }
    Ok(report)
}

/// A workspace with memories of every kind, of many projects and days.
struct Filled {
    fixture: Fixture,
    /// The folder of a project whose name is not plain, and a file in one.
    named: String,
    file: String,
}

impl Filled {
    async fn new(texts: &[String]) -> Result<Self> {
        let fixture = Fixture::new().await?;
        let projects = projects(&fixture).await?;
        for (at, batch) in texts.chunks(1_000).enumerate() {
            let mut tx = fixture.store.begin(fixture.may::<MemoryWrite>()?).await?;
            for (number, text) in (at * 1_000..).zip(batch) {
                let mut new = memory(&fixture.store, text.clone());
                let from = Timestamp::from_micros(number as i64 % DAYS * DAY);
                new.kind = MemoryKind::ALL[number % MemoryKind::ALL.len()];
                new.validity = Validity::open(from, new.validity.recorded);
                new.project = (number % 10 > 0).then(|| projects[number % PROJECTS]);
                tx.put_memory(new).await?;
            }
            tx.commit().await?;
        }
        let mut filled = Self {
            fixture,
            named: String::new(),
            file: String::new(),
        };
        filled.named = filled.first("/projects", |path| path.contains('~')).await?;
        filled.file = filled.first("/kinds/decision", |_| true).await?;
        Ok(filled)
    }

    fn words(&self) -> Words<'_> {
        Words(self.fixture.app.id_tags(&self.fixture.caller))
    }

    /// The first path in a folder that fits.
    async fn first(&self, folder: &str, fits: fn(&str) -> bool) -> Result<String> {
        let right = self.fixture.may::<MemoryRead>()?;
        let asked = (folder, &self.words() as &dyn Wording);
        let listing = self
            .fixture
            .app
            .list_tree(right, asked, (None, PAGE))
            .await?;
        let mut paths = listing.entries.into_iter().map(|entry| entry.path);
        paths
            .find(|path| fits(path))
            .ok_or_else(|| anyhow::anyhow!("nothing fits in {folder}"))
    }

    async fn tell(
        &self,
        report: &mut Report,
        (name, count): (&str, usize),
        shape: Shape,
        calls: usize,
    ) -> Result<()> {
        let mut times = Vec::with_capacity(calls);
        for _ in 0..calls {
            let one = Measure::start();
            self.ask(shape).await?;
            times.push(one.wall());
        }
        for (part, share) in [("p50", 0.5), ("p99", 0.99)] {
            let key = format!("{name}_{count}_{part}_ms");
            report.row(&key, percentile_ms(&mut times, share), "");
        }
        Ok(())
    }

    async fn ask(&self, shape: Shape) -> Result<()> {
        let (app, words) = (&self.fixture.app, self.words());
        let words = &words as &dyn Wording;
        let right = self.fixture.may::<MemoryRead>()?;
        let mut find = Find {
            path: "/".into(),
            limit: PAGE,
            ..Find::default()
        };
        match shape {
            Shape::List(path) => {
                let path = if path == "named" { &self.named } else { path };
                let listing = app.list_tree(right, (path, words), (None, PAGE)).await?;
                ensure!(!listing.entries.is_empty(), "{path} is empty");
                return Ok(());
            }
            Shape::Read(path) => {
                let path = if path == "file" { &self.file } else { path };
                app.read_tree(right, (path, words)).await?;
                return Ok(());
            }
            Shape::Grep(pattern) => {
                let found = app.grep_tree(right, (&grep(pattern, None), words)).await?;
                ensure!(!found.matches.is_empty(), "nothing fits {pattern}");
                return Ok(());
            }
            Shape::FindName(name) => find.name = Some(name.into()),
            Shape::FindKind => find.kind = Some(MemoryKind::Decision),
            Shape::FindDay => find.day = Some("1970-01-02".into()),
        }
        app.find_in_tree(right, (&find, words)).await?;
        Ok(())
    }

    /// How many files a search opens until it is through.
    async fn through(&self, pattern: &str) -> Result<u64> {
        let (mut searched, mut from) = (0, None);
        let words = self.words();
        loop {
            let asked = grep(pattern, from);
            let right = self.fixture.may::<MemoryRead>()?;
            let found = self.fixture.app.grep_tree(right, (&asked, &words)).await?;
            searched += found.searched;
            from = found.next;
            if from.is_none() {
                return Ok(searched);
            }
        }
    }
}

fn grep(pattern: &str, from: Option<[u8; 16]>) -> Grep {
    Grep {
        pattern: pattern.into(),
        path: "/".into(),
        from,
        limit: PAGE,
        ..Grep::default()
    }
}

/// Half with plain names, half with such as people also give.
async fn projects(fixture: &Fixture) -> Result<Vec<ProjectId>> {
    let mut tx = fixture.store.begin(fixture.may::<MemoryWrite>()?).await?;
    let mut ids = Vec::new();
    for number in 0..PROJECTS {
        let name = if number % 2 == 1 {
            format!("project-{number}")
        } else {
            format!("Acme/Project {number}")
        };
        let id: ProjectId = fixture.store.mint();
        ids.push(tx.put_project(&Project { id, name }).await?);
    }
    tx.commit().await?;
    Ok(ids)
}
