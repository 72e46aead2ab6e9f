"""ModelArts' `ShowOsQuota` and `ShowOsConfig`, through the vendor's own SDK."""

import datetime
import itertools
from unittest import mock

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkmodelarts.v1 import ModelArtsClient, ShowOsConfigRequest, ShowOsQuotaRequest

import signing
from clients import (
    line,
    modelarts,
    modelarts_key,
    modelarts_of_demo,
    modelarts_project,
    os_quotas,
)
from conftest import first_admin
from wire import exchange

SEED = [("pool", "15", "10"), ("network", "15", "10")]
UNKNOWN_PROJECT = "0123456789abcdef0123456789abcdef"

# The SDK remembers a project for every key and region: each test takes a region of its own.
regions = (f"end-to-end-{number}" for number in itertools.count(1))


def refused(client):
    with pytest.raises(ClientRequestException) as caught:
        client.show_os_quota(ShowOsQuotaRequest())
    assert caught.value.request_id, caught.value
    return caught.value


def get(server, target, *, method="GET", key=None, **signed):
    key = key or modelarts_key(server)
    headers = signing.modelarts(server.address, key, target, method=method, **signed)
    return exchange(server.address, method, target, headers)


def quotas_path(server):
    return f"/v1/{modelarts_project(server)}/quotas"


def check_error(reply, status, code):
    content = reply.json()
    assert (reply.status, content["error_code"]) == (status, code), reply
    assert content["error_msg"], reply
    assert reply.headers["X-Request-Id"], reply
    assert reply.headers["Content-Type"].startswith("application/json"), reply


# --- the figures


def test_quotas_are_pool_then_network(seeds):
    assert os_quotas(modelarts_of_demo(seeds)) == SEED


def test_numbers_are_integers_on_the_wire(seeds):
    assert get(seeds, quotas_path(seeds)).ok() == wire_answer(15, 10)


def test_numbers_are_strings_where_configured(place):
    server = place.serve(config='[modelarts]\nnumbers = "string"\n')
    assert get(server, quotas_path(server)).ok() == wire_answer("15", "10")
    assert os_quotas(modelarts_of_demo(server)) == SEED


def wire_answer(quota, used):
    kinds = ("pool", "network")
    resources = [{"type": kind, "quota": quota, "used": used} for kind in kinds]
    return {"quotas": {"resources": resources}}


def test_the_configuration_shows_the_same_limits(seeds):
    answer = modelarts_of_demo(seeds).show_os_config(ShowOsConfigRequest())
    assert (answer.pool_quota, answer.network_quota) == (15, 15)


def test_the_configuration_has_integers_on_the_wire(seeds):
    answer = get(seeds, f"/v1/{modelarts_project(seeds)}/os-user-config").ok()
    assert (answer["poolQuota"], answer["networkQuota"]) == (15, 15)


def test_the_two_apis_of_a_service_share_their_figures(demo, admin):
    project, client = modelarts_project(demo), modelarts_of_demo(demo)
    steps = [
        (lambda: admin.reserve("net-1", project, [line("modelarts/network", 3)]), "13"),
        (lambda: admin.commit("net-1"), "13"),
        (lambda: admin.release("net-1"), "10"),
    ]
    for step, used in steps:
        step().ok()
        assert os_quotas(client) == [("pool", "15", "10"), ("network", "15", used)]


def test_a_new_limit_shows_in_both_operations(demo, admin):
    admin.limit(modelarts_project(demo), "modelarts/pool", 40)
    client = modelarts_of_demo(demo)
    assert os_quotas(client) == [("pool", "40", "10"), ("network", "15", "10")]
    assert client.show_os_config(ShowOsConfigRequest()).pool_quota == 40


# --- the project


def without_project(server, credentials):
    region = Region(next(regions), server.url)
    builder = ModelArtsClient.new_builder().with_credentials(credentials)
    return builder.with_region(region).build()


def test_the_project_may_be_left_out(seeds):
    credentials = BasicCredentials(*modelarts_key(seeds)).with_iam_endpoint(seeds.url)
    assert os_quotas(without_project(seeds, credentials)) == SEED
    assert credentials.project_id == modelarts_project(seeds)


def test_the_project_may_be_left_out_by_environment(seeds, monkeypatch):
    monkeypatch.setenv("HUAWEICLOUD_SDK_IAM_ENDPOINT", seeds.url)
    credentials = BasicCredentials(*modelarts_key(seeds))
    assert os_quotas(without_project(seeds, credentials)) == SEED


def test_another_project_is_refused(demo, admin):
    admin.scope("another-project")
    for project in ("another-project", UNKNOWN_PROJECT):
        error = refused(modelarts(demo, modelarts_key(demo), project))
        assert (error.status_code, error.error_code) == (403, "ModelArts.0210")


