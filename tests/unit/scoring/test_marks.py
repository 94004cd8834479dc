"""Marked people, and people whose id comes back: what hearers are told about whether and how they count."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from contracts.events.identity import PersonMarked
from contracts.events.scoring import ProfileChanged, ScoreChanged, ScoreCorrected
from contracts.values import (
    AccountClaim,
    Belonging,
    Identifier,
    IdentifierKind,
    Interaction,
    InteractionKind,
    JsonObject,
    NamedBy,
)
from services.scoring.domain.claims import RecognizedIds, claims_anew, stored_trait_fact, trait_facts
from services.scoring.store.rows import packed, unpacked
from tests.support.people import at, frg, per
from tests.unit.scoring.builders import an_interaction, identified, recognized
from tests.unit.scoring.people import Registry
from tests.unit.scoring.world import World


def test_a_mark_on_somebody_known_is_told_to_whoever_heard_their_score() -> None:
    registry = Registry()
    registry.see(an_interaction("Pricing", when=at(399)), 1)
    registry.mark(per(1))
    registry.mark(per(1))
    registry.see(identified({"title": "CEO"}, when=at(399), number=2), 1)
    registry.mark(per(1), is_test=False)
    world = World().hear(registry.told)
    told = [
        (type(event).__name__, event.is_test)
        for event in world.workspace.said
        if isinstance(event, ProfileChanged | ScoreChanged | ScoreCorrected)
    ]
    assert told == [
        ("ScoreChanged", False),
        ("ScoreCorrected", True),
        ("ProfileChanged", True),
        ("ScoreChanged", True),
        ("ScoreCorrected", False),
    ]
    corrected = [event for event in world.workspace.said if isinstance(event, ScoreCorrected)]
    assert [event.reason for event in corrected] == ["marked as a test", "no longer marked as a test"]
    assert corrected[0].previous is not None
    assert corrected[0].occurred_at is None


def test_a_mark_on_a_fragment_that_nothing_was_heard_of_is_remembered() -> None:
    registry = Registry()
    registry.see(an_interaction("Pricing", number=1, when=at(399)), 1, delayed=True)
    registry.mark(per(1))
    world = World().hear(registry.told)
    assert world.workspace.people == {}
    assert world.workspace.said == []
    registry.land()
    registry.merge(frg(1), frg(1))
    world.hear(registry.told)
    (changed,) = world.workspace.said
    assert isinstance(changed, ScoreChanged)
    assert changed.is_test


def test_a_mark_on_another_fragment_of_somebody_known_counts() -> None:
    marked = PersonMarked(
        meta=recognized(an_interaction(number=9)).meta,
        person_id=per(1),
        fragment_id=frg(1),
        graph_version=1,
        is_test=True,
        marked_by="usr_ada",
    )
    world = World().hear([recognized(an_interaction("Pricing"), 2, 1), marked])
    assert world.workspace.people[per(1)].is_test
    assert [type(event).__name__ for event in world.workspace.said] == [
        "ProfileChanged",
        "ScoreChanged",
        "ScoreCorrected",
    ]


def test_of_two_marks_one_taken_back_leaves_the_other() -> None:
    registry = Registry()
    for number in (1, 2):
        registry.see(an_interaction("Pricing", number=number, when=at(399)), number)
        registry.mark(per(number))
    registry.merge(frg(1), frg(2))
    registry.mark(per(1), is_test=False)
    first, second = registry.told[-2:]
    world = World().hear([*registry.told[:-2], first])
    assert world.workspace.people[per(1)].is_test
    world.hear([second])
    assert not world.workspace.people[per(1)].is_test


def test_a_mark_goes_with_its_fragment_and_the_change_is_told() -> None:
    registry = Registry()
    registry.see(an_interaction("Demo", number=1, when=at(399)), 1)
    registry.see(an_interaction("Other", number=2, when=at(399)), 2)
    registry.mark(per(2))
    registry.merge(frg(1), frg(2))
    registry.split(per(1), [frg(2)])
    world = World().hear(registry.told)
    assert [
        (event.person_id, event.is_test) for event in world.workspace.said if isinstance(event, ScoreCorrected)
    ] == [
        (per(1), True),
        (per(1), False),
    ]
    assert (world.workspace.people[per(1)].is_test, world.workspace.people[per(2)].is_test) == (False, True)


def test_who_was_only_seen_by_test_sources_is_a_test_whatever_mark_is_taken_back() -> None:
    registry = Registry()
    registry.see(an_interaction("Pricing", when=at(399), is_test=True), 1)
    registry.mark(per(1))
    registry.mark(per(1), is_test=False)
    world = World().hear(registry.told)
    assert world.workspace.people[per(1)].is_test
    assert len(world.workspace.said) == 1


def test_whoever_a_split_brings_back_smaller_is_told_what_is_gone() -> None:
    """Per 2 was told with a title and a city; only the city comes back."""
    registry = Registry()
    registry.see(an_interaction("Other", number=1, when=at(399)), 1)
    registry.see(identified({"city": "Rome"}, when=at(399), number=2), 2)
    registry.see(identified({"title": "CEO"}, when=at(399), number=3), 4)
    registry.see(an_interaction("Pricing", when=at(399), number=4), 2)
    registry.merge(frg(2), frg(4))
    registry.merge(frg(1), frg(2))
    registry.split(per(1), [frg(2)])
    world = World().hear(registry.told)
    profile, corrected = [
        event
        for event in world.workspace.said
        if isinstance(event, ProfileChanged | ScoreCorrected) and event.person_id == per(2)
    ][-2:]
    assert isinstance(profile, ProfileChanged)
    assert profile.attributes.keys() == {"city"}
    assert profile.scores is not None
    assert profile.scores.fit == Decimal(0)
    assert isinstance(corrected, ScoreCorrected)
    assert (corrected.scores, corrected.previous) == (profile.scores, None)


def test_an_id_that_comes_back_for_a_fragment_nobody_heard_of_is_told_as_empty_first() -> None:
    registry = Registry()
    registry.see(an_interaction("Other", number=1, when=at(399)), 1)
    registry.see(identified({"title": "CEO"}, when=at(399), number=2), 2)
    registry.merge(frg(1), frg(2))
    world = World().hear(registry.told)
    before = len(world.workspace.said)
    world.hear([recognized(an_interaction("Pricing", number=7, when=at(399)), 7, 2, graph_version=5, heard_at=at(401))])
    profile, news = world.workspace.said[before:]
    assert isinstance(profile, ProfileChanged)
    assert (profile.person_id, profile.attributes, profile.scores, profile.occurred_at) == (per(2), {}, None, None)
    assert isinstance(news, ScoreChanged)
    assert (news.person_id, news.scores.fit) == (per(2), Decimal(0))


def test_whoever_an_id_comes_from_is_told_whole_though_others_went_by_it_and_left_before_they_were_heard_of() -> None:
    world = World().hear([recognized(identified({"title": "CEO"}, number=7), 7, 2, graph_version=2)])
    world.hear([recognized(an_interaction("Other", number=8), 7, 1, graph_version=3)])
    assert set(world.workspace.people) == {per(1)}
    before = len(world.workspace.said)
    world.hear([recognized(an_interaction("Other", number=9), 2)])
    (profile,) = world.workspace.said[before:]
    assert isinstance(profile, ProfileChanged)
    assert (profile.person_id, profile.attributes, profile.scores) == (per(2), {}, None)


RECOGNIZED: dict[str, Any] = {
    "identifiers": (Identifier(kind=IdentifierKind.USER_ID, value="u1"),),
    "account_id": "acc_acme",
    "belonging": Belonging(account_id="acc_acme", named_by=NamedBy.GROUP_CALL),
}


@pytest.mark.parametrize(
    ("interaction", "claimed"),
    [
        (identified({"city": "Rome"}), {"city": "Rome"}),
        (identified({}), {}),  # who they are is all that it says
        (an_interaction("Joined", kind=InteractionKind.GROUP, account=AccountClaim(group_id="g1")), {}),
        (identified({"userId": "theirs", "account_id": "theirs", "accountId": 7}), {}),
    ],
)
def test_what_identity_knows_is_claimed_with_what_claims_anything(
    interaction: Interaction, claimed: JsonObject
) -> None:
    event = recognized(interaction, **RECOGNIZED)
    (fact,) = trait_facts([event], 1).values()
    assert fact.claims == {"account_id": "acc_acme", "user_id": "u1"} | claimed
    kept = unpacked(interaction.interaction_id, packed(interaction))
    claims = claims_anew(kept, RecognizedIds("acc_acme", "u1"))
    read_back = stored_trait_fact(kept, event.fragment_id, "claimed", 1, claims)
    assert replace(read_back, account_named_by=NamedBy.GROUP_CALL) == fact
    of_before = recognized(interaction, **RECOGNIZED | {"belonging": None, "facts": None})
    assert list(trait_facts([of_before], 1).values()) == [read_back]
    assert [fact.claims for fact in trait_facts([recognized(interaction)], 1).values()] == (
        [claimed] if claimed else []
    )


@pytest.mark.parametrize("visit", [an_interaction("Page", kind=InteractionKind.PAGE), an_interaction("Signed In")])
def test_a_visit_claims_nothing_whoever_it_was(visit: Interaction) -> None:
    assert trait_facts([recognized(visit, **RECOGNIZED | {"belonging": None})], 1) == {}


def test_what_is_said_tells_when_it_happened_and_what_is_judged_anew_tells_no_moment() -> None:
    registry = Registry()
    registry.see(identified({"title": "CEO"}, when=at(390), number=1), 1)
    registry.see(an_interaction("Demo", when=at(391), number=2), 2)
    registry.merge(frg(1), frg(2))
    registry.see(an_interaction("Blog", when=at(399), number=3), 1)
    world = World().hear(registry.told)
    said = [
        event for event in world.workspace.said if isinstance(event, ProfileChanged | ScoreChanged | ScoreCorrected)
    ]
    assert [(type(event).__name__, event.occurred_at) for event in said] == [
        ("ProfileChanged", at(390)),
        ("ScoreChanged", at(390)),
        ("ScoreChanged", at(391)),
        ("ScoreCorrected", None),
        ("ScoreChanged", at(399)),
    ]
