//! The forms in which an origin may say a value: as it is, in the escapes of usual formats, and in
//! base64 wherever it begins in it.

use base64ct::{Base64, Base64Url, Encoding};
use skep_crypto::Plain;
use zeroize::Zeroizing;

/// Shorter forms than this would be found where nobody meant them.
const SHORTEST: usize = 8;

/// The value as it is, and each other form that is long enough and differs.
pub(crate) fn of(value: &Plain<String>) -> Vec<Zeroizing<Vec<u8>>> {
    let value = value.expose().as_bytes();
    let mut forms = vec![Zeroizing::new(value.to_vec())];
    let mut add = |form: Zeroizing<Vec<u8>>| {
        if form.len() >= SHORTEST && !forms.contains(&form) {
            forms.push(form);
        }
    };
    for form in escapes(value).into_iter().chain(whole_escapes(value)) {
        add(form);
    }
    for encode in [base64 as fn(&[u8]) -> Zeroizing<Vec<u8>>, base64_url] {
        for before in [&b""[..], b"x", b":", b"xx", b"x:"] {
            for tail in [true, false] {
                add(in_base64(encode, before, value, tail));
            }
        }
    }
    forms
}

fn escapes(value: &[u8]) -> Vec<Zeroizing<Vec<u8>>> {
    let each = |escape: &dyn Fn(u8, &mut Vec<u8>)| {
        let mut out = Zeroizing::new(Vec::with_capacity(value.len() * 6));
        for byte in value {
            escape(*byte, &mut out);
        }
        out
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let hex = |byte: u8, upper: bool, out: &mut Vec<u8>| {
        let digits: &[u8] = if upper {
            b"0123456789ABCDEF"
        } else {
            b"0123456789abcdef"
        };
        out.extend([
            digits[usize::from(byte >> 4)],
            digits[usize::from(byte & 15)],
        ]);
    };
    let percent = |byte: u8, upper: bool, out: &mut Vec<u8>| {
        if plain(byte) {
            out.push(byte);
        } else {
            out.push(b'%');
            hex(byte, upper, out);
        }
    };
    let json = |byte: u8, slash: bool, out: &mut Vec<u8>| match byte {
        b'"' | b'\\' => out.extend([b'\\', byte]),
        b'/' if slash => out.extend(*b"\\/"),
        _ => out.push(byte),
    };
    let html = |byte: u8, quote: &[u8], out: &mut Vec<u8>| match byte {
        b'&' => out.extend(*b"&amp;"),
        b'<' => out.extend(*b"&lt;"),
        b'>' => out.extend(*b"&gt;"),
        b'"' => out.extend(*b"&quot;"),
        b'\'' => out.extend(quote),
        _ => out.push(byte),
    };
    vec![
        each(&|byte, out| percent(byte, true, out)),
        each(&|byte, out| percent(byte, false, out)),
        each(&|byte, out| json(byte, false, out)),
        each(&|byte, out| json(byte, true, out)),
        each(&|byte, out| html(byte, b"&#39;", out)),
        each(&|byte, out| html(byte, b"&#x27;", out)),
        each(&|byte, out| hex(byte, false, out)),
        each(&|byte, out| hex(byte, true, out)),
        value.iter().rev().copied().collect::<Vec<u8>>().into(),
    ]
}

/// Each byte escaped, whether it has to be or not.
fn whole_escapes(value: &[u8]) -> Vec<Zeroizing<Vec<u8>>> {
    let each = |escape: fn(u8) -> String| {
        let mut out = Zeroizing::new(Vec::with_capacity(value.len() * 6));
        for byte in value {
            out.extend_from_slice(Zeroizing::new(escape(*byte)).as_bytes());
        }
        out
    };
    vec![
        each(|byte| format!("%{byte:02x}")),
        each(|byte| format!("%{byte:02X}")),
        each(|byte| format!("\\u{byte:04x}")),
        each(|byte| format!("\\u{byte:04X}")),
        each(|byte| format!("&#{byte};")),
        each(|byte| format!("&#x{byte:02x};")),
        each(|byte| format!("&#x{byte:02X};")),
    ]
}

/// What of the base64 of `before` and the value follows from the value, and from what stands right
/// before it where that is a colon, as in `Basic` credentials. With `tail`, the value ends the text.
fn in_base64(
    encode: fn(&[u8]) -> Zeroizing<Vec<u8>>,
    before: &[u8],
    value: &[u8],
    tail: bool,
) -> Zeroizing<Vec<u8>> {
    let mut joined = Zeroizing::new(Vec::with_capacity(before.len() + value.len()));
    joined.extend_from_slice(before);
    joined.extend_from_slice(value);
    let coded = encode(&joined);
    let known = if before.ends_with(b":") {
        before.len() - 1
    } else {
        before.len()
    };
    let from = (known * 8).div_ceil(6);
    let to = if tail {
        coded.len()
    } else {
        joined.len() * 8 / 6
    };
    Zeroizing::new(coded.get(from..to).unwrap_or_default().to_vec())
}

fn base64(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(Base64::encode_string(bytes).into_bytes())
}

fn base64_url(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut coded = Base64Url::encode_string(bytes).into_bytes();
    // Its users leave the padding out.
    while coded.last() == Some(&b'=') {
        coded.pop();
    }
    Zeroizing::new(coded)
}

#[cfg(test)]
mod tests {
    use base64ct::{Base64, Base64Url, Encoding};
    use skep_crypto::Plain;

    use crate::matcher::{Patterns, Piece};

    const VALUE: &str = "s3cr/t+v\"lue&<\\>'~0";

    fn every(form: fn(u8) -> String) -> String {
        VALUE.bytes().map(form).collect()
    }

    /// What is left of a text that holds the value in some form.
    fn left(text: &str) -> String {
        let value = Plain::new(VALUE.to_owned());
        let forms = super::of(&value)
            .into_iter()
            .map(|form| (form, 0))
            .collect();
        let mut out = String::new();
        Patterns::new(forms).scan(text.as_bytes(), |piece| match piece {
            Piece::Text(text) => out.push_str(std::str::from_utf8(text).unwrap()),
            Piece::Hit { .. } => out.push('*'),
        });
        out
    }

    #[test]
    fn x02_each_escape_of_a_value_is_found() {
        let hex = VALUE.bytes().fold(String::new(), |mut hex, byte| {
            hex.push_str(&format!("{byte:02x}"));
            hex
        });
        for text in [
            VALUE.to_owned(),
            hex.clone(),
            hex.to_uppercase(),
            VALUE.chars().rev().collect(),
            "s3cr%2Ft%2Bv%22lue%26%3C%5C%3E%27~0".into(),
            "s3cr%2ft%2bv%22lue%26%3c%5c%3e%27~0".into(),
            r#"s3cr/t+v\"lue&<\\>'~0"#.into(),
            r#"s3cr\/t+v\"lue&<\\>'~0"#.into(),
            "s3cr/t+v&quot;lue&amp;&lt;\\&gt;&#39;~0".into(),
            "s3cr/t+v&quot;lue&amp;&lt;\\&gt;&#x27;~0".into(),
            every(|byte| format!("%{byte:02x}")),
            every(|byte| format!("%{byte:02X}")),
            every(|byte| format!("\\u{byte:04x}")),
            every(|byte| format!("\\u{byte:04X}")),
            every(|byte| format!("&#{byte};")),
            every(|byte| format!("&#x{byte:02x};")),
            every(|byte| format!("&#x{byte:02X};")),
        ] {
            assert_eq!(left(&format!("[{text}]")), "[*]", "{text}");
        }
    }

    #[test]
    fn x02_base64_of_a_value_is_found_wherever_it_begins_and_ends() {
        for (before, after) in [
            ("", ""),
            ("a", ""),
            ("ab", ""),
            ("abc", "d"),
            ("a", "de"),
            ("ab", "def"),
        ] {
            let text = format!("{before}{VALUE}{after}");
            for coded in [
                Base64::encode_string(text.as_bytes()),
                Base64Url::encode_string(text.as_bytes())
                    .trim_end_matches('=')
                    .to_owned(),
            ] {
                let left = left(&coded);
                assert!(left.contains('*'), "{text}: {left}");
                let edges = before.len() * 8 / 6 + after.len() * 8 / 6 + 5;
                assert!(left.len() <= edges + 3, "{text}: {left}");
            }
        }
    }

    #[test]
    fn x02_of_basic_credentials_only_the_user_is_left() {
        for user in ["", "u", "us", "use", "user"] {
            let coded = Base64::encode_string(format!("{user}:{VALUE}").as_bytes());
            let left = left(&coded);
            let (user_part, rest) = left.split_once('*').unwrap();
            assert_eq!(rest, "", "{user}");
            assert!(
                user_part.len() <= ((user.len() + 1) * 8).div_ceil(6),
                "{user}: {left}"
            );
        }
    }
}
