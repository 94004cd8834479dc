"""A capture is read once: facts and identifiers agree, and what identifies nobody is told as what it is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.attributes import READ_ATTRIBUTES, unreadable
from contracts.limits import UNREADABLE_CHARACTERS
from contracts.values import AccountClaim, Identifier, IdentifierKind, InteractionKind
from semantics.anew import facts_anew
from semantics.capture import CaptureReading, read_captures
from semantics.contacts import given_in, unreadable_among
from semantics.identifiers import normalise
from tests.unit.identity.world import a_capture

KEYS = st.sampled_from(
    [
        "email",
        "E-Mail",
        "$email",
        "workEmail",
        "phone",
        "Mobile",
        "name",
        "company",
        "title",
        "country",
        "address",
        "friend_email",
    ]
) | st.text(max_size=12)
WORDS = st.sampled_from(
    [
        "n/a",
        "-",
        "Mara <mara@tidewater.example>",
        "MARA@tidewater.example",
        "030 9018201",
        "+44 20 7946 0018",
        "Germany",
        "123",
    ]
) | st.text(max_size=40)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | WORDS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=6
)


def read(traits: dict[str, Any], region: str = "US", **told: Any) -> CaptureReading:
    (reading,) = read_captures([a_capture(1, traits=traits, **{"kind": InteractionKind.IDENTIFY} | told)], region)
    return reading


def named(reading: CaptureReading, kind: IdentifierKind) -> list[str]:
    return [one.value for one in reading.identifiers if one.kind is kind]


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=6), st.sampled_from(["", "US", "DE"]))
def test_any_traits_are_read_and_facts_agree_with_identifiers(traits: dict[str, Any], region: str) -> None:
    reading = read(traits, region)
    assert (reading.facts.get("email") is not None) == bool(emails := named(reading, IdentifierKind.EMAIL))
    assert reading.facts.get("email") in (None, *emails)
    assert (reading.facts.get("phone") is not None) == bool(named(reading, IdentifierKind.PHONE))
    for name in READ_ATTRIBUTES:
        assert reading.facts.get(name) is None or unreadable(name) not in reading.facts
    facts_anew(reading.capture.interaction)
    unreadable_among(given_in(traits))
    for one in reading.identifiers:
        assert normalise(one.kind, one.value, region or None) == one


@pytest.mark.parametrize(
    "name", ["email", "Email", "e_mail", "workEmail", "$email", "EMAIL", "Email Address", "mail", "correo"]
)
def test_an_address_identifies_whatever_the_trait_is_called(name: str) -> None:
    reading = read({name: " Mara@Tidewater.example"})
    assert named(reading, IdentifierKind.EMAIL) == [reading.facts["email"]] == ["mara@tidewater.example"]


def test_the_address_of_somebody_else_is_kept_and_identifies_nobody() -> None:
    reading = read({"friend_email": "jon@tidewater.example", "billing_email": "pay@tidewater.example"})
    assert reading.identifiers == ()
    assert reading.facts == {"friend_email": "jon@tidewater.example", "billing_email": "pay@tidewater.example"}


@pytest.mark.parametrize("words", ["n/a", "none", "asdf@asdf", "ask me", "x@y,example"])
def test_words_instead_of_an_address_are_told_as_words(words: str) -> None:
    reading = read({"email": words})
    assert dict(reading.facts) == {"email_unreadable": words}
    assert [remark.kind for remark in reading.remarks] == [IdentifierKind.EMAIL]
    assert unreadable_among(given_in({"E-Mail": words})) == ["email_unreadable"]


@pytest.mark.parametrize("words", ["n/a", "-", "0000000", "98", "ask my assistant"])
def test_words_instead_of_a_number_are_told_as_words(words: str) -> None:
    reading = read({"Mobile": words}, country="DE")
    assert dict(reading.facts) == {"phone_unreadable": words}
    assert unreadable_among(given_in({"phone": words})) == ["phone_unreadable"]


def test_of_two_addresses_the_one_that_is_none_does_not_count() -> None:
    reading = read({"email": "n/a", "workEmail": "mara@tidewater.example"})
    assert dict(reading.facts) == {"email": "mara@tidewater.example"}


def test_long_words_are_cut() -> None:
    assert len(read({"email": "x" * 800}).facts["email_unreadable"]) == UNREADABLE_CHARACTERS


@pytest.mark.parametrize(
    "told",
    [
        {"traits": {"country": "Germany"}},
        {"traits": {"address": {"countryCode": "DE"}}},
        {"traits": {"Land": "Deutschland"}},
        {"traits": {}, "context": {"location": {"country": "DE"}}},
    ],
)
def test_a_number_is_read_by_the_country_that_was_told(told: dict[str, Any]) -> None:
    traits = told.pop("traits") | {"phone": "030 9018201"}
    reading = read(traits, "US", **told)
    assert named(reading, IdentifierKind.PHONE) == ["+49309018201"]
    assert reading.facts["phone"] == "030 9018201"


def test_a_number_without_any_country_is_nobodys_where_none_is_assumed() -> None:
    reading = read({"phone": "030 9018201"}, "")
    assert (reading.identifiers, dict(reading.facts)) == ((), {"phone_unreadable": "030 9018201"})


def test_null_takes_back_and_a_blank_says_nothing() -> None:
    reading = read({"title": None, "Email": None, "company": "  ", "favourite": None})
    assert dict(reading.facts) == {"title": None, "email": None}


def test_placeholders_are_told_apart_from_values() -> None:
    facts = dict(
        read({"company": "n/a", "title": "-", "firstName": "First name", "city": "keine", "lastName": "Na"}).facts
    )
    assert facts == {
        "company_unreadable": "n/a",
        "title_unreadable": "-",
        "first_name_unreadable": "First name",
        "city_unreadable": "keine",
        "last_name": "Na",
    }


def test_a_senders_own_mark_of_unreadable_is_not_ours() -> None:
    assert dict(read({"email_unreadable": "spoof"}).facts) == {}


def test_a_groups_address_is_the_companys() -> None:
    reading = read({"email": "office@tidewater.example"}, kind=InteractionKind.GROUP)
    assert reading.identifiers == ()
    assert "email" not in reading.facts


def test_an_address_as_user_id_is_both_and_a_visit_says_it_no_second_time() -> None:
    identify = read({}, user_id="Mara@Tidewater.example")
    assert identify.identifiers == tuple(
        Identifier(kind=kind, value="mara@tidewater.example") for kind in (IdentifierKind.USER_ID, IdentifierKind.EMAIL)
    )
    assert identify.facts == {"email": "mara@tidewater.example"}
    assert identify.formerly == (Identifier(kind=IdentifierKind.USER_ID, value="Mara@Tidewater.example"),)
    page = read({}, user_id="mara@tidewater.example", kind=InteractionKind.PAGE)
    assert (len(page.identifiers), page.facts, page.formerly) == (2, {}, ())


@pytest.mark.parametrize(
    ("claimed", "left"),
    [
        (AccountClaim(name="n/a"), None),
        (AccountClaim(name="Tidewater", domain="linkedin.com"), AccountClaim(name="Tidewater")),
        (AccountClaim(domain="sites.google.com"), None),
        (AccountClaim(group_id="42", name="-"), AccountClaim(group_id="42")),
        (
            AccountClaim(name="Tidewater", domain="tidewater.example"),
            AccountClaim(name="Tidewater", domain="tidewater.example"),
        ),
    ],
)
def test_what_is_no_company_makes_no_account(claimed: AccountClaim, left: AccountClaim | None) -> None:
    assert read({}, account=claimed).account == left


def test_a_company_under_any_name_is_one() -> None:
    assert read({"Firma": "Tidewater"}).account == AccountClaim(name="Tidewater")
    assert read({"Firma": "keine"}).account is None


@pytest.mark.parametrize("said", ["Mr", "Mrs.", "Prof. Dr.", "Frau", "Mme", "Dhr."])
def test_how_somebody_is_called_is_no_position(said: str) -> None:
    facts = read({"title": said}).facts
    assert (facts.get("title"), facts.get("salutation")) == (None, said)
    assert read({"title": f"{said} of nothing"}).facts["title"] == f"{said} of nothing"
