//! Files of a ZIP archive, one after the other, as they are needed. Only what is asked for is listed, nothing is
//! written anywhere, and what is unpacked is bounded by the archive itself: whoever made it may mean harm.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Take};

use flate2::Crc;
use flate2::bufread::DeflateDecoder;

/// The end of the directory, without its comment.
const END: usize = 22;
/// Before that end, where an archive is large: where the larger end stands.
const LOCATOR: u64 = 20;
/// The larger end.
const LARGE_END: usize = 56;
/// An entry of the directory, without names.
const ENTRY: usize = 46;
/// What stands before a file's bytes, without names.
const LOCAL: usize = 30;
/// Entries of a directory that are looked at.
const ENTRIES: u64 = 1 << 20;
/// Files that are read of one archive.
const MEMBERS: usize = 1_000;
/// What is unpacked may be so many times the archive's length, and this longer, and is never more than that.
const RATIO: u64 = 100;
const ALLOWANCE: u64 = 64 << 20;
const MOST: u64 = 16 << 30;

const CUT: &str = "the archive is damaged or cut off";

/// An archive, and those of its files that were asked for.
pub(crate) struct Archive {
    file: File,
    length: u64,
    /// Bytes that may still be unpacked.
    left: u64,
    members: Vec<Member>,
}

/// A file of an archive, as its directory tells of it.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    packed: u64,
    at: u64,
    is_stored: bool,
    sum: u32,
    /// Why it is not read.
    unfit: Option<&'static str>,
}

/// Whether a file begins as an archive does; it stands at its beginning again.
pub(crate) fn is_zip(file: &mut File) -> io::Result<bool> {
    let mut begin = Vec::new();
    file.by_ref().take(4).read_to_end(&mut begin)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(begin == *b"PK\x03\x04" || begin == *b"PK\x05\x06")
}

impl Archive {
    /// Reads the directory, and keeps the files whose path fits.
    pub(crate) fn open(mut file: File, fits: fn(&str) -> bool) -> io::Result<Self> {
        let length = file.seek(SeekFrom::End(0))?;
        let (count, at) = directory(&mut file, length)?;
        if count > ENTRIES {
            return Err(damaged("the archive has too many files in it"));
        }
        file.seek(SeekFrom::Start(at))?;
        let mut entries = BufReader::new(&file);
        let mut members = Vec::new();
        for _ in 0..count {
            let member = entry(&mut entries)?;
            if !fits(&member.name) {
                continue;
            }
            if members.len() == MEMBERS {
                return Err(damaged("the archive has too many files to be read"));
            }
            members.push(member);
        }
        members.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self {
            left: length
                .saturating_mul(RATIO)
                .saturating_add(ALLOWANCE)
                .min(MOST),
            file,
            length,
            members,
        })
    }

    /// The files, in the order of their names.
    pub(crate) fn members(&self) -> Vec<Member> {
        self.members.clone()
    }

    /// What stands in one.
    pub(crate) fn read(&mut self, member: &Member) -> io::Result<Unpacked<'_>> {
        if let Some(why) = member.unfit {
            return Err(damaged(why));
        }
        let mut local = [0; LOCAL];
        self.file.seek(SeekFrom::Start(member.at))?;
        exactly(&mut &self.file, &mut local)?;
        if local[..4] != *b"PK\x03\x04" {
            return Err(damaged(CUT));
        }
        let names = u64::from(half(&local, 26)) + u64::from(half(&local, 28));
        let begin = member.at.saturating_add(LOCAL as u64 + names);
        if begin.saturating_add(member.packed) > self.length {
            return Err(damaged(CUT));
        }
        let mut file = self.file.try_clone()?;
        file.seek(SeekFrom::Start(begin))?;
        let packed = BufReader::new(file.take(member.packed));
        Ok(Unpacked {
            from: if member.is_stored {
                From::Stored(packed)
            } else {
                From::Deflated(DeflateDecoder::new(packed))
            },
            sum: Crc::new(),
            done: 0,
            member: member.clone(),
            left: &mut self.left,
        })
    }
}

/// A file being unpacked: it ends well if it is what the directory tells.
pub(crate) struct Unpacked<'a> {
    from: From,
    sum: Crc,
    done: u64,
    member: Member,
    left: &'a mut u64,
}

enum From {
    Stored(BufReader<Take<File>>),
    Deflated(DeflateDecoder<BufReader<Take<File>>>),
}

