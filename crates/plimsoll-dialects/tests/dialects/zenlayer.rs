//! Zenlayer's operations, as transcripts.

use expect_test::{Expect, expect};
use plimsoll_core::amount::{Ceiling, Timestamp};
use plimsoll_core::model::Reach;
use plimsoll_dialects::http::{Reply, Request};
use plimsoll_dialects::zenlayer::{
    RequestId, Settings, UnknownZone, ZenlayerError, answer, decode, error_reply, route, team,
};

use crate::transcript::{body, compact, reply, request};
use crate::wire::Wire;
use crate::world::{World, finite, scope_id};

/// The id of the vendor's example.
pub(crate) fn request_id() -> RequestId {
    RequestId::from_bytes(*b"\x56\xc2\xfe\x84\x40\xcc\x4a\x84\xa6\x8b\xd5\xeb\x12\xa0\x37\x68")
}

/// The figures of the vendor's example, and zones that are special.
fn world() -> World {
    World::default()
        .resource_per_location("vm/image", 5)
        .location("FRA-A", "Frankfurt A", &[])
        .location(
            "HKG-A",
            "Hong Kong A",
            &[
                ("zenlayer.supportSecurityGroup", "false"),
                ("zenlayer.supportNetworkType", "CLASSICS"),
                ("zenlayer.supportIpv6", "true"),
                ("zenlayer.supportCpuPassThrough", "true"),
                ("zenlayer.networkLineType", "CN2"),
            ],
        )
        .location("SIN-E", "", &[("zenlayer.supportImage", "false")])
        .location("cn-north-4a", "", &[("zenlayer.zone", "false")])
        .scope("organisation", None)
        .scope("team", Some("organisation"))
        .scope("other", Some("organisation"))
        .account("team", "vm/image@FRA-A", 2, 0)
        .account("team", "vm/image@HKG-A", 1, 2)
        .account("team", "vm/image@SIN-E", 1, 0)
        .account("other", "vm/image@FRA-A", 4, 0)
}

/// When every call is made.
fn now() -> Timestamp {
    Timestamp::from_ms(1_000).unwrap()
}

/// All but authentication.
fn serve(
    request: &Request<'_>,
    world: &World,
    reach: &Reach,
    settings: &Settings,
) -> Result<Reply, ZenlayerError> {
    route(request)?;
    let team = team(reach)?;
    let call = decode(request)?;
    let loaded = world.loaded(&call.footprint(team));
    Ok(answer(&call, &loaded, team, settings, &request_id(), now()))
}

fn serve_in(world: &World, settings: &Settings, wire: &Wire) -> Reply {
    let reach = Reach::Below(scope_id("team"));
    wire.read(|request| serve(request, world, &reach, settings))
        .unwrap_or_else(|error| error_reply(&error, &request_id()))
}

fn check(transcript: &str, expected: Expect) {
    let served = serve_in(&world(), &Settings::default(), &request(transcript));
    expected.assert_eq(&reply(&served));
}

/// A call in the newest version, with this body.
pub(crate) fn call(action: &str, body: &str) -> Wire {
    request(&format!(
        "POST /api/v2/vm\nHost: console.zenlayer.com\nContent-Type: application/json\n\
         X-ZC-Version: 2026-04-01\nX-ZC-Action: {action}\n\n{body}"
    ))
}

/// The body of the answer to `DescribeImageQuota`.
fn images(world: &World, unknown_zone: UnknownZone, body: &str) -> String {
    let settings = Settings { unknown_zone };
    let reply = serve_in(world, &settings, &call("DescribeImageQuota", body));
    crate::transcript::body(&reply).to_owned()
}

fn check_images(world: &World, body: &str, expected: Expect) {
    expected.assert_eq(&images(world, UnknownZone::default(), body));
}

