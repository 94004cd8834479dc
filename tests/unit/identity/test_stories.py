"""Who is who, told as it happens on web sites."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contracts.events.identity import AccountCreated, PersonCreated, PersonMerged, PersonSplit
from contracts.ids import with_prefix
from contracts.values import Strength
from services.identity.domain.fragments import partition_at, person_of
from services.identity.domain.links import AlreadyOne, NothingToPart, part_off
from tests.unit.identity.world import DAWN, World, a_capture


def test_an_anonymous_visit_belongs_to_the_person_once_they_say_who_they_are() -> None:
    world = World().hears(a_capture(1, anonymous_id="a1"), a_capture(2, anonymous_id="a1"))
    visitor = world.person(anonymous_id="a1")
    world.hears(a_capture(3, user_id="u1", anonymous_id="a1"))
    assert world.person(anonymous_id="a1") == world.person(user_id="u1") == visitor
    assert [one.person_id for one in world.recognized()] == [visitor] * 3
    assert len(world.heard(PersonCreated)) == 1
    assert not world.heard(PersonMerged)  # nobody else was known: the visitor got a name


def test_an_interaction_stays_with_its_fragment_for_ever() -> None:
    world = World().hears(
        a_capture(1, anonymous_id="a1"), a_capture(2, user_id="u1", anonymous_id="a1"), a_capture(3, anonymous_id="a1")
    )
    device, user, again = (one.fragment_id for one in world.recognized())
    assert device == again == world.fragment(anonymous_id="a1").fragment_id
    assert user == world.fragment(user_id="u1").fragment_id


def test_two_known_people_who_turn_out_to_be_one_are_merged_into_the_older() -> None:
    world = World().hears(a_capture(1, email="ann@acme.com"), a_capture(2, user_id="u1"))
    older, younger = world.person(email="ann@acme.com"), world.person(user_id="u1")
    world.hears(a_capture(3, user_id="u1", email="ann@acme.com", server=True))
    (merged,) = world.heard(PersonMerged)
    assert (merged.person_id, merged.absorbed_person_ids, merged.graph_version) == (older, (younger,), 2)
    assert merged.fragment_ids == tuple(sorted(world.fragments))
    assert merged.strength is Strength.VERIFIED
    assert world.recognized()[-1].graph_version == 2


def test_an_absorbed_id_still_leads_to_the_survivor() -> None:
    world = World().hears(
        a_capture(1, email="ann@acme.com"), a_capture(2, user_id="u1"), a_capture(3, user_id="u1", email="ann@acme.com")
    )
    (absorbed,) = world.heard(PersonMerged)[0].absorbed_person_ids
    assert world.fragments[with_prefix("frg", absorbed)].person_id == world.person(email="ann@acme.com")


def test_a_capture_that_arrives_late_creates_its_person_before_it_absorbs_the_known_one() -> None:
    world = World().hears(a_capture(2, email="ann@acme.com"))
    known = world.person(email="ann@acme.com")
    world.hears(a_capture(1, user_id="u1", email="ann@acme.com"))
    kinds = [type(event).__name__ for event in world.said if not isinstance(event, AccountCreated)][2:]
    assert kinds == ["PersonCreated", "PersonMerged", "InteractionRecognized"]
    assert world.heard(PersonMerged)[0].absorbed_person_ids == (known,)
    assert (
        world.heard(PersonMerged)[0].person_id
        == world.person(user_id="u1")
        == person_of(world.fragment(user_id="u1").fragment_id)
    )


def test_a_stranger_is_told_of_once_they_go_by_a_name_and_since_when_they_were_seen() -> None:
    seen_at = DAWN - timedelta(days=3)
    world = World().hears(a_capture(1, anonymous_id="a1", occurred_at=seen_at), a_capture(2, anonymous_id="a1"))
    stranger = world.person(anonymous_id="a1")
    assert [type(event).__name__ for event in world.said] == ["InteractionRecognized"] * 2
    world.hears(a_capture(3, anonymous_id="a1", user_id="u1"), a_capture(4, anonymous_id="a1", user_id="u1"))
    (created,) = world.heard(PersonCreated)
    assert (created.person_id, created.fragment_id, created.occurred_at) == (
        stranger,
        world.fragment(anonymous_id="a1").fragment_id,
        seen_at,
    )


def test_a_stranger_who_absorbs_somebody_known_is_told_of_before_the_merge() -> None:
    world = World().hears(
        a_capture(1, anonymous_id="a1"), a_capture(2, user_id="u1"), a_capture(3, anonymous_id="a1", user_id="u1")
    )
    stranger = world.person(anonymous_id="a1")
    kinds = [type(event).__name__ for event in world.said[-3:]]
    assert kinds == ["PersonCreated", "PersonMerged", "InteractionRecognized"]
    assert (
        [event.person_id for event in world.heard(PersonCreated)][-1]
        == world.heard(PersonMerged)[0].person_id
        == stranger
    )


def test_two_users_of_one_device_stay_two_people() -> None:
    world = World().hears(a_capture(1, user_id="u1", anonymous_id="a1"), a_capture(2, user_id="u2", anonymous_id="a1"))
    assert world.person(user_id="u1") != world.person(user_id="u2")
    assert world.person(anonymous_id="a1") == world.person(user_id="u1")
    assert [one.reason for one in world.refusals.values()] == ["two_user_ids"]


def test_a_shared_device_is_reviewed_once_however_often_it_is_seen() -> None:
    world = World().hears(a_capture(1, user_id="u1", anonymous_id="a1"))
    world.hears(*(a_capture(number, user_id="u2", anonymous_id="a1") for number in range(2, 9)))
    assert len(world.refusals) == 1


def test_an_address_of_somebody_else_typed_on_my_device_does_not_make_us_one() -> None:
    world = World().hears(
        a_capture(1, email="me@acme.com", anonymous_id="a1"), a_capture(2, email="you@acme.com", anonymous_id="a2")
    )
    world.hears(a_capture(3, email="you@acme.com", anonymous_id="a1"))
    assert world.person(email="me@acme.com") != world.person(email="you@acme.com")
    assert world.recognized()[-1].person_id == world.person(email="you@acme.com")
    assert [one.reason for one in world.refusals.values()] == ["two_known_people"]


def test_colleagues_behind_one_switchboard_stay_two_people() -> None:
    world = World().hears(
        a_capture(1, email="me@acme.com", phone="+49301234567"),
        a_capture(2, email="you@acme.com", phone="+49301234567"),
    )
    assert world.person(email="me@acme.com") != world.person(email="you@acme.com")


def test_one_user_may_have_five_addresses_and_not_six() -> None:
    world = World().hears(
        *(a_capture(number, user_id="u1", email=f"ann{number}@acme.com", server=True) for number in range(1, 7))
    )
    assert {world.person(email=f"ann{number}@acme.com") for number in range(1, 6)} == {world.person(user_id="u1")}
    assert world.person(email="ann6@acme.com") != world.person(user_id="u1")
    assert [one.reason for one in world.refusals.values()] == ["too_many_emails"]


def test_an_alias_joins_two_user_ids() -> None:
    world = World().hears(
        a_capture(1, user_id="old"),
        a_capture(2, user_id="new"),
        a_capture(3, user_id="new", previous="old", server=True),
    )
    assert world.person(user_id="old") == world.person(user_id="new")
    assert len(world.heard(PersonMerged)) == 1


def test_an_alias_finds_the_previous_name_among_anonymous_ids() -> None:
    world = World().hears(a_capture(1, anonymous_id="a1"), a_capture(2, user_id="u1", previous="a1"))
    assert world.person(anonymous_id="a1") == world.person(user_id="u1")
    assert len(world.fragments) == 2


def test_an_alias_of_an_unknown_name_takes_it_for_a_user_id() -> None:
    world = World().hears(a_capture(1, user_id="new", previous="old", server=True), a_capture(2, user_id="old"))
    assert world.person(user_id="old") == world.person(user_id="new")


def test_signing_up_with_alias_on_a_shared_device_does_not_join_its_users() -> None:
    world = World().hears(
        a_capture(1, anonymous_id="a1"),
        a_capture(2, user_id="u1", previous="a1"),
        a_capture(3, user_id="u2", previous="a1"),
    )
    assert world.person(user_id="u1") != world.person(user_id="u2")


def test_a_claim_that_a_server_repeats_is_believed_and_never_doubted_again() -> None:
    told: dict[str, Any] = {"user_id": "u1", "email": "ann@acme.com"}
    world = World().hears(a_capture(1, **told))
    assert [link.strength for link in world.links.values()] == [Strength.CLAIMED]
    world.hears(a_capture(2, server=True, **told), a_capture(3, **told))
    (link,) = world.links.values()
    assert link.strength is Strength.VERIFIED
    assert link.created_at == DAWN + timedelta(seconds=1)
    assert link.verified_at == DAWN + timedelta(seconds=2)


def test_a_claim_is_not_proven_by_being_repeated() -> None:
    world = World().hears(*(a_capture(number, user_id="u1", email="ann@acme.com") for number in range(3)))
    assert [link.strength for link in world.links.values()] == [Strength.CLAIMED]


def test_cutting_one_merge_leaves_the_other_one_a_human_word() -> None:
    world = World().hears(*(a_capture(number, user_id=f"u{number}") for number in (1, 2, 3)))
    first = world.merges(world.person(user_id="u1"), world.person(user_id="u2"))
    world.merges(world.person(user_id="u1"), world.person(user_id="u3"))
    world.cuts(first)
    assert world.person(user_id="u1") == world.person(user_id="u3") != world.person(user_id="u2")
    # machines believe of each what they believed before
    assert len({one.cluster_id for one in world.fragments.values()}) == 3


def test_what_a_human_merged_and_cut_again_is_two_people_as_before() -> None:
    world = World().hears(a_capture(1, user_id="u1"), a_capture(2, user_id="u2"))
    one, other = world.person(user_id="u1"), world.person(user_id="u2")
    link_id = world.merges(one, other)
    assert world.person(user_id="u2") == one
    world.cuts(link_id)
    assert (world.person(user_id="u1"), world.person(user_id="u2")) == (one, other)
    (event,) = world.heard(PersonSplit)
    assert [(part.person_id, part.graph_version) for part in event.parts] == [(one, 3), (other, 3)]
    assert event.person_id == one


def test_two_people_can_be_merged_by_hand_a_second_time() -> None:
    world = World().hears(a_capture(1, user_id="u1"), a_capture(2, user_id="u2"))
    one, other = world.person(user_id="u1"), world.person(user_id="u2")
    first = world.merges(one, other)
    world.cuts(first)
    assert world.merges(one, other) != first
    assert world.person(user_id="u1") == world.person(user_id="u2")


def test_a_device_that_a_human_took_away_does_not_come_back_over_another_identifier() -> None:
    world = World().hears(
        a_capture(1, user_id="u1", anonymous_id="a1"), a_capture(2, user_id="u1", email="ann@acme.com")
    )
    person = world.person(user_id="u1")
    device = world.fragment(anonymous_id="a1").fragment_id
    world.cuts(*(link.link_id for link in part_off(world.parts(person), world.links_of(person), [device])))
    world.hears(a_capture(3, email="ann@acme.com", anonymous_id="a1"), a_capture(4, user_id="u1", anonymous_id="a1"))
    assert world.person(anonymous_id="a1") != world.person(user_id="u1")
    assert {one.reason for one in world.refusals.values()} == {"parted_by_human"}


def test_cutting_one_of_two_ties_parts_nobody() -> None:
    world = World().hears(
        a_capture(1, user_id="u1", anonymous_id="a1"), a_capture(2, user_id="u1", email="ann@acme.com")
    )
    world.hears(a_capture(3, email="ann@acme.com", anonymous_id="a1"))
    link = next(iter(world.links.values()))
    came = world.cuts(link.link_id)
    assert len(came.people) == 1
    assert not came.said
    assert {one.graph_version for one in world.fragments.values()} == {2}


def test_somebody_cannot_be_merged_with_themselves() -> None:
    world = World().hears(a_capture(1, user_id="u1", anonymous_id="a1"))
    with pytest.raises(AlreadyOne):
        world.merges(world.person(user_id="u1"), world.person(anonymous_id="a1"))


@pytest.mark.parametrize("chosen", [[], ["all"]])
def test_nobody_or_everybody_cannot_be_parted_off(chosen: list[str]) -> None:
    world = World().hears(a_capture(1, user_id="u1", anonymous_id="a1"))
    person = world.person(user_id="u1")
    with pytest.raises(NothingToPart):
        part_off(world.parts(person), world.links_of(person), list(world.fragments) if chosen else [])


def test_a_capture_without_any_name_is_a_person_of_its_own() -> None:
    world = World().hears(a_capture(1), a_capture(2))
    first, second = world.recognized()
    assert first.person_id != second.person_id
    assert world.heard(PersonCreated) == []


def test_a_name_that_is_none_is_remarked_and_the_interaction_kept() -> None:
    world = World().hears(a_capture(1, user_id="undefined", email="not an address"), a_capture(2, user_id="undefined"))
    assert world.remarks == ["user_id: junk", "email: not_an_email", "user_id: junk"]
    assert len({one.person_id for one in world.recognized()}) == 2  # "undefined" joined nobody


def test_an_address_in_the_traits_identifies_too() -> None:
    world = World().hears(a_capture(1, user_id="u1", traits={"email": " Ann@ACME.com", "phone": 493012345678}))
    assert world.person(email="ann@acme.com") == world.person(user_id="u1")
    assert World().hears(a_capture(1, traits={"email": {"x": 1}, "phone": True})).remarks == []


def test_a_person_is_marked_test_while_only_test_sources_saw_them() -> None:
    world = World().hears(a_capture(1, user_id="t", is_test=True), a_capture(2, user_id="u1"))
    assert [one.is_test for one in world.heard(PersonCreated)] == [True, False]


def test_the_past_is_told_as_it_was_known_then() -> None:
    world = World().hears(a_capture(1, user_id="u1"), a_capture(2, user_id="u2"))
    link_id = world.merges(world.person(user_id="u1"), world.person(user_id="u2"))
    world.cuts(link_id)
    sizes = [
        len(partition_at(world.fragments.values(), world.links.values(), DAWN + moment))
        for moment in (timedelta(0), timedelta(seconds=1), timedelta(seconds=2), timedelta(days=1), timedelta(days=2))
    ]
    assert sizes == [0, 1, 2, 1, 2]
