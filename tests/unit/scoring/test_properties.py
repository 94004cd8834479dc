"""What must hold over any history: receipts tie out, order and duplicates do not matter, a merge that is undone leaves
no trace.
"""

from __future__ import annotations

from datetime import timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.attributes import KNOWN_ATTRIBUTES
from contracts.envelope import Event
from contracts.events.identity import InteractionRecognized
from contracts.events.scoring import Attribute, ProfileChanged, ScoreChanged, ScoreCorrected
from contracts.limits import OTHER_ATTRIBUTES
from contracts.values import AccountClaim, Interaction, InteractionKind, JsonObject, SourceKind, Strength
from people_kernel.beliefs import bounded, joined, precedence
from people_kernel.people import Card, blank, updated
from people_kernel.profile import Attributes
from services.scoring.domain.profile import added, differs, join
from services.scoring.domain.receipts import FIT, POINT
from services.scoring.domain.score_decay import combine
from services.scoring.domain.workspace import Person
from tests.support.people import at, frg
from tests.unit.scoring.builders import (
    GRID,
    JUDGE,
    PlainJudge,
    a_workspace,
    an_interaction,
    as_known,
    identified,
    recognized,
    record_all,
)
from tests.unit.scoring.people import Registry
from tests.unit.scoring.world import World

TRAITS: st.SearchStrategy[JsonObject] = st.sampled_from(
    [{}, {}, {"title": "CEO"}, {"title": "Intern"}, {"title": "CEO", "budget": "50k"}, {"company": {"employees": 250}}]
)


@st.composite
def interactions(draw: st.DrawFn, number: int) -> Interaction:
    when = at(draw(st.integers(0, 60)), seconds=draw(st.integers(0, 3)))
    server = draw(st.sampled_from([SourceKind.WEB, SourceKind.SERVER]))
    account = draw(
        st.sampled_from([None, None, AccountClaim(name="Acme", traits={"employees": 250}), AccountClaim(name="Other")])
    )
    traits = draw(TRAITS)
    is_identify = draw(st.booleans())
    if traits and is_identify:
        return identified(traits, when=when, number=number, source_kind=server, account=account)
    name = draw(st.sampled_from(["Pricing", "Demo", "Careers", "Blog", "Other"]))
    return an_interaction(
        name, when=when, number=number, kind=InteractionKind.TRACK, source_kind=server, traits=traits, account=account
    )


@st.composite
def histories(draw: st.DrawFn, longest: int = 12) -> list[tuple[Interaction, int]]:
    count = draw(st.integers(1, longest))
    return [(draw(interactions(number)), draw(st.integers(1, 4))) for number in range(count)]


def seen_by_one_person(history: list[tuple[Interaction, int]]) -> list[InteractionRecognized]:
    return [
        recognized(interaction, fragment, 1, heard_at=at(400), **as_known(interaction, fragment))
        for interaction, fragment in history
    ]


@given(histories(), st.integers(0, 900))
def test_the_sum_of_receipts_is_the_score_at_any_moment(history: list[tuple[Interaction, int]], days: int) -> None:
    world = World().hear(seen_by_one_person(history))
    (person,) = world.workspace.people.values()
    moment = at(days) if person.latest_at is None else max(at(days), person.latest_at)
    assert world.as_of(person, moment).scores == person.scores_at(moment, GRID)
    assert world.as_of(person, moment).attributes == person.fit.attributes
    assert (
        sum(one.points_e4 for one in world.receipts_of(person) if one.measure == FIT and one.at <= moment)
        == person.fit.points_e4
    )


@given(histories(), st.integers(-5, 70))
def test_the_score_as_of_a_moment_is_the_score_of_those_who_knew_no_more(
    history: list[tuple[Interaction, int]], days: int
) -> None:
    moment = at(days)
    world = World().hear(seen_by_one_person(history))
    (person,) = world.workspace.people.values()
    known = World().hear(
        seen_by_one_person(
            [(interaction, fragment) for interaction, fragment in history if interaction.occurred_at <= moment]
        )
    )
    snapshot = world.as_of(person, moment)
    if known.workspace.people:
        (earlier,) = known.workspace.people.values()
        assert snapshot.scores == earlier.scores_at(moment, GRID)
        assert snapshot.attributes == earlier.fit.attributes
    else:
        assert snapshot.attributes == {}


