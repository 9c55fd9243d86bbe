-- One workspace's rows. Clear columns are for scoping; `name`, `body`, `position`, `vector`
-- and `reason` are sealed. `workspace_id` leads every key
-- and every foreign key, so that no row refers to one of another workspace.

CREATE TABLE workspace_state (
    workspace_id uuid NOT NULL PRIMARY KEY,
    organization_id uuid NOT NULL,
    -- Every commit that wrote adds one.
    seq bigint NOT NULL
);

CREATE TABLE project (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    fingerprint bytea NOT NULL,
    name bytea NOT NULL,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, fingerprint)
);

CREATE TABLE session (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    harness smallint NOT NULL,
    fingerprint bytea NOT NULL,
    project uuid,
    owner_kind smallint NOT NULL,
    owner uuid NOT NULL,
    owner_group uuid,
    visibility smallint NOT NULL,
    state smallint NOT NULL,
    started_at bigint NOT NULL,
    last_at bigint NOT NULL,
    recorded_at bigint NOT NULL,
    -- Also the next turn's ordinal: turns are numbered without a gap.
    turn_count bigint NOT NULL,
    distilled_to bigint NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, fingerprint),
    FOREIGN KEY (workspace_id, project) REFERENCES project (workspace_id, id)
);

CREATE INDEX session_undistilled ON session (workspace_id, state, id)
    WHERE distilled_to < turn_count;

CREATE TABLE turn (
    workspace_id uuid NOT NULL,
    session uuid NOT NULL,
    ordinal bigint NOT NULL,
    id uuid NOT NULL,
    fingerprint bytea NOT NULL,
    role smallint NOT NULL,
    branch bigint NOT NULL,
    is_error boolean NOT NULL,
    at bigint NOT NULL,
    recorded_at bigint NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (workspace_id, session, ordinal),
    UNIQUE (workspace_id, session, fingerprint),
    UNIQUE (workspace_id, id),
    FOREIGN KEY (workspace_id, session) REFERENCES session (workspace_id, id)
);

-- What decides about a memory, apart from what it says: authorizing 200 candidates then reads
-- some 200 small rows, of which a page holds two dozen, and no sealed byte.
CREATE TABLE memory_facts (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    seq bigint NOT NULL,
    kind smallint NOT NULL,
    trust smallint NOT NULL,
    state smallint NOT NULL,
    visibility smallint NOT NULL,
    harness smallint NOT NULL,
    owner_kind smallint NOT NULL,
    owner uuid NOT NULL,
    owner_group uuid,
    valid_from bigint NOT NULL,
    valid_to bigint,
    recorded_at bigint NOT NULL,
    superseded_at bigint,
    project uuid,
    session uuid,
    fingerprint bytea NOT NULL,
    -- The model of the memory's vector, if it has one.
    vector_model bytea,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, project) REFERENCES project (workspace_id, id),
    FOREIGN KEY (workspace_id, session) REFERENCES session (workspace_id, id)
);

-- The same statement twice is one memory, as long as recall may return it.
CREATE UNIQUE INDEX memory_by_fingerprint ON memory_facts (workspace_id, fingerprint)
    WHERE state = 0;
CREATE INDEX memory_by_seq ON memory_facts (workspace_id, seq, id);
CREATE INDEX memory_by_project ON memory_facts (workspace_id, project, id)
    WHERE project IS NOT NULL;
CREATE INDEX memory_by_session ON memory_facts (workspace_id, session, id)
    WHERE session IS NOT NULL;
CREATE INDEX memory_by_model ON memory_facts (workspace_id, vector_model, id)
    WHERE state = 0;

CREATE TABLE memory (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    -- Ids of the turns it was distilled from, 16 bytes each, in order.
    turns bytea NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, id) REFERENCES memory_facts (workspace_id, id)
);

CREATE TABLE memory_vector (
    workspace_id uuid NOT NULL,
    memory uuid NOT NULL,
    model bytea NOT NULL,
    dim bigint NOT NULL,
    vector bytea NOT NULL,
    PRIMARY KEY (workspace_id, memory),
    FOREIGN KEY (workspace_id, memory) REFERENCES memory_facts (workspace_id, id)
);

CREATE TABLE memory_history (
    workspace_id uuid NOT NULL,
    memory uuid NOT NULL,
    entry bigint NOT NULL,
    at bigint NOT NULL,
    -- NULL for the daemon itself.
    actor_kind smallint,
    actor uuid,
    state smallint NOT NULL,
    reason bytea NOT NULL,
    PRIMARY KEY (workspace_id, memory, entry),
    FOREIGN KEY (workspace_id, memory) REFERENCES memory_facts (workspace_id, id)
);

