//! The seal of an archive: a random key, wrapped for a passphrase or a recovery key, and under it a stream
//! of chunks that opens whole and in order or not at all.
//!
//! ```text
//! header   magic ‖ for whom (1) ‖ memory (4) ‖ passes (4) ‖ salt (16) ‖ nonce (24) ‖ archive key (32) ‖ tag (16)
//! chunk    last (1) ‖ length (4) ‖ ciphertext ‖ tag (16)
//! ```
//!
//! A chunk's nonce is its number and whether it is the last (the STREAM construction of Hoang,
//! Reyhanitabar, Rogaway and Vizár, 2015); its key follows from the archive key and the header, so nonces
//! never repeat. What is cut off, put elsewhere, exchanged or changed does not open.

use argon2::{Algorithm, Argon2, Params, Version};
use base64ct::{Base64UrlUnpadded, Encoding};
use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use crate::certain::certain;
use crate::{CryptoError, KeyEncryptionKey, MacKey, Plain, Random, RootKey, kdf};

const MAGIC: &[u8; 15] = b"skep-archive-1\n";
const NONCE: usize = 24;
const TAG: usize = 16;
/// What stands before the wrapped key, and is authenticated with it.
const CLEAR: usize = MAGIC.len() + 1 + 4 + 4 + 16;

/// Bytes of a header.
pub const ARCHIVE_HEADER: usize = CLEAR + NONCE + 32 + TAG;
/// Bytes before a chunk: whether it is the last, and how long it is in clear.
pub const CHUNK_HEAD: usize = 5;
/// Bytes after a chunk.
pub const CHUNK_TAIL: usize = TAG;
/// Bytes of a chunk in clear, at the most.
pub const CHUNK_MAX: usize = 256 << 10;

const RECOVERY: &str = "skep-recovery-1 ";
const NO_ARCHIVE: CryptoError = CryptoError::Malformed { what: "archive" };

/// What guessing at a passphrase costs: 64 MiB and 3 passes.
const MEMORY_KIB: u32 = 64 << 10;
const PASSES: u32 = 3;
/// A header names its own cost, so one made by somebody else could ask for gigabytes.
const MAX_MEMORY_KIB: u32 = 1 << 20;
const MAX_PASSES: u32 = 16;

/// 256 random bits that open archives, for those who keep a file rather than a passphrase. Wiped when
/// dropped.
pub struct RecoveryKey(Zeroizing<[u8; 32]>);

/// What an archive is closed for, and opened with.
pub enum ArchiveLock {
    /// Something that a human remembers.
    Passphrase(Plain<String>),
    /// Something that a file keeps.
    Recovery(RecoveryKey),
}

/// Seals chunks one after the other.
pub struct ArchiveSealer(Stream);

/// Opens chunks one after the other.
pub struct ArchiveOpener(Stream);

/// The key of one archive, and how far its stream is.
struct Stream {
    key: Zeroizing<[u8; 32]>,
    cipher: XChaCha20Poly1305,
    header: [u8; 32],
    next: u64,
}

impl RecoveryKey {
    /// A fresh one.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        Self(Zeroizing::new(random.array()))
    }

    /// Reads `skep-recovery-1 <32 bytes in base64url>`.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`].
    pub fn parse(text: &str) -> Result<Self, CryptoError> {
        let mut key = Zeroizing::new([0; 32]);
        let digits = text.trim().strip_prefix(RECOVERY).unwrap_or_default();
        match Base64UrlUnpadded::decode(digits, key.as_mut_slice()) {
            Ok(bytes) if bytes.len() == 32 => Ok(Self(key)),
            _ => Err(CryptoError::Malformed {
                what: "recovery key",
            }),
        }
    }

    /// The line to keep.
    #[must_use]
    pub fn text(&self) -> Plain<String> {
        let digits = Zeroizing::new(Base64UrlUnpadded::encode_string(self.0.as_slice()));
        Plain::new([RECOVERY, digits.as_str()].concat())
    }
}

impl ArchiveLock {
    const fn code(&self) -> u8 {
        match self {
            Self::Passphrase(_) => 1,
            Self::Recovery(_) => 2,
        }
    }

