//! The id of a request: the client's if it is a UUID, ours otherwise.

use axum::http::{HeaderMap, HeaderValue};
use skep_app::App;

pub(crate) const HEADER: &str = "x-request-id";

/// Carried in the request's extensions, and in every answer.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) String);

impl RequestId {
    pub(crate) fn of(headers: &HeaderMap, app: &App) -> Self {
        let given = headers
            .get(HEADER)
            .and_then(|value| value.to_str().ok())
            .filter(|text| is_uuid(text));
        Self(given.map_or_else(|| app.new_request_id(), str::to_ascii_lowercase))
    }

    pub(crate) fn header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).unwrap_or(HeaderValue::from_static("invalid"))
    }
}

/// 8-4-4-4-12 hexadecimal digits.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::is_uuid;

    #[test]
    fn x10_only_a_uuid_is_taken_over_from_a_client() {
        assert!(is_uuid("0193b1f0-0000-7000-8000-00000000aBcD"));
        for bad in [
            "",
            "0193b1f0000070008000000000000000",
            "0193b1f0-0000-7000-8000-00000000abc\n",
            "g193b1f0-0000-7000-8000-00000000abcd",
        ] {
            assert!(!is_uuid(bad), "{bad:?}");
        }
    }
}
