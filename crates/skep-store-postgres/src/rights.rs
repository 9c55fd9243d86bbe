//! What a node has to be let do, and what it lacks of it.
//!
//! Rights go with one statement, and by accident: a table that changes hands and comes back has lost those it
//! had given. A node that lacks one would start, say that it is ready, and fail whoever asks for that table.

use skep_store::StoreError;
use tokio_postgres::Client;

use crate::failure::Failure;
use crate::rows::Wire;
use crate::statement::statements;
use crate::value::values;

statements! {
    /// Of the role that is named, or of one's own. Nothing is missing of a schema that is not there.
    pub(crate) LACKING = "WITH node AS (SELECT coalesce($1::text, current_user::text)::name AS role)
               SELECT 'USAGE', 'SCHEMA skep', quote_ident(node.role) FROM node
               WHERE NOT has_schema_privilege(node.role, to_regnamespace('skep')::oid, 'USAGE')
               UNION ALL
               SELECT string_agg(p.what, ', ' ORDER BY p.at), format('skep.%I', c.relname),
                   quote_ident(node.role)
               FROM node CROSS JOIN pg_class AS c CROSS JOIN unnest(
                   ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) WITH ORDINALITY AS p (what, at)
               WHERE c.relnamespace = to_regnamespace('skep') AND c.relkind IN ('r', 'p')
                   AND CASE c.relname
                       WHEN 'refinery_schema_history' THEN p.what = 'SELECT'
                       WHEN 'audit' THEN p.what IN ('SELECT', 'INSERT')
                       WHEN 'audit_seen' THEN p.what IN ('SELECT', 'INSERT')
                       WHEN 'usage' THEN p.what IN ('SELECT', 'INSERT')
                       WHEN 'ledger_tile' THEN p.what IN ('SELECT', 'INSERT')
                       WHEN 'checkpoint' THEN p.what IN ('SELECT', 'INSERT')
                       WHEN 'ledger_head' THEN p.what <> 'DELETE'
                       WHEN 'proof' THEN p.what <> 'UPDATE'
                       WHEN 'rate_card' THEN p.what IN ('SELECT', 'INSERT')
                       WHEN 'directive' THEN p.what <> 'UPDATE'
                       WHEN 'directive_promotion' THEN p.what <> 'UPDATE'
                       WHEN 'usage_day' THEN p.what <> 'DELETE'
                       WHEN 'job' THEN p.what <> 'DELETE'
                       WHEN 'job_count' THEN p.what <> 'DELETE'
                       ELSE true END
                   AND NOT has_table_privilege(node.role, c.oid, p.what)
               GROUP BY c.relname, node.role
               UNION ALL
               SELECT 'EXECUTE', format('FUNCTION skep.%I(%s)', p.proname,
                   pg_get_function_identity_arguments(p.oid)), quote_ident(node.role)
               FROM node CROSS JOIN pg_proc AS p
               WHERE p.pronamespace = to_regnamespace('skep') AND p.proname IN ('erase_audit', 'erase_usage')
                   AND NOT has_function_privilege(node.role, p.oid, 'EXECUTE')
               ORDER BY 2";
}

/// What a role lacks of one thing.
struct Lack {
    what: String,
    place: String,
    role: String,
}

impl Lack {
    fn said(&self) -> String {
        let Self { what, place, role } = self;
        format!("the role {role} may not {what} {place}")
    }

    /// What gives it.
    fn grant(&self) -> String {
        let Self { what, place, role } = self;
        format!("GRANT {what} ON {place} TO {role}")
    }
}

/// What this node lacks, in words.
pub(crate) async fn lacking(wire: &Wire<'_>) -> Result<Vec<String>, Failure> {
    let read = |row: &crate::row::Row| {
        let (what, place, role) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(Lack { what, place, role }.said())
    };
    wire.list(LACKING, values![None::<String>], read).await
}

/// For a database that took a right away from a node that serves it.
pub(crate) fn taken() -> StoreError {
    StoreError::Refused(
        "the database does not let this node do its work: `skepd migrate --admin-url` gives back what \
         its role lacks"
            .into(),
    )
}

/// Gives `skep_app` what it lacks, and says of what.
pub(crate) async fn restore(admin: &Client) -> Result<Vec<String>, Failure> {
    let rows = admin.query(LACKING.text, &[&Some("skep_app")]).await?;
    let mut given = Vec::new();
    for row in &rows {
        let (what, place, role) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let lack = Lack { what, place, role };
        admin.batch_execute(&lack.grant()).await?;
        given.push(format!("{} on {}", lack.what, lack.place));
    }
    Ok(given)
}
