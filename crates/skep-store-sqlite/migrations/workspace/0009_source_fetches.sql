-- What a server said a page's version is, so that it is asked for again only if that changed.
-- `body` is sealed.
CREATE TABLE source_fetch (
    workspace_id BLOB NOT NULL,
    source BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (workspace_id, source),
    FOREIGN KEY (workspace_id, source) REFERENCES source (workspace_id, id)
) STRICT, WITHOUT ROWID;
