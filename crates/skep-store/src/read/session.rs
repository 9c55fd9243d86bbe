//! Rows of sessions, and of what is done with them.

use skep_domain::{Harness, Moment, SessionState, TurnRole, Visibility};

use crate::StoreError;
use crate::column::{
    Columns, Stored, code, group, id, id_option, ids, principal, sealed, sealed_option, time,
    time_option,
};
use crate::row::{
    DistilRow, InjectionRow, ModelBudgetRow, ModelDayRow, ModelPassRow, ModelPassState,
    ModelSpentRow, SessionRow, SessionSummaryRow, StoredInjectionRow, StoredTurnRow, TurnRow,
};

/// How many columns a session has, before what a summary adds.
const SESSION: usize = 13;

/// The columns of a session `s`, as its row is read.
#[macro_export]
macro_rules! session_columns {
    () => {
        "s.id, s.harness, s.fingerprint, s.project, s.owner_kind, s.owner, s.owner_group, \
         s.visibility, s.state, s.started_at, s.last_at, s.recorded_at, s.body"
    };
}

impl Stored for SessionRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        Ok(Self {
            id: id(row, 0)?,
            harness: code(row, 1, Harness::from_code, "the harness of a session")?,
            fingerprint: row.get(2)?,
            project: id_option(row, 3)?,
            owner: principal(row, 4)?,
            owner_group: group(row, 6)?,
            visibility: code(row, 7, Visibility::from_code, "the visibility of a session")?,
            state: code(row, 8, SessionState::from_code, "the state of a session")?,
            started_at: time(row, 9)?,
            last_at: time(row, 10)?,
            recorded_at: time(row, 11)?,
            body: sealed(row, 12)?,
        })
    }
}

impl Stored for SessionSummaryRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        let mut session = SessionRow::read(row)?;
        if let Some((first, last)) =
            time_option(row, SESSION + 3)?.zip(time_option(row, SESSION + 4)?)
        {
            (session.started_at, session.last_at) = (first, last);
        }
        Ok(Self {
            session,
            turns: row.get(SESSION)?,
            project_name: sealed_option(row, SESSION + 1)?,
            memories: row.get(SESSION + 2)?,
        })
    }
}

impl Stored for StoredTurnRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        Ok(Self {
            session: id(row, 0)?,
            ordinal: row.get(1)?,
            turn: TurnRow {
                id: id(row, 2)?,
                fingerprint: row.get(3)?,
                role: code(row, 4, TurnRole::from_code, "the role of a turn")?,
                branch: row.get(5)?,
                is_error: row.get(6)?,
                at: time(row, 7)?,
                recorded_at: time(row, 8)?,
                body: sealed(row, 9)?,
                author: id_option(row, 10)?,
            },
        })
    }
}

impl Stored for StoredInjectionRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        Ok(Self {
            injection: InjectionRow {
                id: id(row, 0)?,
                session: id(row, 1)?,
                at: time(row, 3)?,
                moment: code(row, 4, Moment::from_code, "the moment of an injection")?,
                memories: ids(row, 5, "the memories of an injection")?,
                body: sealed(row, 6)?,
            },
            ordinal: row.get(2)?,
        })
    }
}

impl Stored for DistilRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        let state = code(row, 3, SessionState::from_code, "the state of a session")?;
        Ok(Self {
            session: id(row, 0)?,
            from: row.get(1)?,
            to: row.get(2)?,
            ended: state == SessionState::Ended,
        })
    }
}

impl Stored for ModelPassRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        Ok(Self {
            session: id(row, 0)?,
            state: code(
                row,
                1,
                ModelPassState::from_code,
                "how far a model has read",
            )?,
            next: row.get(2)?,
            tries: row.get(3)?,
            is_tainted: row.get(4)?,
        })
    }
}

impl Stored for ModelDayRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        Ok(Self {
            calls: row.get(0)?,
            reserved: ModelBudgetRow {
                tokens: row.get(1)?,
                cost: row.get(2)?,
            },
            spent: ModelSpentRow {
                input: row.get(3)?,
                output: row.get(4)?,
                cost: row.get(5)?,
            },
            refused: Vec::new(),
        })
    }
}
