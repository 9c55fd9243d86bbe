//! An archive opens whole, in order and for whom it was closed, or not at all.

use proptest::prelude::*;

use super::{
    ARCHIVE_HEADER, ArchiveLock, ArchiveOpener, ArchiveSealer, CHUNK_HEAD, MAX_MEMORY_KIB,
    MAX_PASSES, RecoveryKey,
};
use crate::{CryptoError, Plain, SeededRandom};

fn lock(seed: u64) -> ArchiveLock {
    ArchiveLock::Recovery(RecoveryKey::generate(&SeededRandom::new(seed)))
}

/// An archive of these chunks, each by itself.
fn sealed(chunks: &[&[u8]]) -> ([u8; ARCHIVE_HEADER], Vec<Vec<u8>>) {
    let (mut sealer, header) = ArchiveSealer::begin(&lock(1), &SeededRandom::new(2)).unwrap();
    let last = chunks.len() - 1;
    let parts = chunks.iter().enumerate().map(|(at, chunk)| {
        let mut out = Vec::new();
        sealer.seal(chunk, at == last, &mut out);
        out
    });
    (header, parts.collect())
}

/// What is read of chunks put one after the other, if they end with the last.
fn read(header: &[u8; ARCHIVE_HEADER], bytes: &[u8]) -> Option<Vec<u8>> {
    let mut opener = ArchiveOpener::begin(&lock(1), header).ok()?;
    let (mut rest, mut read) = (bytes, Vec::new());
    loop {
        let (head, after) = rest.split_first_chunk::<CHUNK_HEAD>()?;
        let (length, is_last) = ArchiveOpener::length(*head).ok()?;
        let (body, after) = after.split_at_checked(length)?;
        let mut body = body.to_vec();
        opener.open(*head, &mut body).ok()?;
        read.extend(body);
        rest = after;
        if is_last {
            return rest.is_empty().then_some(read);
        }
    }
}

const CHUNKS: [&[u8]; 4] = [b"first", b"second", b"", b"the last"];

#[test]
fn an_archive_opens_whole() {
    let (header, chunks) = sealed(&CHUNKS);
    assert_eq!(read(&header, &chunks.concat()).unwrap(), CHUNKS.concat());
}

#[test]
fn f10_an_archive_in_another_order_does_not_open() {
    let (header, chunks) = sealed(&CHUNKS);
    for a in 0..4 {
        for b in 0..4 {
            let mut moved = chunks.clone();
            moved.swap(a, b);
            assert_eq!(read(&header, &moved.concat()).is_some(), a == b, "{a} {b}");
        }
        let mut without = chunks.clone();
        without.remove(a);
        assert!(read(&header, &without.concat()).is_none(), "without {a}");
        let mut twice = chunks.clone();
        twice.insert(a, chunks[a].clone());
        assert!(read(&header, &twice.concat()).is_none(), "{a} twice");
    }
    let (other, foreign) = {
        let (mut sealer, header) = ArchiveSealer::begin(&lock(1), &SeededRandom::new(3)).unwrap();
        let mut out = Vec::new();
        sealer.seal(b"first", false, &mut out);
        (header, out)
    };
    let mut mixed = chunks.clone();
    mixed[0] = foreign;
    assert!(
        read(&header, &mixed.concat()).is_none(),
        "another archive's chunk"
    );
    assert!(
        read(&other, &chunks.concat()).is_none(),
        "another archive's header"
    );
}

proptest! {
    #[test]
    fn f10_a_changed_or_cut_archive_does_not_open(at in 0_usize..10_000, bit in 0_u8..8, cut: bool) {
        let (header, chunks) = sealed(&CHUNKS);
        let mut all = [&header[..], &chunks.concat()].concat();
        let at = at % all.len();
        if cut {
            all.truncate(at);
        } else {
            all[at] ^= 1 << bit;
        }
        let opened = all
            .split_first_chunk::<ARCHIVE_HEADER>()
            .and_then(|(header, rest)| read(header, rest));
        prop_assert!(opened.is_none());
    }
}

#[test]
fn f10_only_what_it_was_closed_for_opens_an_archive() {
    let passphrase = |text: &str| ArchiveLock::Passphrase(Plain::new(text.to_owned()));
    let right = passphrase("correct horse battery staple");
    let (_, header) = ArchiveSealer::begin(&right, &SeededRandom::new(2)).unwrap();
    assert!(ArchiveOpener::begin(&right, &header).is_ok());
    for wrong in [passphrase("correct horse battery stapl"), lock(1)] {
        let refused = ArchiveOpener::begin(&wrong, &header);
        assert!(matches!(refused, Err(CryptoError::WrongKey)));
    }
    let (_, header) = ArchiveSealer::begin(&lock(1), &SeededRandom::new(2)).unwrap();
    assert!(ArchiveOpener::begin(&lock(1), &header).is_ok());
    for wrong in [lock(2), right] {
        let refused = ArchiveOpener::begin(&wrong, &header);
        assert!(matches!(refused, Err(CryptoError::WrongKey)));
    }
}

#[test]
fn f02_a_header_cannot_ask_for_gigabytes_or_hours() {
    let lock = ArchiveLock::Passphrase(Plain::new("correct horse".to_owned()));
    let (_, header) = ArchiveSealer::begin(&lock, &SeededRandom::new(2)).unwrap();
    for (memory, passes) in [(u32::MAX, 1), (MAX_MEMORY_KIB + 1, 1), (8, MAX_PASSES + 1)] {
        let mut asks = header;
        asks[16..20].copy_from_slice(&memory.to_le_bytes());
        asks[20..24].copy_from_slice(&passes.to_le_bytes());
        // Not for want of that memory, nor since the key is another one then.
        let refused = ArchiveOpener::begin(&lock, &asks);
        assert!(
            matches!(refused, Err(CryptoError::Malformed { what: "archive" })),
            "{memory} KiB, {passes} passes"
        );
    }
}

#[test]
fn a_recovery_key_reads_back() {
    let key = RecoveryKey::generate(&SeededRandom::new(1));
    let text = key.text();
    assert_eq!(text.expose().len(), 16 + 43);
    let again = RecoveryKey::parse(&format!("{}\n", text.expose())).unwrap();
    assert_eq!(again.0, key.0);
    for bad in [
        "",
        "skep-recovery-1 ",
        &text.expose()[1..],
        "skep-root-1 AAAA",
    ] {
        assert!(RecoveryKey::parse(bad).is_err(), "{bad}");
    }
}
