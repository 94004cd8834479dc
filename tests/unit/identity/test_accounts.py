"""Which company somebody belongs to."""

from __future__ import annotations

import pytest

from contracts.events.identity import AccountChanged, AccountCreated
from contracts.values import AccountClaim
from services.identity.domain.account_claims import registrable_domain
from tests.unit.identity.world import World, a_capture


@pytest.mark.parametrize(
    ("domain_name", "expected"),
    [
        ("acme.com", "acme.com"),
        ("mail.EU.acme.co.uk", "acme.co.uk"),
        ("gmail.com", None),
        ("yahoo.co.uk", None),
        ("t-online.de", None),
        ("mail.ru", None),
        ("co.uk", None),
        ("localhost", None),
        ("bücher.de", "xn--bcher-kva.de"),
        ("faß.de", "xn--fa-hia.de"),
    ],
)
def test_a_company_is_known_by_what_it_registered(domain_name: str, expected: str | None) -> None:
    assert registrable_domain(domain_name) == expected


def test_colleagues_share_the_account_of_their_domain() -> None:
    world = World().hears(
        a_capture(1, email="ann@acme.com"), a_capture(2, email="bob@mail.acme.com"), a_capture(3, email="cy@gmail.com")
    )
    ann, bob, cy = (one.account_id for one in world.recognized())
    assert ann is not None
    assert ann == bob
    assert cy is None
    (created,) = world.heard(AccountCreated)
    assert (created.account_id, created.domain) == (ann, "acme.com")


def test_an_anonymous_visit_of_a_known_person_counts_for_their_company() -> None:
    world = World().hears(a_capture(1, email="ann@acme.com", anonymous_id="a1"), a_capture(2, anonymous_id="a1"))
    assert world.recognized()[1].account_id == world.recognized()[0].account_id


def test_the_claimed_account_goes_before_the_domain_and_the_last_claim_before_earlier_ones() -> None:
    world = World().hears(
        a_capture(1, user_id="u1", email="ann@acme.com"),
        a_capture(2, user_id="u1", account=AccountClaim(group_id="g1")),
    )
    world.hears(
        a_capture(3, user_id="u1"),
        a_capture(4, user_id="u1", account=AccountClaim(group_id="g2")),
        a_capture(5, user_id="u1"),
    )
    by_domain, first, again, second, last = (one.account_id for one in world.recognized())
    assert len({by_domain, first, second}) == 3
    assert (again, last) == (first, second)


def test_a_claim_that_arrives_late_does_not_displace_a_later_one() -> None:
    later, earlier = (
        a_capture(5, user_id="u1", account=AccountClaim(group_id="g2")),
        a_capture(2, user_id="u1", account=AccountClaim(group_id="g1")),
    )
    world = World().hears(later, earlier, a_capture(6, user_id="u1"))
    assert world.recognized()[2].account_id == world.recognized()[0].account_id


def test_group_id_and_domain_claimed_together_are_one_account() -> None:
    world = World().hears(
        a_capture(1, user_id="u1", account=AccountClaim(group_id="g1", domain="www.acme.com", name="Acme"))
    )
    world.hears(a_capture(2, email="bob@acme.com"), a_capture(3, user_id="u3", account=AccountClaim(group_id="g1")))
    assert len({one.account_id for one in world.recognized()}) == 1
    (created,) = world.heard(AccountCreated)
    assert (created.group_id, created.domain, created.name) == ("g1", "acme.com", "Acme")


def test_accounts_known_apart_are_joined_when_claimed_together_and_the_older_stays() -> None:
    world = World().hears(
        a_capture(1, email="bob@acme.com"), a_capture(2, user_id="u1", account=AccountClaim(group_id="g1"))
    )
    world.hears(a_capture(3, user_id="u2", account=AccountClaim(group_id="g1", domain="acme.com")))
    by_domain, by_group, joined = (one.account_id for one in world.recognized())
    assert by_domain == joined
    assert by_group is not None
    assert world.accounts[by_group].survivor_id == by_domain
    assert [(one.account_id, one.group_id, one.domain) for one in world.heard(AccountChanged)] == [
        (by_domain, "g1", "acme.com")
    ]


def test_two_group_ids_that_claim_one_domain_stay_two_companies() -> None:
    world = World().hears(
        a_capture(1, user_id="u1", account=AccountClaim(group_id="g1", domain="acme.com")),
        a_capture(2, user_id="u2", account=AccountClaim(group_id="g2", domain="acme.com")),
        a_capture(3, user_id="u2", account=AccountClaim(group_id="g2")),
    )
    first, second, again = (one.account_id for one in world.recognized())
    assert first != second
    assert again == second


def test_a_bare_name_beside_a_business_address_names_that_company() -> None:
    world = World().hears(a_capture(1, email="ann@acme.com", account=AccountClaim(name=" Acme  Inc. ")))
    (account,) = world.accounts.values()
    assert (account.domain, account.name) == ("acme.com", "Acme Inc.")


def test_a_bare_name_without_business_address_is_an_account_of_that_name() -> None:
    world = World().hears(a_capture(1, email="ann@gmail.com", account=AccountClaim(name="Acme Inc.")))
    world.hears(a_capture(2, user_id="u2", account=AccountClaim(name="ACME inc.")))
    assert len({one.account_id for one in world.recognized()}) == 1


def test_a_visitor_adds_to_an_account_and_a_server_corrects_it() -> None:
    world = World().hears(
        a_capture(1, user_id="u1", account=AccountClaim(group_id="g1", name="Acme", traits={"employees": 50}))
    )
    world.hears(
        a_capture(
            2, user_id="u1", account=AccountClaim(group_id="g1", name="Evil", traits={"employees": 9, "plan": "free"})
        )
    )
    (account,) = world.accounts.values()
    assert (account.name, account.traits) == ("Acme", {"employees": 50, "plan": "free"})
    world.hears(
        a_capture(
            3, user_id="u1", server=True, account=AccountClaim(group_id="g1", name="Acme AG", traits={"employees": 60})
        )
    )
    (account,) = world.accounts.values()
    assert (account.name, account.traits) == ("Acme AG", {"employees": 60, "plan": "free"})
    assert world.heard(AccountChanged)[-1].traits == account.traits


def test_a_claim_of_a_free_mail_domain_is_no_company() -> None:
    assert World().hears(a_capture(1, user_id="u1", account=AccountClaim(domain="gmail.com"))).accounts == {}
