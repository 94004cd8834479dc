"""Questions and answers over one inbox.

Unlike the client's own `request`, a question fails at once when the connection is lost.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import orjson
from nats.errors import Error as NatsError

from chassis.bus.errors import ApiRefused, BrokerUnavailable, is_of_the_message
from chassis.bus.protocol import Raw
from chassis.bus.wire import QuickClient, frame
from chassis.message import OutMessage

Told = Callable[[Exception | None], None]
_Heard = Callable[[Raw | BrokerUnavailable], None]
_SERVER_FAULT = 500  # JetStream's own errors are numbered like HTTP's: from here on the request was not to blame


class Replies:
    """One wildcard inbox; each question has a token of its own."""

    def __init__(self, client: QuickClient) -> None:
        self._client = client
        self._prefix = ""
        self._tokens = itertools.count()
        self._waiting: dict[str, _Heard] = {}

    async def start(self) -> None:
        """Listen on the inbox; once, after the connection is made."""
        self._prefix = self._client.new_inbox() + "."
        await self._client.hear(self._prefix + "*", self._arrived)

    async def ask(
        self, subject: str, body: bytes, headers: Mapping[str, str] | None = None, *, within: float
    ) -> dict[str, Any]:
        """Publish and wait for the JSON answer.

        Raises BrokerUnavailable, or ApiRefused when the answer is an error of the request.
        """
        return (await self.ask_all([OutMessage(subject, headers or {}, body)], within=within))[0]

    async def ask_all(self, questions: Sequence[OutMessage], *, within: float) -> list[dict[str, Any]]:
        """The JSON answers to `questions`, as `answers`; raises what `ask` does, for the first that failed."""
        return [_read(answer) for answer in await self.answers(questions, within=within)]

    async def commit(self, ahead: Sequence[bytes], last: OutMessage, *, within: float) -> dict[str, Any]:
        """As `ask` with `last`, behind the frames `ahead` that nobody answers."""
        return _read((await self.answers([last], within=within, ahead=ahead))[0])

    def put(self, questions: Sequence[OutMessage], told: Told, *, within: float, ahead: Sequence[bytes] = ()) -> None:
        """As `ask_all` behind the frames `ahead`, without a task: `told` is called with what that would raise, or with
        None. Not before this returns.

        They are on their way then. Raises BrokerUnavailable when nothing was sent; how much is
        under way at once is for the caller to bound.
        """
        if not self._client.is_connected:
            raise BrokerUnavailable("not connected to NATS")
        tokens = [str(next(self._tokens)) for _ in questions]
        try:
            self._client.write([*ahead, *self._frames(questions, tokens)])
        except NatsError as error:
            raise BrokerUnavailable(f"NATS: {error!r}") from error
        _Outstanding(self._waiting, tokens, told).give_up_after(
            within, f"no answer on {questions[0].subject} within {within:.1f} s"
        )

    async def answers(
        self, questions: Sequence[OutMessage], *, within: float, ahead: Sequence[bytes] = ()
    ) -> list[Raw]:
        """Publish `questions` one behind the other and wait for all answers, whatever they say.

        Raises BrokerUnavailable.

        They reach the socket together (nothing here lets another task run in between), so a lost connection cuts them
        off at one point: what arrived is the first so many, never a later one without an earlier one.
        """
        if not self._client.is_connected:
            raise BrokerUnavailable("not connected to NATS")
        loop = asyncio.get_running_loop()
        waiting: dict[str, asyncio.Future[Raw]] = {str(next(self._tokens)): loop.create_future() for _ in questions}
        self._waiting |= {token: partial(_settle, future) for token, future in waiting.items()}
        try:
            await self._client.send([*ahead, *self._frames(questions, waiting)])
            # not asyncio.timeout around both: the client swallows a cancellation
            # while it flushes, and with it the time-out
            await asyncio.wait(waiting.values(), timeout=within)
        except NatsError as error:
            raise BrokerUnavailable(f"NATS: {error!r}") from error
        finally:
            for token, future in waiting.items():
                self._waiting.pop(token, None)
                if future.done():
                    future.exception()  # seen, even if the publishing itself raised
        if not all(future.done() for future in waiting.values()):
            raise BrokerUnavailable(f"no answer on {questions[0].subject} within {within:.1f} s")
        return [future.result() for future in waiting.values()]

    def fail_all(self) -> None:
        """The connection is lost: whoever waits learns it now."""
        waiting = tuple(self._waiting.values())
        self._waiting.clear()
        for heard in waiting:
            heard(BrokerUnavailable("the connection to NATS was lost"))

    def _frames(self, questions: Sequence[OutMessage], tokens: Iterable[str]) -> list[bytes]:
        return [frame(question, self._prefix + token) for token, question in zip(tokens, questions, strict=True)]

    def _arrived(self, message: Raw) -> None:
        heard = self._waiting.pop(message.subject[len(self._prefix) :], None)
        if heard is not None:
            heard(message)


class _Outstanding:
    """Questions that were put together, until each of them is answered or all are given up."""

    def __init__(self, waiting: dict[str, _Heard], tokens: Sequence[str], told: Told) -> None:
        self._waiting, self._tokens, self._told = waiting, tokens, told
        self._missing = len(tokens)
        self._failure: Exception | None = None
        self._timer: asyncio.TimerHandle | None = None
        waiting.update(dict.fromkeys(tokens, self._hear))

    def give_up_after(self, seconds: float, reason: str) -> None:
        """Unless the last answer came first."""
        self._timer = asyncio.get_running_loop().call_later(seconds, self._end, BrokerUnavailable(reason))

    def _hear(self, answer: Raw | BrokerUnavailable) -> None:
        self._missing -= 1
        self._failure = self._failure or _failure_in(answer)
        if not self._missing:
            self._end(self._failure)

    def _end(self, failure: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for token in self._tokens:
            self._waiting.pop(token, None)
        self._told(failure)


def _settle(future: asyncio.Future[Raw], answer: Raw | BrokerUnavailable) -> None:
    if future.done():
        return
    if isinstance(answer, BrokerUnavailable):
        future.set_exception(answer)
    else:
        future.set_result(answer)


def _failure_in(answer: Raw | BrokerUnavailable) -> Exception | None:
    if isinstance(answer, BrokerUnavailable):
        return answer
    try:
        _read(answer)
    except Exception as error:  # also what is no JSON: whoever put the question is told
        return error
    return None


def _read(message: Raw) -> dict[str, Any]:
    if not message.body:
        raise BrokerUnavailable("no one answers: the stream is missing or JetStream is not ready")
    answer: dict[str, Any] = orjson.loads(message.body)
    error = answer.get("error")
    if error is None:
        return answer
    code, description = error.get("err_code", 0), error.get("description", "")
    if error.get("code", 0) >= _SERVER_FAULT and not is_of_the_message(code, description):
        raise BrokerUnavailable(f"JetStream: {description}")
    raise ApiRefused(code, description)
