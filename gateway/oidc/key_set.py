"""The public keys of the sign-in service: fetched by discovery, from an address, or from a file; kept while it is away.

A token with a key id that is unknown is worth one more look, for all who wait together, and not more often than every
so many seconds: whoever invents key ids makes nobody fetch.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import jwt
import orjson
import structlog
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from chassis.endings import end_tasks

log = structlog.get_logger()

ALGORITHMS = ("RS256", "ES256", "EdDSA")
_LEAST_RSA_BITS = 2048
_MOST_KEYS = 50
_MOST_BYTES = 256 * 1024
_SECONDS = 3.0
_DISCOVERY = "/.well-known/openid-configuration"

Fetch = Callable[[], Awaitable[Any]]
"""Gives back a JWK set as JSON. Raises what it fails with."""


class SigningKey(NamedTuple):
    """A public key, and the one algorithm that it signs with."""

    algorithm: str
    key: Any


class KeySet:
    """What is known of the keys. `version` grows whenever they are others."""

    def __init__(self, fetch: Fetch, *, least_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._least_seconds = least_seconds
        self._clock = clock
        self._asked_at: float | None = None
        self._asking: asyncio.Task[None] | None = None
        self._document: Any = None
        self._keys: Mapping[str | None, tuple[SigningKey, ...]] = {}
        self.version = 0

    @property
    def is_empty(self) -> bool:
        """No key was ever seen."""
        return not self._keys

    def find(self, key_id: str | None, algorithm: str) -> SigningKey | None:
        """The key of this id that signs so. Without an id the only key there is for the algorithm."""
        if key_id is None:
            fitting = [key for keys in self._keys.values() for key in keys if key.algorithm == algorithm]
            return fitting[0] if len(fitting) == 1 else None
        return next((key for key in self._keys.get(key_id, ()) if key.algorithm == algorithm), None)

    def knows(self, key_id: str | None) -> bool:
        """Whether there is a key of this id; without one, any key."""
        return bool(self._keys) if key_id is None else key_id in self._keys

    async def look_again(self) -> None:
        """Fetch once more, unless that was done a moment ago; whoever comes meanwhile waits for the same answer."""
        if self._asking is None and (self._asked_at is None or self._clock() - self._asked_at >= self._least_seconds):
            self._asked_at = self._clock()
            self._asking = asyncio.create_task(self._ask(), name="keys of the sign-in service")
        if self._asking is not None:
            await asyncio.shield(self._asking)

    async def _ask(self) -> None:
        try:
            document = await self._fetch()
            keys = read_keys(document)
        except Exception as error:  # whatever it was, what is known stays good
            log.warning("oidc.keys_away", reason=f"{type(error).__name__}: {error}"[:300], kept=len(self._keys))
        else:
            if document != self._document:
                self._document, self._keys, self.version = document, keys, self.version + 1
                log.info("oidc.keys_read", count=len(keys))
        finally:
            self._asking = None

    async def keep(self, every_seconds: float) -> None:
        """Fetch for ever: a key that the service takes out of its set is good no longer than this."""
        while True:
            await self.look_again()
            await asyncio.sleep(every_seconds if not self.is_empty else min(every_seconds, self._least_seconds))


@asynccontextmanager
async def kept(keys: KeySet, every_seconds: float) -> AsyncIterator[KeySet]:
    """`keys`, fetched now and every so often inside the block; nothing waits for the first answer."""
    task = asyncio.create_task(keys.keep(every_seconds), name="keys of the sign-in service: refresh")
    try:
        yield keys
    finally:
        await end_tasks(task)


def read_keys(document: Any) -> Mapping[str | None, tuple[SigningKey, ...]]:
    """The keys of a JWK set by their ids; those that sign by no algorithm of ours are left out. Raises ValueError when
    none is left: an answer that is a mistake replaces nothing.
    """
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list) or len(listed) > _MOST_KEYS:
        raise ValueError(f"this is no JWK set of up to {_MOST_KEYS} keys")
    found: dict[str | None, tuple[SigningKey, ...]] = {}
    for jwk in listed:
        key = _key(jwk) if isinstance(jwk, dict) else None
        if key is not None:
            key_id = jwk.get("kid")
            found[key_id] = (*found.get(key_id, ()), key)
    if not found:
        raise ValueError(f"no key in this set signs by {', '.join(ALGORITHMS)}")
    return found


def _key(jwk: dict[str, Any]) -> SigningKey | None:
    """A key's kind decides by what it signs, and not what a token says of itself: an HMAC over a public key is none."""
    if jwk.get("use", "sig") != "sig" or not isinstance(jwk.get("kid"), str | None):
        return None
    kind = (jwk.get("kty"), jwk.get("crv"))
    try:
        if kind[0] == "RSA":
            rsa: Any = RSAAlgorithm.from_jwk(jwk)
            made = SigningKey("RS256", rsa) if _is_public(rsa) and rsa.key_size >= _LEAST_RSA_BITS else None
        elif kind == ("EC", "P-256"):
            curve: Any = ECAlgorithm.from_jwk(jwk)
            made = SigningKey("ES256", curve) if _is_public(curve) else None
        elif kind == ("OKP", "Ed25519"):
            edwards: Any = OKPAlgorithm.from_jwk(jwk)
            made = SigningKey("EdDSA", edwards) if _is_public(edwards) else None
        else:
            return None
    except (jwt.InvalidKeyError, ValueError, TypeError, KeyError):
        return None
    return made if made is not None and jwk.get("alg", made.algorithm) == made.algorithm else None


