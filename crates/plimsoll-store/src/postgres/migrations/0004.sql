-- What a batch writes costs less. Builds of layout 2 serve on: nothing that they need is taken away.

CREATE FUNCTION plimsoll.write_batch(
    known bigint,
    event_tenant text[], event_revision bigint[], event_at_ms bigint[], event_catalogue bigint[],
    event_chain bytea[], event_event bytea[],
    log_tenant text[], log_revision bigint[], log_at_ms bigint[], log_chain bytea[],
    account_scope text[], account_resource text[], account_location text[],
    account_used bigint[], account_held bigint[], account_row bytea[],
    new_id text[], new_tenant text[], new_scope text[], new_state text[],
    new_expires_at_ms bigint[], new_ended_at_ms bigint[], new_row bytea[],
    changed_id text[], changed_tenant text[], changed_scope text[], changed_state text[],
    changed_expires_at_ms bigint[], changed_ended_at_ms bigint[], changed_row bytea[]
)
RETURNS void
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
DECLARE
    -- As the column's default, and once for all rows.
    place bigint := greatest(
        pg_current_xact_id()::text::bigint,
        pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1
    );
BEGIN
    IF known IS NOT NULL THEN
        PERFORM 1 FROM plimsoll.log l WHERE l.tenant = '' AND l.revision = known FOR SHARE;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'the catalogue has changed' USING ERRCODE = 'serialization_failure';
        END IF;
    END IF;
    INSERT INTO plimsoll.event (tenant, revision, at_ms, catalogue, chain, event, transaction)
        SELECT *, place FROM unnest(event_tenant, event_revision, event_at_ms, event_catalogue,
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
    IF cardinality(new_id) > 0 THEN
        INSERT INTO plimsoll.reservation
                (id, tenant, scope, state, expires_at_ms, ended_at_ms, row)
            SELECT * FROM unnest(new_id, new_tenant, new_scope, new_state, new_expires_at_ms,
                new_ended_at_ms, new_row);
    END IF;
    IF cardinality(changed_id) > 0 THEN
        INSERT INTO plimsoll.reservation
                (id, tenant, scope, state, expires_at_ms, ended_at_ms, row)
            SELECT * FROM unnest(changed_id, changed_tenant, changed_scope, changed_state,
                changed_expires_at_ms, changed_ended_at_ms, changed_row)
            ON CONFLICT (id, tenant) DO UPDATE SET scope = excluded.scope,
                state = excluded.state, expires_at_ms = excluded.expires_at_ms,
                ended_at_ms = excluded.ended_at_ms, row = excluded.row;
    END IF;
END
$$;
COMMENT ON FUNCTION plimsoll.write_batch IS 'Writes what nearly every decision writes, as the last of a transaction. Where `known` is no longer the catalogue''s revision it fails, and nothing is written; where it is, it stays so until the end of the transaction. A reservation that is said to be new and is not fails, too.';
