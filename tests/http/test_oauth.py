"""The OAuth resource server, against an identity provider of the tests' own (design §9)."""

import base64
import json
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from typing import Any

import jwt
import pytest
from identity_provider import AUDIENCE, IdentityProvider, identity_provider
from web import HELLO, JSON, Replica, modern, replica

from dixa_mcp.http import oauth


@pytest.fixture
def provider() -> Generator[IdentityProvider]:
    with identity_provider() as provider:
        yield provider


@asynccontextmanager
async def guarded(provider: IdentityProvider, *flags: str) -> AsyncGenerator[Replica]:
    """A site that takes this provider's tokens."""
    own = ("--auth", "oauth", "--oauth-issuer", provider.issuer, "--public-url", "https://mcp.acme.test")
    async with replica(*own, *flags) as site:
        yield site


async def status(site: Replica, token: str) -> int:
    """What a first request with this token is answered with."""
    async with site.http(token) as http:
        return (await http.post("/mcp", json=HELLO, headers=JSON)).status_code


@pytest.mark.parametrize(
    ("scopes", "sees", "does_not_see"),
    [
        (["dixa:read"], "dixa_get_thread", "dixa_add_note"),
        (["dixa:read", "dixa:write"], "dixa_add_note", "dixa_send_reply"),
        (["dixa:customer", "openid"], "dixa_send_reply", "dixa_anonymize"),
        (["dixa:admin"], "dixa_anonymize", ""),
    ],
)
async def test_scopes_cap_what_is_listed_and_called(
    scopes: list[str], sees: str, does_not_see: str, provider: IdentityProvider, era: str
) -> None:
    """A `dixa:read` token sees and calls READ tools only; a tool above the cap says why (design §3)."""
    flags = ("--toolsets", "default,privacy", "--allow-irreversible")
    async with guarded(provider, *flags) as site, site.desk(provider.token(*scopes), era=era) as desk:
        listed = {tool.name for tool in (await desk.client.list_tools()).tools}
        assert sees in listed
        assert does_not_see not in listed
        if does_not_see == "dixa_add_note":
            said = await desk.call("add_note", conversation_id=10401, text="No")
            assert said.failed
            assert "credentials allow read" in said.text
            assert desk.writes == []


async def test_the_list_varies_by_authorization_and_not_by_session(provider: IdentityProvider) -> None:
    """A narrower token of the same person on an open session is judged by itself, message by message."""
    async with guarded(provider) as site, site.http() as http:

        def bearer(*scopes: str) -> dict[str, str]:
            return {**JSON, "authorization": f"Bearer {provider.token(*scopes)}"}

        opened = await http.post("/mcp", json=HELLO, headers=bearer("dixa:write"))
        session = {"mcp-session-id": opened.headers["mcp-session-id"], "mcp-protocol-version": "2025-11-25"}
        ask = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
        many = await http.post("/mcp", json=ask, headers={**bearer("dixa:write"), **session})
        few = await http.post("/mcp", json={**ask, "id": 3}, headers={**bearer("dixa:read"), **session})
        assert "dixa_add_note" in many.text
        assert "dixa_get_thread" in few.text
        assert "dixa_add_note" not in few.text


def unsigned(provider: IdentityProvider) -> str:
    """A token that says it needs no signature."""
    head = base64.urlsafe_b64encode(json.dumps({"alg": "none", "kid": "ec-1"}).encode()).decode().rstrip("=")
    return f"{head}.{provider.token('dixa:read').split('.')[1]}."


BAD: dict[str, Any] = {
    "no JWT": lambda p: "abc",
    "expired": lambda p: p.token("dixa:read", exp=time.time() - 60),
    "not yet": lambda p: p.token("dixa:read", nbf=time.time() + 600),
    "without end": lambda p: p.token("dixa:read", exp=None),
    "another audience": lambda p: p.token("dixa:read", aud="https://other.test/mcp"),
    "no audience": lambda p: p.token("dixa:read", aud=None),
    "another issuer": lambda p: p.token("dixa:read", iss="https://evil.test"),
    "nobody's": lambda p: p.token("dixa:read", sub=None, client_id=None),
    "unknown key": lambda p: p.token("dixa:read", kid="ec-9"),
    "tampered": lambda p: p.token("dixa:read")[:-6] + "AAAAAA",
    "unsigned": unsigned,
    "signed with the public key as a secret": lambda p: jwt.encode(
        {"iss": p.issuer, "aud": AUDIENCE, "sub": "u", "exp": time.time() + 60, "scope": "dixa:read"},
        "x" * 32,
        "HS256",
        {"kid": "ec-1"},
    ),
}


