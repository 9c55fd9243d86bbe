-- What calls of models may cost, and did. Amounts are millionths of a unit of currency.

CREATE TABLE budget (
    organization BLOB NOT NULL,
    id BLOB NOT NULL,
    scope_kind INTEGER NOT NULL,
    -- Which of its kind: an id, or a pattern of models.
    scope BLOB NOT NULL,
    period INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    hard INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (organization, id),
    UNIQUE (organization, scope_kind, scope, period, hard)
) STRICT, WITHOUT ROWID;

-- What a budget counted in the window that began then.
CREATE TABLE budget_spend (
    organization BLOB NOT NULL,
    budget BLOB NOT NULL,
    start INTEGER NOT NULL,
    reserved INTEGER NOT NULL,
    spent INTEGER NOT NULL,
    PRIMARY KEY (organization, budget, start),
    FOREIGN KEY (organization, budget) REFERENCES budget (organization, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Prices of a million tokens. Versions are added and never change.
CREATE TABLE rate_card (
    organization BLOB NOT NULL,
    models TEXT NOT NULL,
    version INTEGER NOT NULL,
    input INTEGER NOT NULL,
    output INTEGER NOT NULL,
    cache_read INTEGER,
    cache_write INTEGER,
    reasoning INTEGER,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (organization, models, version)
) STRICT, WITHOUT ROWID;

-- What is set aside for calls that are under way.
CREATE TABLE reservation (
    organization BLOB NOT NULL,
    id BLOB NOT NULL,
    at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    -- The windows of budgets that it counts in.
    counted BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (organization, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX reservation_stale ON reservation (expires_at);

-- Calls of a day, added up.
CREATE TABLE usage_day (
    organization BLOB NOT NULL,
    day INTEGER NOT NULL,
    workspace BLOB NOT NULL,
    principal_kind INTEGER NOT NULL,
    principal BLOB NOT NULL,
    credential BLOB NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    calls INTEGER NOT NULL,
    estimated INTEGER NOT NULL,
    input INTEGER NOT NULL,
    output INTEGER NOT NULL,
    cache_read INTEGER NOT NULL,
    cache_write INTEGER NOT NULL,
    reasoning INTEGER NOT NULL,
    cost INTEGER NOT NULL,
    PRIMARY KEY (organization, day, workspace, principal_kind, principal, credential, provider, model)
) STRICT, WITHOUT ROWID;
