"""Secrets that must be readable again: encrypted in the store, with a key that the store does not hold.

A hash is enough for what is sent along; to check a signature takes the secret itself. The key derives from the one that
inner tokens are signed with (HKDF, https://www.rfc-editor.org/rfc/rfc5869), so that a back-up of the store alone opens
nothing; with another signing key the secrets have to be given anew.
"""

from __future__ import annotations

import base64
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES: Final = 12
_PURPOSE: Final = b"rapport gateway: secrets of webhooks, 1"


class SecretBox:
    """Seals and opens texts, each about one thing: what was sealed for one form opens for no other."""

    def __init__(self, private_key: Ed25519PrivateKey) -> None:
        derived = HKDF(SHA256(), 32, salt=None, info=_PURPOSE).derive(private_key.private_bytes_raw())
        self._cipher = AESGCM(derived)

    def seal(self, secret: str, about: str, nonce: bytes) -> str:
        """`secret` as it is stored; `nonce` is NONCE_BYTES of randomness, never used twice."""
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, secret.encode(), about.encode())).decode()

    def open(self, sealed: str, about: str) -> str | None:
        """The secret; None where it was sealed with another key, or for something else."""
        try:
            raw = base64.b64decode(sealed, validate=True)
            return self._cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], about.encode()).decode()
        except (ValueError, InvalidTag):
            return None
