-- Participants, who saw which part of a session, and what may be kept about whom. `name`, `card`
-- and `note` are sealed.

CREATE TABLE participant (
    workspace_id BLOB NOT NULL,
    id BLOB NOT NULL,
    kind INTEGER NOT NULL,
    -- 0 there, 1 deleted: an id without a name.
    state INTEGER NOT NULL,
    -- Whose credential speaks as it; NULL for those who are only named.
    principal_kind INTEGER,
    principal BLOB,
    -- Who added it, and answers for an agent.
    owner_kind INTEGER NOT NULL,
    owner BLOB NOT NULL,
    -- The participant that it turned out to be; that one is never merged itself.
    merged_into BLOB,
    created_at INTEGER NOT NULL,
    name BLOB,
    -- Of the two skeletons of the name.
    name_folded BLOB,
    name_written BLOB,
    card BLOB,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, merged_into) REFERENCES participant (workspace_id, id)
) STRICT, WITHOUT ROWID;

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
    workspace_id BLOB NOT NULL,
    participant BLOB NOT NULL,
    entry INTEGER NOT NULL,
    at INTEGER NOT NULL,
    actor_kind INTEGER,
    actor BLOB,
    action INTEGER NOT NULL,
    other BLOB,
    PRIMARY KEY (workspace_id, participant, entry),
    FOREIGN KEY (workspace_id, participant) REFERENCES participant (workspace_id, id)
) STRICT, WITHOUT ROWID;

-- Append-only. The last entry about an observer, or about anybody, decides; none is a no.
CREATE TABLE consent (
    workspace_id BLOB NOT NULL,
    subject BLOB NOT NULL,
    entry INTEGER NOT NULL,
    -- As seen by whom; anybody if NULL.
    observer BLOB,
    given INTEGER NOT NULL,
    at INTEGER NOT NULL,
    actor_kind INTEGER,
    actor BLOB,
    PRIMARY KEY (workspace_id, subject, entry),
    FOREIGN KEY (workspace_id, subject) REFERENCES participant (workspace_id, id)
) STRICT, WITHOUT ROWID;

-- Apart, because the words go with the participant while the history stays.
CREATE TABLE consent_note (
    workspace_id BLOB NOT NULL,
    subject BLOB NOT NULL,
    entry INTEGER NOT NULL,
    note BLOB NOT NULL,
    PRIMARY KEY (workspace_id, subject, entry),
    FOREIGN KEY (workspace_id, subject, entry) REFERENCES consent (workspace_id, subject, entry)
) STRICT, WITHOUT ROWID;

-- Whom a memory is about. A memory derived from observations has the rows of all of them.
CREATE TABLE memory_about (
    workspace_id BLOB NOT NULL,
    memory BLOB NOT NULL,
    subject BLOB NOT NULL,
    observer BLOB NOT NULL,
    derived INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, memory, subject, observer),
    FOREIGN KEY (workspace_id, memory) REFERENCES memory_facts (workspace_id, id),
    FOREIGN KEY (workspace_id, subject) REFERENCES participant (workspace_id, id),
    FOREIGN KEY (workspace_id, observer) REFERENCES participant (workspace_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX memory_about_subject ON memory_about (workspace_id, subject, memory);

-- The stays of participants. A session with none is read by its visibility; one with any is read
-- by its owner and its members, these within their windows.
CREATE TABLE session_member (
    workspace_id BLOB NOT NULL,
    session BLOB NOT NULL,
    participant BLOB NOT NULL,
    entry INTEGER NOT NULL,
    from_ordinal INTEGER NOT NULL,
    -- One past the last; NULL while the member is in the session.
    to_ordinal INTEGER,
    joined_at INTEGER NOT NULL,
    left_at INTEGER,
    PRIMARY KEY (workspace_id, session, participant, entry),
    FOREIGN KEY (workspace_id, session) REFERENCES session (workspace_id, id),
    FOREIGN KEY (workspace_id, participant) REFERENCES participant (workspace_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX session_member_by_participant
    ON session_member (workspace_id, participant, session);

-- First and last turn behind a memory, kept for sessions that have members.
CREATE TABLE memory_span (
    workspace_id BLOB NOT NULL,
    memory BLOB NOT NULL,
    first_turn INTEGER NOT NULL,
    last_turn INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, memory),
    FOREIGN KEY (workspace_id, memory) REFERENCES memory_facts (workspace_id, id)
) STRICT, WITHOUT ROWID;

-- Who spoke from this ordinal on, until the next row of the session: most sessions have one row.
CREATE TABLE turn_author (
    workspace_id BLOB NOT NULL,
    session BLOB NOT NULL,
    from_ordinal INTEGER NOT NULL,
    -- NULL for nobody known, and for the deleted.
    author BLOB,
    PRIMARY KEY (workspace_id, session, from_ordinal),
    FOREIGN KEY (workspace_id, session) REFERENCES session (workspace_id, id),
    FOREIGN KEY (workspace_id, author) REFERENCES participant (workspace_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX turn_author_by_author ON turn_author (workspace_id, author)
    WHERE author IS NOT NULL;
