//! What would weaken the walls between workspaces, looked for before anything is served.
//!
//! The walls hold because the role that a node logs in as can neither pass nor move them. Whoever runs the
//! database can undo that with one statement, by mistake too; so it is asked of the catalog at every start.

use skep_store::StoreError;

use crate::failure::Failure;
use crate::migrate;
use crate::rights;
use crate::rows::Wire;
use crate::statement::{Statement, statements};
use crate::value::values;

/// Weaknesses told one by one: an administrator owns the whole catalog.
const SHOWN: usize = 40;

/// Said after the list. The page has a statement for each of its lines.
const WHAT_TO_DO: &str = "nodes log in as skep_app (store.user), which `skepd migrate --admin-url` makes, and gives \
                          the rights that it lacks; what undoes each of these is in docs/postgres.md, \
                          \"When a start is refused\"";

/// What each policy has to say, as the server writes it.
const OWN_WORKSPACE: &str =
    "(workspace_id = (NULLIF(current_setting('skep.workspace'::text, true), ''::text))::uuid)";
const INSTALLATION: &str = "(current_setting('skep.installation'::text, true) = 'on'::text)";

statements! {
    /// And whether that is all there is to say: it may do everything.
    ROLE = "SELECT format('the role %s %s', r.rolname, w.what), r.rolsuper
            FROM pg_roles AS r CROSS JOIN LATERAL (VALUES
                (r.rolsuper, 'is a superuser'),
                (r.rolbypassrls, 'bypasses row-level security'),
                (r.rolcreaterole, 'may make roles'),
                (r.rolcreatedb, 'may make databases'),
                (r.rolreplication, 'may copy the whole server'),
                (session_user <> current_user, 'is not whom the node logged in as')
            ) AS w (holds, what)
            WHERE r.rolname = current_user AND w.holds";
    MEMBERSHIP = "SELECT format('the role %s is a member of %s', current_user, g.rolname)
                  FROM pg_auth_members AS m JOIN pg_roles AS g ON g.oid = m.roleid
                  WHERE m.member = (SELECT oid FROM pg_roles WHERE rolname = current_user)";
    OWNERSHIP = "SELECT format('%s owns %s', current_user, o.what) FROM (
                     SELECT format('the table or view %s', c.oid::regclass) AS what, c.relowner AS owner
                     FROM pg_class AS c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
                     UNION ALL
                     SELECT format('the schema %s', n.nspname), n.nspowner FROM pg_namespace AS n
                     UNION ALL
                     SELECT format('the function %s', p.oid::regprocedure), p.proowner
                     FROM pg_proc AS p
                     UNION ALL
                     SELECT format('large objects (%s of them)', count(*)), l.lomowner
                     FROM pg_largeobject_metadata AS l GROUP BY l.lomowner
                     UNION ALL
                     SELECT 'this database', d.datdba
                     FROM pg_database AS d WHERE d.datname = current_database()
                 ) AS o
                 WHERE o.owner = (SELECT oid FROM pg_roles WHERE rolname = current_user)
                     AND o.what !~ 'pg_temp_|pg_toast_temp_'";
    /// Every table is behind one wall or the other, whole, and nothing else is said of it.
    WALLS = "SELECT format('the table %s %s', t.place, w.what) FROM (
                 SELECT c.oid::regclass AS place, c.relrowsecurity AS enabled,
                     c.relforcerowsecurity AS forced, EXISTS (
                         SELECT 1 FROM pg_attribute AS a WHERE a.attrelid = c.oid
                         AND a.attname = 'workspace_id' AND NOT a.attisdropped) AS is_tenants,
                     (SELECT count(*) FROM pg_policy AS p WHERE p.polrelid = c.oid) AS policies,
                     p.polcmd = '*' AND p.polpermissive AND p.polroles = '{0}' AS is_for_all,
                     pg_get_expr(p.polqual, p.polrelid) AS reads,
                     pg_get_expr(p.polwithcheck, p.polrelid) AS writes
                 FROM pg_class AS c LEFT JOIN LATERAL (
                     SELECT * FROM pg_policy AS p WHERE p.polrelid = c.oid LIMIT 1) AS p ON true
                 WHERE c.relkind IN ('r', 'p') AND c.relname <> 'refinery_schema_history'
                     AND (c.relnamespace = 'skep'::regnamespace OR EXISTS (
                         SELECT 1 FROM pg_inherits AS i JOIN pg_class AS parent ON parent.oid = i.inhparent
                         WHERE i.inhrelid = c.oid AND parent.relnamespace = 'skep'::regnamespace))
             ) AS t CROSS JOIN LATERAL (VALUES
                 (t.enabled, 'is without row-level security'),
                 (t.forced, 'lets its owner past row-level security'),
                 (t.policies = 1, 'has not exactly one policy'),
                 (coalesce(t.is_for_all, true), 'has a policy for some roles or commands only'),
                 (t.policies <> 1 OR (t.reads = CASE WHEN t.is_tenants THEN $1::text ELSE $2::text END)
                     IS TRUE, 'has another policy for reading'),
                 (t.policies <> 1 OR (t.writes = CASE WHEN t.is_tenants THEN $1 ELSE $2 END)
                     IS TRUE, 'has another policy for writing')
             ) AS w (holds, what)
             WHERE NOT w.holds";
    GRANTS = "SELECT format('the role %s may %s %s', current_user, p.what, c.oid::regclass)
              FROM pg_class AS c CROSS JOIN (VALUES ('TRUNCATE'), ('REFERENCES'), ('TRIGGER'),
                  ('UPDATE'), ('DELETE'), ('INSERT')) AS p (what)
              WHERE c.relnamespace = 'skep'::regnamespace AND c.relkind IN ('r', 'p')
                  AND (has_table_privilege(c.oid, p.what) OR (p.what IN ('UPDATE', 'INSERT', 'REFERENCES')
                      AND has_any_column_privilege(c.oid, p.what)))
                  AND (p.what IN ('TRUNCATE', 'REFERENCES', 'TRIGGER')
                      OR (c.relname IN ('audit', 'audit_seen', 'usage', 'ledger_tile', 'checkpoint', 'rate_card') AND p.what <> 'INSERT')
                      OR (c.relname = 'ledger_head' AND p.what = 'DELETE')
                      OR (c.relname IN ('directive', 'directive_promotion') AND p.what = 'UPDATE')
                      OR c.relname = 'refinery_schema_history')
              UNION ALL
              SELECT format('the role %s may make tables in the schema %s', current_user, n.nspname)
              FROM pg_namespace AS n
              WHERE n.nspname IN ('skep', 'public') AND has_schema_privilege(n.oid, 'CREATE')
              UNION ALL
              SELECT format('the role %s may make schemas in this database', current_user)
              WHERE has_database_privilege(current_database(), 'CREATE')
              UNION ALL
              SELECT format('the role %s has rights on %s, which is not of this program and may be a copy',
                  current_user, c.oid::regclass)
              FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
              WHERE c.relkind IN ('r', 'p', 'f') AND n.nspname NOT IN ('skep', 'information_schema')
                  AND n.nspname !~ '^pg_'
                  AND (has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE')
                      OR has_table_privilege(c.oid, 'DELETE'))
                  AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass
                      AND d.objid = c.oid AND d.deptype = 'e')
              UNION ALL
              SELECT format('the role %s may read %s, which has values of every workspace', current_user,
                  c.oid::regclass)
              FROM pg_class AS c
              WHERE c.oid IN ('pg_catalog.pg_statistic'::regclass,
                      'pg_catalog.pg_statistic_ext_data'::regclass)
                  AND has_any_column_privilege(c.oid, 'SELECT')
              UNION ALL
              SELECT format('the role %s may call %s', current_user, p.oid::regprocedure)
              FROM pg_proc AS p
              WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname IN ('pg_read_file',
                      'pg_read_binary_file', 'pg_file_write', 'lo_import', 'lo_export')
                  AND has_function_privilege(p.oid, 'EXECUTE')";
    /// A view reads with its owner's eyes unless it says otherwise; a function may act with its owner's hands. Two of
    /// ours do, and are as they were made.
    DETOURS = "SELECT format('the view %s reads as its owner', c.oid::regclass)
               FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
               WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
                   AND (has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE')
                       OR has_table_privilege(c.oid, 'DELETE'))
                   AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass
                       AND d.objid = c.oid AND d.deptype = 'e')
                   AND (c.relkind = 'm' OR (c.relkind = 'v'
                       AND NOT coalesce(c.reloptions @> '{security_invoker=true}', false)
                       AND NOT coalesce(c.reloptions @> '{security_invoker=on}', false)))
               UNION ALL
               SELECT format('the table %s is not kept here', c.oid::regclass)
               FROM pg_class AS c
               WHERE c.relnamespace = 'skep'::regnamespace AND c.relkind = 'f'
               UNION ALL
               SELECT format('the function %s acts as its owner', p.oid::regprocedure)
               FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
               WHERE p.prosecdef AND n.nspname NOT IN ('pg_catalog', 'information_schema')
                   AND has_function_privilege(p.oid, 'EXECUTE')
                   AND (format('%s.%s(%s)%s', n.nspname, p.proname, oidvectortypes(p.proargtypes), p.prosrc)
                           IN ($1::text, $2::text)
                       AND p.proconfig = ARRAY['search_path=skep, pg_temp']
                       AND p.proowner IN (SELECT oid FROM pg_roles WHERE rolname = 'skep_owner')) IS NOT TRUE
               UNION ALL
               SELECT format('the table %s has a rule or a trigger', c.oid::regclass)
               FROM pg_class AS c
               WHERE c.relnamespace = 'skep'::regnamespace AND c.relkind IN ('r', 'p') AND (
                   EXISTS (SELECT 1 FROM pg_trigger AS t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)
                   OR EXISTS (SELECT 1 FROM pg_rewrite AS r WHERE r.ev_class = c.oid))";
    SETTINGS = "SELECT format('the setting %s is %L', s.name, s.value) FROM (VALUES
                    ('row_security', current_setting('row_security'), 'on'),
                    ('search_path', current_setting('search_path'), 'skep,pg_temp'),
                    ('session_replication_role', current_setting('session_replication_role'), 'origin'),
                    ('skep.workspace', coalesce(current_setting('skep.workspace', true), ''), ''),
                    ('skep.installation', coalesce(current_setting('skep.installation', true), ''), '')
                ) AS s (name, value, wanted)
                WHERE replace(s.value, ' ', '') <> s.wanted
                UNION ALL
                SELECT format('somebody has set %s for the role %s', split_part(o.option, '=', 1),
                    current_user)
                FROM pg_db_role_setting AS d CROSS JOIN LATERAL unnest(d.setconfig) AS o (option)
                WHERE d.setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = current_user))
                    AND d.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
                    AND o.option LIKE 'skep.%'
                UNION ALL
                SELECT format('the server is PostgreSQL %s: 15 or later is needed',
                    current_setting('server_version'))
                WHERE current_setting('server_version_num')::integer < 150000";
    SERVER = "SELECT split_part(current_setting('server_version'), ' ', 1)";
    VERSIONS = "SELECT count(*), max(version) FROM refinery_schema_history";
}

