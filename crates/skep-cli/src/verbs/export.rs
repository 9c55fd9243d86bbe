//! `skep export`: what the caller may read as one documented file, or as a folder of Markdown.
//!
//! It is written under another name and takes its own when it is whole, so an export that is stopped leaves
//! nothing that looks like one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use serde::Serialize;
use skep_api::Limits;
use skep_api::memory::MemoryQuery;
use skep_api::tree::{FileRequest, FindRequest, ListRequest};
use skep_client::{Client, ClientError};
use tokio::time::sleep;

use crate::args::{Export, ExportFormat};
use crate::context::Context;
use crate::failure::Failure;
use crate::import::{BASIS, EXPORT_VERSION, Line, MemoryLine, Progress, Unit, fold, wait_for};
use crate::layout::counted;

/// How the name ends under which an export grows.
const PART: &str = "part";
/// How often a page is asked for before we give up.
const ATTEMPTS: u32 = 8;

/// What was written.
#[derive(Debug, Serialize)]
struct Written {
    path: String,
    memories: u64,
    bytes: u64,
}

pub(super) async fn run(context: &Context<'_>, arguments: Export) -> Result<ExitCode, Failure> {
    let mut client = context.client().await?;
    let total = memories(&mut client).await?;
    let mut progress = Progress::new(context.output, Unit::Memories, total);
    let path = std::path::absolute(&arguments.path)?;
    clear_up(&path);
    let written = match arguments.format {
        ExportFormat::Jsonl => jsonl(&mut client, &path, arguments.force, &mut progress).await,
        ExportFormat::Markdown => {
            markdown(&mut client, &path, arguments.force, &mut progress).await
        }
    };
    let written = written.map_err(|failure| failure.at(&path))?;
    progress.finish();
    let out = context.output;
    if out.is_json() {
        out.json(&written)?;
    } else {
        let memories = counted(written.memories, "memory", "memories");
        out.line(&format!("{memories} written to {}", written.path))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// How many there are, for the progress alone.
async fn memories(client: &mut Client) -> Result<u64, Failure> {
    let request = ListRequest {
        path: "/kinds".into(),
        ..ListRequest::default()
    };
    let listing = client.list_tree(&request).await?;
    Ok(listing
        .entries
        .iter()
        .filter_map(|entry| entry.memories)
        .sum())
}

/// Tries again what helps to be tried again.
async fn again(error: ClientError, attempt: &mut u32) -> Result<(), Failure> {
    *attempt += 1;
    match wait_for(&error, *attempt).filter(|_| *attempt < ATTEMPTS) {
        Some(wait) => {
            sleep(wait).await;
            Ok(())
        }
        None => Err(error.into()),
    }
}

/// Removes what is not whole.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        // What took its own name is not there any more.
        let is_folder = self.0.symlink_metadata().is_ok_and(|facts| facts.is_dir());
        let _gone = if is_folder {
            fs::remove_dir_all(&self.0)
        } else {
            fs::remove_file(&self.0)
        };
    }
}

/// A name beside the final one, which nobody else has.
fn beside(path: &Path) -> Result<PathBuf, Failure> {
    let name = path
        .file_name()
        .ok_or_else(|| Failure::usage("name a file or a folder"))?;
    let process = std::process::id();
    Ok(path.with_file_name(format!(".{}.{process}.{PART}", name.to_string_lossy())))
}

/// Removes what an export to the same name left behind that was killed: memories in clear, under a name that
/// nobody looks at. What a process that is alive writes stays.
fn clear_up(path: &Path) {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return;
    };
    let begin = format!(".{}.", name.to_string_lossy());
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        let file_name = entry.file_name();
        let file_name = file_name.to_string_lossy();
        let process = file_name.strip_prefix(&begin);
        let process = process.and_then(|rest| rest.strip_suffix(&format!(".{PART}")));
        let process = process.and_then(|process| Pid::from_raw(process.parse().ok()?));
        if process.is_some_and(|process| test_kill_process(process) == Err(Errno::SRCH)) {
            drop(Unfinished(entry.path()));
        }
    }
}

