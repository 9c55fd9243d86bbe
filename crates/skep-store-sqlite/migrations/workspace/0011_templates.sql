-- Templates, a row for each version that was drafted. What it says, and why somebody decided what, are
-- sealed; `name` is keyed.
CREATE TABLE template (
    workspace_id BLOB NOT NULL,
    id BLOB NOT NULL,
    name BLOB NOT NULL,
    version INTEGER NOT NULL,
    -- 0 waits, 1 approved, 2 rejected, 3 superseded, 4 withdrawn.
    state INTEGER NOT NULL,
    drafter_kind INTEGER NOT NULL,
    drafter BLOB NOT NULL,
    at INTEGER NOT NULL,
    decider_kind INTEGER,
    decider BLOB,
    decided_at INTEGER,
    body BLOB NOT NULL,
    decision BLOB,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, name, version)
) STRICT, WITHOUT ROWID;

CREATE INDEX template_by_state ON template (workspace_id, state, id);
-- One version of each may be used.
CREATE UNIQUE INDEX template_approved ON template (workspace_id, name) WHERE state = 1;

-- Requests of agents for templates, and grants, whether they were asked for or not. `template` is the
-- keyed name; a grant without an agent is for every one.
CREATE TABLE secret_access (
    workspace_id BLOB NOT NULL,
    id BLOB NOT NULL,
    template BLOB NOT NULL,
    agent BLOB,
    -- 0 waits, 1 granted, 2 refused, 3 revoked, 4 superseded.
    state INTEGER NOT NULL,
    asker_kind INTEGER NOT NULL,
    asker BLOB NOT NULL,
    at INTEGER NOT NULL,
    until INTEGER,
    decider_kind INTEGER,
    decider BLOB,
    decided_at INTEGER,
    body BLOB NOT NULL,
    decision BLOB,
    PRIMARY KEY (workspace_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX secret_access_by_state ON secret_access (workspace_id, state, template, agent);
-- What is asked for again while it waits is the same request.
CREATE UNIQUE INDEX secret_access_waiting ON secret_access (workspace_id, template, agent) WHERE state = 0;
