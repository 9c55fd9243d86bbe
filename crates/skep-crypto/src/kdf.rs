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
