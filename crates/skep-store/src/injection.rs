//! What was put in front of a model, as it is given to the store and read back.

use skep_domain::{InjectionId, MemoryId, Moment, SessionId, Timestamp};

use crate::StoreError;
use crate::body::{BodyReader, BodyWriter};

/// An injection to record.
#[derive(Clone, Debug)]
pub struct NewInjection {
    /// Its id.
    pub id: InjectionId,
    /// Into which session.
    pub session: SessionId,
    /// When.
    pub at: Timestamp,
    /// On which occasion.
    pub moment: Moment,
    /// What is sealed.
    pub body: InjectionBody,
    /// The memories in it, in order, each with what it scored.
    pub items: Vec<InjectedItem>,
}

/// What is sealed of an injection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InjectionBody {
    /// The exact bytes.
    pub text: String,
    /// What was asked, redacted; empty at a session's start.
    pub query: String,
    /// What a memory had to reach.
    pub floor: f32,
    /// Where in a conversation that comes whole with each call it was put: the keyed digest of what was said up to
    /// there. Empty where the harness keeps what it was given.
    pub anchor: String,
}

/// One memory of an injection.
#[derive(Clone, Debug, PartialEq)]
pub struct InjectedItem {
    /// Which memory.
    pub memory: MemoryId,
    /// Its scores by name; a name has no white space.
    pub scores: Vec<(String, f32)>,
}

/// An injection as it is read.
#[derive(Clone, Debug)]
pub struct Injection {
    /// Its id.
    pub id: InjectionId,
    /// Into which session.
    pub session: SessionId,
    /// Place among the session's, from 0.
    pub ordinal: u64,
    /// When.
    pub at: Timestamp,
    /// On which occasion.
    pub moment: Moment,
    /// Its content; `None` where it holds a memory that the reader may not see, or no longer.
    pub content: Option<(InjectionBody, Vec<InjectedItem>)>,
}

const DAMAGED: StoreError = StoreError::Damaged("the scores of an injection");

impl InjectionBody {
    pub(crate) fn to_bytes(&self, items: &[InjectedItem]) -> Vec<u8> {
        let scores: Vec<String> = items.iter().map(|item| written(&item.scores)).collect();
        let written = BodyWriter::default()
            .text(&self.text)
            .text(&self.query)
            .text(&self.floor.to_string())
            .texts(&scores);
        if self.anchor.is_empty() {
            // As it was before there were anchors.
            return written.finish();
        }
        written.text(&self.anchor).finish()
    }

    pub(crate) fn from_bytes(
        bytes: &[u8],
        memories: &[MemoryId],
    ) -> Result<(Self, Vec<InjectedItem>), StoreError> {
        let mut reader = BodyReader(bytes);
        let mut body = Self {
            text: reader.text()?,
            query: reader.text()?,
            floor: reader.text()?.parse().map_err(|_| DAMAGED)?,
            anchor: String::new(),
        };
        let scores = reader.texts()?;
        if !reader.0.is_empty() {
            body.anchor = reader.text()?;
        }
        reader.end()?;
        if scores.len() != memories.len() {
            return Err(DAMAGED);
        }
        let items = memories.iter().zip(&scores).map(|(memory, scores)| {
            Ok(InjectedItem {
                memory: *memory,
                scores: read(scores)?,
            })
        });
        Ok((body, items.collect::<Result<_, StoreError>>()?))
    }
}

/// `lexical 1.5 vector 0.25`: a number is written so that it reads back exactly.
fn written(scores: &[(String, f32)]) -> String {
    let words: Vec<String> = scores
        .iter()
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    words.join(" ")
}

fn read(text: &str) -> Result<Vec<(String, f32)>, StoreError> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let pairs = words.chunks(2).map(|pair| match pair {
        [name, value] => Ok(((*name).to_owned(), value.parse().map_err(|_| DAMAGED)?)),
        _ => Err(DAMAGED),
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::{InjectedItem, InjectionBody};
    use proptest::prelude::{any, prop_assert_eq, proptest};
    use skep_domain::{Id, MemoryId};

    proptest! {
        #[test]
        fn bodies_read_back(text in ".{0,80}", query in ".{0,40}", anchor in "[0-9a-f]{0,32}", scores in proptest::collection::vec(-9e9_f32..9e9, 0..4)) {
            let memory = MemoryId::from_bytes([7; 16]);
            let body = InjectionBody { text, query, floor: 0.3, anchor };
            let scores = scores.into_iter().map(|score| ("vector".to_owned(), score)).collect();
            let items = vec![InjectedItem { memory, scores }];
            let read = InjectionBody::from_bytes(&body.to_bytes(&items), &[memory]).unwrap();
            prop_assert_eq!(read, (body, items));
        }

        #[test]
        fn any_bytes_are_a_body_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = InjectionBody::from_bytes(&bytes, &[]);
        }
    }
}
