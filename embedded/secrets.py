"""Keys of an embedded installation: made once, kept in `var/secrets.json`, readable by its owner only."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from chassis.bus.callout.claims import new_issuer_seed
from chassis.keys import generate_key_pair
from deployment.catalogue import PROCESSES
from deployment.secret_names import new_password
from embedded.files import write_private


@dataclass(frozen=True)
class Secrets:
    """What must survive a restart: the gateway's signing keys, the first write and API key, one NATS password per user,
    the seed of the account key that lets reps into NATS, and what PostgreSQL knows this installation by.
    """

    token_private_key: str
    token_public_key: str
    write_key: str
    api_key: str
    nats_passwords: dict[str, str]
    callout_seed: str = ""  # empty in a file that an older version wrote, as those that follow
    installation: str = ""
    database_passwords: dict[str, str] = field(default_factory=dict)  # by process


class SecretsUnreadable(Exception):
    """The file is there and says nothing that can be used."""


def load_or_make(path: Path, nats_users: Sequence[str], first_keys: Mapping[str, str] | None = None) -> Secrets:
    """Read the secrets at `path`; make what is missing (a user added by a newer version gets a password).

    `first_keys` may replace `write_key` and `api_key`. Raises SecretsUnreadable: other keys for what is there would
    lock everybody out.
    """
    known = _read(path) if path.exists() else _make()
    complete = replace(
        known,
        nats_passwords={user: secrets.token_urlsafe(24) for user in nats_users} | known.nats_passwords,
        callout_seed=known.callout_seed or new_issuer_seed(),
        installation=known.installation or secrets.token_hex(8),
        database_passwords={process.name: new_password() for process in PROCESSES} | known.database_passwords,
        **(first_keys or {}),
    )
    if not path.exists() or complete != known:
        write_private(path, json.dumps(asdict(complete), indent=2))
    return complete


def _read(path: Path) -> Secrets:
    try:
        return Secrets(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise SecretsUnreadable(
            f"{path} cannot be read ({type(error).__name__}); bring it back from a backup, or move the folder away and"
            " begin with an empty one"
        ) from None


def _make() -> Secrets:
    private_key, public_key = generate_key_pair()
    return Secrets(
        private_key, public_key, f"wk_{secrets.token_urlsafe(24)}", f"rk_{secrets.token_urlsafe(32)}", nats_passwords={}
    )
