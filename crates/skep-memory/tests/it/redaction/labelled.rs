//! The labelled set of redaction: templates filled with values that look generated, and how a set is
//! told apart. The tests hold it to bounds; the safety bench publishes its figures.

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
pub(crate) const ROUNDS: u64 = 40;

/// How a set was told apart.
#[derive(Default)]
pub(crate) struct Told {
    /// Templates of secrets, and how often each got through.
    pub(crate) secrets: BTreeMap<&'static str, u64>,
    /// Harmless templates, and how often each was taken for a secret.
    pub(crate) harmless: BTreeMap<&'static str, u64>,
}

impl Told {
    /// Of all secrets, the part that was taken out.
    pub(crate) fn recall(&self) -> f64 {
        let missed: u64 = self.secrets.values().sum();
        1.0 - missed as f64 / (self.secrets.len() as u64 * ROUNDS) as f64
    }

    /// Of all that was taken out, the part that was secret.
    pub(crate) fn precision(&self) -> f64 {
        let missed: u64 = self.secrets.values().sum();
        let caught = self.secrets.len() as u64 * ROUNDS - missed;
        let alarms: u64 = self.harmless.values().sum();
        caught as f64 / (caught + alarms) as f64
    }
}

/// Tells a set apart.
pub(crate) fn tell(secrets: &'static str, harmless: &'static str) -> Told {
    let redactor = Redactor::new();
    let mut told = Told::default();
    for round in 0..ROUNDS {
        for template in templates(secrets) {
            let (text, values) = Values(round).fill(template);
            let redacted = redactor.redact(&text);
            let through = |value: &String| redacted.text.contains(value.as_str());
            *told.secrets.entry(template).or_insert(0) += u64::from(values.iter().any(through));
        }
        for template in templates(harmless) {
            let (text, _) = Values(round).fill(template);
            let alarm = !redactor.redact(&text).found.is_empty();
            *told.harmless.entry(template).or_insert(0) += u64::from(alarm);
        }
    }
    told
}
