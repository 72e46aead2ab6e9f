"""What happens is told to those who asked for it: signed, in order, at least once."""

import socket
import ssl
import subprocess

import pytest

from clients import line
from conftest import admin_of, first_admin
from receiver import Receiver, verify

LOCAL = "[webhooks]\nallow_plain_http = true\nallow_private_targets = true\n"
SEAT = "office/seat"
ALL = ["threshold_crossed", "refused", "request", "expired", "limit"]


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.down()


@pytest.fixture
def other():
    receiver = Receiver()
    yield receiver
    receiver.down()


@pytest.fixture
def server(place):
    return place.serve(demo=False, config=LOCAL)


@pytest.fixture
def admin(server):
    """Sees everything; there are two tenants, `acme` with a project `acme-p`, and `other`."""
    admin = first_admin(server)
    admin.resource(SEAT, 10, per_location=False)
    admin.scope("acme", kind="tenant")
    admin.scope("acme-p", parent="acme")
    admin.scope("other", kind="tenant")
    return admin


def hook(admin, name, url, *, scope="*", **more):
    content = {"url": url, "scope": scope} | more
    return admin.call("PUT", f"/webhooks/{name}", content)


def take(admin, name, amount, scope="acme-p"):
    return admin.reserve(name, scope, [line(SEAT, amount)], commit=True)


def limits(admin, values, scope="acme-p"):
    """Sets one limit after another: a notice for each."""
    for value in values:
        admin.limit(scope, SEAT, value)


def limits_told(receiver):
    return [told.data["limits"][0]["limit"] for told in receiver.of_topic("limit")]


# --- what is told


def test_thresholds_are_told_once_each(admin, receiver):
    hook(admin, "ops", receiver.url, topics=["threshold_crossed"]).ok()
    take(admin, "seven", 7).ok()
    take(admin, "one", 1).ok()
    take(admin, "two", 2).ok()
    told = receiver.wait_for("threshold_crossed", 2)
    parts = [(it.data["percent"], it.data["taken"], it.data["limit"]) for it in told]
    assert parts == [(80, 8, 10), (100, 10, 10)]
    assert {it.data["scope"] for it in told} == {"acme-p"}
    assert {it.data["resource"] for it in told} == {SEAT}


def test_a_limit_that_is_lowered_passes_thresholds(admin, receiver):
    hook(admin, "ops", receiver.url, topics=["threshold_crossed"]).ok()
    take(admin, "six", 6).ok()
    limits(admin, [7, 6, 5, 8, 7])
    admin.call("DELETE", f"/scopes/acme-p/limits?resource={SEAT}").ok()
    limits(admin, [6])
    told = receiver.wait_for("threshold_crossed", 5)
    parts = [(it.data["percent"], it.data["taken"], it.data["limit"]) for it in told]
    assert parts == [(80, 6, 7), (100, 6, 6), (80, 6, 7), (80, 6, 6), (100, 6, 6)]


def test_refusals_are_told_within_seconds(admin, receiver):
    hook(admin, "ops", receiver.url, topics=["refused"]).ok()
    assert take(admin, "too-many", 11).status == 422
    told = receiver.wait_for("refused")[0]
    assert (told.data["scope"], told.data["resource"]) == ("acme-p", SEAT)
    assert 1 <= told.data["counts"]["refused"]


def test_requests_are_told_from_wish_to_ruling(admin, receiver):
    hook(admin, "ops", receiver.url, topics=["request"]).ok()
    for limit, path in [(20, "approve"), (30, "deny")]:
        wish = {"scope": "acme-p", "resource": SEAT, "limit": limit, "reason": "more"}
        request = admin.call("POST", "/requests", wish).ok()["id"]
        admin.call("POST", f"/requests/{request}/{path}", {"reason": "so"}).ok()
    told = receiver.wait_for("request", 4)
    states = [it.data["state"] for it in told]
    assert states == ["pending", "approved", "pending", "denied"]


