-- Answers of models that are kept for a while, so that whoever asks again under the same key is given the same
-- one. `name` is a MAC of who asked and of their key, `asked` one of what they asked.
CREATE TABLE model_answer (
    workspace_id BLOB NOT NULL,
    name BLOB NOT NULL,
    asked BLOB NOT NULL,
    -- Random: whoever has it may keep the answer.
    claim BLOB NOT NULL,
    -- The run of the program that asks.
    run BLOB NOT NULL,
    until INTEGER NOT NULL,
    -- Of the answer, in bytes; 0 while there is none.
    size INTEGER NOT NULL,
    body BLOB,
    PRIMARY KEY (workspace_id, name)
) STRICT;

CREATE INDEX model_answer_kept ON model_answer (workspace_id, until, name, size);
