"""The signatures of signing.py are those of the SDKs. Needs no server."""

from types import SimpleNamespace
from unittest import mock

import pytest
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer
from zenlayercloud.common.config import Config
from zenlayercloud.common.credential import Credential
from zenlayercloud.common.request import BaseRequest
from zenlayercloud.vm.v20260401 import vm_client

import signing

ADDRESS = "127.0.0.1:8080"
KEY = ("AKTEST", "secret")


@pytest.mark.parametrize("body", ["{}", '{"zoneIds": ["FRA-A"]}', '{"x": "\\u00e9"}'])
def test_zenlayer(body):
    ours = dict(signing.zenlayer(ADDRESS, KEY, body.encode()))
    client = vm_client.VmClient(Credential(*KEY), Config(scheme="http", domain=ADDRESS))
    headers = {
        "Content-Type": "application/json",
        "host": ADDRESS,
        "x-zc-timestamp": ours["X-ZC-Timestamp"],
    }
    request = BaseRequest(method="POST", header=headers, data=body)
    assert client._build_zc2_authorization(request) == ours["Authorization"]


@pytest.mark.parametrize("extra", [(), (("X-Project-Id", "p"), ("X-Security-Token", "token"))])
@pytest.mark.parametrize(
    ("path", "query"),
    [("/v1/p/quotas", ()), ("/v3/projects", (("name", "cn-north-4"),)), ("/v1/p~/a%20b", ())],
)
def test_modelarts(path, query, extra):
    target = path + "".join(f"?{name}={value}" for name, value in query)
    ours = dict(signing.modelarts(ADDRESS, KEY, target, extra=extra))
    request = SdkRequest(
        method="GET",
        schema="http",
        host=ADDRESS,
        resource_path=path,
        query_params=list(query),
        header_params={"X-Sdk-Date": ours["X-Sdk-Date"], **dict(extra)},
        body="",
    )
    signer = Signer(SimpleNamespace(ak=KEY[0], sk=KEY[1]))
    assert signer.sign(request).header_params["Authorization"] == ours["Authorization"]


def test_the_clock_can_be_shifted():
    with mock.patch("time.time", return_value=1_000_000_000.0):
        zenlayer = dict(signing.zenlayer(ADDRESS, KEY, b"{}", shift=-7))
        modelarts = dict(signing.modelarts(ADDRESS, KEY, "/v3/projects", shift=60))
    assert zenlayer["X-ZC-Timestamp"] == "999999993"
    assert modelarts["X-Sdk-Date"] == "20010909T014740Z"
