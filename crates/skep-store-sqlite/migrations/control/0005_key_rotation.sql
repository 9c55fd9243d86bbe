-- Signing keys change by the date; besides, whoever runs the installation may change them at once: which
-- generation they are of, and since when.
ALTER TABLE instance ADD COLUMN signing INTEGER NOT NULL DEFAULT 0;
ALTER TABLE instance ADD COLUMN signing_since INTEGER NOT NULL DEFAULT 0;
