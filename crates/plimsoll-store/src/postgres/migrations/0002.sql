-- Two versions of the server side by side: which builds may serve, and what they may write.

ALTER TABLE plimsoll.layout ADD COLUMN serves_from bigint, ADD COLUMN record bigint;
COMMENT ON TABLE plimsoll.layout IS 'The migrations that were made. A node serves where it knows all of them, or the last one that `serves_from` names.';
COMMENT ON COLUMN plimsoll.layout.serves_from IS 'The layout that a build must know at least to serve from here on; none means this one. The greatest of all rows counts.';
COMMENT ON COLUMN plimsoll.layout.record IS 'The version of rows and events that nodes may write from here on; none means no other than before. The greatest of all rows counts. `plimsoll migrate --finish` raises it.';
UPDATE plimsoll.layout SET record = 4 WHERE version = 1;

-- What a node asks and writes in each transaction, as functions: PostgreSQL then parses and plans
-- it once on each connection, and not each time, which costs more than doing it. They hold no rule:
-- each reads or writes the rows that it is told. They are planned for keys, whatever the statistics
-- say, so that a table that has grown since does not make a plan a bad one.
--
-- A function is never changed once it was released, as nodes of an older build may call it: a new
-- one gets another name.

CREATE FUNCTION plimsoll.heads(tenants text[], locks_tenants boolean, locks_catalogue boolean)
RETURNS TABLE (log text, revision bigint, at_ms bigint, chain bytea)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
BEGIN
    -- One look-up for each, in the order given, whatever the table grows to.
    IF locks_tenants THEN
        RETURN QUERY SELECT h.* FROM unnest(tenants) AS k (id), LATERAL
            (SELECT l.tenant, l.revision, l.at_ms, l.chain FROM plimsoll.log l
             WHERE l.tenant = k.id LIMIT 1 FOR UPDATE) AS h;
    ELSE
        RETURN QUERY SELECT h.* FROM unnest(tenants) AS k (id), LATERAL
            (SELECT l.tenant, l.revision, l.at_ms, l.chain FROM plimsoll.log l
             WHERE l.tenant = k.id LIMIT 1) AS h;
    END IF;
    IF locks_catalogue THEN
        RETURN QUERY SELECT l.tenant, l.revision, l.at_ms, l.chain FROM plimsoll.log l
            WHERE l.tenant = '' FOR UPDATE;
    ELSE
        RETURN QUERY SELECT l.tenant, l.revision, l.at_ms, l.chain FROM plimsoll.log l
            WHERE l.tenant = '';
    END IF;
END
$$;
COMMENT ON FUNCTION plimsoll.heads IS 'Where the logs of tenants stand, and that of the catalogue; locked where that is asked for, in the order given, the catalogue''s last.';

CREATE FUNCTION plimsoll.named(
    tenants text[], scopes text[], of_tenants text[], reservations text[],
    requests text[], requests_of text[], principals text[]
)
RETURNS SETOF bytea
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
DECLARE
    named text[] := scopes;
    taken_in text[];
    taken bytea[];
BEGIN
    IF cardinality(reservations) > 0 THEN
        SELECT array_agg(r.scope), array_agg(r.row) INTO taken_in, taken
            FROM unnest(of_tenants, reservations) AS k (tenant, id), LATERAL
                (SELECT t.scope, t.row FROM plimsoll.reservation t
                 WHERE t.id = k.id AND t.tenant = k.tenant LIMIT 1) AS r;
        named := named || taken_in;
    END IF;
    IF cardinality(requests) > 0 THEN
        named := named || ARRAY(SELECT q.scope FROM plimsoll.request q WHERE q.id = ANY(requests));
    END IF;
    -- A tenant that is not locked is left out. It is no key here: there are more of them than scopes.
    RETURN QUERY SELECT s.row FROM plimsoll.scope s
        WHERE s.id = ANY(ARRAY(SELECT unnest(n.above) FROM plimsoll.scope n WHERE n.id = ANY(named)))
        AND s.tenant || '' = ANY(tenants)
        ORDER BY cardinality(s.above);
    -- Whether there are scopes below one shows by any of them.
    RETURN QUERY SELECT below.row FROM unnest(scopes) AS k (id), LATERAL
        (SELECT s.row FROM plimsoll.scope s WHERE s.parent = k.id LIMIT 1) AS below;
    RETURN QUERY SELECT unnest(taken);
    IF cardinality(requests) > 0 OR cardinality(requests_of) > 0 THEN
        RETURN QUERY SELECT q.row FROM plimsoll.request q
            WHERE q.id = ANY(requests) AND q.tenant || '' = ANY(tenants)
            OR q.tenant = ANY(requests_of);
    END IF;
    IF cardinality(principals) > 0 THEN
        RETURN QUERY SELECT p.row FROM plimsoll.principal p WHERE p.id = ANY(principals);
    END IF;
