"""Zenlayer's `DescribeImageQuota` and `DescribeZones`, through the vendor's own SDK."""

import json
import re
import time
from unittest import mock

import pytest
from zenlayercloud.common.credential import Credential, TokenCredential
from zenlayercloud.common.excpetion.zenlayer_cloud_sdk_exception import ZenlayerCloudSdkException

import signing
from clients import ZENLAYER_VERSIONS, Zenlayer, line, zenlayer_key, zenlayer_of_demo
from wire import exchange, exchange_large

PATH = "/api/v2/vm"
FRA, HKG = ("FRA-A", 2, 5), ("HKG-A", 3, 5)
REQUEST_ID = re.compile(r"T[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}")
INT_32_MAX = 2**31 - 1

every_version = pytest.mark.parametrize("version", ZENLAYER_VERSIONS)


def refused(call, *arguments):
    """What the SDK raises for the call."""
    with pytest.raises(ZenlayerCloudSdkException) as caught:
        call(*arguments)
    assert REQUEST_ID.fullmatch(caught.value.request_id), caught.value
    return caught.value


def check_envelope(reply):
    """Every failure has the vendor's shape, whatever layer of the server it comes from."""
    assert 400 <= reply.status < 600, reply
    assert reply.headers["Content-Type"].startswith("application/json"), reply
    content = reply.json()
    assert set(content) == {"requestId", "code", "message"}, reply
    assert REQUEST_ID.fullmatch(content["requestId"]), reply
    assert re.fullmatch(r"[A-Z][A-Z0-9_]+", content["code"]), reply
    assert content["message"], reply
    return content["code"]


def post(server, body, *, drop=(), more=(), path=PATH, **signed):
    """A signed call whose headers are then tampered with."""
    headers = signing.zenlayer(server.address, zenlayer_key(server), body, **signed)
    headers = [pair for pair in headers if pair[0].lower() not in drop]
    return exchange(server.address, "POST", path, [*headers, *more], body)


def sdk_clock(shift=0):
    """The SDK's clock, stopped `shift` seconds from now."""
    stopped = mock.Mock(**{"time.return_value": time.time() + shift})
    return mock.patch("zenlayercloud.common.abstract_client.time", stopped)


# --- the figures


@every_version
@pytest.mark.parametrize(
    ("zones", "expected"),
    [
        (["FRA-A", "HKG-A"], [FRA, HKG]),
        (["HKG-A", "FRA-A"], [HKG, FRA]),
        (["FRA-A"], [FRA]),
        (["HKG-A", "FRA-A", "HKG-A", "HKG-A"], [HKG, FRA]),
    ],
)
def test_named_zones_come_once_and_in_the_order_asked(seeds, version, zones, expected):
    assert zenlayer_of_demo(seeds, version=version).quotas(zones) == expected


@every_version
@pytest.mark.parametrize("zones", [None, []])
def test_no_zones_means_all_zones(seeds, version, zones):
    answer = zenlayer_of_demo(seeds, version=version).quotas(zones)
    assert sorted(answer) == [FRA, HKG]


def test_the_envelope_repeats_the_request_id(seeds):
    reply = post(seeds, b'{"zoneIds":["FRA-A"]}')
    content = reply.ok()
    assert set(content) == {"requestId", "response"}
    assert content["response"]["requestId"] == content["requestId"]
    assert content["response"]["images"] == [{"count": 2, "zoneId": "FRA-A", "maxCount": 5}]


def test_an_empty_body_asks_for_all_zones(seeds):
    assert len(post(seeds, b"").ok()["response"]["images"]) == 2


def test_two_equal_calls_in_one_second_are_both_answered(seeds):
    client = zenlayer_of_demo(seeds)
    with sdk_clock():
        assert client.quotas(["FRA-A"]) == client.quotas(["FRA-A"]) == [FRA]