/// The vendor knows no limits in time: it shows the one that counts when it is asked.
#[test]
fn limits_for_a_time() {
    let now_ms = now().ms();
    for (window, expect) in [
        (
            (now_ms, now_ms + 1),
            expect![[
                r#"{"requestId":"T56C2FE84-40CC-4A84-A68B-D5EB12A03768","response":{"requestId":"T56C2FE84-40CC-4A84-A68B-D5EB12A03768","images":[{"count":2,"zoneId":"FRA-A","maxCount":30}]}}"#
            ]],
        ),
        (
            (0, now_ms),
            expect![[
                r#"{"requestId":"T56C2FE84-40CC-4A84-A68B-D5EB12A03768","response":{"requestId":"T56C2FE84-40CC-4A84-A68B-D5EB12A03768","images":[{"count":2,"zoneId":"FRA-A","maxCount":20}]}}"#
            ]],
        ),
        (
            (now_ms + 1, now_ms + 2),
            expect![[
                r#"{"requestId":"T56C2FE84-40CC-4A84-A68B-D5EB12A03768","response":{"requestId":"T56C2FE84-40CC-4A84-A68B-D5EB12A03768","images":[{"count":2,"zoneId":"FRA-A","maxCount":20}]}}"#
            ]],
        ),
    ] {
        let world = world().limit("team", "vm/image", finite(20)).limit_between(
            window,
            "team",
            "vm/image@FRA-A",
            finite(30),
        );
        check_images(&world, r#"{"zoneIds":["FRA-A"]}"#, expect);
    }
}

/// Source: Zenlayer API reference, "DescribeImageQuota", the example.
#[test]
fn describe_image_quota_of_two_zones() {
    let transcript = "\
POST /api/v2/vm HTTP/1.1
Host: console.zenlayer.com
Content-Type: application/json
X-ZC-Action: DescribeImageQuota
X-ZC-Version: 2023-03-13

{
  \"zoneIds\": [
    \"FRA-A\",
    \"HKG-A\"
  ]
}";
    let example = r#"
{
  "requestId": "T56C2FE84-40CC-4A84-A68B-D5EB12A03768",
  "response": {
    "requestId": "T56C2FE84-40CC-4A84-A68B-D5EB12A03768",
    "images": [
      {
        "count": 2,
        "zoneId": "FRA-A",
        "maxCount": 5
      },
      {
        "count": 3,
        "zoneId": "HKG-A",
        "maxCount": 5
      }
    ]
  }
}"#;
    let served = serve_in(&world(), &Settings::default(), &request(transcript));
    assert_eq!(body(&served), compact(example));
    check(
        transcript,
        expect![[r#"
            200
            content-type: application/json;charset=UTF-8

            {"requestId":"T56C2FE84-40CC-4A84-A68B-D5EB12A03768","response":{"requestId":"T56C2FE84-40CC-4A84-A68B-D5EB12A03768","images":[{"count":2,"zoneId":"FRA-A","maxCount":5},{"count":3,"zoneId":"HKG-A","maxCount":5}]}}
        "#]],
    );
}

/// Source: zenlayercloud-sdk-python 2.0.77, as sent by `vm_client.DescribeImageQuota`.
#[test]
fn describe_image_quota_from_the_sdk() {
    check(
        "\
POST /api/v2/vm HTTP/1.1
User-Agent: python-requests/2.34.2
Accept-Encoding: gzip, deflate
Accept: */*
Connection: keep-alive
x-zc-version: 2026-04-01
x-zc-service: vm
x-zc-action: DescribeImageQuota
x-zc-sdk-version: SDK_PYTHON_2.0.077
x-zc-sdk-lang: Python
host: 127.0.0.1:18732
Content-Type: application/json
Content-Length: 2

{}",
        expect![[r#"
            200
            content-type: application/json;charset=UTF-8

            {"requestId":"T56C2FE84-40CC-4A84-A68B-D5EB12A03768","response":{"requestId":"T56C2FE84-40CC-4A84-A68B-D5EB12A03768","images":[{"count":2,"zoneId":"FRA-A","maxCount":5},{"count":3,"zoneId":"HKG-A","maxCount":5}]}}
        "#]],
    );
}

/// Source: Zenlayer API reference, "Access token": the example names no version.
#[test]
fn a_token_needs_no_version() {
    check(
        "\
POST /api/v2/vm HTTP/1.1
Content-Type: application/json; charset=utf-8
X-ZC-Action: DescribeZones
Authorization: Bearer token

{\"zoneIds\": [\"FRA-A\"]}",
        expect![[r#"
            200
            content-type: application/json;charset=UTF-8

            {"requestId":"T56C2FE84-40CC-4A84-A68B-D5EB12A03768","response":{"requestId":"T56C2FE84-40CC-4A84-A68B-D5EB12A03768","zoneSet":[{"zoneId":"FRA-A","zoneName":"Frankfurt A","supportSecurityGroup":true,"supportNetworkType":"VPC","supportIpv6":false,"supportCpuPassThrough":false,"networkLineType":"BGP"}]}}
        "#]],
    );
}

/// Source: zenlayercloud-sdk-python 2.0.77, `vm.v20230313.models.ZoneInfo`.
#[test]
fn describe_zones_in_the_first_version() {
    check(
        "\
POST /api/v2/vm HTTP/1.1
Content-Type: application/json
X-ZC-Version: 2023-03-13
X-ZC-Action: DescribeZones

{}",
        expect![[r#"
            200
            content-type: application/json;charset=UTF-8

            {"requestId":"T56C2FE84-40CC-4A84-A68B-D5EB12A03768","response":{"requestId":"T56C2FE84-40CC-4A84-A68B-D5EB12A03768","zoneSet":[{"zoneId":"FRA-A","zoneName":"Frankfurt A","supportSecurityGroup":true,"supportNetworkType":"VPC","supportIpv6":false,"supportCpuPassThrough":false},{"zoneId":"HKG-A","zoneName":"Hong Kong A","supportSecurityGroup":false,"supportNetworkType":"CLASSICS","supportIpv6":true,"supportCpuPassThrough":true},{"zoneId":"SIN-E","zoneName":"SIN-E","supportSecurityGroup":true,"supportNetworkType":"VPC","supportIpv6":false,"supportCpuPassThrough":false}]}}
        "#]],
    );
}

/// Source: zenlayercloud-sdk-python 2.0.77, `vm.v20260401.models.ZoneInfo`.
#[test]
fn describe_zones_in_the_second_version() {
    check(
        "\
POST /api/v2/vm HTTP/1.1
Content-Type: application/json
X-ZC-Version: 2026-04-01
X-ZC-Action: DescribeZones

{}",
        expect![[r#"
            200
            content-type: application/json;charset=UTF-8

            {"requestId":"T56C2FE84-40CC-4A84-A68B-D5EB12A03768","response":{"requestId":"T56C2FE84-40CC-4A84-A68B-D5EB12A03768","zoneSet":[{"zoneId":"FRA-A","zoneName":"Frankfurt A","supportSecurityGroup":true,"supportNetworkType":"VPC","supportIpv6":false,"supportCpuPassThrough":false,"networkLineType":"BGP"},{"zoneId":"HKG-A","zoneName":"Hong Kong A","supportSecurityGroup":false,"supportNetworkType":"CLASSICS","supportIpv6":true,"supportCpuPassThrough":true,"networkLineType":"CN2"},{"zoneId":"SIN-E","zoneName":"SIN-E","supportSecurityGroup":true,"supportNetworkType":"VPC","supportIpv6":false,"supportCpuPassThrough":false,"networkLineType":"BGP"}]}}
        "#]],
    );
}

#[test]
fn no_zones_are_all_zones_with_images() {
    let all = images(&world(), UnknownZone::default(), "{}");
    for same in [
        "",
        r#"{"zoneIds":null}"#,
        r#"{"zoneIds":[]}"#,
        " {\n} ",
        r#"{"x":1}"#,
    ] {
        assert_eq!(
            images(&world(), UnknownZone::default(), same),
            all,
            "{same}"
        );
    }
    expect![[r#"{"requestId":"T56C2FE84-40CC-4A84-A68B-D5EB12A03768","response":{"requestId":"T56C2FE84-40CC-4A84-A68B-D5EB12A03768","images":[{"count":2,"zoneId":"FRA-A","maxCount":5},{"count":3,"zoneId":"HKG-A","maxCount":5}]}}"#]].assert_eq(&all);
}

#[test]
fn zones_come_once_in_the_order_asked() {
    check_images(
        &world(),
        r#"{"zoneIds":["HKG-A","FRA-A","HKG-A"]}"#,
        expect![[
            r#"{"requestId":"T56C2FE84-40CC-4A84-A68B-D5EB12A03768","response":{"requestId":"T56C2FE84-40CC-4A84-A68B-D5EB12A03768","images":[{"count":3,"zoneId":"HKG-A","maxCount":5},{"count":2,"zoneId":"FRA-A","maxCount":5}]}}"#
        ]],
    );
}

#[test]
fn a_zone_without_images_shows_its_figures_when_it_is_named() {
    check_images(
        &world(),
        r#"{"zoneIds":["SIN-E"]}"#,
        expect![[
            r#"{"requestId":"T56C2FE84-40CC-4A84-A68B-D5EB12A03768","response":{"requestId":"T56C2FE84-40CC-4A84-A68B-D5EB12A03768","images":[{"count":1,"zoneId":"SIN-E","maxCount":5}]}}"#
        ]],
    );
}

#[test]
fn limits_that_no_32_bit_integer_holds_are_the_largest_one() {
    let limited = world()
        .limit("team", "vm/image", finite(9_007_199_254_740_991))
        .limit("team", "vm/image@FRA-A", Ceiling::Unlimited)
        .limit("team", "vm/image@SIN-E", finite(0))
        .account("team", "vm/image@HKG-A", 4_000_000_000, 0);
    check_images(
        &limited,
        r#"{"zoneIds":["FRA-A","HKG-A","SIN-E"]}"#,
        expect![[
            r#"{"requestId":"T56C2FE84-40CC-4A84-A68B-D5EB12A03768","response":{"requestId":"T56C2FE84-40CC-4A84-A68B-D5EB12A03768","images":[{"count":2,"zoneId":"FRA-A","maxCount":2147483647},{"count":2147483647,"zoneId":"HKG-A","maxCount":2147483647},{"count":1,"zoneId":"SIN-E","maxCount":0}]}}"#
        ]],
    );
}

#[test]
fn a_limit_on_the_organisation_is_not_the_teams() {
    let limited = world().limit("organisation", "vm/image", finite(3));
    check_images(
        &limited,
        r#"{"zoneIds":["FRA-A"]}"#,
        expect![[
            r#"{"requestId":"T56C2FE84-40CC-4A84-A68B-D5EB12A03768","response":{"requestId":"T56C2FE84-40CC-4A84-A68B-D5EB12A03768","images":[{"count":2,"zoneId":"FRA-A","maxCount":5}]}}"#
        ]],
    );
}

#[test]
fn an_unknown_zone_is_answered_as_set() {
    let unknown = r#"{"zoneIds":["FRA-A","SEL--A","cn-north-4a"]}"#;
    let answers = [
        UnknownZone::RegionNotFound,
        UnknownZone::ZoneNotFound,
        UnknownZone::Omit,
    ]
    .map(|unknown_zone| images(&world(), unknown_zone, unknown) + "\n");
    expect![[r#"
        {"requestId":"T56C2FE84-40CC-4A84-A68B-D5EB12A03768","code":"INVALID_REGION_NOT_FOUND","message":"The specified zoneId `SEL--A` is not found"}
        {"requestId":"T56C2FE84-40CC-4A84-A68B-D5EB12A03768","code":"INVALID_ZONE_NOT_FOUND","message":"The specified zoneId `SEL--A` is not found"}
        {"requestId":"T56C2FE84-40CC-4A84-A68B-D5EB12A03768","response":{"requestId":"T56C2FE84-40CC-4A84-A68B-D5EB12A03768","images":[{"count":2,"zoneId":"FRA-A","maxCount":5}]}}
    "#]].assert_eq(&answers.concat());
    expect![[r#"{"requestId":"T56C2FE84-40CC-4A84-A68B-D5EB12A03768","response":{"requestId":"T56C2FE84-40CC-4A84-A68B-D5EB12A03768","images":[]}}"#]].assert_eq(&images(&world(), UnknownZone::Omit, r#"{"zoneIds":["SEL--A"]}"#));
}

#[test]
fn zones_that_are_not_this_vendors_are_not_described() {
    let wire = call("DescribeZones", r#"{"zoneIds":["cn-north-4a"]}"#);
    let served = serve_in(&world(), &Settings::default(), &wire);
    expect![[r#"
        404
        content-type: application/json;charset=UTF-8

        {"requestId":"T56C2FE84-40CC-4A84-A68B-D5EB12A03768","code":"INVALID_REGION_NOT_FOUND","message":"The specified zoneId `cn-north-4a` is not found"}
    "#]].assert_eq(&reply(&served));
}

#[test]
fn images_that_the_catalogue_does_not_count_by_zone_are_not_configured() {
    let places = World::default()
        .location("FRA-A", "", &[])
        .scope("team", None);
    let elsewhere = places.clone().resource_anywhere("vm/image", 5);
    let answer = images(&places, UnknownZone::default(), "{}");
    assert_eq!(images(&elsewhere, UnknownZone::default(), "{}"), answer);
    expect![[r#"{"requestId":"T56C2FE84-40CC-4A84-A68B-D5EB12A03768","code":"OPERATION_FAILED_RESOURCE_NOT_FOUND","message":"image quotas are not configured: define `vm/image`, counted per location"}"#]].assert_eq(&answer);
}

#[test]
fn a_key_of_the_whole_server_has_no_team() {
    let wire = call("DescribeZones", "{}");
    let served =
        wire.read(|request| serve(request, &world(), &Reach::Everything, &Settings::default()));
    assert_eq!(served, Err(ZenlayerError::NoTeam));
}

#[test]
fn a_request_id_is_a_version_4_uuid() {
    let ids = [[0; 16], [255; 16]].map(RequestId::from_bytes);
    expect![[r#"
        T00000000-0000-4000-8000-000000000000
        TFFFFFFFF-FFFF-4FFF-BFFF-FFFFFFFFFFFF"#]]
    .assert_eq(&ids.map(|id| id.as_str().to_owned()).join("\n"));
}
