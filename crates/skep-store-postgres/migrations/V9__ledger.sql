-- The ledger: a Merkle tree over the record of decisions, and one over what was used.

-- The hash of the entry's line. Entries from before this have none, and stand outside of the tree.
ALTER TABLE audit ADD COLUMN leaf bytea;

-- What was used.
CREATE TABLE usage (
    organization uuid NOT NULL,
    seq bigint NOT NULL,
    -- Whoever reports an event twice gives it the same one.
    id uuid NOT NULL,
    at bigint NOT NULL,
    workspace uuid,
    principal_kind smallint,
    principal uuid,
    credential uuid,
    leaf bytea NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (organization, seq)
);

CREATE UNIQUE INDEX usage_of_id ON usage (organization, id);

-- The tree of each log: the place of its first leaf, its leaves, and the roots of its complete subtrees.
CREATE TABLE ledger_head (
    organization uuid NOT NULL,
    log smallint NOT NULL,
    first bigint NOT NULL,
    size bigint NOT NULL,
    frontier bytea NOT NULL,
    PRIMARY KEY (organization, log)
);

-- The roots of complete subtrees of 2^8, 2^16 and 2^24 leaves, so that no proof reads all leaves.
CREATE TABLE ledger_tile (
    organization uuid NOT NULL,
    log smallint NOT NULL,
    level smallint NOT NULL,
    position bigint NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (organization, log, level, position)
);

-- Signed heads.
CREATE TABLE checkpoint (
    organization uuid NOT NULL,
    log smallint NOT NULL,
    size bigint NOT NULL,
    root bytea NOT NULL,
    at bigint NOT NULL,
    note text NOT NULL,
    PRIMARY KEY (organization, log, size)
);

ALTER TABLE usage ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage FORCE ROW LEVEL SECURITY;
CREATE POLICY installation ON usage
    USING (current_setting('skep.installation', true) = 'on')
    WITH CHECK (current_setting('skep.installation', true) = 'on');
ALTER TABLE ledger_head ENABLE ROW LEVEL SECURITY;
ALTER TABLE ledger_head FORCE ROW LEVEL SECURITY;
CREATE POLICY installation ON ledger_head
    USING (current_setting('skep.installation', true) = 'on')
    WITH CHECK (current_setting('skep.installation', true) = 'on');
ALTER TABLE ledger_tile ENABLE ROW LEVEL SECURITY;
ALTER TABLE ledger_tile FORCE ROW LEVEL SECURITY;
CREATE POLICY installation ON ledger_tile
    USING (current_setting('skep.installation', true) = 'on')
    WITH CHECK (current_setting('skep.installation', true) = 'on');
ALTER TABLE checkpoint ENABLE ROW LEVEL SECURITY;
ALTER TABLE checkpoint FORCE ROW LEVEL SECURITY;
CREATE POLICY installation ON checkpoint
    USING (current_setting('skep.installation', true) = 'on')
    WITH CHECK (current_setting('skep.installation', true) = 'on');

-- Rows are added and never changed.
GRANT SELECT, INSERT ON usage, ledger_tile, checkpoint TO skep_app;
GRANT SELECT, INSERT, UPDATE ON ledger_head TO skep_app;