/// The functions that erase entries of the ledger, each with its text.
fn erasing() -> [String; 2] {
    const MADE: &str = include_str!("../migrations/V15__erase.sql");
    let mut texts = MADE.split("$$").skip(1).step_by(2);
    ["erase_audit", "erase_usage"].map(|name| {
        let text = texts.next().unwrap_or_default();
        format!("skep.{name}(uuid, bigint[]){text}")
    })
}

/// Everything that is wrong, in words for whoever runs the database.
pub(crate) async fn weaknesses(wire: &Wire<'_>) -> Result<Vec<String>, Failure> {
    const ASKED: [Statement; 4] = [MEMBERSHIP, OWNERSHIP, GRANTS, SETTINGS];
    let read = |row: &crate::row::Row| Ok((row.get(0)?, row.get(1)?));
    let of_role: Vec<(String, bool)> = wire.list(ROLE, &[], read).await?;
    let may_all = of_role.iter().any(|(_, may_all)| *may_all);
    let mut found: Vec<String> = of_role.into_iter().map(|(said, _)| said).collect();
    if may_all {
        return Ok(found);
    }
    for statement in ASKED {
        found.extend(wire.list(statement, &[], |row| row.get(0)).await?);
    }
    let [erases_audit, erases_usage] = erasing();
    let ours = values![erases_audit, erases_usage];
    found.extend(wire.list(DETOURS, ours, |row| row.get(0)).await?);
    let policies = values![OWN_WORKSPACE, INSTALLATION];
    found.extend(wire.list(WALLS, policies, |row| row.get(0)).await?);
    Ok(found)
}

