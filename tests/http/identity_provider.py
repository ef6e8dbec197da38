"""A small identity provider: keys that can be changed, tokens with any claims, a JWKS over HTTP."""

import json
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

AUDIENCE = "https://mcp.acme.test/mcp"


@dataclass
class IdentityProvider:
    """Signs tokens and publishes its keys."""

    issuer: str
    keys: dict[str, Any] = field(default_factory=dict[str, Any])
    asked: int = 0
    broken: bool = False
    page: bytes | None = None
    """What stands in place of the keys."""
    moved_to: str = ""

    def rotate(self, kid: str) -> None:
        """Publish this key alone from now on."""
        curve = kid.startswith("ec")
        self.keys = {kid: ec.generate_private_key(ec.SECP256R1()) if curve else rsa.generate_private_key(65537, 2048)}

    def token(self, *scopes: str, key: Any = None, algorithm: str = "", kid: str = "", **claims: Any) -> str:
        """Sign a token; None as a claim's value leaves it out."""
        present = next(iter(self.keys))
        given = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": "user-1",
            "client_id": "copilot",
            "exp": time.time() + 60,
            "scope": " ".join(scopes),
            **claims,
        }
        return jwt.encode(
            {name: value for name, value in given.items() if value is not None},
            key or self.keys[present],
            algorithm or ("ES256" if present.startswith("ec") else "RS256"),
            {"kid": kid or present},
        )

    def jwks(self) -> dict[str, Any]:
        """The public keys."""
        keys: list[dict[str, Any]] = []
        for kid, key in self.keys.items():
            public = key.public_key()
            of: Any = ECAlgorithm if kid.startswith("ec") else RSAAlgorithm
            algorithm = "ES256" if kid.startswith("ec") else "RS256"
            keys.append({**of.to_jwk(public, as_dict=True), "kid": kid, "use": "sig", "alg": algorithm})
        return {"keys": keys}


@contextmanager
def identity_provider() -> Generator[IdentityProvider]:
    """Run one on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            provider.asked += 1
            body = json.dumps(provider.jwks()).encode() if provider.page is None else provider.page
            moved = provider.moved_to and self.path != "/elsewhere"
            self.send_response(302 if moved else 503 if provider.broken else 200)
            if moved:
                self.send_header("Location", provider.moved_to)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(OSError):  # who asked needn't read it all
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of its base class
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        provider = IdentityProvider(f"http://127.0.0.1:{server.server_address[1]}")
        provider.rotate("ec-1")
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()
