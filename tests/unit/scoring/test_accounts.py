"""Colleagues share what is known of their company; whichever door a fact came by, and in whatever order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.envelope import Event
from contracts.events.gateway import InteractionReceived
from contracts.events.identity import AccountChanged, AccountMerged
from contracts.events.scoring import Attribute, ProfileChanged, ScoreChanged
from contracts.values import AccountClaim, InteractionKind, Strength
from people_kernel.beliefs import believed, joined, precedence
from people_kernel.profile import RANK, Attributes, display_name
from services.scoring.domain.workspace import Person
from tests.support.people import at
from tests.unit.identity import world as identity
from tests.unit.identity.world import DAWN, a_capture
from tests.unit.scoring.builders import PlainJudge
from tests.unit.scoring.world import World

GROUP, IDENTIFY, FORM = InteractionKind.GROUP, InteractionKind.IDENTIFY, InteractionKind.FORM
SIZED = PlainJudge(profile={("employees", 900): 25 * 10_000, ("title", "CFO"): 30 * 10_000})


def told_of(*captures: InteractionReceived) -> list[Event]:
    """What identity says of them."""
    return list(identity.World().hears(*captures).said)


def person_in(world: World, user_id: str) -> Person:
    """Whoever goes by this user id."""
    return next(
        one
        for one in world.workspace.people.values()
        if (named := one.fit.attributes.get("user_id")) is not None and named.value == user_id
    )


def values(person: Person) -> dict[str, Any]:
    return {name: one.value for name, one in person.fit.shown.items()}


def a_group(number: int, user_id: str, *, server: bool = False, **traits: Any) -> InteractionReceived:
    claim = AccountClaim(group_id="g1", domain="grp.com", name="Grp", traits=traits)
    return a_capture(number, user_id=user_id, kind=GROUP, account=claim, server=server)


def an_identify(number: int, user_id: str, **traits: Any) -> InteractionReceived:
    email = f"{user_id}@grp.com"
    return a_capture(number, user_id=user_id, email=email, kind=IDENTIFY, traits={"email": email} | traits)


@pytest.mark.parametrize("first", ["the colleague", "the company"])
def test_what_one_tells_of_their_company_counts_for_each_colleague_at_once(first: str) -> None:
    x = [an_identify(1, "x"), a_group(2, "x", employees=900)]
    y = [an_identify(3, "y")]
    world = World(SIZED).hear(told_of(*([*y, *x] if first == "the colleague" else [*x, *y])))
    mine, theirs = person_in(world, "x"), person_in(world, "y")
    assert values(theirs)["employees"] == 900
    assert theirs.fit.points_e4 == mine.fit.points_e4 == 25 * 10_000
    assert values(theirs)["account_id"] == values(mine)["account_id"]
    assert world.booked(theirs) == {"employees-is-900": 25 * 10_000}
    if first == "the colleague":
        last = [one for one in world.workspace.said if getattr(one, "person_id", "") == theirs.person_id]
        assert any(isinstance(one, ProfileChanged) and "employees" in one.attributes for one in last)
        (score,) = [one for one in last if isinstance(one, ScoreChanged)]
        assert [receipt.rule for receipt in score.receipts] == ["employees-is-900"]


def test_an_older_word_on_an_account_that_comes_again_changes_nothing() -> None:
    small, large = a_group(3, "x", employees=50), a_group(4, "x", server=True, employees=900)
    told = told_of(an_identify(1, "x"), an_identify(2, "y"), small, large)
    (first, *_) = (one for one in told if isinstance(one, AccountChanged))
    again = first.model_copy(update={"meta": first.meta.model_copy(update={"event_id": "evt_again"})})
    assert values(person_in(World(SIZED).hear([*told, again]), "y"))["employees"] == 900


@given(st.randoms(use_true_random=False))
def test_accounts_and_people_may_be_heard_of_in_any_order(random: Random) -> None:
    """Lanes lag: each person's events stay in order, each account's too."""
    told = told_of(
        an_identify(1, "y"),
        an_identify(2, "x"),
        a_group(3, "x", employees=50),
        a_group(4, "x", server=True, employees=900, industry="Rail"),
    )
    accounts = [one for one in told if isinstance(one, AccountChanged | AccountMerged)]
    others = [one for one in told if one not in accounts]
    shuffled = list(others)
    for account in accounts:
        shuffled.insert(random.randrange(len(shuffled) + 1), account)
    one, other = World(SIZED).hear(told), World(SIZED).hear(shuffled)
    assert {key: (values(person), person.fit.held) for key, person in one.workspace.people.items()} == {
        key: (values(person), person.fit.held) for key, person in other.workspace.people.items()
    }


def the_same_facts(door: str) -> InteractionReceived:
    """Told by a form, an identify, a group and a server import."""
    number = ["form", "identify", "group", "import"].index(door)
    who: dict[str, Any] = {"user_id": "m"} if door in ("group", "import") else {"user_id": "m", "email": "m@four.com"}
    company = {"company": "Four", "employees": 900, "website": "https://www.four.com"}
    person = {"email": "m@four.com", "first_name": "Mara", "last_name": "Lind", "title": "CFO"}
    claim = AccountClaim(name="Four", domain="four.com")
    at = DAWN + timedelta(minutes=number)
    match door:
        case "group":
            traits = {"name": "Four", "domain": "four.com", "employees": 900, "website": "https://www.four.com"}
            return a_capture(
                number, kind=GROUP, at=at, account=claim.model_copy(update={"group_id": "g4", "traits": traits}), **who
            )
        case "import":
            return a_capture(
                number,
                kind=IDENTIFY,
                server=True,
                at=at,
                account=claim,
                traits=person | company,
                email="m@four.com",
                **who,
            )
    kind = FORM if door == "form" else IDENTIFY
    return a_capture(number, kind=kind, at=at, account=claim, traits={"name": "Mara Lind", **person, **company}, **who)


def test_the_same_facts_by_four_doors_make_the_same_profile_score_and_account_whatever_the_order() -> None:
    ends: list[tuple[Any, ...]] = []
    for order in permutations(["form", "identify", "group", "import"]):
        people = identity.World().hears(*(the_same_facts(door) for door in order))
        world = World(SIZED).hear(people.said)
        (person,) = world.workspace.people.values()
        (company,) = {one.survivor_id or one.account_id for one in people.accounts.values()}
        shown = values(person)
        assert shown.pop("account_id") == company
        ends.append((shown, person.fit.points_e4, display_name(person.fit.shown)))
    assert all(one == ends[0] for one in ends)
    assert ends[0][1:] == (55 * 10_000, "Mara Lind")


def a_claim(value: Any, strength: Strength, hours: int, number: int = 0) -> Attribute:
    return Attribute(
        value=value,
        strength=strength,
        source_id="src",
        interaction_id=f"int_{number}",
        occurred_at=at(0) + timedelta(hours=hours),
    )


def test_a_claimed_name_never_shows_over_one_that_was_vouched_for() -> None:
    vouched = {name: a_claim(name, Strength.VERIFIED, 0) for name in ("first_name", "last_name")}
    profile = {**vouched, "name": a_claim("asdf qwer", Strength.CLAIMED, 9)}
    assert believed(profile).keys() == vouched.keys()
    assert display_name(profile) == display_name(vouched) == "first_name last_name"
    assert believed(
        {**profile, "first_name": a_claim(None, Strength.MANUAL, 9), "last_name": a_claim(None, Strength.MANUAL, 9)}
    ) == {"name": profile["name"]}


def test_null_takes_back_what_was_claimed_with_its_points_and_not_what_a_server_said() -> None:
    told = told_of(
        an_identify(1, "x", title="CFO", city="Rome"),
        an_identify(2, "x", title=None),
        a_capture(3, user_id="x", kind=IDENTIFY, server=True, traits={"city": "Oslo"}),
        an_identify(4, "x", city=None, phone=""),
    )
    world = World(SIZED).hear(told)
    person = person_in(world, "x")
    assert "title" not in values(person)
    assert values(person)["city"] == "Oslo"
    assert person.fit.points_e4 == 0
    assert world.booked(person) == {}
    assert person.fit.attributes["title"].value is None  # so that an older claim that comes late stays taken back
    late = told_of(an_identify(1, "x"), a_capture(0, user_id="x", kind=IDENTIFY, traits={"title": "CFO"}))
    assert "title" not in values(person_in(world.hear(late), "x"))


NAMES = ("name", "first_name", "last_name", "company", "company_domain", "website", "title", "employees")
CLAIMS: st.SearchStrategy[Attributes] = st.dictionaries(
    st.sampled_from(NAMES),
    st.builds(
        a_claim,
        st.sampled_from([None, "a", "b"]),
        st.sampled_from([Strength.CLAIMED, Strength.VERIFIED, Strength.MANUAL]),
        st.integers(0, 3),
        st.integers(0, 3),
    ),
)


@given(st.lists(CLAIMS, max_size=5), st.randoms(use_true_random=False))
def test_what_shows_is_a_function_of_the_join_and_never_weaker_than_what_means_the_same(
    parts: Sequence[Attributes], random: Random
) -> None:
    distinct: list[Attributes] = [
        {name: one.model_copy(update={"interaction_id": f"{index}-{one.interaction_id}"}) for name, one in part.items()}
        for index, part in enumerate(parts)
    ]
    shuffled = [*distinct, *distinct[:1]]
    random.shuffle(shuffled)
    cut = random.randrange(len(shuffled) + 1)
    whole = joined(distinct)
    assert joined([joined(shuffled[:cut]), joined(shuffled[cut:])]) == whole
    shown = believed(whole)
    assert all(one.value is not None for one in shown.values())
    for family in (NAMES[:3], NAMES[3:6]):
        ranks = {RANK[whole[name].strength] for name in family if name in whole and whole[name].value is not None}
        assert all(RANK[shown[name].strength] == max(ranks) for name in family if name in shown)
    for name, one in shown.items():
        assert one == max((part[name] for part in distinct if name in part), key=precedence)
