"""The invented market."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from demo.market.archetypes import CROWD, HOT, TEST
from demo.market.campaigns import CAMPAIGNS, ORGANIC_SHARE, costs
from demo.market.names import name_of
from demo.market.steps import EntryPoint
from demo.market.timeline import FEWEST, SPAN, Market, make_market

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def a_market(people: int = 300, seed: str = "kestrel", run: int = 1) -> Market:
    return make_market(seed, run, people, NOW)


def test_the_same_seed_gives_the_same_market() -> None:
    assert a_market() == a_market()


def test_another_seed_or_another_run_gives_another_market() -> None:
    steps = a_market().steps
    assert a_market(seed="merlin").steps != steps
    assert a_market(run=2).steps != steps


def test_two_runs_have_no_name_in_common() -> None:
    def names(market: Market) -> set[str | None]:
        steps = (*market.prelude, *market.steps)
        people = market.personas.values()
        return (
            {step.user_id for step in steps}
            | {step.anonymous_id for step in steps}
            | {person.email for person in people} - {None}
        )

    assert names(a_market(run=1)) & names(a_market(run=2)) <= {None}


def kinds_in(market: Market) -> Counter[str]:
    return Counter(persona.archetype for persona in market.personas.values())


@pytest.mark.parametrize("people", [FEWEST, 40, 300])
def test_every_kind_of_person_occurs(people: int) -> None:
    kinds = kinds_in(a_market(people))
    assert set(kinds) == {archetype.name for archetype in (HOT, TEST, *CROWD)}
    assert kinds.total() == people
    assert kinds["hot"] == kinds["test"] == 1
    assert kinds["shared_device"] % 2 == 0


def test_people_come_in_the_shares_that_were_meant() -> None:
    kinds = kinds_in(a_market(1000))
    for archetype in CROWD:
        assert abs(kinds[archetype.name] - archetype.share * 1000) <= 15, archetype.name
    assert sum(archetype.share for archetype in CROWD) == pytest.approx(1.0)
    assert sum(campaign.share for campaign in CAMPAIGNS) + ORGANIC_SHARE == pytest.approx(1.0)


def test_steps_stand_in_the_order_of_time_within_five_weeks_and_none_in_the_future() -> None:
    market = a_market()
    moments = [step.at for step in market.steps]
    assert moments == sorted(moments)
    assert NOW - SPAN <= moments[0] < NOW - SPAN + timedelta(days=2)
    assert moments[-1] < NOW
    assert NOW - timedelta(hours=1) < market.prelude[0].at <= market.prelude[-1].at < NOW


def test_every_message_has_an_id_of_its_own() -> None:
    market = a_market()
    ids = [step.message_id for step in (*market.prelude, *market.steps)]
    assert len(ids) == len(set(ids)) == market.size


def test_only_invented_addresses_occur() -> None:
    market = a_market(1500)
    for person in market.personas.values():
        assert person.email.isascii()
        assert person.email.endswith(".example")
        assert person.company.domain.endswith(".example")
        assert person.phone is None or person.phone.startswith("+49 30 23125")  # a block that is kept for films
    for step in market.steps:
        typed = step.data.get("email")
        assert typed is None or typed.endswith(".example")
    addresses = [person.email for person in market.personas.values()]
    assert len(addresses) == len(set(addresses))


def test_only_the_test_person_comes_by_the_staging_site() -> None:
    market = a_market()
    through_staging = {market.personas[step.who].archetype for step in market.steps if step.door is EntryPoint.STAGING}
    assert through_staging == {"test"}
    assert {step.door for step in market.steps if market.personas[step.who].archetype == "test"} == {EntryPoint.STAGING}


def test_forms_are_posted_today_because_a_form_cannot_say_when_it_was_filled_in() -> None:
    market = a_market()
    forms = [step for step in (*market.prelude, *market.steps) if step.door is EntryPoint.FORM]
    assert len(forms) > 10
    assert all(NOW - step.at < timedelta(minutes=5) for step in forms)
    assert {step.name for step in forms} == {"demo", "whitepaper"}


def test_the_sdk_carries_the_greater_part() -> None:
    market = a_market()
    by_sdk = sum(step.door is not EntryPoint.FORM for step in market.steps)
    assert by_sdk > 0.9 * market.size


def test_two_devices_become_one_person_by_login_and_a_shared_one_stays_two() -> None:
    market = a_market()
    doubled = [person for person in market.personas.values() if person.archetype == "two_devices"]
    assert all(len(set(person.devices)) == 2 for person in doubled)
    shared = [person for person in market.personas.values() if person.archetype == "shared_device"]
    by_device: dict[tuple[str, ...], set[str]] = {}
    for person in shared:
        by_device.setdefault(person.devices, set()).add(person.user_id)
    assert all(len(users) == 2 for users in by_device.values())
    logins = {step.user_id for step in market.steps if step.kind == "identify" and step.user_id}
    assert {person.user_id for person in shared} & logins


def test_a_fate_is_found_by_the_address_however_it_is_written() -> None:
    market = a_market()
    hot = next(iter(market.personas.values()))
    assert market.fate_of(hot.email.upper()) == market.fates[hot.email]
    assert market.fate_of("nobody@elsewhere.example") is None


def test_some_leads_come_to_each_end() -> None:
    market = a_market(1500)
    fates = [
        market.fates[person.email] for person in market.personas.values() if person.archetype in ("buyer", "champion")
    ]
    ends = {act.verb.value for fate in fates for act in fate.acts}
    assert ends >= {"qualify", "recycle", "open", "advance", "win", "lose"}
    assert {fate.return_reason for fate in fates} >= {None, "bad_timing"}
    assert any(fate.hands_over for fate in fates)


def test_bills_fall_into_the_weeks_of_the_market_and_grow_with_it() -> None:
    whole, half = costs(NOW, 300), costs(NOW, 150)
    assert all((NOW - SPAN).date() <= bill.incurred_on <= NOW.date() for bill in whole)
    assert sum(bill.amount for bill in half) * 2 == sum(bill.amount for bill in whole)


def test_names_give_an_address_each() -> None:
    locals_ = [name_of(index)[2] for index in range(3000)]
    assert len(set(locals_)) == 3000
    assert {"yoko.morita", "minseo.han"} <= set(locals_)
