//! JSON and base64url in which one thing has one spelling.
//!
//! RFC 7515 leaves it open what a reader does with a member that occurs twice, and readers differ:
//! whoever checks one of the two and acts on the other is fooled. Here it is refused, at any depth.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::JoseError;

/// The members of a JSON object.
pub(crate) type Members = Map<String, Value>;

/// Reads one object, with nothing after it. Depth is bounded by `serde_json` (128), length by
/// whoever calls.
pub(crate) fn object(bytes: &[u8]) -> Result<Members, JoseError> {
    match serde_json::from_slice(bytes) {
        Ok(Unique(Value::Object(members))) => Ok(members),
        _ => Err(JoseError::Refused("not one object of unique members")),
    }
}

/// Decodes base64url: no padding, no other alphabet, no spare bits.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, JoseError> {
    Base64UrlUnpadded::decode_vec(text).map_err(|_| JoseError::Refused("not canonical base64url"))
}

/// Encodes as base64url without padding.
pub(crate) fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// The string member of this name.
pub(crate) fn text<'m>(members: &'m Members, name: &str) -> Option<&'m str> {
    members.get(name).and_then(Value::as_str)
}

/// A value in which no object has a member twice.
struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueVisitor)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Unique;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without repeated members")
    }

    fn visit_unit<E>(self) -> Result<Unique, E> {
        Ok(Unique(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Unique, E> {
        Ok(Unique(Value::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Unique, E> {
        Ok(Unique(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Unique, E> {
        Ok(Unique(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Unique, E> {
        Number::from_f64(value)
            .map(|number| Unique(Value::Number(number)))
            .ok_or_else(|| E::custom("no number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Unique, E> {
        Ok(Unique(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Unique, A::Error> {
        let mut values = Vec::new();
        while let Some(Unique(value)) = sequence.next_element()? {
            values.push(value);
        }
        Ok(Unique(Value::Array(values)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Unique, A::Error> {
        let mut members = Members::new();
        while let Some((name, Unique(value))) = map.next_entry::<String, Unique>()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("repeated member"));
            }
        }
        Ok(Unique(Value::Object(members)))
    }
}

#[cfg(test)]
mod tests {
    use super::{decode, object};

    #[test]
    fn a09_a_member_occurs_once_at_every_depth() {
        let table: [(&[u8], bool); 14] = [
            (br#"{"a":1,"b":{"a":[{"a":1.5}]}}"#, true),
            (b"{}", true),
            (br#"{"a":1,"a":1}"#, false),
            (br#"{"a":1,"\u0061":2}"#, false),
            (br#"{"b":{"a":1,"a":2}}"#, false),
            (br#"{"b":[{"a":null,"a":null}]}"#, false),
            (br#"{"a":1} "#, true),
            (br#"{"a":1}{"#, false),
            (br#"{"a":1,}"#, false),
            (br#"{"a":NaN}"#, false),
            (br#"{"a":"\ud800"}"#, false),
            (b"{\"a\":\"\xFF\"}", false),
            (b"[]", false),
            (b"", false),
        ];
        for (text, good) in table {
            let shown = String::from_utf8_lossy(text);
            assert_eq!(object(text).is_ok(), good, "{shown}");
        }
        let deep = format!("{}1{}", r#"{"a":"#.repeat(5_000), "}".repeat(5_000));
        assert!(object(deep.as_bytes()).is_err());
    }

    #[test]
    fn a09_bytes_have_one_spelling() {
        assert_eq!(decode("_-8").unwrap(), [0xFF, 0xEF]);
        for other in [
            "_-8=", "_-9", "/+8", "_-8 ", " _-8", "_-\n8", "_", "_-8\0", "é",
        ] {
            assert!(decode(other).is_err(), "{other:?}");
        }
    }
}
