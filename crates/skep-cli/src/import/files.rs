//! Imports transcripts: every file that fits, each from where the last import left it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::de::IgnoredAny;
use skep_api::{Instant, Timestamp};

use super::backward::Backward;
use super::batch::{Batch, Batcher};
use super::branches::Abandoned;
use super::cursor::Position;
use super::lines::{Piece, Pieces};
use super::progress::{Progress, Unit};
use super::sender::{Sender, source_name};
use super::transcript::{Found, Kind, Place, Transcript, files};
use crate::failure::Failure;
use crate::output::Output;

/// A longer line is skipped, and said to have been.
const LINE_MAX: usize = 32 << 20;
/// Whose session it is stands in one of the first lines.
const HEAD_LINES: usize = 200;
const HEAD_BYTES: u64 = 4 << 20;

/// Imports what is at or under a path.
pub(crate) async fn run(
    sender: &mut Sender,
    kind: &Kind,
    root: &Path,
    output: &Output,
) -> Result<(), Failure> {
    let (paths, problems) = files(root, kind.fits);
    for (path, why) in problems {
        sender.report.unreadable(&path.display().to_string(), why);
    }
    let total = paths
        .iter()
        .filter_map(|path| path.metadata().ok())
        .map(|facts| facts.len())
        .sum();
    let mut progress = Progress::new(output, Unit::Bytes, total);
    for path in paths {
        sender.report.sources += 1;
        let name = path.display().to_string();
        progress.name(&path.file_name().unwrap_or_default().to_string_lossy());
        match Source::open(&path) {
            Ok(source) => source.import(sender, kind, &mut progress).await?,
            Err(error) => sender.report.unreadable(&name, error.to_string()),
        }
    }
    progress.finish();
    Ok(())
}

/// One file, as it was when it was opened; what is added meanwhile is the next import's.
struct Source {
    path: PathBuf,
    name: String,
    file: File,
    length: u64,
    /// Up to where its lines are whole.
    end: u64,
    modified: Instant,
}

impl Source {
    fn open(path: &Path) -> io::Result<Self> {
        let path = path.canonicalize()?;
        let file = File::open(&path)?;
        let facts = file.metadata()?;
        let modified = facts
            .modified()?
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let micros = i64::try_from(modified.as_micros()).unwrap_or(i64::MAX);
        Ok(Self {
            name: path.display().to_string(),
            end: whole_lines(&file, facts.len())?,
            length: facts.len(),
            modified: Instant(Timestamp::from_micros(micros)),
            path,
            file,
        })
    }

    async fn import(
        self,
        sender: &mut Sender,
        kind: &Kind,
        progress: &mut Progress<'_>,
    ) -> Result<(), Failure> {
        let source = source_name(kind.harness.as_str(), &self.name);
        if self.end < self.length {
            sender.report.unfinished.push(self.name.clone());
        }
        let known = sender.cursor(&source).await?;
        let position = known
            .as_deref()
            .map(|text| Position::read(text, &self.file, self.end));
        if position == Some(None) {
            sender.report.reread += 1;
        }
        let position = position.flatten().unwrap_or_default();
        progress.advance(position.offset + self.length - self.end);
        if position.offset == self.end {
            sender.report.unchanged += 1;
            return Ok(());
        }
        match self.lines(sender, kind, position, &source, progress).await {
            Err(Stopped::Reading(error)) => {
                sender.report.unreadable(&self.name, error.to_string());
                Ok(())
            }
            Err(Stopped::Sending(failure)) => Err(failure),
            Ok(()) => Ok(()),
        }
    }

    async fn lines(
        &self,
        sender: &mut Sender,
        kind: &Kind,
        position: Position,
        source: &str,
        progress: &mut Progress<'_>,
    ) -> Result<(), Stopped> {
        let mut transcript = (kind.reader)(&self.path, self.modified);
        self.meet(transcript.as_mut())?;
        let abandoned = match transcript.trail() {
            Some(mut trail) => Abandoned::find(
                &self.file,
                position.offset,
                self.end,
                LINE_MAX,
                trail.as_mut(),
            )?,
            None => Abandoned::default(),
        };
        let session = transcript.session();
        let mut session_id = None;
        let mut batcher = Batcher::new(Some(position));
        let mut pieces = self.pieces(position)?;
        let mut before = position;
        while let Some(piece) = pieces.next()? {
            let place = Place {
                number: piece.number,
                abandoned: abandoned.contains(before.lines - position.lines),
            };
            let found = self.read(transcript.as_mut(), &piece, place, sender);
            let after = Position {
                offset: piece.end,
                lines: piece.number,
            };
            progress.advance(after.offset - before.offset);
            before = after;
            for batch in batcher.add(place.number, found.turns, after) {
                session_id = sender
                    .send(&session, self.placed(batch)?, source)
                    .await?
                    .or(session_id);
            }
        }
        if let Some(batch) = batcher.finish() {
            session_id = sender
                .send(&session, self.placed(batch)?, source)
                .await?
                .or(session_id);
        }
        if let Some(id) = session_id {
            sender.end(&id).await?;
        }
        Ok(())
    }

