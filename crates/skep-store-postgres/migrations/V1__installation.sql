-- The installation's own rows: keys (wrapped), tenants, credentials. No content.
--
-- Columns here are named `organization` and `workspace`, not `workspace_id`: these tables are not
-- a tenant's, and finding whose credential it is must work before a tenant is known.

CREATE TABLE instance (
    -- Always 1: there is one installation.
    slot smallint NOT NULL PRIMARY KEY,
    id uuid NOT NULL,
    secret bytea NOT NULL,
    created_at bigint NOT NULL,
    -- The number of the pepper in force.
    pepper bigint NOT NULL DEFAULT 1,
    -- Signing keys change by the date; besides, whoever runs the installation may change them at once:
    -- which generation they are of, and since when.
    signing bigint NOT NULL DEFAULT 0,
    signing_since bigint NOT NULL DEFAULT 0
);

CREATE TABLE organization (
    id uuid NOT NULL PRIMARY KEY,
    created_at bigint NOT NULL,
    name bytea,
    fingerprint bytea,
    standing smallint NOT NULL DEFAULT 0
);

CREATE TABLE workspace (
    organization uuid NOT NULL REFERENCES organization (id),
    id uuid NOT NULL UNIQUE,
    wrapped_key bytea NOT NULL,
    name bytea NOT NULL,
    fingerprint bytea,
    created_at bigint NOT NULL,
    PRIMARY KEY (organization, id)
);

-- Who may enter: organizations with their people and agents, what proves them, what lets somebody
-- in once, and the record of decisions. Names, addresses and labels are sealed under the
-- installation's own key; equality is found by keyed fingerprints.

CREATE UNIQUE INDEX organization_of_name ON organization (fingerprint);

CREATE UNIQUE INDEX workspace_of_name ON workspace (organization, fingerprint);

-- A human, whatever organizations they are in.
CREATE TABLE user_account (
    id uuid NOT NULL PRIMARY KEY,
    -- Of the normalised mail address; none for the owner of a local installation.
    fingerprint bytea UNIQUE,
    standing smallint NOT NULL DEFAULT 0,
    -- Raised by every change: a change made to an older version is refused.
    version bigint NOT NULL DEFAULT 0,
    body bytea,
    created_at bigint NOT NULL
);

CREATE TABLE member (
    organization uuid NOT NULL REFERENCES organization (id),
    user_id uuid NOT NULL REFERENCES user_account (id),
    role smallint NOT NULL,
    standing smallint NOT NULL DEFAULT 0,
    created_at bigint NOT NULL,
    PRIMARY KEY (organization, user_id)
);

CREATE INDEX member_of_user ON member (user_id);

CREATE TABLE workspace_member (
    organization uuid NOT NULL,
    workspace uuid NOT NULL,
    user_id uuid NOT NULL,
    role text NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (organization, workspace, user_id),
    FOREIGN KEY (organization, workspace) REFERENCES workspace (organization, id),
    FOREIGN KEY (organization, user_id) REFERENCES member (organization, user_id) ON DELETE CASCADE
);

-- Agents that read each other's shared memories.
CREATE TABLE policy_group (
    organization uuid NOT NULL,
    workspace uuid NOT NULL,
    id uuid NOT NULL,
    name bytea NOT NULL,
    fingerprint bytea NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (organization, workspace, id),
    UNIQUE (organization, workspace, fingerprint),
    FOREIGN KEY (organization, workspace) REFERENCES workspace (organization, id)
);

CREATE TABLE agent (
    organization uuid NOT NULL,
    workspace uuid NOT NULL,
    id uuid NOT NULL,
    name bytea NOT NULL,
    fingerprint bytea NOT NULL,
    policy text NOT NULL,
    policy_group uuid,
    standing smallint NOT NULL DEFAULT 0,
    created_at bigint NOT NULL,
    PRIMARY KEY (organization, workspace, id),
    UNIQUE (organization, workspace, fingerprint),
    FOREIGN KEY (organization, workspace) REFERENCES workspace (organization, id)
);

