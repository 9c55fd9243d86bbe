//! `Basic` credentials: base64 that is taken apart and put together anew.

use base64ct::{Base64, Base64Unpadded, Encoding};
use zeroize::Zeroizing;

const SCHEME: &[u8] = b"basic ";

/// User, colon and password, if a header holds them.
pub(crate) fn decoded(header: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (scheme, rest) = header.split_at_checked(SCHEME.len())?;
    if !scheme.eq_ignore_ascii_case(SCHEME) {
        return None;
    }
    let text = std::str::from_utf8(rest.trim_ascii()).ok()?;
    let bytes = Base64::decode_vec(text).or_else(|_| Base64Unpadded::decode_vec(text));
    bytes.ok().map(Zeroizing::new)
}

/// The header anew.
pub(crate) fn encoded(credentials: &[u8]) -> Zeroizing<Vec<u8>> {
    let coded = Zeroizing::new(Base64::encode_string(credentials));
    let mut header = Zeroizing::new(Vec::with_capacity(SCHEME.len() + coded.len()));
    header.extend_from_slice(b"Basic ");
    header.extend_from_slice(coded.as_bytes());
    header
}
