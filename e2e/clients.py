"""The three ways to call the server: its own API, and the two vendors' own SDKs."""

import json
from urllib.parse import quote, urlencode

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkmodelarts.v1 import ModelArtsClient, ShowOsQuotaRequest
from zenlayercloud.common.config import Config
from zenlayercloud.common.credential import Credential
from zenlayercloud.vm.v20230313 import models as models_2023
from zenlayercloud.vm.v20230313 import vm_client as client_2023
from zenlayercloud.vm.v20260401 import models as models_2026
from zenlayercloud.vm.v20260401 import vm_client as client_2026

from wire import exchange

BASE = "/plimsoll/v1"
ZENLAYER_VERSIONS = {
    "2023-03-13": (client_2023, models_2023),
    "2026-04-01": (client_2026, models_2026),
}


class Native:
    """The server's own API, as one principal."""

    def __init__(self, server, token):
        self.address = server.address
        self.token = token

    def call(self, method, path, content=None, more_headers=()):
        body = None if content is None else json.dumps(content).encode()
        return self.send(method, path, body, more_headers)

    def send(self, method, path, body, more_headers=()):
        headers = [("Content-Type", "application/json"), *more_headers]
        if self.token is not None:
            headers.append(("Authorization", f"Bearer {self.token}"))
        return exchange(self.address, method, BASE + path, headers, body)

    def resource(self, name, default_limit, *, per_location=True):
        content = {"unit": "count", "default_limit": default_limit, "per_location": per_location}
        return self.call("PUT", f"/resources/{name}", content).ok()

    def location(self, name):
        return self.call("PUT", f"/locations/{name}", {"name": name}).ok()

    def scope(self, name, *, parent=None, kind="project"):
        content = {"kind": kind} if parent is None else {"kind": kind, "parent": parent}
        return self.call("PUT", f"/scopes/{name}", content).ok()

    def limit(self, scope, resource, limit, location=None):
        content = {"resource": resource, "limit": limit, "reason": "end-to-end test"}
        if location is not None:
            content["location"] = location
        return self.call("PUT", f"/scopes/{scope}/limits", content).ok()

    def principal(self, kind, role, scope=None):
        content = {"kind": kind, "role": role, "description": "end-to-end test"}
        if scope is not None:
            content["scope"] = scope
        return self.call("POST", "/principals", content).ok()

    def access_key(self, role, scope):
        """(id, secret) of a new key."""
        answer = self.principal("access_key", role, scope)
        return answer["id"], answer["secret"]

    def reserve(self, reservation, scope, lines, **more):
        content = {"scope": scope, "lines": lines, "ttl_seconds": 300} | more
        return self.call("PUT", f"/reservations/{quote(reservation, safe='')}", content)

    def commit(self, reservation):
        return self.call("POST", f"/reservations/{reservation}/commit", {})

    def release(self, reservation):
        return self.call("POST", f"/reservations/{reservation}/release", {})

    def quota(self, scope, resource, location=None):
        """The one row of figures for this resource at this location."""
        query = {"resource": resource}
        if location is not None:
            query["location"] = location
        answer = self.call("GET", f"/scopes/{scope}/quotas?{urlencode(query)}").ok()
        rows = [row for row in answer["quotas"] if row.get("location") == location]
        assert len(rows) == 1, answer
        return rows[0]

    def figures(self, scope, resource, location=None):
        row = self.quota(scope, resource, location)
        return row["used"], row["held"], row["limit"]


def line(resource, amount, location=None):
    if location is None:
        return {"resource": resource, "amount": amount}
    return {"resource": resource, "location": location, "amount": amount}


class Zenlayer:
    """The unmodified SDK over plain HTTP."""

    def __init__(self, server, credential, *, version="2026-04-01", **settings):
        client, self.models = ZENLAYER_VERSIONS[version]
        settings = {"rate_limit_max_retries": 0} | settings
        config = Config(scheme="http", domain=server.address, **settings)
        self.client = client.VmClient(credential, config)

    def quota_request(self, zones=None):
        request = self.models.DescribeImageQuotaRequest()
        request.zoneIds = zones
        return request

    def quotas(self, zones=None):
        """[(zone, count, maximum)] in the order of the answer."""
        answer = self.client.DescribeImageQuota(self.quota_request(zones))
        assert answer.requestId.startswith("T")
        return [(image.zoneId, image.count, image.maxCount) for image in answer.images]

    def zones(self, zones=None):
        request = self.models.DescribeZonesRequest()
        request.zoneIds = zones
        return self.client.DescribeZones(request).zoneSet


def zenlayer_of_demo(server, **settings):
    return Zenlayer(server, Credential(*zenlayer_key(server)), **settings)


def zenlayer_key(server):
    key = server.place.credentials()["zenlayer"]
    return key["access_key_id"], key["access_key_password"]


def modelarts_key(server):
    key = server.place.credentials()["modelarts"]
    return key["ak"], key["sk"]


def modelarts_project(server):
    return server.place.credentials()["modelarts"]["project_id"]


def modelarts(server, key, project, *, security_token=None):
    credentials = BasicCredentials(*key, project)
    if security_token is not None:
        credentials = credentials.with_security_token(security_token)
    builder = ModelArtsClient.new_builder().with_credentials(credentials)
    return builder.with_endpoint(server.url).build()


def modelarts_of_demo(server):
    return modelarts(server, modelarts_key(server), modelarts_project(server))


def os_quotas(client):
    """[(type, quota, used)] as the SDK types them, in the order of the answer."""
    resources = client.show_os_quota(ShowOsQuotaRequest()).quotas.resources
    return [(resource.type, resource.quota, resource.used) for resource in resources]
