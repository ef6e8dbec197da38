"""`--auth oauth`: a resource server. Access tokens are JWTs of one issuer, made for this server.

Keys come from the issuer's JWKS, kept for five minutes and fetched anew when a token names one that isn't
there, at most every ten seconds; when the issuer can't be reached, the known keys go on for an hour, and while
it is asked nobody with a known key waits.
"""

import json
import ssl
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Any, cast

import anyio
import httpx2
import jwt
from jwt import PyJWK, PyJWKSet
from jwt.exceptions import PyJWTError

from dixa_mcp.errors import SettingsError
from dixa_mcp.http.callers import NotAdmittedError, Visitor, bearer
from dixa_mcp.http.front import Front, checked_url
from dixa_mcp.settings import Settings
from dixa_mcp.toolbox import Effect

SCOPES = {
    "dixa:read": Effect.READ,
    "dixa:write": Effect.INTERNAL,
    "dixa:customer": Effect.CUSTOMER,
    "dixa:admin": Effect.IRREVERSIBLE,
}
"""What a scope allows at most; a token needs one of them, and the highest counts."""
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures with a key of their own on each side; a shared secret would let us forge tokens."""
FRESH = 300.0
STALE = 3600.0
AGAIN = 10.0
WITHIN = 5.0
LARGEST = 1 << 20
"""Seconds that fetching the keys may take, and bytes they may have."""
CLOCKS_DIFFER = 10.0
"""Seconds the issuer's clock may differ from ours."""


class Keys:
    """The issuer's keys, by their id."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._keys: dict[str, PyJWK] = {}
        self._fetched = float("-inf")
        self._tried = float("-inf")
        self._door = anyio.Lock()

    async def find(self, kid: str) -> PyJWK | None:
        """Find a key; None when the issuer has none of this id.

        Raises:
            NotAdmittedError: The issuer can't be asked, so nobody can say.
        """
        if not self._usable(kid, FRESH) and not (self._usable(kid, STALE) and self._door.locked()):
            async with self._door:
                if not self._usable(kid, FRESH) and anyio.current_time() >= self._tried + AGAIN:
                    await self._fetch()
        if anyio.current_time() > self._fetched + STALE:
            raise NotAdmittedError(503, "", "The issuer's keys can't be fetched at the moment.")
        return self._keys.get(kid)

    def _usable(self, kid: str, age: float) -> bool:
        return kid in self._keys and anyio.current_time() <= self._fetched + age

    async def _fetch(self) -> None:
        """Fetch the keys; what isn't a page of keys changes nothing."""
        self._tried = anyio.current_time()
        with suppress(httpx2.HTTPError, TimeoutError, ValueError, TypeError, KeyError, RecursionError, PyJWTError):
            given: Any = json.loads(await self._page())
            keys = PyJWKSet(given["keys"]).keys
            self._keys = {key.key_id: key for key in keys if key.key_id and key.public_key_use in {None, "sig"}}
            self._fetched = anyio.current_time()

    async def _page(self) -> bytes:
        """Read the page of keys: from there and nowhere else, bounded in size and time."""
        page = bytearray()
        with anyio.fail_after(WITHIN):
            async with _client() as http, http.stream("GET", self._url) as answer:
                if answer.status_code != 200:
                    raise ValueError("no page of keys")
                async for part in answer.aiter_bytes():
                    page += part
                    if len(page) > LARGEST:
                        raise ValueError("no page of keys is that large")
        return bytes(page)


@cache
def _tls() -> ssl.SSLContext:
    """Load the certificates once a process."""
    return httpx2.create_ssl_context()


def _client() -> httpx2.AsyncClient:
    return httpx2.AsyncClient(follow_redirects=False, verify=_tls())


