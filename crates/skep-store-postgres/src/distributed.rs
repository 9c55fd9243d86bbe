//! A database that is spread over several machines by Citus: all rows of one workspace lie together on one
//! of them, and the installation's own tables stay on the coordinator.
//!
//! A policy is followed where the rows are. The coordinator passes on what `SET LOCAL` says and not what
//! `set_config` says, so there a transaction's word is said both ways. A workspace's machine that was told
//! nothing shows nothing.

use skep_store::StoreError;
use tokio_postgres::Client;

use crate::failure::Failure;
use crate::rows::Wire;
use crate::statement::statements;

statements! {
    IS_DISTRIBUTED = "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')";
}

/// Sent with every connection; no other server minds.
pub(crate) const SESSION: &str = "citus.propagate_set_commands=local";

/// What one administrator made for another role is handed over: the coordinator talks to the others as
/// whoever makes something, and `skep_owner` never logs in.
const HAND_OVER: &str = "
DO $$
DECLARE
    made record;
BEGIN
    FOR made IN
        SELECT c.oid::regclass AS place FROM pg_class AS c
        WHERE c.relnamespace = 'skep'::regnamespace AND c.relkind IN ('r', 'p')
            AND c.relowner <> 'skep_owner'::regrole
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO skep_owner', made.place);
    END LOOP;
    FOR made IN
        SELECT p.oid::regprocedure AS place FROM pg_proc AS p
        WHERE p.pronamespace = 'skep'::regnamespace AND p.proowner <> 'skep_owner'::regrole
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO skep_owner', made.place);
    END LOOP;
END $$;";

/// Tables of workspaces that lie in one place still; what others refer to comes first.
const TOGETHER: &str = "
WITH RECURSIVE tenants AS (
    SELECT c.oid, c.relname FROM pg_class AS c
    WHERE c.relnamespace = 'skep'::regnamespace AND c.relkind IN ('r', 'p') AND EXISTS (
        SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'workspace_id')
        AND NOT EXISTS (SELECT FROM pg_dist_partition AS p WHERE p.logicalrelid = c.oid)
), deep AS (
    SELECT oid, 0 AS depth FROM tenants
    UNION
    SELECT f.conrelid, deep.depth + 1 FROM deep JOIN pg_constraint AS f
        ON f.confrelid = deep.oid AND f.contype = 'f' AND f.conrelid <> f.confrelid
    WHERE deep.depth < 100
)
SELECT 'skep.' || quote_ident(t.relname) FROM tenants AS t JOIN deep ON deep.oid = t.oid
GROUP BY t.relname ORDER BY t.relname <> 'workspace_state', max(deep.depth), t.relname";

const SPREAD_FIRST: &str =
    "SELECT create_distributed_table('skep.workspace_state', 'workspace_id')";
const SPREAD: &str = "SELECT create_distributed_table($1::text::regclass, 'workspace_id',
    colocate_with => 'skep.workspace_state')";
/// What was granted before there were others to tell.
const LET_IN: &str = "GRANT USAGE ON SCHEMA skep TO skep_app";

/// Whether a node's database is one.
pub(crate) async fn is_distributed(wire: &Wire<'_>) -> Result<bool, Failure> {
    wire.get(IS_DISTRIBUTED, &[], |row| row.get(0)).await
}

/// Whether an administrator's is. Only a superuser can speak to its other machines.
pub(crate) async fn is_to_be_spread(admin: &Client) -> Result<bool, Failure> {
    const MAY: &str = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user";
    if !admin
        .query_one(IS_DISTRIBUTED.text, &[])
        .await?
        .get::<_, bool>(0)
    {
        return Ok(false);
    }
    if admin.query_one(MAY, &[]).await?.get(0) {
        return Ok(true);
    }
    Err(StoreError::Refused(
        "this database is spread by Citus: only a superuser can migrate it".into(),
    )
    .into())
}

/// Gives every workspace's rows their place. What was spread before stays.
pub(crate) async fn spread(admin: &Client) -> Result<(), Failure> {
    admin.batch_execute(HAND_OVER).await?;
    for row in admin.query(TOGETHER, &[]).await? {
        let table: &str = row.get(0);
        if table == "skep.workspace_state" {
            admin.query_one(SPREAD_FIRST, &[]).await?;
        } else {
            admin.query_one(SPREAD, &[&table]).await?;
        }
    }
    admin.batch_execute(LET_IN).await?;
    Ok(())
}
