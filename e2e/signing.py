"""Both vendors' signatures, written from their public descriptions.

The SDKs sign every well-formed call themselves; these are for the calls that no SDK makes.
test_signing.py holds them against the SDKs.
"""

import hashlib
import hmac
import time
from urllib.parse import quote, unquote

ZENLAYER_METHOD = "ZC2-HMAC-SHA256"
MODELARTS_METHOD = "SDK-HMAC-SHA256"


def zenlayer(address, key, body, *, action="DescribeImageQuota", version="2026-04-01", shift=0):
    """Headers of a signed call; `key` is (id, password), `shift` moves the clock by seconds."""
    key_id, password = key
    timestamp = str(int(time.time()) + shift)
    headers = {"content-type": "application/json", "host": address}
    canonical = _canonical("POST", "/", "", headers, _sha256(body))
    signature = _sign(password, ZENLAYER_METHOD, timestamp, canonical)
    authorization = _authorization(ZENLAYER_METHOD, "Credential", key_id, headers, signature)
    return [
        ("Host", address),
        ("Content-Type", "application/json"),
        ("X-ZC-Action", action),
        ("X-ZC-Version", version),
        ("X-ZC-Signature-Method", ZENLAYER_METHOD),
        ("X-ZC-Timestamp", timestamp),
        ("Authorization", authorization),
    ]


def modelarts(address, key, target, *, method="GET", extra=(), shift=0):
    """Headers of a signed call without a body; `extra` are signed too."""
    access, secret = key
    date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() + shift))
    headers = {"host": address, "x-sdk-date": date}
    headers |= {name.lower(): value for name, value in extra}
    path, _, query = target.partition("?")
    canonical = _canonical(method, _canonical_path(path), query, headers, _sha256(b""))
    signature = _sign(secret, MODELARTS_METHOD, date, canonical)
    authorization = _authorization(MODELARTS_METHOD, "Access", access, headers, signature)
    return [
        ("Host", address),
        ("X-Sdk-Date", date),
        *extra,
        ("Authorization", authorization),
    ]


def _canonical(method, path, query, headers, body_hash):
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in sorted(headers))
    return "\n".join([method, path, query, lines, ";".join(sorted(headers)), body_hash])


def _canonical_path(path):
    encoded = "/".join(quote(part, safe="~") for part in unquote(path).split("/"))
    return encoded if encoded.endswith("/") else encoded + "/"


def _sign(secret, method, when, canonical):
    text = "\n".join([method, when, _sha256(canonical.encode())])
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def _authorization(method, word, key_id, headers, signature):
    names = ";".join(sorted(headers))
    return f"{method} {word}={key_id}, SignedHeaders={names}, Signature={signature}"


def _sha256(data):
    return hashlib.sha256(data).hexdigest()