/// Whether the schema is this program's.
pub(crate) async fn version(wire: &Wire<'_>) -> Result<(), Failure> {
    let read = |row: &crate::row::Row| Ok((row.get::<u64>(0)?, row.get::<Option<u32>>(1)?));
    let (applied, last) = wire.get(VERSIONS, &[], read).await?;
    let known = migrate::count();
    if applied == known && last.map(u64::from) == Some(known) {
        return Ok(());
    }
    let what = if applied < known {
        "run `skepd migrate --admin-url` as whoever runs the database"
    } else {
        "it was migrated by a later version of this program: update this node"
    };
    Err(StoreError::Refused(format!(
        "the database has {applied} of the {known} migrations that this node knows: {what}"
    ))
    .into())
}

/// Refuses a database whose walls are weak, or that lets the node do too little, with all that is wrong; else,
/// which version the server is of.
pub(crate) async fn check(wire: &Wire<'_>) -> Result<String, Failure> {
    let lacking = rights::lacking(wire).await?;
    // Without a right, the version may be what it cannot read.
    if lacking.is_empty() {
        version(wire).await?;
    }
    let weak = weaknesses(wire).await?;
    let why = match (weak.is_empty(), lacking.is_empty()) {
        (true, true) => return wire.get(SERVER, &[], |row| row.get(0)).await,
        (true, false) => "does not let this node do its work",
        (false, _) => "does not keep workspaces apart",
    };
    let found = [weak, lacking].concat();
    let mut list = found[..found.len().min(SHOWN)].join("\n  - ");
    if found.len() > SHOWN {
        let more = found.len() - SHOWN;
        list.push_str(&format!("\n  - and {more} more"));
    }
    Err(StoreError::Refused(format!(
        "the database {why}, so this node does not serve it:\n  - {list}\n{WHAT_TO_DO}"
    ))
    .into())
}
