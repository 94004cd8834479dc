"""What was recorded: captures as the gateway stored them and acts of humans, in the order in which they came.

One JSON object a line, packed.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from chassis.message import OutMessage
from contracts.events.gateway import InteractionReceived

TAPE = Path(__file__).resolve().parents[2] / "data" / "market.jsonl.gz"

Json = dict[str, Any]


@dataclass(frozen=True)
class Captured:
    """A message of the stream CAPTURE: the headers without the trace, the body byte for byte."""

    at: datetime
    headers: dict[str, str]
    body: str

    def message(self, lanes: int) -> OutMessage:
        """As the gateway would store it again; the lane depends on how many there are."""
        event = InteractionReceived.from_wire(self.headers, self.body.encode())
        return OutMessage(event.subjects(lanes)[0], self.headers, self.body.encode())

    def written(self) -> Json:
        return {"at": self.at.isoformat(), "headers": self.headers, "body": self.body}


@dataclass(frozen=True)
class Act:
    """What a human did about somebody: `who` is an identifier (kind, value), `details` what they said."""

    at: datetime
    verb: str
    who: tuple[str, str]
    details: Json

    def written(self) -> Json:
        return {"at": self.at.isoformat(), "verb": self.verb, "who": list(self.who), "details": self.details}


Item = Captured | Act


@dataclass(frozen=True)
class Tape:
    """`stage` is what stood before anybody came (reps, campaigns, their costs); `end` the moment at which everything is
    looked at.
    """

    begin: datetime
    end: datetime
    stage: Json
    items: Sequence[Item]


def read_tape(path: Path = TAPE) -> Tape:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        first = json.loads(next(lines))
        items = [_item(json.loads(line)) for line in lines]
    return Tape(datetime.fromisoformat(first["begin"]), datetime.fromisoformat(first["end"]), first["stage"], items)


def write_tape(tape: Tape, path: Path = TAPE) -> None:
    lines: Iterable[Json] = (
        {"begin": tape.begin.isoformat(), "end": tape.end.isoformat(), "stage": tape.stage},
        *(one.written() for one in tape.items),
    )
    text = "".join(f"{json.dumps(line, ensure_ascii=False, separators=(',', ':'))}\n" for line in lines)
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def _item(line: Json) -> Item:
    at = datetime.fromisoformat(line["at"])
    if "verb" in line:
        kind, value = line["who"]
        return Act(at, line["verb"], (kind, value), line["details"])
    return Captured(at, line["headers"], line["body"])
