"""Nurture answers as identity does, whatever was said in whatever order, through merges and splits; and nothing that is
said with a public key lifts a withdrawal.
"""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.events.identity import ConsentChanged
from contracts.values import Consent, ConsentChannel
from people_kernel.consent import about, answers
from services.nurture.domain.incoming_events import take_consent
from services.nurture.domain.workspace import NurtureWorkspace
from tests.unit.identity.world import DAWN, World, a_capture

EMAIL, ANY = ConsentChannel.EMAIL, ConsentChannel.ANY
_SAID: list[dict[str, Any]] = [
    {"newsletter": "on"},
    {"marketing_consent": "yes"},
    {"emailOptOut": "1"},
    {"optout": "1", "phone_ok": "on"},
    {"doNotCall": "1", "newsletter": "yes"},
]
_captures = st.fixed_dictionaries(
    {
        "who": st.sampled_from([{"user_id": "u1"}, {"email": "ann@acme.com"}, {"phone": "+4930123456"}]),
        "with": st.sampled_from([{}, {}, {"anonymous_id": "a1"}, {"email": "bob@acme.com"}]),
        "said": st.sampled_from(_SAID),
        "server": st.booleans(),
        "hours": st.integers(0, 6),
    }
)
_acts = st.one_of(
    _captures,
    _captures,
    st.just("merge"),
    st.just("cut"),
    st.tuples(st.sampled_from(ConsentChannel), st.sampled_from(Consent)),
)
_seeds = st.integers(0, 1000)


def live(acts: list[Any], seed: int) -> World:
    """The world after these acts."""
    world, rng, manual = World(), random.Random(seed), []
    for number, act in enumerate(acts, 1):
        people = sorted({one.person_id for one in world.fragments.values()})
        if isinstance(act, dict):
            told = {**act["who"], **act["with"]}
            when = DAWN - timedelta(hours=act["hours"])
            world.hears(
                a_capture(number, server=act["server"], context={"consent": act["said"]}, occurred_at=when, **told)
            )
        elif act == "merge" and len(people) > 1:
            manual.append(world.merges(*rng.sample(people, 2)))
        elif act == "cut" and manual:
            world.cuts(manual.pop(rng.randrange(len(manual))))
        elif isinstance(act, tuple) and people:
            world.records(rng.choice(people), *act)
    return world


def as_identity_answers(world: World, person_id: str) -> list[Consent | None]:
    return [consent_for(channel, answers(world.consents_of(person_id))) for channel in ConsentChannel]


def consent_for(channel: ConsentChannel, known: Any) -> Consent | None:
    found = about(channel, known)
    return None if found is None else found.consent


@settings(max_examples=300, deadline=None)
@given(st.lists(_acts, max_size=25), _seeds)
def test_nurture_answers_as_identity_does_in_whatever_order_it_hears(acts: list[Any], seed: int) -> None:
    world = live(acts, seed)
    events = world.heard(ConsentChanged)
    events += random.Random(seed).sample(events, len(events) // 2)
    random.Random(seed).shuffle(events)
    nurture = NurtureWorkspace()
    for event in events:
        take_consent(nurture, ConsentChanged.from_wire(event.headers(), event.body()))
    for person_id in {one.person_id for one in world.fragments.values()}:
        own = {one.fragment_id for one in world.parts(person_id)}
        heard = answers(one for one in nurture.consents.values() if one.fragment_id in own)
        assert [consent_for(channel, heard) for channel in ConsentChannel] == as_identity_answers(world, person_id)


@settings(max_examples=200, deadline=None)
@given(st.lists(_acts, max_size=15), st.lists(_captures, max_size=10), _seeds)
def test_nothing_said_with_a_public_key_lifts_a_withdrawal(acts: list[Any], claims: list[Any], seed: int) -> None:
    world = live(acts, seed)
    named = {(one.kind, one.value) for one in world.fragments.values()}
    before = {
        (one.fragment_id, channel)
        for one in world.fragments.values()
        for channel, consent in zip(ConsentChannel, as_identity_answers(world, one.person_id), strict=True)
        if consent is Consent.WITHDRAWN
    }
    for number, claim in enumerate(claims, 500):  # of strangers, who know names and may join them
        when = DAWN + timedelta(hours=claim["hours"])
        told = {**claim["who"], **claim["with"]}
        world.hears(a_capture(number, context={"consent": claim["said"]}, occurred_at=when, **told))
    assert named <= {(one.kind, one.value) for one in world.fragments.values()}
    after = {
        (one.fragment_id, channel)
        for one in world.fragments.values()
        for channel, consent in zip(ConsentChannel, as_identity_answers(world, one.person_id), strict=True)
        if consent is Consent.WITHDRAWN
    }
    assert before <= after


@settings(max_examples=150, deadline=None)
@given(st.lists(_acts, max_size=15), _seeds, st.data())
def test_two_who_become_one_may_be_reached_where_both_could_and_get_their_own_back(
    acts: list[Any], seed: int, data: st.DataObject
) -> None:
    world = live(acts, seed)
    people = sorted({one.person_id for one in world.fragments.values()})
    if len(people) < 2:
        return
    one, other = data.draw(st.lists(st.sampled_from(people), min_size=2, max_size=2, unique=True))
    apart = [as_identity_answers(world, one), as_identity_answers(world, other)]
    fragments = [world.parts(one)[0].fragment_id, world.parts(other)[0].fragment_id]
    link_id = world.merges(one, other)
    together = as_identity_answers(world, world.fragments[fragments[0]].person_id)
    for said, both in zip(together, zip(*apart, strict=True), strict=True):
        assert (said is Consent.WITHDRAWN) >= (Consent.WITHDRAWN in both) or carried_again(world)
    world.cuts(link_id)
    assert [as_identity_answers(world, world.fragments[each].person_id) for each in fragments] == apart


def carried_again(world: World) -> bool:
    """Whether a grant was carried over while two were one before: it counts again when they are."""
    return any(one.origin_id != one.fragment_id for one in world.consents.values())
