//! Ed25519 signatures (RFC 8032) with typed keys and strict verification.

use std::fmt;

use ed25519_dalek::Signer;
use zeroize::Zeroizing;

use crate::{CryptoError, Random};

/// A private signing key. Wiped when dropped.
pub struct SigningKey(ed25519_dalek::SigningKey);

/// A public key that is safe to verify with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(ed25519_dalek::VerifyingKey);

/// A 64-byte signature.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 64]);

impl SigningKey {
    /// A fresh key.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        Self::from_seed(&Zeroizing::new(random.array()))
    }

    /// The key that follows from a 32-byte seed (RFC 8032, §5.1.5). The caller wipes its copy.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs `message`. Deterministic: no randomness to get wrong.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }
}

impl PublicKey {
    /// Reads a public key from its 32 bytes.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] for bytes that are no point of the curve, or a point of small
    /// order, under which one signature fits many messages.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, CryptoError> {
        ed25519_dalek::VerifyingKey::from_bytes(bytes)
            .ok()
            .filter(|key| !key.is_weak())
            .map(Self)
            .ok_or(CryptoError::Malformed {
                what: "Ed25519 public key",
            })
    }

    /// The 32 bytes of the key.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// Checks that `signature` is this key's over `message`, refusing the malleable and
    /// small-order forms that plain RFC 8032 verification lets through.
    ///
    /// # Errors
    /// [`CryptoError::BadSignature`].
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), CryptoError> {
        self.0
            .verify_strict(message, &ed25519_dalek::Signature::from_bytes(&signature.0))
            .map_err(|_| CryptoError::BadSignature)
    }
}

impl Signature {
    /// Takes the 64 bytes of a signature.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// The 64 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 64] {
        self.0
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(Ed25519)")
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature(Ed25519)")
    }
}

#[cfg(test)]
mod tests {
    use super::{PublicKey, Signature, SigningKey};
    use crate::hex::hex;
    use crate::{CryptoError, SeededRandom};

    /// RFC 8032, section 7.1, test 1.
    #[test]
    fn ed25519_gives_the_published_signature() {
        let seed = hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
        let key = SigningKey::from_seed(seed.as_slice().try_into().unwrap());
        let public = hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
        assert_eq!(key.public_key().to_bytes().to_vec(), public);
        let expected = hex(concat!(
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155",
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ));
        assert_eq!(key.sign(b"").to_bytes().to_vec(), expected);
    }

    #[test]
    fn a_signature_fits_one_message_and_one_key() {
        let random = SeededRandom::new(1);
        let (key, other) = (SigningKey::generate(&random), SigningKey::generate(&random));
        let signature = key.sign(b"message");
        key.public_key().verify(b"message", &signature).unwrap();
        assert!(key.public_key().verify(b"massage", &signature).is_err());
        assert!(other.public_key().verify(b"message", &signature).is_err());
        for bit in 0..512 {
            let mut bytes = signature.to_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let verdict = key
                .public_key()
                .verify(b"message", &Signature::from_bytes(bytes));
            assert!(
                matches!(verdict, Err(CryptoError::BadSignature)),
                "bit {bit}"
            );
        }
    }

    #[test]
    fn a_key_of_small_order_is_refused() {
        // The neutral element, under which an all-zero S verifies for every message.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        for weak in [neutral, [0; 32]] {
            let read = PublicKey::from_bytes(&weak);
            assert!(matches!(read, Err(CryptoError::Malformed { .. })));
        }
    }
}
