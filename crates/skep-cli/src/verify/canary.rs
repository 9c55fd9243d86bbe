//! A secret that is nobody's, made to be looked for.

use skep_api::vault::Confidential;

use super::reader::longest_run;
use super::undo;

/// What it begins with, so that whoever finds it knows what it is.
const BEGINS: &str = "cny_";
const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// So many letters in a row are no chance, and fewer are what redaction lets stand.
pub(super) const TELLING: usize = 8;

/// One, drawn anew for each run.
pub(super) struct Canary(Confidential);

impl Canary {
    pub(super) fn draw() -> std::io::Result<Self> {
        let mut text = BEGINS.to_owned();
        for _ in 0..2 {
            let letters = skep_client::nonce()?;
            text.extend(letters.map(|byte| char::from(LETTERS[usize::from(byte) % LETTERS.len()])));
        }
        Ok(Self(Confidential::new(text)))
    }

    pub(super) fn value(&self) -> &Confidential {
        &self.0
    }

    pub(super) fn text(&self) -> &str {
        self.0.expose()
    }

    /// How much of it whoever knows every writing of the tables gets out of this: letters in a row.
    pub(super) fn recovered(&self, shown: &[u8]) -> usize {
        let found = undo::every(shown).into_iter();
        let most = found.map(|back| longest_run(&back, self.text().as_bytes()));
        most.max().unwrap_or(0)
    }

    /// Pieces of it in the writings that a file or a log may hold without anybody meaning to hide it.
    pub(super) fn traces(&self) -> Vec<Vec<u8>> {
        let mut pieces = Vec::new();
        for written in undo::common_writings(self.text().as_bytes()) {
            let piece = written.len().min(14);
            let middle = (written.len() - piece) / 2;
            for start in [0, middle, written.len() - piece] {
                pieces.push(written[start..start + piece].to_vec());
            }
        }
        pieces
    }
}
