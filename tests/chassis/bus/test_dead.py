"""Dead letters, looked at and brought back by command."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from chassis.bus.broker import Broker
from chassis.bus.consumer import ConsumerSpec
from chassis.bus.dead import letters, main, parse
from chassis.bus.dead_letters import dead_letter_of, origin_of, read_dead_letter, replay_of
from chassis.bus.errors import Unparseable
from chassis.message import OutMessage, Received
from tests.chassis.bus.builders import Applied, a_capture, bodies, captures, number_of, stream_state
from tests.chassis.bus.readers import Readers
from tests.support.eventually import eventually
from tests.support.nats import NatsServer

AT = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


async def command(server: NatsServer, *words: str) -> tuple[int, list[dict[str, Any]]]:
    """Run the command against `server`: its exit code and the lines it wrote."""
    out = io.StringIO()
    code = await main(["--url", server.url, *words], out)
    return code, [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.fixture
async def two_dead(broker: Broker) -> None:
    """Letter 1 of scoring, letter 2 of routing."""
    await broker.publish_batch(captures(3))
    await broker.publish_batch(
        [
            dead_letter_of(received(number), service, "ValueError: no", AT, 1_000_000)
            for number, service in ((1, "scoring"), (2, "routing"))
        ]
    )


def parts_of(message: OutMessage) -> tuple[str, Mapping[str, str], bytes]:
    """As it is read back."""
    return message.subject, message.headers, message.body


def received(number: int) -> Received:
    message = a_capture(number)
    return Received(message.subject, message.headers, message.body, "CAPTURE", number + 1, 1, AT)


def test_a_dead_letter_holds_the_message_as_it_was_and_why_it_failed() -> None:
    letter = dead_letter_of(received(1), "scoring", "ValueError:\r\n  bad\n" + "x" * 5000, AT, 1_000_000)
    read = read_dead_letter(9, letter.subject, letter.headers, letter.body)

    assert letter.subject == "dead.capture.interaction.received.v1.0"
    assert read.original == a_capture(1)
    assert (read.letter, read.service, str(read.origin), read.died_at) == (
        9,
        "scoring",
        "CAPTURE/2/2026-05-04T03:02:01.000000+00:00",
        AT.isoformat(),
    )
    assert read.reason.startswith("ValueError: bad xxx")
    assert len(read.reason) == 1000


async def test_list_names_the_failures_and_keeps_what_the_messages_say_to_itself(
    nats_server: NatsServer, two_dead: None
) -> None:
    code, lines = await command(nats_server, "list")

    assert code == 0
    assert lines[0] == {
        "letter": 1,
        "service": "scoring",
        "subject": "capture.interaction.received.v1.0",
        "event_id": "evt_1",
        "reason": "ValueError: no",
        "died_at": "2026-05-04T03:02:01+00:00",
        "stream": "CAPTURE",
        "sequence": 2,
    }
    assert [line["service"] for line in lines] == ["scoring", "routing"]


async def test_list_of_one_service(nats_server: NatsServer, two_dead: None) -> None:
    assert [line["letter"] for line in (await command(nats_server, "list", "--service", "routing"))[1]] == [2]


async def test_show_gives_headers_and_body(nats_server: NatsServer, two_dead: None) -> None:
    code, (line,) = await command(nats_server, "show", "2")

    assert code == 0
    assert (line["headers"], line["body"]) == ({"ce-id": "evt_2"}, "2")


async def test_a_letter_that_does_not_exist_is_said_so(
    nats_server: NatsServer, two_dead: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (await command(nats_server, "show", "77")) == (1, [])
    assert "there is no letter 77" in capsys.readouterr().err


def test_a_letter_of_a_replay_says_where_the_message_stood_at_first() -> None:
    first = read_dead_letter(9, *parts_of(dead_letter_of(received(1), "scoring", "no", AT, 1_000_000)))
    again = replay_of(first, first.original)
    assert (again.headers["replay-for"], again.headers["replay-of"]) == ("scoring", str(first.origin))

    later = Received(again.subject, again.headers, again.body, "CAPTURE", 77, 1, AT)
    second = read_dead_letter(10, *parts_of(dead_letter_of(later, "scoring", "still no", AT, 1_000_000)))
    assert (second.origin, second.original) == (first.origin, first.original)


async def test_a_letter_that_is_published_again_is_there_once(broker: Broker) -> None:
    """The reader died between the letter and the note of it."""
    for _ in range(2):
        await broker.publish_batch([dead_letter_of(received(1), "scoring", "no", AT, 1_000_000)])
    await broker.publish_batch([dead_letter_of(received(1), "routing", "no", AT, 1_000_000)])
    assert [letter.service for letter in await letters(broker)] == ["scoring", "routing"]


async def test_replay_publishes_the_message_as_it_was_and_removes_the_letter(
    nats_server: NatsServer, broker: Broker, two_dead: None
) -> None:
    assert await command(nats_server, "replay", "2") == (
        0,
        [{"replayed": 2, "subject": "capture.interaction.received.v1.0"}],
    )

    assert await bodies(broker, "CAPTURE") == [b"0", b"1", b"2", b"2"]
    assert [letter.letter for letter in await letters(broker)] == [1]


async def test_replay_all_of_a_service_leaves_the_others(
    nats_server: NatsServer, broker: Broker, two_dead: None
) -> None:
    await command(nats_server, "replay", "--all", "--service", "scoring")

    assert [letter.service for letter in await letters(broker)] == ["routing"]


async def test_a_replayed_message_is_applied_by_who_gave_it_up_and_skipped_by_the_others(
    nats_server: NatsServer, broker: Broker, readers: Readers
) -> None:
    is_mended = False

    async def parse_body(batch: Sequence[Received]) -> None:
        if not is_mended and (bad := [message.sequence for message in batch if number_of(message) == 1]):
            raise Unparseable(dict.fromkeys(bad, "no"))

    gave_up, other = Applied(parse_body), Applied()
    await readers.start(gave_up)
    await readers.start(other, ConsumerSpec("metrics", "CAPTURE", ("capture.>",)))
    await broker.publish_batch(captures(3))
    await eventually(lambda: gave_up.numbers == [0, 2] and other.numbers == [0, 1, 2])

    is_mended = True
    await command(nats_server, "replay", "--all")
    await eventually(lambda: gave_up.numbers == [0, 2, 1])
    await eventually(lambda: sum(other.batches) == 4)
    assert other.numbers == [0, 1, 2]


async def test_a_body_too_large_to_be_kept_with_its_reason_is_fetched_from_its_stream(
    nats_server: NatsServer, broker: Broker
) -> None:
    size = broker.max_payload - 1000
    await broker.publish_batch([a_capture(5, size=size)])
    original = Received("capture.interaction.received.v1.0", {"ce-id": "evt_5"}, b"5".ljust(size), "CAPTURE", 1, 1, AT)
    letter = dead_letter_of(original, "scoring", "no", AT, broker.max_payload)
    assert letter.body == b""
    await broker.publish_batch([letter])

    assert (await command(nats_server, "replay", "--all"))[0] == 0
    assert [len(body) for body in await bodies(broker, "CAPTURE")] == [size, size]
    assert (await stream_state(broker, "DEAD"))["messages"] == 0


async def test_a_server_out_of_reach_is_said_so_without_its_password(capsys: pytest.CaptureFixture[str]) -> None:
    assert await main(["--url", "nats://admin:hunter2@127.0.0.1:1", "--wait", "0.2", "list"], io.StringIO()) == 1

    said = capsys.readouterr()
    assert "out of reach" in said.err
    assert "hunter2" not in said.out + said.err


@pytest.mark.parametrize("words", [[], ["replay"], ["replay", "1", "--all"], ["show"], ["show", "x"]])
def test_a_command_that_says_too_little_or_too_much_is_refused(words: list[str]) -> None:
    with pytest.raises(SystemExit):
        parse(words)


def test_the_server_comes_from_the_environment_unless_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NATS_URL", "nats://elsewhere:1")

    assert parse(["list"]).url == "nats://elsewhere:1"
    assert parse(["--url", "nats://here:1", "list"]).url == "nats://here:1"


async def wild_letter(broker: Broker, **changed: str) -> None:
    """One as no service writes it."""
    letter = dead_letter_of(received(2), "scoring", "ValueError: no", AT, 1_000_000)
    headers = {
        **letter.headers,
        "Nats-Msg-Id": "wild",
        **{name.replace("_", "-"): text for name, text in changed.items()},
    }
    await broker.publish_batch([OutMessage(letter.subject, headers, letter.body)])


WILD: Sequence[dict[str, str]] = [
    {"dead_sequence": "abc"},
    {"dead_sequence": "-4"},
    {"dead_sequence": "9" * 5000},
    {"dead_sequence": "\u0663"},
    {"dead_sequence": ""},
    {"dead_stream": "CAPTURE 5", "dead_body_omitted": "too large"},
    {"dead_service": "scoring\u202e"},
    {"dead_stored_at": "CAPTURE/1/2026\x1b[2J"},
]


@pytest.mark.parametrize("changed", WILD, ids=lambda changed: next(iter(changed)))
async def test_one_letter_that_cannot_be_read_hides_no_other(
    nats_server: NatsServer, broker: Broker, two_dead: None, changed: dict[str, str]
) -> None:
    await wild_letter(broker, **changed)
    code, lines = await command(nats_server, "list")
    assert (code, [line["letter"] for line in lines]) == (0, [1, 2, 3])
    assert ["unreadable" in line for line in lines] == [False, False, True]
    assert lines[2]["reason"] == "ValueError: no"
    code, (shown,) = await command(nats_server, "show", "3")
    assert (code, shown["body"]) == (0, a_capture(2).body.decode())
    code, lines = await command(nats_server, "replay", "--all")
    assert (code, [line["replayed"] for line in lines]) == (1, [1, 2])
    assert [letter.letter for letter in await letters(broker)] == [3]


async def test_what_a_letter_says_reaches_the_terminal_as_plain_signs(nats_server: NatsServer, broker: Broker) -> None:
    await broker.publish_batch(captures(3))
    await wild_letter(broker, dead_reason="\x1b]0;owned\x07 \u009b2J \u202e all is well")
    out = io.StringIO()
    for words in (["list"], ["show", "1"]):
        assert await main(["--url", nats_server.url, *words], out) == 0
    assert all(" " <= sign <= "~" or sign == "\n" for sign in out.getvalue())
    assert "\\u202e" in out.getvalue()


@pytest.mark.parametrize("says", ["CAPTURE/abc/2026", "", "CAPTURE", "/", "a/-1/", "a/\u0661/"])
def test_a_replay_of_nothing_stands_where_it_stands(says: str) -> None:
    """Else a service could not even give it up."""
    message = received(4)
    wild = message._replace(headers={**message.headers, "replay-of": says})
    assert origin_of(wild) == origin_of(message)
    assert dead_letter_of(wild, "scoring", "no", AT, 1_000_000).headers["dead-sequence"] == "5"
