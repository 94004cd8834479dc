"""Keys of an embedded installation: made once, kept in `var/secrets.json`, readable by its owner only.

Whatever is read, from there or from an archive, is judged before it is used: its values stand in configurations and in
files that a shell reads.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final

from chassis.bus.callout.claims import new_issuer_seed
from chassis.keys import generate_key_pair
from deployment.catalogue import PROCESSES
from deployment.secret_names import new_password
from embedded.files import read_private, write_private

_LARGEST: Final = 64 << 10
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_PASSWORD: Final = re.compile(r"[A-Za-z0-9._~-]{1,256}")
_KEY: Final = re.compile(r"[A-Za-z0-9._~+/-]{1,512}={0,2}")  # what a bearer token may be (RFC 6750)
_SIGNING: Final = re.compile(r"[A-Za-z0-9+/]{43}=")  # 32 bytes in base64
_SHAPES: Final = {
    "token_private_key": _SIGNING,
    "token_public_key": _SIGNING,
    "write_key": _KEY,
    "api_key": _KEY,
    "callout_seed": re.compile(r"(SA[A-Z2-7]{56})?"),
    "installation": re.compile(r"[a-z0-9]{0,32}"),
}


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

    def written(self) -> str:
        """As it is kept."""
        return json.dumps(asdict(self), indent=2)


class SecretsUnreadable(Exception):
    """The file is there and says nothing that can be used."""


class SecretRefused(ValueError):
    """A secret is none that could be used. The text names it and does not quote it."""


def is_key(text: str) -> bool:
    """Whether `text` may be a write key or an API key: signs that a header carries and no shell reads as more."""
    return _KEY.fullmatch(text) is not None


def load_or_make(path: Path, nats_users: Sequence[str], first_keys: Mapping[str, str] | None = None) -> Secrets:
    """Read the secrets at `path`; make what is missing (a user added by a newer version gets a password).

    `first_keys` may replace `write_key` and `api_key`. Raises SecretsUnreadable: other keys for what is there would
    lock everybody out.
    """
    known, first = kept_secrets(path), first_keys or {}
    found = completed(known, nats_users)
    complete = replace(
        found, write_key=first.get("write_key", found.write_key), api_key=first.get("api_key", found.api_key)
    )
    if complete != known:
        write_private(path, complete.written())
    return complete


def kept_secrets(path: Path) -> Secrets | None:
    """Those at `path`; None where there are none yet. Raises SecretsUnreadable."""
    if not path.exists() and not path.is_symlink():
        return None
    try:
        return read_secrets(read_private(path))
    except (OSError, ValueError) as error:
        reason = str(error) if isinstance(error, SecretRefused) else getattr(error, "strerror", "")
        raise SecretsUnreadable(
            f"{path} cannot be read ({reason or type(error).__name__}); bring it back from a backup, or move the folder"
            " away and begin with an empty one"
        ) from None


def completed(known: Secrets | None, nats_users: Sequence[str]) -> Secrets:
    """`known`, or new ones, with all that this version needs."""
    given = known or _made()
    return replace(
        given,
        nats_passwords={user: secrets.token_urlsafe(24) for user in nats_users} | given.nats_passwords,
        callout_seed=given.callout_seed or new_issuer_seed(),
        installation=given.installation or secrets.token_hex(8),
        database_passwords={process.name: new_password() for process in PROCESSES} | given.database_passwords,
    )


def read_secrets(text: str | bytes) -> Secrets:
    """The secrets in `text`. Raises SecretRefused for what is no JSON object of these fields in these shapes."""
    if len(text) > _LARGEST:
        raise SecretRefused(f"it is larger than {_LARGEST >> 10} KB")
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        raise SecretRefused("it is no JSON") from None
    if not isinstance(said, dict):
        raise SecretRefused("it is no JSON object")
    if unknown := said.keys() - {one.name for one in fields(Secrets)}:
        raise SecretRefused(f"it has {len(unknown)} fields that this version does not know")
    for name, value in said.items():
        _judge(name, value)
    try:
        return Secrets(**said)
    except TypeError:
        raise SecretRefused("a key is missing in it") from None


def _judge(name: str, value: Any) -> None:
    if shape := _SHAPES.get(name):
        if not isinstance(value, str) or not shape.fullmatch(value):
            raise SecretRefused(f"{name} in it is none: it has other signs, or another length")
        return
    if not isinstance(value, dict):
        raise SecretRefused(f"{name} in it is no object of names and passwords")
    for user, password in value.items():
        if not _NAME.fullmatch(user):
            raise SecretRefused(f"{name} in it has a password for what is no name")
        if not isinstance(password, str) or not _PASSWORD.fullmatch(password):
            raise SecretRefused(f"{name} in it has a password for {user} that is none")


def _made() -> Secrets:
    private_key, public_key = generate_key_pair()
    return Secrets(
        private_key, public_key, f"wk_{secrets.token_urlsafe(24)}", f"rk_{secrets.token_urlsafe(32)}", nats_passwords={}
    )
