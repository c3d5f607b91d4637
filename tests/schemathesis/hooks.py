"""Users, items and checks that are specific to this API."""

import base64
import hashlib
import hmac
import json
import os
import re
import time
from urllib.parse import unquote, urlsplit
from zlib import crc32

import requests
import schemathesis
from schemathesis.openapi.checks import RejectedPositiveData

API_URL = os.environ["API_URL"]
SECRET = os.environ["BETTER_AUTH_SECRET"]
ISSUER = os.environ["JWT_ISSUER"]
AUDIENCE = os.environ["JWT_AUDIENCE"]

# The characters that Rust trims, which differ from Python's `strip`.
WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"

KINDS_OF_TOKEN = ["stranger", "expired", "nobody"] + 17 * ["owner"]
KINDS_OF_ITEM = ["none", "item", "item with its tag", "item with its tag"]

# The user of each valid token.
holders = {}
# The cases for which an item was created.
made = set()


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign(user, ttl=600):
    now = int(time.time())
    claims = {"sub": user, "iat": now, "exp": now + ttl, "iss": ISSUER, "aud": AUDIENCE}
    signed = ".".join(base64url(json.dumps(part).encode()) for part in ({"alg": "HS256"}, claims))
    return f"{signed}.{base64url(hmac.digest(SECRET.encode(), signed.encode(), hashlib.sha256))}"


def path_user(path):
    """The user in a request's path: the segment after `/api/`, decoded once."""
    return unquote(path.split("/")[2])


def choice(case, *choices):
    """One of these options, always the same for the same request, so that failures are reproducible."""
    headers = {name: value for name, value in case.headers.items() if name != "Authorization"}
    text = f"{case.formatted_path} {case.query} {headers} {case.body}"
    return choices[crc32(text.encode(errors="replace")) % len(choices)]


def phase(case):
    return case.meta.phase.name if case.meta is not None else None


def follows_links(case):
    return phase(case) == "stateful"


def described(case):
    """The case's operation in the document."""
    return case.operation.definition.raw


def resolved(case, value):
    """A part of the document, without its `$ref`."""
    if "$ref" in value:
        part = case.operation.schema.raw_schema
        for name in value["$ref"].removeprefix("#/").split("/"):
            part = part[name]
        return part
    return value


def body_schema(case, operation):
    content = operation["requestBody"]["content"]
    return resolved(case, content["application/json"]["schema"])


def is_good(case):
    """Whether the request is valid according to the document."""
    return case.meta is not None and case.meta.generation.mode.is_positive


@schemathesis.auth(refresh_interval=None)
class MostlyTheOwner:
    """A token of the path's user, so that the rest of the request is checked; sometimes an invalid one."""

    def get(self, case, context):
        owner = path_user(case.formatted_path)
        kind = "owner" if follows_links(case) else choice(case, *KINDS_OF_TOKEN)
        if kind == "nobody":
            return None
        if kind == "expired":
            return sign(owner, ttl=-60)
        user = owner if kind == "owner" else f"not {owner}"
        token = sign(user)
        holders[token] = user
        return token

    def set(self, case, token, context):
        case.headers["Authorization"] = f"Bearer {token}"


@schemathesis.hook
def before_call(context, case, kwargs):
    if is_good(case):
        make_an_item(case)
        if follows_links(case) and "Idempotency-Key" in case.headers:
            # A reused key would return an item that was deleted since.
            case.headers["Idempotency-Key"] = f"{case.headers['Idempotency-Key'][:200]}-{case.id}"
        if "after" in case.query:
            # The document cannot express that they exclude each other.
            case.query.pop("offset", None)
        if {"completed", "all"} <= {parameter.get("name") for parameter in described(case).get("parameters", [])}:
            # Nor that exactly one of these is required.
            case.query.pop("completed" if "all" in case.query else "all", None)
            if "all" not in case.query:
                case.query.setdefault("completed", "true")
        if case.method in ("PUT", "PATCH") and isinstance(case.body, dict):
            # Nor that one of its members is, except in an empty body that is as good as none.
            schema = body_schema(case, described(case))
            optional = not described(case)["requestBody"].get("required") and not case.body
            if not optional and not case.body.keys() & schema["properties"].keys():
                case.body.update(schema["examples"][0])
    # The local gateway answers a header that is not ASCII, or a body that is not UTF-8, with its
    # own 500.
    for name, value in list(case.headers.items()):
        if isinstance(value, str) and not value.isascii():
            case.headers[name] = value.encode("ascii", "ignore").decode()
    if isinstance(case.body, bytes):
        case.body = case.body.decode("latin-1").encode()


