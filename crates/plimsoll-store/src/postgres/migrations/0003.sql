-- A transaction has its number from the first row that it locks. While it waits for the next one, a
-- later transaction may lock that, write and end: in the order of their own numbers, what the first
-- one then writes to the same log would come before what it is built on.
--
-- So an event bears a number that is no less than that of any transaction that had ended when it was
-- written, with all locks held. It is never less than the number of the event before, as that one's
-- transaction had ended; it is never more than one that was given out already, so that it is told
-- as soon; and whoever is still running has no greater number, so what is told stays as it is.
--
-- Nodes of older builds write so, too: none of them names the column.

ALTER TABLE plimsoll.event ALTER COLUMN transaction SET DEFAULT (greatest(
    pg_current_xact_id()::text::bigint,
    pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1
));
COMMENT ON COLUMN plimsoll.event.transaction IS 'The greatest number of a transaction that had ended when it was written, or that of its own where that is greater. All logs together are read in this order, each in its own, up to the oldest transaction that has not ended.';
