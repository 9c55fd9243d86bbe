//! Rows of participants, their places in sessions, and what they agreed to.

use skep_domain::{ParticipantKind, Window};

use crate::StoreError;
use crate::column::{
    Columns, Stored, code, id, id_option, principal, sealed_option, time, time_option,
};
use crate::row::{AboutRow, ConsentRow, Fingerprint, MemberRow, NameRow, ParticipantRow};

/// The columns of a participant `p`, as its row is read.
#[macro_export]
macro_rules! participant_columns {
    () => {
        "p.id, p.kind, p.principal_kind, p.principal, p.owner_kind, p.owner, p.merged_into, \
         p.created_at, p.name, p.name_folded, p.name_written, p.card"
    };
}

impl Stored for ParticipantRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        let folded: Option<Fingerprint> = row.get(9)?;
        let written: Option<Fingerprint> = row.get(10)?;
        let name =
            sealed_option(row, 8)?
                .zip(folded.zip(written))
                .map(|(name, (folded, written))| NameRow {
                    name,
                    skeletons: [folded, written],
                });
        let kind: Option<u8> = row.get(2)?;
        Ok(Self {
            id: id(row, 0)?,
            kind: code(
                row,
                1,
                ParticipantKind::from_code,
                "the kind of a participant",
            )?,
            principal: kind.map(|_| principal(row, 2)).transpose()?,
            owner: principal(row, 4)?,
            merged_into: id_option(row, 6)?,
            created_at: time(row, 7)?,
            name,
            card: sealed_option(row, 11)?,
        })
    }
}

impl Stored for MemberRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        Ok(Self {
            session: id(row, 0)?,
            participant: id(row, 1)?,
            window: Window {
                from: row.get(2)?,
                to: row.get(3)?,
            },
            joined_at: time(row, 4)?,
            left_at: time_option(row, 5)?,
        })
    }
}

impl Stored for ConsentRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        let kind: Option<u8> = row.get(4)?;
        Ok(Self {
            subject: id(row, 0)?,
            observer: id_option(row, 1)?,
            given: row.get(2)?,
            at: time(row, 3)?,
            actor: kind.map(|_| principal(row, 4)).transpose()?,
            note: sealed_option(row, 6)?,
        })
    }
}

impl Stored for AboutRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        Ok(Self {
            subject: id(row, 0)?,
            observer: id(row, 1)?,
            derived: row.get(2)?,
        })
    }
}
