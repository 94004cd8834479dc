"""Keys of an embedded installation: made once, kept in `var/secrets.json`, readable by its owner only."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from chassis.bus.callout.claims import new_issuer_seed
from chassis.keys import generate_key_pair


@dataclass(frozen=True)
class Secrets:
    """What must survive a restart: the gateway's signing keys, the first write and API key, one NATS password per user,
    and the seed of the account key that lets reps into NATS.
    """

    token_private_key: str
    token_public_key: str
    write_key: str
    api_key: str
    nats_passwords: dict[str, str]
    callout_seed: str = ""  # empty in a file that an older version wrote


def load_or_make(path: Path, nats_users: list[str]) -> Secrets:
    """Read the secrets at `path`; make what is missing (a user added by a newer version gets a password)."""
    known = Secrets(**json.loads(path.read_text())) if path.exists() else _make()
    passwords = {user: secrets.token_urlsafe(24) for user in nats_users} | known.nats_passwords
    complete = replace(known, nats_passwords=passwords, callout_seed=known.callout_seed or new_issuer_seed())
    _write_private(path, json.dumps(asdict(complete), indent=2))
    return complete


def _make() -> Secrets:
    private_key, public_key = generate_key_pair()
    return Secrets(
        private_key, public_key, f"wk_{secrets.token_urlsafe(24)}", f"rk_{secrets.token_urlsafe(32)}", nats_passwords={}
    )


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