def test_a_project_without_quotas_is_not_found(place):
    admin = first_admin(place.serve(demo=False))
    admin.scope("bare-project")
    key = admin.access_key("viewer", "bare-project")
    error = refused(modelarts(place.servers[0], key, "bare-project"))
    assert error.status_code == 404
    assert error.error_code.startswith("ModelArts.")


# --- who calls


def test_a_temporary_key_is_accepted(seeds):
    project = modelarts_project(seeds)
    client = modelarts(seeds, modelarts_key(seeds), project, security_token="temporary")
    assert os_quotas(client) == SEED


def test_a_token_is_accepted(seeds):
    token = seeds.place.credentials()["modelarts"]["auth_token"]
    assert with_token(seeds, token).ok() == wire_answer(15, 10)


def with_token(server, token):
    return exchange(server.address, "GET", quotas_path(server), [("X-Auth-Token", token)])


@pytest.mark.parametrize("token", ["nobody", "", "x" * 5000])
def test_an_unknown_token_is_refused(seeds, token):
    check_error(with_token(seeds, token), 401, "APIGW.0301")


def test_no_credentials_are_refused(seeds):
    check_error(exchange(seeds.address, "GET", quotas_path(seeds)), 401, "APIGW.0301")


def test_a_wrong_secret_is_refused(seeds):
    access, secret = modelarts_key(seeds)
    error = refused(modelarts(seeds, (access, secret + "x"), modelarts_project(seeds)))
    assert (error.status_code, error.error_code) == (401, "APIGW.0301")


def test_an_unknown_key_is_refused(seeds):
    _, secret = modelarts_key(seeds)
    error = refused(modelarts(seeds, ("NOBODY00000000000000", secret), modelarts_project(seeds)))
    assert (error.status_code, error.error_code) == (401, "APIGW.0301")


def sdk_clock(minutes):
    """The SDK's clock, moved."""

    class Moved(datetime.datetime):
        @classmethod
        def utcnow(cls):
            return super().utcnow() + datetime.timedelta(minutes=minutes)

    return mock.patch("huaweicloudsdkcore.signer.signer.datetime", Moved)


@pytest.mark.parametrize("minutes", [-1440, -16, 16, 1440])
def test_a_clock_that_is_off_is_refused(seeds, minutes):
    with sdk_clock(minutes):
        error = refused(modelarts_of_demo(seeds))
    assert (error.status_code, error.error_code) == (401, "APIGW.0301")


@pytest.mark.parametrize("minutes", [-14, 14])
def test_a_clock_that_is_a_little_off_is_accepted(seeds, minutes):
    with sdk_clock(minutes):
        assert os_quotas(modelarts_of_demo(seeds)) == SEED


def test_a_signature_of_another_path_is_refused(seeds):
    headers = signing.modelarts(seeds.address, modelarts_key(seeds), quotas_path(seeds))
    other = f"/v1/{modelarts_project(seeds)}/os-user-config"
    check_error(exchange(seeds.address, "GET", other, headers), 401, "APIGW.0301")


@pytest.mark.parametrize("name", ["Host", "X-Sdk-Date", "Authorization"])
def test_a_repeated_header_is_refused(seeds, name):
    headers = signing.modelarts(seeds.address, modelarts_key(seeds), quotas_path(seeds))
    headers.append((name, "other"))
    reply = exchange(seeds.address, "GET", quotas_path(seeds), headers)
    assert 400 <= reply.status < 500, reply


# --- what is asked


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/{project}/nothing"),
        ("GET", "/v1/{project}"),
        ("GET", "/v1/"),
        ("POST", "/v1/{project}/quotas"),
        ("DELETE", "/v1/{project}/os-user-config"),
        ("GET", "/v2/{project}/nothing"),
    ],
)
def test_an_unknown_path_or_method_is_not_found(seeds, method, path):
    target = path.format(project=modelarts_project(seeds))
    check_error(get(seeds, target, method=method), 404, "APIGW.0101")


@pytest.mark.parametrize(
    "path", ["/v1/{project}/quotas", "/v1/{project}/os-user-config", "/v3/projects?name=x"]
)
def test_every_answer_has_a_request_id(seeds, path):
    target = path.format(project=modelarts_project(seeds))
    replies = [get(seeds, target), get(seeds, target), exchange(seeds.address, "GET", target)]
    assert [reply.status for reply in replies] == [200, 200, 401]
    ids = [reply.headers["X-Request-Id"] for reply in replies]
    assert all(ids) and len(set(ids)) == 3


def test_the_list_of_projects_has_one(seeds):
    answer = get(seeds, "/v3/projects?name=cn-north-4").ok()
    [project] = answer["projects"]
    assert project["id"] == modelarts_project(seeds)


def test_too_many_calls_are_told_so(place):
    server = place.serve(config="requests_per_second_per_principal = 2\n")
    replies = [get(server, quotas_path(server)) for _ in range(50)]
    limited = [reply for reply in replies if reply.status == 429]
    assert limited
    for reply in limited:
        check_error(reply, 429, "APIGW.0308")
