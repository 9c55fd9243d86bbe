-- People whom an organization's own issuer vouches for.

-- Whether a credential came of an issuer's word: it counts in its own organization, and shows nothing
-- of the others that its owner belongs to.
ALTER TABLE credential ADD COLUMN confined INTEGER NOT NULL DEFAULT 0;

-- Links go with a membership, and are shown to whom they are of.
CREATE INDEX identity_link_of_user ON identity_link (organization, user);
