//! The elements of the arrays in a JSON document of any length, one at a time: a bare array, or an object whose
//! fields hold arrays. Nothing is held but a block and an element, and one that is damaged, or too long, does not
//! keep the next from being read.

use std::fmt;
use std::io::{self, Read};

/// Bytes read at once.
const BLOCK: usize = 256 << 10;
/// Bytes of a field's name.
const NAME: usize = 1 << 10;
/// An element that nests deeper is damaged.
const DEPTH: usize = 128;

/// One element.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    /// The field of the array that it stands in; none of a bare array.
    pub(crate) field: Option<&'a str>,
    /// Counted from one over the whole document.
    pub(crate) number: u64,
    /// Its bytes; none if it is longer than the limit.
    pub(crate) bytes: Option<&'a [u8]>,
    /// Bytes of the document up to its end.
    pub(crate) end: u64,
}

/// Why there are no more elements although the document goes on.
#[derive(Debug)]
pub(crate) enum Broken {
    /// It cannot be read.
    Io(io::Error),
    /// At this byte it is no such document.
    Shape(u64, &'static str),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Shape(at, why) => write!(f, "at byte {at}: {why}"),
        }
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Where in the document the next byte stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    /// In an object, before a name or its end; `true` after a comma.
    Object(bool),
    /// In an array, before an element or its end; `true` after a comma.
    Array(bool),
    End,
}

/// Reads a document.
pub(crate) struct Elements<R> {
    source: R,
    limit: usize,
    block: Box<[u8]>,
    start: usize,
    filled: usize,
    offset: u64,
    place: Place,
    in_object: bool,
    field: String,
    held: Vec<u8>,
    number: u64,
}

impl<R: Read> Elements<R> {
    pub(crate) fn new(source: R, limit: usize) -> Self {
        Self {
            source,
            limit,
            block: vec![0; BLOCK].into_boxed_slice(),
            start: 0,
            filled: 0,
            offset: 0,
            place: Place::Start,
            in_object: false,
            field: String::new(),
            held: Vec::new(),
            number: 0,
        }
    }

