"""An address that is used as a user id: one spelling, one person, and no second id beside another."""

from __future__ import annotations

from contracts.values import AccountClaim
from tests.unit.identity.world import World, a_capture


def test_whoever_signs_in_by_their_address_is_who_has_it() -> None:
    crm = a_capture(3, user_id="crm-1", email="mara@tidewater.example", server=True)
    signs_in = [
        a_capture(n, user_id=f"{who}@Tidewater.example", anonymous_id=f"a{n}") for n, who in ((1, "Mara"), (2, "mara"))
    ]
    for captures in ([*signs_in, crm], [crm, *signs_in]):
        world = World().hears(*captures)
        mara = world.person(user_id="crm-1")
        assert {world.person(anonymous_id=name) for name in ("a1", "a2")} == {mara}
        assert world.person(email="mara@tidewater.example") == mara


def test_two_addresses_as_user_ids_on_one_device_stay_two_people() -> None:
    world = World().hears(
        a_capture(1, user_id="mara@tidewater.example", anonymous_id="kiosk"),
        a_capture(2, user_id="jon@tidewater.example", anonymous_id="kiosk"),
    )
    assert world.person(email="mara@tidewater.example") != world.person(email="jon@tidewater.example")


def test_an_alias_of_an_address_finds_whoever_has_it() -> None:
    known = World().hears(
        a_capture(1, email="eva@tidewater.example"), a_capture(2, user_id="app-1", previous="Eva@tidewater.example")
    )
    assert known.person(email="eva@tidewater.example") == known.person(user_id="app-1")
    unknown = World().hears(
        a_capture(1, user_id="app-1", previous="eva@tidewater.example"), a_capture(2, user_id="eva@tidewater.example")
    )
    assert unknown.person(email="eva@tidewater.example") == unknown.person(user_id="app-1")


def test_a_user_id_that_was_kept_with_capitals_is_found_by_its_one_spelling() -> None:
    world = World().hears(a_capture(1, anonymous_id="a1"))
    kept = world.fragment(anonymous_id="a1")
    world.fragments[kept.fragment_id] = kept._replace(kind="user_id", value="Mara@Tidewater.example")
    world.hears(a_capture(2, user_id="Mara@Tidewater.example"))
    assert world.person(user_id="mara@tidewater.example") == world.person(user_id="Mara@Tidewater.example")


def test_a_placeholder_is_no_company() -> None:
    world = World().hears(a_capture(1, user_id="u1", account=AccountClaim(name="n/a")))
    assert world.recognized()[0].account_id is None
