//! A past that was damaged is noticed when it is told.

use super::*;

/// Damages a closed directory, opens it, and lists what is told.
fn told_after(written: &Written, file: &str, sql: &str) -> String {
    let path = written.directory.path();
    let before = files(path);
    tamper(path, file).execute_batch(sql).expect("a change");
    let store = written.open();
    let acme = Log::Tenant(scope("acme"));
    let report = |_: &Tables, _| ();
    let footprint = footprint("p-q");
    let moments = [
        AsOf::Revision(9),
        AsOf::Instant(at(15)),
        AsOf::Instant(at(50)),
    ];
    let found = wait(store.events(&acme, 0, 99)).map(drop);
    let found = found.and(moments.into_iter().try_for_each(|moment| {
        wait(store.read_as_of(&scope("acme"), moment, &footprint, report)).map(drop)
    }));
    drop(store);
    for (name, bytes) in before {
        fs::write(path.join(name), bytes).expect("a file");
    }
    let error = found.expect_err(sql);
    format!("{sql}\n{}\n", told(path, &error))
}

fn check_damage(sqls: &[&str], expect: Expect) {
    let written = Written::new();
    let told = sqls
        .iter()
        .map(|sql| told_after(&written, "ledger.db", sql));
    expect.assert_eq(&told.collect::<String>());
}

#[test]
fn a_damaged_index_is_noticed_when_it_is_used() {
    check_damage(
        &[
            "DELETE FROM log_round WHERE tenant = 'acme' AND first_revision = 1",
            "DELETE FROM log_round WHERE tenant = 'acme' AND sequence = 4",
            "UPDATE log_round SET sequence = 3 WHERE tenant = 'acme' AND sequence = 4",
            "UPDATE log_round SET first_at_ms = 5 WHERE tenant = 'acme' AND sequence = 4",
            "UPDATE log_round SET records = x'0401' WHERE tenant = 'acme' AND sequence = 4",
            "DELETE FROM log_round WHERE tenant = '' AND sequence = 1",
        ],
        expect![[r#"
            DELETE FROM log_round WHERE tenant = 'acme' AND first_revision = 1
            `DIR/ledger.db` is damaged or foreign:
            table `log_round`:
            it does not lead to a log's next event;
            move it away, and the next start makes it anew from `journal.db`

            DELETE FROM log_round WHERE tenant = 'acme' AND sequence = 4
            `DIR/ledger.db` is damaged or foreign:
            table `log_round`:
            it does not lead to a log's next event;
            move it away, and the next start makes it anew from `journal.db`

            UPDATE log_round SET sequence = 3 WHERE tenant = 'acme' AND sequence = 4
            `DIR/ledger.db` is damaged or foreign:
            table `log_round`:
            a row's checksum does not match;
            move it away, and the next start makes it anew from `journal.db`

            UPDATE log_round SET first_at_ms = 5 WHERE tenant = 'acme' AND sequence = 4
            `DIR/ledger.db` is damaged or foreign:
            table `log_round`:
            a row's checksum does not match;
            move it away, and the next start makes it anew from `journal.db`

            UPDATE log_round SET records = x'0401' WHERE tenant = 'acme' AND sequence = 4
            `DIR/ledger.db` is damaged or foreign:
            table `log_round`:
            a row's checksum does not match;
            move it away, and the next start makes it anew from `journal.db`

            DELETE FROM log_round WHERE tenant = '' AND sequence = 1
            `DIR/ledger.db` is damaged or foreign:
            table `log_round`:
            it does not lead to a log's next event;
            move it away, and the next start makes it anew from `journal.db`

        "#]],
    );
}

#[test]
fn a_damaged_row_of_the_past_is_noticed_when_it_is_used() {
    check_damage(
        &[
            // Resources, and limits.
            "DELETE FROM past WHERE substr(change, 1, 1) = x'00'",
            "DELETE FROM past WHERE substr(change, 1, 1) = x'03'",
            "DELETE FROM past WHERE sequence = 2",
            "UPDATE past SET number = -number WHERE substr(change, 1, 1) = x'03'",
            "UPDATE past SET change = x'00'",
            "UPDATE past SET sequence = sequence - 1",
            "UPDATE past SET earlier = number - 1 WHERE 1 < number",
            "UPDATE past SET jump = number",
            "DROP TABLE past",
        ],
        expect![[r#"
            DELETE FROM past WHERE substr(change, 1, 1) = x'00'
            `DIR/ledger.db` is damaged or foreign:
            table `past`:
            a row is missing;
            move it away, and the next start makes it anew from `journal.db`

            DELETE FROM past WHERE substr(change, 1, 1) = x'03'
            `DIR/ledger.db` is damaged or foreign:
            table `past`:
            a row is missing;
            move it away, and the next start makes it anew from `journal.db`

            DELETE FROM past WHERE sequence = 2
            `DIR/ledger.db` is damaged or foreign:
            table `past`:
            a row is missing;
            move it away, and the next start makes it anew from `journal.db`

            UPDATE past SET number = -number WHERE substr(change, 1, 1) = x'03'
            `DIR/ledger.db` is damaged or foreign:
            table `past`:
            a row is missing;
            move it away, and the next start makes it anew from `journal.db`

            UPDATE past SET change = x'00'
            `DIR/ledger.db` is damaged or foreign:
            table `past`:
            a row's checksum does not match;
            move it away, and the next start makes it anew from `journal.db`

            UPDATE past SET sequence = sequence - 1
            `DIR/ledger.db` is damaged or foreign:
            table `past`:
            a row's checksum does not match;
            move it away, and the next start makes it anew from `journal.db`

            UPDATE past SET earlier = number - 1 WHERE 1 < number
            `DIR/ledger.db` is damaged or foreign:
            table `past`:
            a row's checksum does not match;
            move it away, and the next start makes it anew from `journal.db`

            UPDATE past SET jump = number
            `DIR/ledger.db` is damaged or foreign:
            table `past`:
            a row's checksum does not match;
            move it away, and the next start makes it anew from `journal.db`

            DROP TABLE past
            `DIR/ledger.db` is damaged or foreign:
            no such table:
            past;
            move it away, and the next start makes it anew from `journal.db`

        "#]],
    );
}

#[test]
fn what_leads_to_the_past_is_refused_where_it_is_damaged() {
    check_damage(
        &[
            "UPDATE account SET past = x''",
            "UPDATE account SET past = (SELECT past FROM quota_limit LIMIT 1)",
            "UPDATE quota_limit SET past = substr(past, 1, 4)",
        ],
        expect![[r#"
            UPDATE account SET past = x''
            `DIR/ledger.db` is damaged or foreign:
            table `past`:
            what leads to a row is damaged;
            move it away, and the next start makes it anew from `journal.db`

            UPDATE account SET past = (SELECT past FROM quota_limit LIMIT 1)
            `DIR/ledger.db` is damaged or foreign:
            table `past`:
            what leads to a row is damaged;
            move it away, and the next start makes it anew from `journal.db`

            UPDATE quota_limit SET past = substr(past, 1, 4)
            `DIR/ledger.db` is damaged or foreign:
            table `past`:
            what leads to a row is damaged;
            move it away, and the next start makes it anew from `journal.db`

        "#]],
    );
}
