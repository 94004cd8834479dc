"""Values of nats-server's configuration, among them such as it takes from its environment."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class ByName:
    """A value that the server takes from its environment, so that a file may be committed and hold no secret.

    What stands there must begin with a letter: the server reads it as a value of its configuration.
    """

    variable: str


Given = str | ByName


class PasswordsByName(dict[str, Given]):
    """Whoever may connect has a password in the environment: `scoring` in SCORING_NATS_PASSWORD."""

    def __missing__(self, user: str) -> Given:
        return ByName(f"{user.upper()}_NATS_PASSWORD")


def written(value: object) -> str:
    """As the server reads it: JSON, but for what it takes from its environment."""
    text = json.dumps(value, indent=1, default=lambda given: {"$": given.variable})
    return re.sub(r'\{\s*"\$": "(\w+)"\s*\}', r"$\1", text)