-- What proves a principal. The socket's owner and install tokens are found by `proof`, all else by
-- id.
CREATE TABLE credential (
    id uuid NOT NULL PRIMARY KEY,
    kind smallint NOT NULL,
    -- Empty for the socket's owner; an Argon2id hash for a personal access token; for the rest an
    -- HMAC-SHA-256 under the pepper of that number.
    proof bytea NOT NULL,
    pepper bigint NOT NULL,
    organization uuid NOT NULL,
    workspace uuid NOT NULL,
    principal_kind smallint NOT NULL,
    principal uuid NOT NULL,
    -- Of the socket's owner and of install tokens; for the rest, memberships say.
    role text,
    policy text NOT NULL DEFAULT 'isolated',
    policy_group uuid,
    -- Permission bits that narrow the role; all of the role if NULL.
    permissions bigint,
    created_at bigint NOT NULL,
    created_by uuid,
    expires_at bigint,
    -- Put off by each use of a browser session.
    idle_at bigint,
    -- When a second factor was last shown.
    stepped_up_at bigint,
    used_at bigint,
    revoked_at bigint,
    -- How often the proof was replaced.
    generation bigint NOT NULL DEFAULT 0,
    -- Whether it came of an issuer's word: it counts in its own organization, and shows nothing of the
    -- others that its owner belongs to.
    confined boolean NOT NULL DEFAULT false,
    -- Label, bindings, client.
    body bytea,
    FOREIGN KEY (organization, workspace) REFERENCES workspace (organization, id)
);

CREATE UNIQUE INDEX credential_of_proof ON credential (kind, proof) WHERE kind IN (0, 1);
CREATE INDEX credential_of_principal ON credential (organization, principal_kind, principal);
CREATE INDEX credential_of_workspace ON credential (organization, workspace);

-- A secret that is good for one thing, for a while, as often as `uses_left` says.
CREATE TABLE ticket (
    kind smallint NOT NULL,
    digest bytea NOT NULL,
    -- A second, shorter secret for the same ticket: the code that a human types.
    second bytea,
    organization uuid,
    -- Whose account it is about, and who made it: it goes with a new password of the one, and with the
    -- membership of the other.
    user_id uuid,
    maker uuid,
    expires_at bigint NOT NULL,
    uses_left bigint NOT NULL,
    version bigint NOT NULL DEFAULT 0,
    body bytea NOT NULL,
    PRIMARY KEY (kind, digest)
);

CREATE UNIQUE INDEX ticket_of_second ON ticket (kind, second) WHERE second IS NOT NULL;
CREATE INDEX ticket_of_expiry ON ticket (expires_at);

-- Who was allowed or refused what. Rows are added and never changed: the connections refuse it.
-- What happened before anybody was known belongs to the organization of zeros.
CREATE TABLE audit (
    organization uuid NOT NULL,
    seq bigint NOT NULL,
    id uuid NOT NULL,
    at bigint NOT NULL,
    action text NOT NULL,
    outcome smallint NOT NULL,
    -- So many the same within a moment.
    times bigint NOT NULL,
    workspace uuid,
    principal_kind smallint,
    principal uuid,
    credential uuid,
    body bytea NOT NULL,
    PRIMARY KEY (organization, seq)
);

-- What an organization has set differently.
CREATE TABLE setting (
    organization uuid NOT NULL REFERENCES organization (id),
    name text NOT NULL,
    value bytea NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (organization, name)
);

-- What humans prove themselves with beside a password, how often an account was guessed at, and whom
-- an organization's own issuer vouches for.

-- One-time passwords, recovery codes, passkeys; what they are is sealed.
CREATE TABLE factor (
    user_id uuid NOT NULL REFERENCES user_account (id),
    id uuid NOT NULL,
    kind smallint NOT NULL,
    -- Of a passkey's own id: unique in the installation.
    fingerprint bytea UNIQUE,
    -- Whether its holder has shown that it works.
    confirmed boolean NOT NULL,
    -- Raised by every change: a change made to an older version is refused.
    version bigint NOT NULL DEFAULT 0,
    body bytea NOT NULL,
    created_at bigint NOT NULL,
    used_at bigint,
    PRIMARY KEY (user_id, id)
);

-- Attempts at an account, there or not, since the last that succeeded.
CREATE TABLE login_attempt (
    -- Of the address that was typed, or of the human whose second factor was asked for.
    account bytea NOT NULL PRIMARY KEY,
    attempts bigint NOT NULL,
    last_at bigint NOT NULL
);

CREATE INDEX login_attempt_of_time ON login_attempt (last_at);

-- Whom an organization's issuer means by a subject. An issuer vouches within its organization and
-- nowhere else.
CREATE TABLE identity_link (
    organization uuid NOT NULL REFERENCES organization (id),
    -- Of issuer and subject.
    fingerprint bytea NOT NULL,
    user_id uuid NOT NULL REFERENCES user_account (id),
    created_at bigint NOT NULL,
    PRIMARY KEY (organization, fingerprint)
);

-- Links go with a membership, and are shown to whom they are of.
CREATE INDEX identity_link_of_user ON identity_link (organization, user_id);

CREATE INDEX ticket_of_user ON ticket (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX ticket_of_maker ON ticket (organization, maker) WHERE maker IS NOT NULL;