def test_lapsed_holds_are_told(admin, receiver):
    hook(admin, "ops", receiver.url, topics=["expired"]).ok()
    admin.reserve("brief", "acme-p", [line(SEAT, 1)], ttl_seconds=1).ok()
    told = receiver.wait_for("expired")[0]
    assert (told.data["id"], told.data["state"]) == ("brief", "expired")


def test_limits_are_told(admin, receiver):
    hook(admin, "ops", receiver.url, topics=["limit"]).ok()
    limits(admin, [20, 30])
    receiver.wait_for("limit", 2)
    assert limits_told(receiver) == [20, 30]


def test_a_scope_hears_of_itself_and_below_only(admin, receiver, other):
    hook(admin, "acme", receiver.url, scope="acme").ok()
    hook(admin, "all", other.url).ok()
    limits(admin, [1], scope="other")
    limits(admin, [2], scope="acme")
    limits(admin, [3], scope="acme-p")
    other.wait_for("limit", 3)
    receiver.wait_for("limit", 2)
    assert limits_told(other) == [1, 2, 3]
    assert limits_told(receiver) == [2, 3]
    ids = {it.data["scope"]: it.id for it in other.taken}
    assert [it.id for it in receiver.taken] == [ids["acme"], ids["acme-p"]]


# --- how it is told


def test_a_notice_is_signed_and_says_what_it_is(admin, receiver):
    secret = hook(admin, "ops", receiver.url).ok()["secret"]
    limits(admin, [20])
    told = receiver.wait_for("limit")[0]
    verify(told, secret)
    with pytest.raises(AssertionError):
        verify(told, "whsec_" + "A" * 43 + "=")
    assert told.path == "/hook"
    assert told.headers["content-type"] == "application/json"
    assert told.headers["user-agent"].startswith("plimsoll/")
    tenant, revision, index = told.id.rsplit(":", 2)
    assert (tenant, index) == ("acme", "0")
    assert told.content["id"] == told.id
    assert (told.content["tenant"], told.content["revision"]) == (tenant, int(revision))


def test_a_secret_is_shown_once_and_never_logged(place, admin, receiver):
    made = hook(admin, "ops", receiver.url).ok()
    secret = made["secret"]
    assert secret.startswith("whsec_") and len(secret) == 50
    again = hook(admin, "ops", receiver.url, topics=["limit"]).ok()
    shown = admin.call("GET", "/webhooks/ops").ok()
    listed = admin.call("GET", "/webhooks").ok()
    for reply in (again, shown, listed):
        assert secret not in str(reply)
    limits(admin, [20])
    verify(receiver.wait_for("limit")[0], secret)
    assert secret not in place.output()
    assert secret.encode() not in b"".join(path.read_bytes() for path in place.data.iterdir())


def test_each_webhook_has_its_own_secret_and_pace(admin, receiver, other):
    secret = hook(admin, "one", receiver.url).ok()["secret"]
    others = hook(admin, "two", other.url).ok()["secret"]
    assert secret != others
    # One hangs: it takes connections, and never answers.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        hook(admin, "silent", f"http://127.0.0.1:{port}/").ok()
        receiver.answer = (503, {})
        limits(admin, [20, 21, 22])
        other.wait_for("limit", 3)
        assert limits_told(other) == [20, 21, 22]
        assert receiver.taken == []
        receiver.answer = (200, {})
        receiver.wait_for("limit", 3)
    for told in receiver.taken:
        verify(told, secret)
    for told in other.taken:
        verify(told, others)
    assert [it.id for it in receiver.taken] == [it.id for it in other.taken]


# --- at least once, in order


def test_a_receiver_that_was_down_is_told_everything_in_order(place, admin, receiver):
    hook(admin, "ops", receiver.url).ok()
    receiver.down()
    limits(admin, range(20, 40))
    place.wait_for("has not taken what it was told")
    receiver.up()
    receiver.wait_for("limit", 20)
    assert limits_told(receiver) == list(range(20, 40))