class OAuth:
    """Judges access tokens.

    Raises:
        SettingsError: Issuer, audience or the URL of the keys is missing or can't be used.
    """

    def __init__(self, settings: Settings, front: Front) -> None:
        if not settings.oauth_issuer:
            raise SettingsError("--auth oauth needs --oauth-issuer.")
        if not front.resource:
            raise SettingsError("--auth oauth needs --public-url, which clients ask tokens for.")
        self.issuer = settings.oauth_issuer
        checked_url(self.issuer, "--oauth-issuer")
        keys = settings.oauth_jwks_url or f"{self.issuer.rstrip('/')}/.well-known/jwks.json"
        checked_url(keys, "--oauth-jwks-url")
        self.audience = settings.oauth_audience or front.resource
        self._agent_claim = settings.oauth_agent_claim
        self._keys = Keys(keys)

    async def admit(self, headers: Mapping[str, str]) -> Visitor:
        """Check a token's signature, issuer, audience, time and scopes."""
        claims = await self._claims(bearer(headers))
        scopes = _scopes(claims)
        caps = [SCOPES[scope] for scope in scopes if scope in SCOPES]
        if not caps:
            raise NotAdmittedError(
                403, "insufficient_scope", f"The token needs one of the scopes {', '.join(SCOPES)}.", "dixa:read"
            )
        name = claims.get("sub") or claims.get("client_id") or claims.get("azp")
        if not isinstance(name, str) or not name.isprintable():
            raise NotAdmittedError(401, "invalid_token", "The token doesn't say whose it is (sub).")
        agent = claims.get(self._agent_claim, "") if self._agent_claim else ""
        if not isinstance(agent, str):
            raise NotAdmittedError(401, "invalid_token", f"The claim {self._agent_claim} isn't a text.")
        return Visitor(name, max(caps), agent, scopes=scopes)

    async def _claims(self, token: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
        except PyJWTError as error:
            raise NotAdmittedError(401, "invalid_token", "The token isn't a JWT.") from error
        kid, algorithm = header.get("kid"), header.get("alg")
        if not isinstance(kid, str) or algorithm not in ALGORITHMS:
            raise NotAdmittedError(401, "invalid_token", "The token is signed in a way that isn't accepted here.")
        key = await self._keys.find(kid)
        if key is None:
            raise NotAdmittedError(401, "invalid_token", "The token is signed with a key the issuer doesn't have.")
        if key.algorithm_name != algorithm:
            raise NotAdmittedError(401, "invalid_token", "The token isn't signed as its key says.")
        try:
            return jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                issuer=self.issuer,
                audience=self.audience,
                leeway=CLOCKS_DIFFER,
                options={"require": ["exp", "iss", "aud"]},
            )
        except PyJWTError as error:
            raise NotAdmittedError(401, "invalid_token", f"The token isn't valid: {_why(error)}.") from error


def _why(error: PyJWTError) -> str:
    """What is wrong with a token, in words that repeat nothing of it."""
    match error:
        case jwt.ExpiredSignatureError():
            return "it has expired"
        case jwt.ImmatureSignatureError():
            return "it doesn't hold yet"
        case jwt.InvalidAudienceError():
            return "it was made for another server"
        case jwt.InvalidIssuerError():
            return "it comes from another issuer"
        case jwt.MissingRequiredClaimError():
            return "it lacks exp, iss or aud"
        case jwt.InvalidSignatureError():
            return "its signature is wrong"
        case _:
            return "it can't be read"


def _scopes(claims: Mapping[str, Any]) -> list[str]:
    """The scopes of a token: a text with blanks (RFC 9068), or a list, as some issuers write."""
    given = claims.get("scope", claims.get("scp", ""))
    if isinstance(given, str):
        return given.split()
    return [str(scope) for scope in cast("list[Any]", given)] if isinstance(given, list) else []


def metadata(oauth: OAuth, front: Front) -> dict[str, Any]:
    """The protected-resource metadata of RFC 9728."""
    return {
        "resource": front.resource,
        "authorization_servers": [oauth.issuer],
        "scopes_supported": list(SCOPES),
        "bearer_methods_supported": ["header"],
        "resource_name": "dixa-mcp",
    }
