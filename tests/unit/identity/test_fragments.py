"""Who is a test, told by humans."""

from __future__ import annotations

from contracts.events.identity import PersonCreated, PersonMarked
from services.identity.domain.fragments import is_test_person
from tests.unit.identity.world import World, a_capture


def is_test(world: World, **named: str) -> bool:
    return is_test_person(world.parts(world.person(**named)))


def test_a_mark_is_told_once_and_taken_back_once() -> None:
    world = World().hears(a_capture(1, anonymous_id="a1"), a_capture(2, user_id="u1", anonymous_id="a1"))
    person_id = world.person(user_id="u1")
    world.marks(person_id).marks(person_id)
    (marked,) = world.heard(PersonMarked)
    oldest = world.fragment(anonymous_id="a1")
    assert (marked.person_id, marked.fragment_id, marked.graph_version) == (
        person_id,
        oldest.fragment_id,
        oldest.graph_version,
    )
    assert (marked.is_test, marked.marked_by) == (True, "usr_ada")
    assert is_test(world, user_id="u1")
    world.marks(person_id, is_test=False).marks(person_id, is_test=False)
    assert [one.is_test for one in world.heard(PersonMarked)] == [True, False]
    assert not is_test(world, user_id="u1")


def test_a_mark_goes_with_its_fragment_through_merge_and_split() -> None:
    world = World().hears(a_capture(1, user_id="u1"), a_capture(2, user_id="u2"))
    world.marks(world.person(user_id="u2"))
    link_id = world.merges(world.person(user_id="u1"), world.person(user_id="u2"))
    assert is_test(world, user_id="u1")
    world.cuts(link_id)
    assert (is_test(world, user_id="u1"), is_test(world, user_id="u2")) == (False, True)


def test_to_say_of_somebody_merged_that_they_are_no_test_takes_every_mark_away() -> None:
    world = World().hears(a_capture(1, user_id="u1"), a_capture(2, user_id="u2"))
    world.marks(world.person(user_id="u2"))
    world.merges(world.person(user_id="u1"), world.person(user_id="u2"))
    world.marks(world.person(user_id="u1")).marks(world.person(user_id="u1"), is_test=False)
    assert not is_test(world, user_id="u1")
    taken_back = [one.fragment_id for one in world.heard(PersonMarked) if not one.is_test]
    assert sorted(taken_back) == sorted(world.fragments)


def test_whom_only_test_sources_saw_stays_a_test_whatever_is_said() -> None:
    world = World().hears(a_capture(1, user_id="u1", is_test=True))
    world.marks(world.person(user_id="u1"), is_test=False)
    assert world.heard(PersonMarked) == []
    assert is_test(world, user_id="u1")


def test_somebody_who_gets_an_older_name_is_created_with_the_mark_they_have() -> None:
    world = World().hears(a_capture(2, anonymous_id="a1"))
    world.marks(world.person(anonymous_id="a1")).hears(a_capture(1, user_id="u1", anonymous_id="a1"))
    assert [one.is_test for one in world.heard(PersonCreated)] == [True]
