-- The ledger: a Merkle tree over the record of decisions, and one over what was used.

-- The hash of the entry's line. Entries from before this have none, and stand outside of the tree.
ALTER TABLE audit ADD COLUMN leaf BLOB;

-- What was used. Rows are added and never changed, as those of tiles and checkpoints: the connections refuse it.
CREATE TABLE usage (
    organization BLOB NOT NULL,
    seq INTEGER NOT NULL,
    -- Whoever reports an event twice gives it the same one.
    id BLOB NOT NULL,
    at INTEGER NOT NULL,
    workspace BLOB,
    principal_kind INTEGER,
    principal BLOB,
    credential BLOB,
    leaf BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (organization, seq)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX usage_of_id ON usage (organization, id);

-- The tree of each log: the place of its first leaf, its leaves, and the roots of its complete subtrees.
CREATE TABLE ledger_head (
    organization BLOB NOT NULL,
    log INTEGER NOT NULL,
    first INTEGER NOT NULL,
    size INTEGER NOT NULL,
    frontier BLOB NOT NULL,
    PRIMARY KEY (organization, log)
) STRICT, WITHOUT ROWID;

-- The roots of complete subtrees of 2^8, 2^16 and 2^24 leaves, so that no proof reads all leaves.
CREATE TABLE ledger_tile (
    organization BLOB NOT NULL,
    log INTEGER NOT NULL,
    level INTEGER NOT NULL,
    position INTEGER NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (organization, log, level, position)
) STRICT, WITHOUT ROWID;

-- Signed heads.
CREATE TABLE checkpoint (
    organization BLOB NOT NULL,
    log INTEGER NOT NULL,
    size INTEGER NOT NULL,
    root BLOB NOT NULL,
    at INTEGER NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (organization, log, size)
) STRICT, WITHOUT ROWID;
