//! Redaction against the table of evasions, with random secrets, and against the clock.

mod writings;

use std::time::Duration;

use proptest::prelude::*;

use super::{Captured, Redactor, SHORTEST, Stream, UNCOVERED};
use writings::ALL;

/// Secrets of the kinds that people keep.
const SECRETS: &[(&str, &[u8])] = &[
    ("token", b"ghp_16C7e42F292c6912E7710c838347Ae178B4a"),
    ("shortest", b"x7Kq!2pZ"),
    ("hex", b"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"),
    ("marks", b"p@ss w0rd!&<>\"'+/=%\\{}~`|^"),
    ("phrase", b"correct horse battery staple"),
    ("words", b"passwordpassword"),
    ("key", b"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj\nAgEAAoIBAQC7VJTUt9Us8cKj\n-----END PRIVATE KEY-----\n"),
    ("json", br#"{"type": "service", "private_key_id": "a1b2c3d4", "client": 42}"#),
    ("letters", "pässwörd-ключ-日本語-🔑7".as_bytes()),
    ("bytes", b"\x00\xff\xfe\x80\x9c\x01secret\xe9\xc3\x28"),
    ("zeros", b"000000000000000000000001"),
];

/// Those that are written in pairs of ways.
const PAIRED: &[&str] = &["token", "marks", "letters"];

fn redactor() -> Redactor {
    Redactor::new(SECRETS.iter().copied())
}

/// What is left of a text between two known ends once the markers are taken out.
fn left(redacted: &[u8], before: &[u8], after: &[u8]) -> Option<Vec<u8>> {
    let inner = redacted.strip_prefix(before)?.strip_suffix(after)?;
    let mut left = Vec::new();
    let mut rest = inner;
    let mut found = false;
    while !rest.is_empty() {
        if rest.starts_with(b"[redacted:") {
            let end = rest.iter().position(|byte| *byte == b']')?;
            rest = &rest[end + 1..];
            found = true;
        } else {
            left.push(rest[0]);
            rest = &rest[1..];
        }
    }
    found.then_some(left)
}

/// What a writing puts around a value that says nothing of it: padding, the mark before a digit.
const TRIMMINGS: usize = 8;

fn says_nothing(mut left: Vec<u8>) -> bool {
    left.retain(|byte| *byte != b'=');
    left.len() <= TRIMMINGS
}

/// What is left of a written value after redaction, between two texts that stay.
fn shown(redactor: &Redactor, written: &[u8]) -> Option<Vec<u8>> {
    let (before, after) = (b"before \"".as_slice(), b"\" after".as_slice());
    let text = [before, written, after].concat();
    left(&redactor.redact_text(&text), before, after)
}

#[test]
fn x02_every_way_of_writing_in_class_a_is_found() {
    let redactor = redactor();
    let (mut tried, mut missed) = (0, Vec::new());
    for (name, secret) in SECRETS {
        for writing in ALL {
            let Some(written) = writing.write(secret) else {
                continue;
            };
            tried += 1;
            if !shown(&redactor, &written).is_some_and(says_nothing) {
                missed.push(format!("{name} as {writing:?}"));
            }
        }
    }
    println!("class a: {} of {tried} found", tried - missed.len());
    assert!(tried > 200, "{tried}");
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn x02_pairs_of_writings_are_found() {
    let redactor = redactor();
    let (mut tried, mut missed) = (0, Vec::new());
    for (name, secret) in SECRETS.iter().filter(|(name, _)| PAIRED.contains(name)) {
        for (inner, outer) in ALL
            .iter()
            .flat_map(|inner| ALL.iter().map(move |outer| (inner, outer)))
        {
            if inner.is_lost_in(*outer) {
                continue;
            }
            let Some(once) = inner.write(secret) else {
                continue;
            };
            let Some(written) = outer.write_again(&once) else {
                continue;
            };
            tried += 1;
            // What the inner writing has around the value is written by the outer one too.
            let trimmings = TRIMMINGS + 11 * written.len().div_ceil(once.len());
            if shown(&redactor, &written).is_none_or(|left| left.len() > trimmings) {
                missed.push(format!("{name} as {inner:?} as {outer:?}"));
            }
        }
    }
    println!("pairs: {} of {tried} found", tried - missed.len());
    assert!(tried > 2_700, "{tried}");
    assert!(missed.is_empty(), "{}: {missed:#?}", missed.len());
}

#[test]
fn x02_what_is_said_to_be_uncovered_is() {
    let redactor = redactor();
    let (_, secret) = SECRETS[0];
    let rot13 = secret.iter().map(|byte| match byte {
        b'a'..=b'z' => (byte - b'a' + 13) % 26 + b'a',
        b'A'..=b'Z' => (byte - b'A' + 13) % 26 + b'A',
        other => *other,
    });
    let others = secret.iter().flat_map(|byte| [*byte, b'.']);
    for (name, written) in [
        ("ciphered", rot13.collect::<Vec<u8>>()),
        ("ciphered", secret.iter().map(|byte| byte ^ 0x55).collect()),
        ("interleaved", others.collect()),
        (
            "in-pieces",
            secret
                .chunks(7)
                .collect::<Vec<_>>()
                .join(b" is a part, ".as_slice()),
        ),
    ] {
        assert!(UNCOVERED.iter().any(|way| way.name == name));
        let text = redactor.redact_text(&written);
        assert_eq!(text, written, "{name} is covered by now: say so");
    }
}

#[test]
fn x02_one_letter_a_line_is_found_although_it_is_not_promised() {
    let (name, secret) = SECRETS[0];
    let lines: Vec<u8> = secret.iter().flat_map(|byte| [*byte, b'\n']).collect();
    let redacted = redactor().redact_text(&lines);
    assert_eq!(redacted, format!("[redacted:{name}]\n").as_bytes());
}

#[test]
fn x02_a_secret_in_two_streams_is_found() {
    let (name, secret) = SECRETS[1];
    let redactor = redactor();
    let marker = format!("[redacted:{name}]");
    for at in 1..secret.len() {
        let (head, tail) = secret.split_at(at);
        for (first, second) in [(Stream::Out, Stream::Err), (Stream::Err, Stream::Out)] {
            let mut captured = Captured::new();
            captured.push(first, head);
            captured.push(second, tail);
            let found = redactor.redact(&captured, 1 << 20);
            assert_eq!(found.stdout, marker.as_bytes());
            assert_eq!(found.stderr, marker.as_bytes());
            // The other way about: the end of one stream, then the beginning of the other.
            let mut captured = Captured::new();
            captured.push(second, &[tail, b" and more of it"].concat());
            captured.push(first, &[b"much before ", head].concat());
            let found = redactor.redact(&captured, 1 << 20);
            assert_eq!(found.found, [(name.to_owned(), 2)], "{at} {first:?}");
        }
    }
}

#[test]
fn x02_parts_of_eight_bytes_are_found_and_the_armour_of_keys_is_not() {
    let redactor = redactor();
    let (name, secret) = SECRETS[0];
    for part in secret.windows(SHORTEST) {
        let text = [b"<", part, b">"].concat();
        let redacted = String::from_utf8(redactor.redact_text(&text)).unwrap();
        assert_eq!(redacted, format!("<[redacted:{name}]>"));
    }
    let public = b"-----BEGIN CERTIFICATE-----\nnothing of ours\n-----END CERTIFICATE-----\n";
    assert_eq!(redactor.redact_text(public), public);
    let (_, key) = SECRETS[6];
    assert_eq!(redactor.redact_text(key), b"[redacted:key]");
}

#[test]
fn x02_nothing_is_shown_at_the_cap() {
    let (name, secret) = SECRETS[0];
    let redactor = redactor();
    for cap in 1..60 {
        let mut captured = Captured::new();
        captured.push(
            Stream::Out,
            &[b"0123456789".as_slice(), secret, b"tail"].concat(),
        );
        let found = redactor.redact(&captured, cap);
        let whole = format!("0123456789[redacted:{name}]tail");
        assert!(found.stdout.len() <= cap);
        assert!(
            whole.as_bytes().starts_with(&found.stdout) || cap > 50,
            "{cap}"
        );
        assert_eq!(found.cut, cap < 10 + secret.len() + 4, "{cap}");
    }
}

#[test]
fn text_that_holds_no_secret_stays_as_it_is() {
    let words = include_str!("../../../../docs/access.md").repeat(20);
    let code = include_str!("decode.rs").repeat(10);
    let seeds: Vec<(String, Vec<u8>)> = (0..64_u64).map(writings::random_secret).collect();
    let redactor = Redactor::new(
        seeds
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice())),
    );
    for text in [
        words.as_bytes(),
        code.as_bytes(),
        &writings::noise(1 << 18, b"0123456789abcdef"),
    ] {
        let redacted = redactor.redact_text(text);
        assert!(redacted == text, "something was found where nothing is");
    }
}

