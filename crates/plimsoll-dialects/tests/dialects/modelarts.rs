//! ModelArts' operations, as transcripts.

use expect_test::{Expect, expect};
use plimsoll_core::amount::{Ceiling, Timestamp};
use plimsoll_core::model::Reach;
use plimsoll_dialects::http::{Reply, Request};
use plimsoll_dialects::modelarts::{
    ModelArtsError, Numbers, RequestId, Settings, answer, decode, error_reply, route,
};

use crate::transcript::{body, compact, reply, request};
use crate::world::{World, finite, scope_id};

const PROJECT: &str = "6f5da086876d4cd084d36f8bd3346036";

/// The id of an answer that was observed.
pub(crate) fn request_id() -> RequestId {
    RequestId::from_bytes(*b"\x5a\x0e\xd1\x0f\x3b\x2c\x41\x9d\xa7\x0c\x8e\x66\x21\x90\xbc\x47")
}

/// The figures of the vendor's example.
fn world() -> World {
    World::default()
        .resource_anywhere("modelarts/pool", 15)
        .resource_anywhere("modelarts/network", 15)
        .resource_per_location("vm/image", 5)
        .scope("account", None)
        .scope(PROJECT, Some("account"))
        .scope("other", Some("account"))
        .scope("stranger", None)
        .account(PROJECT, "modelarts/pool", 7, 3)
        .account(PROJECT, "modelarts/network", 10, 0)
}

fn own() -> Reach {
    Reach::Below(scope_id(PROJECT))
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
) -> Result<Reply, ModelArtsError> {
    route(request)?;
    let call = decode(request)?;
    let loaded = world.loaded(&call.footprint(reach));
    Ok(answer(
        &call,
        &loaded,
        reach,
        settings,
        &request_id(),
        now(),
    ))
}

fn serve_in(world: &World, reach: &Reach, numbers: Numbers, transcript: &str) -> Reply {
    let settings = Settings { numbers };
    request(transcript)
        .read(|request| serve(request, world, reach, &settings))
        .unwrap_or_else(|error| error_reply(&error, &request_id()))
}

fn check(reach: &Reach, transcript: &str, expected: Expect) {
    let served = serve_in(&world(), reach, Numbers::Integer, transcript);
    expected.assert_eq(&reply(&served));
}

fn check_in(world: &World, transcript: &str, expected: Expect) {
    let served = serve_in(world, &own(), Numbers::Integer, transcript);
    expected.assert_eq(&format!("{} {}", served.status, body(&served)));
}

