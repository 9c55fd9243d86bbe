-- Background work, and workspaces that were deleted and are being erased.

-- When it was deleted. From then on its key and its name are empty, its row in `workspace_state` is no
-- more, and nothing finds it but what erases the rest.
ALTER TABLE workspace ADD COLUMN gone_at bigint;

CREATE TABLE job (
    id uuid NOT NULL PRIMARY KEY,
    organization uuid NOT NULL,
    workspace uuid,
    kind smallint NOT NULL,
    priority smallint NOT NULL,
    -- Places are given out by organization: each one's next job stands level with every other's.
    turn bigint NOT NULL,
    state smallint NOT NULL,
    principal_kind smallint NOT NULL,
    principal uuid NOT NULL,
    credential uuid NOT NULL,
    claims bigint NOT NULL DEFAULT 0,
    failures bigint NOT NULL DEFAULT 0,
    not_before bigint NOT NULL,
    lease_until bigint,
    node uuid,
    created_at bigint NOT NULL,
    finished_at bigint,
    -- Why it failed or was refused, sealed.
    note bytea
);

CREATE INDEX job_open ON job (priority, turn, id) WHERE state IN (0, 1);
CREATE INDEX job_open_of ON job (organization, priority, turn) WHERE state IN (0, 1);
CREATE INDEX job_taken ON job (priority, turn) WHERE claims > 0;
CREATE INDEX job_of ON job (organization, id);

-- What a job counted, by table.
CREATE TABLE job_count (
    job uuid NOT NULL REFERENCES job (id),
    name text NOT NULL,
    tally bigint NOT NULL,
    PRIMARY KEY (job, name)
);


ALTER TABLE job ENABLE ROW LEVEL SECURITY;
ALTER TABLE job FORCE ROW LEVEL SECURITY;
CREATE POLICY installation ON job
    USING (current_setting('skep.installation', true) = 'on')
    WITH CHECK (current_setting('skep.installation', true) = 'on');
ALTER TABLE job_count ENABLE ROW LEVEL SECURITY;
ALTER TABLE job_count FORCE ROW LEVEL SECURITY;
CREATE POLICY installation ON job_count
    USING (current_setting('skep.installation', true) = 'on')
    WITH CHECK (current_setting('skep.installation', true) = 'on');

GRANT SELECT, INSERT, UPDATE ON job, job_count TO skep_app;
