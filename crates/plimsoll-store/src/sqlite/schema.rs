//! The tables of `ledger.db`, as people see them.

/// The layout of the tables.
pub(super) const SCHEMA_VERSION: i32 = 6;

/// The tables. Times are milliseconds since 1970-01-01 UTC; `crc` is the CRC-32 of the row as a
/// journal record spells it, and finds a row that was changed by hand or by a failing disk. `past`
/// says where in the table `past` the row's values are, with a checksum of its own: see
/// [`values`](super::values). Rows that have it never go, so that what they were is found.
pub(super) const SCHEMA: &str = "
    CREATE TABLE resource (
        name          TEXT NOT NULL PRIMARY KEY, -- service/name
        unit          TEXT NOT NULL,
        default_limit INTEGER,                   -- NULL: unlimited
        per_location  INTEGER NOT NULL,          -- 1: counted at each location by itself
        adjustable    INTEGER NOT NULL,          -- 1: tenants may ask for more
        description   TEXT NOT NULL,
        auto_limit    INTEGER,                   -- requests up to it are approved at once; NULL: none
        auto_percent  INTEGER,                   -- of the present limit at most; NULL: any
        auto_cool_ms  INTEGER,                   -- between two of them at least
        alerts        TEXT NOT NULL,             -- percents, as a JSON array
        crc           INTEGER NOT NULL,
        past          BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE tier (
        name        TEXT NOT NULL PRIMARY KEY,
        description TEXT NOT NULL,
        limits      TEXT NOT NULL,               -- for people, a JSON array
        row         BLOB NOT NULL,               -- what is read back: as in the journal
        crc         INTEGER NOT NULL,
        past        BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE location (
        id         TEXT NOT NULL PRIMARY KEY,
        name       TEXT NOT NULL,
        attributes TEXT NOT NULL,                -- a JSON object of strings
        crc        INTEGER NOT NULL,
        past       BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE scope (
        id     TEXT NOT NULL PRIMARY KEY,
        parent TEXT,                             -- NULL: a tenant
        tenant TEXT NOT NULL,                    -- the root of its tree
        depth  INTEGER NOT NULL,                 -- 1 at the tenant
        kind   TEXT NOT NULL,
        tier   TEXT,                             -- NULL: none
        crc    INTEGER NOT NULL,
        past   BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE quota_limit (
        scope     TEXT NOT NULL,
        resource  TEXT NOT NULL,
        location  TEXT NOT NULL,                 -- empty: any location
        limits    TEXT NOT NULL,                 -- for people, a JSON array: one for each window;
                                                 -- empty: there were some, and are none any more
        row       BLOB NOT NULL,                 -- what is read back: as in the journal
        crc       INTEGER NOT NULL,
        past      BLOB NOT NULL,
        PRIMARY KEY (scope, resource, location)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE tally (
        scope      TEXT NOT NULL,
        resource   TEXT NOT NULL,
        location   TEXT NOT NULL,                -- empty: not counted per location
        refused    INTEGER NOT NULL,             -- commands that a limit refused
        warned     INTEGER NOT NULL,             -- commands admitted past one that warns
        observed   INTEGER NOT NULL,             -- commands admitted past one that observes
        last_at_ms INTEGER NOT NULL,
        crc        INTEGER NOT NULL,
        past       BLOB NOT NULL,
        PRIMARY KEY (scope, resource, location)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE request (
        id       TEXT NOT NULL PRIMARY KEY,
        tenant   TEXT NOT NULL,
        scope    TEXT NOT NULL,
        resource TEXT NOT NULL,
        location TEXT NOT NULL,                  -- empty: any location, or not counted per location
        ceiling  INTEGER,                        -- that is asked for; NULL: unlimited
        status   TEXT NOT NULL,                  -- pending, approved, denied, cancelled
        reason   TEXT NOT NULL,
        row      BLOB NOT NULL,                  -- what is read back: as in the journal
        crc      INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE webhook (
        id        TEXT NOT NULL PRIMARY KEY,
        scope     TEXT,                          -- NULL: the whole server
        url       TEXT NOT NULL,
        enabled   INTEGER NOT NULL,
        delivered INTEGER NOT NULL,              -- the journal record up to which it was told
        row       BLOB NOT NULL,                 -- what is read back: as in the journal
        crc       INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE account (
        scope    TEXT NOT NULL,
        resource TEXT NOT NULL,
        location TEXT NOT NULL,                  -- empty: not counted per location
        used     INTEGER NOT NULL,               -- committed here and below
        held     INTEGER NOT NULL,               -- held here and below
        crc      INTEGER NOT NULL,
        past     BLOB NOT NULL,
        PRIMARY KEY (scope, resource, location)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE reservation (
        tenant        TEXT NOT NULL,
        id            TEXT NOT NULL,
        scope         TEXT NOT NULL,
        resource      TEXT NOT NULL,             -- of its first line
        location      TEXT NOT NULL,             -- of its first line; empty: not counted per location
        amount        INTEGER NOT NULL,          -- of its first line
        more_lines    TEXT,                      -- the others, a JSON array: [{\"resource\",
                                                 -- \"location\", \"amount\"}]; NULL: none
        state         TEXT NOT NULL,             -- held, committed, released, expired
        expires_at_ms INTEGER,                   -- of a hold
        ended_at_ms   INTEGER,                   -- of one that was released or has expired
        original      TEXT,                      -- what was asked for, where it now takes another
                                                 -- thing; JSON: {\"scope\", \"lines\": [{\"resource\",
                                                 -- \"location\", \"amount\", \"at_least\"}]}
        hold_ttl_ms   INTEGER,                   -- NULL: it was to be committed at once
        forced        TEXT,                      -- why it was let past the limits; NULL: it was not
        holder        TEXT,
        attributes    TEXT NOT NULL,             -- a JSON object of strings
        created_at_ms INTEGER NOT NULL,
        revision      INTEGER NOT NULL,
        crc           INTEGER NOT NULL,
        PRIMARY KEY (tenant, id)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE principal (
        id            TEXT NOT NULL PRIMARY KEY,
        role          TEXT NOT NULL,             -- viewer, enforcer, manager, admin
        scope         TEXT,                      -- NULL: the whole server
        may_force     INTEGER NOT NULL,          -- 1: may let reservations past the limits
        kind          TEXT NOT NULL,             -- access_key, token
        credential    BLOB NOT NULL,             -- sealed secret, or SHA-256 of the token's secret
        enabled       INTEGER NOT NULL,
        expires_at_ms INTEGER,
        description   TEXT NOT NULL,
        created_at_ms INTEGER NOT NULL,
        revision      INTEGER NOT NULL,
        crc           INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE log (
        tenant   TEXT NOT NULL PRIMARY KEY,      -- empty: the catalogue
        revision INTEGER NOT NULL,               -- of its last event
        at_ms    INTEGER NOT NULL,               -- of its last event
        chain    BLOB NOT NULL,                  -- the hash of its last event
        crc      INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE watermark (
        one       INTEGER PRIMARY KEY CHECK (one = 1),
        sequence  INTEGER NOT NULL,              -- the last journal record that the tables hold
        hash      BLOB NOT NULL,                 -- that record's hash
        row_count INTEGER NOT NULL,              -- rows with a crc, in all tables
        crc_sum   INTEGER NOT NULL               -- the sum of their crcs
    ) STRICT;
    INSERT INTO watermark VALUES (1, 0, zeroblob(32), 0, 0);
";
