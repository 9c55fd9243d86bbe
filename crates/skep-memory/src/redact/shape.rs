//! What a value looks like: a stand-in for a secret, prose, code, or something random.

/// Whether a value only stands where a secret would: an example, a reference, a mask.
pub(super) fn is_placeholder(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    is_masked(value)
        || is_reference(value)
        || STAND_INS.split(' ').any(|word| lower.contains(word))
        || has_word(WHOLE, &lower)
        || lower.starts_with("my-")
        || lower.starts_with("my_")
        || lower.starts_with("test-")
        || lower.starts_with("test_")
        || lower.starts_with("fake-")
        || lower.starts_with("fake_")
}

const STAND_INS: &str = "example placeholder your- your_ yourtoken yoursecret yourpass yourkey changeme \
        change-me change_me changeit replaceme replace-me replace_me redacted dummy insert- \
        insert_ xxxx **** .... 0000000000 … not-a-real not_a_real notreal goes-here \
        goes_here -here _here sample 1234567890abcdef abcdefghijkl 0123456789";

const WHOLE: &str = "todo null none nil true false undefined string password secret token passwd hidden masked \
        empty required optional default admin root guest postgres test testing pass user";

/// Whether a list of words parted by single spaces has this one.
pub(super) fn has_word(list: &str, word: &str) -> bool {
    list.split(' ').any(|listed| listed == word)
}

fn is_masked(value: &str) -> bool {
    let mut kinds: Vec<char> = value
        .chars()
        .filter(|c| !matches!(c, '-' | '_' | '.'))
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds.len() <= 2
}

/// Names of where the secret is, in the languages and tools that configure things.
fn is_reference(value: &str) -> bool {
    const OPENERS: &str = "$ %( < {{ {% [ op:// vault: ref+ arn: enc[ ! @ & __ file: keychain: env: env. \
        process. os. secrets. config. settings. self. this. args. req. request. ctx. opts. \
        options. props. http:// https:// projects/";
    let lower = value.to_ascii_lowercase();
    OPENERS.split(' ').any(|opener| lower.starts_with(opener))
        || value.contains("[redacted")
        || value.contains("${")
        || value.contains("{{")
        || (value.starts_with('%') && value.ends_with('%'))
        || (value.starts_with('{') && value.ends_with('}'))
}

/// Whether a value is an expression, a type or a path rather than a literal.
pub(super) fn is_code(value: &str) -> bool {
    let call = value.find('(').is_some_and(|at| {
        at > 0
            && value[..at]
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_.:!<>?&".contains(c))
    });
    let member = value.contains('.')
        && value.split('.').all(|part| {
            part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && !is_random(part)
                && part
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '?')
        });
    call || member
        || value.contains("::")
        || value.contains("=>")
        || value.contains("->")
        || value.starts_with('/') && !is_random(value)
        || value.starts_with("./")
        || value.starts_with("../")
        || value.starts_with("~/")
        || value.starts_with("C:\\")
        || value.starts_with([')', '(', ',', ';'])
        || value
            .find('[')
            .is_some_and(|at| at > 0 && !is_random(&value[..at]))
        || value.ends_with('?')
        || value.contains('<') && value.ends_with('>')
}

/// Shannon entropy in bits per character.
pub(super) fn entropy(value: &str) -> f32 {
    let mut counts = [0_u16; 256];
    for byte in value.bytes() {
        counts[usize::from(byte)] = counts[usize::from(byte)].saturating_add(1);
    }
    let total = value.len().max(1) as f32;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f32::from(*count) / total)
        .map(|share| -share * share.log2())
        .sum()
}

/// Whether a value is too irregular to be words: much changing between cases and digits, or letters
/// no language puts in a row.
pub(super) fn is_random(value: &str) -> bool {
    let bits = entropy(value);
    if value.len() < 12 || bits < 2.8 {
        return false;
    }
    let density = jumble(value);
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let is_hex =
        value.len() >= 32 && digits >= 2 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    density >= 0.2 && (digits >= 2 || density >= 0.35)
        || is_hex
        || (bits >= 4.0 && density >= 0.15 && digits >= 1 && !value.contains(['/', '.', ' ']))
        || (digits <= 2 && is_unpronounceable(value))
}

/// The share of neighbouring characters that change between small, capital and digit.
///
/// Words begin with a capital or follow one another with a mark between: neither is a change.
fn jumble(value: &str) -> f32 {
    let classes: Vec<u8> = value.bytes().map(class).collect();
    let changes = classes
        .windows(2)
        .filter(|pair| is_change(pair[0], pair[1]))
        .count();
    changes as f32 / classes.len().saturating_sub(1).max(1) as f32
}

fn class(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        b'-' | b'_' | b'.' | b'/' | b':' | b' ' => 3,
        _ => 4,
    }
}

