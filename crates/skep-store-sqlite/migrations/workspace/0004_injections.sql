-- What was put in front of models. `body` is sealed: the exact bytes, what was asked, the scores.

CREATE TABLE injection (
    workspace_id BLOB NOT NULL,
    session BLOB NOT NULL,
    -- Place in the session, from 0.
    ordinal INTEGER NOT NULL,
    id BLOB NOT NULL,
    at INTEGER NOT NULL,
    moment INTEGER NOT NULL,
    -- Ids of the memories in it, 16 bytes each, in order.
    memories BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (workspace_id, session, ordinal),
    UNIQUE (workspace_id, id),
    FOREIGN KEY (workspace_id, session) REFERENCES session (workspace_id, id)
) STRICT;
