//! Writings, read back: what somebody does who wants the value and knows how it was written.

use std::io::Read as _;

use base64ct::{Base64, Base64UrlUnpadded, Encoding as _};
use flate2::read::GzDecoder;

/// An answer is read back that far.
const MOST: u64 = 1 << 20;
/// A run of digits that stands for fewer bytes tells nothing.
const SHORTEST: usize = 8;

/// Everything that the text could have been, by each writing of the tables.
pub(super) fn every(shown: &[u8]) -> Vec<Vec<u8>> {
    let mut found = vec![shown.to_vec(), backwards(shown), unpacked(shown)];
    let coded = base64(shown);
    let hex = hex(shown);
    found.extend(hex.iter().flat_map(|inner| base64(inner)));
    found.extend(hex);
    found.push(base32(shown));
    found.extend(["%", "\\u00", "\\x", "&#x"].map(|before| escaped(shown, before)));
    found.extend([8, 10].map(|radix| numbers(shown, radix)));
    found.push(shown.iter().copied().step_by(2).collect());
    found.extend([close(shown), rotated(shown)]);
    found.push(shown.iter().map(|byte| byte.wrapping_sub(1)).collect());
    // Two and three writings, one around the other.
    let inner = coded.iter().flat_map(|inner| self::hex(inner));
    found.extend(inner.flat_map(|inner| [backwards(&inner), inner]));
    found.extend(coded);
    found
}

/// How a value is written by whoever does not mean to hide it.
pub(super) fn common_writings(value: &[u8]) -> Vec<Vec<u8>> {
    let hex = value
        .iter()
        .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    let mut all = vec![
        value.to_vec(),
        backwards(value),
        hex.to_uppercase().into_bytes(),
        hex.into_bytes(),
        value.iter().flat_map(|byte| [*byte, 0]).collect(),
    ];
    // Of base64 what does not depend on the neighbours.
    for before in 0..3 {
        let text = [&vec![0; before], value].concat();
        let coded = Base64::encode_string(&text).into_bytes();
        all.push(coded[4..coded.len() - 4].to_vec());
    }
    all
}

fn backwards(text: &[u8]) -> Vec<u8> {
    text.iter().rev().copied().collect()
}

fn unpacked(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let _as_far_as_it_goes = GzDecoder::new(text).take(MOST).read_to_end(&mut out);
    out
}

/// From each of four beginnings, in both alphabets, across whatever is none of its letters.
fn base64(text: &[u8]) -> Vec<Vec<u8>> {
    let is_letter = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte);
    let letters: Vec<u8> = text.iter().filter(is_letter).copied().collect();
    let standard = |byte: u8| match byte {
        b'+' => b'-',
        b'/' => b'_',
        other => other,
    };
    let letters: String = letters
        .into_iter()
        .map(|byte| char::from(standard(byte)))
        .collect();
    let from = |start: usize| {
        let rest = letters.get(start..)?;
        let whole = &rest[..rest.len() - rest.len() % 4];
        Base64UrlUnpadded::decode_vec(whole).ok()
    };
    (0..4).filter_map(from).collect()
}

fn base32(text: &[u8]) -> Vec<u8> {
    let (mut out, mut bits, mut held) = (Vec::new(), 0_u32, 0_u32);
    for byte in text {
        let five = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'2'..=b'7' => byte - b'2' + 26,
            _ => continue,
        };
        held = held << 5 | u32::from(five);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            out.push((held >> bits & 0xff) as u8);
        }
    }
    out
}

/// Pairs of hexadecimal digits, with blanks between them or none, begun at each of two places.
fn hex(text: &[u8]) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    let close: Vec<u8> = text
        .iter()
        .filter(|byte| !byte.is_ascii_whitespace())
        .copied()
        .collect();
    for run in close.split(|byte| !byte.is_ascii_hexdigit()) {
        for start in [0, 1] {
            let pairs = run.get(start..).unwrap_or_default().chunks_exact(2);
            out.push(pairs.filter_map(pair).collect());
        }
    }
    out.retain(|run: &Vec<u8>| run.len() >= SHORTEST);
    out
}

