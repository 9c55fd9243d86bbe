-- What happened to every turn that was received, who has paused what, which directories may be
-- captured, and the sources that memories were read from. `body` is sealed; fingerprints are keyed.

-- Code 0 counts what was received; every other code is an outcome, and each turn has one.
CREATE TABLE capture_count (
    workspace_id BLOB NOT NULL,
    outcome INTEGER NOT NULL,
    turns INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, outcome)
) STRICT, WITHOUT ROWID;

-- The most that each client's spool ever said it had dropped, so that saying it twice adds nothing.
CREATE TABLE capture_spool (
    workspace_id BLOB NOT NULL,
    spool BLOB NOT NULL,
    dropped INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, spool)
) STRICT, WITHOUT ROWID;

-- `holder_kind` -1 is everybody; an empty `session` is every session; `until` NULL has no end.
CREATE TABLE capture_pause (
    workspace_id BLOB NOT NULL,
    holder_kind INTEGER NOT NULL,
    holder BLOB NOT NULL,
    session BLOB NOT NULL,
    until INTEGER,
    PRIMARY KEY (workspace_id, holder_kind, holder, session)
) STRICT, WITHOUT ROWID;

CREATE TABLE capture_binding (
    workspace_id BLOB NOT NULL,
    owner_kind INTEGER NOT NULL,
    owner BLOB NOT NULL,
    directory BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (workspace_id, owner_kind, owner, directory)
) STRICT, WITHOUT ROWID;

CREATE TABLE source (
    workspace_id BLOB NOT NULL,
    id BLOB NOT NULL,
    -- Of owner, kind and location.
    fingerprint BLOB NOT NULL,
    kind INTEGER NOT NULL,
    trust INTEGER NOT NULL,
    visibility INTEGER NOT NULL,
    owner_kind INTEGER NOT NULL,
    owner BLOB NOT NULL,
    owner_group BLOB,
    project BLOB,
    created_at INTEGER NOT NULL,
    synced_at INTEGER,
    body BLOB NOT NULL,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, fingerprint),
    FOREIGN KEY (workspace_id, project) REFERENCES project (workspace_id, id)
) STRICT;

-- `version` is a fingerprint of what the client called the document's version.
CREATE TABLE source_document (
    workspace_id BLOB NOT NULL,
    source BLOB NOT NULL,
    document BLOB NOT NULL,
    version BLOB NOT NULL,
    PRIMARY KEY (workspace_id, source, document),
    FOREIGN KEY (workspace_id, source) REFERENCES source (workspace_id, id)
) STRICT, WITHOUT ROWID;

-- Every memory that was ever made of a source, so that a purge finds the superseded ones as well.
CREATE TABLE source_chunk (
    workspace_id BLOB NOT NULL,
    source BLOB NOT NULL,
    memory BLOB NOT NULL,
    document BLOB NOT NULL,
    -- Of the text and of where it stands.
    chunk BLOB NOT NULL,
    -- Whether the document still has it.
    current INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, source, memory),
    FOREIGN KEY (workspace_id, source) REFERENCES source (workspace_id, id),
    FOREIGN KEY (workspace_id, memory) REFERENCES memory_facts (workspace_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX source_chunk_by_document ON source_chunk (workspace_id, source, document)
    WHERE current = 1;
