from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.events.scoring import Attribute
from contracts.limits import SEARCH_CHARACTERS
from contracts.maildomains import company_domain
from contracts.texts import laid_out, needle
from contracts.values import AccountClaim, InteractionKind, JsonObject, Strength
from people_kernel.profile import (
    RANKS,
    attributes_from_text,
    attributes_to_text,
    business_function,
    display_name,
    domain_of,
    seniority,
)
from semantics.facts import facts_of
from services.scoring.api.views import shown
from services.scoring.domain.profile import search_text
from services.scoring.store.rows import to_text
from tests.support.people import at, per
from tests.unit.scoring.builders import after, an_interaction, identified, recognized

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("traits", "claimed"),
    [
        ({"firstName": "Ada", "last_name": "Lovelace"}, {"first_name": "Ada", "last_name": "Lovelace"}),
        (
            {"First Name": "Ada", "Job Title": "CEO", "E-Mail": "Ada@Acme.Example"},
            {"first_name": "Ada", "title": "CEO", "email": "ada@acme.example"},
        ),
        (
            {"company": {"name": "Acme", "employees": "51-200", "industry": "Retail", "id": "7"}},
            {"company": "Acme", "employees": {"low": 51, "high": 200, "text": "51-200"}, "industry": "Retail"},
        ),
        (
            {"company": "Acme", "companySize": "1,000+"},
            {"company": "Acme", "employees": {"low": 1000, "high": None, "text": "1,000+"}},
        ),
        ({"address": {"country": "DE", "city": "Köln", "street": "x"}}, {"country": "DE", "city": "Köln"}),
        (
            {"budget": "€ 50.000", "decision_maker": "Yes", "timeline": "ASAP"},
            {"budget": 50000.0, "budget_currency": "EUR", "authority": "decides", "timing": 0},
        ),
        (
            {"budget": "no idea", "timing": "some day", "employees": True, "authority": ["who knows"]},
            {
                "budget_unreadable": "no idea",
                "timing_unreadable": "some day",
                "employees_unreadable": True,
                "authority_unreadable": ["who knows"],
            },
        ),
        ({"favouriteColour": "blue", "  ": "x", "empty": "  ", "none": None}, {"favourite_colour": "blue"}),
        ({"name": " Ａｄａ\u3000Lovelace "}, {"name": "Ada Lovelace"}),
        ({"id": "u-1", "createdAt": "2026", "password": "secret"}, {}),
    ],
)
def test_traits_are_given_our_names_and_types(traits: JsonObject, claimed: JsonObject) -> None:
    assert facts_of(identified(traits)) == claimed


def test_a_group_is_about_the_company_and_what_happened_has_its_own_properties() -> None:
    group = an_interaction(
        "g",
        kind=InteractionKind.GROUP,
        traits={"name": "ignored"},
        account=AccountClaim(name="Acme", domain="acme.example", traits={"employees": 250}),
    )
    assert facts_of(group) == {"company": "Acme", "company_domain": "acme.example", "employees": 250}
    order = an_interaction("Plan Compared", properties={"budget": "25k", "need": "red", "timing": 3, "authority": True})
    assert facts_of(order) == {}
    form = an_interaction("Contact", kind=InteractionKind.FORM, traits={"budget": "25k", "Timeline": "3"})
    assert facts_of(form) == {"budget": 25000.0, "timing": 3}


@given(st.dictionaries(st.text(), JSON, max_size=5), st.dictionaries(st.text(), JSON, max_size=3))
def test_whatever_is_sent_can_be_kept_and_read_back(traits: JsonObject, properties: JsonObject) -> None:
    workspace = after(recognized(identified({**traits, "city": "Rome"}, properties=properties)))
    attributes = workspace.people[per(1)].fit.attributes
    assert attributes_to_text(attributes_from_text(attributes_to_text(attributes))) == attributes_to_text(attributes)
    assert to_text(facts_of(identified(traits))).encode()


