//! A workspace that was deleted: its rows go in batches, then what it has among the installation's own.

use std::sync::LazyLock;

use skep_domain::Id;
use skep_store::archive::Table;
use skep_store::archive::tables::WORKSPACE;
use skep_store::backend::Part;
use skep_store::row::{EraseStep, JobLease, NewJobRow};
use skep_store::{Announcement, Revoked, ScopeKey, StoreError};

use crate::archive;
use crate::control::access::announce;
use crate::control::job;
use crate::failure::Failure;
use crate::rows::Wire;
use crate::statement::{Statement, statements};
use crate::value::values;

/// Up to so many rows of the installation's own, which say whose they are otherwise.
macro_rules! erase_own {
    ($table:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE organization = $1 AND workspace = $2 AND ctid = ANY (ARRAY(SELECT ctid FROM ",
            $table,
            " WHERE organization = $1 AND workspace = $2 LIMIT $3))"
        )
    };
}

statements! {
    RETIRE = "UPDATE workspace SET gone_at = $3, wrapped_key = '', name = '', fingerprint = NULL
        WHERE organization = $1 AND id = $2 AND gone_at IS NULL";
    /// Every transaction on a workspace looks at this row first.
    SHUT = "DELETE FROM workspace_state WHERE workspace_id = $1";
    IS_THERE = "SELECT 1 FROM workspace WHERE organization = $1 AND id = $2 AND gone_at IS NULL";
    IS_OPEN = "SELECT 1 FROM workspace_state WHERE workspace_id = $1";
    END = "DELETE FROM workspace WHERE organization = $1 AND id = $2 AND gone_at IS NOT NULL";
    CREDENTIAL = erase_own!("credential");
    AGENT = erase_own!("agent");
    DIRECTIVE = erase_own!("directive");
    DIRECTIVE_PROMOTION = erase_own!("directive_promotion");
    POLICY_GROUP = erase_own!("policy_group");
    WORKSPACE_MEMBER = erase_own!("workspace_member");
}

/// The rows of a workspace, in the order in which they can go: what refers to another comes before it.
static TABLES: LazyLock<Vec<(&Table, Part)>> = LazyLock::new(|| {
    let last_first = WORKSPACE.iter().rev();
    let parts = |table| Part::of(table).iter().rev().map(move |part| (table, *part));
    last_first.flat_map(parts).collect()
});

/// What belongs to a workspace among the installation's own, before its own row.
const OWN: [(&str, Statement); 6] = [
    ("directive", DIRECTIVE),
    ("directive_promotion", DIRECTIVE_PROMOTION),
    ("credential", CREDENTIAL),
    ("agent", AGENT),
    ("policy_group", POLICY_GROUP),
    ("workspace_member", WORKSPACE_MEMBER),
];

/// Deletes a workspace: nothing finds it any more, its key and its name are no more, and a job is queued.
pub(crate) async fn retire(
    wire: &Wire<'_>,
    scope: &ScopeKey,
    row: &NewJobRow,
) -> Result<bool, Failure> {
    let (organization, workspace) = ids(scope);
    let at = values![organization, workspace, row.created_at.as_micros()];
    if wire.run(RETIRE, at).await? == 0 {
        return Ok(false);
    }
    wire.run(SHUT, values![workspace]).await?;
    job::put(wire, row).await?;
    announce(
        wire,
        &[
            Announcement::Revoked(Revoked::Credential),
            Announcement::Keys,
        ],
    )
    .await?;
    Ok(true)
}

/// One step: rows of the workspace, up to so many, from the table where the last step ended.
pub(crate) async fn step(
    wire: &Wire<'_>,
    scope: &ScopeKey,
    lease: JobLease,
    (from, limit): (u32, u32),
    until: i64,
) -> Result<EraseStep, Failure> {
    enter(wire, scope, lease, until).await?;
    let (_, workspace) = ids(scope);
    let (mut left, mut next) = (u64::from(limit), from);
    for (table, part) in TABLES.iter().skip(from as usize) {
        let statement = archive::clear(table, *part);
        let erased = wire.run(statement, values![workspace, left]).await?;
        job::add(wire, lease.id, table.name, erased).await?;
        left -= erased;
        if left == 0 {
            break;
        }
        next += 1;
    }
    let rows = u64::from(limit) - left;
    if rows > 0 {
        return Ok(EraseStep {
            rows,
            next,
            is_done: false,
        });
    }
    let rows = erase_own(wire, scope, lease, limit).await?;
    Ok(EraseStep {
        rows: rows.unwrap_or(0),
        next,
        is_done: rows.is_none(),
    })
}

/// Makes sure that whoever asks has the job, and that the workspace was deleted or is no more.
async fn enter(
    wire: &Wire<'_>,
    scope: &ScopeKey,
    lease: JobLease,
    until: i64,
) -> Result<(), Failure> {
    let (organization, workspace) = ids(scope);
    if !job::renew(wire, lease, until).await? {
        return Err(StoreError::Conflict("another holder of this job").into());
    }
    let there = values![organization, workspace];
    if wire.exists(IS_THERE, there).await? || wire.exists(IS_OPEN, values![workspace]).await? {
        return Err(StoreError::Refused("the workspace was not deleted".into()).into());
    }
    Ok(())
}

/// Up to so many of the installation's own rows; at last the workspace's own, which nothing refers to then,
/// and `None`.
async fn erase_own(
    wire: &Wire<'_>,
    scope: &ScopeKey,
    lease: JobLease,
    limit: u32,
) -> Result<Option<u64>, Failure> {
    wire.take_turn().await?;
    let (organization, workspace) = ids(scope);
    let mut left = u64::from(limit);
    for (name, statement) in OWN {
        let up_to = values![organization, workspace, left];
        let erased = wire.run(statement, up_to).await?;
        job::add(wire, lease.id, name, erased).await?;
        left -= erased;
        if left == 0 {
            break;
        }
    }
    if left < u64::from(limit) {
        return Ok(Some(u64::from(limit) - left));
    }
    let ended = wire.run(END, values![organization, workspace]).await?;
    job::add(wire, lease.id, "workspace", ended).await?;
    Ok(None)
}

fn ids(scope: &ScopeKey) -> ([u8; 16], [u8; 16]) {
    (
        scope.organization().to_bytes(),
        scope.workspace().to_bytes(),
    )
}