def _is_public(key: Any) -> bool:
    return not hasattr(key, "private_bytes")


def from_file(path: Path) -> Fetch:
    """Reads a JWK set from a file, for installations without a way out."""

    async def read() -> Any:
        raw = await asyncio.to_thread(path.read_bytes)
        if len(raw) > _MOST_BYTES:
            raise ValueError("the file is larger than a JWK set can be")
        return orjson.loads(raw)

    return read


def from_address(session: aiohttp.ClientSession, url: str) -> Fetch:
    """Fetches a JWK set from where it is said to be."""

    async def fetch() -> Any:
        return await _json_at(session, url)

    return fetch


def by_discovery(session: aiohttp.ClientSession, issuer: str) -> Fetch:
    """Asks the issuer where its keys are, and fetches them. What answers has to be that issuer by its own word."""

    async def fetch() -> Any:
        told = await _json_at(session, issuer.rstrip("/") + _DISCOVERY)
        if not isinstance(told, dict) or told.get("issuer") != issuer:
            raise ValueError("what answers under the issuer's address is another issuer")
        return await _json_at(session, safe_address(str(told.get("jwks_uri"))))

    return fetch


def safe_address(url: str) -> str:
    """`url` itself. Raises ValueError unless it is https, or stays on this machine: whoever is in between could put
    in keys of their own.
    """
    host = url.partition("://")[2].partition("/")[0].rpartition("@")[2]
    is_here = url.startswith("http://") and host.partition(":")[0] in ("127.0.0.1", "localhost")
    if not is_here and not (url.startswith("https://") and host):
        raise ValueError("an address of the sign-in service begins with https:// (http:// on this machine alone)")
    return url


async def _json_at(session: aiohttp.ClientSession, url: str) -> Any:
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    async with session.get(
        url, timeout=timeout, allow_redirects=False, headers={"accept": "application/json"}
    ) as answer:
        if answer.status != 200:
            raise ValueError(f"{url} answered {answer.status}")
        body = b""
        async for chunk in answer.content.iter_chunked(64 * 1024):
            body += chunk
            if len(body) > _MOST_BYTES:
                raise ValueError(f"{url} answers more than a JWK set can be")
    return orjson.loads(body)
