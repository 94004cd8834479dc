"""Where to look next: commands that can be copied, with the real URL and ids."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.show.tables import heading


@dataclass(frozen=True)
class Trail:
    """What the demo left behind for somebody who looks around."""

    url: str
    var: Path
    person_id: str
    rep: str
    env_file: Path


def hints_page(trail: Trail) -> str:
    """URLs, curl lines, and how a rep listens."""
    return "\n".join([*_places(trail), *_questions(trail), *_afterwards(trail)])


def _places(trail: Trail) -> list[str]:
    return [
        heading("Where to look next"),
        f"  API documentation     {trail.url}/docs",
        "  what each part does   docs/flows.md, and a page per service beside it",
        f"  logs                  {_shown(trail.var / 'log')}",
        "",
        "  set -a",
        f"  . {_shown(trail.var / 'rapport.env')}",
        f"  . {_shown(trail.env_file)}",
        "  set +a",
        '  ask() { curl -sS -H "Authorization: Bearer $RAPPORT_API_KEY" "$RAPPORT_URL$1"; echo; }',
        "",
    ]


def _questions(trail: Trail) -> list[str]:
    return [
        "  # the lead of the first alert: all that is known, and why",
        f'  ask "/v1/people/{trail.person_id}"',
        f'  ask "/v1/people/{trail.person_id}/receipts?limit=20"',
        "  # everybody in a stage, and the reports",
        '  ask "/v1/people?stage=mql"',
        '  ask "/v1/reports/time-in-stage"',
        '  ask "/v1/reports/referrals"',
        "  # the rules that decided, and the treatments to choose from",
        '  ask "/v1/lifecycle/process"',
        '  ask "/v1/treatments"',
        f"  # what {trail.rep} hears, from the beginning and then live",
        '  curl -N -H "Authorization: Bearer $DEMO_REP_KEY" "$RAPPORT_URL/v1/alerts/stream?since=all"',
        f"  # ... and by NATS, with credentials that open {trail.rep}'s alerts alone (DEMO_REP_NATS_*)",
        "  .venv/bin/python -m demo.listen",
        "",
    ]


def _afterwards(trail: Trail) -> list[str]:
    return [
        f"  another market into the same suite: {_again(trail.var)}",
        f"  stop the suite: make down{_var(trail.var)}",
    ]


def env_text(rep_key: str, nats: Mapping[str, Any]) -> str:
    """What a shell sources to be that rep."""
    values = {
        "DEMO_REP_KEY": rep_key,
        "DEMO_REP_NATS_URL": nats["nats_url"],
        "DEMO_REP_NATS_USER": nats["user"],
        "DEMO_REP_NATS_LIVE_USER": nats["live_user"],
        "DEMO_REP_NATS_PASSWORD": nats["password"],
        "DEMO_REP_NATS_INBOX_PREFIX": nats["inbox_prefix"],
        "DEMO_REP_NATS_SUBJECT": nats["subject"],
    }
    return "".join(f"{name}={shlex.quote(str(value))}\n" for name, value in values.items())


def _shown(path: Path) -> str:
    return shlex.quote(str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path))


def _again(var: Path) -> str:
    return f"make demo{_var(var)}"


def _var(var: Path) -> str:
    return "" if var == Path("var").resolve() else f" VAR={shlex.quote(str(var))}"
