//! HMAC-SHA-256 with typed keys, truncated tags and constant-time comparison; plain SHA-256.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256, Sha512};
use subtle::ConstantTimeEq;

use crate::certain::certain;
use crate::frame;

/// A key for HMAC-SHA-256 (RFC 2104, FIPS 180-4), kept ready with its two blocks hashed.
///
/// All tags are over a list of parts, each length-prefixed, so that no two lists share a tag by
/// where their parts are cut.
pub struct MacKey(Hmac<Sha256>);

impl MacKey {
    /// A key of 32 bytes. The caller wipes its own copy.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(certain(Hmac::new_from_slice(bytes)))
    }

    /// The whole 32-byte tag.
    #[must_use]
    pub fn tag32(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(&frame::prefix(part));
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// The tag of bytes as they are, for protocols of others, which say themselves what stands between their parts.
    #[must_use]
    pub fn tag_of_bytes(&self, bytes: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.0.clone();
        for part in bytes {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// The first 4 bytes of the tag: enough to tell our ids from guesses, not a signature.
    #[must_use]
    pub fn tag4(&self, parts: &[&[u8]]) -> [u8; 4] {
        first(&self.tag32(parts))
    }

    /// The first 8 bytes of the tag: the check inside a minted credential.
    #[must_use]
    pub fn tag8(&self, parts: &[&[u8]]) -> [u8; 8] {
        first(&self.tag32(parts))
    }

    /// The first 16 bytes of the tag: a keyed fingerprint to look equal content up by, without
    /// storing anything that can be guessed at from outside.
    #[must_use]
    pub fn tag16(&self, parts: &[&[u8]]) -> [u8; 16] {
        first(&self.tag32(parts))
    }

    /// Whether `tag` (4 to 32 bytes, checked when compiled) begins the tag of `parts`, in time
    /// that does not depend on where they differ.
    #[must_use]
    pub fn verify<const N: usize>(&self, parts: &[&[u8]], tag: &[u8; N]) -> bool {
        const { assert!(N >= 4 && N <= 32, "a tag has 4 to 32 bytes") };
        self.tag32(parts)[..N].ct_eq(tag).into()
    }
}

/// SHA-256 (FIPS 180-4) of `bytes`. Unkeyed: for public data only.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// SHA-512 (FIPS 180-4) of `bytes`. Unkeyed: for public data only.
#[must_use]
pub fn sha512(bytes: &[u8]) -> [u8; 64] {
    Sha512::digest(bytes).into()
}

fn first<const N: usize>(tag: &[u8; 32]) -> [u8; N] {
    std::array::from_fn(|i| tag[i])
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use hmac::Mac;

    use super::{MacKey, sha256, sha512};
    use crate::frame::tests::short_words;
    use crate::hex::hex;

    /// RFC 4231, test case 1. Its 20-byte key padded with zeros is the same HMAC key.
    #[test]
    fn hmac_gives_the_published_tag() {
        let mut key = [0; 32];
        key[..20].fill(0x0b);
        let mac = MacKey::from_bytes(&key).0.chain_update(b"Hi There");
        let expected = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
        assert_eq!(mac.finalize().into_bytes().to_vec(), hex(expected));
        let of_bytes = MacKey::from_bytes(&key).tag_of_bytes(&[b"Hi ", b"There"]);
        assert_eq!(of_bytes.to_vec(), hex(expected));
    }

    /// FIPS 180-4, the "abc" example.
    #[test]
    fn sha256_gives_the_published_hash() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc").to_vec(), hex(expected));
    }

    /// FIPS 180-4, the "abc" example.
    #[test]
    fn sha512_gives_the_published_hash() {
        let expected = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                        2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
        assert_eq!(sha512(b"abc").to_vec(), hex(expected));
    }

    #[test]
    fn t13_no_two_lists_of_parts_share_a_tag() {
        let key = MacKey::from_bytes(&[1; 32]);
        let mut tags = HashSet::from([key.tag16(&[])]);
        let words = short_words();
        let mut lists = 1;
        for a in &words {
            tags.insert(key.tag16(&[a]));
            tags.extend(words.iter().map(|b| key.tag16(&[a, b])));
            lists += 1 + words.len();
        }
        assert_eq!(tags.len(), lists);
    }

    #[test]
    fn a_tag_verifies_whole_and_cut_but_never_changed() {
        let key = MacKey::from_bytes(&[1; 32]);
        let parts: [&[u8]; 2] = [b"mem", b"id"];
        assert!(key.verify(&parts, &key.tag4(&parts)));
        assert!(key.verify(&parts, &key.tag8(&parts)));
        assert!(key.verify(&parts, &key.tag32(&parts)));
        assert!(!MacKey::from_bytes(&[2; 32]).verify(&parts, &key.tag16(&parts)));
        for bit in 0..128 {
            let mut tag = key.tag16(&parts);
            tag[bit / 8] ^= 1 << (bit % 8);
            assert!(!key.verify(&parts, &tag), "bit {bit}");
        }
    }
}
