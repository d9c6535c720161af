"""The door: lists, single resources, typed clients, and what it does not let through."""

from __future__ import annotations

import asyncio
import gzip
from types import SimpleNamespace

import msgspec
import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from azure.identity.aio import ClientSecretCredential

from reconciler.azure.failures import NO_CREDENTIALS, failure
from reconciler.azure.pipeline import SharedToken
from reconciler.errors import (
    AbsentError,
    AzureError,
    ConflictError,
    DeniedError,
    FailedError,
    ThrottledError,
    UnreachableError,
)

SUBSCRIPTION = "00000000-1111-2222-3333-444444444444"
PATH = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Example/things"


class Thing(msgspec.Struct, frozen=True):
    name: str
    location: str = ""


async def names(azure, path=PATH, **query):
    return [thing.name async for thing in azure.list(path, "2026-01-01", Thing, **query)]


async def test_list_follows_next_link_as_it_was_given(script, door, say):
    link = f"{script.endpoint}{PATH}?api-version=2026-01-01&$skiptoken=a%2Bb%3D%3D&%24expand=x"
    script.on[PATH] = [
        say(body={"value": [{"name": "one", "unknown": {"deep": [1]}}], "nextLink": link}),
        say(body={"value": [{"name": "two"}], "nextLink": None}),
    ]
    async with door() as azure:
        assert await names(azure, **{"$filter": "kind eq 'A b'"}) == ["one", "two"]
        assert azure.requests == 2
    first, second = (dict(request.rel_url.query) for request in script.seen)
    assert first == {"api-version": "2026-01-01", "$filter": "kind eq 'A b'"}
    assert second == {"api-version": "2026-01-01", "$skiptoken": "a+b==", "$expand": "x"}


async def test_requests_are_signed_in_and_named(script, door, say):
    script.on[PATH] = [say(body={"value": []})]
    async with door() as azure:
        assert await names(azure) == []
    headers = script.seen[0].headers
    assert headers["Authorization"].startswith("Bearer ")
    assert headers["User-Agent"].startswith("reconciler/")
    assert headers["x-ms-client-request-id"]


async def test_compressed_pages(script, door, say):
    body = gzip.compress(msgspec.json.encode({"value": [{"name": "small"}]}))
    script.on[PATH] = [say(body=body, headers={"Content-Encoding": "gzip"})]
    async with door() as azure:
        assert await names(azure) == ["small"]


async def test_non_ascii_and_blank_in_a_path(script, door, say):
    script.on["/subscriptions/x/resourceGroups/Büro 1/things"] = [say(body={"value": [{"name": "here"}]})]
    async with door() as azure:
        assert await names(azure, "/subscriptions/x/resourceGroups/Büro 1/things") == ["here"]


@pytest.mark.parametrize(
    "link",
    ["https://management.azure.com.example.org/next", "http://localhost/next", "https://localhost.example.org/next"],
)
async def test_the_token_never_leaves_the_cloud(script, door, say, link):
    script.on[PATH] = [say(body={"value": [], "nextLink": link})]
    async with door() as azure:
        with pytest.raises(FailedError, match="points to another server"):
            await names(azure)
        assert azure.requests == 1


async def test_a_list_that_repeats_a_page_ends(script, door, say):
    link = f"{script.endpoint}{PATH}?api-version=2026-01-01&again=1"
    script.on[PATH] = [say(body={"value": [], "nextLink": link})]
    async with door() as azure:
        with pytest.raises(FailedError, match="does not end"):
            await names(azure)
        assert azure.requests == 2


async def test_a_body_of_another_shape_is_named(script, door, say):
    script.on[PATH] = [say(body={"value": [{"name": 5}]})]
    async with door() as azure:
        with pytest.raises(FailedError) as caught:
            await names(azure)
    assert "$.value[0].name" in caught.value.why or "`$.value[...].name`" in caught.value.why


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (404, "ResourceNotFound", AbsentError),
        (403, "AuthorizationFailed", DeniedError),
        (409, "Conflict", ConflictError),
        (400, "BadRequest", FailedError),
    ],
)
async def test_refusals(script, door, say, status, code, kind):
    script.on[PATH] = [say(status, {"error": {"code": code, "message": "because"}})]
    async with door() as azure:
        with pytest.raises(kind) as listed:
            await names(azure)
        with pytest.raises(kind):
            await azure.get(PATH, "2026-01-01", Thing)
        with pytest.raises(kind):
            await azure.send("PATCH", PATH, "2026-01-01", {"a": 1})
        assert (await azure.exchange("GET", PATH)).status == status
    assert listed.value.code == code
    assert "because" in listed.value.why


