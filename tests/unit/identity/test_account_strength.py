"""Whose word counts for which company somebody belongs to, and for what is known of it; in whatever order it comes."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.events.gateway import InteractionReceived
from contracts.events.identity import AccountChanged, AccountMerged, AccountSplit
from contracts.values import AccountClaim, InteractionKind, NamedBy
from services.identity.domain.account_groups import NothingToPartOff, merge_accounts, split_account
from services.identity.domain.accounts import AccountPages, WholeAccount
from services.identity.domain.fragments import account_of
from services.identity.domain.links import HumanDecision
from tests.unit.identity.world import DAWN, World, a_capture

GROUP, IDENTIFY = InteractionKind.GROUP, InteractionKind.IDENTIFY
DECISION = HumanDecision(by="usr_ada", at=DAWN + timedelta(days=9), reason="a subsidiary")


def a_call(number: int, group_id: str, *, server: bool = False, **traits: Any) -> InteractionReceived:
    claim = AccountClaim(group_id=group_id, domain=traits.pop("domain", None), name=traits.get("name"), traits=traits)
    return a_capture(number, user_id="u1", kind=GROUP, account=claim, server=server)


def company_of(world: World, **named: str) -> WholeAccount:
    """The company of whoever goes by `named`."""
    account_id = account_of(world.parts(world.person(**named)))
    assert account_id is not None
    return AccountPages(world.accounts.values()).whole(account_id)


def test_what_a_server_said_is_not_moved_by_any_claim_whichever_way_it_comes() -> None:
    world = World().hears(a_call(1, "crm-1", server=True, domain="acme.com"))
    world.hears(
        a_call(2, "mallory"),
        a_capture(3, user_id="u1", account=AccountClaim(name="Rival", domain="rival.com")),
        a_capture(4, user_id="u1", kind=IDENTIFY, traits={"company": "Rival Ltd", "website": "https://rival.com/"}),
        a_capture(5, user_id="u1", email="u1@rival.com"),
    )
    assert {one.account_id for one in world.recognized()} == {world.recognized()[0].account_id}
    assert company_of(world, user_id="u1").first("domain") == "acme.com"
    assert [one.belonging for one in world.recognized()[1:]] == [None] * 4


def test_an_address_that_a_server_vouches_for_is_not_outdone_by_a_visitors_group() -> None:
    world = World().hears(a_capture(1, user_id="u1", email="ann@acme.com", server=True), a_call(2, "mallory"))
    assert company_of(world, user_id="u1").keys == (("domain", "acme.com"),)
    world.hears(a_call(3, "crm-1", server=True))
    assert company_of(world, user_id="u1").keys == (("group_id", "crm-1"),)


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_of_one_strength_the_most_direct_naming_counts_whatever_came_first(order: tuple[int, ...]) -> None:
    told = [
        a_capture(1, user_id="u1", email="ann@acme.com"),
        a_capture(2, user_id="u1", traits={"company": "Beta"}, account=AccountClaim(name="Beta")),
        a_capture(3, user_id="u1", account=AccountClaim(domain="gamma.com")),
        a_call(0, "g1"),
    ]
    world = World().hears(*(told[index] for index in order))
    assert company_of(world, user_id="u1").keys == (("group_id", "g1"),)


def test_a_group_in_the_same_batch_as_the_identify_counts_and_a_repeated_company_takes_nothing_back() -> None:
    repeated = AccountClaim(name="Acme", traits={"name": "Acme", "id": "crm"}, group_id="crm")
    at = DAWN + timedelta(hours=1)
    batch = [
        a_capture(1, user_id="u1", email="ann@acme.com", kind=IDENTIFY, account=repeated, at=at),
        a_capture(2, user_id="u1", kind=GROUP, account=AccountClaim(group_id="g1"), at=at),
        a_capture(3, user_id="u1", account=repeated, at=at + timedelta(hours=1)),
    ]
    for story in permutations(batch):
        world = World().hears(*story)
        assert company_of(world, user_id="u1").first("group_id") == "g1"
        told = [one.belonging.named_by for one in world.recognized() if one.belonging]
        assert NamedBy.GROUP_CALL in told


def test_a_page_that_people_have_of_their_own_is_no_company() -> None:
    world = World().hears(a_capture(1, user_id="u1", kind=IDENTIFY, traits={"website": "https://linkedin.com/in/ann"}))
    assert world.accounts == {}


CLAIMS = st.lists(
    st.tuples(
        st.booleans(),  # a server's
        st.sampled_from([{"group_id": "g1"}, {"domain": "acme.com"}, {"group_id": "g1", "domain": "acme.com"}]),
        st.sampled_from([{}, {"employees": 50}, {"employees": 900}, {"plan": "pro", "name": "Acme"}, {"name": None}]),
        st.integers(0, 5),  # hours after dawn
    ),
    min_size=1,
    max_size=6,
)


@given(CLAIMS, st.randoms(use_true_random=False))
def test_any_order_of_claims_comes_to_the_same_facts_and_strength_is_never_beaten(
    claims: list[tuple[bool, dict[str, str], dict[str, Any], int]], random: Any
) -> None:
    captures = [
        a_capture(
            number,
            user_id="u1",
            kind=GROUP,
            server=server,
            occurred_at=DAWN + timedelta(hours=hours),
            account=AccountClaim(**named, name=traits.get("name"), traits=traits),
        )
        for number, (server, named, traits, hours) in enumerate(claims)
    ]
    # whatever was claimed before the two names are known for one: that they are, a server says in the end
    both = a_call(99, "g1", server=True, domain="acme.com")
    shuffled = list(captures)
    random.shuffle(shuffled)
    one, other = World().hears(*captures, both), World().hears(*shuffled, both)
    whole, again = company_of(one, user_id="u1"), company_of(other, user_id="u1")
    assert whole.facts == again.facts
    assert set(whole.keys) == set(again.keys)
    said = [traits["employees"] for server, _, traits, _ in claims if server and "employees" in traits]
    if said:
        assert whole.facts["employees"].value in said


def regrouped(world: World, came: Any) -> World:
    world.accounts |= {one.account_id: one for one in came.accounts}
    world.said.append(came.said)
    return world


def test_a_merge_by_hand_that_is_split_again_gives_each_part_what_came_by_its_names() -> None:
    world = World().hears(
        a_call(1, "g1", server=True, domain="acme.com", name="Acme", employees=900),
        a_call(2, "g2", server=True, domain="sub.com", name="Sub", industry="Rail"),
    )
    pages = AccountPages(world.accounts.values())
    acme, sub = (pages.whole(pages._by_key["group_id", one]) for one in ("g1", "g2"))
    came = merge_accounts(acme, sub, DECISION)
    (whole,) = came.wholes
    assert (whole.account_id, set(whole.keys)) == (acme.account_id, {*acme.keys, *sub.keys})
    assert whole.facts["industry"].value == "Rail"
    apart = split_account(whole, sub.keys, DECISION)
    assert [(one.account_ids, one.facts, one.parts[0].name) for one in apart.wholes] == [
        (one.account_ids, one.facts, one.parts[0].name) for one in (acme, sub)
    ]
    assert isinstance(came.said, AccountMerged)
    assert isinstance(apart.said, AccountSplit)
    assert [part.account_id for part in apart.said.parts] == [acme.account_id, sub.account_id]
    with pytest.raises(NothingToPartOff):
        split_account(whole, whole.keys, DECISION)


def test_what_a_human_parted_no_machine_joins_again_and_claims_join_nothing_that_servers_vouch_for() -> None:
    both = a_call(1, "g1", server=True, domain="acme.com", employees=900)
    world = World().hears(both)
    whole = company_of(world, user_id="u1")
    regrouped(world, split_account(whole, [("domain", "acme.com")], DECISION))
    world.hears(a_call(2, "g1", server=True, domain="acme.com", employees=901))
    assert company_of(world, user_id="u1").keys == (("group_id", "g1"),)

    vouched = World().hears(
        a_call(1, "g1", server=True, employees=900),
        a_capture(2, user_id="u2", server=True, account=AccountClaim(domain="acme.com", name="Acme")),
        a_call(3, "g1", domain="acme.com"),
    )
    assert vouched.heard(AccountMerged) == []
    vouched.hears(a_call(4, "g1", server=True, domain="acme.com"))
    (merged,) = vouched.heard(AccountMerged)
    assert set(merged.whole.account_ids) == set(vouched.accounts)


def test_what_is_said_again_tells_nobody_anything() -> None:
    world = World().hears(*(a_call(number, "g1", server=True, employees=900) for number in range(5)))
    assert len(world.heard(AccountChanged)) == 1
