//! Statements on background work.

use async_trait::async_trait;
use skep_crypto::Sealed;
use skep_domain::{Id, JobId, OrganizationId};
use skep_store::StoreError;
use skep_store::backend::PageOf;
use skep_store::backend::control::JobRows;
use skep_store::column::{Stored, bytes_of, principal_kind};
use skep_store::row::{JobAsk, JobEnd, JobLease, JobRow, NewJobRow};

use super::PostgresControlTx;
use super::access::step;
use crate::failure::{Failure, named};
use crate::rows::Wire;
use crate::statement::statements;
use crate::value::values;

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

statements! {
    WAITING = "SELECT COUNT(*) FROM job WHERE organization = $1 AND state IN (0, 1)";
    PUT = "INSERT INTO job (id, organization, workspace, kind, priority, turn, state,
            principal_kind, principal, credential, not_before, created_at)
        SELECT $1, $2, $3, $4, $5, GREATEST(
                (SELECT MAX(turn) FROM job WHERE priority = $5 AND claims > 0),
                (SELECT MAX(turn) + 1 FROM job
                 WHERE organization = $2 AND priority = $5 AND state IN (0, 1)), 0),
            0, $6, $7, $8, $9, $9";
    /// Whoever is first in turn, of what is due or was left; never one that somebody is just taking.
    CLAIM = columns!(
        "UPDATE job SET state = 1, node = $2, claims = claims + 1, lease_until = $3,
            failures = failures + CASE WHEN state = 1 THEN 1 ELSE 0 END
        WHERE id = (SELECT id FROM job
            WHERE state IN (0, 1) AND ((state = 0 AND not_before <= $1)
                OR (state = 1 AND lease_until <= $1))
            ORDER BY priority, turn, id LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING",
        ""
    );
    RENEW = "UPDATE job SET lease_until = $4
        WHERE id = $1 AND node = $2 AND claims = $3 AND state = 1";
    END = "UPDATE job SET state = $4, finished_at = $5, note = $6, lease_until = NULL
        WHERE id = $1 AND node = $2 AND claims = $3 AND state = 1";
    LATER = "UPDATE job SET state = 0, failures = 0, note = NULL, lease_until = NULL,
            turn = 1 + (SELECT MAX(turn) FROM job AS taken
                WHERE taken.priority = job.priority AND taken.claims > 0)
        WHERE id = $1 AND node = $2 AND claims = $3 AND state = 1";
    RETRY = "UPDATE job SET state = 0, failures = failures + 1, not_before = $4, note = $5,
            lease_until = NULL
        WHERE id = $1 AND node = $2 AND claims = $3 AND state = 1";
    GET = columns!("SELECT", "FROM job WHERE organization = $1 AND id = $2");
    LIST = columns!("SELECT", "FROM job WHERE organization = $1 AND ($2::uuid IS NULL OR id < $2)
        ORDER BY id DESC LIMIT $3");
    COUNTS = "SELECT name, tally FROM job_count WHERE job = $1 ORDER BY name";
    SET_COUNT = "INSERT INTO job_count (job, name, tally) VALUES ($1, $2, $3)
        ON CONFLICT (job, name) DO UPDATE SET tally = excluded.tally";
    ADD_COUNT = "INSERT INTO job_count (job, name, tally) VALUES ($1, $2, $3)
        ON CONFLICT (job, name) DO UPDATE SET tally = job_count.tally + excluded.tally";
}

pub(crate) async fn put(wire: &Wire<'_>, row: &NewJobRow) -> Result<(), Failure> {
    let organization = row.organization.to_bytes();
    let waiting: u32 = wire
        .get(WAITING, values![organization], |row| row.get(0))
        .await?;
    row.fits(waiting)?;
    let values = values![
        row.id.to_bytes(),
        organization,
        bytes_of(row.workspace),
        row.kind.code(),
        row.kind.priority(),
        principal_kind(row.principal),
        row.principal.to_bytes(),
        row.credential.to_bytes(),
        row.created_at.as_micros()
    ];
    named(wire.run(PUT, values).await, "a job with this id")?;
    Ok(())
}

pub(crate) async fn claim(wire: &Wire<'_>, ask: &JobAsk) -> Result<Option<JobRow>, Failure> {
    let values = values![ask.now.as_micros(), ask.node, ask.until.as_micros()];
    wire.find(CLAIM, values, JobRow::read).await
}

/// Puts the end of a lease off; `false` when it is somebody else's.
pub(crate) async fn renew(wire: &Wire<'_>, lease: JobLease, until: i64) -> Result<bool, Failure> {
    let values = values![lease.id.to_bytes(), lease.node, lease.claims, until];
    Ok(wire.run(RENEW, values).await? > 0)
}

/// Adds to what a job has counted.
pub(crate) async fn add(
    wire: &Wire<'_>,
    job: JobId,
    name: &str,
    count: u64,
) -> Result<(), Failure> {
    if count > 0 {
        wire.run(ADD_COUNT, values![job.to_bytes(), name, count])
            .await?;
    }
    Ok(())
}

#[async_trait]
impl JobRows for PostgresControlTx {
    async fn put_job(&mut self, row: NewJobRow) -> Result<(), StoreError> {
        step!(self, put, &row)
    }

    async fn job(
        &mut self,
        organization: OrganizationId,
        id: JobId,
    ) -> Result<Option<JobRow>, StoreError> {
        let values = values![organization.to_bytes(), id.to_bytes()];
        self.find(GET, values, JobRow::read).await
    }

    async fn jobs(
        &mut self,
        organization: OrganizationId,
        page: PageOf<JobId>,
    ) -> Result<Vec<JobRow>, StoreError> {
        let values = values![organization.to_bytes(), bytes_of(page.before), page.limit];
        self.list(LIST, values, JobRow::read).await
    }

    async fn job_counts(&mut self, id: JobId) -> Result<Vec<(String, u64)>, StoreError> {
        self.list(COUNTS, values![id.to_bytes()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .await
    }

    async fn set_job_counts(
        &mut self,
        id: JobId,
        counts: &[(&'static str, u64)],
    ) -> Result<(), StoreError> {
        for (name, count) in counts {
            self.run(SET_COUNT, values![id.to_bytes(), *name, *count])
                .await?;
        }
        Ok(())
    }

    async fn settle_job(&mut self, lease: JobLease, end: JobEnd) -> Result<bool, StoreError> {
        let (job, holder, claims) = (lease.id.to_bytes(), lease.node, lease.claims);
        let changed = match end {
            JobEnd::Final { state, at, note } => {
                let why = note.as_ref().map(Sealed::as_bytes);
                let values = values![job, holder, claims, state.code(), at.as_micros(), why];
                self.run(END, values).await?
            }
            JobEnd::Later => self.run(LATER, values![job, holder, claims]).await?,
            JobEnd::Retry { not_before, note } => {
                let why = note.as_bytes();
                let values = values![job, holder, claims, not_before.as_micros(), why];
                self.run(RETRY, values).await?
            }
        };
        Ok(changed > 0)
    }
}
