"""Writes docs/access.md from the table itself: `python -m gateway.access.page [--check]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from gateway.access.policy import MANAGER, ROLES, SALES, About, Door, Operation
from gateway.access.table import GROUPS

FILE = Path(__file__).resolve().parents[2] / "docs" / "access.md"
_HEAD = """# Who may do what

<!-- Written by `python -m gateway.access.page` from gateway/access/table.py; change that, not this. -->

The gateway decides, by this table, before a service hears of a request; a service looks at the role again, and takes
only what the gateway has signed. An operation that stands in no line is refused. ADR 48 says why it is done here.

## Whose leads

`marketing`, `agent`, `ops` and `admin` see everybody: they serve everybody. `sales` sees and moves **own and team's**
leads. So does a `manager` whose key names teams; a manager of no team in particular leads all of them. Who has several
roles sees, in each line, as far as the widest of those that may do it.

| a lead is | when |
|---|---|
| a rep's own | a referral is offered to the rep, or was accepted by the rep and not given back |
| | that one is over, and no other rep was asked since |
| | the person was referred with an account that the rep owns |
| a team's | it is the own lead of a rep of the team: by `GET /v1/reps`, or one that the key names |
| everybody's | nobody has it and it waits (`unassigned`): any rep may take it |
| no rep's | nobody was ever asked about the person: marketing has them |

* What somebody may not see is answered as what is not there: the same 404, word for word. Lists do not hold it, and
  their cursors do not know of it. A referral stays readable for whoever was asked about it, so that who answers late is
  told that it went on.
* Merging needs both: a lead that is not yours cannot be drawn into one that is. So does merging accounts (403 there:
  which accounts and reps there are everybody sees).
* Nothing is remembered of rights: a reassigned lead is the other's in the next request. After a merge or a split they
  follow as soon as routing has heard of it, some milliseconds later.
* One request costs one question to routing, which answers from its own store by index; a deal by its id costs one more,
  to learn whose it is. While routing is away, whoever does not see everybody is answered 503.
* A rep's list is made from their leads and not from the base: 1,000 leads are looked through at once, in the order in
  which they first appeared, at most 5,000 for one page. With up to 1,000 leads the order is that of the list itself;
  with more it is so within each thousand. A page may be short, or empty, and still name a `next_cursor`. Looked for by
  e-mail, phone, user id or anonymous id, there is one page.
* `GET /v1/alerts/stream` and `POST /v1/reps/{rep_id}/credentials` are a rep's own; a manager's for the reps of their
  teams.

## The table

**all**: whoever it is about. **own**: own and team's leads. Blank: refused (403), whoever it is about.
"""


def page() -> str:
    """The whole page."""
    return _HEAD + "".join(f"\n### {title}\n\n{_table(operations)}" for title, operations in GROUPS)


def _table(operations: Iterable[Operation]) -> str:
    head = ("operation", "about", "by", *ROLES)
    lines = [_line(head), "|" + "---|" * len(head), *(_line(_cells(operation)) for operation in operations)]
    return "\n".join(lines) + "\n"


def _cells(operation: Operation) -> list[str]:
    about = "" if operation.about is About.NOBODY else str(operation.about)
    is_open = operation.door in (Door.OPEN, Door.WRITE_KEY)
    cells = ["" if is_open else _cell(operation, role) for role in ROLES]
    return [f"`{operation.method} {operation.path}`", about, str(operation.door), *cells]


def _cell(operation: Operation, role: str) -> str:
    if role not in operation.roles:
        return ""
    if operation.about is About.NOBODY or role not in (SALES, MANAGER):
        return "all"
    return "own" if role == SALES else "own, or all"


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def main(words: Sequence[str]) -> int:
    """Write the page, or with --check say whether it is what the table says."""
    parser = argparse.ArgumentParser(prog="python -m gateway.access.page", description="Writes docs/access.md.")
    parser.add_argument("--check", action="store_true", help="change nothing; 1 when the page is not the table's")
    if not parser.parse_args(words).check:
        FILE.write_text(page())
        return 0
    if FILE.exists() and FILE.read_text() == page():
        return 0
    sys.stderr.write("docs/access.md is not what gateway/access/table.py says: run `make contracts`\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
