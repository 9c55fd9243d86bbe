-- What nodes of one database have in common beside rows of their own.

-- Grows with each announcement: a node that was not listening sees that it missed some.
ALTER TABLE instance ADD COLUMN news bigint NOT NULL DEFAULT 0;

-- Proofs of possession that were used, so that each is good for one request of one node.
CREATE TABLE proof (
    digest bytea NOT NULL PRIMARY KEY,
    -- It would be refused for its age from then on.
    expires_at bigint NOT NULL
);

CREATE INDEX proof_of_expiry ON proof (expires_at);

ALTER TABLE proof ENABLE ROW LEVEL SECURITY;
ALTER TABLE proof FORCE ROW LEVEL SECURITY;
CREATE POLICY installation ON proof
    USING (current_setting('skep.installation', true) = 'on')
    WITH CHECK (current_setting('skep.installation', true) = 'on');
GRANT SELECT, INSERT, DELETE ON proof TO skep_app;