CREATE TABLE import_cursor (
    workspace_id uuid NOT NULL,
    source bytea NOT NULL,
    position bytea NOT NULL,
    PRIMARY KEY (workspace_id, source)
);

-- Time and trust: what a memory rests on, what took its place, what contradicts it, what is gone.
-- `topic` and `source` are keyed digests, `reason` is sealed: no text is seen here.

-- Statements about the same thing meet under a topic, so that a new one finds the few it may
-- repeat, replace or contradict.
CREATE TABLE memory_topic (
    workspace_id uuid NOT NULL,
    topic bytea NOT NULL,
    memory uuid NOT NULL,
    PRIMARY KEY (workspace_id, topic, memory),
    FOREIGN KEY (workspace_id, memory) REFERENCES memory_facts (workspace_id, id)
);

CREATE INDEX memory_topic_by_memory ON memory_topic (workspace_id, memory);

-- What a memory rests on: whoever said it, sessions, sources (each enough by itself), and the
-- memories it was derived from (all of them needed).
CREATE TABLE memory_origin (
    workspace_id uuid NOT NULL,
    memory uuid NOT NULL,
    kind smallint NOT NULL,
    origin uuid NOT NULL,
    -- How far this origin was trusted.
    trust smallint NOT NULL,
    PRIMARY KEY (workspace_id, memory, kind, origin),
    FOREIGN KEY (workspace_id, memory) REFERENCES memory_facts (workspace_id, id)
);

CREATE INDEX memory_by_origin ON memory_origin (workspace_id, kind, origin, memory);

-- The memory that took another's place. `valid_to` is the end that the other one had before.
CREATE TABLE memory_successor (
    workspace_id uuid NOT NULL,
    memory uuid NOT NULL,
    successor uuid NOT NULL,
    valid_to bigint,
    PRIMARY KEY (workspace_id, memory),
    FOREIGN KEY (workspace_id, memory) REFERENCES memory_facts (workspace_id, id),
    FOREIGN KEY (workspace_id, successor) REFERENCES memory_facts (workspace_id, id)
);

CREATE INDEX memory_by_successor ON memory_successor (workspace_id, successor, memory);

-- Two memories of which at most one can be true; open until somebody resolves it.
CREATE TABLE memory_conflict (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    older uuid NOT NULL,
    newer uuid NOT NULL,
    found_at bigint NOT NULL,
    resolved_at bigint,
    resolution smallint,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, older, newer),
    FOREIGN KEY (workspace_id, older) REFERENCES memory_facts (workspace_id, id),
    FOREIGN KEY (workspace_id, newer) REFERENCES memory_facts (workspace_id, id)
);

CREATE INDEX memory_conflict_by_newer ON memory_conflict (workspace_id, newer);
CREATE INDEX memory_conflict_open ON memory_conflict (workspace_id, id)
    WHERE resolved_at IS NULL;

-- A statement that was held back or refused is not held back a second time.
CREATE INDEX memory_held_back ON memory_facts (workspace_id, fingerprint)
    WHERE state IN (1, 3);
CREATE INDEX memory_in_quarantine ON memory_facts (workspace_id, id)
    WHERE state = 1;
CREATE INDEX memory_superseded ON memory_facts (workspace_id, id)
    WHERE state = 2;

-- What is left of what was erased: that it was, and when.
CREATE TABLE tombstone (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    -- 0 a memory, 1 a session.
    kind smallint NOT NULL,
    seq bigint NOT NULL,
    erased_at bigint NOT NULL,
    -- Whether the log of the database was cut off since.
    scrubbed boolean NOT NULL DEFAULT false,
    PRIMARY KEY (workspace_id, id)
);

CREATE INDEX tombstone_by_seq ON tombstone (workspace_id, seq, id);
CREATE INDEX tombstone_unscrubbed ON tombstone (workspace_id, id) WHERE NOT scrubbed;

-- Sessions and sources that are being, or were, taken back with what came of them. Nothing is
-- distilled from them again.
CREATE TABLE removal (
    workspace_id uuid NOT NULL,
    kind smallint NOT NULL,
    origin uuid NOT NULL,
    -- 0 forget the memories, 1 erase them, 2 erase the session as well.
    mode smallint NOT NULL,
    asked_at bigint NOT NULL,
    actor_kind smallint,
    actor uuid,
    done_at bigint,
    reason bytea NOT NULL,
    PRIMARY KEY (workspace_id, kind, origin)
);

