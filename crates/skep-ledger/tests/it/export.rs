//! Exports that were tampered with: whatever was done to them, the verifier names the entry.

use std::ops::Range;

use ed25519_dalek::{Signer, SigningKey};
use skep_ledger::{
    AuditLine, Checkpoint, Finding, Frontier, Header, Log, NoteError, Outcome, Problem, Verified,
    Verifier, VerifierKey, VerifyError, checkpoint_of, checkpoint_record, damaged_record,
    entry_record, erased_record, id_text, leaf_hash, origin, verify,
};

const ORGANIZATION: [u8; 16] = [7; 16];

/// A log of an organization, as whoever has its rows and its key can write it.
struct Written {
    signer: SigningKey,
    key: VerifierKey,
    tree: Frontier,
    first: u64,
    records: Vec<String>,
    notes: Vec<String>,
}

impl Written {
    fn begun(seed: u8, first: u64) -> Self {
        let signer = SigningKey::from_bytes(&[seed; 32]);
        let public = signer.verifying_key().to_bytes();
        let name = origin(&public, ORGANIZATION, Log::Audit);
        Self {
            key: VerifierKey::new(&name, &public).unwrap(),
            signer,
            tree: Frontier::default(),
            first,
            records: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// So many entries, with a checkpoint after each of these sizes.
    fn of(entries: u64, checkpoints: &[u64]) -> Self {
        let mut written = Self::begun(1, 1);
        for _ in 0..entries {
            written.add("act");
            if checkpoints.contains(&written.tree.size()) {
                written.sign();
            }
        }
        written
    }

    fn next(&self) -> u64 {
        self.first + self.tree.size()
    }

    fn add(&mut self, action: &str) {
        self.add_line(&line(ORGANIZATION, self.next(), action));
    }

    fn add_line(&mut self, line: &str) {
        let leaf = leaf_hash(line.as_bytes());
        self.records.push(entry_record(&leaf, line));
        self.tree.push(leaf, |_, _, _| {});
    }

    fn sign(&mut self) {
        let text = Checkpoint {
            origin: self.key.name().to_owned(),
            size: self.tree.size(),
            root: self.tree.root(),
        }
        .text();
        let signature = self.signer.sign(text.as_bytes()).to_bytes();
        let note = self.key.note(&text, &signature);
        self.records.push(checkpoint_record(&note).unwrap());
        self.notes.push(note);
    }

    fn header(&self) -> String {
        let names = (self.key.name().to_owned(), self.key.to_string());
        let size = (self.first, self.tree.size());
        let header = Header::new((ORGANIZATION, Log::Audit), names, size);
        header.to_record().unwrap()
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.header()];
        lines.extend(self.records.iter().cloned());
        lines
    }

    fn begin(&self) -> Verifier {
        Verifier::begin(self.header().as_bytes(), None).unwrap()
    }
}

fn line(organization: [u8; 16], seq: u64, action: &str) -> String {
    let line = AuditLine {
        seq,
        log: Log::Audit,
        organization: id_text(organization),
        id: id_text([3; 16]),
        at: 1_700_000_000_000_000,
        action: action.to_owned(),
        outcome: Outcome::Allowed,
        times: 1,
        workspace: None,
        principal: None,
        credential: None,
        reason: "because \"so\"".to_owned(),
        request: String::new(),
        peer: None,
        target: Some("mem_1".to_owned()),
        shown: Vec::new(),
        salt: "00112233445566778899aabbccddeeff".to_owned(),
    };
    line.to_line().unwrap()
}

fn checked(bytes: &[u8], witness: Option<&str>) -> Result<Verified, VerifyError> {
    let mut witness = witness.map(str::as_bytes);
    let witness = witness
        .as_mut()
        .map(|file| file as &mut dyn std::io::BufRead);
    verify(&mut &*bytes, witness, None)
}

fn text(lines: &[String]) -> String {
    lines.join("\n") + "\n"
}

/// What is wrong with lines, and at which entry.
fn bad(lines: &[String], witness: Option<&str>) -> (Option<u64>, Problem) {
    match checked(text(lines).as_bytes(), witness) {
        Err(VerifyError::Bad(Finding { entry, problem, .. })) => (entry, problem),
        other => panic!("{other:?}"),
    }
}

fn witness(notes: &[String]) -> String {
    let records = notes.iter().map(|note| checkpoint_record(note).unwrap());
    records.map(|record| record + "\n").collect()
}

#[test]
fn l01_each_byte_of_a_thousand_entries_is_missed_if_it_is_another() {
    let written = Written::of(1_000, &[1, 400, 1_000]);
    let mut verifier = written.begin();
    let mut entry = 1;
    let mut flips = 0_u64;
    for (at, record) in written.records.iter().enumerate() {
        let is_entry = record.starts_with("{\"leaf\"");
        let next = written.records.get(at + 1).map_or("", |next| next);
        for flip in [0x01, 0x02, 0x20, 0x80] {
            let mut bytes = record.clone().into_bytes();
            for byte in 0..bytes.len() {
                bytes[byte] ^= flip;
                let first = bytes.split(|byte| *byte == b'\n').next().unwrap();
                let found = verifier.clone().push(first).unwrap_err();
                assert_eq!(found.entry, Some(entry), "{at} {byte} {found}");
                bytes[byte] ^= flip;
                flips += 1;
            }
            // The line break after it is another byte.
            let joined = [record.as_bytes(), &[b'\n' ^ flip], next.as_bytes()].concat();
            let found = verifier.clone().push(&joined).unwrap_err();
            assert_eq!(found.entry, Some(entry), "{at} joined {found}");
        }
        verifier.push(record.as_bytes()).unwrap();
        entry += u64::from(is_entry);
    }
    assert!(flips > 1_000_000, "{flips}");
    let held = verifier.finish().unwrap();
    assert_eq!((held.header.size, held.checkpoints), (1_000, 3));
}

#[test]
fn l01_each_bit_of_a_whole_file_counts() {
    let whole = text(&Written::of(9, &[4, 9]).lines()).into_bytes();
    checked(&whole, None).unwrap();
    let header = whole.iter().position(|byte| *byte == b'\n').unwrap();
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut other = whole.clone();
            other[at] ^= 1 << bit;
            let Err(VerifyError::Bad(found)) = checked(&other, None) else {
                panic!("{at} {bit}");
            };
            assert!(found.entry.is_some() || at <= header, "{at} {bit} {found}");
        }
        assert!(checked(&whole[..at], None).is_err(), "cut at {at}");
    }
}