async def test_retry_after_is_obeyed_whatever_its_length(script, door, say, waits):
    limited = {"error": {"code": "ResourceRequestsThrottled", "message": "Please try again after '324' seconds."}}
    script.on[PATH] = [say(429, limited, {"Retry-After": "324"}), say(body={"value": [{"name": "late"}]})]
    async with door() as azure:
        assert await names(azure) == ["late"]
        assert azure.requests == 2
    assert waits.seconds == [324.0]
    assert waits.told == [(324.0, "Azure limits the requests (429)")]


async def test_a_limit_holds_back_other_requests_of_the_sort(script, door, say, waits):
    script.on[PATH] = [say(429, {}, {"Retry-After": "60"}), say(body={"value": []})]
    other = PATH.replace("Example/things", "Other/things")
    script.on[other] = [say(body={"value": []})]
    async with door() as azure:
        await names(azure)
        await names(azure, other)
        assert len(waits.seconds) == 1
        await names(azure)
    assert len(waits.seconds) == 2
    assert 50 < waits.seconds[1] <= 60


async def test_a_low_quota_slows_down(script, door, say, waits):
    low = {"x-ms-ratelimit-remaining-subscription-reads": "5"}
    script.on[PATH] = [say(body={"value": []}, headers=low), say(body={"value": []})]
    async with door() as azure:
        await names(azure)
        await names(azure)
        await names(azure)
    assert waits.seconds == [pytest.approx(20 / 25)]
    assert "5 reads left" in waits.told[0][1]


async def test_endless_throttling_is_an_error(script, door, say, waits):
    script.on[PATH] = [say(429, {"error": {"code": "TooManyRequests", "message": "slow"}}, {"Retry-After": "1"})]
    async with door() as azure:
        with pytest.raises(ThrottledError, match="limits the requests"):
            await names(azure)
    assert len(waits.seconds) >= 3


async def test_a_dropped_connection_is_tried_again(script, door, say, waits):
    script.on[PATH] = [say(drop=True), say(body={"value": [{"name": "back"}]})]
    async with door() as azure:
        assert await names(azure) == ["back"]


async def test_no_answer_at_all(script, door, say, waits):
    script.on[PATH] = [say(drop=True)]
    async with door() as azure:
        with pytest.raises(UnreachableError, match="no answer") as caught:
            await names(azure)
    assert caught.value.advice


