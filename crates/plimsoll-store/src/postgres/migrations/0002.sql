-- Two versions of the server side by side: which builds may serve, and what they may write.

ALTER TABLE plimsoll.layout ADD COLUMN serves_from bigint, ADD COLUMN record bigint;
COMMENT ON TABLE plimsoll.layout IS 'The migrations that were made. A node serves where it knows all of them, or the last one that `serves_from` names.';
COMMENT ON COLUMN plimsoll.layout.serves_from IS 'The layout that a build must know at least to serve from here on; none means this one. The greatest of all rows counts.';
COMMENT ON COLUMN plimsoll.layout.record IS 'The version of rows and events that nodes may write from here on; none means no other than before. The greatest of all rows counts. `plimsoll migrate --finish` raises it.';
UPDATE plimsoll.layout SET record = 4 WHERE version = 1;
