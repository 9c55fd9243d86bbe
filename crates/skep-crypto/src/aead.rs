//! Sealing rows: XChaCha20-Poly1305 with the row's identity as associated data.

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use zeroize::{Zeroize, Zeroizing};

use crate::certain::certain;
use crate::{CryptoError, MacKey, Plain, Random, Sealed, SigningKey, frame, kdf};

/// Bytes that sealing adds to a plaintext: version (1), nonce (24), tag (16).
pub const SEALED_OVERHEAD: usize = 1 + NONCE + TAG;

const VERSION: u8 = 1;
const NONCE: usize = 24;
const TAG: usize = 16;

/// Where a sealed value lives. It is authenticated with the value, so a ciphertext copied to
/// another column, row, table or workspace does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity<'a> {
    /// Table name, as in the migrations.
    pub table: &'a str,
    /// Column name, as in the migrations.
    pub column: &'a str,
    /// The workspace that owns the row.
    pub workspace: [u8; 16],
    /// The row's own id.
    pub row: [u8; 16],
}

/// The key of one workspace's content: 32 random bytes and the cipher made ready from them.
///
/// A random 24-byte nonce is safe for any number of rows (draft-irtf-cfrg-xchacha-03, §3.1).
/// Wiped when dropped.
pub struct DataKey {
    bytes: Zeroizing<[u8; 32]>,
    cipher: XChaCha20Poly1305,
}

impl Identity<'_> {
    /// The associated data: version ‖ table ‖ column ‖ workspace ‖ row, names length-prefixed.
    fn encode(&self) -> Vec<u8> {
        let names = self.table.len() + self.column.len();
        let mut out = Vec::with_capacity(1 + 2 * 8 + names + 2 * 16);
        out.push(VERSION);
        frame::push_part(&mut out, self.table.as_bytes());
        frame::push_part(&mut out, self.column.as_bytes());
        out.extend_from_slice(&self.workspace);
        out.extend_from_slice(&self.row);
        out
    }
}

impl DataKey {
    /// A fresh key.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        Self::from_bytes(Zeroizing::new(random.array()))
    }

    pub(crate) fn from_bytes(bytes: Zeroizing<[u8; 32]>) -> Self {
        let cipher = XChaCha20Poly1305::new((&*bytes).into());
        Self { bytes, cipher }
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// Seals `plain` for the place `id`. The result is `SEALED_OVERHEAD` bytes longer.
    #[must_use]
    pub fn seal(&self, random: &dyn Random, id: &Identity<'_>, plain: &[u8]) -> Sealed {
        Sealed::from_bytes(seal(&self.cipher, random, &[VERSION], &id.encode(), plain))
    }

    /// Opens what [`DataKey::seal`] made for the same place.
    ///
    /// # Errors
    /// [`CryptoError::Damaged`] for any other bytes, place or key.
    pub fn open(
        &self,
        id: &Identity<'_>,
        sealed: &(impl AsRef<[u8]> + ?Sized),
    ) -> Result<Plain<Vec<u8>>, CryptoError> {
        let mut out = Vec::new();
        self.open_into(id, sealed, &mut out)?;
        Ok(Plain::new(out))
    }

    /// Like [`DataKey::open`], into a buffer to use again. What the buffer held is wiped first;
    /// after an error it is empty. `sealed` may be a borrowed column (`&[u8]`), to spare a copy.
    ///
    /// # Errors
    /// [`CryptoError::Damaged`] for any other bytes, place or key.
    pub fn open_into(
        &self,
        id: &Identity<'_>,
        sealed: &(impl AsRef<[u8]> + ?Sized),
        out: &mut Vec<u8>,
    ) -> Result<(), CryptoError> {
        open(&self.cipher, &[VERSION], &id.encode(), sealed.as_ref(), out)
    }

    /// Like [`DataKey::open_into`], over a secret that was opened before.
    ///
    /// # Errors
    /// [`CryptoError::Damaged`] for any other bytes, place or key.
    pub fn open_over(
        &self,
        id: &Identity<'_>,
        sealed: &(impl AsRef<[u8]> + ?Sized),
        out: &mut Plain<Vec<u8>>,
    ) -> Result<(), CryptoError> {
        self.open_into(id, sealed, out.expose_mut())
    }

    /// A MAC key that lives and dies with this data key, for fingerprints of content: when the
    /// workspace's key is destroyed, its fingerprints match nothing any more.
    #[must_use]
    pub fn fingerprint_key(&self) -> MacKey {
        MacKey::from_bytes(&kdf::derive(
            self.bytes(),
            &[],
            b"skep content fingerprint v1",
        ))
    }

    /// The key that signs what humans of the workspace approved: as long as there is the workspace, whatever
    /// becomes of its rows.
    #[must_use]
    pub fn approval_key(&self) -> SigningKey {
        SigningKey::from_seed(&kdf::derive(self.bytes(), &[], b"skep approvals v1"))
    }
}

/// `header ‖ nonce ‖ ciphertext ‖ tag`. The header must be part of `aad`.
pub(crate) fn seal(
    cipher: &XChaCha20Poly1305,
    random: &dyn Random,
    header: &[u8],
    aad: &[u8],
    plain: &[u8],
) -> Vec<u8> {
    let nonce: [u8; NONCE] = random.array();
    let mut out = Vec::with_capacity(header.len() + NONCE + plain.len() + TAG);
    out.extend_from_slice(header);
    out.extend_from_slice(&nonce);
    out.extend_from_slice(plain);
    let body = &mut out[header.len() + NONCE..];
    // Only a plaintext above 2^38 bytes can fail.
    let tag = certain(cipher.encrypt_inout_detached(&XNonce::from(nonce), aad, body.into()));
    out.extend_from_slice(&tag);
    out
}

/// The reverse of [`seal`], into `out`, whose former content is wiped.
pub(crate) fn open(
    cipher: &XChaCha20Poly1305,
    header: &[u8],
    aad: &[u8],
    sealed: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), CryptoError> {
    // Wiping the length, not the capacity, keeps a large buffer cheap to reuse: whatever lay
    // beyond the length was wiped when the length shrank.
    out.as_mut_slice().zeroize();
    out.clear();
    let rest = sealed.strip_prefix(header).ok_or(CryptoError::Damaged)?;
    let (nonce, rest) = rest
        .split_first_chunk::<NONCE>()
        .ok_or(CryptoError::Damaged)?;
    let (body, tag) = rest.split_last_chunk::<TAG>().ok_or(CryptoError::Damaged)?;
    out.extend_from_slice(body);
    let opened = cipher.decrypt_inout_detached(
        &XNonce::from(*nonce),
        aad,
        out.as_mut_slice().into(),
        &(*tag).into(),
    );
    opened.map_err(|_| {
        out.as_mut_slice().zeroize();
        out.clear();
        CryptoError::Damaged
    })
}

#[cfg(test)]
mod tests;
