-- Where entries of the ledger are delivered to, outside. The ledger itself is the outbox: it loses nothing and has no
-- gaps, so all that is kept of a sink is how far it has come.

-- Sinks that organizations have set. Those of whoever runs the daemon are in its configuration.
CREATE TABLE sink (
    organization BLOB NOT NULL REFERENCES organization (id),
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    -- Where it is, what it wants, and the keys that it is signed with.
    body BLOB NOT NULL,
    PRIMARY KEY (organization, id),
    UNIQUE (organization, name)
) STRICT, WITHOUT ROWID;

-- Whose turn it is to deliver, and how the last tries went. Zeros for an organization where the sink is nobody's.
CREATE TABLE sink_turn (
    organization BLOB NOT NULL,
    sink BLOB NOT NULL,
    state INTEGER NOT NULL,
    holder BLOB,
    held_until INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    failing_since INTEGER,
    not_before INTEGER NOT NULL,
    delivered_at INTEGER,
    problem TEXT,
    PRIMARY KEY (organization, sink)
) STRICT, WITHOUT ROWID;

-- The place of the first entry of a log that a sink has not been given.
CREATE TABLE sink_cursor (
    sink BLOB NOT NULL,
    organization BLOB NOT NULL,
    log INTEGER NOT NULL,
    next INTEGER NOT NULL,
    PRIMARY KEY (sink, organization, log)
) STRICT, WITHOUT ROWID;
