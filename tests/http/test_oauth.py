"""The OAuth resource server, against an identity provider of the tests' own (design §9)."""

import asyncio
import base64
import json
import re
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from fault_proxy import Kind, proxied
from identity_provider import AUDIENCE, IdentityProvider, identity_provider
from jwt.algorithms import ECAlgorithm
from mcp import MCPError
from web import HELLO, JSON, Replica, modern, replica, until

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
            with pytest.raises(MCPError, match="dixa_add_note needs the scope dixa:write"):
                await desk.call("add_note", conversation_id=10401, text="No")
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


STRANGER = ec.generate_private_key(ec.SECP256R1())
BAD: dict[str, Any] = {
    "no JWT": lambda p: "abc",
    "expired": lambda p: p.token("dixa:read", exp=time.time() - 60),
    "not yet": lambda p: p.token("dixa:read", nbf=time.time() + 600),
    "made tomorrow": lambda p: p.token("dixa:read", iat=time.time() + 86_400),
    "without end": lambda p: p.token("dixa:read", exp=None),
    "another audience": lambda p: p.token("dixa:read", aud="https://other.test/mcp"),
    "no audience": lambda p: p.token("dixa:read", aud=None),
    "another issuer": lambda p: p.token("dixa:read", iss="https://evil.test"),
    "nobody's": lambda p: p.token("dixa:read", sub=None, client_id=None),
    "unknown key": lambda p: p.token("dixa:read", kid="ec-9"),
    "tampered": lambda p: p.token("dixa:read")[:-6] + "AAAAAA",
    "unsigned": unsigned,
    "without a key's name": lambda p: jwt.encode(
        {"iss": p.issuer, "aud": AUDIENCE, "sub": "u", "exp": time.time() + 60, "scope": "dixa:read"},
        p.keys["ec-1"],
        "ES256",
    ),
    "with a key of its own in the header": lambda p: jwt.encode(
        {"iss": p.issuer, "aud": AUDIENCE, "sub": "u", "exp": time.time() + 60, "scope": "dixa:read"},
        STRANGER,
        "ES256",
        {"kid": "ec-1", "jwk": ECAlgorithm.to_jwk(STRANGER.public_key(), as_dict=True), "jku": p.issuer},
    ),
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


async def test_clocks_may_differ_by_a_little(provider: IdentityProvider) -> None:
    """Ten seconds either way; not a minute."""
    async with guarded(provider) as site:
        now = time.time()
        assert await status(site, provider.token("dixa:read", exp=now - 5)) == 200
        assert await status(site, provider.token("dixa:read", nbf=now + 5, iat=now + 5)) == 200
        assert await status(site, provider.token("dixa:read", nbf=now + 60)) == 401


async def test_one_audience_of_several_will_do(provider: IdentityProvider) -> None:
    """RFC 7519: `aud` may be a list; RFC 8707: this resource must be in it."""
    async with guarded(provider) as site:
        assert await status(site, provider.token("dixa:read", aud=["https://other.test", AUDIENCE])) == 200
        assert await status(site, provider.token("dixa:read", aud=["https://other.test"])) == 401


def challenge(answer: Any) -> dict[str, str]:
    """The parts of a challenge."""
    return dict(re.findall(r'(\w+)="([^"]*)"', answer.headers["www-authenticate"]))


async def test_without_credentials_the_challenge_names_what_this_server_has_a_use_for(
    provider: IdentityProvider,
) -> None:
    """The MCP specification: clients ask for the scopes of the first challenge, so no more than is useful."""
    for flags, scope in (
        ((), "dixa:read dixa:write dixa:customer"),
        (("--mode", "read-only"), "dixa:read"),
        (("--toolsets", "default,privacy", "--allow-irreversible"), "dixa:read dixa:write dixa:customer dixa:admin"),
    ):
        async with guarded(provider, *flags) as site, site.http() as http:
            assert challenge(await http.post("/mcp", json=HELLO, headers=JSON))["scope"] == scope


async def test_a_call_that_one_more_scope_would_open_is_403_and_names_it(provider: IdentityProvider, era: str) -> None:
    """Step-up: `insufficient_scope`, with what the token has and what it lacks; nothing is done."""
    body, headers = modern("tools/call", "dixa_send_reply", arguments={})
    if era == "legacy":
        headers = JSON
    async with guarded(provider) as site, site.http(provider.token("dixa:read", "dixa:write", "openid")) as http:
        answer = await http.post("/mcp", json=body, headers=headers)
        said = challenge(answer)
        assert (answer.status_code, said["error"]) == (403, "insufficient_scope")
        assert said["scope"] == "dixa:read dixa:write dixa:customer"
        assert said["resource_metadata"].endswith("/.well-known/oauth-protected-resource/mcp")
        assert site.sandbox.requests == []


@pytest.mark.parametrize("flags", [("--mode", "read-only"), ("--exclude-tools", "dixa_add_note")])
async def test_what_no_scope_would_open_is_no_matter_of_scopes(
    flags: tuple[str, ...], provider: IdentityProvider
) -> None:
    """A client must not send its user for a token that changes nothing; the call says why instead."""
    async with guarded(provider, *flags) as site, site.desk(provider.token("dixa:read")) as desk:
        said = await desk.call("add_note", conversation_id=10401, text="No")
        assert said.failed
        assert flags[0] in said.text


async def test_resources_and_prompts_need_no_more_than_reading_and_no_less(provider: IdentityProvider) -> None:
    """Each resource is a call of its twin that reads; without a scope of ours nothing is answered."""
    methods: list[tuple[str, str, dict[str, Any]]] = [
        ("resources/read", "dixa://conversation/10401", {"uri": "dixa://conversation/10401"}),
        ("resources/list", "", {}),
        ("prompts/list", "", {}),
        ("prompts/get", "summarise_for_handover", {"arguments": {"conversation_id": "10401"}}),
    ]
    async with guarded(provider) as site:
        for method, name, parameters in methods:
            body, headers = modern(method, name if method == "prompts/get" else "", **parameters)
            headers |= {"mcp-name": name} if name else {}
            for scope, wanted in (("dixa:read", 200), ("openid", 403)):
                async with site.http(provider.token(scope)) as http:
                    answer = await http.post("/mcp", json=body, headers=headers)
                assert answer.status_code == wanted, (method, answer.text)


GARBAGE = [
    b"<html>",
    b"null",
    b'{"keys": [1, {}, {"kty": "RSA"}]}',
    b'{"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": ["ec-1"]}]}',
    b"[" * 100_000,
    b" " * 2_000_000,
]


async def test_a_page_that_is_no_page_of_keys_lets_nobody_in_and_puts_nobody_out(
    provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Garbage and pages of any size: 503 while no key is known; afterwards the known ones go on."""
    monkeypatch.setattr(oauth, "AGAIN", 0.0)
    monkeypatch.setattr(oauth, "FRESH", 0.0)
    async with guarded(provider) as site:
        for provider.page in GARBAGE:
            assert await status(site, provider.token("dixa:read")) == 503
        provider.page = None
        assert await status(site, provider.token("dixa:read")) == 200
        for provider.page in GARBAGE:
            assert await status(site, provider.token("dixa:read")) == 200


async def test_a_secret_among_the_keys_signs_nothing(provider: IdentityProvider) -> None:
    """A shared key in the page would let everybody who reads it make tokens."""
    provider.page = json.dumps(
        {"keys": [*provider.jwks()["keys"], {"kty": "oct", "k": "c2VjcmV0" * 6, "kid": "s", "alg": "HS256"}]}
    ).encode()
    claims = {"iss": provider.issuer, "aud": AUDIENCE, "sub": "u", "exp": time.time() + 60, "scope": "dixa:admin"}
    forged = jwt.encode(claims, base64.urlsafe_b64decode("c2VjcmV0" * 6), "HS256", {"kid": "s"})
    async with guarded(provider) as site:
        assert await status(site, forged) == 401
        assert await status(site, provider.token("dixa:read")) == 200


async def test_keys_come_from_the_configured_address_only(provider: IdentityProvider) -> None:
    """A redirect could lead to keys of somebody else, or into a network of ours."""
    provider.moved_to = f"{provider.issuer}/elsewhere"
    async with guarded(provider) as site:
        assert await status(site, provider.token("dixa:read")) == 503
        assert provider.asked == 1


async def test_invented_keys_do_not_become_the_issuers_load(provider: IdentityProvider) -> None:
    """Twenty unknown names in parallel are one fetch, and who has a good token gets in meanwhile."""
    async with guarded(provider) as site:
        unknown = [status(site, provider.token("dixa:read", kid=f"unknown-{at}")) for at in range(20)]
        ends = await asyncio.gather(*unknown, status(site, provider.token("dixa:read")))
        assert ends == [401] * 20 + [200]
        assert provider.asked == 1


@pytest.mark.parametrize("kind", ["black_hole", "stall", "reset"])
async def test_while_the_issuer_is_slow_known_keys_go_on_and_the_wait_has_an_end(
    kind: Kind, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One request asks; the others don't queue behind it, and the one ends with the time for fetching."""
    monkeypatch.setattr(oauth, "AGAIN", 0.0)
    monkeypatch.setattr(oauth, "WITHIN", 0.3)
    async with proxied(provider.issuer) as (proxy, url):
        keys = ("--oauth-jwks-url", f"{url}/.well-known/jwks.json")
        async with guarded(provider, *keys) as site:
            assert await status(site, provider.token("dixa:read")) == 200
            monkeypatch.setattr(oauth, "FRESH", 0.0)
            proxy.cut_all()
            slow = proxy.add(kind, times=0)
            asking = asyncio.ensure_future(status(site, provider.token("dixa:read")))
            await slow.met.wait()
            assert await status(site, provider.token("dixa:read")) == 200
            assert await asking == 200
            assert await status(site, provider.token("dixa:read", kid="unknown")) == 401
            proxy.take_back(slow)
            await until(lambda: proxy.open == 0)
