//! The sealed form of an index snapshot: parts of a few MiB, so that several threads seal and open
//! it.
//!
//! `number of parts ‖ length in clear ‖ name`, then the parts, each sealed for the name of the
//! snapshot, the number of parts and its own number: a part of another snapshot, a missing one and
//! an exchanged one do not open.

use skep_crypto::{Plain, SEALED_OVERHEAD, Sealed};

use crate::StoreError;
use crate::keys::{WorkspaceKeys, column};

/// Bytes of a part in clear, but for the last.
const PART: usize = 4 << 20;

/// Bytes before the parts.
const HEADER: usize = 4 + 8 + NAME;

/// Bytes of a snapshot's name.
const NAME: usize = 8;

/// Threads that share the work, at most.
const THREADS: usize = 4;

const DAMAGED: StoreError = StoreError::Damaged("an index snapshot");

/// Which snapshot it is, and of how many parts.
#[derive(Clone, Copy)]
struct Whole {
    name: [u8; NAME],
    parts: u32,
}

impl Whole {
    /// Stands for the row in the identity of a part.
    fn part(self, number: usize) -> [u8; 16] {
        let mut row = [0; 16];
        row[..NAME].copy_from_slice(&self.name);
        row[NAME..NAME + 4].copy_from_slice(&self.parts.to_le_bytes());
        row[NAME + 4..].copy_from_slice(&(number as u32).to_le_bytes());
        row
    }
}

/// Seals a snapshot under a name that no other has.
pub(crate) fn seal(keys: &WorkspaceKeys, name: [u8; NAME], bytes: &[u8]) -> Sealed {
    let parts: Vec<&[u8]> = bytes.chunks(PART).collect();
    let whole = Whole {
        name,
        parts: parts.len() as u32,
    };
    let mut out = Vec::with_capacity(HEADER + bytes.len() + parts.len() * SEALED_OVERHEAD);
    out.extend(whole.parts.to_le_bytes());
    out.extend((bytes.len() as u64).to_le_bytes());
    out.extend(name);
    let threads = threads();
    for (round, parts) in parts.chunks(threads).enumerate() {
        let sealed = std::thread::scope(|scope| {
            let mut running = Vec::with_capacity(threads);
            for (at, part) in parts.iter().enumerate() {
                let row = whole.part(round * threads + at);
                running.push(scope.spawn(move || keys.seal(column::INDEX_SNAPSHOT, row, part)));
            }
            let sealed = running.into_iter().map(joined);
            sealed.collect::<Vec<Sealed>>()
        });
        for part in &sealed {
            out.extend(part.as_bytes());
        }
    }
    Sealed::from_bytes(out)
}

/// Opens a snapshot.
pub(crate) fn open(keys: &WorkspaceKeys, sealed: &Sealed) -> Result<Plain<Vec<u8>>, StoreError> {
    let (whole, length, parts) = read(sealed.as_bytes()).ok_or(DAMAGED)?;
    let mut opened = vec![0; length];
    let share = parts.len().div_ceil(threads()).max(1);
    let done = std::thread::scope(|scope| {
        let shares = parts.chunks(share).zip(opened.chunks_mut(share * PART));
        let mut running = Vec::new();
        for (number, (parts, out)) in shares.enumerate() {
            running.push(scope.spawn(move || open_share(keys, whole, number * share, parts, out)));
        }
        // Every thread is waited for, whatever the others found.
        let done: Vec<_> = running.into_iter().map(joined).collect();
        done.into_iter().collect::<Result<(), StoreError>>()
    });
    let opened = Plain::new(opened);
    done.map(|()| opened)
}

fn open_share(
    keys: &WorkspaceKeys,
    whole: Whole,
    first: usize,
    parts: &[&[u8]],
    out: &mut [u8],
) -> Result<(), StoreError> {
    let mut buffer = keys.buffer();
    for ((number, part), out) in (first..).zip(parts).zip(out.chunks_mut(PART)) {
        let opened = buffer.open(column::INDEX_SNAPSHOT, whole.part(number), part)?;
        if opened.len() != out.len() {
            return Err(DAMAGED);
        }
        out.copy_from_slice(opened);
    }
    Ok(())
}

/// The header and the parts, if their lengths fit.
fn read(bytes: &[u8]) -> Option<(Whole, usize, Vec<&[u8]>)> {
    let (parts, rest) = bytes.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    let (name, rest) = rest.split_first_chunk()?;
    let whole = Whole {
        name: *name,
        parts: u32::from_le_bytes(*parts),
    };
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let count = whole.parts as usize;
    let sealed = count.checked_mul(SEALED_OVERHEAD)?.checked_add(length)?;
    if rest.len() != sealed || length.div_ceil(PART) != count {
        return None;
    }
    Some((whole, length, rest.chunks(PART + SEALED_OVERHEAD).collect()))
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, |count| count.get().min(THREADS))
}

fn joined<T>(thread: std::thread::ScopedJoinHandle<'_, T>) -> T {
    match thread.join() {
        Ok(value) => value,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

#[cfg(test)]
mod tests;
