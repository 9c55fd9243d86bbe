//! The bytes inside sealed columns: fields in a fixed order, each with its length in front.

use skep_domain::{DerivedBy, FilePath};

use crate::StoreError;
use crate::value::MemoryBody;

const DAMAGED: StoreError =
    StoreError::Damaged("a sealed body is not in the form it was written in");

/// Writes fields one after the other.
#[derive(Default)]
pub(crate) struct BodyWriter(Vec<u8>);

impl BodyWriter {
    pub(crate) fn text(mut self, text: &str) -> Self {
        self.0.extend_from_slice(&(text.len() as u32).to_le_bytes());
        self.0.extend_from_slice(text.as_bytes());
        self
    }

    pub(crate) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0
            .extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn option(self, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.texts(&[text]),
            None => self.texts::<&str>(&[]),
        }
    }

    pub(crate) fn texts<T: AsRef<str>>(mut self, texts: &[T]) -> Self {
        self.0
            .extend_from_slice(&(texts.len() as u32).to_le_bytes());
        texts
            .iter()
            .fold(self, |writer, text| writer.text(text.as_ref()))
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Reads them back, trusting no length.
pub(crate) struct BodyReader<'a>(pub(crate) &'a [u8]);

impl BodyReader<'_> {
    fn length(&mut self) -> Result<usize, StoreError> {
        let (length, rest) = self.0.split_first_chunk().ok_or(DAMAGED)?;
        self.0 = rest;
        Ok(u32::from_le_bytes(*length) as usize)
    }

    pub(crate) fn text(&mut self) -> Result<String, StoreError> {
        String::from_utf8(self.bytes()?).map_err(|_| DAMAGED)
    }

    pub(crate) fn bytes(&mut self) -> Result<Vec<u8>, StoreError> {
        let length = self.length()?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(DAMAGED)?;
        self.0 = rest;
        Ok(bytes.to_vec())
    }

    pub(crate) fn texts(&mut self) -> Result<Vec<String>, StoreError> {
        let count = self.length()?;
        // Each text takes four bytes at least, so a count beyond that is not one we wrote.
        if count > self.0.len() / 4 {
            return Err(DAMAGED);
        }
        (0..count).map(|_| self.text()).collect()
    }

    pub(crate) fn option(&mut self) -> Result<Option<String>, StoreError> {
        let mut texts = self.texts()?;
        if texts.len() > 1 {
            Err(DAMAGED)
        } else {
            Ok(texts.pop())
        }
    }

    /// Whether nothing follows: an older body ends earlier.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn end(self) -> Result<(), StoreError> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(DAMAGED)
        }
    }
}

impl MemoryBody {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let body = BodyWriter::default()
            .text(&self.key)
            .text(&self.text)
            .texts(&self.entities)
            .texts(&self.references)
            .text(self.derived_by.as_str());
        // Only a file's goes on: every other body is what earlier versions wrote and read.
        match &self.path {
            Some(path) => body.text(path.as_str()).finish(),
            None => body.finish(),
        }
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, StoreError> {
        let mut reader = BodyReader(bytes);
        let mut body = Self {
            key: reader.text()?,
            text: reader.text()?,
            entities: reader.texts()?,
            references: reader.texts()?,
            derived_by: DerivedBy::parse(&reader.text()?).ok_or(DAMAGED)?,
            path: None,
        };
        if !reader.is_empty() {
            body.path = Some(FilePath::parse(&reader.text()?).map_err(|_| DAMAGED)?);
        }
        reader.end()?;
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use super::MemoryBody;
    use proptest::prelude::{any, prop_assert_eq, proptest};
    use skep_domain::{DerivedBy, FilePath};

    proptest! {
        #[test]
        fn bodies_read_back(key in ".{0,40}", text in ".{0,200}", entities in proptest::collection::vec(".{0,9}", 0..4), path in proptest::option::of("/memories/[a-z]{1,9}")) {
            let path = path.map(|path| FilePath::parse(&path).unwrap());
            let body = MemoryBody { key, text, entities, references: vec!["r".into()], derived_by: DerivedBy::Model, path };
            prop_assert_eq!(MemoryBody::from_bytes(&body.to_bytes()).unwrap(), body);
        }

        #[test]
        fn any_bytes_are_a_body_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(body) = MemoryBody::from_bytes(&bytes) {
                prop_assert_eq!(body.to_bytes(), bytes);
            }
        }
    }
}
