"""Secrets at rest: whoever signs must have the secret itself, so it is kept encrypted, and not as a hash as keys are.

AES-256-GCM under a key of the gateway's settings, bound to the webhook it belongs to: a copy of the store alone (a
back-up's, a replica's) signs nothing.
"""

from __future__ import annotations

import base64
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES = 12


class SecretUnreadable(Exception):
    """It was sealed under another key: GATEWAY_WEBHOOK_KEY (or the token key in its place) is not what it was."""


class Seal:
    """Seals and opens secrets under a key derived from `material`."""

    def __init__(self, material: str) -> None:
        derived = HKDF(hashes.SHA256(), 32, salt=None, info=b"rapport webhook secrets").derive(material.encode())
        self._cipher = AESGCM(derived)

    def seal(self, secret: str, webhook_id: str) -> str:
        """As the store keeps it."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, secret.encode(), webhook_id.encode())
        return base64.b64encode(sealed).decode()

    def open(self, sealed: str, webhook_id: str) -> str:
        """What `seal` was given. Raises SecretUnreadable."""
        raw = base64.b64decode(sealed)
        try:
            return self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], webhook_id.encode()).decode()
        except InvalidTag:
            raise SecretUnreadable("the key of webhook secrets is not the one they were sealed under") from None
