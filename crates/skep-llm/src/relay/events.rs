//! A stream of server-sent events cut where events end, within a bound, without copying what came whole.

use bytes::{Bytes, BytesMut};
use memchr::{memchr, memmem};

/// Bytes of one event. The largest are whole arguments of a tool, or an image.
const EVENT: usize = 8 << 20;

/// What has come of a stream and is not yet a whole event.
#[derive(Debug, Default)]
pub struct Events {
    held: BytesMut,
}

/// An event that does not end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event is longer than 8 MiB")]
pub struct TooLong;

impl Events {
    /// Takes what came, and gives all events that are whole now, as they stood.
    ///
    /// # Errors
    /// [`TooLong`].
    pub fn push(&mut self, mut came: Bytes) -> Result<Option<Bytes>, TooLong> {
        if self.held.is_empty() {
            let Some(end) = last_end(&came) else {
                return self.keep(&came).map(|()| None);
            };
            let rest = came.split_off(end);
            self.keep(&rest)?;
            return Ok(Some(came));
        }
        // An end may lie across the seam, so what is held is looked at with what came.
        let seam = self.held.len().saturating_sub(3);
        self.held.extend_from_slice(&came);
        let Some(end) = last_end(&self.held[seam..]) else {
            return if self.held.len() > EVENT {
                Err(TooLong)
            } else {
                Ok(None)
            };
        };
        Ok(Some(self.held.split_to(seam + end).freeze()))
    }

    /// What is left when the stream is over: an event that was never ended.
    #[must_use]
    pub fn rest(&mut self) -> Bytes {
        self.held.split().freeze()
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        if bytes.len() > EVENT {
            return Err(TooLong);
        }
        self.held.extend_from_slice(bytes);
        Ok(())
    }
}

/// Behind the last event that is whole.
fn last_end(bytes: &[u8]) -> Option<usize> {
    let plain = memmem::rfind(bytes, b"\n\n").map(|at| at + 2);
    let with_returns = memmem::rfind(bytes, b"\r\n\r\n").map(|at| at + 4);
    plain.max(with_returns)
}

/// Behind the first event that is whole.
fn first_end(bytes: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = memchr(b'\n', &bytes[from..]) {
        let next = from + at + 1;
        if bytes.get(next) == Some(&b'\n') {
            return Some(next + 1);
        }
        if bytes[next..].starts_with(b"\r\n") {
            return Some(next + 2);
        }
        from = next;
    }
    None
}

/// The events of a piece that holds whole ones, each as it stands.
pub(super) fn each(mut whole: Bytes) -> impl Iterator<Item = Bytes> {
    std::iter::from_fn(move || {
        if whole.is_empty() {
            return None;
        }
        let end = first_end(&whole).unwrap_or(whole.len());
        Some(whole.split_to(end))
    })
}

/// The data of an event, its lines joined as the format says; most have one line and are not copied.
pub(super) fn data(event: &Bytes) -> Option<Bytes> {
    let mut found: Option<Bytes> = None;
    for line in event.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Some(value) = line.strip_prefix(b"data:") else {
            continue;
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        found = Some(match found {
            None => event.slice_ref(value),
            Some(before) => [&before[..], b"\n", value].concat().into(),
        });
    }
    found
}
