//! T07: what would weaken the walls, made on purpose, and the node that refuses the database for it.
//!
//! Roles are the server's own: each test has one, with what a node's has, and leaves none.

use skep_conformance::World;
use skep_store::StoreError;
use skep_store_postgres::{Options, PostgresBackend, migrate_at};

use crate::place::{Place, tls};

/// What is done to the database, how it is undone, and what is said of it.
struct Weakness {
    make: &'static str,
    undo: &'static str,
    said: &'static [&'static str],
}

/// A role as `skep_app` is.
struct Role<'p> {
    place: &'p Place,
    name: String,
}

impl<'p> Role<'p> {
    fn new(place: &'p Place, mark: &str) -> Self {
        let name = format!("skep_test_{mark}_{}", std::process::id());
        place.database.run(&format!(
            "CREATE ROLE {name} LOGIN; GRANT USAGE ON SCHEMA skep TO {name};
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA skep TO {name};
             REVOKE INSERT, UPDATE, DELETE ON skep.refinery_schema_history FROM {name};
             REVOKE UPDATE, DELETE ON skep.audit, skep.audit_seen, skep.usage, skep.ledger_tile, skep.checkpoint, skep.rate_card FROM {name};
             REVOKE UPDATE ON skep.directive, skep.directive_promotion FROM {name};
             REVOKE DELETE ON skep.ledger_head FROM {name};
             GRANT EXECUTE ON FUNCTION skep.erase_audit(uuid, bigint[]), skep.erase_usage(uuid, bigint[]) TO {name}"
        ));
        Self { place, name }
    }

    fn run(&self, statement: &str) {
        let script = format!("SET search_path = skep; {}", self.of(statement));
        self.place.database.run(&script);
    }

    fn of(&self, text: &str) -> String {
        text.replace("NODE", &self.name)
            .replace("DATABASE_NAME", self.place.database.name())
    }

    /// What a node that logs in as the role says of the database, line by line.
    async fn weaknesses(&self) -> Vec<String> {
        let server = self.place.server_for(&self.name);
        match PostgresBackend::open(server, tls(), Options::default()).await {
            Ok(_) => Vec::new(),
            Err(StoreError::Refused(said)) => {
                assert!(said.ends_with("\"When a start is refused\""), "{said}");
                let lines = said.lines();
                let lines = lines.filter_map(|line| line.strip_prefix("  - "));
                lines.map(str::to_owned).collect()
            }
            Err(other) => vec![other.to_string()],
        }
    }
}

impl Drop for Role<'_> {
    fn drop(&mut self) {
        let name = &self.name;
        let _ = self.place.database.server().ask(
            self.place.database.name(),
            &format!("DROP OWNED BY {name}; DROP ROLE {name}"),
        );
    }
}

macro_rules! weaknesses {
    ($($make:literal / $undo:literal => $($said:literal),+;)*) => {
        &[$(Weakness { make: $make, undo: $undo, said: &[$($said),+] }),*]
    };
}

