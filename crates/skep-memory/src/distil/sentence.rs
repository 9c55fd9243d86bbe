//! Running text into sentences, and the folded form that cues are matched against.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Splits at `.`, `!`, `?` before a capital or the end, outside code spans; abbreviations,
/// versions, file names and ellipses do not end a sentence.
pub(super) fn sentences(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut in_code = false;
    let mut depth = 0_usize;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '`' => in_code = !in_code,
            '(' if !in_code => depth += 1,
            ')' if !in_code => depth = depth.saturating_sub(1),
            '.' | '!' | '?' | '…' if !in_code => {
                let was_inside = depth > 0;
                let mut end = at + c.len_utf8();
                while let Some((next_at, next)) = chars.next_if(|(_, next)| {
                    matches!(next, '.' | '!' | '?' | '"' | '\'' | ')' | '”' | '’')
                }) {
                    if next == ')' {
                        depth = depth.saturating_sub(1);
                    }
                    end = next_at + next.len_utf8();
                }
                let goes_on =
                    was_inside && text[end..].trim_start().starts_with(char::is_lowercase);
                if depth == 0 && !goes_on && ends_here(&text[start..at], c, &text[end..]) {
                    push(&mut found, &text[start..end]);
                    start = end;
                }
            }
            _ => {}
        }
    }
    push(&mut found, &text[start..]);
    found
}

fn push<'a>(found: &mut Vec<&'a str>, sentence: &'a str) {
    let sentence = sentence.trim();
    if sentence.chars().any(char::is_alphanumeric) {
        found.push(sentence);
    }
}

fn ends_here(before: &str, mark: char, after: &str) -> bool {
    let Some(next) = after.chars().next() else {
        return true;
    };
    if !next.is_whitespace() {
        return false;
    }
    let first = after.trim_start().chars().next().unwrap_or('A');
    if mark == '.' || mark == '…' {
        let last = before
            .rsplit([' ', '('])
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let abbreviations = [
            "e.g", "i.e", "etc", "vs", "cf", "approx", "incl", "resp", "no", "fig", "mr", "dr",
            "st", "eg", "ie", "i", "z", "b",
        ];
        if abbreviations.contains(&last.as_str()) && !(last == "no" && before.len() <= 2) {
            return last == "etc" && first.is_uppercase();
        }
        // People who chat begin sentences in lower case; only `etc.` needs the capital.
    }
    true
}

/// Lower case with straight quotes and apostrophes, and every other character outside ASCII as `_`:
/// what the cue patterns read.
pub(super) fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '‘' | '’' => out.push('\''),
            '“' | '”' => out.push('"'),
            '–' | '—' => out.push('-'),
            '→' => out.push_str("->"),
            _ if c.is_ascii() => out.push(c.to_ascii_lowercase()),
            _ => out.push('_'),
        }
    }
    out
}

/// The words of a text that carry meaning, folded; code spans count as words.
pub(super) fn content_words(text: &str) -> Vec<String> {
    let folded = fold(text);
    let is_word =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '\'' | '.' | '/' | ':');
    folded
        .split(|c| !is_word(c))
        .map(|word| word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
        .filter(|word| word.len() > 1 && !is_stop(word))
        .map(str::to_owned)
        .collect()
}

/// Words that say nothing about the subject.
pub(super) fn is_stop(word: &str) -> bool {
    STOP_WORDS.contains(word)
}

static STOP_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| STOP.split(' ').collect());

const STOP: &str = "a about above actually after again all also am an and any are as at be because been before \
being below between both but by can cannot could did do does doing don don't done down each either else even ever \
every few for from further get gets getting go going good got had has have having he her here hers him his how \
however i i'd i'll i'm i've if in instead into is isn't it it's its itself just keep let let's like ll make makes \
making may maybe me might more most much must my need needs no nor not now of off ok okay on once one only or other \
our ours out over own please rather re really s same see she should so some still such sure t take than thanks that \
that's the their them then there there's these they thing things this those through to too under until up upon us \
use used uses using ve very want wants was way we we'll we're we've well were what when where whether which while \
who why will with without won't would yes yet you you're your";

#[cfg(test)]
mod tests {
    use super::{content_words, sentences};

    #[test]
    fn sentences_end_where_a_reader_stops() {
        for (text, expected) in [
            ("One. Two! Three?", vec!["One.", "Two!", "Three?"]),
            (
                "Use e.g. pnpm 9.1.0 here. Next",
                vec!["Use e.g. pnpm 9.1.0 here.", "Next"],
            ),
            (
                "Edit `a. b` in src/pool.rs first. ok then",
                vec!["Edit `a. b` in src/pool.rs first.", "ok then"],
            ),
            (
                "It waits (see the log. Twice.) and stops. Done...",
                vec!["It waits (see the log. Twice.) and stops.", "Done..."],
            ),
            ("No. Use tabs.", vec!["No.", "Use tabs."]),
            ("...", vec![]),
        ] {
            assert_eq!(sentences(text), expected, "{text}");
        }
    }

    #[test]
    fn content_words_leave_the_subject() {
        assert_eq!(
            content_words(
                "We should always use `cargo nextest` instead of cargo test, because it's faster."
            ),
            ["always", "cargo", "nextest", "cargo", "test", "faster"]
        );
    }
}
