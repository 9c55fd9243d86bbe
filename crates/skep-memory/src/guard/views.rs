//! The views of a text: as it is, without disguise, and what is encoded in it. All bounded.

use unicode_normalization::UnicodeNormalization;

use crate::clean::{is_invisible, reorders};

/// One view.
pub(super) struct View {
    pub(super) text: String,
    /// Empty for the text itself; else how it was hidden, for a reason's end.
    pub(super) how: &'static str,
}

/// Encoded runs that are decoded; a text with more is looked at for the first ones.
const RUNS: usize = 16;
/// Characters of the shortest run that is taken for an encoding.
const SHORTEST: usize = 20;

pub(super) fn of(text: &str) -> Vec<View> {
    let plain = undisguised(text);
    let mut views = vec![View {
        text: plain.clone(),
        how: "",
    }];
    let spaced = unspaced(&plain);
    if let Some(text) = spaced {
        views.push(View {
            text,
            how: " (letters apart)",
        });
    }
    // Of the text itself: folding its case would spoil base64.
    for run in text
        .split(|c: char| !(c.is_ascii_alphanumeric() || "+/-_=".contains(c)))
        .filter(|run| run.len() >= SHORTEST)
        .take(RUNS)
    {
        if let Some(text) = hex(run) {
            views.push(View {
                text,
                how: " (in hex)",
            });
        } else if let Some(text) = base64(run) {
            views.push(View {
                text,
                how: " (in base64)",
            });
        }
    }
    if let Some(text) = rotated(&plain) {
        views.push(View {
            text,
            how: " (in rot13)",
        });
    }
    views
}

/// Compatibility forms composed, hidden characters gone, look-alikes of other scripts as the Latin
/// letters they pass for (within words that have Latin letters), lower case, single spaces.
fn undisguised(text: &str) -> String {
    let composed: String = text
        .nfkc()
        .filter(|c| !is_invisible(*c) && !reorders(*c) && !matches!(c, '\u{200c}' | '\u{200d}'))
        .collect();
    let mut out = String::with_capacity(composed.len());
    for word in composed.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        let latin = word.chars().any(|c| c.is_ascii_alphabetic());
        for c in word.chars() {
            let c = if latin && !c.is_ascii() {
                look_alike(c)
            } else {
                c
            };
            out.extend(c.to_lowercase());
        }
    }
    out
}

/// Cyrillic and Greek letters that look like Latin ones (Unicode TR 39, the common ones).
fn look_alike(c: char) -> char {
    const PAIRS: &str = "аaАaвbВbеeЕeѕsЅsіiІiјjЈjкkКkмmМmнhНhоoОoрpРpсcСcтtТtуyУyхxХxԁdԛqԝwαaΑaβbΒbεeΕeηnιiΙiκkΚkνvοoΟoρpΡpτtΤtυuχxΧxγyɡgıi";
    let mut pairs = PAIRS.chars();
    while let (Some(other), Some(latin)) = (pairs.next(), pairs.next()) {
        if other == c {
            return latin;
        }
    }
    c
}

/// `i g n o r e` as a word, where a long stretch is spelt like that.
fn unspaced(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split(' ').collect();
    let single = |word: &&str| word.chars().count() == 1;
    let longest = words
        .split(|word| !single(word))
        .map(<[&str]>::len)
        .max()
        .unwrap_or(0);
    (longest >= 8).then(|| words.concat())
}

/// Text that a decoder gave, if it is one that somebody could read.
fn readable(bytes: Vec<u8>) -> Option<String> {
    let text = String::from_utf8(bytes).ok()?;
    let letters = text
        .chars()
        .filter(|c| c.is_alphabetic() || *c == ' ')
        .count();
    let all = text.chars().count();
    (all >= 8 && letters * 10 >= all * 8).then(|| undisguised(&text))
}

fn hex(run: &str) -> Option<String> {
    let digits = run.strip_prefix("0x").unwrap_or(run).as_bytes();
    if !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let value = |digit: u8| char::from(digit).to_digit(16).unwrap_or(0) as u8;
    let bytes = digits
        .as_chunks()
        .0
        .iter()
        .map(|[high, low]: &[u8; 2]| value(*high) << 4 | value(*low));
    readable(bytes.collect())
}

fn base64(run: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(run.len());
    let (mut bits, mut count) = (0_u32, 0);
    for c in run.trim_end_matches('=').bytes() {
        let six = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    readable(bytes)
}

/// The text shifted by thirteen letters, if that makes more sense than the text.
fn rotated(text: &str) -> Option<String> {
    const COMMON: [&str; 8] = ["the", "and", "to", "of", "all", "you", "your", "is"];
    let turned: String = text
        .chars()
        .map(|c| match c {
            'a'..='z' => char::from((c as u8 - b'a' + 13) % 26 + b'a'),
            _ => c,
        })
        .collect();
    let sense = |text: &str| text.split(' ').filter(|word| COMMON.contains(word)).count();
    (sense(&turned) > sense(text)).then_some(turned)
}