    /// The key that wraps an archive's own.
    fn key(&self, clear: &[u8; CLEAR]) -> Result<Zeroizing<[u8; 32]>, CryptoError> {
        let number = |from: usize| {
            let bytes = clear[from..].first_chunk::<4>();
            bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
        };
        let (memory, passes) = (number(MAGIC.len() + 1), number(MAGIC.len() + 5));
        let salt = &clear[CLEAR - 16..];
        match self {
            Self::Recovery(key) => Ok(kdf::derive(&*key.0, salt, b"skep recovery key v1")),
            Self::Passphrase(passphrase) => {
                if memory > MAX_MEMORY_KIB || passes > MAX_PASSES {
                    return Err(NO_ARCHIVE);
                }
                let params = Params::new(memory, passes, 1, Some(32)).map_err(|_| NO_ARCHIVE)?;
                let mut key = Zeroizing::new([0; 32]);
                Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
                    .hash_password_into(passphrase.expose().as_bytes(), salt, key.as_mut_slice())
                    .map_err(|_| CryptoError::Malformed { what: "passphrase" })?;
                Ok(key)
            }
        }
    }
}

impl ArchiveSealer {
    /// A new archive; the header goes before everything. A passphrase takes a third of a second and
    /// 64 MiB: call it where blocking is fine.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] for a passphrase that cannot be one.
    pub fn begin(
        lock: &ArchiveLock,
        random: &dyn Random,
    ) -> Result<(Self, [u8; ARCHIVE_HEADER]), CryptoError> {
        let mut clear = [0; CLEAR];
        let (memory, passes) = (MEMORY_KIB.to_le_bytes(), PASSES.to_le_bytes());
        let salt: [u8; 16] = random.array();
        let parts: [&[u8]; 5] = [MAGIC, &[lock.code()], &memory, &passes, &salt];
        clear.copy_from_slice(&parts.concat());
        let key = Zeroizing::new(random.array::<32>());
        let nonce: [u8; NONCE] = random.array();
        let cipher = XChaCha20Poly1305::new((&*lock.key(&clear)?).into());
        let mut wrapped = *key;
        let tag = certain(cipher.encrypt_inout_detached(
            &XNonce::from(nonce),
            &clear,
            wrapped.as_mut_slice().into(),
        ));
        let mut header = [0; ARCHIVE_HEADER];
        let parts: [&[u8]; 4] = [&clear, &nonce, &wrapped, &tag];
        header.copy_from_slice(&parts.concat());
        Ok((Self(Stream::new(key, &header)), header))
    }

    /// Seals the next chunk, of at most [`CHUNK_MAX`] bytes, and appends it to `out`.
    pub fn seal(&mut self, plain: &[u8], is_last: bool, out: &mut Vec<u8>) {
        let head = head(plain.len() as u32, is_last);
        out.extend_from_slice(&head);
        let from = out.len();
        out.extend_from_slice(plain);
        let (nonce, aad) = self.0.place(head);
        let body = &mut out[from..];
        let tag = certain(
            self.0
                .cipher
                .encrypt_inout_detached(&nonce, &aad, body.into()),
        );
        out.extend_from_slice(&tag);
    }

    /// The key that keys are wrapped under inside the archive of this instance.
    #[must_use]
    pub fn wrapping(&self, instance: [u8; 16]) -> KeyEncryptionKey {
        self.0.wrapping(instance)
    }

    /// The key of the checksums inside.
    #[must_use]
    pub fn checksums(&self) -> MacKey {
        self.0.checksums()
    }
}