/// Of the role.
const OF_ROLES: &[Weakness] = weaknesses! {
    "ALTER ROLE NODE SUPERUSER" / "ALTER ROLE NODE NOSUPERUSER"
        => "the role NODE is a superuser";
    "ALTER ROLE NODE BYPASSRLS" / "ALTER ROLE NODE NOBYPASSRLS"
        => "the role NODE bypasses row-level security";
    "ALTER ROLE NODE CREATEROLE" / "ALTER ROLE NODE NOCREATEROLE"
        => "the role NODE may make roles";
    "ALTER ROLE NODE CREATEDB" / "ALTER ROLE NODE NOCREATEDB"
        => "the role NODE may make databases";
    "ALTER ROLE NODE REPLICATION" / "ALTER ROLE NODE NOREPLICATION"
        => "the role NODE may copy the whole server";
    "GRANT skep_app TO NODE; ALTER ROLE NODE SET role = skep_app"
        / "ALTER ROLE NODE RESET role; REVOKE skep_app FROM NODE"
        => "the role skep_app is not whom the node logged in as";
    "GRANT skep_owner TO NODE" / "REVOKE skep_owner FROM NODE"
        => "the role NODE is a member of skep_owner";
    "GRANT pg_read_all_data TO NODE" / "REVOKE pg_read_all_data FROM NODE"
        => "the role NODE is a member of pg_read_all_data";
    "ALTER TABLE session OWNER TO NODE"
        / "ALTER TABLE session OWNER TO skep_owner; GRANT SELECT, INSERT, UPDATE, DELETE ON session TO NODE"
        => "NODE owns the table or view session", "the role NODE may TRUNCATE session";
    "CREATE SCHEMA theirs AUTHORIZATION NODE" / "DROP SCHEMA theirs" => "NODE owns the schema theirs";
    "CREATE FUNCTION public.own() RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION public.own() OWNER TO NODE"
        / "DROP FUNCTION public.own()" => "NODE owns the function public.own()";
    "ALTER DATABASE DATABASE_NAME OWNER TO NODE" / "ALTER DATABASE DATABASE_NAME OWNER TO postgres"
        => "NODE owns this database";
    "ALTER ROLE NODE SET row_security = off" / "ALTER ROLE NODE RESET row_security"
        => "the setting row_security is 'off'";
    "ALTER ROLE NODE SET session_replication_role = replica"
        / "ALTER ROLE NODE RESET session_replication_role"
        => "the setting session_replication_role is 'replica'";
    "ALTER ROLE NODE SET skep.workspace = 'x'" / "ALTER ROLE NODE RESET skep.workspace"
        => "the setting skep.workspace is 'x'", "somebody has set skep.workspace for the role NODE";
    "ALTER DATABASE DATABASE_NAME SET skep.installation = 'on'"
        / "ALTER DATABASE DATABASE_NAME RESET skep.installation"
        => "the setting skep.installation is 'on'",
           "somebody has set skep.installation for the role NODE";
};