CREATE INDEX removal_open ON removal (workspace_id, asked_at) WHERE done_at IS NULL;

-- The sessions that an import brought.
CREATE TABLE session_source (
    workspace_id uuid NOT NULL,
    source bytea NOT NULL,
    session uuid NOT NULL,
    PRIMARY KEY (workspace_id, source, session),
    FOREIGN KEY (workspace_id, session) REFERENCES session (workspace_id, id)
);

CREATE INDEX session_source_by_session ON session_source (workspace_id, session);

-- Participants, who saw which part of a session, and what may be kept about whom. `name`, `card`
-- and `note` are sealed.

CREATE TABLE participant (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    kind smallint NOT NULL,
    -- 0 there, 1 deleted: an id without a name.
    state smallint NOT NULL,
    -- Whose credential speaks as it; NULL for those who are only named.
    principal_kind smallint,
    principal uuid,
    -- Who added it, and answers for an agent.
    owner_kind smallint NOT NULL,
    owner uuid NOT NULL,
    -- The participant that it turned out to be; that one is never merged itself.
    merged_into uuid,
    created_at bigint NOT NULL,
    name bytea,
    -- Of the two skeletons of the name.
    name_folded bytea,
    name_written bytea,
    card bytea,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, merged_into) REFERENCES participant (workspace_id, id)
);

CREATE UNIQUE INDEX participant_by_principal
    ON participant (workspace_id, principal_kind, principal) WHERE principal IS NOT NULL;
CREATE UNIQUE INDEX participant_by_folded
    ON participant (workspace_id, name_folded) WHERE name_folded IS NOT NULL;
CREATE UNIQUE INDEX participant_by_written
    ON participant (workspace_id, name_written) WHERE name_written IS NOT NULL;
CREATE INDEX participant_by_owner ON participant (workspace_id, owner_kind, owner);
CREATE INDEX participant_by_merge ON participant (workspace_id, merged_into)
    WHERE merged_into IS NOT NULL;

-- Append-only: added, named, merged, taken apart, deleted.
CREATE TABLE participant_event (
    workspace_id uuid NOT NULL,
    participant uuid NOT NULL,
    entry bigint NOT NULL,
    at bigint NOT NULL,
    actor_kind smallint,
    actor uuid,
    action smallint NOT NULL,
    other uuid,
    PRIMARY KEY (workspace_id, participant, entry),
    FOREIGN KEY (workspace_id, participant) REFERENCES participant (workspace_id, id)
);

-- Append-only. The last entry about an observer, or about anybody, decides; none is a no.
CREATE TABLE consent (
    workspace_id uuid NOT NULL,
    subject uuid NOT NULL,
    entry bigint NOT NULL,
    -- As seen by whom; anybody if NULL.
    observer uuid,
    given boolean NOT NULL,
    at bigint NOT NULL,
    actor_kind smallint,
    actor uuid,
    PRIMARY KEY (workspace_id, subject, entry),
    FOREIGN KEY (workspace_id, subject) REFERENCES participant (workspace_id, id)
);

-- Apart, because the words go with the participant while the history stays.
CREATE TABLE consent_note (
    workspace_id uuid NOT NULL,
    subject uuid NOT NULL,
    entry bigint NOT NULL,
    note bytea NOT NULL,
    PRIMARY KEY (workspace_id, subject, entry),
    FOREIGN KEY (workspace_id, subject, entry) REFERENCES consent (workspace_id, subject, entry)
);

-- Whom a memory is about. A memory derived from observations has the rows of all of them.
CREATE TABLE memory_about (
    workspace_id uuid NOT NULL,
    memory uuid NOT NULL,
    subject uuid NOT NULL,
    observer uuid NOT NULL,
    derived boolean NOT NULL,
    PRIMARY KEY (workspace_id, memory, subject, observer),
    FOREIGN KEY (workspace_id, memory) REFERENCES memory_facts (workspace_id, id),
    FOREIGN KEY (workspace_id, subject) REFERENCES participant (workspace_id, id),
    FOREIGN KEY (workspace_id, observer) REFERENCES participant (workspace_id, id)
);

CREATE INDEX memory_about_subject ON memory_about (workspace_id, subject, memory);

