-- The standing text of an organization or of one of its workspaces. Versions are added and never change; `workspace` is
-- zeros for what counts in all of them. What it says, and why, is sealed.
CREATE TABLE directive (
    organization BLOB NOT NULL,
    id BLOB NOT NULL,
    workspace BLOB NOT NULL,
    version INTEGER NOT NULL,
    drafter_kind INTEGER NOT NULL,
    drafter BLOB NOT NULL,
    at INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (organization, id),
    UNIQUE (organization, workspace, version)
) STRICT, WITHOUT ROWID;

-- Which version counts: the last one named. 0 is none.
CREATE TABLE directive_promotion (
    organization BLOB NOT NULL,
    workspace BLOB NOT NULL,
    ordinal INTEGER NOT NULL,
    version INTEGER NOT NULL,
    promoter_kind INTEGER NOT NULL,
    promoter BLOB NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (organization, workspace, ordinal)
) STRICT, WITHOUT ROWID;