/// Of the tables and what else is there.
const OF_TABLES: &[Weakness] = weaknesses! {
    "ALTER TABLE turn DISABLE ROW LEVEL SECURITY" / "ALTER TABLE turn ENABLE ROW LEVEL SECURITY"
        => "the table turn is without row-level security";
    "ALTER TABLE turn NO FORCE ROW LEVEL SECURITY" / "ALTER TABLE turn FORCE ROW LEVEL SECURITY"
        => "the table turn lets its owner past row-level security";
    "CREATE POLICY all_too_open ON turn USING (true)" / "DROP POLICY all_too_open ON turn"
        => "the table turn has not exactly one policy";
    "ALTER POLICY own_workspace ON turn RENAME TO gone; DROP POLICY gone ON turn"
        / "CREATE POLICY own_workspace ON turn
           USING (workspace_id = nullif(current_setting('skep.workspace', true), '')::uuid)
           WITH CHECK (workspace_id = nullif(current_setting('skep.workspace', true), '')::uuid)"
        => "the table turn has not exactly one policy";
    "ALTER POLICY own_workspace ON turn TO skep_owner" / "ALTER POLICY own_workspace ON turn TO PUBLIC"
        => "the table turn has a policy for some roles or commands only";
    "ALTER POLICY own_workspace ON turn USING (true)" / "ALTER POLICY own_workspace ON turn
           USING (workspace_id = nullif(current_setting('skep.workspace', true), '')::uuid)"
        => "the table turn has another policy for reading";
    "ALTER POLICY own_workspace ON turn WITH CHECK (true)" / "ALTER POLICY own_workspace ON turn
           WITH CHECK (workspace_id = nullif(current_setting('skep.workspace', true), '')::uuid)"
        => "the table turn has another policy for writing";
    "ALTER POLICY installation ON audit USING (true)" / "ALTER POLICY installation ON audit
           USING (current_setting('skep.installation', true) = 'on')"
        => "the table audit has another policy for reading";
    "CREATE TABLE more (workspace_id uuid)" / "DROP TABLE more"
        => "the table more is without row-level security",
           "the table more lets its owner past row-level security",
           "the table more has not exactly one policy",
           "the role NODE may not SELECT, INSERT, UPDATE, DELETE skep.more";
    "CREATE TABLE public.child () INHERITS (turn)" / "DROP TABLE public.child"
        => "the table public.child is without row-level security",
           "the table public.child lets its owner past row-level security",
           "the table public.child has not exactly one policy";
    "GRANT TRUNCATE ON turn TO NODE" / "REVOKE TRUNCATE ON turn FROM NODE"
        => "the role NODE may TRUNCATE turn";
    "GRANT REFERENCES (id) ON turn TO NODE" / "REVOKE REFERENCES (id) ON turn FROM NODE"
        => "the role NODE may REFERENCES turn";
    "GRANT TRIGGER ON turn TO PUBLIC" / "REVOKE TRIGGER ON turn FROM PUBLIC"
        => "the role NODE may TRIGGER turn";
    "GRANT DELETE ON audit TO NODE" / "REVOKE DELETE ON audit FROM NODE"
        => "the role NODE may DELETE audit";
    "GRANT UPDATE (body) ON audit TO NODE" / "REVOKE UPDATE (body) ON audit FROM NODE"
        => "the role NODE may UPDATE audit";
    "GRANT DELETE ON audit_seen TO NODE" / "REVOKE DELETE ON audit_seen FROM NODE"
        => "the role NODE may DELETE audit_seen";
    "GRANT DELETE ON usage TO NODE" / "REVOKE DELETE ON usage FROM NODE"
        => "the role NODE may DELETE usage";
    "GRANT UPDATE (leaf) ON usage TO NODE" / "REVOKE UPDATE (leaf) ON usage FROM NODE"
        => "the role NODE may UPDATE usage";
    "GRANT UPDATE ON ledger_tile TO NODE" / "REVOKE UPDATE ON ledger_tile FROM NODE"
        => "the role NODE may UPDATE ledger_tile";
    "GRANT DELETE ON ledger_head TO NODE" / "REVOKE DELETE ON ledger_head FROM NODE"
        => "the role NODE may DELETE ledger_head";
    "GRANT UPDATE, DELETE ON checkpoint TO NODE" / "REVOKE UPDATE, DELETE ON checkpoint FROM NODE"
        => "the role NODE may DELETE checkpoint",
           "the role NODE may UPDATE checkpoint";
    "GRANT UPDATE ON refinery_schema_history TO NODE" / "REVOKE UPDATE ON refinery_schema_history FROM NODE"
        => "the role NODE may UPDATE refinery_schema_history";
    "GRANT CREATE ON SCHEMA public TO NODE" / "REVOKE CREATE ON SCHEMA public FROM NODE"
        => "the role NODE may make tables in the schema public";
    "GRANT SELECT ON pg_statistic TO NODE" / "REVOKE SELECT ON pg_statistic FROM NODE"
        => "the role NODE may read pg_statistic, which has values of every workspace";
    "GRANT EXECUTE ON FUNCTION pg_read_file(text) TO NODE" / "REVOKE EXECUTE ON FUNCTION pg_read_file(text) FROM NODE"
        => "the role NODE may call pg_read_file(text)";
    "GRANT CREATE ON DATABASE DATABASE_NAME TO NODE" / "REVOKE CREATE ON DATABASE DATABASE_NAME FROM NODE"
        => "the role NODE may make schemas in this database";
    "CREATE TABLE public.copy AS SELECT * FROM turn; GRANT SELECT (id) ON public.copy TO NODE"
        / "DROP TABLE public.copy"
        => "the role NODE has rights on public.copy, which is not of this program and may be a copy";
    "CREATE SCHEMA old; CREATE TABLE old.turn AS SELECT * FROM turn; GRANT DELETE ON old.turn TO PUBLIC"
        / "DROP SCHEMA old CASCADE"
        => "the role NODE has rights on old.turn, which is not of this program and may be a copy";
    "SELECT lo_create(424242); ALTER LARGE OBJECT 424242 OWNER TO NODE" / "SELECT lo_unlink(424242)"
        => "NODE owns large objects (1 of them)";
    "CREATE VIEW public.w AS SELECT * FROM turn; GRANT SELECT ON public.w TO NODE" / "DROP VIEW public.w"
        => "the view public.w reads as its owner";
    "CREATE VIEW public.w AS SELECT * FROM turn; GRANT DELETE ON public.w TO NODE" / "DROP VIEW public.w"
        => "the view public.w reads as its owner";
    "CREATE MATERIALIZED VIEW public.w AS SELECT * FROM turn; GRANT SELECT (id) ON public.w TO NODE"
        / "DROP MATERIALIZED VIEW public.w" => "the view public.w reads as its owner";
    "CREATE FUNCTION public.f() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT 1::bigint'"
        / "DROP FUNCTION public.f()" => "the function public.f() acts as its owner";
    "ALTER FUNCTION erase_audit(uuid, bigint[]) RESET search_path"
        / "ALTER FUNCTION erase_audit(uuid, bigint[]) SET search_path = skep, pg_temp"
        => "the function erase_audit(uuid,bigint[]) acts as its owner";
    "ALTER FUNCTION erase_usage(uuid, bigint[]) OWNER TO postgres"
        / "ALTER FUNCTION erase_usage(uuid, bigint[]) OWNER TO skep_owner"
        => "the function erase_usage(uuid,bigint[]) acts as its owner";
    "CREATE FUNCTION public.erase_audit(uuid, bigint[]) RETURNS bigint LANGUAGE sql SECURITY DEFINER
         SET search_path = skep, pg_temp AS 'SELECT 1::bigint'"
        / "DROP FUNCTION public.erase_audit(uuid, bigint[])"
        => "the function public.erase_audit(uuid,bigint[]) acts as its owner";
    "ALTER FUNCTION erase_usage(uuid, bigint[]) RENAME TO kept_usage;
     CREATE FUNCTION erase_usage(uuid, bigint[]) RETURNS bigint LANGUAGE sql SECURITY DEFINER
         SET search_path = skep, pg_temp AS 'DELETE FROM usage WHERE organization = $1; SELECT 1::bigint';
     ALTER FUNCTION erase_usage(uuid, bigint[]) OWNER TO skep_owner"
        / "DROP FUNCTION erase_usage(uuid, bigint[]);
           ALTER FUNCTION kept_usage(uuid, bigint[]) RENAME TO erase_usage"
        => "the function erase_usage(uuid,bigint[]) acts as its owner",
           "the function kept_usage(uuid,bigint[]) acts as its owner";
    "CREATE FUNCTION public.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
     CREATE TRIGGER t BEFORE INSERT ON turn FOR EACH ROW EXECUTE FUNCTION public.f()"
        / "DROP TRIGGER t ON turn; DROP FUNCTION public.f()" => "the table turn has a rule or a trigger";
    "CREATE RULE r AS ON DELETE TO turn DO INSTEAD NOTHING" / "DROP RULE r ON turn"
        => "the table turn has a rule or a trigger";
    "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE away (a int) SERVER s"
        / "DROP FOREIGN TABLE away; DROP SERVER s; DROP FOREIGN DATA WRAPPER w"
        => "the table away is not kept here";
};

