//! What an authenticator says: its data, the key in it, and the statement around both.

use skep_crypto::{CryptoError, P256Key, PublicKey, RsaKey, Signature};

use super::cbor::{Item, Reader};
use super::{MAX_CREDENTIAL_ID, PasskeyError};

/// The data of `WebAuthn` level 3, section 6.1.
pub(super) struct AuthenticatorData<'a> {
    pub(super) party_hash: [u8; 32],
    flags: u8,
    pub(super) counter: u32,
    pub(super) made: Option<Made<'a>>,
}

/// A credential that was made.
pub(super) struct Made<'a> {
    pub(super) aaguid: [u8; 16],
    pub(super) id: &'a [u8],
    pub(super) key: PasskeyKey,
}

/// The public key of a passkey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasskeyKey {
    /// COSE -7: ECDSA on P-256 with SHA-256.
    Es256(P256Key),
    /// COSE -8: Ed25519.
    EdDsa(PublicKey),
    /// COSE -257: RSA PKCS #1 v1.5 with SHA-256, which Windows still makes.
    Rs256(RsaKey),
}

impl AuthenticatorData<'_> {
    pub(super) fn user_present(&self) -> bool {
        self.flags & 1 != 0
    }
    pub(super) fn user_verified(&self) -> bool {
        self.flags & 4 != 0
    }
    pub(super) fn may_be_backed_up(&self) -> bool {
        self.flags & 8 != 0
    }
    pub(super) fn is_backed_up(&self) -> bool {
        self.flags & 16 != 0
    }
}

impl<'a> AuthenticatorData<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, PasskeyError> {
        let malformed = || PasskeyError::Malformed("authenticator data");
        let (head, rest) = bytes.split_at_checked(37).ok_or_else(malformed)?;
        let flags = head[32];
        let (made, rest) = if flags & 0x40 == 0 {
            (None, rest)
        } else {
            let (made, rest) = Made::read(rest)?;
            (Some(made), rest)
        };
        let mut rest = Reader::new(rest);
        if flags & 0x80 != 0 {
            rest.skip().ok_or_else(malformed)?;
        }
        if !rest.rest().is_empty() {
            return Err(malformed());
        }
        Ok(Self {
            party_hash: std::array::from_fn(|i| head[i]),
            flags,
            counter: u32::from_be_bytes(std::array::from_fn(|i| head[33 + i])),
            made,
        })
    }
}

impl<'a> Made<'a> {
    fn read(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), PasskeyError> {
        let malformed = || PasskeyError::Malformed("credential data");
        let (head, rest) = bytes.split_at_checked(18).ok_or_else(malformed)?;
        let length = usize::from(u16::from_be_bytes([head[16], head[17]]));
        if !(1..=MAX_CREDENTIAL_ID).contains(&length) {
            return Err(malformed());
        }
        let (id, rest) = rest.split_at_checked(length).ok_or_else(malformed)?;
        let mut reader = Reader::new(rest);
        let made = Self {
            aaguid: std::array::from_fn(|i| head[i]),
            id,
            key: PasskeyKey::read(&mut reader)?,
        };
        Ok((made, reader.rest()))
    }
}

/// The authenticator data inside an attestation object. What it attests is not looked at: we ask for
/// no attestation and trust no maker of devices more than another.
pub(super) fn unwrap_attestation(bytes: &[u8]) -> Result<&[u8], PasskeyError> {
    let read = || {
        let mut reader = Reader::new(bytes);
        let Item::Map(pairs @ 1..=8) = reader.next()? else {
            return None;
        };
        let mut data = None;
        for _ in 0..pairs {
            match reader.next()? {
                Item::Text("authData") if data.is_none() => {
                    let Item::Bytes(bytes) = reader.next()? else {
                        return None;
                    };
                    data = Some(bytes);
                }
                Item::Text("fmt" | "attStmt") => reader.skip()?,
                _ => return None,
            }
        }
        data.filter(|_| reader.rest().is_empty())
    };
    read().ok_or(PasskeyError::Malformed("attestation object"))
}

