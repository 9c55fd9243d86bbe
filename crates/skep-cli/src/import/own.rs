//! Exports of Skep itself: one line of JSON for each thing, a header before them and sums behind. See
//! docs/export.md.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::path::Path;

use serde::{Deserialize, Serialize};
use skep_api::Instant;
use skep_api::memory::Memory;
use skep_api::source::MemoryInput;

use super::cursor::{BASIS, fold};
use super::exports::document;
use super::keeper::Keeper;
use super::lines::Pieces;
use super::progress::{Progress, Unit};
use super::transcript::json_problem;
use crate::failure::Failure;
use crate::output::Output;

/// The version that is written, and the one that is read.
pub(crate) const VERSION: u32 = 1;
/// Bytes of one line.
const LINE: usize = 1 << 20;

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Line {
    /// The first.
    Header {
        /// `skep-export`.
        format: String,
        /// Of this form.
        version: u32,
    },
    /// One memory.
    Memory(Box<MemoryLine>),
    /// The last.
    End {
        /// Lines of memories.
        memories: u64,
        /// Of every byte before this line: FNV-1a, 64 bits, in hexadecimal digits.
        checksum: String,
    },
}

/// A memory without its id, which is of one installation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct MemoryLine {
    kind: String,
    key: String,
    text: String,
    trust: String,
    visibility: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    valid_from: Instant,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    valid_to: Option<Instant>,
    from: String,
    derived_by: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    references: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recorded_at: Option<Instant>,
}

impl MemoryLine {
    pub(crate) fn of(memory: Memory) -> Self {
        Self {
            kind: memory.kind,
            key: memory.key,
            text: memory.text,
            trust: memory.trust,
            visibility: memory.visibility,
            project: memory.project,
            valid_from: memory.valid_from,
            valid_to: memory.valid_to,
            from: memory.provenance.harness,
            derived_by: memory.provenance.derived_by,
            references: memory.provenance.references,
            recorded_at: Some(memory.recorded_at),
        }
    }

    /// What tells it from every other, whenever it was learned: its time, and a digest of the rest.
    pub(crate) fn place(&self) -> serde_json::Result<(i64, u64)> {
        let timeless = Self {
            recorded_at: None,
            ..self.clone()
        };
        let digest = fold(BASIS, &serde_json::to_vec(&timeless)?);
        Ok((self.valid_from.0.as_micros(), digest))
    }
}

/// Imports an export. It is looked through to its end before anything is sent.
pub(crate) async fn run(keeper: &mut Keeper, path: &Path, output: &Output) -> Result<(), Failure> {
    let name = path.display().to_string();
    keeper.report.sources += 1;
    let refused =
        |why: String| Failure::new("EXPORT", format!("{name}: {why}")).hint("nothing was imported");
    let mut file = File::open(path).map_err(|error| refused(error.to_string()))?;
    let memories = verified(&file)
        .map_err(|error| refused(error.to_string()))?
        .map_err(refused)?;
    file.seek(SeekFrom::Start(0))?;
    let mut progress = Progress::new(output, Unit::Memories, memories);
    let mut pieces = Pieces::new(file, b'\n', LINE);
    while let Some(piece) = pieces.next()? {
        match serde_json::from_slice::<Line>(piece.bytes) {
            Ok(Line::Memory(line)) => {
                let (_, digest) = line.place().map_err(io::Error::from)?;
                let place = (name.as_str(), piece.number);
                keeper.keep(read(*line, digest), place).await?;
                progress.advance(1);
            }
            Ok(Line::Header { .. } | Line::End { .. }) => {}
            Err(error) => keeper
                .report
                .fail(&name, piece.number, json_problem(&error)),
        }
    }
    progress.finish();
    Ok(())
}

fn read(line: MemoryLine, digest: u64) -> skep_api::source::DocumentInput {
    let memory = MemoryInput {
        kind: Some(line.kind),
        key: Some(line.key),
        trust: Some(line.trust),
        visibility: Some(line.visibility),
        project: line.project,
        valid_from: Some(line.valid_from),
        valid_to: line.valid_to,
        harness: Some(line.from),
        derived_by: Some(line.derived_by),
        references: line.references,
    };
    document(format!("memory/{digest:016x}"), line.text, memory)
}

/// How many memories a whole export has; why it is none, otherwise.
fn verified(file: &File) -> io::Result<Result<u64, String>> {
    let mut pieces = Pieces::new(file, b'\n', LINE);
    let (mut digest, mut memories, mut end) = (BASIS, 0, None);
    while let Some(piece) = pieces.next()? {
        if end.is_some() {
            return Ok(Err("something follows its last line".into()));
        }
        if piece.is_cut() {
            return Ok(Err(format!(
                "line {} is longer than {LINE} bytes",
                piece.number
            )));
        }
        let line = serde_json::from_slice::<Line>(piece.bytes);
        match line {
            Ok(Line::Header { format, version }) if piece.number == 1 => {
                if format != "skep-export" || version != VERSION {
                    return Ok(Err(format!(
                        "version {version} of {format:?} is not read by this skep"
                    )));
                }
            }
            _ if piece.number == 1 => return Ok(Err("it is no export of skep".into())),
            Ok(Line::End { memories, checksum }) => {
                end = Some((memories, checksum));
                continue;
            }
            // A line that cannot be read counts: it is named when the others are sent.
            Ok(_) | Err(_) => memories += 1,
        }
        digest = fold(digest, piece.bytes);
        digest = fold(digest, b"\n");
    }
    Ok(match end {
        None => Err("it is cut off: its last line is not there".into()),
        Some((count, sum)) if count == memories && sum == format!("{digest:016x}") => Ok(memories),
        Some(_) => Err("it was changed since it was written: its sums do not fit".into()),
    })
}
