//! Walks over a workspace's rows by their ids, which is about the order in which they were written.
//!
//! A place in a walk is a number: the first 48 bits of the last id, which are the millisecond that it was minted
//! in, and how many rows of that millisecond were read.

use skep_crypto::Sealed;
use skep_domain::{Id, MemoryId};
use skep_store::StoreError;
use skep_store::backend::Walked;
use skep_store::column::{Stored, id, sealed};
use skep_store::row::{ChangeRow, ModelTag};

use crate::failure::Failure;
use crate::rows::Rows;
use crate::statement::statements;
use crate::upkeep::change_columns;
use crate::value::values;

statements! {
    WALK_MEMORIES = concat!(
        "SELECT ",
        change_columns!(),
        ", NULL::bytea, NULL::bytea, m.valid_from, m.session, m.owner_kind, m.owner, m.visibility
         FROM memory_facts AS m
         JOIN memory AS b ON b.workspace_id = $1 AND b.id = m.id
         WHERE m.workspace_id = $1 AND m.id >= $2 AND m.state IN (0, 2)
         ORDER BY m.id LIMIT $3 OFFSET $4"
    );
    WALK_VECTORS = "SELECT v.memory, v.vector FROM memory_vector AS v
        WHERE v.workspace_id = $1 AND v.memory >= $2 AND v.model = $5
        ORDER BY v.memory LIMIT $3 OFFSET $4";
}

/// Bits of a place that count rows.
const COUNT: u32 = 16;

pub(crate) async fn walk_memories(
    rows: &Rows<'_>,
    from: u64,
    limit: u32,
) -> Result<Walked<ChangeRow>, Failure> {
    let (first, passed) = place(from);
    let values = values![rows.workspace, first, limit, passed];
    let found = rows.list(WALK_MEMORIES, values, ChangeRow::read).await?;
    walked(found, |row| row.id, from, limit)
}

pub(crate) async fn walk_vectors(
    rows: &Rows<'_>,
    model: ModelTag,
    from: u64,
    limit: u32,
) -> Result<Walked<(MemoryId, Sealed)>, Failure> {
    let (first, passed) = place(from);
    let values = values![rows.workspace, first, limit, passed, model];
    let found = rows
        .list(WALK_VECTORS, values, |row| {
            Ok((id(row, 0)?, sealed(row, 1)?))
        })
        .await?;
    walked(found, |(id, _)| *id, from, limit)
}

/// The least id of a place's millisecond, and how many rows of it were read.
fn place(from: u64) -> ([u8; 16], u64) {
    let moment = u128::from(from >> COUNT) << 80;
    (moment.to_be_bytes(), from & ((1 << COUNT) - 1))
}

/// The millisecond of an id.
fn moment(id: MemoryId) -> u64 {
    (u128::from_be_bytes(id.to_bytes()) >> 80) as u64
}

/// A part that is not full is the last.
fn walked<T>(
    found: Vec<T>,
    id: impl Fn(&T) -> MemoryId,
    from: u64,
    limit: u32,
) -> Result<Walked<T>, Failure> {
    let is_full = found.len() >= limit as usize;
    let last = found.last().map(|row| moment(id(row)));
    let next = match last.filter(|_| is_full) {
        Some(last) => {
            let alike = found.iter().rev().take_while(|row| moment(id(row)) == last);
            let before = if from >> COUNT == last {
                place(from).1
            } else {
                0
            };
            let passed = before + alike.count() as u64;
            if passed >> COUNT > 0 {
                return Err(StoreError::Damaged("too many ids are of one moment").into());
            }
            Some(last << COUNT | passed)
        }
        None => None,
    };
    Ok(Walked { rows: found, next })
}

#[cfg(test)]
mod tests {
    use super::{COUNT, place, walked};
    use skep_domain::{Id, MemoryId};

    /// The `n`th id of a millisecond.
    fn id(moment: u128, n: u128) -> MemoryId {
        MemoryId::from_bytes((moment << 80 | n).to_be_bytes())
    }

    fn walk(all: &[MemoryId], limit: u32) -> Vec<MemoryId> {
        let (mut seen, mut from) = (Vec::new(), Some(0));
        while let Some(at) = from {
            let (first, passed) = place(at);
            let rest = all.iter().filter(|id| id.to_bytes() >= first);
            let part = rest
                .skip(usize::try_from(passed).unwrap())
                .take(limit as usize);
            let part = walked(part.copied().collect(), |id| *id, at, limit).unwrap();
            seen.extend(part.rows);
            from = part.next;
        }
        seen
    }

    #[test]
    fn t01_a_walk_meets_every_id_once_whatever_moments_share() {
        let all = [
            id(0, 0),
            id(0, 5),
            id(7, 1),
            id(7, 2),
            id(7, 3),
            id(7, 4),
            id(7, 5),
            id(8, 1),
            id((1 << 48) - 1, 1),
            id((1 << 48) - 1, u128::from(u64::MAX)),
        ];
        for limit in 1..12 {
            assert_eq!(walk(&all, limit), all, "{limit} a part");
        }
    }

    #[test]
    fn more_of_one_moment_than_a_place_can_count_are_refused() {
        let all: Vec<_> = (0..1 << COUNT).map(|n| id(3, n)).collect();
        let most = 1 << COUNT;
        assert!(walked(all[1..].to_vec(), |id| *id, 0, most - 1).is_ok());
        assert!(walked(all, |id| *id, 0, most).is_err());
    }
}