#[test]
fn l01_a_record_that_is_gone_twice_there_or_elsewhere_is_named() {
    let written = Written::of(1_000, &[1_000]);
    let mut verifier = written.begin();
    let entries = &written.records[..1_000];
    for (at, record) in entries.iter().enumerate() {
        let entry = Some(at as u64 + 1);
        if let Some(next) = entries.get(at + 1) {
            // Dropped, or swapped with the one after it.
            let found = verifier.clone().push(next.as_bytes()).unwrap_err();
            let stands = Problem::OtherEntry(at as u64 + 2);
            assert_eq!((found.entry, found.problem), (entry, stands));
        }
        // Put in between, with the place that it would have there.
        let foreign = line([8; 16], at as u64 + 1, "act");
        let foreign = entry_record(&leaf_hash(foreign.as_bytes()), &foreign);
        let found = verifier.clone().push(foreign.as_bytes()).unwrap_err();
        assert_eq!((found.entry, found.problem), (entry, Problem::OtherLog));
        // Cut off.
        let found = verifier.clone().finish().unwrap_err();
        assert_eq!((found.entry, found.problem), (entry, Problem::Cut(1_000)));
        verifier.push(record.as_bytes()).unwrap();
        // There twice.
        let found = verifier.clone().push(record.as_bytes()).unwrap_err();
        assert_eq!(found.entry, Some(at as u64 + 2));
    }
    let found = verifier.clone().finish().unwrap_err();
    assert_eq!(found.problem, Problem::Unsigned);
    assert_eq!(found.entry, Some(1));
}

