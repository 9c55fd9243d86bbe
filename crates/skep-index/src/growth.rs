//! Room for large arrays: a little at a time, so that what is held is close to what is used.

/// The share of the length that is added as room.
const SHARE: usize = 8;

/// Elements that are added at least.
const LEAST: usize = 64;

/// Makes room for `length` elements and an eighth more, if there is none. Doubling would leave half
/// of the largest arrays empty; a large block of memory grows in place or by moving its pages, so
/// growing more often costs little.
pub(crate) fn make_room<T>(array: &mut Vec<T>, length: usize) {
    if array.capacity() < length {
        let room = length + (length / SHARE).max(LEAST);
        array.reserve_exact(room - array.len());
    }
}
