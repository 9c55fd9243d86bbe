-- Answers of models that are kept for a while, so that whoever asks again under the same key is given the same
-- one. `name` is a MAC of who asked and of their key, `asked` one of what they asked.
CREATE TABLE model_answer (
    workspace_id uuid NOT NULL,
    name bytea NOT NULL,
    asked bytea NOT NULL,
    -- Random: whoever has it may keep the answer.
    claim uuid NOT NULL,
    -- The run of the program that asks.
    run bytea NOT NULL,
    until bigint NOT NULL,
    -- Of the answer, in bytes; 0 while there is none.
    size bigint NOT NULL,
    body bytea,
    PRIMARY KEY (workspace_id, name)
);

CREATE INDEX model_answer_kept ON model_answer (workspace_id, until, name, size);

ALTER TABLE model_answer ENABLE ROW LEVEL SECURITY;
ALTER TABLE model_answer FORCE ROW LEVEL SECURITY;
CREATE POLICY own_workspace ON model_answer
    USING (workspace_id = nullif(current_setting('skep.workspace', true), '')::uuid)
    WITH CHECK (workspace_id = nullif(current_setting('skep.workspace', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON model_answer TO skep_app;
