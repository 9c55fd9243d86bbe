//! Checking signatures that others make: ECDSA on P-256 and RSA PKCS #1 v1.5, both with SHA-256.
//!
//! Nothing here signs: what we issue is signed with Ed25519. *ring* does the arithmetic, as it does
//! for TLS.

use std::fmt;

use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};

use crate::CryptoError;

/// Shorter moduli can be factored; longer ones only make us work.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// The primes by which keys of the broken generator of CVE-2017-15361 are told: modulo each, such
/// a modulus is a power of 65537. An honest one is so modulo all of them once in 2^27.
const ROCA_PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

/// A public key for ECDSA on P-256 with SHA-256 (FIPS 186-4).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct P256Key([u8; 65]);

/// A public key for RSA PKCS #1 v1.5 with SHA-256 (RFC 8017, section 8.2), 2048 to 8192 bits.
#[derive(Clone, PartialEq, Eq)]
pub struct RsaKey {
    n: Vec<u8>,
    e: Vec<u8>,
}

impl P256Key {
    /// Takes the two coordinates, big-endian. That they are a point of the curve is checked with
    /// each signature: under any other pair nothing verifies.
    #[must_use]
    pub fn from_coordinates(x: &[u8; 32], y: &[u8; 32]) -> Self {
        let mut point = [4; 65];
        point[1..33].copy_from_slice(x);
        point[33..].copy_from_slice(y);
        Self(point)
    }

    /// Takes the uncompressed form (SEC 1, section 2.3.3): 4, then both coordinates.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] for another form.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CryptoError> {
        <[u8; 65]>::try_from(bytes)
            .ok()
            .filter(|point| point[0] == 4)
            .map(Self)
            .ok_or(CryptoError::Malformed {
                what: "P-256 public key",
            })
    }

    /// The uncompressed form.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 65] {
        self.0
    }

    /// Checks a signature of two 32-byte numbers, *r* and *s*.
    ///
    /// # Errors
    /// [`CryptoError::BadSignature`].
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, &self.0)
            .verify(message, signature)
            .map_err(|_| CryptoError::BadSignature)
    }

    /// Checks a signature in the form of X9.62 (DER), which passkeys make.
    ///
    /// # Errors
    /// [`CryptoError::BadSignature`].
    pub fn verify_der(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_ASN1, &self.0)
            .verify(message, signature)
            .map_err(|_| CryptoError::BadSignature)
    }
}

impl RsaKey {
    /// Takes modulus and exponent, big-endian, without leading zeros.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] for a modulus that is even, too short, too long or from the
    /// generator of CVE-2017-15361, and for an exponent that is even or less than three.
    pub fn from_components(n: &[u8], e: &[u8]) -> Result<Self, CryptoError> {
        let sound = RSA_BITS.contains(&bits(n))
            && n.last().is_some_and(|last| last % 2 == 1)
            && (2..=33).contains(&bits(e))
            && e.last().is_some_and(|last| last % 2 == 1)
            && !is_roca(n);
        if sound {
            Ok(Self {
                n: n.to_vec(),
                e: e.to_vec(),
            })
        } else {
            Err(CryptoError::Malformed {
                what: "RSA public key",
            })
        }
    }

    /// The modulus, big-endian.
    #[must_use]
    pub fn n(&self) -> &[u8] {
        &self.n
    }

    /// The exponent, big-endian.
    #[must_use]
    pub fn e(&self) -> &[u8] {
        &self.e
    }

    /// Checks a signature as long as the modulus.
    ///
    /// # Errors
    /// [`CryptoError::BadSignature`].
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        RsaPublicKeyComponents {
            n: &self.n,
            e: &self.e,
        }
        .verify(&signature::RSA_PKCS1_2048_8192_SHA256, message, signature)
        .map_err(|_| CryptoError::BadSignature)
    }
}

impl fmt::Debug for P256Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("P256Key")
    }
}

impl fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RsaKey({} bits)", bits(&self.n))
    }
}

/// How many bits a big-endian number has; 0 for one with a leading zero byte, which is refused.
fn bits(number: &[u8]) -> usize {
    match number.first() {
        None | Some(0) => 0,
        Some(first) => number.len() * 8 - first.leading_zeros() as usize,
    }
}

fn is_roca(n: &[u8]) -> bool {
    ROCA_PRIMES.iter().all(|prime| {
        let rest = n
            .iter()
            .fold(0, |rest, byte| (rest * 256 + u32::from(*byte)) % prime);
        std::iter::successors(Some(1), |power| Some(power * 65_537 % prime))
            .take(*prime as usize)
            .any(|power| power == rest)
    })
}

#[cfg(test)]
mod tests {
    use super::{P256Key, RsaKey};
    use crate::hex::hex;

    /// RFC 7515, appendix A.3: the key, the message and the signature of its example.
    #[test]
    fn p256_takes_the_published_signature_and_no_other() {
        let x = hex("7fcdce2770f6c45d4183cbee6fdb4b7b580733357be9ef13bacf6e3c7bd15445");
        let y = hex("c7f144cd1bbd9b7e872cdfedb9eeb9f4b3695d6ea90b24ad8a4623288588e5ad");
        let key = P256Key::from_coordinates(
            x.as_slice().try_into().unwrap(),
            y.as_slice().try_into().unwrap(),
        );
        let message = concat!(
            "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0",
            "dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        );
        let signature = hex(concat!(
            "0ed1215379636c483c2f7f155807d402a3b228033af97c7e17819ac3169ea665",
            "c50a07d38c3c70e5d8f12daf084a5480a66590c5f293509a8f3f7f8a83a354d5"
        ));
        key.verify(message.as_bytes(), &signature).unwrap();
        let mut wrong = signature.clone();
        wrong[63] ^= 1;
        assert!(key.verify(message.as_bytes(), &wrong).is_err());
        assert!(key.verify(message.as_bytes(), &[]).is_err());
        assert!(key.verify(message.as_bytes(), &signature[..63]).is_err());
        assert_eq!(P256Key::from_bytes(&key.to_bytes()).unwrap(), key);
        assert!(P256Key::from_bytes(&key.to_bytes()[..64]).is_err());
        let compressed = [[2].as_slice(), &key.to_bytes()[1..]].concat();
        assert!(P256Key::from_bytes(&compressed).is_err());
    }

    #[test]
    fn rsa_keys_that_prove_nothing_are_refused() {
        // 2^2047 + 1 stands for any odd modulus of 2048 bits.
        let modulus = |bytes: usize| {
            let mut n = vec![0; bytes];
            (n[0], n[bytes - 1]) = (0x80, 1);
            n
        };
        assert!(RsaKey::from_components(&modulus(256), &[1, 0, 1]).is_ok());
        assert!(RsaKey::from_components(&modulus(1024), &[3]).is_ok());
        let (short, long) = (modulus(255), modulus(1025));
        let (mut even, mut padded) = (modulus(256), modulus(257));
        even[255] = 2;
        padded[0] = 0;
        for n in [&short, &long, &even, &padded, &Vec::new()] {
            assert!(RsaKey::from_components(n, &[1, 0, 1]).is_err());
        }
        for e in [&[][..], &[1], &[2], &[0, 3], &[1, 0, 0], &[4, 0, 0, 0, 1]] {
            assert!(RsaKey::from_components(&modulus(256), e).is_err(), "{e:?}");
        }
    }
}
