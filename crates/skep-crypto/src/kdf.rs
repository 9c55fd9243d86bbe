//! HKDF-SHA-256 (RFC 5869) to 32-byte keys.

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::certain::certain;

/// 32 bytes bound to `salt` and `info`. Labels in `info` differ for every purpose.
pub(crate) fn derive(ikm: &[u8], salt: &[u8], info: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut out = Zeroizing::new([0; 32]);
    // Only an output above 255 hashes can fail.
    certain(Hkdf::<Sha256>::new(Some(salt), ikm).expand(info, out.as_mut_slice()));
    out
}

#[cfg(test)]
mod tests {
    use super::derive;
    use crate::hex::hex;

    /// RFC 5869, appendix A.1, cut to 32 bytes.
    #[test]
    fn hkdf_gives_the_published_bytes() {
        let salt: Vec<u8> = (0..=0x0c).collect();
        let info: Vec<u8> = (0xf0..=0xf9).collect();
        let expected = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf";
        assert_eq!(derive(&[0x0b; 22], &salt, &info).to_vec(), hex(expected));
    }
}
