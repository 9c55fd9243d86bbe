-- What calls of models may cost, and did. Amounts are millionths of a unit of currency.

CREATE TABLE budget (
    organization uuid NOT NULL,
    id uuid NOT NULL,
    scope_kind smallint NOT NULL,
    -- Which of its kind: an id, or a pattern of models.
    scope bytea NOT NULL,
    period smallint NOT NULL,
    amount bigint NOT NULL,
    hard boolean NOT NULL,
    created_at bigint NOT NULL,
    changed_at bigint NOT NULL,
    PRIMARY KEY (organization, id),
    UNIQUE (organization, scope_kind, scope, period, hard)
);

-- What a budget counted in the window that began then.
CREATE TABLE budget_spend (
    organization uuid NOT NULL,
    budget uuid NOT NULL,
    start bigint NOT NULL,
    reserved bigint NOT NULL,
    spent bigint NOT NULL,
    PRIMARY KEY (organization, budget, start),
    FOREIGN KEY (organization, budget) REFERENCES budget (organization, id) ON DELETE CASCADE
);

-- Prices of a million tokens. Versions are added and never change.
CREATE TABLE rate_card (
    organization uuid NOT NULL,
    models text NOT NULL,
    version bigint NOT NULL,
    input bigint NOT NULL,
    output bigint NOT NULL,
    cache_read bigint,
    cache_write bigint,
    reasoning bigint,
    created_at bigint NOT NULL,
    PRIMARY KEY (organization, models, version)
);

-- What is set aside for calls that are under way.
CREATE TABLE reservation (
    organization uuid NOT NULL,
    id uuid NOT NULL,
    at bigint NOT NULL,
    expires_at bigint NOT NULL,
    amount bigint NOT NULL,
    -- The windows of budgets that it counts in.
    counted bytea NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (organization, id)
);

CREATE INDEX reservation_stale ON reservation (expires_at);

-- Calls of a day, added up.
CREATE TABLE usage_day (
    organization uuid NOT NULL,
    day bigint NOT NULL,
    workspace uuid NOT NULL,
    principal_kind smallint NOT NULL,
    principal uuid NOT NULL,
    credential uuid NOT NULL,
    provider text NOT NULL,
    model text NOT NULL,
    calls bigint NOT NULL,
    estimated bigint NOT NULL,
    input bigint NOT NULL,
    output bigint NOT NULL,
    cache_read bigint NOT NULL,
    cache_write bigint NOT NULL,
    reasoning bigint NOT NULL,
    cost bigint NOT NULL,
    PRIMARY KEY (organization, day, workspace, principal_kind, principal, credential, provider, model)
);

ALTER TABLE budget ENABLE ROW LEVEL SECURITY;
ALTER TABLE budget FORCE ROW LEVEL SECURITY;
CREATE POLICY installation ON budget
    USING (current_setting('skep.installation', true) = 'on')
    WITH CHECK (current_setting('skep.installation', true) = 'on');
ALTER TABLE budget_spend ENABLE ROW LEVEL SECURITY;
ALTER TABLE budget_spend FORCE ROW LEVEL SECURITY;
CREATE POLICY installation ON budget_spend
    USING (current_setting('skep.installation', true) = 'on')
    WITH CHECK (current_setting('skep.installation', true) = 'on');
ALTER TABLE rate_card ENABLE ROW LEVEL SECURITY;
ALTER TABLE rate_card FORCE ROW LEVEL SECURITY;
CREATE POLICY installation ON rate_card
    USING (current_setting('skep.installation', true) = 'on')
    WITH CHECK (current_setting('skep.installation', true) = 'on');
ALTER TABLE reservation ENABLE ROW LEVEL SECURITY;
ALTER TABLE reservation FORCE ROW LEVEL SECURITY;
CREATE POLICY installation ON reservation
    USING (current_setting('skep.installation', true) = 'on')
    WITH CHECK (current_setting('skep.installation', true) = 'on');
ALTER TABLE usage_day ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage_day FORCE ROW LEVEL SECURITY;
CREATE POLICY installation ON usage_day
    USING (current_setting('skep.installation', true) = 'on')
    WITH CHECK (current_setting('skep.installation', true) = 'on');

GRANT SELECT, INSERT, UPDATE, DELETE ON budget, budget_spend, reservation TO skep_app;
GRANT SELECT, INSERT, UPDATE ON usage_day TO skep_app;
-- Versions are added and never change.
GRANT SELECT, INSERT ON rate_card TO skep_app;
