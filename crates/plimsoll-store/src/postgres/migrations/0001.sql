-- The first layout. One row per row of the core: what is looked up or ordered by stands in columns
-- of its own; the column `row` has the whole row in the bytes of the journal's format, and is what
-- is read back. Texts are compared byte by byte, as everywhere in the ledger.

CREATE TABLE plimsoll.layout (
    version bigint PRIMARY KEY,
    migrated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE plimsoll.layout IS 'The migrations that were made. A node serves only where the last one is the one it knows.';
COMMENT ON COLUMN plimsoll.layout.version IS 'The number of the migration, from 1.';
COMMENT ON COLUMN plimsoll.layout.migrated_at IS 'When it was made.';

CREATE TABLE plimsoll.agreed (
    name text COLLATE "C" PRIMARY KEY,
    value bytea NOT NULL
);
COMMENT ON TABLE plimsoll.agreed IS 'What all nodes must have in common: the first one says it, the others compare.';
COMMENT ON COLUMN plimsoll.agreed.name IS 'What it is about: `master_key` is a text sealed by the master key, which every node must be able to open; `demo-credentials.json` are the demo''s, sealed.';
COMMENT ON COLUMN plimsoll.agreed.value IS 'What the first node said.';

CREATE TABLE plimsoll.log (
    tenant text COLLATE "C" PRIMARY KEY,
    revision bigint NOT NULL,
    at_ms bigint NOT NULL,
    chain bytea NOT NULL
);
COMMENT ON TABLE plimsoll.log IS 'Where each log stands: the root row of a tenant. Whoever changes anything of a tenant locks its row first.';
COMMENT ON COLUMN plimsoll.log.tenant IS 'The tenant; empty for the catalogue, which belongs to none.';
COMMENT ON COLUMN plimsoll.log.revision IS 'The revision of the last event; 0 before the first.';
COMMENT ON COLUMN plimsoll.log.at_ms IS 'When that was, in milliseconds since 1970, UTC.';
COMMENT ON COLUMN plimsoll.log.chain IS 'The SHA-256 of the last event and of the hash before it.';
INSERT INTO plimsoll.log (tenant, revision, at_ms, chain) VALUES ('', 0, 0, decode(repeat('00', 32), 'hex'));

CREATE TABLE plimsoll.event (
    tenant text COLLATE "C" NOT NULL,
    revision bigint NOT NULL,
    at_ms bigint NOT NULL,
    catalogue bigint NOT NULL,
    transaction bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    chain bytea NOT NULL,
    event bytea NOT NULL,
    PRIMARY KEY (tenant, revision)
);
CREATE INDEX event_transaction ON plimsoll.event (transaction);
COMMENT ON TABLE plimsoll.event IS 'Every event there ever was. Never changed, never deleted.';
COMMENT ON COLUMN plimsoll.event.tenant IS 'Whose log it is in; empty for the catalogue.';
COMMENT ON COLUMN plimsoll.event.revision IS 'Its place in the log, from 1, without gaps.';
COMMENT ON COLUMN plimsoll.event.at_ms IS 'When it happened; never earlier than the event before.';
COMMENT ON COLUMN plimsoll.event.catalogue IS 'The revision of the catalogue by which it was decided.';
COMMENT ON COLUMN plimsoll.event.transaction IS 'The number of the transaction that wrote it. All logs together are read in this order, up to the oldest transaction that has not ended.';
COMMENT ON COLUMN plimsoll.event.chain IS 'The SHA-256 of the hash before it and of its bytes.';
COMMENT ON COLUMN plimsoll.event.event IS 'The event in the bytes of the journal''s format.';

CREATE TABLE plimsoll.catalogue (
    kind text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    row bytea NOT NULL,
    PRIMARY KEY (kind, id)
);
COMMENT ON TABLE plimsoll.catalogue IS 'What belongs to no tenant and is small: every node keeps a copy, and looks at the catalogue''s log before it decides by it.';
COMMENT ON COLUMN plimsoll.catalogue.kind IS 'What it is: `resource`, `location`, `tier` or `webhook`.';
COMMENT ON COLUMN plimsoll.catalogue.id IS 'Its name.';
COMMENT ON COLUMN plimsoll.catalogue.row IS 'The whole row.';

CREATE TABLE plimsoll.principal (
    id text COLLATE "C" PRIMARY KEY,
    row bytea NOT NULL
);
COMMENT ON TABLE plimsoll.principal IS 'Who may call. Secrets are sealed by the master key, tokens are hashes.';
COMMENT ON COLUMN plimsoll.principal.id IS 'Its id.';
COMMENT ON COLUMN plimsoll.principal.row IS 'The whole row.';

CREATE TABLE plimsoll.scope (
    id text COLLATE "C" PRIMARY KEY,
    tenant text COLLATE "C" NOT NULL,
    parent text COLLATE "C",
    above text[] COLLATE "C" NOT NULL,
    row bytea NOT NULL
);
CREATE INDEX scope_tenant ON plimsoll.scope (tenant, id);
CREATE INDEX scope_parent ON plimsoll.scope (parent, id);
COMMENT ON TABLE plimsoll.scope IS 'The nodes of the tenants'' trees. Never deleted, never moved.';
COMMENT ON COLUMN plimsoll.scope.id IS 'Its id, unique across all tenants.';
COMMENT ON COLUMN plimsoll.scope.tenant IS 'The root of its tree.';
COMMENT ON COLUMN plimsoll.scope.parent IS 'The node above; none for a tenant.';
COMMENT ON COLUMN plimsoll.scope.above IS 'The scope itself and every scope above it.';
COMMENT ON COLUMN plimsoll.scope.row IS 'The whole row.';

CREATE TABLE plimsoll.limits (
    scope text COLLATE "C" NOT NULL,
    resource text COLLATE "C" NOT NULL,
    location text COLLATE "C" NOT NULL,
    row bytea NOT NULL,
    PRIMARY KEY (scope, resource, location)
);
COMMENT ON TABLE plimsoll.limits IS 'The limits set for a scope and an item, all windows in one row.';
COMMENT ON COLUMN plimsoll.limits.scope IS 'Where they bind.';
COMMENT ON COLUMN plimsoll.limits.resource IS 'What they bind.';
COMMENT ON COLUMN plimsoll.limits.location IS 'At which location; empty for any.';
COMMENT ON COLUMN plimsoll.limits.row IS 'The whole row.';

CREATE TABLE plimsoll.account (
    scope text COLLATE "C" NOT NULL,
    resource text COLLATE "C" NOT NULL,
    location text COLLATE "C" NOT NULL,
    used bigint NOT NULL,
    held bigint NOT NULL,
    row bytea NOT NULL,
    PRIMARY KEY (scope, resource, location)
) WITH (fillfactor = 70);
COMMENT ON TABLE plimsoll.account IS 'The running figures of a scope and an item: everything taken there and below.';
COMMENT ON COLUMN plimsoll.account.scope IS 'Where.';
COMMENT ON COLUMN plimsoll.account.resource IS 'Of what.';
COMMENT ON COLUMN plimsoll.account.location IS 'At which location; empty where it is counted at none.';
COMMENT ON COLUMN plimsoll.account.used IS 'Taken for good. For people: `row` is what counts.';
COMMENT ON COLUMN plimsoll.account.held IS 'Taken for now. For people: `row` is what counts.';
COMMENT ON COLUMN plimsoll.account.row IS 'The whole row.';

CREATE TABLE plimsoll.tally (
    scope text COLLATE "C" NOT NULL,
    resource text COLLATE "C" NOT NULL,
    location text COLLATE "C" NOT NULL,
    row bytea NOT NULL,
    PRIMARY KEY (scope, resource, location)
);
COMMENT ON TABLE plimsoll.tally IS 'What went past the limits of a scope and an item, or would have.';
COMMENT ON COLUMN plimsoll.tally.scope IS 'Where.';
COMMENT ON COLUMN plimsoll.tally.resource IS 'Of what.';
COMMENT ON COLUMN plimsoll.tally.location IS 'At which location; empty where it is counted at none.';
COMMENT ON COLUMN plimsoll.tally.row IS 'The whole row.';

CREATE TABLE plimsoll.request (
    id text COLLATE "C" PRIMARY KEY,
    tenant text COLLATE "C" NOT NULL,
    scope text COLLATE "C" NOT NULL,
    resource text COLLATE "C" NOT NULL,
    row bytea NOT NULL
);
CREATE INDEX request_tenant ON plimsoll.request (tenant, id);
CREATE INDEX request_resource ON plimsoll.request (resource);
COMMENT ON TABLE plimsoll.request IS 'Wishes for higher limits.';
COMMENT ON COLUMN plimsoll.request.id IS 'Its id, unique across all tenants.';
COMMENT ON COLUMN plimsoll.request.tenant IS 'The root of its scope''s tree.';
COMMENT ON COLUMN plimsoll.request.scope IS 'Where the limit is to bind.';
COMMENT ON COLUMN plimsoll.request.resource IS 'What it is to bind.';
COMMENT ON COLUMN plimsoll.request.row IS 'The whole row.';

CREATE TABLE plimsoll.reservation (
    tenant text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    scope text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    expires_at_ms bigint,
    ended_at_ms bigint,
    row bytea NOT NULL,
    PRIMARY KEY (id, tenant)
) WITH (fillfactor = 90);
CREATE INDEX reservation_tenant ON plimsoll.reservation (tenant, id);
CREATE INDEX reservation_held ON plimsoll.reservation (tenant, expires_at_ms, id) WHERE expires_at_ms IS NOT NULL;
CREATE INDEX reservation_due ON plimsoll.reservation (expires_at_ms) WHERE expires_at_ms IS NOT NULL;
CREATE INDEX reservation_ended ON plimsoll.reservation (tenant, ended_at_ms, id) WHERE ended_at_ms IS NOT NULL;
CREATE INDEX reservation_past ON plimsoll.reservation (ended_at_ms) WHERE ended_at_ms IS NOT NULL;
COMMENT ON TABLE plimsoll.reservation IS 'What callers took.';
COMMENT ON COLUMN plimsoll.reservation.tenant IS 'The root of its scope''s tree.';
COMMENT ON COLUMN plimsoll.reservation.id IS 'The caller''s id for it, unique within the tenant.';
COMMENT ON COLUMN plimsoll.reservation.scope IS 'Where it is taken.';
COMMENT ON COLUMN plimsoll.reservation.state IS '`held`, `committed`, `released` or `expired`.';
COMMENT ON COLUMN plimsoll.reservation.expires_at_ms IS 'When it lapses, where it is held.';
COMMENT ON COLUMN plimsoll.reservation.ended_at_ms IS 'When it ended, where it has.';
COMMENT ON COLUMN plimsoll.reservation.row IS 'The whole row.';
