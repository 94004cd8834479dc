"""What must hold whatever is captured, in whatever order."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.envelope import Event
from contracts.events.gateway import InteractionReceived
from contracts.events.identity import InteractionRecognized, PersonCreated, PersonMerged, PersonSplit
from contracts.values import Strength
from people_kernel.consent import StatementKey, answers
from services.identity.domain.consent import FragmentConsent
from services.identity.domain.fragments import Link, components, is_test_person, person_of
from services.identity.domain.links import part_off
from tests.unit.identity.world import DAWN, World, a_capture

_NAMES: dict[str, list[str | None]] = {
    "user_id": [None, None, "u1", "u2", "u3"],
    "email": [None, "ann@acme.com", "bob@acme.com", "cy@gmail.com"],
    "phone": [None, None, "+49301234567", "+49307654321"],
    "anonymous_id": [None, "a1", "a2", "a3", "a4"],
}
_BOXES: list[dict[str, Any]] = [
    {},
    {},
    {},
    {"newsletter": "on"},
    {"marketing_consent": "yes"},
    {"emailOptOut": "1"},
    {"optout": "1", "phone_ok": "on"},
]
_told = st.fixed_dictionaries(
    {
        **{kind: st.sampled_from(values) for kind, values in _NAMES.items()},
        "server": st.booleans(),
        "context": st.sampled_from(_BOXES).map(lambda boxes: {"consent": boxes}),
        "occurred_at": st.integers(0, 5).map(lambda hour: DAWN - timedelta(hours=hour)),
    }
)
_aliases = st.fixed_dictionaries(
    {"user_id": st.sampled_from(["u1", "u2", "u3"]), "previous": st.sampled_from(["u1", "u2", "a1", "u9"])}
)
_stories = st.lists(st.one_of(_told, _told, _told, _aliases), min_size=1, max_size=25)
_small = settings(max_examples=150)


def captures_of(story: list[dict[str, Any]]) -> list[InteractionReceived]:
    return [a_capture(number, **told) for number, told in enumerate(story)]


def in_batches(captures: list[InteractionReceived], size: int) -> World:
    world = World()
    for start in range(0, len(captures), size):
        world.hears(*captures[start : start + size])
    return world


@_small
@given(_stories, st.integers(1, 7))
def test_the_partition_is_what_the_live_automatic_links_join(story: list[dict[str, Any]], size: int) -> None:
    world = in_batches(captures_of(story), size)
    groups = components(world.fragments, [link.pair for link in world.links.values() if link.is_live])
    for group in groups:
        assert {world.fragments[one].cluster_id for one in group} == {group[0]}
        assert {world.fragments[one].person_id for one in group} == {person_of(group[0])}
        assert len({world.fragments[one].graph_version for one in group}) == 1


@_small
@given(_stories, st.integers(1, 7), st.data())
def test_the_cores_are_what_the_live_verified_links_join(
    story: list[dict[str, Any]], size: int, data: st.DataObject
) -> None:
    world = in_batches(captures_of(story), size)
    if data.draw(st.booleans()) and world.links:
        world.cuts(data.draw(st.sampled_from(sorted(link.link_id for link in world.links.values()))))
    verified = [link.pair for link in world.links.values() if link.is_live and link.strength is Strength.VERIFIED]
    for group in components(world.fragments, verified):
        assert {world.fragments[one].core_id for one in group} == {group[0] if len(group) > 1 else None}


@_small
@given(_stories, st.integers(1, 7), st.integers(1, 7))
def test_how_captures_are_batched_changes_nothing(story: list[dict[str, Any]], one: int, other: int) -> None:
    captures = captures_of(story)
    left, right = in_batches(captures, one), in_batches(captures, other)
    assert left.fragments == right.fragments
    assert left.links == right.links
    assert left.consents == right.consents
    assert [wire(event) for event in left.said] == [wire(event) for event in right.said]


@_small
@given(_stories)
def test_a_replay_gives_the_same_ids_and_events_to_the_byte(story: list[dict[str, Any]]) -> None:
    first, second = World().hears(*captures_of(story)), World().hears(*captures_of(story))
    assert [wire(event) for event in first.said] == [wire(event) for event in second.said]
    assert len({event.meta.event_id for event in first.said}) == len(first.said)


@_small
@given(_stories)
def test_each_interaction_is_recognized_exactly_once(story: list[dict[str, Any]]) -> None:
    captures = captures_of(story)
    recognized = World().hears(*captures).recognized()
    assert [one.interaction.interaction_id for one in recognized] == [
        capture.interaction.interaction_id for capture in captures
    ]


@_small
@given(_stories, st.integers(1, 7))
def test_a_hearer_who_folds_the_events_once_knows_what_the_store_knows(story: list[dict[str, Any]], size: int) -> None:
    world = in_batches(captures_of(story), size)
    believed = fold(world.said)
    for fragment_id, (person_id, version) in believed.items():
        assert world.fragments[fragment_id].person_id == person_id
        assert version <= world.fragments[fragment_id].graph_version


@_small
@given(_stories, st.integers(1, 5), st.data())
def test_a_merge_that_is_cut_leaves_what_would_have_been_without_it(
    story: list[dict[str, Any]], size: int, data: st.DataObject
) -> None:
    captures = captures_of(story)
    middle = data.draw(st.integers(1, len(captures)))
    merged, control = in_batches(captures[:middle], size), in_batches(captures[:middle], size)
    people = sorted({one.person_id for one in merged.fragments.values()})
    if len(people) < 2:
        return
    one, other = data.draw(st.lists(st.sampled_from(people), min_size=2, max_size=2, unique=True))
    marked = data.draw(st.sampled_from([*people, None]))
    if marked is not None:
        merged.marks(marked)
        control.marks(marked)
    link_id = merged.merges(one, other)
    if data.draw(st.booleans()):  # a mark on the two hangs on the older one
        merged.marks(min(one, other))
        control.marks(min(one, other))
    for capture in captures[middle:]:
        merged.hears(capture)
        control.hears(capture)
    merged.cuts(link_id)
    assert grouping(merged) == grouping(control)
    assert automatic(merged) == automatic(control)
    assert merged.refusals == control.refusals
    assert merged.accounts == control.accounts
    assert own_statements(merged) == own_statements(control)
    for person_id in {fragment.person_id for fragment in control.fragments.values()}:
        assert is_test_person(merged.parts(person_id)) == is_test_person(control.parts(person_id))
        assert answers(merged.consents_of(person_id)) == answers(control.consents_of(person_id))


@_small
@given(_stories, st.randoms(use_true_random=False))
def test_statements_may_arrive_in_any_order_and_again(story: list[dict[str, Any]], random: Any) -> None:
    """Who is who depends on the order of captures, what was answered on a name does not."""
    captures = captures_of(story)
    shuffled = [*captures, *random.sample(captures, len(captures) // 2)]
    random.shuffle(shuffled)
    assert answers_by_name(World().hears(*captures)) == answers_by_name(World().hears(*shuffled))


@_small
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sets(st.sampled_from(["user_id", "email", "phone", "a", "b"]), min_size=1)),
        max_size=20,
    ),
    st.randoms(),
)
def test_without_conflicts_the_order_does_not_matter(told: list[tuple[int, set[str]]], random: Any) -> None:
    captures = [a_capture(number, **own_names(who, kinds)) for number, (who, kinds) in enumerate(told)]
    shuffled = list(captures)
    random.shuffle(shuffled)
    in_order, out_of_order = World().hears(*captures), World().hears(*shuffled)
    assert not in_order.refusals
    assert in_order.names() == out_of_order.names()


@_small
@given(_stories, st.data())
def test_a_cut_pair_is_never_joined_again_by_machines(story: list[dict[str, Any]], data: st.DataObject) -> None:
    captures = captures_of(story)
    world = World().hears(*captures)
    live = {link.link_id: link for link in world.links.values() if link.is_live}
    if not live:
        return
    link = live[data.draw(st.sampled_from(sorted(live)))]
    person_id = world.fragments[link.left_id].person_id
    apart = part_off(world.parts(person_id), world.links_of(person_id), [link.left_id])
    world.cuts(*(one.link_id for one in apart))
    world.hears(*(a_capture(100 + number, **told) for number, told in enumerate(story)))
    assert world.fragments[link.left_id].cluster_id != world.fragments[link.right_id].cluster_id


def own_names(who: int, kinds: set[str]) -> dict[str, Any]:
    names = {"user_id": f"u{who}", "email": f"p{who}@acme.com", "phone": f"+4930123456{who}"}
    told: dict[str, Any] = {kind: names[kind] for kind in kinds if kind in names}
    if devices := sorted(kinds - set(names)):
        told["anonymous_id"] = f"{devices[0]}{who}"
    return told


def fold(events: list[Event]) -> dict[str, tuple[str, int]]:
    """What somebody believes who hears identity and nobody else: fragment -> (person, version)."""
    believed: dict[str, tuple[str, int]] = {}
    for event in events:
        match event:
            case InteractionRecognized() | PersonCreated():
                believed[event.fragment_id] = (event.person_id, event.graph_version)
            case PersonMerged():
                believed |= dict.fromkeys(event.fragment_ids, (event.person_id, event.graph_version))
            case PersonSplit():
                for part in event.parts:
                    believed |= dict.fromkeys(part.fragment_ids, (part.person_id, part.graph_version))
    return believed


def wire(event: Event) -> tuple[dict[str, str], bytes]:
    return event.headers(), event.body()


def answers_by_name(world: World) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    named = {one.fragment_id: (one.kind, one.value) for one in world.fragments.values() if one.kind is not None}
    stated = [one for one in own_statements(world).values() if one.fragment_id in named]
    return {
        (*named[one.fragment_id], one.channel, one.key.kind): (one.interaction_id, one.occurred_at) for one in stated
    }


def own_statements(world: World) -> dict[StatementKey, FragmentConsent]:
    """What was said on a fragment itself, and not carried over to it."""
    return {key: one for key, one in world.consents.items() if one.origin_id == one.fragment_id}


def grouping(world: World) -> dict[str, tuple[Any, ...]]:
    return {
        one.fragment_id: (one.cluster_id, one.person_id, one.kind, one.value, one.account_id, one.core_id)
        for one in world.fragments.values()
    }


def automatic(world: World) -> dict[str, Link]:
    return {link_id: link for link_id, link in world.links.items() if not link.is_manual}
