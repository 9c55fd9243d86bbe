-- Skills, a row for each version that was proposed. What it says of itself, its files, and why somebody
-- decided what are sealed; `name` is keyed.
CREATE TABLE skill (
    workspace_id BLOB NOT NULL,
    id BLOB NOT NULL,
    name BLOB NOT NULL,
    version INTEGER NOT NULL,
    -- 0 waits, 1 approved, 2 rejected, 3 superseded, 4 withdrawn.
    state INTEGER NOT NULL,
    proposer_kind INTEGER NOT NULL,
    proposer BLOB NOT NULL,
    at INTEGER NOT NULL,
    decider_kind INTEGER,
    decider BLOB,
    decided_at INTEGER,
    body BLOB NOT NULL,
    files BLOB NOT NULL,
    decision BLOB,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, name, version)
) STRICT, WITHOUT ROWID;

CREATE INDEX skill_by_state ON skill (workspace_id, state, id);
-- Teammates get one version of each.
CREATE UNIQUE INDEX skill_approved ON skill (workspace_id, name) WHERE state = 1;
