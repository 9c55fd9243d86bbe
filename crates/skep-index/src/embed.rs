//! Texts to vectors: the port, and the embedder that is built in.

use crate::IndexError;
use crate::codec::Reader;
use crate::wordpiece::WordPieces;

/// Where vectors come from.
pub trait Embedder: Send + Sync {
    /// Names the model and its version: vectors of different names are not comparable.
    fn model_id(&self) -> &str;
    /// How many components a vector has.
    fn dim(&self) -> usize;
    /// The vector of a text: of length one, or zeros for a text without a known word.
    fn embed(&self, text: &str) -> Vec<f32>;
}

/// The weights of the built-in model; `model/README.md` says where they come from.
static WEIGHTS: &[u8] = include_bytes!("../model/skep-static-256.bin");

/// What the file of weights begins with.
const MAGIC: &[u8] = b"SKEPEMB1";

/// The name of the built-in model. Its number counts up with every change of weights or splitting.
const MODEL_ID: &str = "skep-static-256/1";

/// One vector per word piece, distilled from a sentence encoder; a text is the sum of its pieces.
pub struct StaticEmbedder {
    pieces: WordPieces,
    dim: usize,
    /// What one step of a row's codes is worth.
    scales: Vec<f32>,
    /// `dim` codes, as bytes, for each piece.
    rows: &'static [u8],
}

impl StaticEmbedder {
    /// The model that comes with the program.
    ///
    /// # Panics
    ///
    /// Never: the bytes that it reads are part of the program.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "the bytes are part of the program; a test reads them"
    )]
    pub fn built_in() -> Self {
        Self::from_bytes(WEIGHTS).expect("the built-in weights are sound")
    }

    /// Reads a file of weights: `MAGIC`, the number of pieces and of components (`u32`,
    /// little-endian); each piece as one byte of length and its text; one scale per piece
    /// (`f32`); one row of signed bytes per piece.
    pub fn from_bytes(bytes: &'static [u8]) -> Result<Self, IndexError> {
        let mut reader = Reader::new(bytes);
        if reader.take(MAGIC.len())? != MAGIC {
            return Err(IndexError::Outdated("not a file of weights"));
        }
        let (count, dim) = (reader.u32()? as usize, reader.u32()? as usize);
        let mut words = Vec::with_capacity(count.min(bytes.len()));
        for _ in 0..count {
            let length = reader.u8()?;
            words.push(reader.text(length.into())?);
        }
        let scales = reader.f32s(count)?;
        let size = count
            .checked_mul(dim)
            .ok_or(IndexError::Damaged("weights"))?;
        let rows = reader.take(size)?;
        reader.finish()?;
        let pieces = WordPieces::new(words.into_iter());
        Ok(Self {
            pieces,
            dim,
            scales,
            rows,
        })
    }
}

impl Embedder for StaticEmbedder {
    fn model_id(&self) -> &str {
        MODEL_ID
    }

    fn dim(&self) -> usize {
        self.dim
    }

    fn embed(&self, text: &str) -> Vec<f32> {
        let mut sum = vec![0.0f32; self.dim];
        for piece in self.pieces.split(text) {
            let scale = self.scales[piece as usize];
            let row = &self.rows[piece as usize * self.dim..][..self.dim];
            for (sum, code) in sum.iter_mut().zip(row) {
                *sum += scale * f32::from(code.cast_signed());
            }
        }
        let norm = sum.iter().map(|x| x * x).sum::<f32>().sqrt();
        if norm.is_normal() {
            for x in &mut sum {
                *x /= norm;
            }
        }
        sum
    }
}
