-- Which entries of the record of decisions name something as shown to somebody who does not own it. Rows are added
-- with their entry and never changed: the connections refuse it.
CREATE TABLE audit_seen (
    organization BLOB NOT NULL,
    item BLOB NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (organization, item, seq)
) STRICT, WITHOUT ROWID;

-- Alerts are found among everything else.
CREATE INDEX audit_alert ON audit (organization, seq)
    WHERE action IN ('alert.denials', 'alert.foreign');
