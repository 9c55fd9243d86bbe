-- Skills, a row for each version that was proposed. What it says of itself, its files, and why somebody
-- decided what are sealed; `name` is keyed.
CREATE TABLE skill (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    name bytea NOT NULL,
    version integer NOT NULL,
    -- 0 waits, 1 approved, 2 rejected, 3 superseded, 4 withdrawn.
    state smallint NOT NULL,
    proposer_kind smallint NOT NULL,
    proposer uuid NOT NULL,
    at bigint NOT NULL,
    decider_kind smallint,
    decider uuid,
    decided_at bigint,
    body bytea NOT NULL,
    files bytea NOT NULL,
    decision bytea,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, name, version)
);

CREATE INDEX skill_by_state ON skill (workspace_id, state, id);
-- Teammates get one version of each.
CREATE UNIQUE INDEX skill_approved ON skill (workspace_id, name) WHERE state = 1;

ALTER TABLE skill ENABLE ROW LEVEL SECURITY;
ALTER TABLE skill FORCE ROW LEVEL SECURITY;
CREATE POLICY own_workspace ON skill
    USING (workspace_id = nullif(current_setting('skep.workspace', true), '')::uuid)
    WITH CHECK (workspace_id = nullif(current_setting('skep.workspace', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON skill TO skep_app;
