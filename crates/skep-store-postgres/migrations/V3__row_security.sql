-- The database's own walls: a transaction that names no workspace sees no row of any, one that names a
-- workspace sees its rows and not the installation's, and one in the installation's own tables sees no
-- workspace's. FORCE: the owner too.
DO $$
DECLARE
    known record;
BEGIN
    FOR known IN
        SELECT c.oid::regclass AS place, EXISTS (
            SELECT 1 FROM pg_attribute AS a
            WHERE a.attrelid = c.oid AND a.attname = 'workspace_id' AND NOT a.attisdropped
        ) AS is_tenants
        FROM pg_class AS c
        WHERE c.relnamespace = 'skep'::regnamespace AND c.relkind IN ('r', 'p')
            AND c.relname <> 'refinery_schema_history'
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', known.place);
        EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', known.place);
        IF known.is_tenants THEN
            EXECUTE format('CREATE POLICY own_workspace ON %s
                USING (workspace_id = nullif(current_setting(''skep.workspace'', true), '''')::uuid)
                WITH CHECK (workspace_id = nullif(current_setting(''skep.workspace'', true), '''')::uuid)',
                known.place);
        ELSE
            EXECUTE format('CREATE POLICY installation ON %s
                USING (current_setting(''skep.installation'', true) = ''on'')
                WITH CHECK (current_setting(''skep.installation'', true) = ''on'')',
                known.place);
        END IF;
    END LOOP;
END $$;

GRANT USAGE ON SCHEMA skep TO skep_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA skep TO skep_app;
REVOKE INSERT, UPDATE, DELETE ON refinery_schema_history FROM skep_app;
-- Rows are added and never changed.
REVOKE UPDATE, DELETE ON audit FROM skep_app;
