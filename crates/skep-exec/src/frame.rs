//! How a plan travels to the launcher, and its reports back: lengths and bytes over a socket.

use std::io::{self, Read};

use zeroize::Zeroizing;

/// No plan is larger.
const MAX_FRAME: usize = 16 << 20;

/// Writes a frame into memory that is never moved, so that no unwiped copy is left.
pub(crate) struct Writer {
    bytes: Zeroizing<Vec<u8>>,
}

impl Writer {
    /// Room for so many bytes, which must be enough: see [`Writer::frame`].
    pub(crate) fn new(room: usize) -> Self {
        let mut bytes = Zeroizing::new(Vec::with_capacity(room + 4));
        bytes.extend_from_slice(&[0; 4]);
        Self { bytes }
    }

    pub(crate) fn number(&mut self, number: u64) {
        self.bytes.extend_from_slice(&number.to_le_bytes());
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn list<'a>(&mut self, list: impl ExactSizeIterator<Item = &'a [u8]>) {
        self.number(list.len() as u64);
        for bytes in list {
            self.bytes(bytes);
        }
    }

    /// The whole frame.
    pub(crate) fn frame(mut self) -> Zeroizing<Vec<u8>> {
        let len = (self.bytes.len() - 4) as u32;
        self.bytes[..4].copy_from_slice(&len.to_le_bytes());
        self.bytes
    }
}

/// Reads what a [`Writer`] wrote.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Self {
        Self { rest: body }
    }

    pub(crate) fn number(&mut self) -> io::Result<u64> {
        let (number, rest) = self.rest.split_first_chunk().ok_or_else(cut)?;
        self.rest = rest;
        Ok(u64::from_le_bytes(*number))
    }

    pub(crate) fn bytes(&mut self) -> io::Result<&'a [u8]> {
        let len = usize::try_from(self.number()?).map_err(|_| cut())?;
        let (bytes, rest) = self.rest.split_at_checked(len).ok_or_else(cut)?;
        self.rest = rest;
        Ok(bytes)
    }

    pub(crate) fn list(&mut self) -> io::Result<Vec<&'a [u8]>> {
        let len = self.number()?;
        (0..len).map(|_| self.bytes()).collect()
    }
}

/// Reads one frame and not a byte more.
pub(crate) fn read(from: &mut impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut len = [0; 4];
    from.read_exact(&mut len)?;
    let len = u32::from_le_bytes(len) as usize;
    if len > MAX_FRAME {
        return Err(cut());
    }
    let mut body = Zeroizing::new(vec![0; len]);
    from.read_exact(&mut body)?;
    Ok(body)
}

fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "not a frame of this version")
}

#[cfg(test)]
mod tests {
    use super::{Reader, Writer, read};

    #[test]
    fn what_was_written_is_read_and_nothing_more() {
        let mut writer = Writer::new(64);
        writer.number(7);
        writer.bytes(b"value");
        writer.list([b"a".as_slice(), b""].into_iter());
        let frame = writer.frame();
        let mut stream = [frame.as_slice(), b"next"].concat();
        let mut stream = stream.as_mut_slice() as &[u8];
        let body = read(&mut stream).unwrap();
        assert_eq!(stream, b"next");
        let mut reader = Reader::new(&body);
        assert_eq!(reader.number().unwrap(), 7);
        assert_eq!(reader.bytes().unwrap(), b"value");
        assert_eq!(reader.list().unwrap(), [b"a".as_slice(), b""]);
        assert!(reader.number().is_err());
    }

    #[test]
    fn a_frame_that_lies_about_its_length_is_refused() {
        assert!(read(&mut u32::MAX.to_le_bytes().as_slice()).is_err());
        let mut reader = Reader::new(&[255; 16]);
        assert!(reader.bytes().is_err());
    }
}