@given(histories(), st.randoms(use_true_random=False))
def test_any_order_of_arrival_gives_the_same_state_to_the_byte(
    history: list[tuple[Interaction, int]], random: object
) -> None:
    shuffled = list(history)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = World().hear(seen_by_one_person(history)), World().hear(seen_by_one_person(shuffled))
    assert one.state() == other.state()


@given(histories())
def test_a_late_fact_comes_to_the_same_as_one_in_order(history: list[tuple[Interaction, int]]) -> None:
    events = sorted(
        seen_by_one_person(history), key=lambda event: (event.interaction.occurred_at, event.interaction.interaction_id)
    )
    assert World().hear([*events[1:], events[0]]).state() == World().hear(events).state()


@given(histories(), st.data())
def test_duplicates_change_nothing(history: list[tuple[Interaction, int]], data: st.DataObject) -> None:
    events = seen_by_one_person(history)
    again = data.draw(st.lists(st.sampled_from(events), max_size=6))
    once, twice = World().hear(events), World().hear([*events, *again])
    assert twice.state() == once.state()
    assert [event.meta.event_id for event in twice.workspace.said] == [
        event.meta.event_id for event in once.workspace.said
    ]


@given(histories(), st.integers(1, 5))
def test_what_is_said_does_not_depend_on_how_a_batch_was_cut(history: list[tuple[Interaction, int]], size: int) -> None:
    events = seen_by_one_person(history)
    whole, cut = a_workspace(), World().hear(events).workspace
    record_all(whole, events)
    assert [(event.meta.event_id, event.body()) for event in whole.said] == [
        (event.meta.event_id, event.body()) for event in cut.said
    ]


_KINDS = ["merge", "split", "land", "see", "see late", "mark", "unmark"]
MOVES = st.lists(st.tuples(st.sampled_from(_KINDS), st.integers(1, 4), st.integers(1, 4)), max_size=14)
Facts = list[tuple[Interaction, int]]


def lived(history: Facts, moves: list[tuple[str, int, int]]) -> tuple[Registry, Facts]:
    """What identity tells in the course of the moves, and the facts in it. All of `history` has arrived in the end."""
    registry, facts, waiting = Registry(), [], list(history)
    for move, first, second in [*moves, *[("see", 0, 0)] * len(history), ("land", 0, 0)]:
        owner = registry.owner.get(frg(first))
        if move in ("see", "see late") and waiting:
            interaction, fragment = waiting.pop(0)
            facts.append((interaction, fragment))
            registry.see(interaction, fragment, delayed=move == "see late")
        elif move == "land":
            registry.land()
        elif move == "merge" and {frg(first), frg(second)} <= registry.owner.keys():
            registry.merge(frg(first), frg(second))
        elif move == "split" and owner is not None and list(registry.owner.values()).count(owner) > 1:
            registry.split(owner, [frg(first)])
        elif move in ("mark", "unmark") and owner is not None:
            registry.mark(owner, is_test=move == "mark")
    return registry, facts


@settings(max_examples=150)
@given(histories(), MOVES)
def test_whatever_was_merged_split_and_marked_the_state_is_that_of_the_final_grouping(
    history: Facts, moves: list[tuple[str, int, int]]
) -> None:
    """The control never saw a merge or a split: each fragment was with its final person from the start."""
    registry, facts = lived(history, moves)
    moved, control, final = World().hear(registry.told), World(), Registry()
    for interaction, fragment in facts:
        event = recognized(interaction, fragment, **as_known(interaction, fragment))
        control.hear([event.model_copy(update={"person_id": registry.owner[frg(fragment)]})])
    for fragment_id in sorted(registry.marked):
        final.owner, final.versions = {fragment_id: registry.owner[fragment_id]}, {registry.owner[fragment_id]: 1}
        final.mark(registry.owner[fragment_id])
    assert moved.state() == control.hear(final.told).state()


