"""Time passing: decay alone moves people to another row of the grid."""

from __future__ import annotations

from datetime import datetime

from services.scoring.domain.book import Book
from services.scoring.domain.fading import next_change
from services.scoring.domain.saying import say_faded


def fade(book: Book, person_id: str, until: datetime) -> None:
    """Says each change of the cell that was due by `until`, at the moment it was due, whether a late timer asks or an event that came first."""
    person = book.people.get(person_id)
    while person is not None and person.fades_at is not None and person.fades_at <= until:
        grid = book.judges.active.grid
        now = person.standing(max(person.fades_at, person.evaluated_at), grid)
        if now.cell != (grid.cell(0, 0) if person.said is None else person.said.cell):
            say_faded(book, person, now)
            person = person._replace(said=now)
        person = person._replace(evaluated_at=now.at, fades_at=next_change(person.sums, grid.engagement, now.at))
        book.people[person_id] = person