#[test]
fn x02_a_megabyte_with_64_secrets_takes_linear_time() {
    let secrets: Vec<(String, Vec<u8>)> = (0..64_u64).map(writings::random_secret).collect();
    let redactor = Redactor::new(
        secrets
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice())),
    );
    let own = secrets[0].1.repeat(1 << 13);
    let shapes: [(&str, Vec<u8>); 8] = [
        (
            "base64",
            writings::noise(
                4 * LEN,
                b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
            ),
        ),
        ("one letter", vec![b'A'; LEN]),
        ("hex", writings::noise(LEN, b"0123456789abcdef")),
        ("escapes", b"\\u0041".repeat(LEN / 6)),
        ("percent", b"%25".repeat(LEN / 3)),
        ("entities", b"&amp;".repeat(LEN / 5)),
        ("blanks", vec![b' '; LEN]),
        ("the secret itself", own[..LEN].to_vec()),
    ];
    for (name, text) in shapes {
        let timed = |text: &[u8]| {
            let start = cpu();
            let _ = redactor.redact_text(text);
            cpu().saturating_sub(start)
        };
        let (quarter, whole) = (timed(&text[..text.len() / 4]), timed(&text));
        println!(
            "{name}: {whole:?} for {} bytes, {quarter:?} for a quarter",
            text.len()
        );
        // Four times as much takes four times as long; ten leaves room for a busy machine, and
        // sixteen would be its square.
        let least = Duration::from_millis(50);
        assert!(
            whole < quarter.max(least) * 10,
            "{name}: {quarter:?}, {whole:?}"
        );
    }
}