/// Source: ModelArts API reference, "Obtaining OS Quotas", the example.
#[test]
fn quotas_of_a_project() {
    let transcript = "GET /v1/6f5da086876d4cd084d36f8bd3346036/quotas";
    let example = r#"
{
  "quotas" : {
    "resources" : [ {
      "type" : "pool",
      "quota" : 15,
      "used" : 10
    }, {
      "type" : "network",
      "quota" : 15,
      "used" : 10
    } ]
  }
}"#;
    let served = serve_in(&world(), &own(), Numbers::Integer, transcript);
    assert_eq!(body(&served), compact(example));
    check(
        &own(),
        transcript,
        expect![[r#"
        200
        content-type: application/json
        x-request-id: 5a0ed10f3b2c419da70c8e662190bc47

        {"quotas":{"resources":[{"type":"pool","quota":15,"used":10},{"type":"network","quota":15,"used":10}]}}
    "#]],
    );
}

/// Source: huaweicloudsdkmodelarts 3.1.219, as sent by `ModelArtsClient.show_os_quota`.
#[test]
fn quotas_from_the_sdk() {
    check(
        &own(),
        "\
GET /v1/6f5da086876d4cd084d36f8bd3346036/quotas HTTP/1.1
User-Agent: huaweicloud-usdk-python/3.0
Accept-Encoding: gzip, deflate
Accept: */*
Connection: keep-alive
Content-Type: application/json
X-Sdk-Date: 20251119T080000Z
X-Project-Id: 6f5da086876d4cd084d36f8bd3346036
Host: 127.0.0.1:18099",
        expect![[r#"
            200
            content-type: application/json
            x-request-id: 5a0ed10f3b2c419da70c8e662190bc47

            {"quotas":{"resources":[{"type":"pool","quota":15,"used":10},{"type":"network","quota":15,"used":10}]}}
        "#]],
    );
}

/// Source: ModelArts API reference, "Obtaining OS Quotas", the table: both are strings.
#[test]
fn quotas_as_strings() {
    let transcript = "GET /v1/6f5da086876d4cd084d36f8bd3346036/quotas";
    let served = serve_in(&world(), &own(), Numbers::String, transcript);
    expect![[r#"
        200
        content-type: application/json
        x-request-id: 5a0ed10f3b2c419da70c8e662190bc47

        {"quotas":{"resources":[{"type":"pool","quota":"15","used":"10"},{"type":"network","quota":"15","used":"10"}]}}
    "#]].assert_eq(&reply(&served));
}

/// Source: ModelArts API reference, "Obtaining OS Quotas", the types that the table enumerates.
#[test]
fn quotas_of_every_type() {
    let enumerated = [
        "vpc/vpc",
        "vpc/subnet",
        "vpc/security_group",
        "vpc/security_group_rule",
        "vpc/public_ip",
        "vpc/vpc_peer",
        "vpc/firewall",
        "vpc/share_bandwidth",
        "vpc/share_bandwidth_ip",
        "vpc/loadbalancer",
        "vpc/listener",
        "vpc/physical_connect",
        "vpc/virtual_interface",
        "vpc/vpc_contain_routetable",
        "vpc/routetable_contain_routes",
    ];
    let world = (1..)
        .zip(enumerated)
        .fold(world(), |world, (limit, resource)| {
            world
                .resource_anywhere(resource, limit)
                .account(PROJECT, resource, limit - 1, 0)
        });
    let served = serve_in(
        &world,
        &own(),
        Numbers::Integer,
        "GET /v1/6f5da086876d4cd084d36f8bd3346036/quotas",
    );
    let lines = body(&served).replace("},{", "},\n{");
    expect![[r#"
        {"quotas":{"resources":[{"type":"pool","quota":15,"used":10},
        {"type":"network","quota":15,"used":10},
        {"type":"VPC","quota":1,"used":0},
        {"type":"SUBNET","quota":2,"used":1},
        {"type":"SECURITY_GROUP","quota":3,"used":2},
        {"type":"SECURITY_GROUP_RULE","quota":4,"used":3},
        {"type":"PUBLIC_IP","quota":5,"used":4},
        {"type":"VPC_PEER","quota":6,"used":5},
        {"type":"FIREWALL","quota":7,"used":6},
        {"type":"SHARE_BANDWIDTH","quota":8,"used":7},
        {"type":"SHARE_BANDWIDTH_IP","quota":9,"used":8},
        {"type":"LOADBALANCER","quota":10,"used":9},
        {"type":"LISTENER","quota":11,"used":10},
        {"type":"PHYSICAL_CONNECT","quota":12,"used":11},
        {"type":"VIRTUAL_INTERFACE","quota":13,"used":12},
        {"type":"VPC_CONTAIN_ROUTETABLE","quota":14,"used":13},
        {"type":"ROUTETABLE_CONTAIN_ROUTES","quota":15,"used":14}]}}"#]]
    .assert_eq(&lines);
}

/// The vendor knows no limits in time: it shows the one that counts when it is asked.
#[test]
fn limits_for_a_time() {
    let now_ms = now().ms();
    for (window, expect) in [
        (
            (now_ms, now_ms + 1),
            expect![[
                r#"200 {"networkCidrs":["192.168.0.0/24","172.16.31.0/16"],"networkQuota":15,"poolQuota":30,"poolHighAvailable":true}"#
            ]],
        ),
        (
            (0, now_ms),
            expect![[
                r#"200 {"networkCidrs":["192.168.0.0/24","172.16.31.0/16"],"networkQuota":15,"poolQuota":20,"poolHighAvailable":true}"#
            ]],
        ),
        (
            (now_ms + 1, now_ms + 2),
            expect![[
                r#"200 {"networkCidrs":["192.168.0.0/24","172.16.31.0/16"],"networkQuota":15,"poolQuota":20,"poolHighAvailable":true}"#
            ]],
        ),
    ] {
        let world = world()
            .limit(PROJECT, "modelarts/pool", finite(20))
            .limit_between(window, PROJECT, "modelarts/pool", finite(30));
        let path = "GET /v1/6f5da086876d4cd084d36f8bd3346036/os-user-config";
        check_in(&world, path, expect);
    }
}

/// Source: VPC API reference, "Querying Quotas": `-1` is unlimited.
#[test]
fn unlimited_zero_and_large_limits() {
    let world = world()
        .resource_anywhere("vpc/vpc", 0)
        .limit(PROJECT, "modelarts/pool", Ceiling::Unlimited)
        .limit(PROJECT, "modelarts/network", finite(9_007_199_254_740_991));
    let quotas = "GET /v1/6f5da086876d4cd084d36f8bd3346036/quotas";
    check_in(
        &world,
        quotas,
        expect![[
            r#"200 {"quotas":{"resources":[{"type":"pool","quota":-1,"used":10},{"type":"network","quota":9007199254740991,"used":10},{"type":"VPC","quota":0,"used":0}]}}"#
        ]],
    );
    let strings = serve_in(&world, &own(), Numbers::String, quotas);
    expect![[r#"{"quotas":{"resources":[{"type":"pool","quota":"-1","used":"10"},{"type":"network","quota":"9007199254740991","used":"10"},{"type":"VPC","quota":"0","used":"0"}]}}"#]].assert_eq(body(&strings));
    check_in(
        &world,
        "GET /v1/6f5da086876d4cd084d36f8bd3346036/os-user-config",
        expect![[
            r#"200 {"networkCidrs":["192.168.0.0/24","172.16.31.0/16"],"networkQuota":2147483647,"poolQuota":-1,"poolHighAvailable":true}"#
        ]],
    );
}

#[test]
fn a_limit_on_the_account_is_not_the_projects() {
    let world = world().limit("account", "modelarts/pool", finite(1));
    check_in(
        &world,
        "GET /v1/6f5da086876d4cd084d36f8bd3346036/quotas",
        expect![[
            r#"200 {"quotas":{"resources":[{"type":"pool","quota":15,"used":10},{"type":"network","quota":15,"used":10}]}}"#
        ]],
    );
}

#[test]
fn what_is_counted_per_location_is_left_out() {
    let world = World::default()
        .resource_anywhere("modelarts/network", 15)
        .resource_per_location("modelarts/pool", 15)
        .scope(PROJECT, None);
    for (operation, expected) in [
        (
            "quotas",
            expect![[r#"200 {"quotas":{"resources":[{"type":"network","quota":15,"used":0}]}}"#]],
        ),
        (
            "os-user-config",
            expect![[
                r#"200 {"networkCidrs":["192.168.0.0/24","172.16.31.0/16"],"networkQuota":15,"poolHighAvailable":true}"#
            ]],
        ),
    ] {
        check_in(&world, &format!("GET /v1/{PROJECT}/{operation}"), expected);
    }
}

/// Source: ModelArts API reference, "Obtaining OS Quotas": 404 where nothing is configured.
#[test]
fn nothing_configured() {
    let world = World::default()
        .resource_per_location("vm/image", 5)
        .scope(PROJECT, None);
    let answers = ["quotas", "os-user-config"].map(|operation| {
        let transcript = format!("GET /v1/{PROJECT}/{operation}");
        reply(&serve_in(&world, &own(), Numbers::Integer, &transcript))
    });
    assert_eq!(answers[0], answers[1]);
    expect![[r#"
        404
        content-type: application/json
        x-request-id: 5a0ed10f3b2c419da70c8e662190bc47

        {"error_code":"ModelArts.50004004","error_msg":"Quota of project `6f5da086876d4cd084d36f8bd3346036` not configured."}
    "#]].assert_eq(&answers[0]);
}

/// Source: ModelArts API reference, "Querying OS Configuration Parameters", the example.
#[test]
fn os_user_config_of_a_project() {
    let transcript = "GET /v1/6f5da086876d4cd084d36f8bd3346036/os-user-config";
    let example = r#"
{
  "networkCidrs" : [ "192.168.0.0/24", "172.16.31.0/16" ],
  "networkQuota" : 15,
  "poolQuota" : 15,
  "poolHighAvailable" : true
}"#;
    let served = serve_in(&world(), &own(), Numbers::String, transcript);
    assert_eq!(body(&served), compact(example));
    check(
        &own(),
        transcript,
        expect![[r#"
        200
        content-type: application/json
        x-request-id: 5a0ed10f3b2c419da70c8e662190bc47

        {"networkCidrs":["192.168.0.0/24","172.16.31.0/16"],"networkQuota":15,"poolQuota":15,"poolHighAvailable":true}
    "#]],
    );
}

/// Source: IAM API reference, "Querying Project Information"; as sent by huaweicloudsdkcore
/// 3.1.219, which needs exactly one project.
#[test]
fn projects_of_a_region() {
    check(
        &own(),
        "GET /v3/projects?name=cn-north-4",
        expect![[r#"
            200
            content-type: application/json
            x-request-id: 5a0ed10f3b2c419da70c8e662190bc47

            {"projects":[{"domain_id":"account","is_domain":false,"parent_id":"account","name":"cn-north-4","description":"","links":{"next":null,"previous":null,"self":"/v3/projects/6f5da086876d4cd084d36f8bd3346036"},"id":"6f5da086876d4cd084d36f8bd3346036","enabled":true}],"links":{"next":null,"previous":null,"self":"/v3/projects"}}
        "#]],
    );
}

#[test]
fn projects_without_a_name() {
    let unnamed = serve_in(&world(), &own(), Numbers::Integer, "GET /v3/projects");
    for same in [
        "/v3/projects/",
        "/v3/projects?name=",
        "/v3/projects?domain_id=x&page=1",
    ] {
        let same = serve_in(&world(), &own(), Numbers::Integer, &format!("GET {same}"));
        assert_eq!(same, unnamed);
    }
    expect![[r#"{"projects":[{"domain_id":"account","is_domain":false,"parent_id":"account","name":"6f5da086876d4cd084d36f8bd3346036","description":"","links":{"next":null,"previous":null,"self":"/v3/projects/6f5da086876d4cd084d36f8bd3346036"},"id":"6f5da086876d4cd084d36f8bd3346036","enabled":true}],"links":{"next":null,"previous":null,"self":"/v3/projects"}}"#]].assert_eq(body(&unnamed));
}

#[test]
fn projects_at_the_root_of_a_tree() {
    let reach = Reach::Below(scope_id("stranger"));
    let served = serve_in(
        &world(),
        &reach,
        Numbers::Integer,
        "GET /v3/projects?name=a+b%C3%BC",
    );
    expect![[r#"{"projects":[{"domain_id":"stranger","is_domain":false,"parent_id":"stranger","name":"a bü","description":"","links":{"next":null,"previous":null,"self":"/v3/projects/stranger"},"id":"stranger","enabled":true}],"links":{"next":null,"previous":null,"self":"/v3/projects"}}"#]].assert_eq(body(&served));
}

#[test]
fn projects_of_a_key_of_the_whole_server() {
    check(
        &Reach::Everything,
        "GET /v3/projects?name=cn-north-4",
        expect![[r#"
            200
            content-type: application/json
            x-request-id: 5a0ed10f3b2c419da70c8e662190bc47

            {"projects":[],"links":{"next":null,"previous":null,"self":"/v3/projects"}}
        "#]],
    );
}

/// Source: ModelArts API reference, "Error Codes", `ModelArts.0210`.
#[test]
fn projects_of_others() {
    let foreign = ["stranger", "other", "account", "nowhere"].map(|project| {
        let transcript = format!("GET /v1/{project}/quotas");
        serve_in(&world(), &own(), Numbers::Integer, &transcript)
    });
    assert!(foreign.iter().all(|one| *one == foreign[0]));
    expect![[r#"
        403
        content-type: application/json
        x-request-id: 5a0ed10f3b2c419da70c8e662190bc47

        {"error_code":"ModelArts.0210","error_msg":"The project id in the request URL does not match the token."}
    "#]].assert_eq(&reply(&foreign[0]));
}

#[test]
fn projects_below_and_everywhere() {
    let below = Reach::Below(scope_id("account"));
    let quotas = "GET /v1/6f5da086876d4cd084d36f8bd3346036/quotas";
    let expected = serve_in(&world(), &own(), Numbers::Integer, quotas);
    for reach in [below, Reach::Everything] {
        assert_eq!(
            serve_in(&world(), &reach, Numbers::Integer, quotas),
            expected
        );
    }
    check(
        &Reach::Everything,
        "GET /v1/nowhere/os-user-config",
        expect![[r#"
            404
            content-type: application/json
            x-request-id: 5a0ed10f3b2c419da70c8e662190bc47

            {"error_code":"ModelArts.50004004","error_msg":"Project `nowhere` not found."}
        "#]],
    );
}
