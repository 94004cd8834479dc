"""The hot path: what a batch is about is loaded in a few selects and saved in a few statements, however many events there are."""

from __future__ import annotations

from collections.abc import Callable, Collection

from chassis.store.batch import insert_all, upsert
from chassis.store.membership import rows_by
from chassis.store.session import Session
from contracts.ids import with_prefix
from people_kernel.placements import Placements, placement_in
from people_kernel.store.cards import load_cards, save_cards
from people_kernel.store.locks import lock
from people_kernel.store.placements import load_placements, save_placements
from people_kernel.store.receipts import save_receipts
from services.lifecycle.domain.book import Book, Clock, Standing
from services.lifecycle.domain.moves import Move
from services.lifecycle.domain.process import Process
from services.lifecycle.domain.verdicts import Verdict
from services.lifecycle.store.encoding import clock_of, clock_row, move_of, move_row, standing_of, standing_row, verdict_row
from services.lifecycle.store.tables import CARD, CLOCK, FRAGMENT, MOVE, RECEIPT, STANDING, VERDICT

_MOVES = rows_by(MOVE.c.fragment_id).order_by(MOVE.c.fragment_id, MOVE.c.seq)
_RUNNING = rows_by(CLOCK.c.fragment_id).where(CLOCK.c.ended_at.is_(None))

AtRisk = Callable[[Placements], Collection[str]]
"""Whose fragments may go over to others, by what is known of them."""


async def open_book(
    session: Session, process: Process, fragment_ids: Collection[str], person_ids: Collection[str] = (), at_risk: AtRisk | None = None
) -> Book:
    """Everything about these fragments, these people and the present owners; the moves of those at risk. Locks the people on PostgreSQL."""
    wanted_fragments = {*fragment_ids, *(with_prefix("frg", person_id) for person_id in person_ids)}
    placements = await load_placements(session, FRAGMENT, wanted_fragments)
    people: set[str] = set()
    while wanted := ({*person_ids} | {placement_in(placements, one).person_id for one in wanted_fragments}) - people:
        people |= wanted
        if await lock(session, wanted):  # a fragment may have gone over to others before the lock was had
            placements = await load_placements(session, FRAGMENT, wanted_fragments)
    book = Book(process, placements, await load_cards(session, CARD, people), await load_standings(session, people))
    homes = {home for standing in book.standings.values() for home in standing.homes}
    book.clocks = await load_running_clocks(session, homes)
    at_stake = set() if at_risk is None else set(at_risk(placements))
    if at_stake:
        theirs = {home for person_id in at_stake for home in book.standing(person_id).homes} | {with_prefix("frg", one) for one in at_stake}
        book.placements |= await load_placements(session, FRAGMENT, theirs)
        for move in await load_moves(session, theirs):
            book.moves.setdefault(move.fragment_id, []).append(move)
    return book.opened()


async def load_standings(session: Session, person_ids: Collection[str]) -> dict[str, Standing]:
    """Those that are known."""
    rows = await session.execute(rows_by(STANDING.c.person_id), {"keys": person_ids})
    return {row.person_id: standing_of(row) for row in rows}


async def load_moves(session: Session, fragment_ids: Collection[str]) -> list[Move]:
    """All that hang on these fragments, in the order in which they were made there."""
    rows = await session.execute(_MOVES, {"keys": fragment_ids})
    return [move_of(row) for row in rows]


async def load_running_clocks(session: Session, fragment_ids: Collection[str]) -> dict[str, Clock]:
    """Those that have not ended."""
    rows = await session.execute(_RUNNING, {"keys": fragment_ids})
    return {row.clock_id: clock_of(row) for row in rows}


async def homes_of_clocks(session: Session, clock_ids: Collection[str]) -> set[str]:
    """The fragments that these clocks hang on."""
    rows = await session.execute(rows_by(CLOCK.c.clock_id, CLOCK.c.fragment_id), {"keys": clock_ids})
    return {row.fragment_id for row in rows}


async def save(session: Session, book: Book) -> None:
    """Writes the pages of `book` that changed, and what was made."""
    await save_placements(session, FRAGMENT, book.changed_placements)
    await save_cards(session, CARD, book.changed_cards)
    await upsert(session, STANDING, [standing_row(standing) for standing in book.changed_standings])
    await insert_all(session, MOVE, [move_row(move) for move in book.made])
    await upsert(session, CLOCK, [clock_row(clock) for clock in book.changed_clocks])
    await save_receipts(session, RECEIPT, book.receipts)


async def save_verdict(session: Session, verdict: Verdict, standing: Standing) -> None:
    """A verdict, with where the person stands after it."""
    await insert_all(session, VERDICT, [verdict_row(verdict, standing)])
