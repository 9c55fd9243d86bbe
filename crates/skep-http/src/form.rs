//! Forms and query strings (`application/x-www-form-urlencoded`), read strictly: a name that occurs
//! twice, or bytes that are no text, make the whole of it malformed (RFC 6749, section 3.1).

use std::collections::BTreeMap;

/// The fields of a form.
#[derive(Debug, Default)]
pub(crate) struct Form(BTreeMap<String, String>);

/// Fields that are looked at; one more is no form of ours.
const MAX_FIELDS: usize = 32;

impl Form {
    /// Reads a form; `None` for a malformed one.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let mut fields = BTreeMap::new();
        for pair in text.split(|byte| *byte == b'&') {
            if pair.is_empty() {
                continue;
            }
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name = decode(halves.next().unwrap_or_default())?;
            let value = decode(halves.next().unwrap_or_default())?;
            if fields.insert(name, value).is_some() || fields.len() > MAX_FIELDS {
                return None;
            }
        }
        Some(Self(fields))
    }

    /// A field that is there and not empty: an empty one counts as left out (RFC 6749, section 3.1).
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }
}

/// One value, for a query string.
pub(crate) fn encode(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn decode(text: &[u8]) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'+' => out.push(b' '),
            b'%' => {
                let (digits, tail) = rest.split_at_checked(2)?;
                let digits = std::str::from_utf8(digits).ok()?;
                let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
                out.push(u8::from_str_radix(digits, 16).ok().filter(|_| plain)?);
                rest = tail;
            }
            other => out.push(*other),
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::{Form, encode};

    #[test]
    fn a_form_is_read_whole_or_not_at_all() {
        let form = Form::parse(b"a=1&b=x+y%26%C3%A9&c=&d").unwrap();
        assert_eq!(form.get("a"), Some("1"));
        assert_eq!(form.get("b"), Some("x y&é"));
        assert_eq!(
            (form.get("c"), form.get("d"), form.get("e")),
            (None, None, None)
        );
        assert!(Form::parse(b"").is_some());
        for bad in [
            &b"a=1&a=1"[..],
            b"a=%",
            b"a=%1",
            b"a=%+1",
            b"a=%zz",
            b"a=%ff",
            b"\xff=1",
        ] {
            assert!(Form::parse(bad).is_none(), "{bad:?}");
        }
        let many: Vec<_> = (0..40).map(|n| format!("f{n}=1")).collect();
        assert!(Form::parse(many.join("&").as_bytes()).is_none());
    }

    #[test]
    fn what_is_encoded_reads_back() {
        for text in ["", "a b", "ü&=?#/%", "\"<>'", "x\ny"] {
            let form = format!("v={}", encode(text));
            let form = Form::parse(form.as_bytes()).unwrap();
            assert_eq!(form.get("v").unwrap_or_default(), text);
        }
    }
}
