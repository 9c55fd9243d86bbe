-- Background work, and workspaces that were deleted and are being erased.

-- When it was deleted. From then on its key and its name are empty, and nothing finds it but what
-- erases the rest.
ALTER TABLE workspace ADD COLUMN gone_at INTEGER;

CREATE TABLE job (
    id BLOB NOT NULL PRIMARY KEY,
    organization BLOB NOT NULL,
    workspace BLOB,
    kind INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    -- Places are given out by organization: each one's next job stands level with every other's.
    turn INTEGER NOT NULL,
    state INTEGER NOT NULL,
    principal_kind INTEGER NOT NULL,
    principal BLOB NOT NULL,
    credential BLOB NOT NULL,
    claims INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    not_before INTEGER NOT NULL,
    lease_until INTEGER,
    node BLOB,
    created_at INTEGER NOT NULL,
    finished_at INTEGER,
    -- Why it failed or was refused, sealed.
    note BLOB
) STRICT, WITHOUT ROWID;

CREATE INDEX job_open ON job (priority, turn, id) WHERE state IN (0, 1);
CREATE INDEX job_open_of ON job (organization, priority, turn) WHERE state IN (0, 1);
CREATE INDEX job_taken ON job (priority, turn) WHERE claims > 0;
CREATE INDEX job_of ON job (organization, id);

-- What a job counted, by table.
CREATE TABLE job_count (
    job BLOB NOT NULL REFERENCES job (id),
    name TEXT NOT NULL,
    tally INTEGER NOT NULL,
    PRIMARY KEY (job, name)
) STRICT, WITHOUT ROWID;
