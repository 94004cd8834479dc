"""The general rule: whoever is named anywhere in a document is found once, or it is said that nobody was."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contracts.events.gateway import InteractionReceived
from contracts.limits import EVENT_LEVELS, FORM_FIELDS
from contracts.values import IdentifierKind
from gateway.domain.capture import CaptureSender
from gateway.domain.forms.form_body import decode
from gateway.domain.forms.submission import Form, FormReading, Visit, read_form
from gateway.domain.refusal import CaptureRefused
from tests.unit.gateway.recordings import NOW, WEB

WHO, NUMBER = "noor.aziz@lagoon.example", "+31 20 555 0188"
keys = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=8).map(lambda text: f"zz{text}")
leaves: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(-9, 9), st.text("abc xyz", max_size=12), st.sampled_from(([], {}, ""))
)
around = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=12
)
people = st.sampled_from(
    (
        {"email": WHO, "phone": NUMBER, "name": "Noor Aziz"},
        {"Email Address": WHO, "Phone number": NUMBER, "Full name": "Noor Aziz"},
        [{"label": "Name", "value": "Noor Aziz"}, {"label": "E-mail", "value": WHO}, {"label": "Tel", "value": NUMBER}],
        [{"name": "name", "values": ["Noor Aziz"]}, {"name": "email", "values": [WHO]},
         {"name": "tel", "values": NUMBER}],
        [{"question": "Your name", "answer": "Noor Aziz"}, {"question": "Your e-mail?", "answer": WHO},
         {"question": "Your phone number", "answer": NUMBER}],
        {"name": {"first": "Noor", "last": "Aziz"}, "email": {"value": WHO}, "phone": {"value": NUMBER}},
    )
)  # fmt: skip


@st.composite
def hidden(draw: st.DrawFn) -> dict[str, Any]:
    """A person somewhere in a document that says nothing else."""
    node: Any = draw(people)
    for _ in range(draw(st.integers(0, 8))):
        beside = draw(around)
        node = draw(st.sampled_from(([beside, node], [node, beside], {"zzin": node, "zzby": beside}, {"data": node})))
    return node if isinstance(node, dict) else {"zztop": node}


def read(body: Any) -> FormReading:
    submission = decode(orjson.dumps(body), "application/json")
    return read_form(Form("frm_1", WEB, "Ask us"), submission, Visit(CaptureSender()), NOW)


def said(reading: FormReading) -> InteractionReceived:
    capture = reading.capture("m-1")
    return InteractionReceived.from_wire(capture.headers(), capture.body)


@settings(max_examples=150)
@given(hidden())
def test_whoever_is_hidden_in_a_document_is_found_once(body: dict[str, Any]) -> None:
    reading = read(body)
    event = said(reading)
    assert reading.unrecognized is None
    assert [(one.kind.value, one.value) for one in event.identifiers] == [("email", WHO), ("phone", NUMBER)]
    traits = event.interaction.traits
    assert (traits.get("name") or f"{traits['firstName']} {traits['lastName']}") == "Noor Aziz"
    kept = orjson.dumps(event.interaction.properties["fields"]).decode()
    assert kept.count(WHO) == 1


@settings(max_examples=150)
@given(st.dictionaries(st.text(max_size=12), around | st.just({"name": "x", "value": "y"}), min_size=1, max_size=6))
@example({"HUTK": {"name": "x", "value": "y"}})
def test_any_document_is_read_or_refused_with_a_reason_and_nobody_is_made_up(body: dict[str, Any]) -> None:
    try:
        reading = read(body)
    except CaptureRefused:  # it nests too deep, or says nothing at all
        return
    event = said(reading)
    assert event.body() == reading.capture("m-1").body
    named = [one for one in event.identifiers if one.kind is not IdentifierKind.ANONYMOUS_ID]  # a device is nobody here
    assert (reading.unrecognized is None) is bool(named)


@pytest.mark.parametrize(
    "body",
    [
        {"friend_email": WHO}, {"billing_email": WHO, "message": "hello"}, {"manager": {"email": WHO, "name": "M"}},
        {"site": {"owner": {"email": WHO}}}, {"assigned_to": {"email": WHO}}, {"zz": {"created_by": {"email": WHO}}},
        {"email": "nobody at nowhere"}, {"fields": [{"label": "Your friend's e-mail", "type": "email", "value": WHO}]},
    ],
)  # fmt: skip
def test_somebody_else_s_address_is_kept_and_names_nobody(body: dict[str, Any]) -> None:
    reading = read(body)
    assert reading.unrecognized is not None
    assert not said(reading).identifiers
    assert said(reading).interaction.properties["fields"]


def test_a_second_address_is_kept_and_the_first_identifies() -> None:
    event = said(read({"contact": {"email": WHO, "billing_email": "bills@lagoon.example", "name": "Noor"}}))
    assert [one.value for one in event.identifiers] == [WHO]
    assert "bills@lagoon.example" in event.interaction.properties["fields"].values()


@pytest.mark.parametrize(
    "body",
    [
        {"name": "Contact form", "answers": {"email": WHO}},
        {"form": {"title": "Contact form"}, "lead": {"email": WHO}},
        {"event_type": {"name": "Contact form"}, "invitee": {"email": WHO}},
    ],
)  # fmt: skip
def test_the_name_of_a_form_is_nobody_s(body: dict[str, Any]) -> None:
    traits = said(read(body)).interaction.traits
    assert traits == {"email": WHO}


def test_a_company_s_name_is_the_company_s() -> None:
    traits = said(
        read({"lead": {"email": WHO, "company": {"name": "Lagoon BV", "website": "lagoon.example"}}})
    ).interaction
    assert (traits.traits["company"], "name" in traits.traits) == ("Lagoon BV", False)
    assert traits.account is not None
    assert traits.account.name == "Lagoon BV"


def test_a_field_whose_name_says_nothing_counts_by_what_stands_in_it_if_there_is_one() -> None:
    assert [one.value for one in said(read({"field_7": WHO, "12": NUMBER, "3": "hello"})).identifiers] == [WHO, NUMBER]
    assert read({"field_7": WHO, "field_8": "other@lagoon.example"}).unrecognized is not None
    assert read({"zzreferred": WHO}).unrecognized is not None


def test_what_matters_to_a_deal_is_the_person_s_word() -> None:
    body = {
        "email": WHO,
        "need": ["Reports", "Alerts"],
        "authority": "I decide",
        "timeframe": "3 months",
        "budget": "20k",
    }
    traits = said(read(body)).interaction.traits
    assert traits == {
        "email": WHO,
        "need": "Reports, Alerts",
        "authority": "I decide",
        "timing": "3 months",
        "budget": "20k",
    }


def test_a_document_has_a_size() -> None:
    deep: Any = {"email": WHO}
    for _ in range(EVENT_LEVELS - 1):
        deep = {"zz": deep}
    assert read(deep).unrecognized is None
    for body in ({"zz": deep}, {"zz": [{f"f{number}": 1} for number in range(FORM_FIELDS + 1)]}):
        with pytest.raises(CaptureRefused):
            read(body)
