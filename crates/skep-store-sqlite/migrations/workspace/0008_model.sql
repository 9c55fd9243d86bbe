-- What a model read of closed sessions, and what it cost.

CREATE TABLE model_pass (
    workspace_id BLOB NOT NULL,
    session BLOB NOT NULL,
    -- 0 due, 1 done, 2 given up.
    state INTEGER NOT NULL,
    -- The first ordinal that no model has read, and how often one was asked about what begins there.
    next INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    -- Whether the web was read before `next`.
    is_tainted INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, session),
    FOREIGN KEY (workspace_id, session) REFERENCES session (workspace_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX model_pass_by_state ON model_pass (workspace_id, state, session);

-- Days since 1970, UTC. `reserved` was granted to calls of which nobody knows yet what they cost; a
-- call that was killed leaves its part there, and it counts as spent. Costs are in millionths.
CREATE TABLE model_day (
    workspace_id BLOB NOT NULL,
    day INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    reserved INTEGER NOT NULL,
    reserved_cost INTEGER NOT NULL,
    input INTEGER NOT NULL,
    output INTEGER NOT NULL,
    cost INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE model_refusal (
    workspace_id BLOB NOT NULL,
    day INTEGER NOT NULL,
    reason TEXT NOT NULL,
    items INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, day, reason)
) STRICT, WITHOUT ROWID;

-- Sessions that were closed before there was such a pass; 3 is the history of a repository.
INSERT INTO model_pass (workspace_id, session, state, next, tries, is_tainted)
SELECT s.workspace_id, s.id, 0, 0, 0, 0
FROM workspace_state AS w JOIN session AS s ON s.workspace_id = w.workspace_id
WHERE s.turn_count > 0 AND s.distilled_to = s.turn_count AND s.harness <> 3;