@every_version
def test_zones_are_described(seeds, version):
    zones = {zone.zoneId: zone for zone in zenlayer_of_demo(seeds, version=version).zones()}
    assert {"FRA-A", "HKG-A"} <= set(zones)
    for zone in zones.values():
        assert isinstance(zone.zoneName, str) and zone.zoneName
        assert isinstance(zone.supportSecurityGroup, bool)
        assert zone.supportNetworkType in ("CLASSICS", "VPC")
        assert isinstance(zone.supportIpv6, bool)
        assert isinstance(zone.supportCpuPassThrough, bool)


def test_zones_can_be_chosen(seeds):
    assert [zone.zoneId for zone in zenlayer_of_demo(seeds).zones(["HKG-A"])] == ["HKG-A"]


# --- zones that do not exist


def test_an_unknown_zone_is_not_found(seeds):
    error = refused(zenlayer_of_demo(seeds).quotas, ["FRA-A", "MOON-1"])
    assert error.code == "INVALID_REGION_NOT_FOUND"


@pytest.mark.parametrize(
    ("setting", "code"),
    [
        ("region_not_found", "INVALID_REGION_NOT_FOUND"),
        ("zone_not_found", "INVALID_ZONE_NOT_FOUND"),
    ],
)
def test_the_code_of_an_unknown_zone_can_be_chosen(place, setting, code):
    server = place.serve(config=f'[zenlayer]\nunknown_zone = "{setting}"\n')
    assert refused(zenlayer_of_demo(server).quotas, ["MOON-1"]).code == code


def test_an_unknown_zone_can_be_left_out(place):
    client = zenlayer_of_demo(place.serve(config='[zenlayer]\nunknown_zone = "omit"\n'))
    assert client.quotas(["MOON-1", "FRA-A"]) == [FRA]
    assert client.quotas(["MOON-1"]) == []


# --- who calls


def test_a_bearer_token_is_accepted(demo, admin):
    scope = demo.place.credentials()["zenlayer"]["scope"]
    token = admin.principal("token", "viewer", scope)["token"]
    assert Zenlayer(demo, TokenCredential(token)).quotas(["FRA-A"]) == [FRA]


def test_a_token_needs_no_version(demo, admin):
    scope = demo.place.credentials()["zenlayer"]["scope"]
    token = admin.principal("token", "viewer", scope)["token"]
    headers = [
        ("Content-Type", "application/json"),
        ("X-ZC-Action", "DescribeImageQuota"),
        ("Authorization", f"Bearer {token}"),
    ]
    assert len(exchange(demo.address, "POST", PATH, headers, b"{}").ok()["response"]["images"]) == 2


def test_an_unknown_token_is_refused(seeds):
    error = refused(Zenlayer(seeds, TokenCredential("nobody")).quotas)
    assert error.code.startswith("AUTHFAILURE_")


def test_a_wrong_secret_and_an_unknown_key_look_alike(seeds):
    key_id, password = zenlayer_key(seeds)
    wrong = refused(Zenlayer(seeds, Credential(key_id, password + "x")).quotas)
    unknown = refused(Zenlayer(seeds, Credential("AKNOBODY0000000001", password)).quotas)
    assert wrong.code == unknown.code == "AUTHFAILURE_SIGNATURE_FAILURE"
    assert wrong.message == unknown.message


@pytest.mark.parametrize("shift", [-3600, -310, 310, 3600])
def test_a_clock_that_is_off_is_refused(seeds, shift):
    client = zenlayer_of_demo(seeds)
    with sdk_clock(shift):
        assert refused(client.quotas).code == "AUTHFAILURE_SIGNATURE_EXPIRED"


@pytest.mark.parametrize("shift", [-280, 280])
def test_a_clock_that_is_a_little_off_is_accepted(seeds, shift):
    client = zenlayer_of_demo(seeds)
    with sdk_clock(shift):
        assert client.quotas(["FRA-A"]) == [FRA]


def test_a_changed_body_breaks_the_signature(seeds):
    headers = signing.zenlayer(seeds.address, zenlayer_key(seeds), b'{"zoneIds":["FRA-A"]}')
    reply = exchange(seeds.address, "POST", PATH, headers, b'{"zoneIds":["HKG-A"]}')
    assert (reply.status, check_envelope(reply)) == (401, "AUTHFAILURE_SIGNATURE_FAILURE")


