//! Which passwords are taken: long enough, one byte form, not what a guesser tries first.

use unicode_normalization::UnicodeNormalization;

/// Why a password was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Under the minimum.
    #[error("a password has at least {} characters", PasswordRules::MIN)]
    TooShort,
    /// Over the maximum.
    #[error("a password has at most {} characters", PasswordRules::MAX)]
    TooLong,
    /// A control character: nobody types one on purpose.
    #[error("a password has no control characters")]
    Control,
    /// Hardly any different characters.
    #[error("this password is one or two characters again and again: take one that varies")]
    Monotonous,
    /// One that everybody tries.
    #[error("this password is among the first that anybody tries: take several unrelated words")]
    Common,
    /// Little beside the account's own name.
    #[error("this password is little more than the account's own name: take another")]
    OwnName,
}

/// What a password may be.
#[derive(Clone, Copy, Debug)]
pub struct PasswordRules;

/// What is left of a password without common words and own names must be this long.
const REST: usize = 8;

/// Words that the most used passwords are made of; longer ones first where one holds another.
const WORDS: &[&str] = &[
    "administrator",
    "qwertyuiop",
    "1qaz2wsx3edc",
    "iloveyou",
    "password",
    "passwort",
    "superman",
    "sunshine",
    "princess",
    "football",
    "baseball",
    "trustno1",
    "asdfghjkl",
    "whatever",
    "changeme",
    "letmein",
    "welcome",
    "monkey",
    "dragon",
    "master",
    "shadow",
    "michael",
    "charlie",
    "default",
    "correcthorsebatterystaple",
    "motdepasse",
    "contrasena",
    "computer",
    "internet",
    "qwerty",
    "qwertz",
    "azerty",
    "asdfgh",
    "zxcvbnm",
    "zxcvbn",
    "secret",
    "access",
    "hello",
    "login",
    "admin",
    "guest",
    "user",
    "root",
    "test",
    "pass",
    "temp",
    "skep",
];

/// Runs that fingers know.
const RUNS: &[&str] = &[
    "01234567890123456789",
    "98765432109876543210",
    "abcdefghijklmnopqrstuvwxyz",
    "zyxwvutsrqponmlkjihgfedcba",
];

impl PasswordRules {
    /// Characters at least.
    pub const MIN: usize = 12;
    /// Characters at most.
    pub const MAX: usize = 1024;

    /// The one form of a password that is hashed: NFC, so that the same keys give the same bytes on
    /// every system. `None` for what no account can have, which is worth no hash.
    #[must_use]
    pub fn normal_form(text: &str) -> Option<String> {
        // Composing never makes four characters of one, so this bounds the work before it is done.
        if text.len() > 16 * Self::MAX {
            return None;
        }
        let normal: String = text.nfc().collect();
        (normal.chars().count() <= Self::MAX).then_some(normal)
    }

    /// Checks a new password; `own` holds what belongs to the account: its name, its address.
    ///
    /// # Errors
    /// [`PasswordError`] says which rule it breaks.
    pub fn check(text: &str, own: &[&str]) -> Result<String, PasswordError> {
        let normal = Self::normal_form(text).ok_or(PasswordError::TooLong)?;
        if normal.chars().count() < Self::MIN {
            return Err(PasswordError::TooShort);
        }
        if normal.chars().any(char::is_control) {
            return Err(PasswordError::Control);
        }
        let small = normal.to_lowercase();
        let mut different: Vec<char> = small.chars().collect();
        different.sort_unstable();
        different.dedup();
        if different.len() < 4 {
            return Err(PasswordError::Monotonous);
        }
        if left_without(&small, &own_words(own)) < REST {
            return Err(PasswordError::OwnName);
        }
        if is_common(&small) {
            return Err(PasswordError::Common);
        }
        Ok(normal)
    }
}

/// Names and addresses, whole and in parts; what is under four characters says nothing.
fn own_words(own: &[&str]) -> Vec<String> {
    let mut words = Vec::new();
    for text in own {
        let text = text.to_lowercase();
        words.extend(
            text.split(|c: char| !c.is_alphanumeric())
                .map(str::to_owned),
        );
        words.push(text);
    }
    words.retain(|word| word.chars().count() >= 4);
    words.sort_unstable_by_key(|word| std::cmp::Reverse(word.len()));
    words
}

