//! Bearer credentials: minting, reading and comparing `skep_…` tokens.
//!
//! Fields have fixed lengths and are read by position, because base64url itself contains `_`.

use base64ct::{Base64UrlUnpadded, Encoding};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{CryptoError, MacKey, Plain, Random};

/// Longer credentials are refused unread.
pub const MAX_CREDENTIAL_BYTES: usize = 160;

const INSTALL_PREFIX: &str = "skep_it_";
const SECRET: usize = 32;
const SECRET_CHARS: usize = 43;
const ID_CHARS: usize = 22;
const CHECK_CHARS: usize = 11;

/// The per-install token of local mode: `skep_it_<43>`. Wiped when dropped.
pub struct InstallToken(Zeroizing<[u8; SECRET]>);

/// The kinds of credential that a row stands behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BearerKind {
    /// `skep_rt_`: rotates at each use, has no check field.
    Refresh,
    /// `skep_pat_`: a human's scripts; stored under Argon2id.
    PersonalAccess,
    /// `skep_sk_`: connectors and agents; stored under the pepper.
    ApiKey,
    /// `skep_rk_`: one runner device; stored under the pepper.
    RunnerKey,
    /// `skep_bs_`: the value of a browser's session cookie; stored under the pepper.
    Browser,
}

/// A credential that has the form and the check of one we minted. Whether it still counts is in
/// the row that `id` finds. The secret is wiped when dropped.
pub struct Bearer {
    kind: BearerKind,
    id: [u8; 16],
    secret: Zeroizing<[u8; SECRET]>,
}

impl InstallToken {
    /// A fresh token.
    #[must_use]
    pub fn mint(random: &dyn Random) -> Self {
        Self(Zeroizing::new(random.array()))
    }

    /// The text form, for the 0600 file.
    #[must_use]
    pub fn text(&self) -> Plain<String> {
        Plain::new(joined(INSTALL_PREFIX, &[&encode(&*self.0)]))
    }

    /// Reads the text form.
    ///
    /// # Errors
    /// [`CryptoError::BadCredential`].
    pub fn parse(text: &[u8]) -> Result<Self, CryptoError> {
        let secret = bounded(text)?.strip_prefix(INSTALL_PREFIX.as_bytes());
        Ok(Self(decode(secret.ok_or(CryptoError::BadCredential)?)?))
    }

    /// HMAC-SHA-256 under the pepper: the form that a store keeps and looks up.
    #[must_use]
    pub fn stored_form(&self, pepper: &MacKey) -> [u8; 32] {
        pepper.tag32(&[INSTALL_PREFIX.as_bytes(), &*self.0])
    }

    /// Whether both are the same token, in constant time.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&*other.0).into()
    }
}

impl BearerKind {
    const ALL: [Self; 5] = [
        Self::Refresh,
        Self::PersonalAccess,
        Self::ApiKey,
        Self::RunnerKey,
        Self::Browser,
    ];

    /// What the text form begins with.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Refresh => "skep_rt_",
            Self::PersonalAccess => "skep_pat_",
            Self::ApiKey => "skep_sk_",
            Self::RunnerKey => "skep_rk_",
            Self::Browser => "skep_bs_",
        }
    }

    fn has_check(self) -> bool {
        !matches!(self, Self::Refresh)
    }
}

impl Bearer {
    /// Mints a credential for the row `id`: what to store a hash of, and the text to show once.
    #[must_use]
    pub fn mint(
        kind: BearerKind,
        id: [u8; 16],
        check: &MacKey,
        random: &dyn Random,
    ) -> (Self, Plain<String>) {
        let secret = Zeroizing::new(random.array());
        let mut text = joined(kind.prefix(), &[&encode(&id), &encode(&*secret)]);
        if kind.has_check() {
            let tag = check.tag8(&[text.as_bytes()]);
            text.push('_');
            text.push_str(&encode(&tag));
        }
        (Self { kind, id, secret }, Plain::new(text))
    }