impl ArchiveOpener {
    /// Opens a header. A passphrase takes a third of a second and its memory.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] for what is no archive; [`CryptoError::WrongKey`] when it is closed for
    /// somebody else, or its header was changed.
    pub fn begin(lock: &ArchiveLock, header: &[u8; ARCHIVE_HEADER]) -> Result<Self, CryptoError> {
        let clear = header.first_chunk::<CLEAR>().ok_or(NO_ARCHIVE)?;
        if !clear.starts_with(MAGIC) {
            return Err(NO_ARCHIVE);
        }
        if clear[MAGIC.len()] != lock.code() {
            return Err(CryptoError::WrongKey);
        }
        let cipher = XChaCha20Poly1305::new((&*lock.key(clear)?).into());
        let rest = &header[CLEAR..];
        let (nonce, rest) = rest.split_first_chunk::<NONCE>().ok_or(NO_ARCHIVE)?;
        let (wrapped, tag) = rest.split_last_chunk::<TAG>().ok_or(NO_ARCHIVE)?;
        let mut key = Zeroizing::new([0; 32]);
        key.copy_from_slice(wrapped);
        cipher
            .decrypt_inout_detached(
                &XNonce::from(*nonce),
                clear,
                key.as_mut_slice().into(),
                &(*tag).into(),
            )
            .map_err(|_| CryptoError::WrongKey)?;
        Ok(Self(Stream::new(key, header)))
    }

    /// How many bytes follow the head of a chunk, and whether it is the last. Not to be believed before it
    /// is opened.
    ///
    /// # Errors
    /// [`CryptoError::Damaged`] for a head that none of ours is like.
    pub fn length(head: [u8; CHUNK_HEAD]) -> Result<(usize, bool), CryptoError> {
        let [last, length @ ..] = head;
        let length = u32::from_le_bytes(length) as usize;
        if last > 1 || length > CHUNK_MAX {
            return Err(CryptoError::Damaged);
        }
        Ok((length + CHUNK_TAIL, last == 1))
    }

    /// Opens the next chunk in its own bytes, which are shorter afterwards.
    ///
    /// # Errors
    /// [`CryptoError::Damaged`] for anything but the next chunk as it was sealed.
    pub fn open(&mut self, head: [u8; CHUNK_HEAD], body: &mut Vec<u8>) -> Result<(), CryptoError> {
        let (nonce, aad) = self.0.place(head);
        let tag = *body.last_chunk::<TAG>().ok_or(CryptoError::Damaged)?;
        body.truncate(body.len() - TAG);
        self.0
            .cipher
            .decrypt_inout_detached(&nonce, &aad, body.as_mut_slice().into(), &tag.into())
            .map_err(|_| CryptoError::Damaged)
    }

    /// As [`ArchiveSealer::wrapping`].
    #[must_use]
    pub fn wrapping(&self, instance: [u8; 16]) -> KeyEncryptionKey {
        self.0.wrapping(instance)
    }

    /// As [`ArchiveSealer::checksums`].
    #[must_use]
    pub fn checksums(&self) -> MacKey {
        self.0.checksums()
    }
}

impl Stream {
    fn new(key: Zeroizing<[u8; 32]>, header: &[u8; ARCHIVE_HEADER]) -> Self {
        let chunks = kdf::derive(&*key, header, b"skep archive chunks v1");
        Self {
            cipher: XChaCha20Poly1305::new((&*chunks).into()),
            header: crate::sha256(header),
            key,
            next: 0,
        }
    }

    /// The nonce of the next chunk, and what is authenticated with it.
    fn place(&mut self, head: [u8; CHUNK_HEAD]) -> (XNonce, [u8; 32 + CHUNK_HEAD]) {
        let mut nonce = [0; NONCE];
        nonce[..8].copy_from_slice(&self.next.to_le_bytes());
        nonce[8] = head[0];
        self.next += 1;
        let mut aad = [0; 32 + CHUNK_HEAD];
        aad[..32].copy_from_slice(&self.header);
        aad[32..].copy_from_slice(&head);
        (nonce.into(), aad)
    }

    fn wrapping(&self, instance: [u8; 16]) -> KeyEncryptionKey {
        let root = kdf::derive(&*self.key, &[], b"skep archive keys v1");
        KeyEncryptionKey::derive(&RootKey::from_bytes(root), instance, &[])
    }

    fn checksums(&self) -> MacKey {
        MacKey::from_bytes(&kdf::derive(&*self.key, &[], b"skep archive checksums v1"))
    }
}

fn head(length: u32, is_last: bool) -> [u8; CHUNK_HEAD] {
    let [a, b, c, d] = length.to_le_bytes();
    [u8::from(is_last), a, b, c, d]
}

#[cfg(test)]
mod tests;