    /// Shows the reader the first lines, wherever the import goes on from.
    fn meet(&self, transcript: &mut dyn Transcript) -> io::Result<()> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(0))?;
        let mut pieces = Pieces::new(file.take(self.end.min(HEAD_BYTES)), b'\n', LINE_MAX);
        for _ in 0..HEAD_LINES {
            match pieces.next()? {
                Some(piece) => transcript.meet(&String::from_utf8_lossy(piece.bytes)),
                None => break,
            }
        }
        Ok(())
    }

    fn pieces(&self, position: Position) -> io::Result<Pieces<io::Take<&File>>> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(position.offset))?;
        let rest = file.take(self.end - position.offset);
        Ok(Pieces::new(rest, b'\n', LINE_MAX).starting_at(position.offset, position.lines))
    }

    /// One line, counted whatever it holds.
    fn read(
        &self,
        transcript: &mut dyn Transcript,
        piece: &Piece<'_>,
        place: Place,
        sender: &mut Sender,
    ) -> Found {
        let report = &mut sender.report;
        let mut found = Found::default();
        if piece.is_cut() {
            let why = format!("longer than 32 MiB ({} bytes)", piece.length);
            report.fail(&self.name, piece.number, why);
            return found;
        }
        let line = String::from_utf8_lossy(piece.bytes);
        report.not_utf8 += u64::from(matches!(line, std::borrow::Cow::Owned(_)));
        if line.trim().is_empty() {
            return found;
        }
        if let Err(why) = transcript.read(&line, place, &mut found) {
            report.fail(&self.name, piece.number, why);
        }
        for reason in &found.skipped {
            report.skip(reason);
        }
        report.cut += found.cut;
        found
    }

    fn placed(&self, batch: Batch<Position>) -> io::Result<Batch<String>> {
        let position = batch
            .position
            .map(|position| position.write(&self.file))
            .transpose()?;
        Ok(batch.at(position))
    }
}

/// Why a file was not read to its end.
enum Stopped {
    /// The file's fault: the others may still be read.
    Reading(io::Error),
    /// The daemon's: nothing more can be stored.
    Sending(Failure),
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::Reading(error)
    }
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::Sending(failure)
    }
}

/// Up to where the lines of a file are whole. A last line without a line feed counts if it is an
/// object that closes: one still being written never does.
fn whole_lines(file: &File, length: u64) -> io::Result<u64> {
    let mut reader = Backward::new(file, length, LINE_MAX)?;
    let mut last = [0];
    if length > 0 {
        std::os::unix::fs::FileExt::read_exact_at(file, &mut last, length - 1)?;
    }
    if length == 0 || last == *b"\n" {
        return Ok(length);
    }
    let Some(line) = reader.next()? else {
        return Ok(0);
    };
    let text = line.bytes.map(String::from_utf8_lossy);
    let closes = text.is_some_and(|text| {
        text.trim_start().starts_with('{') && serde_json::from_str::<IgnoredAny>(&text).is_ok()
    });
    Ok(if closes { length } else { line.start })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::whole_lines;

    #[test]
    fn a_line_still_being_written_is_left_for_the_next_import() {
        for (text, whole) in [
            ("", 0),
            ("{\"a\":1}\n", 8),
            ("{\"a\":1}\n{\"b\":", 8),
            ("{\"a\":1}\n{\"b\":2}", 15),
            ("{\"a\":1}\n12", 8),
            ("{\"b\":", 0),
            ("\n\n", 2),
        ] {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(text.as_bytes()).unwrap();
            assert_eq!(
                whole_lines(&file, text.len() as u64).unwrap(),
                whole,
                "{text:?}"
            );
        }
    }
}
