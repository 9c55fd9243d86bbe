-- Which entries of the record of decisions name something as shown to somebody who does not own it.
CREATE TABLE audit_seen (
    organization uuid NOT NULL,
    item uuid NOT NULL,
    seq bigint NOT NULL,
    PRIMARY KEY (organization, item, seq)
);

ALTER TABLE audit_seen ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_seen FORCE ROW LEVEL SECURITY;
CREATE POLICY installation ON audit_seen
    USING (current_setting('skep.installation', true) = 'on')
    WITH CHECK (current_setting('skep.installation', true) = 'on');

-- Rows are added with their entry and never changed.
GRANT SELECT, INSERT ON audit_seen TO skep_app;

-- Alerts are found among everything else.
CREATE INDEX audit_alert ON audit (organization, seq)
    WHERE action IN ('alert.denials', 'alert.foreign');