@settings(max_examples=150)
@given(st.integers(0, 2**32))
def test_a_hearer_who_folds_what_is_said_per_person_has_the_card_of_everybody(seed: int) -> None:
    """At any time, of survivors and of those whom a split brought back; and of an id that nothing was heard of yet,
    nothing.
    """
    told = a_long_life(Random(seed))
    world, cards, heard = World(), dict[str, Card](), 0
    for event in told:
        world.hear([event])
        for said in world.workspace.said[heard:]:
            assert isinstance(said, ProfileChanged | ScoreChanged | ScoreCorrected)
            cards[said.person_id] = updated(cards.get(said.person_id, blank(said.person_id)), said)
        heard = len(world.workspace.said)
        for person_id in {fragment.person_id for fragment in world.workspace.fragments.values()}:
            assert_right(cards.get(person_id, blank(person_id)), world.workspace.people.get(person_id))
    assert len({event.meta.event_id for event in world.workspace.said}) == heard


def a_long_life(rng: Random) -> list[Event]:
    """Many moves among few fragments; now and then a lane lags, and a merge or split is heard after interactions that
    know of it.
    """
    facts = [a_fact_of(rng, number) for number in range(rng.randrange(5, 20))]
    moves = [(rng.choice(_KINDS), rng.randint(1, 5), rng.randint(1, 5)) for _ in range(50)]
    told = lived(facts, moves)[0].told
    for index in range(len(told) - 1, -1, -1):
        if rng.random() < 0.2:
            told.insert(index + rng.randrange(4), told.pop(index))
    return told


def a_fact_of(rng: Random, number: int) -> tuple[Interaction, int]:
    traits: JsonObject = rng.choice([{}, {}, {"title": "CEO"}, {"title": "Intern"}, {"city": "Rome"}, {"need": "much"}])
    account = rng.choice([None, None, AccountClaim(name="Acme")])
    name, when = rng.choice(["Pricing", "Demo", "Other", "Other"]), at(rng.randrange(390, 400), seconds=number)
    return an_interaction(name, when=when, number=number, traits=traits, account=account), rng.randint(1, 5)


def assert_right(card: Card, person: Person | None) -> None:
    """The card has the values that scoring knows; a score may be out by less than a whole point, and of strangers
    within their cell.
    """
    if person is None:
        assert card.attributes == {}
        assert card.scores is None or not (card.scores.fit or card.scores.engagement)
        return
    assert not differs(card.attributes, person.fit.attributes)
    assert card.scores == (None if person.said is None else person.said.as_scores())
    if person.said is not None or person.has_points:
        assert not person.is_due(person.scores_at(person.evaluated_at, GRID), person.said, GRID)
    if person.said is not None:
        assert card.is_test is person.is_test


PRICIER = PlainJudge(
    version=2, profile={("title", "CEO"): 50 * POINT, ("city", "Rome"): 5 * POINT, ("employees", 250): 25 * POINT}
)
PICKIER = PlainJudge(
    version=3, interactions=JUDGE.interactions, profile={("title", "CEO"): 30 * POINT, ("need", "much"): 12 * POINT}
)


@settings(max_examples=150)
@given(st.integers(0, 2**32))
def test_what_is_booked_is_always_what_holds(seed: int) -> None:
    """Rule by rule, for everybody, after each event of a life with late facts, merges, splits and activations; and no
    receipt is written twice.
    """
    rng, world = Random(seed), World()
    for event in a_long_life(rng):
        if rng.random() < 0.1:
            world.activate(rng.choice([JUDGE, PRICIER, PICKIER]))
        world.hear([event])
        for person in world.workspace.people.values():
            held = {rule: points for rule, points in person.fit.held.items() if points}
            assert world.booked(person) == held
            assert added(fragment.written for fragment in world.workspace.fragments_of(person.person_id)) == held
            judge = world.workspace.judges.of(person.fit.version)
            holds = {award.rule: award.points_e4 for award in judge.fit(person.fit.attributes)}
            assert person.fit.held == ({} if person.fit.version is None else holds)


def claims(names: int) -> st.SearchStrategy[Attributes]:
    """A claim of some names, some of them known; few moments and ids, so that claims are often equally strong."""
    name = st.integers(0, names).map(lambda number: f"trait_{number:03}") | st.sampled_from(["title", "company"])
    claim = st.builds(
        lambda strength, days, number: Attribute(
            value=f"{number} of {days}",
            strength=strength,
            source_id="src",
            interaction_id=f"int_{number}",
            occurred_at=at(days),
        ),
        st.sampled_from(list(Strength)),
        st.integers(0, 3),
        st.integers(0, 3),
    )
    return st.dictionaries(name, claim, max_size=names).map(bounded)