fn is_change(left: u8, right: u8) -> bool {
    left != right && left != 3 && right != 3 && !(left == 1 && right == 0)
}

fn is_unpronounceable(value: &str) -> bool {
    let mut longest = 0;
    let mut run = 0;
    let mut vowels = 0;
    let mut letters = 0;
    for byte in value.bytes() {
        let lower = byte.to_ascii_lowercase();
        if matches!(lower, b'a' | b'e' | b'i' | b'o' | b'u' | b'y') {
            vowels += 1;
            run = 0;
        } else if lower.is_ascii_lowercase() {
            run += 1;
        } else {
            run = 0;
        }
        letters += usize::from(lower.is_ascii_lowercase());
        longest = longest.max(run);
    }
    letters >= 12 && (longest >= 7 || vowels * 8 < letters)
}

/// Names of algorithms, encodings and schemes, which contain digits without being random.
pub(super) fn is_algorithm(value: &str) -> bool {
    const STEMS: &str = "sha md5 argon2 pbkdf2 bcrypt scrypt base64 base32 utf oauth aes rsa latin1 ed25519 x25519 \
        hmac hs256 rs256 es256 jwt bearer ascii hex chacha20 xchacha20 secp256 p256 blake tls \
        v1 v2 int uint varchar char(";
    let lower = value.to_ascii_lowercase();
    value.len() < 28 && !is_random(value) && STEMS.split(' ').any(|stem| lower.starts_with(stem))
}

/// Whether a value has the form of a secret that a generator made.
pub(super) fn is_generated(value: &str) -> bool {
    value.len() >= 12
        && entropy(value) >= 3.0
        && !is_placeholder(value)
        && !is_code(value)
        && !is_algorithm(value)
        && !value.contains(char::is_whitespace)
        && is_random(value)
}

/// Whether a value could be a password that a person chose: two sorts of characters, not a name.
pub(super) fn is_password(value: &str, is_quoted: bool) -> bool {
    let letters = value.bytes().any(|byte| byte.is_ascii_alphabetic());
    let digits = value.bytes().any(|byte| byte.is_ascii_digit());
    let signs = value
        .bytes()
        .any(|byte| byte.is_ascii_punctuation() && !matches!(byte, b'-' | b'_' | b'.'));
    // The cheap refusals first: most values of such names are words.
    if value.len() < 6 || (!digits && !is_quoted && jumble(value) < 0.25 && !is_random(value)) {
        return false;
    }
    if value.len() < 6
        || value.contains(char::is_whitespace)
        || is_placeholder(value)
        || is_code(value)
    {
        return false;
    }
    if is_algorithm(value) || entropy(value) < 2.0 {
        return false;
    }
    let numeric = value.bytes().all(|byte| byte.is_ascii_digit());
    let name = is_name(value);
    match (letters, digits, signs) {
        (true, true, true) => true,
        (true, true, false) => !name || (is_quoted && !value.contains(['_', '-', '.'])),
        (true, false, true) => {
            !value.ends_with([':', ',', '!', '?', ';']) && is_quoted || is_generated(value)
        }
        (true, false, false) => {
            is_generated(value) || (value.len() >= 8 && !name && jumble(value) >= 0.25)
        }
        _ => !numeric && is_generated(value),
    }
}

/// `user_password2`, `field-1`, `tls-cert-2024`: words joined by marks, with a number at most.
fn is_name(value: &str) -> bool {
    let mut parts = value.split(['_', '-', '.', '/']);
    let mut words = 0;
    let all = parts.by_ref().all(|part| {
        let stem = part.trim_end_matches(|c: char| c.is_ascii_digit());
        words += usize::from(stem.len() > 1);
        part.len() - stem.len() <= 4
            && stem.bytes().all(|byte| byte.is_ascii_alphabetic())
            && !is_random(stem)
    });
    all && words >= 1 && value.contains(['_', '-', '.', '/'])
}

#[cfg(test)]
mod tests {
    use super::{is_code, is_generated, is_placeholder, is_random};

    #[test]
    fn stand_ins_are_told_from_values() {
        for value in [
            "<your-key>",
            "xxxxxxxx",
            "$TOKEN",
            "${TOKEN}",
            "process.env.TOKEN",
            "********",
            "changeme",
        ] {
            assert!(is_placeholder(value), "{value}");
        }
        for value in [
            "config.auth.password",
            "get_password()",
            "Option<String>",
            "/run/secrets/db",
        ] {
            assert!(is_code(value), "{value}");
        }
    }

    #[test]
    fn words_are_told_from_noise() {
        for value in [
            "session-token-cache-v2",
            "handleTokenRefresh2",
            "prod/db/password-2",
            "correcthorsebattery",
        ] {
            assert!(!is_random(value), "{value}");
        }
        let noise = ["q7Rt2", "Zk9w", "Lm3x", "P0vY"].concat();
        assert!(is_random(&noise) && is_generated(&noise));
    }
}
