//! Attention (A. Vaswani et al., "Attention Is All You Need", 2017): each piece takes from the
//! others what its query finds in their keys.

use super::HIDDEN;
use super::math::{dot, softmax};

/// Heads.
const HEADS: usize = 12;

/// Numbers of a head.
const HEAD: usize = HIDDEN / HEADS;

/// Takes a row of queries, keys and values for each piece; the answer is a row of mixed values.
pub(crate) fn attend(rows: &[f32]) -> Vec<f32> {
    let count = rows.len() / (3 * HIDDEN);
    let part = |piece: usize, which: usize, head: usize| {
        &rows[piece * 3 * HIDDEN + which * HIDDEN + head * HEAD..][..HEAD]
    };
    let scale = 1.0 / (HEAD as f32).sqrt();
    let mut out = vec![0.0; count * HIDDEN];
    let mut shares = vec![0.0; count];
    for piece in 0..count {
        for head in 0..HEADS {
            let query = part(piece, 0, head);
            for (other, share) in shares.iter_mut().enumerate() {
                *share = dot(query, part(other, 1, head)) * scale;
            }
            softmax(&mut shares);
            let mixed = &mut out[piece * HIDDEN + head * HEAD..][..HEAD];
            for (other, share) in shares.iter().enumerate() {
                for (mixed, value) in mixed.iter_mut().zip(part(other, 2, head)) {
                    *mixed += share * value;
                }
            }
        }
    }
    out
}
