"""Keys: random words of 160 bits, kept only as their SHA-256.

A slow password hash protects words that people choose; a random word of this length cannot be guessed,
and captures check one on every request.
"""

from __future__ import annotations

import base64
import hashlib

HINT_LENGTH = 4
MIN_GIVEN_KEY = 8

WRITE_KEY_PREFIX = "wk_"
API_KEY_PREFIX = "rk_"
TICKET_PREFIX = "tkt_"
ENTROPY_BYTES = 20


def key_from(prefix: str, entropy: bytes) -> str:
    """A key made of `entropy`, e.g. `wk_mfrggzdf...`."""
    return prefix + base64.b32encode(entropy).decode().rstrip("=").lower()


def hash_of(key: str) -> str:
    """What is stored of a key."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def hint_of(key: str) -> str:
    """What may be shown of a key: its end."""
    return f"...{key[-HINT_LENGTH:]}" if len(key) >= 2 * HINT_LENGTH else "..."


def write_key_in(authorization: str, body_key: object, query_key: str | None) -> str | None:
    """The write key of a capture: Basic (the user name) or Bearer, else the body's, else the query's."""
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() == "bearer" and credentials.strip():
        return credentials.strip()
    if scheme.lower() == "basic":
        user = _basic_user(credentials.strip())
        if user:
            return user
    if isinstance(body_key, str) and body_key:
        return body_key
    return query_key or None


def key_header(authorization: str, write_key: str) -> str:
    """The Authorization that stands for a request's: its own, or Jitsu's `X-Write-Key` (`id:secret`)."""
    return authorization or (f"Bearer {write_key}" if write_key else "")


def _basic_user(credentials: str) -> str | None:
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[0]
    except ValueError:
        return None