-- The stays of participants. A session with none is read by its visibility; one with any is read
-- by its owner and its members, these within their windows.
CREATE TABLE session_member (
    workspace_id uuid NOT NULL,
    session uuid NOT NULL,
    participant uuid NOT NULL,
    entry bigint NOT NULL,
    from_ordinal bigint NOT NULL,
    -- One past the last; NULL while the member is in the session.
    to_ordinal bigint,
    joined_at bigint NOT NULL,
    left_at bigint,
    PRIMARY KEY (workspace_id, session, participant, entry),
    FOREIGN KEY (workspace_id, session) REFERENCES session (workspace_id, id),
    FOREIGN KEY (workspace_id, participant) REFERENCES participant (workspace_id, id)
);

CREATE INDEX session_member_by_participant
    ON session_member (workspace_id, participant, session);

-- First and last turn behind a memory, kept for sessions that have members.
CREATE TABLE memory_span (
    workspace_id uuid NOT NULL,
    memory uuid NOT NULL,
    first_turn bigint NOT NULL,
    last_turn bigint NOT NULL,
    PRIMARY KEY (workspace_id, memory),
    FOREIGN KEY (workspace_id, memory) REFERENCES memory_facts (workspace_id, id)
);

-- Who spoke from this ordinal on, until the next row of the session: most sessions have one row.
CREATE TABLE turn_author (
    workspace_id uuid NOT NULL,
    session uuid NOT NULL,
    from_ordinal bigint NOT NULL,
    -- NULL for nobody known, and for the deleted.
    author uuid,
    PRIMARY KEY (workspace_id, session, from_ordinal),
    FOREIGN KEY (workspace_id, session) REFERENCES session (workspace_id, id),
    FOREIGN KEY (workspace_id, author) REFERENCES participant (workspace_id, id)
);

CREATE INDEX turn_author_by_author ON turn_author (workspace_id, author)
    WHERE author IS NOT NULL;

-- What was put in front of models. `body` is sealed: the exact bytes, what was asked, the scores.

CREATE TABLE injection (
    workspace_id uuid NOT NULL,
    session uuid NOT NULL,
    -- Place in the session, from 0.
    ordinal bigint NOT NULL,
    id uuid NOT NULL,
    at bigint NOT NULL,
    moment smallint NOT NULL,
    -- Ids of the memories in it, 16 bytes each, in order.
    memories bytea NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (workspace_id, session, ordinal),
    UNIQUE (workspace_id, id),
    FOREIGN KEY (workspace_id, session) REFERENCES session (workspace_id, id)
);

-- Proposals about names: that two are one, that one is called otherwise, that one no longer counts.
-- Who proposed, what and why is sealed in `body`.

CREATE TABLE ontology_proposal (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    -- 0 waits, 1 accepted, 2 rejected.
    state smallint NOT NULL,
    proposer_kind smallint NOT NULL,
    proposer uuid NOT NULL,
    at bigint NOT NULL,
    decider_kind smallint,
    decider uuid,
    decided_at bigint,
    body bytea NOT NULL,
    PRIMARY KEY (workspace_id, id)
);

CREATE INDEX ontology_proposal_by_state ON ontology_proposal (workspace_id, state, id);

-- What happened to every turn that was received, who has paused what, which directories may be
-- captured, and the sources that memories were read from. `body` is sealed; fingerprints are keyed.

-- Code 0 counts what was received; every other code is an outcome, and each turn has one.
CREATE TABLE capture_count (
    workspace_id uuid NOT NULL,
    outcome smallint NOT NULL,
    turns bigint NOT NULL,
    PRIMARY KEY (workspace_id, outcome)
);

-- The most that each client's spool ever said it had dropped, so that saying it twice adds nothing.
CREATE TABLE capture_spool (
    workspace_id uuid NOT NULL,
    spool bytea NOT NULL,
    dropped bigint NOT NULL,
    PRIMARY KEY (workspace_id, spool)
);

-- `holder_kind` -1 is everybody; an empty `session` is every session; `until` NULL has no end.
CREATE TABLE capture_pause (
    workspace_id uuid NOT NULL,
    holder_kind smallint NOT NULL,
    holder bytea NOT NULL,
    session bytea NOT NULL,
    until bigint,
    PRIMARY KEY (workspace_id, holder_kind, holder, session)
);

CREATE TABLE capture_binding (
    workspace_id uuid NOT NULL,
    owner_kind smallint NOT NULL,
    owner uuid NOT NULL,
    directory bytea NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (workspace_id, owner_kind, owner, directory)
);