@pytest.mark.parametrize("status", [302, 410, 500])
def test_only_a_success_is_one(admin, receiver, other, status):
    hook(admin, "ops", receiver.url).ok()
    receiver.answer = (status, {"location": other.url})
    limits(admin, [20, 21])
    receiver.wait_until(lambda: 2 <= len(receiver.tried))
    assert len({told.id for told in receiver.tried}) == 1, "the second waits for the first"
    receiver.answer = (204, {})
    receiver.wait_for("limit", 2)
    assert limits_told(receiver) == [20, 21]
    assert other.tried == [], "a redirect was followed"


def test_nothing_is_lost_when_the_server_is_killed(place, server, admin, receiver):
    secret = hook(admin, "ops", receiver.url).ok()["secret"]
    limits(admin, [20])
    first = receiver.wait_for("limit")[0]
    receiver.down()
    limits(admin, [21, 22, 23])
    place.wait_for("has not taken what it was told")
    server.kill()
    receiver.up()
    place.serve(demo=False, config=LOCAL)
    receiver.wait_for("limit", 4)
    assert limits_told(receiver) == [20, 21, 22, 23]
    repeats = [told for told in receiver.tried if told.id == first.id]
    assert all(told.body == first.body for told in repeats)
    for told in receiver.tried:
        verify(told, secret)


def test_only_what_was_in_flight_is_told_again_after_a_stop(place, server, admin, receiver):
    hook(admin, "ops", receiver.url).ok()
    limits(admin, [20, 21])
    receiver.wait_for("limit", 2)
    server.stop()
    again = place.serve(demo=False, config=LOCAL)
    admin.address = again.address
    limits(admin, [22])
    receiver.wait_for("limit", 3)
    tried = [told.data["limits"][0]["limit"] for told in receiver.tried]
    # The last may have come while its answer was still on the way back.
    assert tried in ([20, 21, 22], [20, 21, 21, 22])


def test_a_server_with_a_silent_receiver_stops_at_once(place, server, admin):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hook(admin, "ops", f"http://127.0.0.1:{silent.getsockname()[1]}/").ok()
        limits(admin, [20])
        silent.accept()[0].recv(1)
        server.process.terminate()
        assert server.process.wait(5) == 0


def test_a_webhook_shows_what_became_of_what_it_was_told(place, admin, receiver):
    hook(admin, "ops", receiver.url).ok()
    assert admin.call("GET", "/webhooks/ops").ok()["delivery"] is None
    receiver.answer = (503, {})
    limits(admin, [20])
    place.wait_for("has not taken what it was told")
    delivery = admin.call("GET", "/webhooks/ops").ok()["delivery"]
    assert 1 <= delivery["failures"] and "503" in delivery["failure"]
    assert delivery["failed_at"] < delivery["next_try_at"]
    receiver.answer = (204, {})
    limits(admin, [21])
    # The first is noted as taken before the second is sent.
    receiver.wait_for("limit", 2)
    assert admin.call("GET", "/webhooks/ops").ok()["delivery"]["taken_at"] is not None


# --- changes


def test_another_address_is_told_at_once_what_the_old_one_would_not_take(admin, receiver, other):
    hook(admin, "ops", receiver.url).ok()
    receiver.answer = (500, {})
    limits(admin, [20, 21])
    receiver.wait_until(lambda: 1 <= len(receiver.tried))
    hook(admin, "ops", other.url).ok()
    other.wait_for("limit", 2)
    assert limits_told(other) == [20, 21]


def test_what_happens_while_it_is_disabled_is_not_told(admin, receiver):
    hook(admin, "ops", receiver.url).ok()
    limits(admin, [20])
    receiver.wait_for("limit")
    hook(admin, "ops", receiver.url, enabled=False).ok()
    limits(admin, [21])
    hook(admin, "ops", receiver.url, enabled=True).ok()
    limits(admin, [22])
    receiver.wait_for("limit", 2)
    assert limits_told(receiver) == [20, 22]


