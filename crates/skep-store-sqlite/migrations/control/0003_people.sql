-- What humans prove themselves with beside a password, how often an account was guessed at, and whom
-- an organization's own issuer vouches for.

-- One-time passwords, recovery codes, passkeys; what they are is sealed.
CREATE TABLE factor (
    user BLOB NOT NULL REFERENCES user_account (id),
    id BLOB NOT NULL,
    kind INTEGER NOT NULL,
    -- Of a passkey's own id: unique in the installation.
    fingerprint BLOB UNIQUE,
    -- Whether its holder has shown that it works.
    confirmed INTEGER NOT NULL,
    -- Raised by every change: a change made to an older version is refused.
    version INTEGER NOT NULL DEFAULT 0,
    body BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    used_at INTEGER,
    PRIMARY KEY (user, id)
) STRICT, WITHOUT ROWID;

-- Attempts at an account, there or not, since the last that succeeded.
CREATE TABLE login_attempt (
    -- Of the address that was typed, or of the human whose second factor was asked for.
    account BLOB NOT NULL PRIMARY KEY,
    attempts INTEGER NOT NULL,
    last_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX login_attempt_of_time ON login_attempt (last_at);

-- Whom an organization's issuer means by a subject. An issuer vouches within its organization and
-- nowhere else.
CREATE TABLE identity_link (
    organization BLOB NOT NULL REFERENCES organization (id),
    -- Of issuer and subject.
    fingerprint BLOB NOT NULL,
    user BLOB NOT NULL REFERENCES user_account (id),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (organization, fingerprint)
) STRICT, WITHOUT ROWID;