/// Two hexadecimal digits behind each of these marks; what has no mark stands for itself.
fn escaped(text: &[u8], before: &str) -> Vec<u8> {
    let text = String::from_utf8_lossy(text);
    let mut parts = text.split(before);
    let mut out = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let bytes = part.as_bytes();
        let (digits, rest) = bytes.split_at(bytes.len().min(2));
        out.extend(pair(digits));
        out.extend(rest.strip_prefix(b";").unwrap_or(rest));
    }
    out
}

fn pair(digits: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(digits).ok()?;
    (digits.len() == 2).then(|| u8::from_str_radix(text, 16).ok())?
}

/// Numbers, whatever stands between them.
fn numbers(text: &[u8], radix: u32) -> Vec<u8> {
    let text = String::from_utf8_lossy(text);
    let words = text.split(|letter: char| !letter.is_ascii_digit());
    words
        .filter_map(|word| u8::from_str_radix(word, radix).ok())
        .collect()
}

/// Without what stands between letters and digits.
fn close(text: &[u8]) -> Vec<u8> {
    let stays = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
    text.iter().filter(stays).copied().collect()
}

fn rotated(text: &[u8]) -> Vec<u8> {
    let turn = |byte: u8, first: u8| first + (byte - first + 13) % 26;
    let rotate = |byte: &u8| match byte {
        b'a'..=b'z' => turn(*byte, b'a'),
        b'A'..=b'Z' => turn(*byte, b'A'),
        other => *other,
    };
    text.iter().map(rotate).collect()
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use base64ct::{Base64, Encoding as _};

    use super::super::canary::Canary;
    use super::super::programs::WRITINGS;
    use super::common_writings;

    /// With no daemon in between, every writing of the table is read back: what is not recovered from a daemon
    /// was hidden by it, and not lost here.
    #[test]
    fn x02_every_writing_is_read_back_where_nobody_redacts() {
        let canary = Canary::draw().unwrap();
        for writing in WRITINGS {
            let ran = Command::new("/bin/sh")
                .args(["-c", writing.script])
                .env("CANARY", canary.text())
                .stdin(Stdio::null())
                .output()
                .unwrap();
            let shown = [ran.stdout, ran.stderr].concat();
            let recovered = canary.recovered(&shown);
            let (name, shown) = (writing.name, String::from_utf8_lossy(&shown));
            // A shell may leave out the last letter, which no line end follows.
            assert!(recovered + 1 >= canary.text().len(), "{name}: {shown}");
        }
    }

    /// The same for what an origin says, within an answer as it comes.
    #[test]
    fn x02_every_writing_of_an_origin_is_read_back_out_of_an_answer() {
        let canary = Canary::draw().unwrap();
        let value = canary.text();
        let each = |form: fn(u8) -> String| value.bytes().map(form).collect::<String>();
        for said in [
            value.to_owned(),
            value.chars().rev().collect(),
            Base64::encode_string(format!("..{value}").as_bytes()),
            each(|byte| format!("{byte:02x}")),
            each(|byte| format!("{byte:02X}")),
            each(|byte| format!("%{byte:02x}")),
            each(|byte| format!("\\u{byte:04x}")),
            each(|byte| format!("&#{byte};")),
            each(|byte| format!("&#x{byte:x};")),
            each(|byte| format!("{}-", char::from(byte))),
        ] {
            for head in [
                "HTTP/1.1 200 OK\r\nx-said: ",
                "HTTP/1.1 500 a\r\ncontent-length: 109\r\n\r\n.",
            ] {
                let answer = format!("{head}{said}\r\nconnection: close\r\n");
                let recovered = canary.recovered(answer.as_bytes());
                // The first letter of base64 may belong to what stands before it.
                assert!(recovered + 2 >= value.len(), "{recovered}: {answer}");
            }
        }
    }

    #[test]
    fn the_traces_of_a_canary_are_in_each_of_its_common_writings() {
        let canary = Canary::draw().unwrap();
        for written in common_writings(canary.text().as_bytes()) {
            let found = canary
                .traces()
                .iter()
                .any(|piece| written.windows(piece.len()).any(|w| w == piece));
            assert!(found);
        }
    }
}