@settings(max_examples=60)
@given(st.lists(claims(130), max_size=4), st.randoms(use_true_random=False))
def test_a_bounded_profile_of_parts_is_that_of_the_whole_in_any_order_and_grouping(
    parts: list[Attributes], random: Random
) -> None:
    shuffled = [*parts, *parts[:1]]
    random.shuffle(shuffled)
    cut = random.randrange(len(shuffled) + 1)
    whole = joined(parts)
    assert join(joined(shuffled[:cut]), joined(shuffled[cut:])) == whole
    assert len(whole.keys() - KNOWN_ATTRIBUTES) <= OTHER_ATTRIBUTES
    best = {
        name: max((part[name] for part in parts if name in part), key=precedence) for part in parts for name in part
    }
    assert bounded(best) == whole


def test_claims_never_push_out_what_was_verified() -> None:
    def trait(number: int, strength: Strength, days: int) -> Attribute:
        return Attribute(
            value=number, strength=strength, source_id="src", interaction_id=f"int_{number}", occurred_at=at(days)
        )

    verified = {f"plan_{number}": trait(number, Strength.VERIFIED, 0) for number in range(OTHER_ATTRIBUTES)}
    claimed = {f"a_{number}": trait(number, Strength.CLAIMED, 9) for number in range(2 * OTHER_ATTRIBUTES)}
    named = {"title": trait(0, Strength.CLAIMED, 0)}
    assert joined([named, claimed, verified]) == {**named, **verified}


@given(histories(), histories(4), st.integers(1, 3), st.integers(1, 4))
def test_a_merge_that_is_cut_again_leaves_no_trace_even_of_events_between(
    before: list[tuple[Interaction, int]], between: list[tuple[Interaction, int]], apart: int, marked: int
) -> None:
    between = [
        (interaction.model_copy(update={"interaction_id": f"int_B{i:0>25}"}), fragment)
        for i, (interaction, fragment) in enumerate(between)
    ]
    merged, control = Registry(), Registry()
    for registry in (merged, control):
        for number in range(1, 5):
            registry.see(an_interaction("Other", number=900 + number), number)
        for interaction, fragment in before:
            registry.see(interaction, fragment)
        registry.mark(registry.owner[frg(marked)])
    merged.merge(frg(1), frg(apart + 1))
    for registry in (merged, control):
        registry.mark(registry.owner[frg(1)])
    for index, (interaction, fragment) in enumerate(between):
        for registry in (merged, control):
            registry.see(interaction, fragment, delayed=index % 2 == 0)
    merged.split(merged.owner[frg(1)], [frg(apart + 1)])
    for registry in (merged, control):
        registry.land()
    assert World().hear(merged.told).state() == World().hear(control.told).state()


@given(histories(), MOVES)
def test_a_persons_sum_is_always_the_sum_of_their_fragments(
    history: list[tuple[Interaction, int]], moves: list[tuple[str, int, int]]
) -> None:
    registry = Registry()
    for interaction, fragment in history:
        registry.see(interaction, fragment)
    for move, first, second in moves:
        if move == "merge" and {frg(first), frg(second)} <= registry.owner.keys():
            registry.merge(frg(first), frg(second))
    world = World().hear(registry.told)
    for person in world.workspace.people.values():
        assert person.sums == combine(fragment.sums for fragment in world.workspace.fragments_of(person.person_id))


@given(histories())
def test_a_fade_is_always_set_for_the_moment_the_cell_really_moves(history: list[tuple[Interaction, int]]) -> None:
    world = World().hear(seen_by_one_person(history))
    (person,) = world.workspace.people.values()
    if person.fades_at is not None:
        here = person.scores_at(person.evaluated_at, GRID).cell
        assert person.scores_at(person.fades_at, GRID).cell != here
        assert person.scores_at(max(person.evaluated_at, person.fades_at - timedelta(seconds=1)), GRID).cell == here
