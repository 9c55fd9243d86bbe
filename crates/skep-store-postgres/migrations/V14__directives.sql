-- The standing text of an organization or of one of its workspaces. Versions are added and never change; `workspace` is
-- zeros for what counts in all of them. What it says, and why, is sealed.
CREATE TABLE directive (
    organization uuid NOT NULL,
    id uuid NOT NULL,
    workspace uuid NOT NULL,
    version bigint NOT NULL,
    drafter_kind smallint NOT NULL,
    drafter uuid NOT NULL,
    at bigint NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (organization, id),
    UNIQUE (organization, workspace, version)
);

-- Which version counts: the last one named. 0 is none.
CREATE TABLE directive_promotion (
    organization uuid NOT NULL,
    workspace uuid NOT NULL,
    ordinal bigint NOT NULL,
    version bigint NOT NULL,
    promoter_kind smallint NOT NULL,
    promoter uuid NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (organization, workspace, ordinal)
);

ALTER TABLE directive ENABLE ROW LEVEL SECURITY;
ALTER TABLE directive FORCE ROW LEVEL SECURITY;
CREATE POLICY installation ON directive
    USING (current_setting('skep.installation', true) = 'on')
    WITH CHECK (current_setting('skep.installation', true) = 'on');
ALTER TABLE directive_promotion ENABLE ROW LEVEL SECURITY;
ALTER TABLE directive_promotion FORCE ROW LEVEL SECURITY;
CREATE POLICY installation ON directive_promotion
    USING (current_setting('skep.installation', true) = 'on')
    WITH CHECK (current_setting('skep.installation', true) = 'on');

-- Versions are added and never change; so is what was named. With their workspace they go.
GRANT SELECT, INSERT, DELETE ON directive, directive_promotion TO skep_app;
