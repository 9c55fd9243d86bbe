//! How far a transcript was read: an offset, and proof that what stands before it is unchanged.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// How much of what stands before the offset is proof enough.
const WINDOW: u64 = 4 << 10;

/// A place in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// Bytes before it.
    pub(crate) offset: u64,
    /// Lines before it.
    pub(crate) lines: u64,
}

impl Position {
    /// The text that the daemon keeps for us.
    pub(crate) fn write(self, file: &File) -> io::Result<String> {
        let digest = digest(file, self.offset)?;
        Ok(format!("1:{}:{}:{digest:016x}", self.offset, self.lines))
    }

    /// Reads it back; `None` if the file is not the one it was, up to there.
    pub(crate) fn read(text: &str, file: &File, end: u64) -> Option<Self> {
        let mut parts = text.split(':');
        if parts.next()? != "1" {
            return None;
        }
        let offset = parts.next()?.parse().ok().filter(|offset| *offset <= end)?;
        let lines = parts.next()?.parse().ok()?;
        let known = u64::from_str_radix(parts.next()?, 16).ok()?;
        let same = parts.next().is_none() && digest(file, offset).ok()? == known;
        same.then_some(Self { offset, lines })
    }
}

fn digest(file: &File, offset: u64) -> io::Result<u64> {
    let size = offset.min(WINDOW);
    let mut window = vec![0; size as usize];
    file.read_exact_at(&mut window, offset - size)?;
    Ok(fingerprint(&window))
}

/// FNV-1a, 64 bits (<http://www.isthe.com/chongo/tech/comp/fnv/>): tells an edited file from a grown
/// one; nobody gains by forging it.
pub(crate) fn fingerprint(bytes: &[u8]) -> u64 {
    fold(BASIS, bytes)
}

/// What a fingerprint begins with.
pub(crate) const BASIS: u64 = 0xCBF2_9CE4_8422_2325;

/// The fingerprint of what came before, and of more.
pub(crate) fn fold(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;

    use super::{Position, fingerprint};

    fn file(text: &str) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    #[test]
    fn a_position_holds_for_a_grown_file_and_for_no_other() {
        let text = "0123456789".repeat(1_000);
        let here = Position {
            offset: 10_000,
            lines: 7,
        };
        let kept = here.write(&file(&text)).unwrap();
        let read = |text: &str| Position::read(&kept, &file(text), text.len() as u64);
        assert_eq!(read(&text), Some(here));
        assert_eq!(read(&format!("{text}more")), Some(here));
        assert_eq!(read(&text[..9_999]), None);
        // Its last line, now incomplete, begins before the place.
        assert_eq!(Position::read(&kept, &file(&text), 9_990), None);
        let edited = text.replacen('9', "8", 1_000);
        assert_eq!(read(&edited), None);
        let beginning = Position::default().write(&file(&text)).unwrap();
        assert_eq!(
            Position::read(&beginning, &file("x"), 1),
            Some(Position::default())
        );
    }

    #[test]
    fn nonsense_is_no_position() {
        let file = file("abc");
        for text in [
            "",
            "1",
            "2:0:0:0",
            "1:0:0",
            "1:0:0:zz",
            "1:9:0:0",
            "1:-1:0:0",
            "1:0:0:cbf29ce484222325:1",
        ] {
            assert_eq!(Position::read(text, &file, 3), None, "{text:?}");
        }
    }

    #[test]
    fn the_fingerprint_is_the_published_one() {
        assert_eq!(fingerprint(b""), 0xCBF2_9CE4_8422_2325);
        assert_eq!(fingerprint(b"foobar"), 0x8594_4171_F739_67E8);
    }
}
