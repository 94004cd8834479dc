"""Every secret of an installation, by the name under which an env file, the compose file and Kubernetes know it.

Values begin with a letter and need no quoting in an env file, in a URL or in the nats-server's configuration.
"""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Mapping
from typing import Final

from chassis.bus.callout.claims import Issuer, new_issuer_seed
from chassis.keys import generate_key_pair
from deployment.catalogue import PROCESSES

POSTGRES: Final = "POSTGRES_PASSWORD"
CLUSTER: Final = "NATS_CLUSTER_PASSWORD"
PEOPLE: Final = (
    "OBSERVER_NATS_PASSWORD",
    "OPERATOR_NATS_PASSWORD",
    "BACKUP_NATS_PASSWORD",
    "REVOKER_NATS_PASSWORD",
)
KINDS: Final = ("DATABASE", "OWNER", "NATS")
"""Each process has one for its role in PostgreSQL, one for the role that owns its tables, one for its NATS user."""
SEED, ISSUER = "CALLOUT_SEED", "CALLOUT_ISSUER"
PRIVATE, PUBLIC = "TOKEN_PRIVATE_KEY", "TOKEN_PUBLIC_KEY"
API_KEY, WRITE_KEY = "BOOTSTRAP_API_KEY", "BOOTSTRAP_WRITE_KEY"

PASSWORDS: Final = (
    POSTGRES,
    *(f"{process.prefix}{kind}_PASSWORD" for process in PROCESSES for kind in KINDS),
    *PEOPLE,
    CLUSTER,
)
SECRET_NAMES: Final = (*PASSWORDS, SEED, ISSUER, PRIVATE, PUBLIC, API_KEY, WRITE_KEY)

_PASSWORD_LETTERS = 32  # of 62: 190 bits
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9]*=?")


def new_secrets() -> dict[str, str]:
    """A value for each of SECRET_NAMES, in that order. What belongs together fits: seed and issuer, the two keys."""
    seed = new_issuer_seed()
    private, public = _plain_key_pair()
    return {
        **{name: new_password() for name in PASSWORDS},
        SEED: seed,
        ISSUER: Issuer(seed).public_key,
        PRIVATE: private,
        PUBLIC: public,
        API_KEY: f"rk_{secrets.token_urlsafe(32)}",
        WRITE_KEY: f"wk_{secrets.token_urlsafe(24)}",
    }


def new_password() -> str:
    """Letters and digits, a letter first."""
    rest = (secrets.choice(string.ascii_letters + string.digits) for _ in range(_PASSWORD_LETTERS - 1))
    return secrets.choice(string.ascii_letters) + "".join(rest)


def env_file(values: Mapping[str, str]) -> str:
    """`values` as a file that a shell, compose and kubectl read."""
    return "".join(f"{name}={value}\n" for name, value in values.items())


def _plain_key_pair() -> tuple[str, str]:
    # base64 has signs that mean something elsewhere: about every 25th pair is without any of them
    while True:
        private, public = generate_key_pair()
        if _PLAIN.fullmatch(private) and _PLAIN.fullmatch(public):
            return private, public
