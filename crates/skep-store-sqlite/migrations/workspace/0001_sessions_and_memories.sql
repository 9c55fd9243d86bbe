-- One workspace's rows. Clear columns are for scoping; `name`, `body`, `position`, `vector`
-- and `reason` are sealed. `workspace_id` leads every key, though a file holds one
-- workspace: a file in the wrong place then matches nothing.

CREATE TABLE workspace_state (
    workspace_id BLOB NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL,
    -- Every commit that wrote adds one.
    seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE project (
    workspace_id BLOB NOT NULL,
    id BLOB NOT NULL,
    fingerprint BLOB NOT NULL,
    name BLOB NOT NULL,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, fingerprint)
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    workspace_id BLOB NOT NULL,
    id BLOB NOT NULL,
    harness INTEGER NOT NULL,
    fingerprint BLOB NOT NULL,
    project BLOB,
    owner_kind INTEGER NOT NULL,
    owner BLOB NOT NULL,
    owner_group BLOB,
    visibility INTEGER NOT NULL,
    state INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    -- Also the next turn's ordinal: turns are numbered without a gap.
    turn_count INTEGER NOT NULL,
    distilled_to INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, fingerprint),
    FOREIGN KEY (workspace_id, project) REFERENCES project (workspace_id, id)
) STRICT;

CREATE INDEX session_undistilled ON session (workspace_id, state, id)
    WHERE distilled_to < turn_count;

CREATE TABLE turn (
    workspace_id BLOB NOT NULL,
    session BLOB NOT NULL,
    ordinal INTEGER NOT NULL,
    id BLOB NOT NULL,
    fingerprint BLOB NOT NULL,
    role INTEGER NOT NULL,
    branch INTEGER NOT NULL,
    is_error INTEGER NOT NULL,
    at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (workspace_id, session, ordinal),
    UNIQUE (workspace_id, session, fingerprint),
    UNIQUE (workspace_id, id),
    FOREIGN KEY (workspace_id, session) REFERENCES session (workspace_id, id)
) STRICT;

-- What decides about a memory, apart from what it says: authorizing 200 candidates then reads
-- some 200 small rows, of which a page holds two dozen, and no sealed byte.
CREATE TABLE memory_facts (
    workspace_id BLOB NOT NULL,
    id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    trust INTEGER NOT NULL,
    state INTEGER NOT NULL,
    visibility INTEGER NOT NULL,
    harness INTEGER NOT NULL,
    owner_kind INTEGER NOT NULL,
    owner BLOB NOT NULL,
    owner_group BLOB,
    valid_from INTEGER NOT NULL,
    valid_to INTEGER,
    recorded_at INTEGER NOT NULL,
    superseded_at INTEGER,
    project BLOB,
    session BLOB,
    fingerprint BLOB NOT NULL,
    -- The model of the memory's vector, if it has one.
    vector_model BLOB,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, project) REFERENCES project (workspace_id, id),
    FOREIGN KEY (workspace_id, session) REFERENCES session (workspace_id, id)
) STRICT, WITHOUT ROWID;

-- The same statement twice is one memory, as long as recall may return it.
CREATE UNIQUE INDEX memory_by_fingerprint ON memory_facts (workspace_id, fingerprint)
    WHERE state = 0;
CREATE INDEX memory_by_seq ON memory_facts (workspace_id, seq, id);
CREATE INDEX memory_by_project ON memory_facts (workspace_id, project, id)
    WHERE project IS NOT NULL;
CREATE INDEX memory_by_session ON memory_facts (workspace_id, session, id)
    WHERE session IS NOT NULL;
CREATE INDEX memory_by_model ON memory_facts (workspace_id, vector_model, id)
    WHERE state = 0;

CREATE TABLE memory (
    workspace_id BLOB NOT NULL,
    id BLOB NOT NULL,
    -- Ids of the turns it was distilled from, 16 bytes each, in order.
    turns BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, id) REFERENCES memory_facts (workspace_id, id)
) STRICT;

CREATE TABLE memory_vector (
    workspace_id BLOB NOT NULL,
    memory BLOB NOT NULL,
    model BLOB NOT NULL,
    dim INTEGER NOT NULL,
    vector BLOB NOT NULL,
    PRIMARY KEY (workspace_id, memory),
    FOREIGN KEY (workspace_id, memory) REFERENCES memory_facts (workspace_id, id)
) STRICT;

CREATE TABLE memory_history (
    workspace_id BLOB NOT NULL,
    memory BLOB NOT NULL,
    entry INTEGER NOT NULL,
    at INTEGER NOT NULL,
    -- NULL for the daemon itself.
    actor_kind INTEGER,
    actor BLOB,
    state INTEGER NOT NULL,
    reason BLOB NOT NULL,
    PRIMARY KEY (workspace_id, memory, entry),
    FOREIGN KEY (workspace_id, memory) REFERENCES memory_facts (workspace_id, id)
) STRICT;

CREATE TABLE import_cursor (
    workspace_id BLOB NOT NULL,
    source BLOB NOT NULL,
    position BLOB NOT NULL,
    PRIMARY KEY (workspace_id, source)
) STRICT, WITHOUT ROWID;