CREATE TABLE source (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    -- Of owner, kind and location.
    fingerprint bytea NOT NULL,
    kind smallint NOT NULL,
    trust smallint NOT NULL,
    visibility smallint NOT NULL,
    owner_kind smallint NOT NULL,
    owner uuid NOT NULL,
    owner_group uuid,
    project uuid,
    created_at bigint NOT NULL,
    synced_at bigint,
    body bytea NOT NULL,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, fingerprint),
    FOREIGN KEY (workspace_id, project) REFERENCES project (workspace_id, id)
);

-- `version` is a fingerprint of what the client called the document's version.
CREATE TABLE source_document (
    workspace_id uuid NOT NULL,
    source uuid NOT NULL,
    document bytea NOT NULL,
    version bytea NOT NULL,
    PRIMARY KEY (workspace_id, source, document),
    FOREIGN KEY (workspace_id, source) REFERENCES source (workspace_id, id)
);

-- Every memory that was ever made of a source, so that a purge finds the superseded ones as well.
CREATE TABLE source_chunk (
    workspace_id uuid NOT NULL,
    source uuid NOT NULL,
    memory uuid NOT NULL,
    document bytea NOT NULL,
    -- Of the text and of where it stands.
    chunk bytea NOT NULL,
    -- Whether the document still has it.
    current boolean NOT NULL,
    PRIMARY KEY (workspace_id, source, memory),
    FOREIGN KEY (workspace_id, source) REFERENCES source (workspace_id, id),
    FOREIGN KEY (workspace_id, memory) REFERENCES memory_facts (workspace_id, id)
);

CREATE INDEX source_chunk_by_document ON source_chunk (workspace_id, source, document)
    WHERE current;

-- Distilling: which command sequences succeeded in which sessions, and what a model has cost.

-- `run` is a keyed digest of a sequence of commands: that two sessions did the same is seen here,
-- what they did is not.
CREATE TABLE command_run (
    workspace_id uuid NOT NULL,
    run bytea NOT NULL,
    session uuid NOT NULL,
    PRIMARY KEY (workspace_id, run, session),
    FOREIGN KEY (workspace_id, session) REFERENCES session (workspace_id, id) ON DELETE CASCADE
);

CREATE INDEX command_run_by_session ON command_run (workspace_id, session);

-- What a model read of closed sessions, and what it cost.

CREATE TABLE model_pass (
    workspace_id uuid NOT NULL,
    session uuid NOT NULL,
    -- 0 due, 1 done, 2 given up.
    state smallint NOT NULL,
    -- The first ordinal that no model has read, and how often one was asked about what begins there.
    next bigint NOT NULL,
    tries bigint NOT NULL,
    -- Whether the web was read before `next`.
    is_tainted boolean NOT NULL,
    PRIMARY KEY (workspace_id, session),
    FOREIGN KEY (workspace_id, session) REFERENCES session (workspace_id, id) ON DELETE CASCADE
);

CREATE INDEX model_pass_by_state ON model_pass (workspace_id, state, session);

-- Days since 1970, UTC. `reserved` was granted to calls of which nobody knows yet what they cost; a
-- call that was killed leaves its part there, and it counts as spent. Costs are in millionths.
CREATE TABLE model_day (
    workspace_id uuid NOT NULL,
    day bigint NOT NULL,
    calls bigint NOT NULL,
    reserved bigint NOT NULL,
    reserved_cost bigint NOT NULL,
    input bigint NOT NULL,
    output bigint NOT NULL,
    cost bigint NOT NULL,
    PRIMARY KEY (workspace_id, day)
);

CREATE TABLE model_refusal (
    workspace_id uuid NOT NULL,
    day bigint NOT NULL,
    reason text NOT NULL,
    items bigint NOT NULL,
    PRIMARY KEY (workspace_id, day, reason)
);

-- Sessions that were closed before there was such a pass; 3 is the history of a repository.

-- What a server said a page's version is, so that it is asked for again only if that changed.
-- `body` is sealed.
CREATE TABLE source_fetch (
    workspace_id uuid NOT NULL,
    source uuid NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (workspace_id, source),
    FOREIGN KEY (workspace_id, source) REFERENCES source (workspace_id, id)
);

-- A sealed snapshot of the workspace's index, in parts; a cache.
CREATE TABLE index_snapshot (
    workspace_id uuid NOT NULL,
    part bigint NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (workspace_id, part)
);