/// Too little is as bad as too much: whoever asks for that table would be failed.
const OF_RIGHTS: &[Weakness] = weaknesses! {
    "REVOKE SELECT, INSERT, UPDATE, DELETE ON memory FROM NODE"
        / "GRANT SELECT, INSERT, UPDATE, DELETE ON memory TO NODE"
        => "the role NODE may not SELECT, INSERT, UPDATE, DELETE skep.memory";
    "REVOKE INSERT ON audit FROM NODE" / "GRANT INSERT ON audit TO NODE"
        => "the role NODE may not INSERT skep.audit";
    "REVOKE INSERT ON usage FROM NODE" / "GRANT INSERT ON usage TO NODE"
        => "the role NODE may not INSERT skep.usage";
    "REVOKE UPDATE ON ledger_head FROM NODE" / "GRANT UPDATE ON ledger_head TO NODE"
        => "the role NODE may not UPDATE skep.ledger_head";
    "REVOKE DELETE ON proof FROM NODE" / "GRANT DELETE ON proof TO NODE"
        => "the role NODE may not DELETE skep.proof";
    "REVOKE UPDATE ON job FROM NODE" / "GRANT UPDATE ON job TO NODE"
        => "the role NODE may not UPDATE skep.job";
    "REVOKE SELECT ON turn FROM NODE; GRANT SELECT (id) ON turn TO NODE"
        / "REVOKE SELECT (id) ON turn FROM NODE; GRANT SELECT ON turn TO NODE"
        => "the role NODE may not SELECT skep.turn";
    "REVOKE SELECT ON refinery_schema_history FROM NODE" / "GRANT SELECT ON refinery_schema_history TO NODE"
        => "the role NODE may not SELECT skep.refinery_schema_history";
    "REVOKE EXECUTE ON FUNCTION erase_usage(uuid, bigint[]) FROM NODE"
        / "GRANT EXECUTE ON FUNCTION erase_usage(uuid, bigint[]) TO NODE"
        => "the role NODE may not EXECUTE FUNCTION skep.erase_usage(uuid, bigint[])";
    "REVOKE USAGE ON SCHEMA skep FROM NODE" / "GRANT USAGE ON SCHEMA skep TO NODE"
        => "the role NODE may not USAGE SCHEMA skep";
};

