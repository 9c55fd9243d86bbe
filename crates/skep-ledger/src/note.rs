//! Signed notes, as C2SP `signed-note` says: text, an empty line, and lines that sign the text. Only Ed25519
//! counts here (signature type 1); lines of keys that nobody asked for are passed over.

use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha256};

/// Bytes that a note may have.
pub const NOTE: usize = 8 * 1024;

/// Signatures that a note may have.
const SIGNATURES: usize = 16;

/// What begins a line that signs: an em dash and a space.
const DASH: &str = "\u{2014} ";

/// Ed25519, as a type of signature.
const ED25519: u8 = 1;

/// A note that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// It has not the form of one, or is too long.
    #[error("no signed note")]
    Malformed,
    /// The key has not signed it.
    #[error("not signed by this key")]
    Unsigned,
    /// The key's signature is not one of this text.
    #[error("the signature does not fit")]
    BadSignature,
}

/// A key that signs, as whoever verifies knows it: its name and its public half.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    public: ed25519_dalek::VerifyingKey,
}

impl VerifierKey {
    /// The key of a name, which has no space and no plus. `None` for another name, and for bytes that are no
    /// key or one under which a signature fits many texts.
    #[must_use]
    pub fn new(name: &str, public: &[u8; 32]) -> Option<Self> {
        let is_name = !name.is_empty()
            && name.len() <= 256
            && !name.contains(|c: char| c == '+' || c.is_whitespace() || c.is_control());
        let public = ed25519_dalek::VerifyingKey::from_bytes(public).ok()?;
        (is_name && !public.is_weak()).then(|| Self {
            name: name.to_owned(),
            public,
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its public half.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        self.public.to_bytes()
    }

    /// The first four bytes of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ key).
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        let hash = Sha256::new()
            .chain_update(&self.name)
            .chain_update([b'\n', ED25519])
            .chain_update(self.public.as_bytes())
            .finalize();
        [hash[0], hash[1], hash[2], hash[3]]
    }

    /// Reads `name+id+key`, the id in eight hexadecimal digits, the key in base64 with its type in front. The id
    /// has to be the one that follows.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > 512 {
            return None;
        }
        // Base64 has pluses too; a name has none.
        let mut parts = text.splitn(3, '+');
        let (name, id, key) = (parts.next()?, parts.next()?, parts.next()?);
        let key = Base64::decode_vec(key).ok()?;
        let (kind, public) = key.split_first()?;
        let key = Self::new(name, public.try_into().ok()?)?;
        (*kind == ED25519 && id == hex4(key.id())).then_some(key)
    }

    /// A note of this text, given the signature of the text.
    #[must_use]
    pub fn note(&self, text: &str, signature: &[u8; 64]) -> String {
        let signed = [&self.id()[..], signature].concat();
        let signed = Base64::encode_string(&signed);
        format!("{text}\n{DASH}{} {signed}\n", self.name)
    }

    /// The text of a note that this key has signed.
    ///
    /// # Errors
    /// [`NoteError`].
    pub fn open<'n>(&self, note: &'n str) -> Result<&'n str, NoteError> {
        let (text, lines) = split(note).ok_or(NoteError::Malformed)?;
        let mut is_signed = false;
        for (at, line) in lines.lines().enumerate() {
            let line = line.strip_prefix(DASH).filter(|_| at < SIGNATURES);
            let parts = line.and_then(|line| line.split_once(' '));
            let (name, signed) = parts.ok_or(NoteError::Malformed)?;
            let signed = Base64::decode_vec(signed).map_err(|_| NoteError::Malformed)?;
            let (id, signature) = signed.split_at_checked(4).ok_or(NoteError::Malformed)?;
            if name.is_empty() || signature.is_empty() {
                return Err(NoteError::Malformed);
            }
            if name == self.name && id == self.id() && !is_signed {
                self.check(text, signature)?;
                is_signed = true;
            }
        }
        is_signed.then_some(text).ok_or(NoteError::Unsigned)
    }

    fn check(&self, text: &str, signature: &[u8]) -> Result<(), NoteError> {
        let signature =
            ed25519_dalek::Signature::from_slice(signature).map_err(|_| NoteError::BadSignature)?;
        self.public
            .verify_strict(text.as_bytes(), &signature)
            .map_err(|_| NoteError::BadSignature)
    }
}

impl std::fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let key = [&[ED25519][..], self.public.as_bytes()].concat();
        let key = Base64::encode_string(&key);
        write!(f, "{}+{}+{key}", self.name, hex4(self.id()))
    }
}

/// The text with its last line break, and the lines that sign it.
fn split(note: &str) -> Option<(&str, &str)> {
    let is_plain = |c: char| !c.is_control() || c == '\n';
    if note.len() > NOTE || !note.ends_with('\n') || !note.chars().all(is_plain) {
        return None;
    }
    let at = note.rfind("\n\n")?;
    let (text, lines) = (&note[..=at], &note[at + 2..]);
    (!lines.is_empty()).then_some((text, lines))
}

fn hex4(id: [u8; 4]) -> String {
    format!("{:08x}", u32::from_be_bytes(id))
}

#[cfg(test)]
mod tests {
    use super::{NOTE, NoteError, VerifierKey};

    /// The example of the documentation of Go's `golang.org/x/mod/sumdb/note`.
    const KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                        then you don't know what your problem is.\n";
    const LINE: &str = "\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvq\
                        fqdngotpRZb6KE6RyyBwJnAM=\n";

    fn note() -> String {
        format!("{TEXT}\n{LINE}")
    }

    #[test]
    fn the_published_note_opens_and_is_written_again() {
        let key = VerifierKey::parse(KEY).unwrap();
        assert_eq!(key.to_string(), KEY);
        assert_eq!(key.open(&note()), Ok(TEXT));
        let beside = "\u{2014} other AAAAAAAA\n";
        assert_eq!(key.open(&format!("{TEXT}\n{beside}{LINE}")), Ok(TEXT));
        assert_eq!(
            key.open(&format!("{TEXT}\n{beside}")),
            Err(NoteError::Unsigned)
        );
    }

    #[test]
    fn l01_no_byte_of_a_note_can_be_another() {
        let key = VerifierKey::parse(KEY).unwrap();
        let note = note().into_bytes();
        for at in 0..note.len() {
            for bit in 0..8 {
                let mut other = note.clone();
                other[at] ^= 1 << bit;
                if let Ok(other) = String::from_utf8(other) {
                    assert!(key.open(&other).is_err(), "{at} {bit}");
                }
            }
        }
        for end in 0..note.len() {
            if let Ok(cut) = std::str::from_utf8(&note[..end]) {
                assert!(key.open(cut).is_err(), "{end}");
            }
        }
    }

    #[test]
    fn keys_and_notes_that_are_none_are_refused() {
        for key in [
            "",
            "PeterNeumann",
            "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        ] {
            assert!(VerifierKey::parse(key).is_none(), "{key}");
        }
        let mut neutral = [0; 32];
        neutral[0] = 1;
        assert!(VerifierKey::new("weak", &neutral).is_none());
        let key = VerifierKey::parse(KEY).unwrap();
        let many = LINE.repeat(17);
        let long = "x".repeat(NOTE);
        for note in [
            format!("{TEXT}\n{many}"),
            format!("{long}\n\n{LINE}"),
            format!("{TEXT}{LINE}"),
            format!("\n{LINE}"),
            "\n\n".to_owned(),
        ] {
            assert!(key.open(&note).is_err(), "{note}");
        }
    }
}
