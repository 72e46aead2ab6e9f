//! Rows that somebody changed, took away or added with a tool of SQLite.

use expect_test::expect;

use crate::damage::{check_ledger, check_tail, check_verify};

#[test]
fn rows_of_the_ledger_that_were_changed_by_hand_are_refused() {
    check_ledger(
        &[
            "UPDATE account SET used = used + 1 WHERE scope = 'p'",
            "UPDATE quota_limit SET row = zeroblob(length(row)) WHERE scope = 'p'",
            "UPDATE quota_limit SET crc = crc + 1 WHERE scope = 'p'",
            "UPDATE scope SET id = 'a/b' WHERE id = 'p'",
            "UPDATE reservation SET state = 'lost' WHERE id = 'held3'",
            "UPDATE reservation SET attributes = '[]' WHERE id = 'held3'",
            "UPDATE reservation SET amount = 4 WHERE id = 'held3'",
            "UPDATE reservation SET more_lines = '{}' WHERE id = 'held3'",
            "UPDATE log SET revision = 1 WHERE tenant = 'acme'",
        ],
        expect![[r#"
            UPDATE account SET used = used + 1 WHERE scope = 'p'
            `DIR/ledger.db` is damaged or foreign:
            table `account`:
            a row's checksum does not match;
            move it away, and the next start makes it anew from `journal.db`

            UPDATE quota_limit SET row = zeroblob(length(row)) WHERE scope = 'p'
            `DIR/ledger.db` is damaged or foreign:
            table `quota_limit`:
            a name is not one;
            move it away, and the next start makes it anew from `journal.db`

            UPDATE quota_limit SET crc = crc + 1 WHERE scope = 'p'
            `DIR/ledger.db` is damaged or foreign:
            table `quota_limit`:
            a row's checksum does not match;
            move it away, and the next start makes it anew from `journal.db`

            UPDATE scope SET id = 'a/b' WHERE id = 'p'
            `DIR/ledger.db` is damaged or foreign:
            table `scope`:
            a name is not one;
            move it away, and the next start makes it anew from `journal.db`

            UPDATE reservation SET state = 'lost' WHERE id = 'held3'
            `DIR/ledger.db` is damaged or foreign:
            table `reservation`:
            a state is of no known kind;
            move it away, and the next start makes it anew from `journal.db`

            UPDATE reservation SET attributes = '[]' WHERE id = 'held3'
            `DIR/ledger.db` is damaged or foreign:
            table `reservation`:
            attributes are not a JSON object of strings;
            move it away, and the next start makes it anew from `journal.db`

            UPDATE reservation SET amount = 4 WHERE id = 'held3'
            `DIR/ledger.db` is damaged or foreign:
            table `reservation`:
            a row's checksum does not match;
            move it away, and the next start makes it anew from `journal.db`

            UPDATE reservation SET more_lines = '{}' WHERE id = 'held3'
            `DIR/ledger.db` is damaged or foreign:
            table `reservation`:
            more lines are not a JSON array of lines;
            move it away, and the next start makes it anew from `journal.db`

            UPDATE log SET revision = 1 WHERE tenant = 'acme'
            `DIR/ledger.db` is damaged or foreign:
            table `log`:
            a row's checksum does not match;
            move it away, and the next start makes it anew from `journal.db`

        "#]],
    );
}

#[test]
fn a_watermark_that_was_changed_by_hand_is_refused() {
    check_ledger(
        &[
            "UPDATE watermark SET sequence = sequence - 1",
            "UPDATE watermark SET sequence = 0, hash = zeroblob(32)",
            "UPDATE watermark SET hash = zeroblob(31)",
        ],
        expect![[r#"
            UPDATE watermark SET sequence = sequence - 1
            `DIR/journal.db` is damaged or foreign:
            record 24:
            `ledger.db` was filled from another journal;
            restore it from a backup

            UPDATE watermark SET sequence = 0, hash = zeroblob(32)
            `DIR/journal.db` is damaged or foreign:
            record 1:
            the catalogue is inconsistent:
            an event does not have the next revision;
            restore it from a backup

            UPDATE watermark SET hash = zeroblob(31)
            `DIR/ledger.db` is damaged or foreign:
            table `watermark`:
            Conversion error from type Blob at index:
            1, Cannot read 32 byte value out of 31 byte blob;
            move it away, and the next start makes it anew from `journal.db`

        "#]],
    );
}

#[test]
fn rows_of_the_ledger_that_are_missing_or_too_many_are_refused() {
    check_ledger(
        &[
            "DELETE FROM reservation WHERE state = 'released'",
            "DELETE FROM reservation WHERE id = 'gone3'",
            "DELETE FROM quota_limit",
            "DELETE FROM scope WHERE id = 'other'",
            "DELETE FROM location",
            "DELETE FROM log WHERE tenant = 'acme'",
            "DELETE FROM watermark",
        ],
        expect![[r#"
            DELETE FROM reservation WHERE state = 'released'
            `DIR/ledger.db` is damaged or foreign:
            its rows are not those that were written:
            some are missing or too many;
            move it away, and the next start makes it anew from `journal.db`

            DELETE FROM reservation WHERE id = 'gone3'
            `DIR/ledger.db` is damaged or foreign:
            its rows are not those that were written:
            some are missing or too many;
            move it away, and the next start makes it anew from `journal.db`

            DELETE FROM quota_limit
            `DIR/ledger.db` is damaged or foreign:
            its rows are not those that were written:
            some are missing or too many;
            move it away, and the next start makes it anew from `journal.db`

            DELETE FROM scope WHERE id = 'other'
            `DIR/ledger.db` is damaged or foreign:
            its rows are not those that were written:
            some are missing or too many;
            move it away, and the next start makes it anew from `journal.db`

            DELETE FROM location
            `DIR/ledger.db` is damaged or foreign:
            its rows are not those that were written:
            some are missing or too many;
            move it away, and the next start makes it anew from `journal.db`

            DELETE FROM log WHERE tenant = 'acme'
            `DIR/ledger.db` is damaged or foreign:
            its rows are not those that were written:
            some are missing or too many;
            move it away, and the next start makes it anew from `journal.db`

            DELETE FROM watermark
            `DIR/ledger.db` is damaged or foreign:
            table `watermark`:
            its row is missing;
            move it away, and the next start makes it anew from `journal.db`

        "#]],
    );
}

#[test]
fn journal_rows_that_are_gone_doubled_or_swapped_are_refused() {
    check_tail(
        &[
            "DELETE FROM journal WHERE sequence = 20",
            "DELETE FROM journal WHERE sequence = 14",
            "DELETE FROM journal WHERE sequence >= 13",
            "INSERT INTO journal SELECT 26, record FROM journal WHERE sequence = 20",
            "UPDATE journal SET record = (SELECT record FROM journal WHERE sequence = 20)
             WHERE sequence = 21",
            "UPDATE journal SET sequence = 99 WHERE sequence = 20",
            "UPDATE journal SET record = x'' WHERE sequence = 20",
            "UPDATE journal SET sequence = 99 WHERE sequence = 20;
             UPDATE journal SET sequence = 20 WHERE sequence = 21;
             UPDATE journal SET sequence = 21 WHERE sequence = 99",
        ],
        expect![[r#"
            DELETE FROM journal WHERE sequence = 20
            `DIR/journal.db` is damaged or foreign:
            record 21:
            the record before it is missing;
            restore it from a backup

            DELETE FROM journal WHERE sequence = 14
            `DIR/journal.db` is damaged or foreign:
            record 15:
            the record before it is missing;
            restore it from a backup

            DELETE FROM journal WHERE sequence >= 13
            `DIR/journal.db` is damaged or foreign:
            record 13:
            `ledger.db` holds it, and it is missing here;
            restore it from a backup

            INSERT INTO journal SELECT 26, record FROM journal WHERE sequence = 20
            `DIR/journal.db` is damaged or foreign:
            record 26:
            the record was written for another place;
            restore it from a backup

            UPDATE journal SET record = (SELECT record FROM journal WHERE sequence = 20)
                         WHERE sequence = 21
            `DIR/journal.db` is damaged or foreign:
            record 21:
            the record was written for another place;
            restore it from a backup

            UPDATE journal SET sequence = 99 WHERE sequence = 20
            `DIR/journal.db` is damaged or foreign:
            record 21:
            the record before it is missing;
            restore it from a backup

            UPDATE journal SET record = x'' WHERE sequence = 20
            `DIR/journal.db` is damaged or foreign:
            record 20:
            the record is cut short (byte 0);
            restore it from a backup

            UPDATE journal SET sequence = 99 WHERE sequence = 20;
                         UPDATE journal SET sequence = 20 WHERE sequence = 21;
                         UPDATE journal SET sequence = 21 WHERE sequence = 99
            `DIR/journal.db` is damaged or foreign:
            record 20:
            the record was written for another place;
            restore it from a backup

        "#]],
    );
}

#[test]
fn verify_finds_what_a_start_does_not_read() {
    check_verify(
        &[
            "DELETE FROM journal WHERE sequence = 1",
            "DELETE FROM journal WHERE sequence = 7",
            "UPDATE journal SET record = (SELECT record FROM journal WHERE sequence = 5)
             WHERE sequence = 6",
            "UPDATE journal SET record = zeroblob(length(record)) WHERE sequence = 6",
        ],
        expect![[r#"
            DELETE FROM journal WHERE sequence = 1
            `DIR/journal.db` is damaged or foreign:
            record 2:
            the record before it is missing;
            restore it from a backup

            DELETE FROM journal WHERE sequence = 7
            `DIR/journal.db` is damaged or foreign:
            record 8:
            the record before it is missing;
            restore it from a backup

            UPDATE journal SET record = (SELECT record FROM journal WHERE sequence = 5)
                         WHERE sequence = 6
            `DIR/journal.db` is damaged or foreign:
            record 6:
            the record was written for another place;
            restore it from a backup

            UPDATE journal SET record = zeroblob(length(record)) WHERE sequence = 6
            `DIR/journal.db` is damaged or foreign:
            record 6:
            the checksum does not match (byte 854);
            restore it from a backup

        "#]],
    );
}