    /// The next element; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Element<'_>>, Broken> {
        loop {
            match self.place {
                Place::Start => self.begin()?,
                Place::Object(after_comma) => self.member(after_comma)?,
                Place::Array(after_comma) => {
                    if self.element(after_comma)? {
                        let is_whole = self.held.len() <= self.limit;
                        return Ok(Some(Element {
                            field: self.in_object.then_some(self.field.as_str()),
                            number: self.number,
                            bytes: is_whole.then_some(self.held.as_slice()),
                            end: self.offset,
                        }));
                    }
                }
                Place::End => {
                    return match self.peek_solid()? {
                        None => Ok(None),
                        Some(_) => Err(self.broken("something follows the document")),
                    };
                }
            }
        }
    }

    fn begin(&mut self) -> Result<(), Broken> {
        if self.peek()? == Some(0xef) {
            for expected in [0xef, 0xbb, 0xbf] {
                if self.byte()? != Some(expected) {
                    return Err(self.broken("neither an array nor an object of JSON"));
                }
            }
        }
        self.place = match self.solid()? {
            Some(b'[') => Place::Array(false),
            Some(b'{') => {
                self.in_object = true;
                Place::Object(false)
            }
            _ => return Err(self.broken("neither an array nor an object of JSON")),
        };
        Ok(())
    }

    /// A field of the object: an array is entered, anything else passed over.
    fn member(&mut self, after_comma: bool) -> Result<(), Broken> {
        match self.solid()? {
            Some(b'}') if !after_comma => {
                self.place = Place::End;
                return Ok(());
            }
            Some(b'"') => {}
            _ => return Err(self.broken("expected the name of a field")),
        }
        self.held.clear();
        self.held.push(b'"');
        self.string(NAME)?;
        let name: Option<String> = serde_json::from_slice(&self.held).ok();
        self.field = name.ok_or_else(|| self.broken("the name of a field is damaged"))?;
        if self.solid()? != Some(b':') {
            return Err(self.broken("expected a colon"));
        }
        if self.peek_solid()? == Some(b'[') {
            self.byte()?;
            self.place = Place::Array(false);
            return Ok(());
        }
        self.value(0)?;
        self.separator(b'}', Place::Object(true), Place::End)
    }

    /// `false` at the end of the array.
    fn element(&mut self, after_comma: bool) -> Result<bool, Broken> {
        let after = if self.in_object {
            Place::Object(true)
        } else {
            Place::End
        };
        if self.peek_solid()? == Some(b']') && !after_comma {
            self.byte()?;
            if self.in_object {
                self.separator(b'}', after, Place::End)?;
            } else {
                self.place = after;
            }
            return Ok(false);
        }
        self.value(self.limit)?;
        self.number += 1;
        match self.solid()? {
            Some(b',') => self.place = Place::Array(true),
            Some(b']') if self.in_object => self.separator(b'}', after, Place::End)?,
            Some(b']') => self.place = after,
            _ => return Err(self.broken("expected a comma or the end of the array")),
        }
        Ok(true)
    }

    /// A comma, after which it goes on, or the end.
    fn separator(&mut self, end: u8, more: Place, done: Place) -> Result<(), Broken> {
        self.place = match self.solid()? {
            Some(b',') => more,
            Some(byte) if byte == end => done,
            _ => return Err(self.broken("expected a comma or the end")),
        };
        Ok(())
    }

    /// One value of any kind into `held`, of which one byte more than the limit is kept at most.
    fn value(&mut self, limit: usize) -> Result<(), Broken> {
        self.held.clear();
        self.held.shrink_to(BLOCK);
        let Some(first) = self.solid()? else {
            return Err(self.broken("the document is cut off"));
        };
        match first {
            b'"' => {
                self.hold(first, limit);
                self.string(limit)
            }
            b'{' | b'[' => {
                self.hold(first, limit);
                self.nested(limit)
            }
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => {
                self.hold(first, limit);
                while let Some(byte) = self.peek()? {
                    if !byte.is_ascii_alphanumeric() && !b"+-.".contains(&byte) {
                        break;
                    }
                    self.byte()?;
                    self.hold(byte, limit);
                }
                Ok(())
            }
            _ => Err(self.broken("expected a value")),
        }
    }

    /// The rest of an object or an array.
    fn nested(&mut self, limit: usize) -> Result<(), Broken> {
        let mut depth = 1;
        while depth > 0 {
            let Some(byte) = self.byte()? else {
                return Err(self.broken("the document is cut off"));
            };
            self.hold(byte, limit);
            match byte {
                b'"' => self.string(limit)?,
                b'{' | b'[' if depth == DEPTH => return Err(self.broken("nested too deeply")),
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
        }
        Ok(())
    }

    /// The rest of a string.
    fn string(&mut self, limit: usize) -> Result<(), Broken> {
        let mut escaped = false;
        loop {
            let Some(byte) = self.byte()? else {
                return Err(self.broken("the document is cut off"));
            };
            self.hold(byte, limit);
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => return Ok(()),
                _ => {}
            }
        }
    }

    fn hold(&mut self, byte: u8, limit: usize) {
        if self.held.len() <= limit {
            self.held.push(byte);
        }
    }

    /// The next byte that is no space, taken.
    fn solid(&mut self) -> Result<Option<u8>, Broken> {
        self.peek_solid()?;
        self.byte()
    }

    fn peek_solid(&mut self) -> Result<Option<u8>, Broken> {
        while let Some(byte) = self.peek()? {
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Ok(Some(byte));
            }
            self.byte()?;
        }
        Ok(None)
    }

    fn byte(&mut self) -> Result<Option<u8>, Broken> {
        let byte = self.peek()?;
        if byte.is_some() {
            self.start += 1;
            self.offset += 1;
        }
        Ok(byte)
    }

    fn peek(&mut self) -> Result<Option<u8>, Broken> {
        if self.start == self.filled {
            self.start = 0;
            self.filled = loop {
                match self.source.read(&mut self.block) {
                    Ok(read) => break read,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error.into()),
                }
            };
        }
        Ok(self.block[..self.filled].get(self.start).copied())
    }

    fn broken(&self, why: &'static str) -> Broken {
        Broken::Shape(self.offset, why)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use proptest::prelude::{any, prop_assert_eq, proptest};
    use serde_json::{Value, json};

    use super::Elements;

    /// The field that an element stands in, and what it is.
    type Found = (Option<String>, Option<Value>);

    fn read(text: &str) -> (Vec<Found>, Option<String>) {
        let mut elements = Elements::new(text.as_bytes(), 200);
        let mut found = Vec::new();
        loop {
            match elements.next() {
                Ok(None) => return (found, None),
                Ok(Some(element)) => {
                    let value = element
                        .bytes
                        .map(|bytes| serde_json::from_slice(bytes).unwrap());
                    found.push((element.field.map(str::to_owned), value));
                }
                Err(broken) => return (found, Some(broken.to_string())),
            }
        }
    }

    #[test]
    fn arrays_are_found_bare_and_in_objects() {
        let text = r#" {"count": 2, "next": null, "o": {"results": [9]}, "results": [ {"a": "]\"}"}, [1,[2]], -1.5e3 ],
            "s": "x", "more": [], "last": [true] } "#;
        let (found, broken) = read(text);
        assert_eq!(broken, None);
        let results = Some("results".to_owned());
        assert_eq!(
            found,
            [
                (results.clone(), Some(json!({ "a": "]\"}" }))),
                (results.clone(), Some(json!([1, [2]]))),
                (results, Some(json!(-1.5e3))),
                (Some("last".into()), Some(json!(true))),
            ]
        );
        assert_eq!(read("\u{feff}[1 , 2]").0.len(), 2);
        assert_eq!(read("[]"), (vec![], None));
        assert_eq!(read("{}"), (vec![], None));
    }

    #[test]
    fn n12_what_is_too_long_is_passed_over_and_what_is_cut_is_said() {
        let long = format!("[1, \"{}\", 3]", "x".repeat(10_000_000));
        let (found, broken) = read(&long);
        assert_eq!((found.len(), broken), (3, None));
        assert!(found[1].1.is_none() && found[2].1 == Some(json!(3)));
        for (text, whole, why) in [
            ("", 0, "at byte 0"),
            ("nonsense", 0, "neither an array nor an object"),
            ("[1, {\"a\": 2", 1, "cut off"),
            ("[1, 2", 1, "expected a comma"),
            ("[1,]", 1, "expected a value"),
            ("[1] x", 1, "follows the document"),
            ("{\"a\": [1], \"b\"", 1, "expected a colon"),
            (&format!("[{}", "[".repeat(100_000)), 0, "nested too deeply"),
        ] {
            let (found, broken) = read(text);
            assert_eq!(found.len(), whole, "{text:.40}");
            assert!(
                broken.as_ref().is_some_and(|broken| broken.contains(why)),
                "{text:.40}: {broken:?}"
            );
        }
    }

    /// One byte at a time: every border of a block falls everywhere.
    struct Slowly<'a>(&'a [u8]);
    impl Read for Slowly<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = self.0.len().min(1).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    proptest! {
        #[test]
        fn elements_are_those_of_a_whole_reader(texts in proptest::collection::vec(any::<String>(), 0..8)) {
            let values: Vec<Value> = texts.iter().map(|text| json!({ text.as_str(): [text, 1, null] })).collect();
            let text = serde_json::to_string(&values).unwrap();
            let mut elements = Elements::new(Slowly(text.as_bytes()), 1 << 20);
            let mut found = Vec::new();
            while let Some(element) = elements.next().unwrap() {
                found.push(serde_json::from_slice::<Value>(element.bytes.unwrap()).unwrap());
            }
            prop_assert_eq!(found, values);
        }

        #[test]
        fn n19_any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut elements = Elements::new(&bytes[..], 50);
            while let Ok(Some(_)) = elements.next() {}
        }
    }
}