END
$$;
COMMENT ON FUNCTION plimsoll.named IS 'The rows with these names: each scope with those above it, the highest first, then reservations, requests and principals. Scopes and requests only of these tenants, reservations each of its tenant.';

CREATE FUNCTION plimsoll.places(
    scopes text[], resources text[], locations text[], whole_scopes text[]
)
RETURNS SETOF bytea
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
BEGIN
    IF cardinality(scopes) > 0 THEN
        RETURN QUERY SELECT f.row FROM unnest(scopes, resources, locations)
            AS k (scope, resource, location), LATERAL (SELECT t.row FROM plimsoll.limits t
                WHERE t.scope = k.scope AND t.resource = k.resource AND t.location = k.location
                LIMIT 1) AS f;
        RETURN QUERY SELECT f.row FROM unnest(scopes, resources, locations)
            AS k (scope, resource, location), LATERAL (SELECT t.row FROM plimsoll.account t
                WHERE t.scope = k.scope AND t.resource = k.resource AND t.location = k.location
                LIMIT 1) AS f;
        RETURN QUERY SELECT f.row FROM unnest(scopes, resources, locations)
            AS k (scope, resource, location), LATERAL (SELECT t.row FROM plimsoll.tally t
                WHERE t.scope = k.scope AND t.resource = k.resource AND t.location = k.location
                LIMIT 1) AS f;
    END IF;
    IF cardinality(whole_scopes) > 0 THEN
        RETURN QUERY SELECT t.row FROM plimsoll.limits t WHERE t.scope = ANY(whole_scopes);
        RETURN QUERY SELECT t.row FROM plimsoll.account t WHERE t.scope = ANY(whole_scopes);
        RETURN QUERY SELECT t.row FROM plimsoll.tally t WHERE t.scope = ANY(whole_scopes);
    END IF;
END
$$;
COMMENT ON FUNCTION plimsoll.places IS 'The limits, accounts and tallies of scopes at items, and all those of whole scopes.';

CREATE FUNCTION plimsoll.write(
    known bigint,
    event_tenant text[], event_revision bigint[], event_at_ms bigint[], event_catalogue bigint[],
    event_chain bytea[], event_event bytea[],
    log_tenant text[], log_revision bigint[], log_at_ms bigint[], log_chain bytea[],
    account_scope text[], account_resource text[], account_location text[],
    account_used bigint[], account_held bigint[], account_row bytea[],
    reservation_id text[], reservation_tenant text[], reservation_scope text[],
    reservation_state text[], reservation_expires_at_ms bigint[], reservation_ended_at_ms bigint[],
    reservation_row bytea[]
)
RETURNS void
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
BEGIN
    IF known IS NOT NULL THEN
        PERFORM 1 FROM plimsoll.log l WHERE l.tenant = '' AND l.revision = known FOR SHARE;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'the catalogue has changed' USING ERRCODE = 'serialization_failure';
        END IF;
    END IF;
    INSERT INTO plimsoll.event (tenant, revision, at_ms, catalogue, chain, event)
        SELECT * FROM unnest(event_tenant, event_revision, event_at_ms, event_catalogue,
            event_chain, event_event);
    INSERT INTO plimsoll.log (tenant, revision, at_ms, chain)
        SELECT * FROM unnest(log_tenant, log_revision, log_at_ms, log_chain)
        ON CONFLICT (tenant) DO UPDATE SET revision = excluded.revision,
            at_ms = excluded.at_ms, chain = excluded.chain;
    IF cardinality(account_scope) > 0 THEN
        INSERT INTO plimsoll.account (scope, resource, location, used, held, row)
            SELECT * FROM unnest(account_scope, account_resource, account_location,
                account_used, account_held, account_row)
            ON CONFLICT (scope, resource, location) DO UPDATE SET used = excluded.used,
                held = excluded.held, row = excluded.row;
    END IF;
    IF cardinality(reservation_id) > 0 THEN
        INSERT INTO plimsoll.reservation
                (id, tenant, scope, state, expires_at_ms, ended_at_ms, row)
            SELECT * FROM unnest(reservation_id, reservation_tenant, reservation_scope,
                reservation_state, reservation_expires_at_ms, reservation_ended_at_ms,
                reservation_row)
            ON CONFLICT (id, tenant) DO UPDATE SET scope = excluded.scope,
                state = excluded.state, expires_at_ms = excluded.expires_at_ms,
                ended_at_ms = excluded.ended_at_ms, row = excluded.row;
    END IF;
END
$$;
COMMENT ON FUNCTION plimsoll.write IS 'Writes what nearly every decision writes, as the last of a transaction. Where `known` is no longer the catalogue''s revision it fails, and nothing is written; where it is, it stays so until the end of the transaction.';