@pytest.mark.parametrize(
    ("title", "rank", "field"),
    [
        ("CEO", "executive", "general"),
        ("C.E.O. & Founder", "executive", "general"),
        ("VP of Sales", "vp", "sales"),
        ("Vice President, Marketing", "vp", "marketing"),
        ("Vice-Présidente", "vp", "general"),
        ("Geschäftsführerin", "executive", "general"),
        ("Leiter Einkauf", "director", "operations"),
        ("Directrice Marketing", "director", "marketing"),
        ("Jefe de Ventas", "manager", "sales"),
        ("営業部長", "director", "sales"),
        ("代表取締役社長", "executive", "general"),
        ("副总裁", "vp", "general"),
        ("마케팅 팀장", "manager", "marketing"),
        ("Руководитель отдела продаж", "manager", "sales"),
        ("Assistant to the CEO", "assistant", "general"),
        ("Marketing Praktikantin", "assistant", "marketing"),
        ("Product Owner", "staff", "product"),
        ("Senior Software Engineer", "senior", "engineering"),
        ("Head of IT", "director", "it"),
        ("Accountant", "staff", "general"),
        ("", "staff", "general"),
    ],
)
def test_titles_are_understood_in_several_languages(title: str, rank: str, field: str) -> None:
    assert (seniority(title), business_function(title)) == (rank, field)


@given(st.text())
def test_any_title_has_a_rank(title: str) -> None:
    assert seniority(title) in RANKS


def test_free_mail_is_told_from_business_mail() -> None:
    assert [company_domain(domain_of(mail) or "") for mail in ("a@gmail.com", "a@yahoo.co.jp", "a@web.de")] == [
        None
    ] * 3
    assert company_domain(domain_of("A@Mail.ACME.co.uk") or "") == "acme.co.uk"
    assert [domain_of(mail) for mail in ("nobody", "@x.example", "a@b", None)] == [None] * 4


@pytest.mark.parametrize(
    ("traits", "shown"),
    [
        ({"firstName": "Ada", "lastName": "Lovelace"}, "Ada Lovelace"),
        ({"firstName": "太郎", "lastName": "山田"}, "山田太郎"),
        ({"name": "Sukarno"}, "Sukarno"),
        ({"firstName": "Björk"}, "Björk"),
        ({"email": "x@y.example"}, None),
    ],
)
def test_names_are_shown_in_the_order_of_their_script(traits: JsonObject, shown: str | None) -> None:
    assert display_name(after(recognized(identified(traits))).people[per(1)].fit.attributes) == shown


def test_names_are_found_in_either_order_whatever_the_case_or_width() -> None:
    attributes = (
        after(recognized(identified({"firstName": "Straße", "lastName": "Ｏ'Neil", "company": "ACME"})))
        .people[per(1)]
        .fit.attributes
    )
    for q in ("strasse o'neil", "O'NEIL STRASSE", "acme"):
        assert needle(q) in laid_out(search_text(attributes), SEARCH_CHARACTERS)


def test_among_equal_claims_the_latest_wins_and_then_the_greater_id() -> None:
    newest = recognized(identified({"city": "Rome"}, when=at(2), number=1))
    older = recognized(identified({"city": "Oslo"}, when=at(1), number=2))
    same_time = recognized(identified({"city": "Bern"}, when=at(2), number=3))
    assert after(newest, older).people[per(1)].fit.attributes["city"].value == "Rome"
    assert after(same_time, newest).people[per(1)].fit.attributes["city"].value == "Bern"


def test_words_that_could_not_be_read_are_shown_until_something_readable_comes() -> None:
    early, late = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)

    def told(value: str, at: datetime) -> Attribute:
        return Attribute(value=value, strength=Strength.CLAIMED, source_id="src", interaction_id="int", occurred_at=at)

    rubbish = {"email_unreadable": told("n/a", early)}
    assert shown(rubbish) == rubbish
    assert list(shown(rubbish | {"email": told("mara@tidewater.example", late)})) == ["email"]
    assert list(shown({"email_unreadable": told("-", late), "email": told("mara@tidewater.example", early)})) == [
        "email",
        "email_unreadable",
    ]
