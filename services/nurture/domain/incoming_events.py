"""What identity, scoring and lifecycle say of people, per person id in the order of each stream, and what is suggested
when they come to a new place.

Between the streams there is no order. What a stage was decided on travels with it, so that a stage heard before the
scores behind it is judged by these; and scores heard after a stage that already rests on them set nothing off again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from contracts.envelope import following
from contracts.events.identity import ConsentChanged
from contracts.events.lifecycle import StageCorrected, StageEntered
from contracts.events.nurture import TreatmentSelected
from contracts.events.scoring import ProfileChanged, ProfileChangedV1, ScoreChanged, ScoreCorrected
from contracts.ids import with_prefix
from contracts.values import Strength
from people_kernel.consent import answers, take
from people_kernel.people import (
    Card,
    Placement,
    Placements,
    ScoringSaid,
    blank,
    card_facts,
    happened_at,
    is_judged_anew,
    updated,
)
from rulebook.receipts import Decision
from services.nurture.domain.outgoing_events import Selection, make_selection, treatment_selected
from services.nurture.domain.rules import ANONYMOUS, NAME, Buying, NurtureJudge
from services.nurture.domain.selection import Subject, choose, shown_to
from services.nurture.domain.treatments import Treatment
from services.nurture.domain.workspace import FragmentConsent, NurturedPerson, NurtureWorkspace, Occasion, Suggestion

STAGE_KIND = "buying.stage"
_PROCESS = "default"
_UNASKED = ("any", "suggestion")

PersonStatement = ProfileChanged | ProfileChangedV1 | ScoreChanged | ScoreCorrected | StageEntered | StageCorrected


def place(workspace: NurtureWorkspace, told: Placements) -> None:
    """Whose fragments are, as identity says it: that is kept of everybody."""
    workspace.regrouped |= told.keys()
    workspace.place(told)


def take_consent(workspace: NurtureWorkspace, event: ConsentChanged) -> None:
    """The latest of each kind is kept, in whatever order they are heard."""
    take(workspace.consents, stated_in(event))


def stated_in(event: ConsentChanged) -> FragmentConsent:
    """What was stated. Where an older release did not say how far it is believed, a human's word is known by its
    source, and anything else is a claim.
    """
    is_human = event.source_id.startswith("api:")
    return FragmentConsent(
        event.fragment_id,
        event.channel,
        event.consent,
        event.occurred_at,
        event.interaction_id,
        event.source_id,
        event.wording,
        event.strength or (Strength.MANUAL if is_human else Strength.CLAIMED),
        event.origin_id or event.fragment_id,
    )


def follow(workspace: NurtureWorkspace, judge: NurtureJudge, event: PersonStatement) -> None:
    """Takes one statement in."""
    workspace.place({event.fragment_id: Placement(event.person_id, event.graph_version)})
    person = workspace.people.get(event.person_id) or NurturedPerson(event.person_id)
    if isinstance(event, StageEntered | StageCorrected):
        if event.process == _PROCESS:
            _follow_stage(workspace, judge, event, person)
        return
    card = updated(workspace.cards.get(event.person_id) or blank(event.person_id), event)
    if event.person_id not in workspace.people and not card.attributes and judge.judge(card, ANONYMOUS).is_default:
        # nothing is written of somebody of whom all is as it is by default;
        # scoring tells all when something becomes known
        return
    workspace.cards[event.person_id] = card
    moved = _settle(workspace, judge, event, replace(person, is_test=event.is_test), card)
    if moved and _is_news(event, person):
        _suggest(workspace, judge, event, card)


def _follow_stage(
    workspace: NurtureWorkspace, judge: NurtureJudge, event: StageEntered | StageCorrected, person: NurturedPerson
) -> None:
    card = _card_behind(event, workspace.cards.get(event.person_id) or blank(event.person_id))
    moved = replace(person, stage=event.stage, stage_at=event.occurred_at, told_at=event.meta.at, is_test=event.is_test)
    _settle(workspace, judge, event, moved, card)
    if isinstance(event, StageEntered):
        _suggest(workspace, judge, event, card)


def _settle(
    workspace: NurtureWorkspace, judge: NurtureJudge, event: PersonStatement, person: NurturedPerson, card: Card
) -> bool:
    """Judges where the person stands now. True if the buying stage became another."""
    judgement = judge.judge(card, person.stage)
    before = None if person.buying is None else person.buying.stage
    workspace.people[person.person_id] = replace(person, buying=judgement.buying)
    if before is judgement.buying.stage:
        return False
    fragment_id = with_prefix("frg", person.person_id)
    decision = Decision(NAME, STAGE_KIND, person.person_id, fragment_id, event.meta.event_id, event.meta.at)
    workspace.receipts.append(judge.receipt(judgement, decision))
    return True


def _suggest(workspace: NurtureWorkspace, judge: NurtureJudge, event: StageEntered | ScoringSaid, card: Card) -> None:
    person, placement = workspace.people[event.person_id], workspace.placements[event.fragment_id]
    is_absorbed = placement.person_id != event.person_id
    if is_absorbed or person.stage not in judge.suggested_stages:
        return
    occasion = Occasion(
        trigger="stage" if isinstance(event, StageEntered) else "buying_stage",
        cause=event.meta.event_id,
        person_id=event.person_id,
        graph_version=placement.graph_version,
        at=event.meta.at,
        occurred_at=event.occurred_at if isinstance(event, StageEntered) else happened_at(event),
        channel=None,
        is_test=person.is_test,
        context={},
    )
    workspace.suggestions.append(Suggestion(event, occasion, person, card))


def _is_news(event: ScoringSaid, person: NurturedPerson) -> bool:
    """Whether a statement may set something off: it was not judged anew, and the latest stage does not rest on it
    already.
    """
    return not is_judged_anew(event) and (person.told_at is None or event.meta.at > person.told_at)


def _card_behind(event: StageEntered | StageCorrected, known: Card) -> Card:
    """What the stage was decided on, unless as much or more was heard already."""
    if isinstance(event, StageCorrected) or (event.scores is None and (known.attributes or known.scores)):
        return known
    if known.scores is not None and event.scores is not None and known.scores.at >= event.scores.at:
        return known
    return Card(event.person_id, event.attributes, event.scores, event.highlights, event.is_test)


def suggest(workspace: NurtureWorkspace, treatments: Sequence[Treatment]) -> list[Selection]:
    """A treatment for everybody who came to a new place; neither consent nor what was shown changes on the way."""
    selections = []
    for one in workspace.suggestions:
        buying = one.person.buying
        assert buying is not None
        subject = _subject(workspace, one.person, buying, one.card)
        selection = make_selection(
            one.occasion, subject, buying, choose(treatments, subject, None, one.occasion.at), _UNASKED
        )
        selections.append(selection)
        meta = following(
            one.cause, TreatmentSelected.wire_name, selection.selection_id, rulebook=selection.receipt.rulebook
        )
        said = treatment_selected(selection, meta)
        if said is not None:
            workspace.said.append(said)
    return selections


def _subject(workspace: NurtureWorkspace, person: NurturedPerson, buying: Buying, card: Card) -> Subject:
    fragments = workspace.owned[person.person_id]
    return Subject(
        person_id=person.person_id,
        stage=person.stage,
        buying_stage=buying.stage,
        facts=card_facts(card),
        consent=answers(one for one in workspace.consents.values() if one.fragment_id in fragments),
        shown=shown_to(workspace.shown, fragments, with_tests=person.is_test),
    )
