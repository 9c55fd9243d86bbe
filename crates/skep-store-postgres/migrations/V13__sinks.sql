-- Where entries of the ledger are delivered to, outside. The ledger itself is the outbox: it loses nothing and has no
-- gaps, so all that is kept of a sink is how far it has come.

-- Sinks that organizations have set. Those of whoever runs the daemon are in its configuration.
CREATE TABLE sink (
    organization uuid NOT NULL REFERENCES organization (id),
    id uuid NOT NULL,
    name text NOT NULL,
    created_at bigint NOT NULL,
    changed_at bigint NOT NULL,
    -- Where it is, what it wants, and the keys that it is signed with.
    body bytea NOT NULL,
    PRIMARY KEY (organization, id),
    UNIQUE (organization, name)
);

-- Whose turn it is to deliver, and how the last tries went. Zeros for an organization where the sink is nobody's.
CREATE TABLE sink_turn (
    organization uuid NOT NULL,
    sink uuid NOT NULL,
    state smallint NOT NULL,
    holder bytea,
    held_until bigint NOT NULL,
    failures bigint NOT NULL,
    failing_since bigint,
    not_before bigint NOT NULL,
    delivered_at bigint,
    problem text,
    PRIMARY KEY (organization, sink)
);

-- The place of the first entry of a log that a sink has not been given.
CREATE TABLE sink_cursor (
    sink uuid NOT NULL,
    organization uuid NOT NULL,
    log smallint NOT NULL,
    next bigint NOT NULL,
    PRIMARY KEY (sink, organization, log)
);

ALTER TABLE sink ENABLE ROW LEVEL SECURITY;
ALTER TABLE sink FORCE ROW LEVEL SECURITY;
CREATE POLICY installation ON sink
    USING (current_setting('skep.installation', true) = 'on')
    WITH CHECK (current_setting('skep.installation', true) = 'on');
ALTER TABLE sink_turn ENABLE ROW LEVEL SECURITY;
ALTER TABLE sink_turn FORCE ROW LEVEL SECURITY;
CREATE POLICY installation ON sink_turn
    USING (current_setting('skep.installation', true) = 'on')
    WITH CHECK (current_setting('skep.installation', true) = 'on');
ALTER TABLE sink_cursor ENABLE ROW LEVEL SECURITY;
ALTER TABLE sink_cursor FORCE ROW LEVEL SECURITY;
CREATE POLICY installation ON sink_cursor
    USING (current_setting('skep.installation', true) = 'on')
    WITH CHECK (current_setting('skep.installation', true) = 'on');

GRANT SELECT, INSERT, UPDATE, DELETE ON sink, sink_turn, sink_cursor TO skep_app;