/// How long most of the texts are.
const LEN: usize = 1 << 18;

/// What this thread has used of a processor, whatever else the machine does.
fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn secret() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::string::string_regex("[A-Za-z0-9_-]{8,64}").unwrap().prop_map(String::into_bytes),
        proptest::string::string_regex("[0-9a-f]{8,64}").unwrap().prop_map(String::into_bytes),
        proptest::string::string_regex("[ -~]{8,64}").unwrap().prop_map(String::into_bytes),
        proptest::string::string_regex("\\PC{8,32}").unwrap().prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 8..64),
    ]
    // One that is hardly more than one byte shows in much that is not it.
    .prop_filter("too few kinds of bytes", |secret| {
        secret.iter().collect::<std::collections::BTreeSet<_>>().len() > 5
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn x02_any_secret_is_found_however_it_is_written_and_split(
        secret in secret(),
        writing in proptest::sample::select(ALL),
        around in "[a-z \n]{0,200}",
        cuts in proptest::collection::vec((any::<proptest::sample::Index>(), any::<bool>()), 0..12),
        one_stream in any::<bool>(),
    ) {
        let Some(written) = writing.write(&secret) else { return Ok(()) };
        let before = format!("{around}\"");
        let after = format!("\"{around}");
        let text = [before.as_bytes(), &written, after.as_bytes()].concat();
        let redactor = Redactor::new([("it", secret.as_slice())]);
        let mut points: Vec<(usize, bool)> = cuts
            .into_iter()
            .map(|(at, err)| (at.index(text.len()), err && !one_stream))
            .collect();
        points.sort_unstable();
        let mut captured = Captured::new();
        let mut from = 0;
        for (to, err) in points.into_iter().chain([(text.len(), false)]) {
            captured.push(if err { Stream::Err } else { Stream::Out }, &text[from..to]);
            from = to;
        }
        let found = redactor.redact(&captured, 1 << 20);
        if one_stream {
            // A quotation mark may be half a letter of UTF-16 beside the secret.
            let left = left(&found.stdout, around.as_bytes(), around.as_bytes());
            prop_assert!(left.is_some_and(says_nothing), "{:?}", found.stdout);
        } else {
            prop_assert!(!found.found.is_empty());
            let shown = [found.stdout, found.stderr].concat();
            let held = secret.windows(SHORTEST).any(|part| {
                shown.windows(SHORTEST).any(|window| window == part && !b"[redacted:it]".windows(SHORTEST).any(|marker| marker == part))
            });
            prop_assert!(!held || around.as_bytes().windows(SHORTEST).any(|part| secret.windows(SHORTEST).any(|own| own == part)));
        }
    }

    #[test]
    fn a_text_without_the_secret_is_left_alone(
        secret in "[A-Za-z0-9]{16,64}",
        text in "[a-zA-Z0-9 .,:%&;=\\\\/\n-]{0,2000}",
    ) {
        let redactor = Redactor::new([("it", secret.as_bytes())]);
        prop_assert_eq!(redactor.redact_text(text.as_bytes()), text.as_bytes());
    }
}

/// What comes back for an argument that a program prints, after it went through each of the writings.
fn echoes(redactor: &Redactor, argument: &[u8]) -> Vec<Vec<u8>> {
    let plain = redactor.redact_text(&[b"no branch ", argument, b"!"].concat());
    let written = ALL.iter().filter_map(|writing| {
        let written = writing.write(argument)?;
        Some(redactor.redact_text(&[b"no branch ", written.as_slice(), b"!"].concat()))
    });
    [plain].into_iter().chain(written).collect()
}

#[test]
fn x02_markers_do_not_tell_whoever_asks_what_they_guessed() {
    let secret = b"ghp_16C7e42F292c6912E7710c838347Ae178B4a".as_slice();
    let guesses: Vec<Vec<u8>> = (b'0'..=b'z')
        .filter(u8::is_ascii_alphanumeric)
        .map(|letter| [&secret[..9], &[letter]].concat())
        .collect();
    assert!(guesses.contains(&secret[..10].to_vec()));
    for guess in guesses.iter().chain([&secret.to_vec()]) {
        let redactor = Redactor::new([("token", secret)]).said(&[guess]);
        let none = Redactor::new([("token", b"a-thing-of-its-own-7".as_slice())]).said(&[guess]);
        assert_eq!(echoes(&redactor, guess), echoes(&none, guess));
        // What a program writes of the secret beside it is hidden as ever.
        let both = [guess, b" and ".as_slice(), &secret[..20]].concat();
        let shown = redactor.redact_text(&both);
        let hidden = String::from_utf8(shown).unwrap();
        assert_eq!(
            hidden.contains("[redacted:token]"),
            guess != secret,
            "{hidden}"
        );
    }
    // Nor two of them, one after the other.
    let (one, other) = secret[..14].split_at(7);
    let redactor = Redactor::new([("token", secret)]).said(&[other, one]);
    for text in [&secret[..14], b"ghp_16C 7e42F29"] {
        assert_eq!(redactor.redact_text(text), text);
    }
    // Words that are somebody else's do not count.
    let redactor = Redactor::new([("token", secret)]).said(&[b"main"]);
    assert_eq!(redactor.redact_text(&secret[..9]), b"[redacted:token]");
}
