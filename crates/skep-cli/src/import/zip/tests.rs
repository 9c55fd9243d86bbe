//! Archives as they are, and as somebody would make them who means harm.

use std::fs::File;
use std::io::{Read as _, Write};

use flate2::Compression;
use flate2::write::DeflateEncoder;
use proptest::prelude::{any, prop_assert_eq, proptest};

use super::{Archive, is_zip};

/// A file to put into an archive.
struct Packed {
    name: &'static str,
    text: Vec<u8>,
    is_stored: bool,
    flags: u16,
    method: Option<u16>,
    /// What the directory says of its length, where that is not so.
    claims: Option<u32>,
    damages: bool,
}

fn packed(name: &'static str, text: impl Into<Vec<u8>>) -> Packed {
    Packed {
        name,
        text: text.into(),
        is_stored: false,
        flags: 0,
        method: None,
        claims: None,
        damages: false,
    }
}

/// An archive with its directory; with all sizes in 64 bits where that is asked for.
fn archive(files: &[Packed], is_large: bool) -> Vec<u8> {
    let (mut all, mut directory) = (Vec::new(), Vec::new());
    for file in files {
        let (fixed, more, data, at) = entry(file, all.len(), is_large);
        all.extend(b"PK\x03\x04\x14\x00");
        all.extend(&fixed[..22]);
        all.extend(name_and_more(file.name, b""));
        all.extend(data);
        directory.extend(b"PK\x01\x02\x14\x00\x14\x00");
        directory.extend(&fixed[..20]);
        directory.extend((file.name.len() as u16).to_le_bytes());
        directory.extend((more.len() as u16).to_le_bytes());
        directory.extend([0; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(file.name.as_bytes());
        directory.extend(more);
    }
    let (begin, count) = (all.len() as u64, files.len() as u64);
    all.extend(&directory);
    let end = all.len() as u64;
    if is_large {
        all.extend(b"PK\x06\x06");
        all.extend([0; 20]);
        all.extend(
            [count, count, directory.len() as u64, begin]
                .map(u64::to_le_bytes)
                .concat(),
        );
        all.extend(b"PK\x06\x07\0\0\0\0");
        all.extend(end.to_le_bytes());
        all.extend(1_u32.to_le_bytes());
    }
    all.extend(b"PK\x05\x06\0\0\0\0");
    let told = if is_large { u16::MAX } else { count as u16 };
    all.extend([told, told].map(u16::to_le_bytes).concat());
    all.extend((directory.len() as u32).to_le_bytes());
    let begin = if is_large { u32::MAX } else { begin as u32 };
    all.extend(begin.to_le_bytes());
    all.extend(5_u16.to_le_bytes());
    all.extend(b"hello");
    all
}

/// What stands of a file after the versions, what is more, its bytes, and where it begins.
fn entry(file: &Packed, at: usize, is_large: bool) -> (Vec<u8>, Vec<u8>, Vec<u8>, u32) {
    let mut data = file.text.clone();
    if !file.is_stored {
        let mut pack = DeflateEncoder::new(Vec::new(), Compression::best());
        pack.write_all(&file.text).unwrap();
        data = pack.finish().unwrap();
    }
    let mut sum = flate2::Crc::new();
    sum.update(&file.text);
    let sum = if file.damages { !sum.sum() } else { sum.sum() };
    let bytes = file.claims.unwrap_or(file.text.len() as u32);
    let sizes = [u64::from(bytes), data.len() as u64, at as u64];
    let told = |size: u64| if is_large { u32::MAX } else { size as u32 };
    let method = file.method.unwrap_or(if file.is_stored { 0 } else { 8 });
    let mut fixed = [file.flags, method, 0, 0].map(u16::to_le_bytes).concat();
    fixed.extend(
        [sum, told(sizes[1]), told(sizes[0])]
            .map(u32::to_le_bytes)
            .concat(),
    );
    fixed.extend((file.name.len() as u16).to_le_bytes());
    let mut more = b"\x55\x54\x02\x00ab".to_vec();
    if is_large {
        more.extend(b"\x01\x00\x18\x00");
        more.extend(sizes.map(u64::to_le_bytes).concat());
    }
    (fixed, more, data, told(sizes[2]))
}

fn name_and_more(name: &str, more: &[u8]) -> Vec<u8> {
    let length = (more.len() as u16).to_le_bytes();
    [&length[..], name.as_bytes(), more].concat()
}

/// A file with these bytes in it.
fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

/// What stands in a file, or why it cannot be said.
type Read = (String, Result<String, String>);

/// By name, what stands in each.
fn read(bytes: &[u8]) -> Result<Vec<Read>, String> {
    let mut archive = Archive::open(file(bytes), |_| true).map_err(|error| error.to_string())?;
    let members = archive.members();
    let texts = members.into_iter().map(|member| {
        let mut text = String::new();
        let unpacked = archive.read(&member);
        let read = unpacked.and_then(|mut unpacked| unpacked.read_to_string(&mut text));
        let text = read.map(|_| text).map_err(|error| error.to_string());
        (member.name, text)
    });
    Ok(texts.collect())
}

#[test]
fn files_are_read_as_they_were_packed() {
    let long = "many words ".repeat(100_000);
    for is_large in [false, true] {
        let mut files = vec![
            packed("b/conversations.json", "[1]"),
            packed("a", long.clone()),
        ];
        files[0].is_stored = true;
        let bytes = archive(&files, is_large);
        assert!(is_zip(&mut file_at_start(&bytes)).unwrap());
        let found = read(&bytes).unwrap();
        let text = |at: usize| found[at].1.as_deref().unwrap();
        assert_eq!((found[0].0.as_str(), text(0)), ("a", long.as_str()));
        assert_eq!(
            (found[1].0.as_str(), text(1)),
            ("b/conversations.json", "[1]")
        );
        let some = Archive::open(file(&bytes), |name| name.starts_with("b/")).unwrap();
        assert_eq!(some.members().len(), 1);
    }
    assert_eq!(read(&archive(&[], false)).unwrap(), []);
    assert!(!is_zip(&mut file_at_start(b"[]")).unwrap());
}

fn file_at_start(bytes: &[u8]) -> File {
    use std::io::{Seek, SeekFrom};
    let mut file = file(bytes);
    file.seek(SeekFrom::Start(0)).unwrap();
    file
}

#[test]
fn n12_what_unpacks_to_far_more_than_it_is_ends() {
    let bomb = packed("bomb", vec![b' '; 96 << 20]);
    let found = read(&archive(&[bomb], false)).unwrap();
    let why = found[0].1.as_ref().unwrap_err();
    assert!(why.contains("far more than its size"), "{why}");
    // What is allowed is for all files together: several of them are no way around it.
    let many: Vec<Packed> = (0..6)
        .map(|_| packed("part", vec![b' '; 16 << 20]))
        .collect();
    let found = read(&archive(&many, false)).unwrap();
    let whole = found.iter().filter(|(_, text)| text.is_ok()).count();
    assert!((3..6).contains(&whole), "{whole}");
}

#[test]
fn n12_what_is_not_as_the_directory_says_is_an_error() {
    let mut files = vec![packed("longer", "12345"), packed("sum", "12345")];
    files.extend([
        packed("hidden", "12345"),
        packed("strange", "12345"),
        packed("shorter", "12345"),
    ]);
    files[0].claims = Some(4);
    files[1].damages = true;
    files[2].flags = 1;
    files[3].method = Some(12);
    files[4].claims = Some(6);
    let found = read(&archive(&files, false)).unwrap();
    let why: Vec<&str> = found
        .iter()
        .map(|(_, text)| text.as_ref().unwrap_err().as_str())
        .collect();
    let sums = "the archive is damaged: its sums do not fit";
    let strange = "it is packed in a way that is not read";
    assert_eq!(why, ["it is encrypted", sums, sums, strange, sums]);
    let whole = archive(&[packed("a", "12345")], false);
    for cut in [0, 10, whole.len() - 1, whole.len() - 30] {
        assert!(read(&whole[..cut]).is_err(), "{cut}");
    }
    // The directory leads to a place where no file begins, or beyond the end.
    let mut lost = whole.clone();
    lost[0] = b'X';
    assert!(read(&lost).unwrap()[0].1.is_err());
    let mut beyond = whole;
    let at = beyond.len() - 5 - 22 - 7 - 4;
    beyond[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(read(&beyond).unwrap()[0].1.is_err());
}

proptest! {
    #[test]
    fn n19_any_bytes_are_read_without_a_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        at in 0usize..200,
        is_large in any::<bool>(),
    ) {
        let _ = read(&bytes);
        // And such as are nearly an archive.
        let mut near = archive(&[packed("conversations.json", "[]")], is_large);
        for (offset, byte) in bytes.iter().enumerate().take(8) {
            if let Some(place) = near.get_mut(at + offset) {
                *place = *byte;
            }
        }
        let _ = read(&near);
    }

    #[test]
    fn any_text_comes_back(text in any::<String>()) {
        let found = read(&archive(&[packed("a", text.clone())], false)).unwrap();
        prop_assert_eq!(found[0].1.as_deref(), Ok(text.as_str()));
    }
}
