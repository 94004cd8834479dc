"""Who watches a consumer: metrics, usually. Calls are synchronous and must be quick."""

from __future__ import annotations

from typing import Protocol


class Observer(Protocol):
    """`stream` and `consumer` name the lane; they are safe as metric labels."""

    def batch_handled(self, stream: str, consumer: str, size: int, seconds: float) -> None:
        """`size` messages were applied in one transaction that took `seconds`."""

    def batch_failed(self, stream: str, consumer: str, size: int, error: Exception) -> None:
        """A try of `size` messages ended in `error`."""

    def message_died(self, stream: str, consumer: str, subject: str, reason: str) -> None:
        """A message was copied to the dead letters."""


class Unobserved:
    """Nobody watches."""

    def batch_handled(self, stream: str, consumer: str, size: int, seconds: float) -> None:
        return

    def batch_failed(self, stream: str, consumer: str, size: int, error: Exception) -> None:
        return

    def message_died(self, stream: str, consumer: str, subject: str, reason: str) -> None:
        return
