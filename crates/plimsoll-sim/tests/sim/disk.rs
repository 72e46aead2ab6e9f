//! What each fault does to what was answered, on the smallest machine there is.

use expect_test::{Expect, expect};
use plimsoll_sim::stage::Stage;
use plimsoll_sim::step::Step;

/// Takes steps, and answers each request's status and code.
fn check(steps: &str, expected: &Expect) {
    let set_up = "start well
ask 1 ops@* PUT /plimsoll/v1/resources/net/vpc - {\"unit\":\"count\",\"default_limit\":2,\"per_location\":false}
ask 2 ops@* PUT /plimsoll/v1/scopes/acme - {\"kind\":\"project\"}
serve well
";
    let mut stage = Stage::new(None);
    let mut told = String::new();
    for step in Step::parse_list(&format!("{set_up}{steps}")).unwrap() {
        for (ticket, reply) in stage.apply(&step).unwrap() {
            let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
            let word = body["code"].as_str().or_else(|| body["state"].as_str());
            let word = word.unwrap_or_default();
            let line = format!("{ticket}: {} {word}", reply.status);
            told += &format!("{}\n", line.trim_end());
        }
    }
    expected.assert_eq(&told);
}

/// A reserve of one, and a look at it.
const TAKE: &str = "PUT /plimsoll/v1/reservations/r - {\"scope\":\"acme\",\"lines\":[{\"resource\":\"net/vpc\",\"amount\":1}]}";
const LOOK: &str = "GET /plimsoll/v1/reservations/r?scope=acme - ";

fn check_fault(fault: &str, expected: &Expect) {
    let steps = format!(
        "ask 3 a@acme {TAKE}\nserve {fault}\nask 4 a@acme {LOOK}\nserve well\nstart well\nask 5 a@acme {LOOK}\nserve well\n"
    );
    check(&steps, expected);
}

#[test]
fn a_disk_that_is_well_keeps_what_was_answered() {
    check_fault(
        "well",
        &expect![[r#"
            1: 200
            2: 200
            3: 200 held
            4: 200 held
            5: 200 held
        "#]],
    );
}

#[test]
fn a_full_disk_takes_nothing() {
    check_fault(
        "full",
        &expect![[r#"
            1: 200
            2: 200
            3: 503 outcome_unknown
            4: 503 unavailable
            5: 404 not_found
        "#]],
    );
}

#[test]
fn a_failed_write_may_or_may_not_have_happened() {
    check_fault(
        "write-fails 500",
        &expect![[r#"
            1: 200
            2: 200
            3: 503 outcome_unknown
            4: 503 unavailable
            5: 404 not_found
        "#]],
    );
    check_fault(
        "write-fails 1000",
        &expect![[r#"
            1: 200
            2: 200
            3: 503 outcome_unknown
            4: 503 unavailable
            5: 200 held
        "#]],
    );
}

#[test]
fn a_failed_flush_may_or_may_not_have_happened() {
    check_fault(
        "flush-fails drops",
        &expect![[r#"
            1: 200
            2: 200
            3: 503 outcome_unknown
            4: 503 unavailable
            5: 404 not_found
        "#]],
    );
    check_fault(
        "flush-fails keeps",
        &expect![[r#"
            1: 200
            2: 200
            3: 503 outcome_unknown
            4: 503 unavailable
            5: 200 held
        "#]],
    );
}

#[test]
fn a_crash_answers_nobody() {
    check_fault(
        "crash-in-write kept",
        &expect![[r#"
            1: 200
            2: 200
            5: 404 not_found
        "#]],
    );
    check_fault(
        "crash-before-flush lost",
        &expect![[r#"
            1: 200
            2: 200
            5: 404 not_found
        "#]],
    );
    check_fault(
        "crash-before-flush kept",
        &expect![[r#"
            1: 200
            2: 200
            5: 200 held
        "#]],
    );
    check_fault(
        "crash-before-flush torn-999",
        &expect![[r#"
            1: 200
            2: 200
            5: 404 not_found
        "#]],
    );
    check_fault(
        "crash-before-flush garbled-700",
        &expect![[r#"
            1: 200
            2: 200
            5: 404 not_found
        "#]],
    );
    check_fault(
        "crash-before-answer lost",
        &expect![[r#"
            1: 200
            2: 200
            5: 200 held
        "#]],
    );
}

#[test]
fn a_start_that_fails_is_tried_again() {
    check(
        "crash lost\nstart flush-fails keeps\nask 3 a@acme GET /plimsoll/v1/scopes/acme/quotas - \nserve well\nstart crash-before-flush kept\nstart well\nask 4 a@acme GET /plimsoll/v1/scopes/acme/quotas - \nserve well\n",
        &expect![[r#"
            1: 200
            2: 200
            4: 200
        "#]],
    );
}

#[test]
fn holds_outlast_a_jump_of_the_clock() {
    let steps = format!(
        "ask 3 a@acme {TAKE}\nserve well\njump 3600000\nwait 200000\nsweep well\nask 4 a@acme {LOOK}\nserve well\nwait 110000\nsweep well\nask 5 a@acme {LOOK}\nserve well\n"
    );
    check(
        &steps,
        &expect![[r#"
            1: 200
            2: 200
            3: 200 held
            4: 200 held
            5: 200 expired
        "#]],
    );
}
