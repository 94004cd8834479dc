"""What humans decide about people, taken in."""

from __future__ import annotations

from dataclasses import replace

from chassis.context import Context
from chassis.errors import BadInput, Conflict
from contracts.ids import derive_id, is_id, with_prefix
from people_kernel.api.receipts import PersonNotFound
from services.lifecycle.domain import verdicts
from services.lifecycle.domain.book import Book
from services.lifecycle.domain.process import Process
from services.lifecycle.domain.verdicts import NotPossible, Verdict
from services.lifecycle.handlers.rulebooks import process_of
from services.lifecycle.handlers.walking import close
from services.lifecycle.store import records


class NotPossibleNow(Conflict):
    """The process does not allow this in the stage the person is in."""


async def give_verdict(context: Context, person_id: str, verdict: Verdict) -> str:
    """Records a verdict with what it leads to; answers the person it was given on. Raises PersonNotFound, NotPossibleNow."""
    process = await process_of(context)
    _refuse_unknown_stage(process, verdict)
    book, owner = await open_for(context, process, person_id)
    given = replace(verdict, verdict_id=derive_id("vrd", verdict.at, verdict.verb, owner, verdict.by, verdict.at.isoformat()))
    try:
        is_news = verdicts.give(book, owner, given)
    except NotPossible as refusal:
        _refuse_nobody(book, owner)
        raise NotPossibleNow(refusal.detail, remedy=refusal.instead) from None
    if is_news:
        await close(book, context)
        await records.save_verdict(context.session, given, book.standing(owner))
    return owner


async def open_for(context: Context, process: Process, person_id: str) -> tuple[Book, str]:
    """The pages of one person, whoever answers to the id. Raises PersonNotFound."""
    if not is_id("per", person_id):
        raise PersonNotFound(f"Nothing was ever heard of {person_id}")
    fragment_id = with_prefix("frg", person_id)
    book = await records.open_book(context.session, process, [fragment_id])
    return book, book.owner_of(fragment_id)


def _refuse_nobody(book: Book, person_id: str) -> None:
    """Raises PersonNotFound for somebody of whom nothing is kept: more likely a slip of the pen than a stranger."""
    if not book.keeps(person_id):
        raise PersonNotFound(f"Nothing was ever heard of {person_id}")


def _refuse_unknown_stage(process: Process, verdict: Verdict) -> None:
    if verdict.to is not None and verdict.to not in process.stages:
        raise BadInput(f"There is no stage {verdict.to}", field="body.to", remedy=f"Known are: {', '.join(process.stages)}")