#[test]
fn l01_an_entry_that_is_rewritten_with_its_hash_is_between_two_checkpoints() {
    let written = Written::of(60, &[20, 40, 60]);
    let lines = written.lines();
    for (range, at) in [(1..21, 5), (21..41, 21), (21..41, 40), (41..61, 60)] {
        let Range { start, end } = range;
        let forged = line(ORGANIZATION, at, "something else");
        let mut lines = lines.clone();
        let place = lines
            .iter()
            .position(|line| line.contains(&format!("{{\"seq\":{at},")))
            .unwrap();
        lines[place] = entry_record(&leaf_hash(forged.as_bytes()), &forged);
        assert_eq!(
            bad(&lines, None),
            (Some(start), Problem::Root(start, end - 1))
        );
    }
}

#[test]
fn l02_a_log_that_was_cut_or_rewritten_by_whoever_has_the_key_is_not_what_a_witness_saw() {
    let written = Written::of(60, &[20, 40, 60]);
    let seen = witness(&written.notes);
    let held = checked(text(&written.lines()).as_bytes(), Some(&seen)).unwrap();
    assert_eq!(held.witnessed, 3);
    // The witness has not seen the last ones yet: that is no fault.
    let held = checked(
        text(&written.lines()).as_bytes(),
        Some(&witness(&written.notes[..1])),
    );
    assert_eq!(held.unwrap().witnessed, 1);
    let cut = Written::of(40, &[20, 40]);
    checked(text(&cut.lines()).as_bytes(), None).unwrap();
    let found = bad(&cut.lines(), Some(&seen));
    assert_eq!(found, (Some(41), Problem::WitnessLonger(60)));
    let mut rewritten = Written::of(30, &[20]);
    while rewritten.tree.size() < 60 {
        rewritten.add("something else");
    }
    rewritten.sign();
    checked(text(&rewritten.lines()).as_bytes(), None).unwrap();
    let found = bad(&rewritten.lines(), Some(&seen));
    assert_eq!(found, (Some(21), Problem::WitnessOther(21, 40)));
    // Nothing of it is left.
    let none = Written::of(0, &[]);
    checked(text(&none.lines()).as_bytes(), None).unwrap();
    let found = bad(&none.lines(), Some(&seen));
    assert_eq!(found, (Some(1), Problem::WitnessLonger(60)));
}

#[test]
fn l02_another_key_is_not_the_logs() {
    let written = Written::of(3, &[3]);
    let mut other = Written::begun(2, 1);
    for _ in 0..3 {
        other.add("act");
    }
    other.sign();
    checked(text(&other.lines()).as_bytes(), None).unwrap();
    let pinned = verify(
        &mut text(&other.lines()).as_bytes(),
        None,
        Some(&written.key),
    );
    let Err(VerifyError::Bad(found)) = pinned else {
        panic!("{pinned:?}");
    };
    assert_eq!(found.problem, Problem::OtherKey);
    // Its own header, the other's checkpoint: under the other's name, and under its own.
    let mut lines = written.lines();
    lines[4] = other.records[3].clone();
    let found = bad(&lines, None);
    let unsigned = Problem::Checkpoint(3, NoteError::Unsigned);
    assert_eq!(found, (Some(4), unsigned));
    let (text, _) = written.notes[0].split_once("\n\n").unwrap();
    let text = format!("{text}\n");
    let forged = written
        .key
        .note(&text, &other.signer.sign(text.as_bytes()).to_bytes());
    lines[4] = checkpoint_record(&forged).unwrap();
    let badly = Problem::Checkpoint(3, NoteError::BadSignature);
    assert_eq!(bad(&lines, None), (Some(4), badly));
    // A witness that was given something under the log's name by somebody else.
    let held = bad(&written.lines(), Some(&witness(&[forged])));
    let badly = Problem::WitnessKey(NoteError::BadSignature);
    assert_eq!(held, (None, badly));
    // What it was given of other logs counts for nothing here.
    let beside = witness(&other.notes);
    let held = checked(
        super::export::text(&written.lines()).as_bytes(),
        Some(&beside),
    );
    assert_eq!(held.unwrap().witnessed, 0);
}

