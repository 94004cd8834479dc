"""A small sign-in service on loopback: discovery, keys that rotate, and tokens signed by them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

AUDIENCE = "rapport-api"
_ALGORITHMS: dict[str, Any] = {"RS256": RSAAlgorithm, "ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}


def private_key(algorithm: str, bits: int = 2048) -> Any:
    """A new key that signs by `algorithm`."""
    if algorithm == "RS256":
        return rsa.generate_private_key(public_exponent=65537, key_size=bits)
    return ec.generate_private_key(ec.SECP256R1()) if algorithm == "ES256" else ed25519.Ed25519PrivateKey.generate()


def pem_of(key: Any) -> bytes:
    """The public half, as people copy it about."""
    pem: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem


@dataclass
class Issuer:
    """What it answers; `fetched` counts how often it was asked for its keys."""

    url: str = ""
    keys: dict[str, tuple[str, Any]] = field(default_factory=dict)  # kid -> (algorithm, private key)
    fetched: int = 0
    is_away: bool = False
    says_it_is: str | None = None

    def add(self, key_id: str, algorithm: str, key: Any = None) -> Any:
        """Publish a key from now on; answers the private half."""
        made = private_key(algorithm) if key is None else key
        self.keys[key_id] = (algorithm, made)
        return made

    def jwks(self) -> dict[str, Any]:
        """The set of public keys."""
        listed = [
            {**_ALGORITHMS[algorithm].to_jwk(key.public_key(), as_dict=True), "kid": key_id, "use": "sig"}
            for key_id, (algorithm, key) in self.keys.items()
        ]
        return {"keys": listed}

    def claims(self, **others: Any) -> dict[str, Any]:
        """What a token of Dana says; None takes a claim away."""
        now = time.time()
        said = {
            "iss": self.url, "aud": AUDIENCE, "sub": "dana-17", "iat": now, "exp": now + 300, "roles": ["marketing"],
        } | others  # fmt: skip
        return {name: value for name, value in said.items() if value is not None}

    def token(self, key_id: str = "k1", **others: Any) -> str:
        """A token signed by a key of ours."""
        algorithm, key = self.keys[key_id]
        return jwt.encode(self.claims(**others), key, algorithm=algorithm, headers={"kid": key_id})

    async def answer(self, request: web.Request) -> web.Response:
        if self.is_away:
            return web.Response(status=503)
        if request.path == "/.well-known/openid-configuration":
            told = {"issuer": self.says_it_is or self.url, "jwks_uri": f"{self.url}/keys"}
            return web.json_response(told)
        self.fetched += 1
        return web.json_response(self.jwks())


@asynccontextmanager
async def issuing() -> AsyncIterator[Issuer]:
    """An issuer that answers inside the block, with one key, `k1`."""
    issuer = Issuer()
    issuer.add("k1", "ES256")
    app = web.Application()
    app.router.add_get("/{path:.*}", issuer.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    issuer.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield issuer
    finally:
        await runner.cleanup()
