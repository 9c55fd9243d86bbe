//! What the tables of a database have of a workspace, as the server's administrator sees them.

use std::collections::{BTreeMap, BTreeSet};

use skep_test_programs::postgres::Database;

/// Rows, by table.
pub(crate) type Counts = BTreeMap<String, u64>;

/// Every row of one workspace again in another one, as it is and under further ids; and some of the
/// installation's own. They open in neither.
const COPY: &str = "
    SET session_replication_role = replica;
    DO $$
    DECLARE t record;
    BEGIN
        FOR t IN SELECT c.relname
            FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
            WHERE c.relnamespace = 'skep'::regnamespace AND c.relkind = 'r' AND c.relname <> 'workspace_state'
                AND a.attname = 'workspace_id'
        LOOP
            EXECUTE format($f$
                INSERT INTO skep.%1$I SELECT (jsonb_populate_record(r, o.further || jsonb_build_object(
                    'workspace_id', '{to}'))).*
                FROM skep.%1$I AS r CROSS JOIN generate_series(0, {times} - 1) AS k CROSS JOIN LATERAL (
                    SELECT coalesce(jsonb_object_agg(key, CASE key WHEN 'fingerprint'
                        THEN '\\x' || md5(value || k) ELSE md5(value || k)::uuid::text END), '{}') AS further
                    FROM jsonb_each_text(to_jsonb(r))
                    WHERE k > 0 AND key <> 'workspace_id' AND value IS NOT NULL AND (key = 'fingerprint'
                        OR value ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$')) AS o
                WHERE workspace_id = '{from}' ON CONFLICT DO NOTHING $f$, t.relname);
        END LOOP;
    END $$;
    INSERT INTO skep.credential SELECT (jsonb_populate_record(c, jsonb_build_object('workspace', '{to}',
            'kind', 3, 'id', gen_random_uuid(), 'created_by', NULL))).*
        FROM skep.credential AS c, generate_series(1, 20);
    INSERT INTO skep.agent (organization, workspace, id, name, fingerprint, policy, created_at)
        SELECT organization, id, gen_random_uuid(), '', decode(md5(k::text), 'hex'), 'isolated', 1
        FROM skep.workspace, generate_series(1, 20) AS k WHERE id = '{to}'";

/// The id of the workspace that this is true of, as the database has it.
pub(crate) fn workspace(database: &Database, holds: &str) -> String {
    database.query(&format!("SELECT id FROM skep.workspace WHERE {holds}"))
}

/// Fills a workspace with so many copies of each row of another.
pub(crate) fn copy(database: &Database, (from, to): (&str, &str), times: u32) {
    let script = COPY.replace("{times}", &times.to_string());
    database.run(&script.replace("{from}", from).replace("{to}", to));
}

/// How many rows each table has of a workspace, but for the record and the receipts.
pub(crate) fn of(database: &Database, workspace: &str) -> Counts {
    let said = database.query(&format!(
        "SELECT c.relname || ' ' || (xpath('//n/text()', query_to_xml(format(
             'SELECT count(*) AS n FROM skep.%I WHERE %I = %L', c.relname, a.attname, '{workspace}'),
             false, true, '')))[1]
         FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
         WHERE c.relnamespace = 'skep'::regnamespace AND c.relkind = 'r' AND (
             a.attname = 'workspace_id' OR c.relname = 'workspace' AND a.attname = 'id'
             OR c.relname NOT IN ('job', 'audit', 'usage') AND a.attname = 'workspace')"
    ));
    counts(&said)
}

/// What jobs have counted.
pub(crate) fn counted(database: &Database) -> Counts {
    counts(&database.query("SELECT name || ' ' || tally FROM skep.job_count"))
}

/// Every row of a workspace, as a number of each table; but for the snapshot of its index, which is made anew.
pub(crate) fn contents(database: &Database, workspace: &str) -> BTreeSet<String> {
    let said = database.query(&format!(
        "SELECT c.relname || ' ' || (xpath('//n/text()', query_to_xml(format(
             'SELECT count(*) || '' '' || md5(coalesce(string_agg(t::text, '' '' ORDER BY t::text), ''none'')) AS n
              FROM skep.%I AS t WHERE workspace_id = %L', c.relname, '{workspace}'), false, true, '')))[1]
         FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
         WHERE c.relnamespace = 'skep'::regnamespace AND c.relkind = 'r' AND a.attname = 'workspace_id'
             AND c.relname <> 'index_snapshot'"
    ));
    said.lines().map(str::to_owned).collect()
}

/// Tables in which the id of a workspace is anywhere at all.
pub(crate) fn mentions(database: &Database, workspace: &str) -> BTreeSet<String> {
    let bare = workspace.replace('-', "");
    let said = database.query(&format!(
        "SELECT relname FROM pg_class WHERE relnamespace = 'skep'::regnamespace AND relkind = 'r'
             AND (xpath('//n/text()', query_to_xml(format(
                 'SELECT count(*) AS n FROM skep.%I AS t WHERE t::text ~ %L', relname, '{workspace}|{bare}'),
                 false, true, '')))[1]::text <> '0'"
    ));
    said.lines().map(str::to_owned).collect()
}

fn counts(said: &str) -> Counts {
    let pairs = said.lines().map(|line| line.split_once(' ').unwrap());
    let pairs = pairs.map(|(name, count)| (name.to_owned(), count.parse().unwrap()));
    pairs.filter(|(_, count)| *count > 0).collect()
}
