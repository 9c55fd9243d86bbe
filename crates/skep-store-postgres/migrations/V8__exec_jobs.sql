-- Runs of programs with secrets. What was filled in, and what came of it, are sealed. `host` is whose vault
-- the secrets are in, and `turn` the place among all runs of that host.
CREATE TABLE exec_job (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    host bytea NOT NULL,
    turn bigint NOT NULL,
    -- 0 queued, 1 running; all others are final: 2 ended, 3 refused, 4 failed, 5 cancelled, 6 interrupted,
    -- 7 expired.
    state smallint NOT NULL,
    asker_kind smallint NOT NULL,
    asker uuid NOT NULL,
    credential uuid NOT NULL,
    template uuid NOT NULL,
    created_at bigint NOT NULL,
    started_at bigint,
    ended_at bigint,
    is_cancelled boolean NOT NULL,
    -- Of the outcome, in bytes.
    size bigint NOT NULL,
    body bytea NOT NULL,
    outcome bytea,
    PRIMARY KEY (workspace_id, id)
);

CREATE INDEX exec_job_by_asker ON exec_job (workspace_id, asker, id);
CREATE INDEX exec_job_open ON exec_job (workspace_id, host, turn) WHERE state < 2;
CREATE INDEX exec_job_kept ON exec_job (workspace_id, id) INCLUDE (size, ended_at) WHERE state >= 2;

ALTER TABLE exec_job ENABLE ROW LEVEL SECURITY;
ALTER TABLE exec_job FORCE ROW LEVEL SECURITY;
CREATE POLICY own_workspace ON exec_job
    USING (workspace_id = nullif(current_setting('skep.workspace', true), '')::uuid)
    WITH CHECK (workspace_id = nullif(current_setting('skep.workspace', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON exec_job TO skep_app;