def test_another_team_sees_its_own_figures(demo, admin):
    admin.scope("another-team")
    admin.limit("another-team", "vm/image", 9, "HKG-A")
    client = Zenlayer(demo, Credential(*admin.access_key("viewer", "another-team")))
    assert client.quotas(["FRA-A", "HKG-A"]) == [("FRA-A", 0, 5), ("HKG-A", 0, 9)]


# --- what is asked


def test_an_unknown_action_is_not_authorised(seeds):
    client = zenlayer_of_demo(seeds)
    error = refused(client.client._api_call, "DescribeNothing", client.quota_request())
    assert error.code == "AUTHFAILURE_UNAUTHORIZED_OPERATION"


def test_an_unknown_service_is_not_authorised(seeds):
    client = zenlayer_of_demo(seeds)
    with mock.patch.object(client.client, "_service", "nothing"):
        error = refused(client.quotas)
    assert error.code == "AUTHFAILURE_UNAUTHORIZED_OPERATION"


@every_version
@pytest.mark.parametrize(
    "zones", ["FRA-A", 5, True, {"0": "FRA-A"}, [1], [None], [["FRA-A"]], ["FRA-A", {}]], ids=str
)
def test_zones_of_a_wrong_type_are_refused(seeds, version, zones):
    error = refused(zenlayer_of_demo(seeds, version=version).quotas, zones)
    assert error.code == "INVALID_PARAMETER_TYPE"


def test_too_many_zones_are_refused(seeds):
    zones = [f"Z-{number}" for number in range(10_000)]
    error = refused(zenlayer_of_demo(seeds).quotas, zones)
    assert error.code == "INVALID_PARAMETER_EXCEED_LENGTH"


@pytest.mark.parametrize("body", [b"[]", b"5", b"null", b'"x"', b"{", b"{}{}", b"\xff", b"x=1"])
def test_a_body_that_is_no_json_object_is_refused(seeds, body):
    reply = post(seeds, body)
    assert reply.status == 400
    check_envelope(reply)


# --- what the framework would answer in its own words


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", PATH),
        ("PUT", PATH),
        ("DELETE", PATH),
        ("OPTIONS", PATH),
        ("BREW", PATH),
        ("GET", "/api/v2/"),
        ("POST", "/api/v2/"),
        ("POST", "/api/v2/vm/"),
        ("POST", "/api/v2/vm/more"),
        ("POST", "/api/v2/nothing"),
        ("POST", "/api/v2/%00%ff"),
        ("POST", PATH),
    ],
)
def test_methods_and_paths_without_meaning(seeds, method, path):
    check_envelope(exchange(seeds.address, method, path, [], b""))


@pytest.mark.parametrize("path", ["/api/v2/nothing", "/api/v2/vm/more", "/api/v2/"])
def test_signed_calls_to_unknown_paths(seeds, path):
    check_envelope(post(seeds, b"{}", path=path))


@pytest.mark.parametrize("name", ["authorization", "x-zc-timestamp", "x-zc-action", "content-type"])
def test_missing_headers(seeds, name):
    check_envelope(post(seeds, b"{}", drop=[name]))


@pytest.mark.parametrize(
    "pair",
    [
        ("Authorization", "Bearer other"),
        ("X-ZC-Timestamp", "1"),
        ("Content-Type", "text/plain"),
        ("X-ZC-Action", "DescribeZones"),
    ],
)
def test_repeated_headers(seeds, pair):
    reply = post(seeds, b"{}", more=[pair])
    assert 400 <= reply.status < 500
    check_envelope(reply)


@pytest.mark.parametrize(
    "value",
    ["", "Bearer", "Bearer ", "Basic eDp5", "ZC2-HMAC-SHA256", "ZC2-HMAC-SHA256 Credential=x"],
)
def test_an_authorization_of_another_form(seeds, value):
    reply = post(seeds, b"{}", drop=["authorization"], more=[("Authorization", value)])
    assert reply.status == 401
    assert check_envelope(reply).startswith("AUTHFAILURE_")


