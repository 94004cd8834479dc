"""A claim is not a proof: whom strangers would join waits for a human, and what a server says goes first."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.events.identity import CandidateProposed, PersonMerged, PersonSplit
from contracts.limits import EMAILS
from contracts.values import CandidateStatus, Strength
from services.identity.domain.fragments import Fragment
from services.identity.domain.proposals.candidates import CANDIDATE_CLAIMS, CANDIDATES
from tests.unit.identity.world import World, a_capture

LEADS = [f"lead{number}@acme.com" for number in range(4)]


def pair(world: World, one: dict[str, str], other: dict[str, str]) -> frozenset[str]:
    return frozenset((world.person(**one), world.person(**other)))


def test_four_leads_are_not_joined_by_whoever_types_their_addresses() -> None:
    world = World().hears(
        *(a_capture(number, email=lead, anonymous_id=f"a{number}") for number, lead in enumerate(LEADS))
    )
    known = {world.person(email=lead) for lead in LEADS}
    world.hears(*(a_capture(10 + number, user_id="attacker-x", email=lead) for number, lead in enumerate(LEADS)))
    assert {world.person(email=lead) for lead in LEADS} == known
    assert not world.heard(PersonMerged)
    attacker = {"user_id": "attacker-x"}  # the first address was free to gather what they do; the others wait
    assert world.review() == {pair(world, attacker, {"email": lead}) for lead in LEADS[1:]}
    assert {one.reason for one in world.heard(CandidateProposed)} == {"two_addresses"}


def test_an_alias_from_a_browser_joins_no_two_users_whom_a_server_knows() -> None:
    world = World().hears(*(a_capture(n, user_id=f"u{n}", email=f"u{n}@acme.com", server=True) for n in (1, 2)))
    world.hears(a_capture(3, user_id="u2", previous="u1"))
    assert world.person(user_id="u1") != world.person(user_id="u2")
    assert world.review() == {pair(world, {"user_id": "u1"}, {"user_id": "u2"})}
    world.hears(a_capture(4, user_id="u2", previous="u1", server=True))
    assert world.person(user_id="u1") == world.person(user_id="u2")  # their server may say so


@pytest.mark.parametrize(("browser", "joined"), [("a1", True), ("a9", False), (None, False)])
def test_an_alias_from_a_browser_joins_only_what_this_browser_was(browser: str | None, joined: bool) -> None:
    world = World().hears(a_capture(1, user_id="old", anonymous_id="a1"), a_capture(2, anonymous_id="a9"))
    world.hears(a_capture(3, user_id="new", previous="old", anonymous_id=browser))
    assert (world.person(user_id="old") == world.person(user_id="new")) is joined
    assert bool(world.review()) is not joined


def test_an_alias_of_another_browser_is_refused() -> None:
    world = World().hears(a_capture(1, anonymous_id="victim"), a_capture(2, anonymous_id="own"))
    world.hears(a_capture(3, user_id="me", previous="victim", anonymous_id="own"))
    assert world.person(anonymous_id="victim") != world.person(user_id="me") == world.person(anonymous_id="own")


def test_what_strangers_joined_before_a_server_spoke_is_parted_and_waits() -> None:
    world = World().hears(a_capture(1, user_id="u1", email="bob@acme.com"))
    assert world.person(user_id="u1") == world.person(email="bob@acme.com")
    world.hears(
        a_capture(2, user_id="u1", email="ann@acme.com", server=True),
        a_capture(3, user_id="u2", email="bob@acme.com", server=True),
    )
    assert world.person(user_id="u1") == world.person(email="ann@acme.com")
    assert world.person(user_id="u2") == world.person(email="bob@acme.com") != world.person(user_id="u1")
    assert world.review() == {pair(world, {"user_id": "u1"}, {"user_id": "u2"})}
    (split,) = world.heard(PersonSplit)
    assert len(split.parts) == 2


def test_a_name_that_a_stranger_took_first_is_its_owners_once_a_server_says_so() -> None:
    world = World().hears(a_capture(1, user_id="attacker", email="victim@acme.com", anonymous_id="x"))
    world.hears(a_capture(2, user_id="victim", email="victim@acme.com", server=True))
    assert world.person(email="victim@acme.com") == world.person(user_id="victim") != world.person(user_id="attacker")
    assert world.person(anonymous_id="x") == world.person(user_id="attacker")


def test_a_claim_that_gave_way_is_made_again_by_a_server() -> None:
    world = World().hears(a_capture(1, user_id="u1", email="bob@acme.com"))
    world.hears(a_capture(2, user_id="u1", email="ann@acme.com", server=True))
    assert world.person(user_id="u1") != world.person(email="bob@acme.com")
    world.hears(a_capture(3, user_id="u1", email="bob@acme.com", server=True))
    assert world.person(user_id="u1") == world.person(email="bob@acme.com")
    assert {link.strength for link in world.links.values() if link.is_live} == {Strength.VERIFIED}


def test_a_pair_stands_once_however_often_and_by_whichever_names_it_is_claimed() -> None:
    world = World().hears(*(a_capture(n, user_id=f"u{n}", email=f"u{n}@acme.com", server=True) for n in (1, 2)))
    for number in range(3):
        world.hears(a_capture(10 + number, user_id="u1", email="u2@acme.com"))
    world.hears(a_capture(20, user_id="u2", email="u1@acme.com"))
    (candidate,) = world.candidates.values()
    assert (candidate.times, [one.times for one in candidate.claims]) == (4, [3, 1])
    assert len(world.heard(CandidateProposed)) == 1


def test_what_was_rejected_is_not_proposed_again_by_any_of_their_names() -> None:
    world = World().hears(*(a_capture(n, user_id=f"u{n}", email=f"u{n}@acme.com", server=True) for n in (1, 2)))
    world.hears(a_capture(10, user_id="u1", email="u2@acme.com"))
    world.rejects(next(iter(world.candidates)))
    world.hears(a_capture(11, user_id="u2", email="u1@acme.com"), a_capture(12, user_id="u1", previous="u2"))
    assert [one.status for one in world.candidates.values()] == [CandidateStatus.REJECTED]
    assert not world.review()


def test_of_what_strangers_claim_of_somebody_so_much_is_kept_and_what_servers_say_has_room() -> None:
    world = World().hears(a_capture(0, user_id="u", email="u@acme.com", server=True))
    for number in range(1, CANDIDATES + 10):
        world.hears(a_capture(number, user_id=f"v{number}", email=f"v{number}@acme.com", server=True))
    world.hears(*(a_capture(1000 + n, user_id="u", email=f"v{n}@acme.com") for n in range(1, CANDIDATES + 5)))
    assert len(world.candidates) == CANDIDATES
    last = CANDIDATES + 6
    world.hears(a_capture(2000, user_id="u", email=f"v{last}@acme.com", server=True))
    assert pair(world, {"user_id": "u"}, {"user_id": f"v{last}"}) in world.review()


def test_a_pair_is_explained_by_so_many_claims() -> None:
    world = World()
    for start, who in enumerate("ab"):
        world.hears(
            *(a_capture(100 * start + n, user_id=who, email=f"{who}{n}@acme.com", server=True) for n in range(5))
        )
    number = 1000
    for one in range(5):
        for other in range(5):
            number += 1
            world.hears(a_capture(number, traits={"emails": [f"a{one}@acme.com", f"b{other}@acme.com"]}))
    (candidate,) = world.candidates.values()
    assert (candidate.times, len(candidate.claims)) == (25, CANDIDATE_CLAIMS)


_PEOPLE = range(3)
_owned = st.builds(
    lambda who, kinds: {kind: value for kind, value in names_of(who).items() if kind in kinds},
    st.sampled_from(_PEOPLE),
    st.sets(st.sampled_from(["user_id", "email", "phone"]), min_size=1),
)
_mixed = st.fixed_dictionaries(
    {},
    optional={
        "user_id": st.sampled_from(["u0", "u1", "u2", "stranger"]),
        "email": st.sampled_from(["p0@acme.com", "p1@acme.com", "p2@acme.com", "x@evil.com"]),
        "phone": st.sampled_from(["+49301234560", "+49301234561"]),
        "anonymous_id": st.sampled_from(["a0", "a1"]),
    },
)
_alias = st.fixed_dictionaries(
    {
        "user_id": st.sampled_from(["u0", "u1", "stranger"]),
        "previous": st.sampled_from(["u1", "u2", "a0", "p2@acme.com"]),
    },
    optional={"anonymous_id": st.sampled_from(["a0", "a1"])},
)
_story = st.lists(
    st.one_of(_owned.map(lambda told: {**told, "server": True}), _mixed, _mixed, _alias), min_size=1, max_size=30
)


def names_of(who: int) -> dict[str, Any]:
    return {"user_id": f"u{who}", "email": f"p{who}@acme.com", "phone": f"+4930123456{who}"}


def owner_of(fragment: Fragment) -> int | None:
    """Whose name it is in truth, which servers say."""
    return next((who for who in _PEOPLE if names_of(who).get(fragment.kind or "") == fragment.value), None)


def vouched(world: World) -> dict[str, int]:
    """The names that servers went by -> whose they are in truth."""
    own = {one.fragment_id: owner_of(one) for one in world.fragments.values() if one.vouched_at is not None}
    return {fragment_id: who for fragment_id, who in own.items() if who is not None}


@settings(max_examples=300)
@given(_story, st.integers(1, 7))
def test_no_public_calls_join_people_whom_servers_know(story: list[dict[str, Any]], size: int) -> None:
    world, captures = World(), [a_capture(number, **told) for number, told in enumerate(story)]
    for start in range(0, len(captures), size):
        world.hears(*captures[start : start + size])
    by_cluster: dict[str, set[int]] = {}
    for fragment_id, who in vouched(world).items():
        by_cluster.setdefault(world.fragments[fragment_id].cluster_id, set()).add(who)
    assert all(len(people) == 1 for people in by_cluster.values())


@settings(max_examples=300)
@given(_story)
def test_no_public_calls_change_whose_a_verified_name_is(story: list[dict[str, Any]]) -> None:
    captures = [a_capture(number, **told) for number, told in enumerate(story)]
    with_strangers, without = World().hears(*captures), World()
    without.hears(*(one for one, told in zip(captures, story, strict=True) if told.get("server")))
    assert together(with_strangers) == together(without)


@settings(max_examples=300)
@given(_story, st.randoms(use_true_random=False))
def test_the_order_of_delivery_changes_neither_verified_people_nor_the_pairs_for_review(
    story: list[dict[str, Any]], random: Any
) -> None:
    """Devices and numbers go to whoever comes first, as ever: what is compared is what names and servers say."""
    told = [one for one in story if "previous" not in one and not {"anonymous_id"} & one.keys()]
    told = [one for one in told if one.get("server") or one.keys() == {"user_id", "email"}]
    told = [one for one in told if "stranger" not in one.values() and "x@evil.com" not in one.values()]
    captures = [a_capture(number, **one) for number, one in enumerate(told)]
    captures += [a_capture(500 + who, server=True, **names_of(who)) for who in _PEOPLE]
    shuffled = list(captures)
    random.shuffle(shuffled)
    in_order, out_of_order = World().hears(*captures), World().hears(*shuffled)
    assert in_order.names() == out_of_order.names()
    assert compared(in_order) == compared(out_of_order)


def together(world: World) -> set[frozenset[str]]:
    """Which names that servers went by are one person's."""
    groups: dict[str, set[str]] = {}
    for fragment_id in vouched(world):
        fragment = world.fragments[fragment_id]
        groups.setdefault(fragment.cluster_id, set()).add(f"{fragment.kind}:{fragment.value}")
    return {frozenset(group) for group in groups.values()}


def compared(world: World) -> set[frozenset[int | None]]:
    """The pairs that wait, by who they are in truth."""
    return {
        frozenset(owner_of(world.fragments[one]) for one in candidate.pair)
        for candidate in world.candidates.values()
        if len({world.fragments[one].person_id for one in candidate.pair}) == 2
    }


def test_what_strangers_claim_takes_no_room_of_what_servers_say() -> None:
    world = World().hears(
        *(a_capture(n, user_id=f"u{n}", email=f"junk{n}@evil.com", anonymous_id="kiosk") for n in range(50))
    )
    world.hears(*(a_capture(100 + n, user_id="u0", email=f"own{n}@acme.com", server=True) for n in range(EMAILS)))
    assert {world.person(email=f"own{n}@acme.com") for n in range(EMAILS)} == {world.person(user_id="u0")}
