"""How much one person may gather: what was claimed never takes the room of what is verified, and nothing grows for
ever.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.web.auth import Principal
from contracts.events.identity import AccountChanged, PersonMerged, PersonSplit
from contracts.limits import ACCOUNT_TRAITS, DEVICES, FRAGMENTS, PHONES, SAID_BYTES, USER_IDS, VALUE_BYTES
from contracts.values import AccountClaim
from services.identity.domain.links import IdentifierLimits, TooManyFragments
from services.identity.domain.recognition import RecognitionRules
from services.identity.domain.workspace import IdentityWorkspace
from services.identity.main import create_service
from services.identity.settings import IdentitySettings
from services.identity.store import write
from tests.support.nats import NatsServer
from tests.support.service import PUBLIC_KEY, running, token
from tests.unit.identity.world import DAWN, World, a_capture


def reasons(world: World) -> set[str]:
    return {one.reason for one in world.refusals.values()}


def a_small_world(claimed: int = 5, most: int = 8) -> World:
    return World(RecognitionRules(limits=IdentifierLimits(claimed_fragments=claimed, fragments=most)))


def test_junk_that_strangers_claim_does_not_keep_out_what_a_server_knows() -> None:
    world = World().hears(a_capture(0, user_id="victim", email="old@acme.com", server=True))
    world.hears(*(a_capture(number, user_id="victim", email=f"junk{number}@evil.com") for number in range(1, 7)))
    world.hears(*(a_capture(100 + number, user_id="victim", anonymous_id=f"junk{number}") for number in range(120)))
    assert reasons(world) == {"two_addresses", "too_many_devices"}
    world.hears(a_capture(900, user_id="victim", email="new@acme.com", anonymous_id="phone", server=True))
    assert world.person(email="new@acme.com") == world.person(anonymous_id="phone") == world.person(user_id="victim")


def test_what_servers_vouch_for_has_its_own_limit() -> None:
    world = World().hears(*(a_capture(number, user_id="u1", phone=f"+4930123456{number}") for number in range(PHONES)))
    world.hears(
        *(
            a_capture(100 + number, user_id="u1", phone=f"+4930765432{number}", server=True)
            for number in range(PHONES + 1)
        )
    )
    person = world.person(user_id="u1")
    joined = [one.value for one in world.parts(person) if one.kind == "phone"]
    assert len(joined) == 2 * PHONES
    assert world.person(phone=f"+4930765432{PHONES}") != person


_junk = st.lists(
    st.fixed_dictionaries(
        {
            "user_id": st.sampled_from(["victim", "victim", None]),
            "email": st.integers(0, 9).map(lambda number: f"junk{number}@evil.com") | st.none(),
            "phone": st.integers(0, 9).map(lambda number: f"+4930123456{number}") | st.none(),
            "anonymous_id": st.integers(0, 40).map(lambda number: f"junk{number}") | st.none(),
        }
    ),
    max_size=60,
)


@settings(max_examples=100)
@given(_junk)
def test_no_claims_whatsoever_keep_out_what_a_server_knows(junk: list[dict[str, Any]]) -> None:
    small = IdentifierLimits(emails=2, phones=2, anonymous_ids=3, claimed_fragments=8)
    world = World(RecognitionRules(limits=small)).hears(a_capture(0, user_id="victim", server=True))
    world.hears(*(a_capture(1 + number, **told) for number, told in enumerate(junk)))
    told: dict[str, Any] = {"email": "new@acme.com", "phone": "+49307654321", "anonymous_id": "own"}
    world.hears(a_capture(900, user_id="victim", server=True, **told))
    assert {world.person(**{kind: value}) for kind, value in told.items()} == {world.person(user_id="victim")}


def test_a_browser_that_forgets_its_id_each_week_is_known_after_five_years() -> None:
    weeks = [DAWN + timedelta(weeks=number) for number in range(260)]
    world = World().hears(
        *(a_capture(number, user_id="u1", anonymous_id=f"a{number}", at=at) for number, at in enumerate(weeks))
    )
    assert not world.refusals
    assert {world.person(anonymous_id=f"a{number}") for number in range(260)} == {world.person(user_id="u1")}


def test_a_kiosk_gathers_so_many_devices_and_no_more_until_they_are_of_long_ago() -> None:
    world = World().hears(
        *(a_capture(number, user_id="kiosk", anonymous_id=f"a{number}") for number in range(DEVICES + 5))
    )
    assert len([one for one in world.parts(world.person(user_id="kiosk")) if one.kind == "anonymous_id"]) == DEVICES
    assert reasons(world) == {"too_many_devices"}
    world.hears(a_capture(900, user_id="kiosk", anonymous_id="later", at=DAWN + timedelta(days=91)))
    assert world.person(anonymous_id="later") == world.person(user_id="kiosk")


def test_of_all_a_person_may_be_claims_fill_a_part_and_the_rest_stay_people_of_their_own() -> None:
    world = a_small_world().hears(*(a_capture(number, user_id="u1", anonymous_id=f"a{number}") for number in range(7)))
    assert len(world.parts(world.person(user_id="u1"))) == 5
    assert reasons(world) == {"too_many_identifiers"}
    assert world.recognized()[-1].person_id == world.person(user_id="u1")  # what was done is not lost
    world.hears(*(a_capture(10 + number, user_id="u1", anonymous_id=f"b{number}", server=True) for number in range(5)))
    assert len(world.parts(world.person(user_id="u1"))) == 8


def test_the_whole_person_counts_also_what_a_human_joined() -> None:
    world = a_small_world().hears(*(a_capture(number, user_id="u1", anonymous_id=f"a{number}") for number in range(3)))
    world.hears(*(a_capture(10 + number, user_id="u2", anonymous_id=f"b{number}") for number in range(3)))
    world.merges(world.person(user_id="u1"), world.person(user_id="u2"))
    world.hears(a_capture(20, user_id="u1", anonymous_id="c", server=True))
    assert world.person(anonymous_id="c") != world.person(user_id="u1")
    assert reasons(world) == {"too_many_identifiers"}


def test_user_ids_are_gathered_by_alias_up_to_a_limit() -> None:
    world = World().hears(
        *(a_capture(number, user_id="u", previous=f"before{number}", server=True) for number in range(USER_IDS + 3))
    )
    assert len(world.parts(world.person(user_id="u"))) == USER_IDS
    assert reasons(world) == {"too_many_user_ids"}


def crowd(count: int, name: str) -> World:
    """A person of so many devices; only a human, or years, make one so large."""
    world = World(
        RecognitionRules(limits=IdentifierLimits(anonymous_ids=10_000, claimed_fragments=10_000, fragments=10_000))
    )
    return world.hears(
        *(a_capture(number, email=f"{name}@acme.com", anonymous_id=f"{name}{number}") for number in range(count - 1))
    )


def test_the_events_of_the_largest_person_there_can_be_are_within_what_is_said() -> None:
    one, other = crowd(FRAGMENTS // 2, "a"), crowd(FRAGMENTS // 2, "b")
    world = World(fragments=one.fragments | other.fragments, links=one.links | other.links)
    person = world.person(email="a@acme.com")
    world.merges(person, world.person(email="b@acme.com"))
    world.cuts(*(link.link_id for link in world.links_of(world.person(email="a@acme.com"))))
    merged, split = world.heard(PersonMerged)[-1], world.heard(PersonSplit)[-1]
    assert (len(merged.fragment_ids), len(split.parts)) == (FRAGMENTS, FRAGMENTS)
    assert max(len(merged.body()), len(split.body())) <= SAID_BYTES


def test_a_human_cannot_make_a_person_larger_than_that() -> None:
    one, other = crowd(FRAGMENTS // 2, "a"), crowd(FRAGMENTS // 2 + 1, "b")
    world = World(fragments=one.fragments | other.fragments)
    with pytest.raises(TooManyFragments):
        world.merges(world.person(email="a@acme.com"), world.person(email="b@acme.com"))


def test_an_account_keeps_so_many_traits_and_claims_take_no_room_from_a_servers_word() -> None:
    def claim(number: int, *, server: bool = False) -> Any:
        traits = {f"{'s' if server else 'c'}{number}-{one}": "x" * 900 for one in range(40)} | {
            "huge": "x" * (VALUE_BYTES + 1),
            "n" * 200: 1,
        }
        return a_capture(number, user_id="u1", server=server, account=AccountClaim(group_id="g1", traits=traits))

    world = World().hears(*(claim(number) for number in range(3)))
    (account,) = world.accounts.values()
    assert len(account.traits) == ACCOUNT_TRAITS
    world.hears(*(claim(number, server=True) for number in range(10, 14)))
    (account,) = world.accounts.values()
    assert len(account.traits) == ACCOUNT_TRAITS
    assert {f"s13-{one}" for one in range(40)} <= account.traits.keys()
    assert all(len(orjson.dumps(value)) <= VALUE_BYTES for value in account.traits.values())
    assert max(len(event.body()) for event in world.heard(AccountChanged)) <= SAID_BYTES


@pytest.mark.parametrize("dry_run", [False, True])
async def test_a_merge_by_hand_that_would_be_too_large_is_a_conflict_and_changes_nothing(
    store_url: str, nats_server: NatsServer, dry_run: bool
) -> None:
    settings = IdentitySettings(database_url=store_url, nats_url=nats_server.url, token_public_key=PUBLIC_KEY)
    one, other = crowd(FRAGMENTS // 2, "a"), crowd(FRAGMENTS // 2 + 1, "b")
    async with running(create_service(settings)) as identity:
        async with identity.runtime.writing() as context:
            for world in (one, other):
                workspace = IdentityWorkspace()
                workspace.graph.fragments.update(world.fragments)
                workspace.graph.links.update({link.pair: link for link in world.links.values()})
                await write.workspace(context.session, workspace)
        path = f"/v1/people/{one.person(email='a@acme.com')}:merge"
        body = {"with_person_id": other.person(email="b@acme.com"), "reason": "they said so"}
        headers = {"authorization": f"Bearer {token(Principal('ada', frozenset({'sales'})))}"}
        answer = await identity.client.post(path, json=body, headers=headers, params={"dry_run": dry_run})
        assert (answer.status_code, answer.json()["remedy"][:9]) == (409, "Split off"), answer.text
        still = await identity.client.get(f"/v1/people/{body['with_person_id']}")
        assert still.json()["person_id"] == body["with_person_id"]
