//! A quota that was exceeded, in numbers and in words.

use super::*;

#[test]
fn quota_exceeded() {
    let parent = Exceeded {
        scope: scope_id("acme"),
        item: item("vpc/subnet"),
        source: set_for("vpc/subnet"),
        fits_at: None,
        ..exceeded()
    };
    check_denial(
        Denial::QuotaExceeded(vec![exceeded(), parent]),
        expect![[r#"
            422
            content-type: application/problem+json
            {"type":"urn:plimsoll:problem:quota_exceeded","title":"a quota would be exceeded","status":422,"code":"quota_exceeded","detail":"`vm/image` at `FRA-A` in scope `p-7`: `5` of the default limit of `5` are taken (`3` used, `2` held), so `1` more is `1` too many and takes a limit of `6`; `vpc/subnet` in scope `acme`: `5` of the limit of `5` set by `ops` are taken (`3` used, `2` held), so `1` more is `1` too many and takes a limit of `6`: release some, or send each `increase_request` to `POST /plimsoll/v1/requests`","exceeded":[{"scope":"p-7","resource":"vm/image","location":"FRA-A","limit":5,"mode":"enforce","limit_source":"default","limit_set":null,"tier":null,"used":3,"held":2,"asked":1,"short_by":1,"smallest_sufficient_limit":6,"fits_at":"2026-01-31T12:05:00.000Z","increase_request":{"scope":"p-7","resource":"vm/image","location":"FRA-A","limit":6}},{"scope":"acme","resource":"vpc/subnet","location":null,"limit":5,"mode":"enforce","limit_source":"limit","limit_set":{"location":null,"starts_at":null,"ends_at":null,"set_by":"ops","reason":"launch","request":null,"revision":12},"tier":null,"used":3,"held":2,"asked":1,"short_by":1,"smallest_sufficient_limit":6,"fits_at":null,"increase_request":{"scope":"acme","resource":"vpc/subnet","limit":6}}]}
        "#]],
    );
}

#[test]
fn quota_exceeded_in_words() {
    let check = |exceeded: Vec<Exceeded>, expect: Expect| {
        let problem = Problem::from_denial(&Denial::QuotaExceeded(exceeded));
        expect.assert_eq(&in_a_line(&problem));
    };
    let without_end = Exceeded {
        ceiling: Ceiling::Unlimited,
        source: Source::NumberSpace,
        used: amount(AMOUNT_MAX),
        held: amount(0),
        smallest_sufficient: None,
        fits_at: None,
        ..exceeded()
    };
    check(
        vec![without_end],
        expect![[
            r#"422 quota_exceeded: `vm/image` at `FRA-A` in scope `p-7`: `9007199254740991` of the `9007199254740991` that can be counted are taken (`9007199254740991` used, `0` held), so `1` more is `1` too many: release `1`"#
        ]],
    );
    let of_tier = Exceeded {
        source: Source::Tier {
            tier: tier_name("starter"),
            item: item("vm/image"),
        },
        used: amount(9),
        held: amount(0),
        short_by: amount(5),
        smallest_sufficient: Some(amount(10)),
        fits_at: None,
        ..exceeded()
    };
    check(
        vec![of_tier.clone()],
        expect![
            "422 quota_exceeded: `vm/image` at `FRA-A` in scope `p-7`: `9` of the limit of `5` of tier `starter` are taken (`9` used, `0` held), so `1` more is `5` too many and takes a limit of `10`: release `5`, or send the `increase_request` to `POST /plimsoll/v1/requests`"
        ],
    );
    let of_parent = Exceeded {
        scope: scope_id("acme"),
        source: set_for("vm/image"),
        fits_at: Some(at(400_000)),
        ..exceeded()
    };
    check(
        vec![exceeded(), of_parent],
        expect![
            "422 quota_exceeded: `vm/image` at `FRA-A` in scope `p-7`: `5` of the default limit of `5` are taken (`3` used, `2` held), so `1` more is `1` too many and takes a limit of `6`; `vm/image` at `FRA-A` in scope `acme`: `5` of the limit of `5` set by `ops` are taken (`3` used, `2` held), so `1` more is `1` too many and takes a limit of `6`: release some, try again at 2026-01-31T12:06:40.000Z, when holds lapse, or send each `increase_request` to `POST /plimsoll/v1/requests`"
        ],
    );
    check(
        vec![exceeded(), of_tier],
        expect![
            "422 quota_exceeded: `vm/image` at `FRA-A` in scope `p-7`: `5` of the default limit of `5` are taken (`3` used, `2` held), so `1` more is `1` too many and takes a limit of `6`; `vm/image` at `FRA-A` in scope `p-7`: `9` of the limit of `5` of tier `starter` are taken (`9` used, `0` held), so `1` more is `5` too many and takes a limit of `10`: release some, or send each `increase_request` to `POST /plimsoll/v1/requests`"
        ],
    );
    check(
        vec![exceeded(); 5],
        expect![
            "422 quota_exceeded: `vm/image` at `FRA-A` in scope `p-7`: `5` of the default limit of `5` are taken (`3` used, `2` held), so `1` more is `1` too many and takes a limit of `6`; `vm/image` at `FRA-A` in scope `p-7`: `5` of the default limit of `5` are taken (`3` used, `2` held), so `1` more is `1` too many and takes a limit of `6`; `vm/image` at `FRA-A` in scope `p-7`: `5` of the default limit of `5` are taken (`3` used, `2` held), so `1` more is `1` too many and takes a limit of `6`; and `2` more limits, see `exceeded`: release some, try again at 2026-01-31T12:05:00.000Z, when holds lapse, or send each `increase_request` to `POST /plimsoll/v1/requests`"
        ],
    );
}

#[test]
fn nothing_is_proposed_where_a_limit_for_a_time_would_go_before_it() {
    let check = |exceeded: Exceeded, expect: Expect| {
        let problem = Problem::from_denial(&Denial::QuotaExceeded(vec![exceeded]));
        let body: serde_json::Value = serde_json::from_slice(&problem.reply().body).unwrap();
        let proposed = &body["exceeded"][0]["increase_request"];
        expect.assert_eq(&format!("{proposed}\n{}", in_a_line(&problem)));
    };
    let granted = warning();
    let mut set = warning();
    if let Source::Limit { request, .. } = &mut set.source {
        *request = None;
    }
    check(
        granted,
        expect![[r#"
        {"limit":9,"location":"FRA-A","resource":"vm/image","scope":"p-7"}
        422 quota_exceeded: `vm/image` at `FRA-A` in scope `p-7`: `8` of the limit of `8` set by `ops` are taken (`8` used, `0` held), so `1` more is `1` too many and takes a limit of `9`: release `1`, or send the `increase_request` to `POST /plimsoll/v1/requests`"#]],
    );
    check(
        set,
        expect![[r#"
        null
        422 quota_exceeded: `vm/image` at `FRA-A` in scope `p-7`: `8` of the limit of `8` set by `ops` are taken (`8` used, `0` held), so `1` more is `1` too many and takes a limit of `9`: release `1`"#]],
    );
}
