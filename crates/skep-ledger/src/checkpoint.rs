//! The head of a log as C2SP `tlog-checkpoint` writes it: a line with the log's name, one with its size, one with
//! its root. The log's name is the name of the key that signs it.

use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha256};

use crate::note::{NoteError, VerifierKey};
use crate::{Hash, Log, digits, id_text};

/// The head of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name.
    pub origin: String,
    /// Its leaves.
    pub size: u64,
    /// Their root.
    pub root: Hash,
}

impl Checkpoint {
    /// The text that is signed.
    #[must_use]
    pub fn text(&self) -> String {
        let root = Base64::encode_string(&self.root);
        format!("{}\n{}\n{root}\n", self.origin, self.size)
    }

    /// Reads a checkpoint that the log's own key has signed. Further lines of the text, which others may add
    /// a meaning to, are passed over.
    ///
    /// # Errors
    /// [`NoteError`]; also for a checkpoint of another log.
    pub fn open(note: &str, key: &VerifierKey) -> Result<Self, NoteError> {
        let checkpoint = Self::parse(key.open(note)?).ok_or(NoteError::Malformed)?;
        if checkpoint.origin == key.name() {
            Ok(checkpoint)
        } else {
            Err(NoteError::Unsigned)
        }
    }

    /// The name of the log that a note speaks of, whoever signed it.
    #[must_use]
    pub fn origin_of(note: &str) -> &str {
        note.lines().next().unwrap_or("")
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let digits = size.bytes().all(|byte| byte.is_ascii_digit());
        let is_plain = digits && (size == "0" || !size.starts_with('0'));
        let root = Base64::decode_vec(root).ok()?;
        (is_plain && !origin.is_empty()).then_some(())?;
        Some(Self {
            origin: origin.to_owned(),
            size: size.parse().ok()?,
            root: root.try_into().ok()?,
        })
    }
}

/// The name of a log: `skep/`, the installation by its key, whose log, which.
#[must_use]
pub fn origin(public: &[u8; 32], organization: [u8; 16], log: Log) -> String {
    let hash = Sha256::digest(public);
    let installation = digits(&hash[..8]);
    format!("skep/{installation}/{}/{log}", id_text(organization))
}
