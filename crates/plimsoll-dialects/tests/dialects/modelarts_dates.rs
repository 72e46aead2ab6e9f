//! When a ModelArts signature counts: the form of `X-Sdk-Date` and the window around it.

use expect_test::expect;

use crate::modelarts_auth::{ACCESS_KEY, NOW_S, SECRET, check, now, outcome, quotas, signed_date};

#[test]
fn a_signature_counts_for_fifteen_minutes_either_way() {
    let wire = signed_date(quotas());
    let forged = signed_date(quotas()).with_body("{ }");
    for (offset_s, expected) in [
        (-901, "SignatureExpired"),
        (-900, "accepted"),
        (-1, "accepted"),
        (0, "accepted"),
        (1, "accepted"),
        (900, "accepted"),
        (901, "SignatureExpired"),
    ] {
        let answer = |wire| outcome(wire, ACCESS_KEY, SECRET, NOW_S + offset_s);
        assert_eq!(answer(&wire), expected, "{offset_s}");
        // Too old comes before forged.
        assert_eq!(
            answer(&forged),
            expected.replace("accepted", "SignatureFailure")
        );
    }
    for now_s in [i64::MIN, -1, 0, i64::MAX] {
        assert_eq!(
            outcome(&wire, ACCESS_KEY, SECRET, now_s),
            "SignatureExpired"
        );
    }
}

#[test]
fn dates_have_one_form() {
    let dates = "20251119T080000Z|20251119T080100Z|20251119t080000Z|20251119T080000z|\
        20251119T080000|20251119T080000ZZ|20251119T080000+|20251119 080000Z|\
        2025-11-19T08:00:00Z|20251119T0800Z|020251119T080000Z|+0251119T080000Z|\
        -0251119T080000Z|2025111 T080000Z|20251319T080000Z|20250229T080000Z|\
        20251131T080000Z|20251100T080000Z|20251119T240000Z|20251119T086000Z|\
        20251119T080060Z|20251119T0800\u{665}Z|00000101T000000Z|99991231T235959Z||\
        1763539200|Wed, 19 Nov 2025 08:00:00 GMT"
        .split('|');
    let rows = dates.map(|date| {
        format!(
            "{date}: {}\n",
            now(&signed_date(quotas().with("x-sdk-date", date)))
        )
    });
    expect![[r#"
        20251119T080000Z: accepted
        20251119T080100Z: accepted
        20251119t080000Z: DateMalformed
        20251119T080000z: DateMalformed
        20251119T080000: DateMalformed
        20251119T080000ZZ: DateMalformed
        20251119T080000+: DateMalformed
        20251119 080000Z: DateMalformed
        2025-11-19T08:00:00Z: DateMalformed
        20251119T0800Z: DateMalformed
        020251119T080000Z: DateMalformed
        +0251119T080000Z: DateMalformed
        -0251119T080000Z: DateMalformed
        2025111 T080000Z: DateMalformed
        20251319T080000Z: DateMalformed
        20250229T080000Z: DateMalformed
        20251131T080000Z: DateMalformed
        20251100T080000Z: DateMalformed
        20251119T240000Z: DateMalformed
        20251119T086000Z: DateMalformed
        20251119T080060Z: DateMalformed
        20251119T0800٥Z: DateMalformed
        00000101T000000Z: SignatureExpired
        99991231T235959Z: DateMalformed
        : DateMalformed
        1763539200: DateMalformed
        Wed, 19 Nov 2025 08:00:00 GMT: DateMalformed
    "#]]
    .assert_eq(&rows.collect::<String>());
    check(
        &signed_date(quotas()).with("x-sdk-date", b"20251119T08000\xff\xff"),
        expect!["DateMalformed"],
    );
    check(
        &signed_date(quotas()).without("x-sdk-date"),
        expect!["DateMissing"],
    );
}

/// Days around the ends of months and years, against seconds computed elsewhere.
#[test]
fn dates_are_counted_right() {
    for (date, seconds) in [
        ("19700101T000000Z", 0),
        ("19691231T235959Z", -1),
        ("20000229T120000Z", 951_825_600),
        ("20240229T235959Z", 1_709_251_199),
        ("20240301T000000Z", 1_709_251_200),
        ("20251231T235959Z", 1_767_225_599),
        ("21000301T000000Z", 4_107_542_400),
    ] {
        let wire = signed_date(quotas().with("x-sdk-date", date));
        let answer = |now_s| outcome(&wire, ACCESS_KEY, SECRET, now_s);
        assert_eq!(answer(seconds - 900), "accepted", "{date}");
        assert_eq!(answer(seconds + 900), "accepted", "{date}");
        assert_eq!(answer(seconds - 901), "SignatureExpired", "{date}");
        assert_eq!(answer(seconds + 901), "SignatureExpired", "{date}");
    }
}