fn taken(path: &Path) -> Failure {
    let message = format!("{} is there already", path.display());
    Failure::new("EXISTS", message).hint("name another, or --force")
}

fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Where a line stands in the scratch file, and where it belongs in the export.
type Lines = Vec<((i64, u64), u64, usize)>;

async fn jsonl(
    client: &mut Client,
    path: &Path,
    force: bool,
    progress: &mut Progress<'_>,
) -> Result<Written, Failure> {
    if !force && path.symlink_metadata().is_ok() {
        return Err(taken(path));
    }
    let part = Unfinished(beside(path)?);
    let lines_file = private_file(&part.0)?;
    // From here on it has no name, so that nothing is left of it whatever ends this process.
    fs::remove_file(&part.0)?;
    let mut lines = gathered(client, &lines_file, progress).await?;
    // The same memories in the same order, in whatever order they were learned.
    lines.sort_unstable();
    let file = private_file(&part.0)?;
    let bytes = written(&file, &lines_file, &lines)?;
    file.sync_all()?;
    if force {
        fs::rename(&part.0, path)?;
    } else {
        // A link is refused where a rename would put itself in the place of what came meanwhile.
        fs::hard_link(&part.0, path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => taken(path),
            _ => error.into(),
        })?;
    }
    Ok(Written {
        path: path.display().to_string(),
        memories: lines.len() as u64,
        bytes,
    })
}

/// Writes every memory as it comes, and notes where it belongs.
async fn gathered(
    client: &mut Client,
    file: &File,
    progress: &mut Progress<'_>,
) -> Result<Lines, Failure> {
    let (mut out, mut lines, mut offset) = (BufWriter::new(file), Lines::new(), 0);
    let mut query = MemoryQuery {
        limit: Some(Limits::PAGE_MAX),
        ..MemoryQuery::default()
    };
    let mut attempt = 0;
    loop {
        let page = match client.memories(&query).await {
            Ok(page) => page,
            Err(error) => {
                again(error, &mut attempt).await?;
                continue;
            }
        };
        attempt = 0;
        progress.advance(page.items.len() as u64);
        for memory in page.items {
            let memory = MemoryLine::of(memory);
            let place = memory.place().map_err(io::Error::from)?;
            let line = encoded(&Line::Memory(Box::new(memory)))?;
            out.write_all(&line)?;
            lines.push((place, offset, line.len()));
            offset += line.len() as u64;
        }
        query.cursor = page.next;
        if query.cursor.is_none() {
            out.flush()?;
            return Ok(lines);
        }
    }
}

fn encoded(line: &Line) -> Result<Vec<u8>, Failure> {
    let mut bytes = serde_json::to_vec(line).map_err(io::Error::from)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Header, lines in their order, sums. Gives the bytes.
fn written(file: &File, lines_file: &File, lines: &Lines) -> Result<u64, Failure> {
    let mut out = BufWriter::new(file);
    let header = encoded(&Line::Header {
        format: "skep-export".into(),
        version: EXPORT_VERSION,
    })?;
    let mut digest = fold(BASIS, &header);
    let mut bytes = header.len() as u64;
    out.write_all(&header)?;
    let mut line = Vec::new();
    for (_, offset, length) in lines {
        line.resize(*length, 0);
        lines_file.read_exact_at(&mut line, *offset)?;
        digest = fold(digest, &line);
        bytes += line.len() as u64;
        out.write_all(&line)?;
    }
    let end = encoded(&Line::End {
        memories: lines.len() as u64,
        checksum: format!("{digest:016x}"),
    })?;
    out.write_all(&end)?;
    out.flush()?;
    Ok(bytes + end.len() as u64)
}

async fn markdown(
    client: &mut Client,
    path: &Path,
    force: bool,
    progress: &mut Progress<'_>,
) -> Result<Written, Failure> {
    let is_free = match fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    };
    if !is_free && !force {
        return Err(taken(path));
    }
    let part = Unfinished(beside(path)?);
    let mut folders = fs::DirBuilder::new();
    folders.mode(0o700);
    folders.create(&part.0)?;
    let mut written = Written {
        path: path.display().to_string(),
        memories: 0,
        bytes: 0,
    };
    let index = FileRequest {
        path: "/index.md".into(),
    };
    let index = client.tree_file(&index).await?;
    written.bytes += put(&part.0, &["index.md"], &index.text)?;
    let mut request = FindRequest {
        texts: true,
        limit: Some(Limits::PAGE_MAX),
        ..FindRequest::default()
    };
    let mut attempt = 0;
    loop {
        let page = match client.find_in_tree(&request).await {
            Ok(page) => page,
            Err(error) => {
                again(error, &mut attempt).await?;
                continue;
            }
        };
        attempt = 0;
        progress.advance(page.entries.len() as u64);
        for entry in page.entries {
            let parts = safe(&entry.path)?;
            let text = entry.text.unwrap_or_default();
            written.bytes += put(&part.0, &parts, &text)?;
            written.memories += 1;
        }
        request.cursor = page.next;
        if request.cursor.is_none() {
            break;
        }
    }
    if is_free {
        // A folder takes the place of an empty one alone.
        fs::rename(&part.0, path).map_err(|error| match error.kind() {
            io::ErrorKind::DirectoryNotEmpty => taken(path),
            _ => error.into(),
        })?;
    } else {
        merge(&part.0, path)?;
    }
    Ok(written)
}

