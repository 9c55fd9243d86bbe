//! Rows of memories, and of what became of them.

use skep_domain::{
    Harness, MemoryKind, MemoryState, OriginKind, Principal, ProposalState, RemovalMode,
    Resolution, Trust, Validity, Visibility,
};

use crate::StoreError;
use crate::column::{
    Columns, Stored, code, group, id, id_option, ids, principal, principal_from, principal_option,
    sealed, sealed_option, time, time_option,
};
use crate::row::{
    ChangeRow, ConflictRow, HistoryRow, MemoryFactsRow, MemoryRow, ModelTag, ProposalRow,
    RemovalRow, StoredMemoryRow,
};

/// The columns of a memory `m`, its body `b` and its project `p`, as its row is read.
#[macro_export]
macro_rules! memory_columns {
    () => {
        "m.id, m.kind, m.trust, m.state, m.visibility, m.harness, m.owner_kind, m.owner, \
         m.owner_group, m.valid_from, m.valid_to, m.recorded_at, m.superseded_at, m.project, \
         m.session, m.fingerprint, b.turns, b.body, p.name"
    };
}

impl Stored for StoredMemoryRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        let memory = MemoryRow {
            id: id(row, 0)?,
            kind: code(row, 1, MemoryKind::from_code, "the kind of a memory")?,
            trust: code(row, 2, Trust::from_code, "the trust of a memory")?,
            state: code(row, 3, MemoryState::from_code, "the state of a memory")?,
            visibility: code(row, 4, Visibility::from_code, "the visibility of a memory")?,
            harness: code(row, 5, Harness::from_code, "the harness of a memory")?,
            owner: principal(row, 6)?,
            owner_group: group(row, 8)?,
            validity: Validity {
                from: time(row, 9)?,
                to: time_option(row, 10)?,
                recorded: time(row, 11)?,
                superseded: time_option(row, 12)?,
            },
            project: id_option(row, 13)?,
            session: id_option(row, 14)?,
            fingerprint: row.get(15)?,
            turns: ids(row, 16, "the turns of a memory")?,
            body: sealed(row, 17)?,
        };
        Ok(Self {
            memory,
            project_name: sealed_option(row, 18)?,
        })
    }
}

impl Stored for MemoryFactsRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        Ok(Self {
            id: id(row, 0)?,
            kind: code(row, 1, MemoryKind::from_code, "the kind of a memory")?,
            valid_from: time(row, 2)?,
            project: id_option(row, 3)?,
            project_name: sealed_option(row, 4)?,
        })
    }
}

impl Stored for HistoryRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        Ok(Self {
            at: time(row, 0)?,
            actor: principal_option(row, 1, "the actor of a history")?,
            state: code(row, 3, MemoryState::from_code, "the state in a history")?,
            reason: sealed(row, 4)?,
        })
    }
}

impl Stored for ConflictRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        let resolved = match time_option(row, 4)? {
            Some(at) => Some((
                code(row, 5, Resolution::from_code, "how a conflict was resolved")?,
                at,
            )),
            None => None,
        };
        Ok(Self {
            id: id(row, 0)?,
            older: id(row, 1)?,
            newer: id(row, 2)?,
            found_at: time(row, 3)?,
            resolved,
        })
    }
}

impl Stored for RemovalRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        Ok(Self {
            kind: code(row, 0, OriginKind::from_code, "the kind of an origin")?,
            origin: row.get(1)?,
            mode: code(row, 2, RemovalMode::from_code, "the mode of a removal")?,
            asked_at: time(row, 3)?,
            actor: principal_option(row, 4, "who asked for a removal")?,
            reason: sealed(row, 6)?,
            done_at: time_option(row, 7)?,
        })
    }
}

impl Stored for ProposalRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        let decider: Option<Principal> = match (row.get(5)?, row.get(6)?) {
            (Some(kind), Some(bytes)) => principal_from(kind, bytes),
            _ => None,
        };
        Ok(Self {
            id: id(row, 0)?,
            state: code(row, 1, ProposalState::from_code, "the state of a proposal")?,
            proposer: principal(row, 2)?,
            at: time(row, 4)?,
            decided: decider.zip(time_option(row, 7)?),
            body: sealed(row, 8)?,
        })
    }
}

impl Stored for ChangeRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        let model: Option<ModelTag> = row.get(7)?;
        Ok(Self {
            seq: row.get(0)?,
            id: id(row, 1)?,
            kind: code(row, 2, MemoryKind::from_code, "the kind of a memory")?,
            state: code(row, 3, MemoryState::from_code, "the state of a memory")?,
            recorded_at: time(row, 4)?,
            project: id_option(row, 5)?,
            body: sealed(row, 6)?,
            vector: model.zip(sealed_option(row, 8)?),
            valid_from: time(row, 9)?,
            session: id_option(row, 10)?,
            readers: (
                principal(row, 11)?,
                code(row, 13, Visibility::from_code, "the visibility of a memory")?,
            ),
        })
    }
}
