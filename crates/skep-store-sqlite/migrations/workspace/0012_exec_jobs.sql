-- Runs of programs with secrets. What was filled in, and what came of it, are sealed. `host` is whose vault
-- the secrets are in, and `turn` the place among all runs of that host.
CREATE TABLE exec_job (
    workspace_id BLOB NOT NULL,
    id BLOB NOT NULL,
    host BLOB NOT NULL,
    turn INTEGER NOT NULL,
    -- 0 queued, 1 running; all others are final: 2 ended, 3 refused, 4 failed, 5 cancelled, 6 interrupted,
    -- 7 expired.
    state INTEGER NOT NULL,
    asker_kind INTEGER NOT NULL,
    asker BLOB NOT NULL,
    credential BLOB NOT NULL,
    template BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    is_cancelled INTEGER NOT NULL,
    -- Of the outcome, in bytes.
    size INTEGER NOT NULL,
    body BLOB NOT NULL,
    outcome BLOB,
    PRIMARY KEY (workspace_id, id)
) STRICT;

CREATE INDEX exec_job_by_asker ON exec_job (workspace_id, asker, id);
CREATE INDEX exec_job_open ON exec_job (workspace_id, host, turn) WHERE state < 2;
CREATE INDEX exec_job_kept ON exec_job (workspace_id, id, size, ended_at) WHERE state >= 2;
