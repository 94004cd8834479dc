"""What the relay knows of the outbox without reading it: what it was handed after commits, and what the broker has of
it.

It knows all that waits, or not: at the start, after a failure of the store, and when more waits than it keeps. Then the
store is read, a page at a time, until nothing is left there that is not here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from chassis.store.outbox import Waiting

MOST_ROWS: Final = 2_000
MOST_BYTES: Final = 16 << 20
_MOST_FORGOTTEN: Final = 4_000  # ids whose rows are gone, in case that they are handed over only now


class RelayQueue:
    """Rows by id, in order; each waits here, is confirmed (the broker has it, the store does not know), rides (a
    transaction forgets it), or is forgotten.
    """

    def __init__(self, most_rows: int = MOST_ROWS, most_bytes: int = MOST_BYTES) -> None:
        self._most_rows, self._most_bytes = most_rows, most_bytes
        self._rows: dict[int, Waiting] = {}
        self._bytes = 0
        self._confirmed: dict[int, None] = {}
        self._riding: set[int] = set()
        self._forgotten: set[int] = set()
        self._last_forgotten: deque[int] = deque()
        self._is_complete = False
        self._is_being_read = False
        self._was_missed = False

    @property
    def is_complete(self) -> bool:
        """Whether all that waits is known."""
        return self._is_complete

    @property
    def settled(self) -> list[int]:
        """The rows that stand in the store and need not be published."""
        return [*self._confirmed, *self._riding]

    @property
    def confirmed(self) -> int:
        """How many rows wait to be forgotten."""
        return len(self._confirmed)

    def reset(self) -> None:
        """Nothing is known any more of what waits; of what the broker has, all."""
        self._rows, self._bytes = {}, 0
        self._is_complete = self._is_being_read = False

    def hand_over(self, rows: Sequence[Waiting]) -> None:
        """These were just committed."""
        if not self._is_complete:
            self._was_missed = True  # they are read with the others
            return
        self._add(rows)
        if len(self._rows) > self._most_rows or self._bytes > self._most_bytes:
            self.reset()

    def known(self) -> list[int]:
        """What a look at the store can leave out, begun now."""
        self._is_being_read, self._was_missed = True, False
        if not self._is_complete:
            self._rows, self._bytes = {}, 0  # read anew: it is the first page of what waits
        return [*self._rows, *self.settled]

    def read(self, rows: Sequence[Waiting], *, is_all: bool) -> bool:
        """What the store has beside `known`; `is_all`: nothing was left out, neither by the limit of a page nor for the
        sake of its stream.

        False when it is of no use, and the store is to be read again from the beginning.
        """
        if not self._is_being_read:
            return False  # what was left out as known is not known any more, and would come after these
        self._is_being_read = False
        if self._is_complete and not is_all:  # more was written by others than fits a page
            self.reset()
            return False
        self._add(rows)
        self._is_complete = self._is_complete or (is_all and not self._was_missed)
        return True

    def first(self, limit: int, held: Collection[str]) -> list[Waiting]:
        """The first `limit` rows in the order of their ids, without those that go to a stream of `held`."""
        found: list[Waiting] = []
        for row in self._rows.values():
            if len(found) == limit:
                break
            if not held or owner_of(row) not in held:
                found.append(row)
        return found

    def confirm(self, ids: Iterable[int]) -> None:
        """The broker has these."""
        for row_id in ids:
            self._take(row_id)
            self._confirmed[row_id] = None

    def drop(self, ids: Iterable[int]) -> None:
        """These are not in the outbox any more."""
        for row_id in ids:
            self._take(row_id)
            self._note_forgotten(row_id)

    def take_marks(self) -> list[int]:
        """Confirmed rows, for a transaction that forgets them; tell what became of it by `forget` or `keep`."""
        marks = list(self._confirmed)
        self._riding.update(marks)
        self._confirmed.clear()
        return marks

    def forget(self, marks: Collection[int]) -> None:
        """Their rows are gone."""
        self._riding.difference_update(marks)
        for row_id in marks:
            self._note_forgotten(row_id)

    def keep(self, marks: Collection[int]) -> None:
        """They are not."""
        self._riding.difference_update(marks)
        self._confirmed |= dict.fromkeys(marks)

    def _add(self, rows: Iterable[Waiting]) -> None:
        last = next(reversed(self._rows), 0)
        is_in_order = True
        for row in rows:
            row_id = row.row_id
            if row_id in self._rows or row_id in self._confirmed or row_id in self._riding or row_id in self._forgotten:
                continue  # it was read before it was handed over
            self._rows[row_id] = row
            self._bytes += len(row.message.body)
            is_in_order, last = is_in_order and row_id > last, row_id
        if not is_in_order:  # another transaction took the lower number and was committed later
            self._rows = dict(sorted(self._rows.items()))

    def _take(self, row_id: int) -> None:
        row = self._rows.pop(row_id, None)
        if row is not None:
            self._bytes -= len(row.message.body)

    def _note_forgotten(self, row_id: int) -> None:
        self._forgotten.add(row_id)
        self._last_forgotten.append(row_id)
        if len(self._last_forgotten) > _MOST_FORGOTTEN:
            self._forgotten.discard(self._last_forgotten.popleft())


def owner_of(row: Waiting) -> str:
    """The first token of its subject, which names its stream."""
    return row.message.subject.partition(".")[0]