@pytest.mark.parametrize("kind", BAD)
async def test_a_bad_token_is_401_and_told_where_to_get_a_good_one(kind: str, provider: IdentityProvider) -> None:
    """RFC 6750 and RFC 9728: `invalid_token`, and where the metadata of this resource are."""
    token = BAD[kind](provider)
    async with guarded(provider) as site, site.http(token) as http:
        body, headers = modern("tools/list")
        answer = await http.post("/mcp", json=body, headers=headers)
        assert answer.status_code == 401
        challenge = answer.headers["www-authenticate"]
        assert 'error="invalid_token"' in challenge
        assert 'resource_metadata="https://mcp.acme.test/.well-known/oauth-protected-resource/mcp"' in challenge
        assert token not in answer.text + challenge


async def test_without_a_scope_of_ours_it_is_403_and_names_one(provider: IdentityProvider) -> None:
    """RFC 6750: `insufficient_scope` with what would do."""
    async with guarded(provider) as site, site.http(provider.token("openid")) as http:
        answer = await http.post("/mcp", json=HELLO, headers=JSON)
        assert answer.status_code == 403
        assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
        assert 'scope="dixa:read"' in answer.headers["www-authenticate"]


async def test_the_metadata_tell_clients_where_to_go(provider: IdentityProvider) -> None:
    """RFC 9728, at both places clients look; without credentials, as these are what they have not."""
    async with guarded(provider) as site, site.http() as http:
        for path in ("/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"):
            told = (await http.get(path)).json()
            assert told["resource"] == AUDIENCE
            assert told["authorization_servers"] == [provider.issuer]
            assert told["scopes_supported"] == ["dixa:read", "dixa:write", "dixa:customer", "dixa:admin"]
        answer = await http.post("/mcp", json=HELLO, headers=JSON)
        assert answer.status_code == 401
        assert "error" not in answer.headers["www-authenticate"]


async def test_keys_are_kept_and_fetched_anew_when_they_change(
    provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rotation without a restart; a hundred requests are not a hundred fetches."""
    async with guarded(provider, "--oauth-jwks-url", f"{provider.issuer}/.well-known/jwks.json") as site:
        for _ in range(5):
            assert await status(site, provider.token("dixa:read")) == 200
        assert provider.asked == 1
        old = provider.token("dixa:read")
        provider.rotate("rsa-2")
        # Unknown keys are looked for every ten seconds at most: anybody can invent their names.
        assert await status(site, provider.token("dixa:read")) == 401
        assert provider.asked == 1
        monkeypatch.setattr(oauth, "AGAIN", 0.0)
        assert await status(site, provider.token("dixa:read")) == 200
        assert provider.asked == 2
        assert await status(site, old) == 401


async def test_the_known_keys_outlast_an_outage_of_the_issuer(
    provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The issuer's page of keys is down for a while: who comes with a good token still gets in."""
    async with guarded(provider) as site:
        assert await status(site, provider.token("dixa:read")) == 200
        provider.broken = True
        monkeypatch.setattr(oauth, "FRESH", 0.0)
        monkeypatch.setattr(oauth, "AGAIN", 0.0)
        assert await status(site, provider.token("dixa:read")) == 200
        assert provider.asked == 2
        monkeypatch.setattr(oauth, "STALE", -1.0)
        assert await status(site, provider.token("dixa:read")) == 503


async def test_the_acting_agent_comes_from_the_claim(provider: IdentityProvider) -> None:
    """Required by Dixa for replies; bound to the person, not to what the model says (design §4)."""
    async with guarded(provider, "--oauth-agent-claim", "dixa_agent") as site:
        async with site.desk(provider.token("dixa:customer", dixa_agent="Mia Lindqvist")) as desk:
            assert "Mia Lindqvist" in (await desk.call("status")).text
        async with site.desk(provider.token("dixa:customer")) as desk:
            assert "Acting agent: none" in (await desk.call("status")).text


async def test_two_people_have_budgets_and_journals_of_their_own(provider: IdentityProvider) -> None:
    """One Dixa token behind them, but own changes are those of the same tenant and caller (design §4.11)."""
    async with (
        guarded(provider, "--budget-internal", "1") as site,
        site.desk(provider.token("dixa:write", sub="anna")) as anna,
        site.desk(provider.token("dixa:write", sub="ben")) as ben,
    ):
        assert not (await anna.call("add_note", conversation_id=10401, text="From Anna")).failed
        assert (await anna.call("add_note", conversation_id=10403, text="Again")).failed
        assert "10401" not in (await ben.call("list_changes")).text
        assert "10401" in (await anna.call("list_changes")).text
        assert not (await ben.call("add_note", conversation_id=10401, text="From Ben")).failed
