-- The installation's own rows: keys (wrapped), tenants, credentials. No content.
--
-- Columns here are named `organization` and `workspace`, not `workspace_id`: these tables are not
-- a tenant's, and finding whose credential it is must work before a tenant is known.

CREATE TABLE instance (
    -- Always 1: there is one installation.
    slot INTEGER NOT NULL PRIMARY KEY,
    id BLOB NOT NULL,
    secret BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE organization (
    id BLOB NOT NULL PRIMARY KEY,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE workspace (
    organization BLOB NOT NULL REFERENCES organization (id),
    id BLOB NOT NULL UNIQUE,
    wrapped_key BLOB NOT NULL,
    name BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (organization, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE credential (
    kind INTEGER NOT NULL,
    -- Of the token, under the instance's pepper; empty for the socket's owner.
    digest BLOB NOT NULL,
    organization BLOB NOT NULL,
    workspace BLOB NOT NULL,
    principal_kind INTEGER NOT NULL,
    principal BLOB NOT NULL,
    role TEXT NOT NULL,
    policy TEXT NOT NULL,
    policy_group BLOB,
    -- Permission bits that narrow the role; all of the role if NULL.
    permissions INTEGER,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (kind, digest),
    FOREIGN KEY (organization, workspace) REFERENCES workspace (organization, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX credential_of_workspace ON credential (organization, workspace);