/// The members of a COSE key (RFC 9052, section 7) that ours have.
#[derive(Default)]
struct Cose<'a> {
    kind: Option<u64>,
    algorithm: Option<u64>,
    curve: Option<u64>,
    first: Option<&'a [u8]>,
    second: Option<&'a [u8]>,
    third: Option<&'a [u8]>,
}

impl PasskeyKey {
    /// Names of COSE for what we take, the best first.
    pub(super) const ALGORITHMS: [i32; 3] = [-8, -7, -257];

    fn read(reader: &mut Reader<'_>) -> Result<Self, PasskeyError> {
        let cose = Cose::read(reader).ok_or(PasskeyError::Malformed("public key"))?;
        cose.key().ok_or(PasskeyError::Algorithm)
    }

    /// The form to store.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Es256(key) => [&[1][..], &key.to_bytes()].concat(),
            Self::EdDsa(key) => [&[2][..], &key.to_bytes()].concat(),
            Self::Rs256(key) => {
                let length = (key.n().len() as u16).to_be_bytes();
                [&[3][..], &length, key.n(), key.e()].concat()
            }
        }
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (kind, bytes) = bytes.split_first()?;
        match kind {
            1 => P256Key::from_bytes(bytes).ok().map(Self::Es256),
            2 => PublicKey::from_bytes(bytes.try_into().ok()?)
                .ok()
                .map(Self::EdDsa),
            3 => {
                let (length, bytes) = bytes.split_at_checked(2)?;
                let length = u16::from_be_bytes([length[0], length[1]]);
                let (n, e) = bytes.split_at_checked(length.into())?;
                RsaKey::from_components(n, e).ok().map(Self::Rs256)
            }
            _ => None,
        }
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        match self {
            Self::Es256(key) => key.verify_der(message, signature),
            Self::Rs256(key) => key.verify(message, signature),
            Self::EdDsa(key) => {
                let bytes = signature
                    .try_into()
                    .map_err(|_| CryptoError::BadSignature)?;
                key.verify(message, &Signature::from_bytes(bytes))
            }
        }
    }
}

impl<'a> Cose<'a> {
    fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let Item::Map(pairs @ 1..=16) = reader.next()? else {
            return None;
        };
        let mut cose = Self::default();
        for _ in 0..pairs {
            let name = reader.next()?;
            match (name, reader.next()?) {
                (Item::Unsigned(1), Item::Unsigned(kind)) => set(&mut cose.kind, kind)?,
                (Item::Unsigned(3), Item::Negative(name)) => set(&mut cose.algorithm, name)?,
                (Item::Negative(0), Item::Unsigned(curve)) => set(&mut cose.curve, curve)?,
                (Item::Negative(0), Item::Bytes(bytes)) => set(&mut cose.first, bytes)?,
                (Item::Negative(1), Item::Bytes(bytes)) => set(&mut cose.second, bytes)?,
                (Item::Negative(2), Item::Bytes(bytes)) => set(&mut cose.third, bytes)?,
                // Whatever else is said of a key, we do not know what it asks of us.
                _ => return None,
            }
        }
        Some(cose)
    }

    fn key(&self) -> Option<PasskeyKey> {
        match (self.kind?, self.algorithm?, self.curve) {
            (2, 6, Some(1)) => {
                let (x, y) = (self.second?.try_into().ok()?, self.third?.try_into().ok()?);
                Some(PasskeyKey::Es256(P256Key::from_coordinates(x, y)))
            }
            (1, 7, Some(6)) => PublicKey::from_bytes(self.second?.try_into().ok()?)
                .ok()
                .map(PasskeyKey::EdDsa),
            (3, 256, None) => RsaKey::from_components(self.first?, self.second?)
                .ok()
                .map(PasskeyKey::Rs256),
            _ => None,
        }
    }
}

/// A member that comes twice makes the key mean two things.
fn set<T>(place: &mut Option<T>, value: T) -> Option<()> {
    match place.replace(value) {
        None => Some(()),
        Some(_) => None,
    }
}
