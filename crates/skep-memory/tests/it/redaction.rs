//! The labelled set of secrets and harmless texts, with the recall and precision it yields.

use skep_memory::Redactor;
use std::collections::BTreeMap;

/// Values that look generated, from a fixed sequence: the same run after run, and nobody's key.
struct Values(u64);

impl Values {
    fn next(&mut self) -> u64 {
        // The step of SplitMix64 (Steele, Lea, Flood 2014).
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn make(&mut self, class: &str, length: usize) -> String {
        let alphabet = match class {
            "hex" => "0123456789abcdef",
            "digits" => "123456789",
            "base32" => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
            "upper" => "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
            "base64" => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
            "base64url" => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
            "alnum" => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
            "word" => "bcdfgklmnprstaeiou",
            "pass" => return self.password(length),
            other => panic!("no class {other}"),
        };
        let letters: Vec<char> = alphabet.chars().collect();
        (0..length)
            .map(|_| letters[(self.next() % letters.len() as u64) as usize])
            .collect()
    }

    /// As people choose them: a word with a capital, digits, one sign.
    fn password(&mut self, length: usize) -> String {
        let word = self.make("word", length - 4);
        let digits = self.make("digits", 3);
        let sign = ['!', '#', '%', '*', '+'][(self.next() % 5) as usize];
        let mut chars = word.chars();
        let capital: String = chars
            .next()
            .into_iter()
            .flat_map(char::to_uppercase)
            .collect();
        format!("{capital}{}{digits}{sign}", chars.as_str())
    }

    /// A template with its values filled in, and those values.
    fn fill(&mut self, template: &str) -> (String, Vec<String>) {
        let mut text = String::new();
        let mut values = Vec::new();
        let mut rest = template;
        while let Some((before, tail)) = rest.split_once('‹') {
            let (hole, after) = tail.split_once('›').unwrap();
            let (class, length) = hole.split_once(':').unwrap();
            let value = self.make(class, length.parse().unwrap());
            text.push_str(before);
            text.push_str(&value);
            if value.len() >= 6 {
                values.push(value);
            }
            rest = after;
        }
        text.push_str(rest);
        (text.replace('⏎', "\n"), values)
    }
}

fn templates(file: &str) -> Vec<&str> {
    file.lines()
        .filter(|line| !line.is_empty() && !line.starts_with("# ") && *line != "#")
        .collect()
}

/// Each template is tried with this many different values.
const ROUNDS: u64 = 40;

/// How a set was told apart.
struct Score {
    recall: f64,
    precision: f64,
}

fn score(title: &str, secrets: &str, harmless: &str) -> Score {
    let redactor = Redactor::new();
    let (mut caught, mut missed, mut leaked) = (0, 0, BTreeMap::new());
    let (mut quiet, mut alarmed, mut alarms) = (0, 0, BTreeMap::new());
    for round in 0..ROUNDS {
        for template in templates(secrets) {
            let (text, values) = Values(round).fill(template);
            let redacted = redactor.redact(&text);
            if values
                .iter()
                .any(|value| redacted.text.contains(value.as_str()))
            {
                missed += 1;
                *leaked.entry(template).or_insert(0) += 1;
            } else {
                caught += 1;
            }
        }
        for template in templates(harmless) {
            let (text, _) = Values(round).fill(template);
            if redactor.redact(&text).found.is_empty() {
                quiet += 1;
            } else {
                alarmed += 1;
                *alarms.entry(template).or_insert(0) += 1;
            }
        }
    }
    let recall = f64::from(caught) / f64::from(caught + missed);
    let precision = f64::from(caught) / f64::from(caught + alarmed);
    println!(
        "{title}: {} kinds of secrets, {} harmless texts, {ROUNDS} values each",
        templates(secrets).len(),
        templates(harmless).len()
    );
    println!(
        "recall {recall:.4} ({missed} of {} missed), precision {precision:.4} ({alarmed} of {} false)",
        caught + missed,
        quiet + alarmed
    );
    println!("missed: {leaked:#?}\nfalse: {alarms:#?}");
    Score { recall, precision }
}

#[test]
fn the_labelled_set_is_told_apart() {
    let (secrets, harmless) = (
        include_str!("redaction/secrets.txt"),
        include_str!("redaction/harmless.txt"),
    );
    let score = score("fitted", secrets, harmless);
    assert!(templates(secrets).len() >= 120 && templates(harmless).len() >= 120);
    assert!(score.recall >= 0.985 && score.precision >= 0.99);
}

#[test]
fn a_second_set_is_told_apart_nearly_as_well() {
    let (secrets, harmless) = (
        include_str!("redaction/secrets_second.txt"),
        include_str!("redaction/harmless_second.txt"),
    );
    let score = score("second", secrets, harmless);
    assert!(score.recall >= 0.85 && score.precision >= 0.98);
}