    /// Reads a credential: length, kind and form, then the check in constant time. No query and
    /// no slow hash is reached by anything that we did not mint.
    ///
    /// # Errors
    /// [`CryptoError::BadCredential`], whatever the reason.
    pub fn parse(text: &[u8], check: &MacKey) -> Result<Self, CryptoError> {
        let text = bounded(text)?;
        let kind = BearerKind::ALL
            .into_iter()
            .find(|kind| text.starts_with(kind.prefix().as_bytes()))
            .ok_or(CryptoError::BadCredential)?;
        let body_len = kind.prefix().len() + ID_CHARS + 1 + SECRET_CHARS;
        let body = if kind.has_check() {
            let (body, tag) = split_at(text, body_len, CHECK_CHARS)?;
            if !check.verify(&[body], &*decode::<8>(tag)?) {
                return Err(CryptoError::BadCredential);
            }
            body
        } else {
            text
        };
        let (id, secret) = split_at(&body[kind.prefix().len()..], ID_CHARS, SECRET_CHARS)?;
        Ok(Self {
            kind,
            id: *decode(id)?,
            secret: decode(secret)?,
        })
    }

    /// The kind, as its prefix says.
    #[must_use]
    pub fn kind(&self) -> BearerKind {
        self.kind
    }

    /// The row to look up.
    #[must_use]
    pub fn id(&self) -> [u8; 16] {
        self.id
    }

    /// The secret bytes, to hash with Argon2id where that is the stored form.
    #[must_use]
    pub fn secret(&self) -> &[u8; SECRET] {
        &self.secret
    }

    /// What to store for this credential: HMAC-SHA-256 under the pepper over kind, id and secret.
    #[must_use]
    pub fn stored_form(&self, pepper: &MacKey) -> [u8; 32] {
        pepper.tag32(&self.parts())
    }

    /// Whether a stored form is this credential's, in constant time.
    #[must_use]
    pub fn matches(&self, pepper: &MacKey, stored: &[u8; 32]) -> bool {
        pepper.verify(&self.parts(), stored)
    }

    fn parts(&self) -> [&[u8]; 3] {
        [self.kind.prefix().as_bytes(), &self.id, &*self.secret]
    }
}

fn bounded(text: &[u8]) -> Result<&[u8], CryptoError> {
    if text.len() > MAX_CREDENTIAL_BYTES {
        Err(CryptoError::BadCredential)
    } else {
        Ok(text)
    }
}

/// `left_right` cut at fixed lengths, the `_` between them dropped.
fn split_at(text: &[u8], left: usize, right: usize) -> Result<(&[u8], &[u8]), CryptoError> {
    if text.len() != left + 1 + right || text[left] != b'_' {
        return Err(CryptoError::BadCredential);
    }
    Ok((&text[..left], &text[left + 1..]))
}

/// Joins with `_` in one allocation, so that no grown copy of a secret stays behind.
fn joined(prefix: &str, fields: &[&str]) -> String {
    let mut text = String::with_capacity(MAX_CREDENTIAL_BYTES);
    text.push_str(prefix);
    for (i, field) in fields.iter().enumerate() {
        if i > 0 {
            text.push('_');
        }
        text.push_str(field);
    }
    text
}

fn encode(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(Base64UrlUnpadded::encode_string(bytes))
}

/// Exactly `N` bytes in their one canonical spelling; base64ct works without secret-dependent
/// branches.
fn decode<const N: usize>(text: &[u8]) -> Result<Zeroizing<[u8; N]>, CryptoError> {
    let mut out = Zeroizing::new([0; N]);
    match Base64UrlUnpadded::decode(text, out.as_mut_slice()) {
        Ok(bytes) if bytes.len() == N => Ok(out),
        _ => Err(CryptoError::BadCredential),
    }
}

#[cfg(test)]
mod tests;
