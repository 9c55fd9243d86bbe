//! Keys of webhooks and what they sign, as Standard Webhooks has it.

use base64ct::{Base64, Encoding};
use skep_crypto::{MacKey, Plain, sha256};
use skep_ledger::digits;

/// Bytes of a key.
pub(super) const KEY: usize = 32;
/// Before a key, for people and for libraries that verify.
const MARK: &str = "whsec_";

/// The key that the messages of a webhook are signed with.
pub struct HookKey(Plain<[u8; KEY]>);

impl HookKey {
    /// A key of these bytes. The caller wipes its own copy.
    #[must_use]
    pub fn new(bytes: [u8; KEY]) -> Self {
        Self(Plain::new(bytes))
    }

    /// Reads a key as people have it: `whsec_` and the base64 of 32 bytes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; KEY];
        let read = Base64::decode(text.strip_prefix(MARK)?, &mut bytes).ok()?;
        (read.len() == KEY).then(|| Self::new(bytes))
    }

    /// As people have it.
    #[must_use]
    pub fn text(&self) -> Plain<String> {
        let bytes = Base64::encode_string(self.0.expose());
        Plain::new(format!("{MARK}{bytes}"))
    }

    pub(super) fn bytes(&self) -> &[u8; KEY] {
        self.0.expose()
    }

    /// What proves that a message is ours: `v1,` and the MAC of its id, its moment in seconds and its body.
    pub(crate) fn signature(&self, (id, seconds): (&str, i64), body: &[u8]) -> String {
        let seconds = seconds.to_string();
        let parts: [&[u8]; 5] = [id.as_bytes(), b".", seconds.as_bytes(), b".", body];
        let tag = MacKey::from_bytes(self.0.expose()).tag_of_bytes(&parts);
        format!("v1,{}", Base64::encode_string(&tag))
    }
}

/// The id of a message for a place: whoever is sent the same twice sees the same id.
pub(crate) fn message_id(place: &[u8], body: &[u8]) -> String {
    let hash = sha256(&[b"skep sink".as_slice(), place, &sha256(body)].concat());
    format!("msg_{}", digits(&hash[..16]))
}

impl std::fmt::Debug for HookKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HookKey")
    }
}

#[cfg(test)]
mod tests {
    use super::HookKey;

    /// The example of the Standard Webhooks libraries: its key is 24 bytes, which HMAC pads with zeros.
    #[test]
    fn a_signature_is_that_of_the_published_scheme() {
        use base64ct::{Base64, Encoding as _};
        let short = Base64::decode_vec("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let mut key = [0; 32];
        key[..short.len()].copy_from_slice(&short);
        let place = ("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330);
        assert_eq!(
            HookKey::new(key).signature(place, br#"{"test": 2432232314}"#),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn a_key_is_read_as_it_is_written_and_no_other_way() {
        let key = HookKey::new([7; 32]);
        let text = key.text().expose().clone();
        assert_eq!(HookKey::parse(&text).unwrap().bytes(), &[7; 32]);
        for bad in [
            "",
            "whsec_",
            "whsec_AAAA",
            &text[6..],
            &format!("{text}A"),
            &format!(" {text}"),
        ] {
            assert!(HookKey::parse(bad).is_none(), "{bad}");
        }
    }
}
