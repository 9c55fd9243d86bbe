//! Rows of sources, and of what capture may take.

use skep_domain::{Principal, SourceKind, Trust, Visibility};

use crate::StoreError;
use crate::column::{
    Columns, Stored, code, group, id, id_option, principal, principal_from, principal_kind, sealed,
    sealed_option, time, time_option,
};
use crate::row::{BindingRow, Fingerprint, PauseRow, SourceRow, SourceSummaryRow};

/// The holder of a pause that stops everybody.
const EVERYBODY: i64 = -1;

impl Stored for SourceSummaryRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        let source = SourceRow {
            id: id(row, 0)?,
            fingerprint: row.get(1)?,
            kind: code(row, 2, SourceKind::from_code, "the kind of a source")?,
            trust: code(row, 3, Trust::from_code, "the trust of a source")?,
            visibility: code(row, 4, Visibility::from_code, "the visibility of a source")?,
            owner: principal(row, 5)?,
            owner_group: group(row, 7)?,
            project: id_option(row, 8)?,
            created_at: time(row, 9)?,
            synced_at: time_option(row, 10)?,
            body: sealed(row, 11)?,
        };
        Ok(Self {
            source,
            project_name: sealed_option(row, 12)?,
            documents: row.get(13)?,
            chunks: row.get(14)?,
        })
    }
}

impl Stored for PauseRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        let kind: i64 = row.get(0)?;
        let holder = match u8::try_from(kind) {
            Ok(kind) => Some(
                principal_from(kind, row.get(1)?)
                    .ok_or(StoreError::Damaged("the holder of a pause"))?,
            ),
            Err(_) if kind == EVERYBODY => None,
            Err(_) => return Err(StoreError::Damaged("the holder of a pause").into()),
        };
        let session: Vec<u8> = row.get(2)?;
        Ok(Self {
            holder,
            session: match session.as_slice() {
                [] => None,
                bytes => Some(
                    bytes
                        .try_into()
                        .map_err(|_| StoreError::Damaged("the session of a pause"))?,
                ),
            },
            until: time_option(row, 3)?,
        })
    }
}

impl Stored for BindingRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        Ok(Self {
            directory: row.get(0)?,
            body: sealed(row, 1)?,
        })
    }
}

/// The columns of whoever holds a pause; nobody's stops everybody.
#[must_use]
pub fn pause_holder(of: Option<Principal>) -> (i64, [u8; 16]) {
    of.map_or((EVERYBODY, [0; 16]), |principal| {
        (principal_kind(principal).into(), principal.to_bytes())
    })
}

/// The column of the session that a pause is for; of all of them, empty.
#[must_use]
pub fn pause_session(of: Option<Fingerprint>) -> Vec<u8> {
    of.map(Vec::from).unwrap_or_default()
}
