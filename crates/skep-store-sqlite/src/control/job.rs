//! Statements on background work.

use async_trait::async_trait;
use rusqlite::{Connection, params};
use skep_crypto::Sealed;
use skep_domain::{Id, JobId, OrganizationId};
use skep_store::StoreError;
use skep_store::backend::PageOf;
use skep_store::backend::control::JobRows;
use skep_store::column::{bytes_of, principal_kind};
use skep_store::row::{JobAsk, JobEnd, JobLease, JobRow, NewJobRow};

use super::{SqliteControlTx, named};
use crate::column::{page_end, stored};
use crate::failure::Failure;

macro_rules! columns {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            " id, organization, workspace, kind, state, principal_kind, principal, credential,
              claims, failures, not_before, lease_until, node, created_at, finished_at, note ",
            $after
        )
    };
}

/// Whoever is first in turn, of what is due or was left.
const CLAIM: &str = columns!(
    "UPDATE job SET state = 1, node = ?2, claims = claims + 1, failures = failures + (state = 1),
         lease_until = ?3
     WHERE id = (SELECT id FROM job
         WHERE state IN (0, 1) AND ((state = 0 AND not_before <= ?1)
             OR (state = 1 AND lease_until <= ?1))
         ORDER BY priority, turn, id LIMIT 1)
     RETURNING",
    ""
);
const HELD: &str = "id = ?1 AND node = ?2 AND claims = ?3 AND state = 1";

pub(crate) fn put(connection: &Connection, row: &NewJobRow) -> Result<(), Failure> {
    let organization = row.organization.to_bytes();
    let waiting: u32 = connection
        .prepare_cached("SELECT COUNT(*) FROM job WHERE organization = ?1 AND state IN (0, 1)")?
        .query_row([organization], |row| row.get(0))?;
    row.fits(waiting)?;
    let inserted = connection
        .prepare_cached(
            "INSERT INTO job (id, organization, workspace, kind, priority, turn, state,
                 principal_kind, principal, credential, not_before, created_at)
             SELECT ?1, ?2, ?3, ?4, ?5, MAX(
                     COALESCE((SELECT MAX(turn) FROM job
                         WHERE priority = ?5 AND claims > 0), 0),
                     COALESCE((SELECT MAX(turn) + 1 FROM job
                         WHERE organization = ?2 AND priority = ?5 AND state IN (0, 1)), 0)),
                 0, ?6, ?7, ?8, ?9, ?9",
        )?
        .execute(params![
            row.id.to_bytes(),
            organization,
            bytes_of(row.workspace),
            row.kind.code(),
            row.kind.priority(),
            principal_kind(row.principal),
            row.principal.to_bytes(),
            row.credential.to_bytes(),
            row.created_at.as_micros(),
        ]);
    named(inserted, "a job with this id")
}

pub(crate) fn claim(connection: &Connection, ask: &JobAsk) -> Result<Option<JobRow>, Failure> {
    let values = params![ask.now.as_micros(), ask.node, ask.until.as_micros()];
    connection
        .prepare_cached(CLAIM)?
        .query_and_then(values, stored)?
        .next()
        .transpose()
}

/// Puts the end of a lease off; `false` when it is somebody else's.
pub(crate) fn renew(connection: &Connection, lease: JobLease, until: i64) -> Result<bool, Failure> {
    let sql = format!("UPDATE job SET lease_until = ?4 WHERE {HELD}");
    let values = params![lease.id.to_bytes(), lease.node, lease.claims, until];
    Ok(connection.prepare_cached(&sql)?.execute(values)? > 0)
}

/// Adds to what a job has counted, or puts it in its place.
pub(crate) fn count(
    connection: &Connection,
    job: JobId,
    counts: &[(&'static str, u64)],
    adds: bool,
) -> Result<(), Failure> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO job_count (job, name, tally) VALUES (?1, ?2, ?3)
         ON CONFLICT (job, name) DO UPDATE
         SET tally = excluded.tally + CASE WHEN ?4 THEN tally ELSE 0 END",
    )?;
    for (name, tally) in counts {
        statement.execute(params![job.to_bytes(), name, tally, adds])?;
    }
    Ok(())
}

fn settle(connection: &Connection, lease: JobLease, end: &JobEnd) -> Result<bool, Failure> {
    let (job, node, claims) = (lease.id.to_bytes(), lease.node, lease.claims);
    let changed = match end {
        JobEnd::Final { state, at, note } => connection.execute(
            &format!(
                "UPDATE job SET state = ?4, finished_at = ?5, note = ?6, lease_until = NULL
                 WHERE {HELD}"
            ),
            params![
                job,
                node,
                claims,
                state.code(),
                at.as_micros(),
                note.as_ref().map(Sealed::as_bytes)
            ],
        )?,
        JobEnd::Later => connection.execute(
            &format!(
                "UPDATE job SET state = 0, failures = 0, note = NULL, lease_until = NULL,
                     turn = 1 + (SELECT MAX(turn) FROM job AS taken
                         WHERE taken.priority = job.priority AND taken.claims > 0)
                 WHERE {HELD}"
            ),
            params![job, node, claims],
        )?,
        JobEnd::Retry { not_before, note } => connection.execute(
            &format!(
                "UPDATE job SET state = 0, failures = failures + 1, not_before = ?4, note = ?5,
                     lease_until = NULL
                 WHERE {HELD}"
            ),
            params![job, node, claims, not_before.as_micros(), note.as_bytes()],
        )?,
    };
    Ok(changed > 0)
}

#[async_trait]
impl JobRows for SqliteControlTx {
    async fn put_job(&mut self, row: NewJobRow) -> Result<(), StoreError> {
        self.run(move |connection| put(connection, &row)).await
    }

    async fn job(
        &mut self,
        organization: OrganizationId,
        id: JobId,
    ) -> Result<Option<JobRow>, StoreError> {
        self.run(move |connection| {
            connection
                .prepare_cached(columns!(
                    "SELECT",
                    "FROM job WHERE organization = ?1 AND id = ?2"
                ))?
                .query_and_then([organization.to_bytes(), id.to_bytes()], stored)?
                .next()
                .transpose()
        })
        .await
    }

    async fn jobs(
        &mut self,
        organization: OrganizationId,
        page: PageOf<JobId>,
    ) -> Result<Vec<JobRow>, StoreError> {
        self.run(move |connection| {
            let before = page_end(page.before);
            connection
                .prepare_cached(columns!(
                    "SELECT",
                    "FROM job WHERE organization = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3"
                ))?
                .query_and_then(params![organization.to_bytes(), before, page.limit], stored)?
                .collect()
        })
        .await
    }

    async fn job_counts(&mut self, id: JobId) -> Result<Vec<(String, u64)>, StoreError> {
        self.run(move |connection| {
            connection
                .prepare_cached("SELECT name, tally FROM job_count WHERE job = ?1 ORDER BY name")?
                .query_and_then([id.to_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })
        .await
    }

    async fn set_job_counts(
        &mut self,
        id: JobId,
        counts: &[(&'static str, u64)],
    ) -> Result<(), StoreError> {
        let counts = counts.to_vec();
        self.run(move |connection| count(connection, id, &counts, false))
            .await
    }

    async fn settle_job(&mut self, lease: JobLease, end: JobEnd) -> Result<bool, StoreError> {
        self.run(move |connection| settle(connection, lease, &end))
            .await
    }
}
