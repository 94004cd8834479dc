"""What people ask of nurture: the treatment that fits somebody now, and edits of the catalogue.

For whoever asks, looking comes first: only what is news is written, so that pages loaded again cost no write.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from chassis.context import Context
from chassis.errors import BadInput, Conflict, FieldError, NotFound
from chassis.runtime import Runtime
from chassis.store.session import lock
from contracts.envelope import beginning
from contracts.events.nurture import TreatmentSelected
from contracts.ids import derive_id, hash_id, with_prefix
from people_kernel.consent import answers
from people_kernel.people import Placement, blank, card_facts
from people_kernel.rulebook_registry import FOUNDER
from people_kernel.store.people import load_cards
from rulebook.problems import RulebookError
from services.nurture.domain.browsers import BrowserCard, browser_subject
from services.nurture.domain.outgoing_events import (
    Answer,
    Selection,
    TreatmentQuery,
    answer_to,
    circumstances,
    given_again,
    handed_out,
    make_selection,
    treatment_selected,
)
from services.nurture.domain.rules import ANONYMOUS, Buying, NurtureJudge
from services.nurture.domain.selection import Subject, TreatmentChoice, choose, shown_to
from services.nurture.domain.treatments import (
    STARTERS,
    CatalogueEntry,
    TreatmentBody,
    TreatmentEdit,
    compile_treatment,
    is_revision,
)
from services.nurture.domain.workspace import NurturedPerson, Occasion
from services.nurture.rulebooks import judge_of
from services.nurture.settings import NurtureSettings
from services.nurture.store import load, queries, write
from services.nurture.store.load import CompiledCatalogue, Recurrence
from services.nurture.store.tables import CARD


class TreatmentNotFound(NotFound):
    """There is no such treatment, or no such revision of it."""

    slug = "treatment-not-found"


class TreatmentRefused(BadInput):
    """The condition cannot be read; `errors` name line and column."""

    slug = "treatment-refused"


class ExternalIdTaken(Conflict):
    """Another treatment has this external id."""

    slug = "external-id-taken"


async def begin_catalogue(runtime: Runtime) -> None:
    """A store without treatments is given the starters."""
    async with runtime.writing() as context:
        if await queries.has_no_treatments(context.session):
            edits = {
                hash_id("trt", "starter", key): TreatmentEdit(body, None, FOUNDER, context.now)
                for key, body in STARTERS.items()
            }
            await write.treatments(
                context.session, [_first(treatment_id, edit, is_starter=True) for treatment_id, edit in edits.items()]
            )


async def add_treatment(context: Context, edit: TreatmentEdit) -> tuple[CatalogueEntry, bool]:
    """The treatment, and whether it is new: one with this external id is revised instead. Raises TreatmentRefused."""
    _check(edit.body)
    known = None if edit.external_id is None else await queries.find_by_external_id(context.session, edit.external_id)
    if known is not None:
        return await revise_treatment(context, known.treatment_id, edit), False
    treatment_id = derive_id("trt", edit.at, edit.external_id or edit.body.model_dump_json())
    claimed = await write.treatments(context.session, [_first(treatment_id, edit)])
    if not claimed and edit.external_id is not None:  # somebody was faster
        known = await queries.find_by_external_id(context.session, edit.external_id)
        if known is not None:
            return await revise_treatment(context, known.treatment_id, edit), False
    return await get_treatment(context, treatment_id), bool(claimed)


async def revise_treatment(context: Context, treatment_id: str, edit: TreatmentEdit) -> CatalogueEntry:
    """The treatment as it is from now on; a new revision if that says anything new.

    Raises TreatmentNotFound, TreatmentRefused, ExternalIdTaken.
    """
    _check(edit.body)
    await write.lock_treatment(context.session, treatment_id)
    entry = await get_treatment(context, treatment_id)
    if edit.external_id is not None and edit.external_id != entry.external_id:
        taken = await queries.find_by_external_id(context.session, edit.external_id)
        if taken is not None:
            raise ExternalIdTaken(
                f"{taken.treatment_id} has this external id",
                field="body.external_id",
                remedy="Change that one, or leave it out",
            )
        await write.external_id(context.session, treatment_id, edit.external_id)
    if is_revision(entry, edit):
        await write.revision(context.session, entry, edit)
    return await get_treatment(context, treatment_id)


async def get_treatment(context: Context, treatment_id: str, revision: int | None = None) -> CatalogueEntry:
    """A treatment, as it is or as it was. Raises TreatmentNotFound."""
    found = await queries.find_entry(context.session, treatment_id, revision)
    if found is None:
        which = "" if revision is None else f" with a revision {revision}"
        raise TreatmentNotFound(f"There is no treatment {treatment_id}{which}")
    return found


def _first(treatment_id: str, edit: TreatmentEdit, *, is_starter: bool = False) -> CatalogueEntry:
    return CatalogueEntry(treatment_id, 1, 1, edit.external_id, is_starter, edit.at, edit.at, edit.by, edit.body)


def _check(body: TreatmentBody) -> None:
    try:
        compile_treatment("trt_draft", 1, body)
    except RulebookError as error:
        errors = [
            FieldError(f"body.when: line {one.line}, column {one.column}", one.message, one.remedy or None)
            for one in error.problems
        ]
        first = error.problems[0]
        raise TreatmentRefused(
            f"The condition has {'a mistake' if len(errors) == 1 else f'{len(errors)} mistakes'}; "
            f"the first in line {first.line}, column {first.column}: {first.message}. {first.remedy}".strip(),
            errors=errors,
        ) from None


_NOWHERE = Recurrence((), load.ASKED)


@dataclass(frozen=True, slots=True)
class _Somebody:
    """Whom it is about, with why their buying stage is what it is. `home` is None for a stranger."""

    subject: Subject
    buying: Buying
    home: Placement | None
    is_test: bool = False
    recurrence: Recurrence = _NOWHERE


@dataclass(frozen=True, slots=True)
class _Finding:
    """The answer, and the selection behind it if it is to be recorded."""

    answer: Answer
    news: Selection | None = None


async def select_treatment(runtime: Runtime[CompiledCatalogue], query: TreatmentQuery) -> Answer:
    """The treatment that fits now.

    Recorded and told unless it is a stranger, a dry run, or the same answer as a moment ago.
    """
    settings = runtime.settings
    assert isinstance(settings, NurtureSettings)
    reuse = timedelta(minutes=settings.reuse_minutes)
    async with runtime.reading() as context:
        found = await _find(context, query, reuse)
    if found.news is None:
        return found.answer
    async with runtime.writing() as context:
        await lock(context.session, [found.news.occasion.person_id])
        found = await _find(context, query, reuse)  # anew: somebody may have asked the same at the same time
        if found.news is not None:
            await _record(context, found.news, found.answer)
    return found.answer


async def _find(context: Context[CompiledCatalogue], query: TreatmentQuery, reuse: timedelta) -> _Finding:
    somebody = await _somebody(context, query)
    subject, home = somebody.subject, somebody.home
    choice = choose(await context.service.newest(context.session), subject, query.channel, context.now)
    if home is None:
        return _Finding(answer_to(query, (None, subject.stage, subject.buying_stage), choice, None, None))
    selection = _selection(context, query, somebody, home, choice)
    if not query.is_dry_run:
        since = context.now - reuse
        before = await load.last_answer(context.session, somebody.recurrence, selection.circumstances, since)
        if before is not None:
            return _Finding(given_again(before, home.person_id))
    recorded_as = None if query.is_dry_run else selection.selection_id
    answer = answer_to(
        query, (home.person_id, subject.stage, subject.buying_stage), choice, selection.receipt, recorded_as
    )
    return _Finding(answer, None if query.is_dry_run else selection)


async def _somebody(context: Context[CompiledCatalogue], query: TreatmentQuery) -> _Somebody:
    judge, session = await judge_of(context), context.session
    if query.browser is not None:
        return await _browser(context, query.browser, judge, is_test=query.is_test)
    fragments = {} if query.person_id is None else await load.fragments_of(session, query.person_id)
    if not fragments:
        return _stranger(judge)
    owner = next(iter(fragments.values())).person_id
    home = fragments.get(with_prefix("frg", owner)) or next(iter(fragments.values()))
    person = (await load.people(session, [owner])).get(owner) or NurturedPerson(owner)
    card = (await load_cards(session, CARD, [owner])).get(owner) or blank(owner)
    is_test = query.is_test or person.is_test
    buying = person.buying
    if buying is None or buying.rulebook != judge.label:
        # nothing was said since another version of the rulebook decides
        buying = judge.judge(card, person.stage).buying
    subject = Subject(
        person_id=owner,
        stage=person.stage,
        buying_stage=buying.stage,
        facts=card_facts(card),
        consent=answers(await load.consents(session, list(fragments))),
        shown=shown_to(await load.shown(session, list(fragments)), fragments, with_tests=is_test),
    )
    return _Somebody(subject, buying, home, is_test, Recurrence(tuple(fragments), load.ASKED))


async def _browser(
    context: Context[CompiledCatalogue], browser: BrowserCard, judge: NurtureJudge, *, is_test: bool
) -> _Somebody:
    """One browser as if it were linked to nobody: what it told, and what was shown in it."""
    own = (browser.fragment_id,)
    shown = shown_to(await load.shown_in_browsers(context.session, own), own, with_tests=is_test)
    subject, buying = browser_subject(browser, judge, shown)
    home = Placement(browser.person_id, 0)
    return _Somebody(subject, buying, home, is_test, Recurrence(own, load.BROWSED))


def _stranger(judge: NurtureJudge) -> _Somebody:
    card = blank("")
    buying = judge.judge(card, ANONYMOUS).buying
    return _Somebody(Subject(None, ANONYMOUS, buying.stage, card_facts(card), {}, {}), buying, None)


def _selection(
    context: Context[CompiledCatalogue],
    query: TreatmentQuery,
    somebody: _Somebody,
    home: Placement,
    choice: TreatmentChoice,
) -> Selection:
    meant = replace(query, is_test=somebody.is_test)
    around = circumstances(choice, somebody.subject, meant.words)
    occasion = Occasion(
        trigger=somebody.recurrence.trigger,
        cause=derive_id("ask", context.now, context.now.isoformat(), home.person_id, around),
        person_id=home.person_id,
        graph_version=home.graph_version,
        at=context.now,
        occurred_at=context.now,
        channel=query.channel,
        is_test=somebody.is_test,
        context=query.context,
    )
    return make_selection(occasion, somebody.subject, somebody.buying, choice, meant.words)


async def _record(context: Context[CompiledCatalogue], selection: Selection, answer: Answer) -> None:
    await write.answer(context.session, selection, handed_out(answer), answer.model_dump_json())
    event_id = derive_id("evt", context.now, selection.selection_id, TreatmentSelected.wire_name)
    meta = beginning(event_id, context.now, selection.receipt.rulebook)
    said = treatment_selected(selection, meta)
    if said is not None:
        context.say(said)
