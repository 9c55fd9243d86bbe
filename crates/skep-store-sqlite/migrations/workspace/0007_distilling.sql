-- Distilling: which command sequences succeeded in which sessions, and what a model has cost.

-- `run` is a keyed digest of a sequence of commands: that two sessions did the same is seen here,
-- what they did is not.
CREATE TABLE command_run (
    workspace_id BLOB NOT NULL,
    run BLOB NOT NULL,
    session BLOB NOT NULL,
    PRIMARY KEY (workspace_id, run, session),
    FOREIGN KEY (workspace_id, session) REFERENCES session (workspace_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX command_run_by_session ON command_run (workspace_id, session);
