-- Templates, a row for each version that was drafted. What it says, and why somebody decided what, are
-- sealed; `name` is keyed.
CREATE TABLE template (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    name bytea NOT NULL,
    version integer NOT NULL,
    -- 0 waits, 1 approved, 2 rejected, 3 superseded, 4 withdrawn.
    state smallint NOT NULL,
    drafter_kind smallint NOT NULL,
    drafter uuid NOT NULL,
    at bigint NOT NULL,
    decider_kind smallint,
    decider uuid,
    decided_at bigint,
    body bytea NOT NULL,
    decision bytea,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, name, version)
);

CREATE INDEX template_by_state ON template (workspace_id, state, id);
-- One version of each may be used.
CREATE UNIQUE INDEX template_approved ON template (workspace_id, name) WHERE state = 1;

-- Requests of agents for templates, and grants, whether they were asked for or not. `template` is the
-- keyed name; a grant without an agent is for every one.
CREATE TABLE secret_access (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    template bytea NOT NULL,
    agent uuid,
    -- 0 waits, 1 granted, 2 refused, 3 revoked, 4 superseded.
    state smallint NOT NULL,
    asker_kind smallint NOT NULL,
    asker uuid NOT NULL,
    at bigint NOT NULL,
    until bigint,
    decider_kind smallint,
    decider uuid,
    decided_at bigint,
    body bytea NOT NULL,
    decision bytea,
    PRIMARY KEY (workspace_id, id)
);

CREATE INDEX secret_access_by_state ON secret_access (workspace_id, state, template, agent);
-- What is asked for again while it waits is the same request.
CREATE UNIQUE INDEX secret_access_waiting ON secret_access (workspace_id, template, agent) WHERE state = 0;

ALTER TABLE template ENABLE ROW LEVEL SECURITY;
ALTER TABLE template FORCE ROW LEVEL SECURITY;
CREATE POLICY own_workspace ON template
    USING (workspace_id = nullif(current_setting('skep.workspace', true), '')::uuid)
    WITH CHECK (workspace_id = nullif(current_setting('skep.workspace', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON template TO skep_app;

ALTER TABLE secret_access ENABLE ROW LEVEL SECURITY;
ALTER TABLE secret_access FORCE ROW LEVEL SECURITY;
CREATE POLICY own_workspace ON secret_access
    USING (workspace_id = nullif(current_setting('skep.workspace', true), '')::uuid)
    WITH CHECK (workspace_id = nullif(current_setting('skep.workspace', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON secret_access TO skep_app;