/// The parts of a file's path. What a daemon elsewhere says is not written anywhere but under the folder.
fn safe(path: &str) -> Result<Vec<&str>, Failure> {
    let inside = path.strip_prefix('/').unwrap_or_default();
    let parts: Vec<&str> = inside.split('/').collect();
    let is_safe = |part: &&str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.len() <= 255
            && !part.chars().any(|c| c.is_control() || c == '\\')
    };
    if parts.len() == 3 && parts.iter().all(is_safe) {
        return Ok(parts);
    }
    let message = format!("the daemon names a file {path:?}, which is not written");
    Err(Failure::new("PATH", message))
}

/// Writes one file, with the folders above it.
fn put(root: &Path, parts: &[&str], text: &str) -> Result<u64, Failure> {
    let path = parts
        .iter()
        .fold(root.to_owned(), |path, part| path.join(part));
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    private_file(&path)?.write_all(text.as_bytes())?;
    Ok(text.len() as u64)
}

/// Moves every file into a folder that is there; what has the same name is replaced, the rest stays.
fn merge(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            merge(&entry.path(), &target)?;
        } else {
            fs::rename(entry.path(), target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{clear_up, safe};

    #[test]
    fn what_a_killed_export_left_is_removed_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        // No process has an id like this.
        let gone = i32::MAX;
        let alive = std::process::id();
        let left = [
            format!(".out.{alive}.part"),
            ".out.x.part".to_owned(),
            ".out.part".to_owned(),
            format!(".other.{gone}.part"),
            format!(".out.{gone}.part.mine"),
            "out".to_owned(),
        ];
        for name in &left {
            fs::write(at(name), "x").unwrap();
        }
        fs::create_dir_all(at(&format!(".out.{gone}.part/projects"))).unwrap();
        fs::write(at(&format!(".out.{}.part", gone - 1)), "x").unwrap();
        clear_up(&at("out"));
        let mut there: Vec<String> = fs::read_dir(root.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        there.sort();
        let mut left = left.to_vec();
        left.sort();
        assert_eq!(there, left);
    }

    #[test]
    fn n14_a_daemon_cannot_write_outside_of_the_folder() {
        assert_eq!(safe("/projects/a/b.md").unwrap(), ["projects", "a", "b.md"]);
        for path in [
            "",
            "/",
            "b.md",
            "/b.md",
            "/projects/b.md",
            "projects/a/b.md",
            "/projects/../b.md",
            "/projects/a/..",
            "//a/b.md",
            "/projects/a/b/c.md",
            "/projects/.ssh/b.md",
            "/projects/a/b\0.md",
            "/projects/a\\..\\b/c.md",
            "/../../b.md",
        ] {
            assert!(safe(path).is_err(), "{path:?}");
        }
    }
}