/// Letters and digits that are left when the words are taken out.
fn left_without(text: &str, words: &[String]) -> usize {
    let mut rest = text.to_owned();
    for word in words {
        rest = rest.replace(word.as_str(), " ");
    }
    if rest == text {
        return usize::MAX;
    }
    rest.chars().filter(|c| c.is_alphanumeric()).count()
}

/// Common words and runs, as they stand and with the digits that stand for letters, and little else.
fn is_common(small: &str) -> bool {
    [small.to_owned(), small.chars().map(plain_letter).collect()]
        .iter()
        .any(|form| rest_after_common(form) < REST)
}

fn rest_after_common(text: &str) -> usize {
    let mut rest = text.to_owned();
    let mut words = WORDS.to_vec();
    words.sort_unstable_by_key(|word| std::cmp::Reverse(word.len()));
    for word in words {
        rest = rest.replace(word, " ");
    }
    let letters: Vec<char> = rest.chars().filter(|c| c.is_alphanumeric()).collect();
    letters.len() - in_runs(&letters)
}

/// Characters that continue a run of at least three which fingers know, or repeat one.
fn in_runs(letters: &[char]) -> usize {
    let mut counted = 0;
    let mut at = 0;
    while at < letters.len() {
        let mut end = at + 1;
        while end < letters.len() && is_run(&letters[at..=end]) {
            end += 1;
        }
        if end - at >= 3 {
            counted += end - at;
        }
        at = end;
    }
    counted
}

fn is_run(letters: &[char]) -> bool {
    let text: String = letters.iter().collect();
    letters.iter().all(|c| *c == letters[0]) || RUNS.iter().any(|run| run.contains(&text))
}

fn plain_letter(c: char) -> char {
    match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::{PasswordError, PasswordRules};

    fn verdict(text: &str) -> Result<(), PasswordError> {
        PasswordRules::check(text, &["Maria Keller", "m.keller@example.org"]).map(|_| ())
    }

    #[test]
    fn what_guessers_try_first_is_refused_and_ordinary_phrases_are_not() {
        use PasswordError::{Common, Control, Monotonous, OwnName, TooLong, TooShort};
        let long = "tuba! ".repeat(171);
        let cases = [
            ("elevenchars", Err(TooShort)),
            ("", Err(TooShort)),
            (long.as_str(), Err(TooLong)),
            (&long[..1024], Ok(())),
            ("plover anvil tuba", Ok(())),
            ("Zx9#kq2!Lm7p", Ok(())),
            ("correct horse battery staple", Ok(())),
            ("rhubarb\u{0}rhubarb7", Err(Control)),
            ("aaaaaaaaaaaa", Err(Monotonous)),
            ("121212121212", Err(Monotonous)),
            ("password1234", Err(Common)),
            ("P@ssw0rd2024!", Err(Common)),
            ("passwordpassword", Err(Common)),
            ("123456789012", Err(Common)),
            ("1234567890abc", Err(Common)),
            ("qwertyuiop123", Err(Common)),
            ("administrator1", Err(Common)),
            ("correcthorsebatterystaple", Err(Common)),
            ("abcdefghijklmnop", Err(Common)),
            ("MariaKeller2024", Err(OwnName)),
            ("m.keller@example.org", Err(OwnName)),
            ("keller-keller-keller", Err(OwnName)),
            ("keller of seventeen bees", Ok(())),
        ];
        for (text, expected) in cases {
            assert_eq!(verdict(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_password_has_one_byte_form_and_is_counted_in_characters() {
        let composed = "gr\u{fc}ne Wiese am Bach";
        let apart = "gru\u{308}ne Wiese am Bach";
        assert_eq!(
            PasswordRules::normal_form(composed),
            PasswordRules::normal_form(apart)
        );
        assert_eq!(verdict("пчелиный мед"), Ok(()));
        assert_eq!(verdict("пчелиный"), Err(PasswordError::TooShort));
        assert_eq!(PasswordRules::normal_form(&"x".repeat(1_025)), None);
        assert_eq!(PasswordRules::normal_form(&"x".repeat(1 << 20)), None);
    }
}
