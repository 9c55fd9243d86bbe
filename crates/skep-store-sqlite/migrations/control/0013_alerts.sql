-- Alerts are listed whatever they are about.
DROP INDEX audit_alert;
CREATE INDEX audit_alert ON audit (organization, seq)
    WHERE action IN ('alert.budget', 'alert.denials', 'alert.foreign');