async fn each_is_found(mark: &str, all: &[Weakness]) {
    let place = Place::new().await;
    let role = Role::new(&place, mark);
    let clean: Vec<String> = Vec::new();
    assert_eq!(role.weaknesses().await, clean, "as migrated");
    let mut wrong = Vec::new();
    for Weakness { make, undo, said } in all {
        role.run(make);
        let found = role.weaknesses().await;
        let expected: Vec<String> = said.iter().map(|said| role.of(said)).collect();
        // Who owns something may do all that is said of it. Of a superuser nothing else is said.
        let more = (make.contains("OWNER") && !make.contains("LARGE OBJECT"))
            || (make.starts_with("GRANT") && !make.contains(" ON "));
        let fits = expected.iter().all(|said| found.contains(said));
        if !fits || (!more && found.len() != expected.len()) {
            wrong.push((make, found));
        }
        role.run(undo);
        assert_eq!(role.weaknesses().await, clean, "after `{undo}`");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn t07_a_role_that_could_pass_the_walls_is_refused() {
    each_is_found("role", OF_ROLES).await;
}

#[tokio::test]
async fn t07_a_table_without_its_wall_is_refused() {
    each_is_found("table", OF_TABLES).await;
}

#[tokio::test]
async fn t07_a_role_that_may_do_too_little_is_refused() {
    each_is_found("rights", OF_RIGHTS).await;
}

/// A node that serves already is no longer ready; whoever runs the database gives all of it back at once.
#[tokio::test]
async fn a_right_that_is_taken_away_is_noticed_and_given_back() {
    let place = Place::new().await;
    let (admin, node) = (place.administered(), place.server());
    let (server, name) = (place.database.server(), place.database.name().to_owned());
    let world = World::create(place, 1).await;
    world.store().reach().await.unwrap();
    let lost =
        "ALTER TABLE skep.memory OWNER TO skep_app; ALTER TABLE skep.memory OWNER TO skep_owner;
         REVOKE USAGE ON SCHEMA skep FROM skep_app";
    server.run(&name, lost);
    let unready = world.store().reach().await.unwrap_err().to_string();
    assert!(unready.contains("skepd migrate --admin-url"), "{unready}");
    let done = migrate_at(&admin, None).await.unwrap();
    let all = "SELECT, INSERT, UPDATE, DELETE on skep.memory";
    assert_eq!(done.rights, ["USAGE on SCHEMA skep", all]);
    world.store().reach().await.unwrap();
    let done = migrate_at(&admin, None).await.unwrap();
    assert_eq!(done.rights, Vec::<String>::new());
    assert!(
        PostgresBackend::open(node, tls(), Options::default())
            .await
            .is_ok()
    );
}

/// What the walls do not rest on is left alone.
#[tokio::test]
async fn t07_harmless_things_are_no_weakness() {
    let place = Place::new().await;
    let role = Role::new(&place, "harmless");
    role.run(
        "CREATE VIEW public.w WITH (security_invoker = true) AS SELECT * FROM turn;
         GRANT SELECT ON public.w TO NODE;
         CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1';
         CREATE TABLE public.others (a int); CREATE INDEX more ON turn (at); ALTER ROLE NODE SET work_mem = '8MB';
         CREATE EXTENSION pg_stat_statements SCHEMA public",
    );
    assert_eq!(role.weaknesses().await, Vec::<String>::new());
    role.run("DROP VIEW public.w");
}
