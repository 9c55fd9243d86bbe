//! A folder that entries are written to: lines are added to the last file and synced; nothing is written over, and
//! nothing is removed.

use std::io;
use std::path::PathBuf;

use tokio::fs::{DirBuilder, File, OpenOptions, read_dir};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use super::FileSink;
use skep_store::row::LogKey;

/// Digits of a file's number.
const DIGITS: usize = 8;
const ENDING: &str = ".jsonl";

/// Writes the files of one sink.
pub(super) struct Folder {
    sink: FileSink,
    open: Option<Open>,
    /// The log that was written last: the next round begins behind it, so that those before it, however much comes to
    /// them, leave room for the others.
    pub(super) after: Option<LogKey>,
}

struct Open {
    file: File,
    number: u64,
    size: u64,
}

impl Folder {
    pub(super) fn new(sink: FileSink) -> Self {
        Self {
            sink,
            open: None,
            after: None,
        }
    }

    pub(super) fn sink(&self) -> &FileSink {
        &self.sink
    }

    /// Adds lines. When this returns they are on the disk.
    pub(super) async fn add(&mut self, lines: &str) -> io::Result<()> {
        // After a failure it is looked at anew: nobody knows what was written.
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.begin().await?,
        };
        if open.size >= self.sink.rotate {
            open = self.create(open.number + 1).await?;
        }
        open.file.write_all(lines.as_bytes()).await?;
        open.file.flush().await?;
        open.file.sync_data().await?;
        open.size += lines.len() as u64;
        self.open = Some(open);
        Ok(())
    }

    async fn begin(&self) -> io::Result<Open> {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(&self.sink.folder).await?;
        let Some(number) = self.last().await? else {
            return self.create(1).await;
        };
        let mut file = options().open(self.path(number)).await?;
        let mut size = file.metadata().await?.len();
        if size > 0 {
            file.seek(io::SeekFrom::End(-1)).await?;
            if file.read_u8().await? != b'\n' {
                // Whoever was writing the last line was killed: the next one begins anew, and what the line was of
                // comes again.
                file.write_all(b"\n").await?;
                size += 1;
            }
        }
        Ok(Open { file, number, size })
    }

    /// The number of the last file.
    async fn last(&self) -> io::Result<Option<u64>> {
        let mut files = read_dir(&self.sink.folder).await?;
        let mut last = None;
        while let Some(file) = files.next_entry().await? {
            let name = file.file_name();
            let number = name.to_str().and_then(|name| self.number_of(name));
            last = last.max(number);
        }
        Ok(last)
    }

    fn number_of(&self, name: &str) -> Option<u64> {
        let rest = name.strip_prefix(&*self.sink.name)?.strip_prefix('-')?;
        let digits = rest.strip_suffix(ENDING)?;
        let fits = digits.len() >= DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse().ok().filter(|_| fits)
    }

    fn path(&self, number: u64) -> PathBuf {
        let name = &self.sink.name;
        self.sink
            .folder
            .join(format!("{name}-{number:0DIGITS$}{ENDING}"))
    }

    async fn create(&self, number: u64) -> io::Result<Open> {
        let mut options = options();
        let file = options.create_new(true).open(self.path(number)).await?;
        // That there is such a file is as durable as what is in it.
        File::open(&self.sink.folder).await?.sync_all().await?;
        Ok(Open {
            file,
            number,
            size: 0,
        })
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).append(true).mode(0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::Folder;
    use crate::sinks::{FileSink, Wanted};
    use skep_test_support::Scratch;

    fn folder(scratch: &Scratch, rotate: u64) -> Folder {
        Folder::new(FileSink {
            name: "archive".into(),
            folder: scratch.path().join("out"),
            wanted: Wanted::default(),
            rotate,
        })
    }

    fn text(scratch: &Scratch, number: u64) -> String {
        let name = format!("out/archive-{number:08}.jsonl");
        std::fs::read_to_string(scratch.path().join(name)).unwrap()
    }

    #[tokio::test]
    async fn lines_are_added_and_a_full_file_is_followed_by_another() {
        let scratch = Scratch::new();
        let mut one = folder(&scratch, 8);
        one.add("first\n").await.unwrap();
        one.add("second\n").await.unwrap();
        one.add("third\n").await.unwrap();
        // As after a start: what is there goes on.
        let mut other = folder(&scratch, 8);
        other.add("fourth\n").await.unwrap();
        assert_eq!(text(&scratch, 1), "first\nsecond\n");
        assert_eq!(text(&scratch, 2), "third\nfourth\n");
        other.add("fifth\n").await.unwrap();
        assert_eq!(text(&scratch, 3), "fifth\n");
    }

    #[tokio::test]
    async fn a_torn_line_is_ended_and_nothing_is_written_over() {
        let scratch = Scratch::new();
        let mut one = folder(&scratch, 1_000);
        one.add("first\n").await.unwrap();
        let path = scratch.path().join("out/archive-00000001.jsonl");
        std::fs::write(&path, "first\n{\"to").unwrap();
        // Names that only look like ours are let be.
        for name in [
            "archive-9.jsonl",
            "archive-x0000009.jsonl",
            "other-00000009.jsonl",
        ] {
            std::fs::write(scratch.path().join("out").join(name), "theirs").unwrap();
        }
        let mut other = folder(&scratch, 1_000);
        other.add("second\n").await.unwrap();
        assert_eq!(text(&scratch, 1), "first\n{\"to\nsecond\n");
    }
}
