-- Who may enter: organizations with their people and agents, what proves them, what lets somebody
-- in once, and the record of decisions. Names, addresses and labels are sealed under the
-- installation's own key; equality is found by keyed fingerprints.

ALTER TABLE instance ADD COLUMN pepper INTEGER NOT NULL DEFAULT 1;

ALTER TABLE organization ADD COLUMN name BLOB;
ALTER TABLE organization ADD COLUMN fingerprint BLOB;
ALTER TABLE organization ADD COLUMN standing INTEGER NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX organization_of_name ON organization (fingerprint);

ALTER TABLE workspace ADD COLUMN fingerprint BLOB;
CREATE UNIQUE INDEX workspace_of_name ON workspace (organization, fingerprint);

-- A human, whatever organizations they are in.
CREATE TABLE user_account (
    id BLOB NOT NULL PRIMARY KEY,
    -- Of the normalised mail address; none for the owner of a local installation.
    fingerprint BLOB UNIQUE,
    standing INTEGER NOT NULL DEFAULT 0,
    -- Raised by every change: a change made to an older version is refused.
    version INTEGER NOT NULL DEFAULT 0,
    body BLOB,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE member (
    organization BLOB NOT NULL REFERENCES organization (id),
    user BLOB NOT NULL REFERENCES user_account (id),
    role INTEGER NOT NULL,
    standing INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (organization, user)
) STRICT, WITHOUT ROWID;

CREATE INDEX member_of_user ON member (user);

CREATE TABLE workspace_member (
    organization BLOB NOT NULL,
    workspace BLOB NOT NULL,
    user BLOB NOT NULL,
    role TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (organization, workspace, user),
    FOREIGN KEY (organization, workspace) REFERENCES workspace (organization, id),
    FOREIGN KEY (organization, user) REFERENCES member (organization, user) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Agents that read each other's shared memories.
CREATE TABLE policy_group (
    organization BLOB NOT NULL,
    workspace BLOB NOT NULL,
    id BLOB NOT NULL,
    name BLOB NOT NULL,
    fingerprint BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (organization, workspace, id),
    UNIQUE (organization, workspace, fingerprint),
    FOREIGN KEY (organization, workspace) REFERENCES workspace (organization, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE agent (
    organization BLOB NOT NULL,
    workspace BLOB NOT NULL,
    id BLOB NOT NULL,
    name BLOB NOT NULL,
    fingerprint BLOB NOT NULL,
    policy TEXT NOT NULL,
    policy_group BLOB,
    standing INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (organization, workspace, id),
    UNIQUE (organization, workspace, fingerprint),
    FOREIGN KEY (organization, workspace) REFERENCES workspace (organization, id)
) STRICT, WITHOUT ROWID;

-- What proves a principal. The socket's owner and install tokens are found by `proof`, all else by
-- id.
CREATE TABLE credential_now (
    id BLOB NOT NULL PRIMARY KEY,
    kind INTEGER NOT NULL,
    -- Empty for the socket's owner; an Argon2id hash for a personal access token; for the rest an
    -- HMAC-SHA-256 under the pepper of that number.
    proof BLOB NOT NULL,
    pepper INTEGER NOT NULL,
    organization BLOB NOT NULL,
    workspace BLOB NOT NULL,
    principal_kind INTEGER NOT NULL,
    principal BLOB NOT NULL,
    -- Of the socket's owner and of install tokens; for the rest, memberships say.
    role TEXT,
    policy TEXT NOT NULL DEFAULT 'isolated',
    policy_group BLOB,
    -- Permission bits that narrow the role; all of the role if NULL.
    permissions INTEGER,
    created_at INTEGER NOT NULL,
    created_by BLOB,
    expires_at INTEGER,
    -- Put off by each use of a browser session.
    idle_at INTEGER,
    -- When a second factor was last shown.
    stepped_up_at INTEGER,
    used_at INTEGER,
    revoked_at INTEGER,
    -- How often the proof was replaced.
    generation INTEGER NOT NULL DEFAULT 0,
    -- Label, bindings, client.
    body BLOB,
    FOREIGN KEY (organization, workspace) REFERENCES workspace (organization, id)
) STRICT, WITHOUT ROWID;

INSERT INTO credential_now (id, kind, proof, pepper, organization, workspace, principal_kind,
    principal, role, policy, policy_group, permissions, created_at)
SELECT randomblob(16), kind, digest, 1, organization, workspace, principal_kind, principal, role,
    policy, policy_group, permissions, created_at
FROM credential;

DROP TABLE credential;
ALTER TABLE credential_now RENAME TO credential;
CREATE UNIQUE INDEX credential_of_proof ON credential (kind, proof) WHERE kind IN (0, 1);
CREATE INDEX credential_of_principal ON credential (organization, principal_kind, principal);
CREATE INDEX credential_of_workspace ON credential (organization, workspace);

-- A secret that is good for one thing, for a while, as often as `uses_left` says.
CREATE TABLE ticket (
    kind INTEGER NOT NULL,
    digest BLOB NOT NULL,
    -- A second, shorter secret for the same ticket: the code that a human types.
    second BLOB,
    organization BLOB,
    expires_at INTEGER NOT NULL,
    uses_left INTEGER NOT NULL,
    version INTEGER NOT NULL DEFAULT 0,
    body BLOB NOT NULL,
    PRIMARY KEY (kind, digest)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX ticket_of_second ON ticket (kind, second) WHERE second IS NOT NULL;
CREATE INDEX ticket_of_expiry ON ticket (expires_at);

-- Who was allowed or refused what. Rows are added and never changed: the connections refuse it.
-- What happened before anybody was known belongs to the organization of zeros.
CREATE TABLE audit (
    organization BLOB NOT NULL,
    seq INTEGER NOT NULL,
    id BLOB NOT NULL,
    at INTEGER NOT NULL,
    action TEXT NOT NULL,
    outcome INTEGER NOT NULL,
    -- So many the same within a moment.
    times INTEGER NOT NULL,
    workspace BLOB,
    principal_kind INTEGER,
    principal BLOB,
    credential BLOB,
    body BLOB NOT NULL,
    PRIMARY KEY (organization, seq)
) STRICT, WITHOUT ROWID;

-- What an organization has set differently.
CREATE TABLE setting (
    organization BLOB NOT NULL REFERENCES organization (id),
    name TEXT NOT NULL,
    value BLOB NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (organization, name)
) STRICT, WITHOUT ROWID;
