//! A large folder of transcripts through the real `skep import` into a real daemon: neither process
//! may grow with it.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use skep_test_support::Scratch;
use tokio::process::{Child, Command};

use crate::crash::Daemon;
use crate::measure::{Measure, peak_resident_bytes, per_second};
use crate::report::Report;

/// Bytes of one transcript: some are short, some go on for days.
const TRANSCRIPTS: [u64; 4] = [200 << 10, 2 << 20, 8 << 20, 64 << 20];

/// How often the processes' memory is looked at, beside what the kernel keeps of the peak.
const LOOK: Duration = Duration::from_millis(50);

/// What is run.
pub(crate) struct Programs {
    pub(crate) skep: PathBuf,
    pub(crate) skepd: PathBuf,
}

/// Writes transcripts of so many MiB, imports them, and tells what both processes took at most.
pub(crate) async fn run(programs: &Programs, texts: &[String], mib: u64) -> Result<Report> {
    let scratch = Scratch::new();
    let (home, folder) = (scratch.path().join("home"), scratch.path().join("projects"));
    let (bytes, turns) = write_all(&folder, texts, mib << 20)?;
    let (daemon, _) = Daemon::start(&programs.skepd, &home).await?;
    let before = peak_resident_bytes(daemon.id()?);
    let whole = Measure::start();
    let mut import = Command::new(&programs.skep)
        .arg("--home")
        .arg(&home)
        .args(["--quiet", "import", "claude"])
        .arg(&folder)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("starting {}", programs.skep.display()))?;
    let peak = watch(&mut import).await?;
    let wall = whole.wall();
    let after = peak_resident_bytes(daemon.id()?);

    let mut report = Report::new(format!("import of {mib} MiB of transcripts"));
    let to_mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    report.row(
        "transcripts_mib",
        to_mib(bytes),
        "lines as Claude Code writes them",
    );
    report.row("turns", turns as f64, "written");
    report.row(
        "import_peak_mib",
        to_mib(peak),
        "resident, of `skep import`",
    );
    report.row(
        "daemon_start_peak_mib",
        to_mib(before),
        "resident, of skepd before the import",
    );
    report.row(
        "daemon_peak_mib",
        to_mib(after),
        "resident, of skepd until the import was done",
    );
    report.row("mib_per_s", to_mib(bytes) / wall.as_secs_f64(), "");
    report.row("turns_per_s", per_second(turns, wall), "");
    Ok(report)
}

/// Waits for the end; says how much it had in memory at most.
async fn watch(import: &mut Child) -> Result<u64> {
    let id = import.id().context("skep ended at once")?;
    let mut peak = 0;
    loop {
        peak = peak_resident_bytes(id).max(peak);
        if let Ok(status) = tokio::time::timeout(LOOK, import.wait()).await {
            ensure!(status?.success(), "skep import failed");
            return Ok(peak);
        }
    }
}

fn write_all(folder: &Path, texts: &[String], wanted: u64) -> Result<(u64, usize)> {
    if texts.is_empty() {
        bail!("no text");
    }
    let (mut bytes, mut turns) = (0, 0);
    for number in 0.. {
        if bytes >= wanted {
            break;
        }
        let size = TRANSCRIPTS[number % TRANSCRIPTS.len()].min(wanted - bytes);
        let project = folder.join(format!("-home-dev-harbor-{}", number % 7));
        fs::create_dir_all(&project)?;
        let session = format!("{number:08x}-0000-4000-8000-000000000000");
        let file = File::create(project.join(format!("{session}.jsonl")))?;
        bytes += write_one(file, &session, texts, size, &mut turns)?;
    }
    Ok((bytes, turns))
}

/// One session: questions of a paragraph, answers of several, and what a tool printed.
fn write_one(
    file: File,
    session: &str,
    texts: &[String],
    size: u64,
    turns: &mut usize,
) -> Result<u64> {
    let mut file = BufWriter::new(file);
    let (mut bytes, mut parent) = (0, None);
    while bytes < size {
        let number = *turns;
        let pick = |step: usize| texts[(number * 13 + step) % texts.len()].as_str();
        let id = format!("{number:08x}-1111-4000-8000-{bytes:012x}");
        let several = |count: usize| (0..count).map(pick).collect::<Vec<_>>().join("\n");
        let content = match number % 3 {
            0 => json!(pick(0)),
            1 => json!([{ "type": "text", "text": several(3) }]),
            _ => json!([{ "type": "text", "text": several(24) }]),
        };
        let second = number % 86_400;
        let (hour, minute) = (second / 3_600, second / 60 % 60);
        let at = format!("2026-03-11T{hour:02}:{minute:02}:{:02}.000Z", second % 60);
        let role = if number.is_multiple_of(3) {
            "user"
        } else {
            "assistant"
        };
        let line = json!({
            "parentUuid": parent,
            "isSidechain": false,
            "cwd": "/home/dev/harbor",
            "sessionId": session,
            "version": "2.1.104",
            "gitBranch": "main",
            "type": role,
            "message": { "role": role, "content": content },
            "uuid": id,
            "timestamp": at,
        });
        let line = line.to_string();
        writeln!(file, "{line}")?;
        bytes += line.len() as u64 + 1;
        parent = Some(id);
        *turns += 1;
    }
    file.flush()?;
    Ok(bytes)
}
