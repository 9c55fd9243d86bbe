-- Proposals about names: that two are one, that one is called otherwise, that one no longer counts.
-- Who proposed, what and why is sealed in `body`.

CREATE TABLE ontology_proposal (
    workspace_id BLOB NOT NULL,
    id BLOB NOT NULL,
    -- 0 waits, 1 accepted, 2 rejected.
    state INTEGER NOT NULL,
    proposer_kind INTEGER NOT NULL,
    proposer BLOB NOT NULL,
    at INTEGER NOT NULL,
    decider_kind INTEGER,
    decider BLOB,
    decided_at INTEGER,
    body BLOB NOT NULL,
    PRIMARY KEY (workspace_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX ontology_proposal_by_state ON ontology_proposal (workspace_id, state, id);