#[test]
fn l05_a_witness_of_two_heads_of_one_size_has_seen_a_fork() {
    let written = Written::of(20, &[20]);
    let mut fork = Written::of(19, &[]);
    fork.add("what they saw");
    fork.sign();
    let both = [written.notes.clone(), fork.notes.clone()].concat();
    assert_eq!(
        bad(&written.lines(), Some(&witness(&both))),
        (None, Problem::Fork(20))
    );
    let found = bad(&fork.lines(), Some(&witness(&written.notes)));
    assert_eq!(found, (Some(1), Problem::WitnessOther(1, 20)));
}

#[test]
fn an_erased_entry_keeps_the_proof_and_a_damaged_one_is_named() {
    let written = Written::of(9, &[9]);
    let mut lines = written.lines();
    let leaf = leaf_hash(line(ORGANIZATION, 4, "act").as_bytes());
    lines[4] = erased_record(&leaf, 4).unwrap();
    let held = checked(text(&lines).as_bytes(), None).unwrap();
    assert_eq!(held.erased, 1);
    lines[4] = erased_record(&leaf_hash(b"other"), 4).unwrap();
    assert_eq!(bad(&lines, None), (Some(1), Problem::Root(1, 9)));
    lines[4] = erased_record(&leaf, 5).unwrap();
    assert_eq!(bad(&lines, None), (Some(4), Problem::OtherEntry(5)));
    lines[4] = damaged_record(&leaf, 4).unwrap();
    assert_eq!(bad(&lines, None), (Some(4), Problem::Damaged));
}

/// What says that entries were erased names them; whoever emptied rows without a word is told from that.
#[test]
fn l07_an_erased_entry_that_no_entry_names_is_counted() {
    let mut written = Written::of(4, &[]);
    for (action, target) in [
        ("audit.erase", "audit:2-3"),
        ("act", "audit:1"),
        ("audit.erase", "usage:1"),
    ] {
        let mut said = AuditLine::parse(&line(ORGANIZATION, written.next(), action)).unwrap();
        said.target = Some(target.into());
        written.add_line(&said.to_line().unwrap());
    }
    written.sign();
    let mut lines = written.lines();
    for (erased, unnamed) in [(2, 0), (3, 0), (1, 1), (4, 2)] {
        let leaf = leaf_hash(line(ORGANIZATION, erased, "act").as_bytes());
        lines[usize::try_from(erased).unwrap()] = erased_record(&leaf, erased).unwrap();
        let held = checked(text(&lines).as_bytes(), None).unwrap();
        assert_eq!(held.unnamed, Some(unnamed), "{erased}");
        assert_eq!(held.to_string().contains("unnamed"), unnamed > 0);
    }
}

#[test]
fn a_log_that_began_before_its_tree_has_its_places() {
    let mut written = Written::begun(1, 41);
    for _ in 0..3 {
        written.add("act");
    }
    written.sign();
    let mut lines = written.lines();
    checked(text(&lines).as_bytes(), None).unwrap();
    lines.remove(2);
    assert_eq!(bad(&lines, None), (Some(42), Problem::OtherEntry(43)));
}

#[test]
fn what_a_witness_did_not_finish_writing_counts_for_nothing() {
    let written = Written::of(3, &[2, 3]);
    let (lines, seen) = (text(&written.lines()), witness(&written.notes));
    let torn = &seen[..seen.len() - 9];
    assert_eq!(checked(lines.as_bytes(), Some(torn)).unwrap().witnessed, 1);
    let both = format!("{torn}\n{seen}");
    let held = checked(lines.as_bytes(), Some(&both)).unwrap();
    assert_eq!((held.witnessed, held.unread), (2, 1));
    assert_eq!(checkpoint_of(b"{}"), None);
    // A line that does not end is not read to its end.
    let long = vec![b'x'; 3 << 20];
    assert!(checked(&long, None).is_err());
}
