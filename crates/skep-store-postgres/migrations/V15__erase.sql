-- What erases entries of the ledger, and does nothing else: nodes may neither change nor remove an entry. An entry
-- becomes a tombstone, whole: one that is in the tree, that does not say itself what was erased, and that the last
-- entry of the record says is erased. The wall around the installation's own rows stands for the owner too.

CREATE FUNCTION erase_audit(uuid, bigint[]) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = skep, pg_temp AS $$
    WITH gone AS (
        UPDATE skep.audit AS a
        SET body = '', workspace = NULL, principal_kind = NULL, principal = NULL, credential = NULL
        WHERE a.organization = $1 AND a.seq = ANY ($2) AND length(a.body) > 0
            AND a.leaf IS NOT NULL AND a.action <> 'audit.erase'
            AND 'audit.erase' = (SELECT l.action FROM skep.audit AS l WHERE l.organization = $1
                ORDER BY l.seq DESC LIMIT 1)
        RETURNING a.seq
    ), unseen AS (
        DELETE FROM skep.audit_seen AS s USING gone WHERE s.organization = $1 AND s.seq = gone.seq
    )
    SELECT count(*) FROM gone
$$;

CREATE FUNCTION erase_usage(uuid, bigint[]) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = skep, pg_temp AS $$
    WITH gone AS (
        UPDATE skep.usage AS u
        SET body = '', workspace = NULL, principal_kind = NULL, principal = NULL, credential = NULL
        WHERE u.organization = $1 AND u.seq = ANY ($2) AND length(u.body) > 0
            AND 'audit.erase' = (SELECT l.action FROM skep.audit AS l WHERE l.organization = $1
                ORDER BY l.seq DESC LIMIT 1)
        RETURNING u.seq
    )
    SELECT count(*) FROM gone
$$;

REVOKE ALL ON FUNCTION erase_audit(uuid, bigint[]), erase_usage(uuid, bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erase_audit(uuid, bigint[]), erase_usage(uuid, bigint[]) TO skep_app;
