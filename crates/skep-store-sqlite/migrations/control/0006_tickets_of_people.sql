-- Whose account a ticket is about, and who made it: it goes with a new password of the one, and with
-- the membership of the other.
ALTER TABLE ticket ADD COLUMN user BLOB;
ALTER TABLE ticket ADD COLUMN maker BLOB;

CREATE INDEX ticket_of_user ON ticket (user) WHERE user IS NOT NULL;
CREATE INDEX ticket_of_maker ON ticket (organization, maker) WHERE maker IS NOT NULL;