@pytest.mark.parametrize("stamp", ["", "now", "-1", "1.5", "9" * 30])
def test_a_time_that_is_none(seeds, stamp):
    check_envelope(post(seeds, b"{}", drop=["x-zc-timestamp"], more=[("X-ZC-Timestamp", stamp)]))


def large_body():
    return json.dumps({"zoneIds": ["x" * (1 << 20)]}).encode()


def test_a_body_over_one_mebibyte(seeds):
    body = large_body()
    headers = signing.zenlayer(seeds.address, zenlayer_key(seeds), body)
    headers.append(("Content-Length", str(len(body))))
    check_envelope(exchange_large(seeds.address, head(headers), body))


def test_a_chunked_body_over_one_mebibyte(seeds):
    body = large_body()
    headers = signing.zenlayer(seeds.address, zenlayer_key(seeds), body)
    headers.append(("Transfer-Encoding", "chunked"))
    chunk = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    check_envelope(exchange_large(seeds.address, head(headers), chunk))


def head(headers):
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"POST {PATH} HTTP/1.1\r\n{lines}\r\n".encode()


def test_a_chunked_body_is_accepted(seeds):
    body = b'{"zoneIds":["FRA-A"]}'
    headers = signing.zenlayer(seeds.address, zenlayer_key(seeds), body)
    headers.append(("Transfer-Encoding", "chunked"))
    chunk = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    assert exchange(seeds.address, "POST", PATH, headers, chunk).ok()["response"]["images"]


# --- limits that no 32-bit integer holds, and too many calls


@pytest.mark.parametrize("limit", ["unlimited", 2**31, 2**53 - 1])
def test_a_limit_past_32_bits_is_still_a_32_bit_integer(demo, admin, limit):
    admin.limit(demo.place.credentials()["zenlayer"]["scope"], "vm/image", limit, "FRA-A")
    [(zone, count, maximum)] = zenlayer_of_demo(demo).quotas(["FRA-A"])
    assert (zone, count) == ("FRA-A", 2)
    assert isinstance(maximum, int) and count < maximum <= INT_32_MAX


def test_a_limit_of_zero_is_zero(demo, admin):
    admin.limit(demo.place.credentials()["zenlayer"]["scope"], "vm/image", 0, "FRA-A")
    assert zenlayer_of_demo(demo).quotas(["FRA-A"]) == [("FRA-A", 2, 0)]


def test_too_many_calls_are_told_so(place):
    server = place.serve(config="requests_per_second_per_principal = 2\n")
    client = zenlayer_of_demo(server)

    def many():
        for _ in range(200):
            client.quotas(["FRA-A"])

    assert refused(many).code == "REQUEST_LIMIT_EXCEEDED"
    replies = [post(server, b"{}") for _ in range(50)]
    limited = [reply for reply in replies if reply.status == 429]
    assert {check_envelope(reply) for reply in limited} == {"REQUEST_LIMIT_EXCEEDED"}


def test_the_sdk_gets_through_a_rate_limit_by_its_own_retries(place):
    server = place.serve(config="requests_per_second_per_principal = 2\n")
    settings = {"rate_limit_max_retries": 5, "rate_limit_retry_duration": lambda _: 0.5}
    client = zenlayer_of_demo(server, **settings)
    assert [client.quotas(["FRA-A"]) for _ in range(6)] == [[FRA]] * 6


# --- figures that move


def test_figures_follow_the_reservation(demo, admin):
    scope, client = demo.place.credentials()["zenlayer"]["scope"], zenlayer_of_demo(demo)
    steps = [
        (lambda: admin.reserve("img-1", scope, [line("vm/image", 2, "FRA-A")]), 4),
        (lambda: admin.commit("img-1"), 4),
        (lambda: admin.release("img-1"), 2),
    ]
    for step, count in steps:
        step().ok()
        assert client.quotas() == [("FRA-A", count, 5), HKG]
