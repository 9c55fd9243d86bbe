//! Texts to vectors: the port, and the embedders that are built in.

use crate::IndexError;
use crate::codec::Reader;
use crate::transformer::{HIDDEN, Linear, Rows, Transformer, unit};
use crate::wordpiece::WordPieces;

/// Where vectors come from.
pub trait Embedder: Send + Sync {
    /// Names the model and its version: vectors of different names are not comparable.
    fn model_id(&self) -> &str;
    /// How many components a vector has.
    fn dim(&self) -> usize;
    /// The vector of a text: of length one, or zeros for a text without a known word.
    fn embed(&self, text: &str) -> Vec<f32>;
    /// A vector near to that of [`Self::embed`], at once: what stands in for it until it is made.
    fn draft(&self, text: &str) -> Vec<f32> {
        self.embed(text)
    }
}

/// The weights of the built-in models; `model/README.md` says where they come from.
static WEIGHTS: &[u8] = include_bytes!("../model/skep-sentence-384.bin");

/// What the file of weights begins with.
const MAGIC: &[u8] = b"SKEPENC1";

/// The names of the built-in models. Their numbers count up with every change of weights or
/// splitting.
const SENTENCE_ID: &str = "skep-sentence-384/1";
const STATIC_ID: &str = "skep-static-384/1";

/// The pieces before and after every text that the encoder reads.
const BEGIN: u32 = 101;
const END: u32 = 102;

/// Pieces that the encoder reads at a time: with the two around them, as many as it was trained on.
const CHUNK: usize = 126;

/// Pieces of a text that the encoder reads at all: the cost of a memory has a bound.
const READ: usize = 2 * CHUNK;

/// A sentence encoder; the vector of a text is the mean over its pieces in context.
pub struct SentenceEmbedder {
    words: StaticEmbedder,
    encoder: Transformer,
}

/// The encoder's vectors of single pieces, added up and mapped to where the encoder would put the
/// text: a hundred times as fast, and a draft of it.
pub struct StaticEmbedder {
    pieces: WordPieces,
    words: Rows,
    map: Linear,
}

impl SentenceEmbedder {
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

    /// Reads a file of weights: the word vectors, then the encoder.
    pub fn from_bytes(bytes: &'static [u8]) -> Result<Self, IndexError> {
        let mut reader = Reader::new(bytes);
        let words = StaticEmbedder::read(&mut reader)?;
        let encoder = Transformer::read(&mut reader)?;
        reader.finish()?;
        Ok(Self { words, encoder })
    }
}

impl Embedder for SentenceEmbedder {
    fn model_id(&self) -> &str {
        SENTENCE_ID
    }

    fn dim(&self) -> usize {
        HIDDEN
    }

    fn embed(&self, text: &str) -> Vec<f32> {
        let pieces = self.words.pieces.split(text, READ);
        let mut sum = vec![0.0; HIDDEN];
        for chunk in pieces.chunks(CHUNK) {
            let row = [&[BEGIN], chunk, &[END]].concat();
            let states = self.encoder.sum(&self.words.words, &row);
            for (sum, x) in sum.iter_mut().zip(states) {
                *sum += x;
            }
        }
        unit(sum)
    }

    fn draft(&self, text: &str) -> Vec<f32> {
        self.words.embed(text)
    }
}

impl StaticEmbedder {
    /// The draft of the model that comes with the program, by itself.
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
        Self::read(&mut Reader::new(WEIGHTS)).expect("the built-in weights are sound")
    }

    /// Takes off the front of a file: `MAGIC`, the number of pieces (`u32`, little-endian), each
    /// piece as one byte of length and its text, a row for each, the map.
    fn read(reader: &mut Reader<'static>) -> Result<Self, IndexError> {
        if reader.take(MAGIC.len())? != MAGIC {
            return Err(IndexError::Outdated("not a file of weights"));
        }
        let count = reader.u32()? as usize;
        let mut words = Vec::new();
        for _ in 0..count {
            let length = reader.u8()?;
            words.push(reader.text(length.into())?);
        }
        Ok(Self {
            pieces: WordPieces::new(words.into_iter()),
            words: Rows::read(reader, count, HIDDEN)?,
            map: Linear::read(reader, HIDDEN, HIDDEN)?,
        })
    }
}

impl Embedder for StaticEmbedder {
    fn model_id(&self) -> &str {
        STATIC_ID
    }

    fn dim(&self) -> usize {
        HIDDEN
    }

    fn embed(&self, text: &str) -> Vec<f32> {
        let mut sum = vec![0.0; HIDDEN];
        for piece in self.pieces.split(text, usize::MAX) {
            self.words.add_to(piece as usize, weight(piece), &mut sum);
        }
        let sum = unit(sum);
        if sum.iter().all(|x| *x == 0.0) {
            return sum;
        }
        unit(self.map.apply(&sum))
    }
}

/// What a piece counts for: `a / (a + p)` (S. Arora, Y. Liang, T. Ma: "A Simple but Tough-to-Beat
/// Baseline for Sentence Embeddings", 2017), where `p` is the share that Zipf's law gives the
/// piece by its rank. The vocabulary is in the order of frequency from its 999th piece on.
fn weight(piece: u32) -> f32 {
    const FIRST: u32 = 998;
    const SMOOTHING: f32 = 1e-4;
    /// The sum of 1 / (rank + 1) over the vocabulary, its first thousand places being of rank one.
    const ALL: f32 = 509.37;
    let rank = piece.saturating_sub(FIRST).max(1) as f32;
    SMOOTHING / (SMOOTHING + 1.0 / ((rank + 1.0) * ALL))
}
