//! Ways in which an origin could write a credential down.

use base64ct::{Base64, Base64UrlUnpadded, Encoding};

/// What is looked for in answers, and at the end two that nobody looks for: an origin that wants to tell can.
pub(super) fn written(writing: &str, value: &[u8]) -> Option<Vec<u8>> {
    let each = |form: fn(&u8) -> String| value.iter().map(form).collect::<String>().into_bytes();
    let after = |before: &[u8]| Base64::encode_string(&[before, value].concat()).into_bytes();
    Some(match writing {
        "plain" => value.to_vec(),
        "twice" => [value, value].concat(),
        "quoted" => [b"{\"credential\":\"", value, b"\"}"].concat(),
        "backwards" => value.iter().rev().copied().collect(),
        "base64" => after(b""),
        "base64-1" => after(b"."),
        "base64-2" => after(b".."),
        "base64url" => Base64UrlUnpadded::encode_string(value).into_bytes(),
        "hex" => each(|byte| format!("{byte:02x}")),
        "hex-capitals" => each(|byte| format!("{byte:02X}")),
        "percent" => each(|byte| format!("%{byte:02x}")),
        "json" => each(|byte| format!("\\u{byte:04x}")),
        "html" => each(|byte| format!("&#{byte};")),
        "rot13" => value.iter().map(|byte| rotated(*byte)).collect(),
        "apart" => value.iter().flat_map(|byte| [*byte, b'-']).collect(),
        _ => return None,
    })
}

fn rotated(byte: u8) -> u8 {
    let turn = |first: u8| first + (byte - first + 13) % 26;
    match byte {
        b'a'..=b'z' => turn(b'a'),
        b'A'..=b'Z' => turn(b'A'),
        _ => byte,
    }
}
