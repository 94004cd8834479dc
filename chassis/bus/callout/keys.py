"""The account key that grants are signed with. Its public half stands in the server's configuration (`auth_callout { issuer }`)."""

from __future__ import annotations

import secrets

import nkeys

_SEED_BYTES = 32


def new_issuer_seed() -> str:
    """A new account key, as the seed that NATS tools read and write (`SA...`)."""
    seed: bytes = nkeys.encode_seed(secrets.token_bytes(_SEED_BYTES), nkeys.PREFIX_BYTE_ACCOUNT)
    return seed.decode()


class Issuer:
    """Signs. Raises ValueError, without quoting it, when `seed` is not that of an account key."""

    def __init__(self, seed: str) -> None:
        try:
            kind, raw = nkeys.decode_seed(seed.strip().encode())
            if kind != nkeys.PREFIX_BYTE_ACCOUNT or len(raw) != _SEED_BYTES:
                raise ValueError
            self._pair = nkeys.from_seed(seed.strip().encode())
        except (ValueError, nkeys.NkeysError):
            raise ValueError("the seed is not that of a NATS account key (58 characters that begin with SA)") from None
        self.public_key: str = self._pair.public_key.decode()

    def sign(self, text: bytes) -> bytes:
        """The Ed25519 signature over `text`."""
        signature: bytes = self._pair.sign(text)
        return signature