def make_an_item(case):
    """Uses existing items for most valid ids, and their tags for most tags: generated ones match nothing."""
    token = case.headers.get("Authorization", "").removeprefix("Bearer ")
    parameter = next((name for name in case.path_parameters if name != "user_id"), None)
    if follows_links(case) or token not in holders or parameter is None:
        return
    # The largest ids stay, since they test the limit.
    if int(case.path_parameters[parameter]) > 2**52:
        return
    # The coverage phase has few cases, so all must reach the API.
    which = "item with its tag" if phase(case) == "coverage" else choice(case, *KINDS_OF_ITEM)
    if which == "none":
        return
    collection = case.path.split(f"/{{{parameter}}}")[0]
    create = case.operation.schema.raw_schema["paths"][collection]["post"]
    example = body_schema(case, create)["examples"][0]
    path = "/".join(case.formatted_path.split("/")[: collection.count("/") + 1])
    headers = {"Authorization": f"Bearer {token}"}
    created = requests.post(API_URL + path, headers=headers, json=example, timeout=20)
    if created.status_code == 201:
        case.path_parameters[parameter] = created.json()["id"]
        made.add(case.id)
        # `If-None-Match` with its tag would refuse a change.
        for header in ("If-Match", "If-None-Match")[: 2 if case.method == "GET" else 1]:
            if header in case.headers and which == "item with its tag":
                case.headers[header] = created.headers["ETag"]


def bearer(response):
    return response.request.headers.get("Authorization", "").removeprefix("Bearer ")


def is_ours(case, response):
    """Whether the request reached a function, rather than a path or method without a route."""
    path = re.sub(r"\{\w+\}", "[^/]+", case.operation.path)
    return response.request.method == case.operation.method.upper() and re.fullmatch(
        path, urlsplit(response.request.url).path
    )


@schemathesis.check
def only_the_owner_comes_in(ctx, response, case):
    """401 and 403 come exactly when they must."""
    if not is_ours(case, response):
        return
    user = holders.get(bearer(response))
    if user is None or "\0" in user:
        expected = 401
    elif user != path_user(urlsplit(response.request.url).path):
        expected = 403
    else:
        assert response.status_code not in (401, 403), "the owner is refused"
        return
    assert response.status_code == expected, f"expected {expected}"


@schemathesis.check
def no_answer_is_stored_or_taken_for_another_type(ctx, response, case):
    if is_ours(case, response):
        assert response.headers["cache-control"] == ["no-store"]
        assert response.headers["x-content-type-options"] == ["nosniff"]


@schemathesis.check
def an_item_that_is_there_is_found(ctx, response, case):
    assert case.id not in made or response.status_code != 404


@schemathesis.check
def what_was_written_is_answered(ctx, response, case):
    if response.status_code not in (200, 201) or not isinstance(case.body, dict) or not is_ours(case, response):
        return
    item = response.json()
    members = body_schema(case, described(case))["properties"]
    sent = {name: case.body[name] for name in members if name in case.body}
    if case.method == "POST" and "completed" in members:
        sent.setdefault("completed", False)
    if "title" in sent:
        sent["title"] = sent["title"].strip(WHITE_SPACE)
    assert {name: item[name] for name in sent} == sent


@schemathesis.check
def no_answer_quotes_the_token(ctx, response, case):
    assert bearer(response) not in holders or bearer(response) not in response.content.decode(errors="replace")


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Ignores refusals of reused idempotency keys, which the document cannot express."""
    used = isinstance(failure, RejectedPositiveData) and response.status_code == 422
    return not used or not response.json()["detail"].startswith("Idempotency-Key was used before")
