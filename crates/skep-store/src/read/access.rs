//! Rows of the installation's own tables.

use skep_domain::{FactorKind, JobKind, JobState, OrganizationRole, PolicyGroupId, Standing};

use crate::StoreError;
use crate::column::{
    Columns, Stored, code, id, id_option, policy, principal, principal_option, sealed,
    sealed_option, time, time_option,
};
use crate::row::{
    AgentRow, AheadRow, AuditRow, CheckpointRow, FactorRow, HeadRow, JobFacts, JobRow, LogKey,
    OrganizationMemberRow, OrganizationRow, PolicyGroupRow, TicketKind, TicketRow, UsageRow,
    UserRow,
};

impl Stored for OrganizationRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        Ok(Self {
            id: id(row, 0)?,
            fingerprint: row.get(1)?,
            name: sealed_option(row, 2)?,
            standing: code(
                row,
                3,
                Standing::from_code,
                "the standing of an organization",
            )?,
            created_at: time(row, 4)?,
        })
    }
}

impl Stored for UserRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        Ok(Self {
            id: id(row, 0)?,
            fingerprint: row.get(1)?,
            standing: code(row, 2, Standing::from_code, "the standing of a user")?,
            version: row.get(3)?,
            body: sealed_option(row, 4)?,
            created_at: time(row, 5)?,
        })
    }
}

impl Stored for AgentRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        Ok(Self {
            id: id(row, 0)?,
            fingerprint: row.get(1)?,
            name: sealed(row, 2)?,
            policy: policy(row, 3)?,
            standing: code(row, 5, Standing::from_code, "the standing of an agent")?,
            created_at: time(row, 6)?,
        })
    }
}

impl Stored for PolicyGroupRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        Ok(Self {
            id: PolicyGroupId(row.get(0)?),
            fingerprint: row.get(1)?,
            name: sealed(row, 2)?,
            created_at: time(row, 3)?,
        })
    }
}

impl Stored for FactorRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        Ok(Self {
            user: id(row, 0)?,
            id: id(row, 1)?,
            kind: code(row, 2, FactorKind::from_code, "the kind of a factor")?,
            fingerprint: row.get(3)?,
            confirmed: row.get(4)?,
            version: row.get(5)?,
            body: sealed(row, 6)?,
            created_at: time(row, 7)?,
            used_at: time_option(row, 8)?,
        })
    }
}

impl Stored for AuditRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        Ok(Self {
            id: id(row, 0)?,
            seq: row.get(1)?,
            at: time(row, 2)?,
            action: row.get(3)?,
            outcome: row.get(4)?,
            times: row.get(5)?,
            workspace: id_option(row, 6)?,
            principal: principal_option(row, 7, "the kind of a principal in the record")?,
            credential: id_option(row, 9)?,
            body: sealed(row, 10)?,
            leaf: row.get(11)?,
        })
    }
}

impl Stored for UsageRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        Ok(Self {
            id: id(row, 0)?,
            seq: row.get(1)?,
            at: time(row, 2)?,
            workspace: id_option(row, 3)?,
            principal: principal_option(row, 4, "the kind of a principal in the record of use")?,
            credential: id_option(row, 6)?,
            leaf: row.get(7)?,
            body: sealed(row, 8)?,
        })
    }
}

impl Stored for HeadRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        Ok(Self {
            first: row.get(0)?,
            size: row.get(1)?,
            frontier: row.get(2)?,
        })
    }
}

impl Stored for CheckpointRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        Ok(Self {
            size: row.get(0)?,
            root: row.get(1)?,
            at: time(row, 2)?,
            note: row.get(3)?,
        })
    }
}

impl Stored for (LogKey, CheckpointRow) {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        let key = LogKey::from_columns(row.get(4)?, row.get(5)?);
        let key = key.ok_or(StoreError::Damaged("the number of a log"))?;
        Ok((key, CheckpointRow::read(row)?))
    }
}

impl Stored for AheadRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        let key = LogKey::from_columns(row.get(0)?, row.get(1)?);
        Ok(Self {
            key: key.ok_or(StoreError::Damaged("the number of a log"))?,
            size: row.get(2)?,
            signed: row.get::<Option<u64>>(3)?.unwrap_or(0),
            signed_at: time_option(row, 4)?,
        })
    }
}

impl Stored for JobRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        let facts = JobFacts {
            id: id(row, 0)?,
            organization: id(row, 1)?,
            workspace: id_option(row, 2)?,
            kind: code(row, 3, JobKind::from_code, "the kind of a job")?,
            state: code(row, 4, JobState::from_code, "the state of a job")?,
            principal: principal(row, 5)?,
            credential: id(row, 7)?,
            failures: row.get(9)?,
            not_before: time(row, 10)?,
            lease_until: time_option(row, 11)?,
            node: row.get(12)?,
            created_at: time(row, 13)?,
            finished_at: time_option(row, 14)?,
        };
        Ok(Self {
            facts,
            claims: row.get(8)?,
            note: sealed_option(row, 15)?,
        })
    }
}

/// A ticket of a kind.
///
/// # Errors
/// As [`Stored::read`].
pub fn ticket<F: From<StoreError>>(
    row: &impl Columns<F>,
    kind: TicketKind,
) -> Result<TicketRow, F> {
    Ok(TicketRow {
        kind,
        digest: row.get(0)?,
        second: row.get(1)?,
        organization: id_option(row, 2)?,
        expires_at: time(row, 3)?,
        uses_left: row.get(4)?,
        version: row.get(5)?,
        body: sealed(row, 6)?,
        user: id_option(row, 7)?,
        maker: id_option(row, 8)?,
    })
}

/// A member of an organization, in the columns from `at` on.
///
/// # Errors
/// As [`Stored::read`].
pub fn organization_member<F: From<StoreError>>(
    row: &impl Columns<F>,
    at: usize,
) -> Result<OrganizationMemberRow, F> {
    Ok(OrganizationMemberRow {
        user: id(row, at)?,
        role: code(
            row,
            at + 1,
            OrganizationRole::from_code,
            "the role of a member",
        )?,
        standing: code(row, at + 2, Standing::from_code, "the standing of a member")?,
        created_at: time(row, at + 3)?,
    })
}
