-- Time and trust: what a memory rests on, what took its place, what contradicts it, what is gone.
-- `topic` and `source` are keyed digests, `reason` is sealed: no text is seen here.

-- Statements about the same thing meet under a topic, so that a new one finds the few it may
-- repeat, replace or contradict.
CREATE TABLE memory_topic (
    workspace_id BLOB NOT NULL,
    topic BLOB NOT NULL,
    memory BLOB NOT NULL,
    PRIMARY KEY (workspace_id, topic, memory),
    FOREIGN KEY (workspace_id, memory) REFERENCES memory_facts (workspace_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX memory_topic_by_memory ON memory_topic (workspace_id, memory);

-- What a memory rests on: whoever said it, sessions, sources (each enough by itself), and the
-- memories it was derived from (all of them needed).
CREATE TABLE memory_origin (
    workspace_id BLOB NOT NULL,
    memory BLOB NOT NULL,
    kind INTEGER NOT NULL,
    origin BLOB NOT NULL,
    -- How far this origin was trusted.
    trust INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, memory, kind, origin),
    FOREIGN KEY (workspace_id, memory) REFERENCES memory_facts (workspace_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX memory_by_origin ON memory_origin (workspace_id, kind, origin, memory);

INSERT INTO memory_origin (workspace_id, memory, kind, origin, trust)
SELECT m.workspace_id, m.id, CASE WHEN m.session IS NULL THEN 0 ELSE 1 END,
    COALESCE(m.session, m.owner), m.trust
FROM memory_facts AS m
WHERE m.workspace_id IN (SELECT s.workspace_id FROM workspace_state AS s
                         WHERE s.workspace_id = m.workspace_id);

-- The memory that took another's place. `valid_to` is the end that the other one had before.
CREATE TABLE memory_successor (
    workspace_id BLOB NOT NULL,
    memory BLOB NOT NULL,
    successor BLOB NOT NULL,
    valid_to INTEGER,
    PRIMARY KEY (workspace_id, memory),
    FOREIGN KEY (workspace_id, memory) REFERENCES memory_facts (workspace_id, id),
    FOREIGN KEY (workspace_id, successor) REFERENCES memory_facts (workspace_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX memory_by_successor ON memory_successor (workspace_id, successor, memory);

-- Two memories of which at most one can be true; open until somebody resolves it.
CREATE TABLE memory_conflict (
    workspace_id BLOB NOT NULL,
    id BLOB NOT NULL,
    older BLOB NOT NULL,
    newer BLOB NOT NULL,
    found_at INTEGER NOT NULL,
    resolved_at INTEGER,
    resolution INTEGER,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, older, newer),
    FOREIGN KEY (workspace_id, older) REFERENCES memory_facts (workspace_id, id),
    FOREIGN KEY (workspace_id, newer) REFERENCES memory_facts (workspace_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX memory_conflict_by_newer ON memory_conflict (workspace_id, newer);
CREATE INDEX memory_conflict_open ON memory_conflict (workspace_id, id)
    WHERE resolved_at IS NULL;

-- A statement that was held back or refused is not held back a second time.
CREATE INDEX memory_held_back ON memory_facts (workspace_id, fingerprint)
    WHERE state IN (1, 3);
CREATE INDEX memory_in_quarantine ON memory_facts (workspace_id, id)
    WHERE state = 1;
CREATE INDEX memory_superseded ON memory_facts (workspace_id, id)
    WHERE state = 2;

-- What is left of what was erased: that it was, and when.
CREATE TABLE tombstone (
    workspace_id BLOB NOT NULL,
    id BLOB NOT NULL,
    -- 0 a memory, 1 a session.
    kind INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    erased_at INTEGER NOT NULL,
    -- Whether the log of the database was cut off since.
    scrubbed INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (workspace_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX tombstone_by_seq ON tombstone (workspace_id, seq, id);
CREATE INDEX tombstone_unscrubbed ON tombstone (workspace_id, id) WHERE scrubbed = 0;

-- Sessions and sources that are being, or were, taken back with what came of them. Nothing is
-- distilled from them again.
CREATE TABLE removal (
    workspace_id BLOB NOT NULL,
    kind INTEGER NOT NULL,
    origin BLOB NOT NULL,
    -- 0 forget the memories, 1 erase them, 2 erase the session as well.
    mode INTEGER NOT NULL,
    asked_at INTEGER NOT NULL,
    actor_kind INTEGER,
    actor BLOB,
    done_at INTEGER,
    reason BLOB NOT NULL,
    PRIMARY KEY (workspace_id, kind, origin)
) STRICT;

CREATE INDEX removal_open ON removal (workspace_id, asked_at) WHERE done_at IS NULL;

-- The sessions that an import brought.
CREATE TABLE session_source (
    workspace_id BLOB NOT NULL,
    source BLOB NOT NULL,
    session BLOB NOT NULL,
    PRIMARY KEY (workspace_id, source, session),
    FOREIGN KEY (workspace_id, session) REFERENCES session (workspace_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX session_source_by_session ON session_source (workspace_id, session);
