"""Choosing a treatment for somebody who asks. Looking comes first: only what is news is written, so that pages loaded again cost no write."""

from __future__ import annotations

from dataclasses import dataclass, replace

from chassis.context import Context
from chassis.runtime import Runtime
from contracts.envelope import Meta
from contracts.events.nurture import TreatmentSelected
from contracts.ids import derive_id, with_prefix
from people_kernel.cards import blank, card_facts
from people_kernel.placements import Placement
from people_kernel.store.cards import load_cards
from people_kernel.store.locks import lock
from services.nurture.domain.answers import Answer, Ask, answer_to, given_again, handed_out
from services.nurture.domain.consent import standing
from services.nurture.domain.following import Person
from services.nurture.domain.rules import NurtureJudge
from services.nurture.domain.saying import Occasion, Selection, circumstances, select, told
from services.nurture.domain.seeing import shown_to
from services.nurture.domain.selection import Choice, Subject, choose
from services.nurture.domain.stages import ANONYMOUS, Buying
from services.nurture.handlers.rulebooks import judge_of
from services.nurture.handlers.workshop import Workshop, workshop_of
from services.nurture.store import people, selections
from services.nurture.store.tables import CARD


@dataclass(frozen=True, slots=True)
class _Somebody:
    """Whom it is about, with why their buying stage is what it is. `home` is None for a stranger."""

    subject: Subject
    buying: Buying
    home: Placement | None
    is_test: bool = False
    fragment_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Finding:
    """The answer, and the selection behind it if it is to be recorded."""

    answer: Answer
    news: Selection | None = None


async def select_treatment(runtime: Runtime[Workshop], ask: Ask) -> Answer:
    """The treatment that fits now. Recorded and told unless it is a stranger, a dry run, or the same answer as a moment ago."""
    async with runtime.reading() as context:
        found = await _find(context, ask)
    if found.news is None:
        return found.answer
    async with runtime.writing() as context:
        await lock(context.session, [found.news.occasion.person_id])
        found = await _find(context, ask)  # anew: somebody may have asked the same at the same time
        if found.news is not None:
            await _record(context, found.news, found.answer)
    return found.answer


async def _find(context: Context[Workshop], ask: Ask) -> _Finding:
    somebody = await _somebody(context, ask)
    subject, home = somebody.subject, somebody.home
    choice = choose(await workshop_of(context).catalogue(context.session), subject, ask.channel, context.now)
    if home is None:
        return _Finding(answer_to(ask, (None, subject.stage, subject.buying_stage), choice, None, None))
    selection = _selection(context, ask, somebody, home, choice)
    if not ask.is_dry_run:
        since = context.now - workshop_of(context).reuse
        before = await selections.find_answer(context.session, somebody.fragment_ids, selection.circumstances, since)
        if before is not None:
            return _Finding(given_again(before, home.person_id))
    recorded_as = None if ask.is_dry_run else selection.selection_id
    answer = answer_to(ask, (home.person_id, subject.stage, subject.buying_stage), choice, selection.receipt, recorded_as)
    return _Finding(answer, None if ask.is_dry_run else selection)


async def _somebody(context: Context[Workshop], ask: Ask) -> _Somebody:
    judge, session = await judge_of(context), context.session
    fragments = {} if ask.person_id is None else await people.find_fragments(session, ask.person_id)
    if not fragments:
        return _stranger(judge)
    owner = next(iter(fragments.values())).person_id
    home = fragments.get(with_prefix("frg", owner)) or next(iter(fragments.values()))
    person = (await people.load_people(session, [owner])).get(owner) or Person(owner)
    card = (await load_cards(session, CARD, [owner])).get(owner) or blank(owner)
    is_test = ask.is_test or person.is_test
    buying = person.buying
    if buying is None or buying.rulebook != judge.label:  # nothing was said since another version of the rulebook decides
        buying = judge.judge(card, person.stage).buying
    subject = Subject(
        person_id=owner,
        stage=person.stage,
        buying_stage=buying.stage,
        facts=card_facts(card),
        consent=standing(await people.load_statements(session, list(fragments))),
        shown=shown_to(await selections.load_shown(session, list(fragments)), fragments, with_tests=is_test),
    )
    return _Somebody(subject, buying, home, is_test, tuple(fragments))


def _stranger(judge: NurtureJudge) -> _Somebody:
    card = blank("")
    buying = judge.judge(card, ANONYMOUS).buying
    return _Somebody(Subject(None, ANONYMOUS, buying.stage, card_facts(card), {}, {}), buying, None)


def _selection(context: Context[Workshop], ask: Ask, somebody: _Somebody, home: Placement, choice: Choice) -> Selection:
    meant = replace(ask, is_test=somebody.is_test)
    around = circumstances(choice, somebody.subject, meant.words)
    occasion = Occasion(
        trigger=selections.ASKED,
        cause=derive_id("ask", context.now, context.now.isoformat(), home.person_id, around),
        person_id=home.person_id,
        graph_version=home.graph_version,
        at=context.now,
        occurred_at=context.now,
        channel=ask.channel,
        is_test=somebody.is_test,
        context=ask.context,
    )
    return select(occasion, somebody.subject, somebody.buying, choice, meant.words)


async def _record(context: Context[Workshop], selection: Selection, answer: Answer) -> None:
    await selections.save_answer(context.session, selection, handed_out(answer), answer.model_dump_json())
    event_id = derive_id("evt", context.now, selection.selection_id, TreatmentSelected.wire_name)
    meta = Meta(event_id=event_id, at=context.now, correlation_id=event_id, rulebook=selection.receipt.rulebook)
    said = told(selection, meta)
    if said is not None:
        context.say(said)
