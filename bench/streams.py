"""What two commits say of one recorded market, message by message: subject, headers and body.

    python -m bench.streams [--against COMMIT] [--stretch DAYS]

Each checkout plays the same tape with its own services on a clock of the market's, and hands over its
streams. Without `--against` this checkout is compared with itself: what differs then is not its doing, but
that of two consumers of which either may be first.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Message = tuple[str, tuple[tuple[str, str], ...], bytes]
"""Subject, headers in order of their names, body."""
_TRANSPORT = "Nats-"
_WHO_SAYS_SO = "traceparent"  # a trace is drawn by chance
_PLAY_SECONDS = 600.0
_MOST_SHOWN = 5


@dataclass(frozen=True)
class StreamComparison:
    """One stream. `same`: equal to the byte; `elsewhere` of these: not at the same place; `ours`, `theirs`: said by one
    alone.
    """

    same: int
    elsewhere: int
    ours: Counter[Message]
    theirs: Counter[Message]

    @property
    def line(self) -> str:
        alone = f"{self.ours.total()} ours alone, {self.theirs.total()} theirs"
        return f"{self.same:6} the same to the byte, {self.elsewhere} of them at another place; {alone}"


def compare(ours: Sequence[Message], theirs: Sequence[Message]) -> StreamComparison:
    """What both say, in whatever order, and what only one of them does."""
    mine, others = Counter(ours), Counter(theirs)
    common = mine & others
    left, right = ([one for one in said if one in common] for said in (ours, theirs))
    return StreamComparison(
        common.total(), sum(one != other for one, other in zip(left, right, strict=False)), mine - others, others - mine
    )


async def _played(folder: Path) -> dict[str, list[Message]]:
    """The streams after the market, of the checkout that this process imports from."""
    from tests.support.market.player import play
    from tests.support.market.suite import SERVICES, STREAMS, open_suite
    from tests.support.market.tape import read_tape
    from tests.support.nats import NatsServer

    tape = read_tape()
    stores = {name: f"sqlite:///{folder / name}.db" for name in SERVICES}
    with NatsServer(directory=folder) as server:
        async with open_suite(server.url, stores, tape.begin) as suite:
            await play(suite, tape)
        return {name: await _messages(server.url, name) for name in STREAMS}


async def _messages(url: str, stream: str) -> list[Message]:
    import nats

    client = await nats.connect(url)
    try:
        jetstream, found = client.jetstream(), []
        state = (await jetstream.stream_info(stream)).state
        if state.messages:
            waiting = await jetstream.subscribe(f"{stream.lower()}.>", stream=stream, ordered_consumer=True)
            for _ in range(state.messages):
                message = await waiting.next_msg(timeout=10)
                headers = {
                    name: value for name, value in (message.headers or {}).items() if not name.startswith(_TRANSPORT)
                }
                headers.pop(_WHO_SAYS_SO, None)
                found.append((message.subject, tuple(sorted(headers.items())), message.data))
        return found
    finally:
        await client.close()


def _write(streams: Mapping[str, Sequence[Message]], path: Path) -> None:
    path.write_text(
        json.dumps(
            {
                name: [(subject, headers, body.decode()) for subject, headers, body in said]
                for name, said in streams.items()
            }
        )
    )


def _read(path: Path) -> dict[str, list[Message]]:
    told: dict[str, list[Any]] = json.loads(path.read_text())
    return {
        name: [(subject, tuple((k, v) for k, v in headers), body.encode()) for subject, headers, body in said]
        for name, said in told.items()
    }


def played_by(root: Path, folder: Path) -> dict[str, list[Message]]:
    """The streams that the checkout at that path leaves."""
    output = folder / "streams.json"
    words = [sys.executable, __file__, "--play", str(output)]
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONSAFEPATH": "1"}
    subprocess.run(
        words,
        cwd=root,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=_PLAY_SECONDS,
    )
    return _read(output)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.streams")
    parser.add_argument(
        "--against", metavar="COMMIT", help="another commit of this repository; without it this checkout itself"
    )
    parser.add_argument("--play", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.play:
        with tempfile.TemporaryDirectory(prefix="rapport-streams-") as folder:
            _write(asyncio.run(_played(Path(folder))), arguments.play)
        return
    from bench.pairs.checkout import checkout

    here = Path(__file__).resolve().parents[1]
    opened = checkout(here, arguments.against) if arguments.against else nullcontext(here)
    with opened as there, tempfile.TemporaryDirectory(prefix="rapport-streams-") as folder:
        ours, theirs = (played_by(root, Path(folder)) for root in (here, there))
    for stream, said in ours.items():
        found = compare(said, theirs[stream])
        print(f"{stream:10} {found.line}")
        for whose, alone in (("ours", found.ours), ("theirs", found.theirs)):
            for subject, headers, body in list(alone)[:_MOST_SHOWN]:
                print(f"   {whose}: {subject} {dict(headers)} {body.decode()[:600]}")


if __name__ == "__main__":
    main()