impl Read for Unpacked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.from {
            From::Stored(file) => file.read(buffer),
            From::Deflated(file) => file.read(buffer),
        };
        let read = read.map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            _ => damaged(CUT),
        })?;
        self.sum.update(&buffer[..read]);
        self.done += read as u64;
        let is_end = read == 0 && !buffer.is_empty();
        let fits = self.done == self.member.bytes && self.sum.sum() == self.member.sum;
        if self.done > self.member.bytes || (is_end && !fits) {
            return Err(damaged("the archive is damaged: its sums do not fit"));
        }
        *self.left = self
            .left
            .checked_sub(read as u64)
            .ok_or_else(|| damaged("the archive unpacks to far more than its size: not read"))?;
        Ok(read)
    }
}

/// How many entries the directory has, and where it begins.
fn directory(file: &mut File, length: u64) -> io::Result<(u64, u64)> {
    let from = length.saturating_sub((END + usize::from(u16::MAX)) as u64);
    file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    file.by_ref().take(length - from).read_to_end(&mut tail)?;
    let is_end = |at: &usize| {
        let end = &tail[*at..];
        end.starts_with(b"PK\x05\x06") && usize::from(half(end, 20)) == end.len() - END
    };
    let last = tail.len().checked_sub(END);
    let at = last.and_then(|last| (0..=last).rev().find(is_end));
    let at = at.ok_or_else(|| damaged("it is no whole ZIP archive"))?;
    let end = &tail[at..];
    let (count, begin) = (u64::from(half(end, 10)), u64::from(word(end, 16)));
    if count < u64::from(u16::MAX) && begin < u64::from(u32::MAX) {
        return Ok((count, begin));
    }
    let locator = (from + at as u64).checked_sub(LOCATOR);
    let mut told = [0; LOCATOR as usize];
    file.seek(SeekFrom::Start(locator.ok_or_else(|| damaged(CUT))?))?;
    exactly(file, &mut told)?;
    let mut large = [0; LARGE_END];
    file.seek(SeekFrom::Start(long(&told, 8)))?;
    exactly(file, &mut large)?;
    if told[..4] != *b"PK\x06\x07" || large[..4] != *b"PK\x06\x06" {
        return Err(damaged(CUT));
    }
    Ok((long(&large, 32), long(&large, 48)))
}

/// The next entry of the directory.
fn entry(entries: &mut impl BufRead) -> io::Result<Member> {
    let mut fixed = [0; ENTRY];
    exactly(entries, &mut fixed)?;
    if fixed[..4] != *b"PK\x01\x02" {
        return Err(damaged(CUT));
    }
    let [mut name, mut more, mut comment] = [28, 30, 32].map(|at| vec![0; half(&fixed, at).into()]);
    for part in [&mut name, &mut more, &mut comment] {
        exactly(entries, part)?;
    }
    let mut sizes = [24, 20, 42].map(|at| u64::from(word(&fixed, at)));
    widen(&mut sizes, &more);
    let [bytes, packed, at] = sizes;
    let method = half(&fixed, 10);
    let unfit = match method {
        _ if half(&fixed, 8) & 1 == 1 => Some("it is encrypted"),
        0 | 8 => None,
        _ => Some("it is packed in a way that is not read"),
    };
    Ok(Member {
        name: String::from_utf8_lossy(&name).into_owned(),
        bytes,
        packed,
        at,
        is_stored: method == 0,
        sum: word(&fixed, 16),
        unfit,
    })
}

/// Sizes that do not fit where they belong stand among what is more, in this order.
fn widen(sizes: &mut [u64; 3], mut more: &[u8]) {
    while more.len() >= 4 {
        let (kind, length) = (half(more, 0), usize::from(half(more, 2)));
        let field = &more[4..more.len().min(4 + length)];
        if kind == 1 {
            let wide = sizes
                .iter_mut()
                .filter(|size| **size == u64::from(u32::MAX));
            for (size, told) in wide.zip(field.chunks_exact(8)) {
                *size = long(told, 0);
            }
            return;
        }
        more = &more[4 + field.len()..];
    }
}

fn exactly(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<()> {
    from.read_exact(buffer).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => damaged(CUT),
        _ => error,
    })
}

fn damaged(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// Little-endian numbers of 2, 4 and 8 bytes; 0 beyond the end.
fn half(bytes: &[u8], at: usize) -> u16 {
    number(bytes, at).map_or(0, u16::from_le_bytes)
}

fn word(bytes: &[u8], at: usize) -> u32 {
    number(bytes, at).map_or(0, u32::from_le_bytes)
}

fn long(bytes: &[u8], at: usize) -> u64 {
    number(bytes, at).map_or(0, u64::from_le_bytes)
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

#[cfg(test)]
mod tests;