def test_a_deleted_webhook_is_told_no_more_and_a_new_one_starts_anew(admin, receiver, other):
    secret = hook(admin, "ops", receiver.url).ok()["secret"]
    receiver.answer = (500, {})
    limits(admin, [20])
    receiver.wait_until(lambda: 1 <= len(receiver.tried))
    assert admin.call("DELETE", "/webhooks/ops").status in (200, 204)
    assert admin.call("GET", "/webhooks/ops").status == 404
    anew = hook(admin, "ops", other.url).ok()["secret"]
    assert anew != secret
    limits(admin, [21])
    verify(other.wait_for("limit")[0], anew)
    assert limits_told(other) == [21]


def test_more_topics_count_from_the_change_on(admin, receiver):
    hook(admin, "ops", receiver.url, topics=["request"]).ok()
    limits(admin, [20])
    hook(admin, "ops", receiver.url, topics=ALL).ok()
    limits(admin, [21])
    receiver.wait_until(lambda: 21 in limits_told(receiver))
    assert limits_told(receiver)[-1] == 21


# --- where a webhook may be


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://hooks.example/", "allow_plain_http"),
        ("https://127.0.0.1/", "loopback"),
        ("https://[::ffff:127.0.0.1]/", "loopback"),
        ("https://[::1]/", "loopback"),
        ("https://localhost/", "loopback"),
        ("https://localhost./", "loopback"),
        ("https://10.0.0.8/", "private"),
        ("https://[fd00::8]/", "private"),
        ("https://169.254.169.254/latest", "link-local"),
        ("https://[fe80::1]/", "link-local"),
        ("https://100.64.0.1/", "carrier"),
        ("https://0.0.0.0/", "unspecified"),
        ("https://2130706433/", "name its host"),
        ("https://0x7f.1/", "name its host"),
        ("https://0177.0.0.1/", "name its host"),
    ],
)
def test_an_address_of_this_network_is_refused_by_default(demo, url, told):
    reply = hook(admin_of(demo), "ops", url)
    assert reply.status == 400
    assert told in reply.body.decode()
    assert "/url" in reply.body.decode()
    assert admin_of(demo).call("GET", "/webhooks/ops").status == 404


def test_what_was_allowed_once_is_not_for_ever(place, server, admin, receiver):
    hook(admin, "ops", receiver.url).ok()
    server.stop()
    plain_only = "[webhooks]\nallow_plain_http = true\n"
    admin.address = place.serve(demo=False, config=plain_only).address
    limits(admin, [20])
    place.wait_for("allow_private_targets")
    assert receiver.tried == []


# --- TLS


@pytest.fixture
def certificate(tmp_path):
    """A certificate for 127.0.0.1, and its key."""
    made, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    names = ["-subj", "/CN=receiver", "-addext", "subjectAltName=IP:127.0.0.1"]
    extensions = ["-addext", "basicConstraints=critical,CA:FALSE"]
    files = ["-out", made, "-keyout", key]
    subprocess.run([*command.split(), *names, *extensions, *files], check=True, capture_output=True)
    return made, key


def test_a_certificate_is_checked_against_the_operators_authorities(place, receiver, certificate):
    made, key = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made, key)
    receiver.wrap(context)
    url = receiver.url.replace("http://", "https://")
    private = "[webhooks]\nallow_private_targets = true\n"
    server = place.serve(demo=False, config=private)
    admin = first_admin(server)
    admin.resource(SEAT, 10, per_location=False)
    admin.scope("acme-p")
    secret = hook(admin, "ops", url).ok()["secret"]
    limits(admin, [20])
    place.wait_for("TLS with")
    assert receiver.tried == []
    server.stop()
    place.serve(demo=False, config=f"{private}authorities_file = '{made}'\n")
    verify(receiver.wait_for("limit")[0], secret)


def test_a_file_without_authorities_is_refused(place):
    said = place.refusal(demo=False, config="[webhooks]\nauthorities_file = '/nowhere/ca.pem'\n")
    assert "/nowhere/ca.pem" in said