async def test_the_machines_own_authorities_do_not_win(script, door, say, monkeypatch, tmp_path):
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(tmp_path / "nothing.pem"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    script.on[PATH] = [say(body={"value": [{"name": "trusted"}]})]
    async with door() as azure:
        assert await names(azure) == ["trusted"]


async def test_typed_clients_pass_the_same_way(script, door, say, waits):
    path = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/v"
    body = {"id": path, "name": "v", "location": "westeurope"}
    script.on[path] = [say(429, {}, {"Retry-After": "7"}), say(body=body)]
    async with door() as azure:
        vault = await azure.vaults(SUBSCRIPTION).vaults.get("rg", "v")
        assert azure.vaults(SUBSCRIPTION.upper()) is azure.vaults(SUBSCRIPTION)
        assert azure.backup(SUBSCRIPTION)
        assert azure.compute(SUBSCRIPTION)
        assert azure.requests == 2
    assert vault.name == "v"
    assert waits.seconds == [7.0]


async def test_shared_reads_are_asked_once_until_forgotten(script, door, say):
    script.on[PATH] = [say(body={"value": [{"name": "one"}]})]
    async with door() as azure:
        first = await azure.shared("key", lambda: names(azure))
        assert await azure.shared("key", lambda: names(azure)) is first
        azure.forget()
        await azure.shared("key", lambda: names(azure))
        assert azure.requests == 2


async def test_a_shared_failure_reaches_everybody(script, door, say):
    script.on[PATH] = [say(403, {"error": {"code": "AuthorizationFailed", "message": "no"}})]
    async with door() as azure:
        for _ in range(2):
            with pytest.raises(DeniedError):
                await azure.shared("key", lambda: names(azure))
        assert azure.requests == 1


async def test_no_error_holds_the_token(script, door, say):
    script.on[PATH] = [say(400, {"error": {"code": "Bad", "message": "x"}})]
    async with door() as azure:
        with pytest.raises(AzureError) as caught:
            await names(azure)
    assert "script-token" not in f"{caught.value}{caught.value!r}{script.cloud!r}"


class NobodySignedIn:
    async def get_token(self, *scopes, **options):
        raise ClientAuthenticationError(
            "DefaultAzureCredential failed to retrieve a token from the included credentials.\n"
            "\tEnvironmentCredential: environment variables are not fully configured.\n\tAzureCliCredential: no az"
        )

    async def close(self):
        """Nothing is open."""


async def test_missing_credentials_say_what_was_tried_and_what_to_do(door):
    async with door(credential=NobodySignedIn()) as azure:
        with pytest.raises(DeniedError, match="no Azure credentials") as caught:
            await names(azure)
        assert azure.requests == 0
    assert "EnvironmentCredential" in caught.value.why
    assert "az login" in caught.value.advice


async def test_a_refused_sign_in_is_not_taken_for_a_refused_request(script, door, say, waits):
    said = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."}
    script.on["/a-tenant/oauth2/v2.0/token"] = [say(401, said)]
    signing_in = ClientSecretCredential(
        "a-tenant",
        "an-app",
        "the-client-secret",
        authority=script.endpoint,
        disable_instance_discovery=True,
        connection_verify=str(script.ca),
    )
    async with door(credential=signing_in) as azure:
        with pytest.raises(DeniedError, match="no Azure credentials") as caught:
            await names(azure)
        with pytest.raises(ClientAuthenticationError) as raised:
            await azure.vaults(SUBSCRIPTION).vaults.get("rg", "v")
    assert "AADSTS7000215" in caught.value.why
    assert failure(raised.value, PATH).code == NO_CREDENTIALS
    assert "the-client-secret" not in str(caught.value)


async def test_a_401_of_resource_manager_is_a_denial(script, door, say):
    path = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/v"
    script.on[path] = [say(401, {"error": {"code": "InvalidAuthenticationTokenTenant", "message": "wrong tenant"}})]
    async with door() as azure:
        with pytest.raises(ClientAuthenticationError) as raised:
            await azure.vaults(SUBSCRIPTION).vaults.get("rg", "v")
    assert failure(raised.value, path).code == "InvalidAuthenticationTokenTenant"


async def test_one_token_for_all_clients():
    asked = []

    async def get_token(*scopes, **options):
        asked.append(scopes)
        return AccessToken(f"t{len(asked)}", 1000 * len(asked))

    wall = SimpleNamespace(now=0.0)
    shared = SharedToken(SimpleNamespace(get_token=get_token), lambda: wall.now)
    assert (await shared.get_token("a")).token == "t1"
    assert (await shared.get_token("a")).token == "t1"
    assert (await shared.get_token("b")).token == "t2"
    wall.now = 701.0
    assert (await shared.get_token("a")).token == "t3"
    assert asked == [("a",), ("b",), ("a",)]


async def test_a_sign_in_that_fails_while_the_last_token_is_good_ends_nothing():
    """An apply of hours, and a lease that is renewed every 20 s, meet a minute in which nobody can sign in."""
    asked = []

    async def get_token(*scopes, **options):
        asked.append(scopes)
        if len(asked) == 2:
            raise ClientAuthenticationError(message="nobody is signed in")
        return AccessToken(f"t{len(asked)}", 1000 * len(asked))

    wall = SimpleNamespace(now=0.0)
    shared = SharedToken(SimpleNamespace(get_token=get_token), lambda: wall.now)
    assert (await shared.get_token("a")).token == "t1"
    wall.now = 701.0
    assert (await shared.get_token("a")).token == "t1"
    wall.now = 720.0
    assert (await shared.get_token("a")).token == "t1"
    assert len(asked) == 2
    wall.now = 732.0
    assert (await shared.get_token("a")).token == "t3"


async def test_a_sign_in_that_fails_after_the_last_token_is_an_error():
    async def get_token(*scopes, **options):
        if wall.now:
            raise ClientAuthenticationError(message="nobody is signed in")
        return AccessToken("t", 1000)

    wall = SimpleNamespace(now=0.0)
    shared = SharedToken(SimpleNamespace(get_token=get_token), lambda: wall.now)
    assert (await shared.get_token("a")).token == "t"
    wall.now = 980.0
    with pytest.raises(ClientAuthenticationError, match="nobody is signed in"):
        await shared.get_token("a")


async def test_a_failed_sign_in_is_told_to_all_who_wait_and_tried_again_later():
    asked = []

    async def get_token(*scopes, **options):
        asked.append(scopes)
        if len(asked) == 1:
            raise ClientAuthenticationError(message="nobody is signed in")
        return AccessToken("t", 10_000)

    wall = SimpleNamespace(now=0.0)
    shared = SharedToken(SimpleNamespace(get_token=get_token), lambda: wall.now)
    answers = await asyncio.gather(*(shared.get_token("a") for _ in range(3)), return_exceptions=True)
    assert [str(answer) for answer in answers] == ["nobody is signed in"] * 3
    assert len(asked) == 1
    wall.now = 31.0
    assert (await shared.get_token("a")).token == "t"
