"""The keys that tokens are signed and verified with: made, and read from text.

Apart from `chassis.web.auth`: who starts a suite needs no more.
"""

from __future__ import annotations

import base64
import binascii

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)


def generate_key_pair() -> tuple[str, str]:
    """A new (private key, public key), each 32 raw bytes in base64."""
    private_key = Ed25519PrivateKey.generate()
    private_bytes = private_key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    public_bytes = private_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return base64.b64encode(private_bytes).decode(), base64.b64encode(public_bytes).decode()


def read_private_key(text: str) -> Ed25519PrivateKey:
    """The private key in `text` (base64 of 32 bytes, or PEM). Raises ValueError without quoting it."""
    if text.lstrip().startswith("-----"):
        key = load_pem_private_key(text.encode(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("the private key is not an Ed25519 key")
        return key
    return Ed25519PrivateKey.from_private_bytes(_raw_key(text))


def read_public_keys(text: str) -> tuple[Ed25519PublicKey, ...]:
    """The public keys in `text`: base64 of 32 bytes or PEM, separated by commas. Raises ValueError."""
    keys = tuple(_public_key(part) for part in text.split(",") if part.strip())
    if not keys:
        raise ValueError("there is no public key")
    return keys


def _public_key(text: str) -> Ed25519PublicKey:
    if text.strip().startswith("-----"):
        key = load_pem_public_key(text.strip().encode())
        if not isinstance(key, Ed25519PublicKey):
            raise ValueError("the public key is not an Ed25519 key")
        return key
    return Ed25519PublicKey.from_public_bytes(_raw_key(text))


def _raw_key(text: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        raise ValueError("the key is neither PEM nor base64") from None
    if len(key) != 32:
        raise ValueError("an Ed25519 key has 32 bytes")
    return key
