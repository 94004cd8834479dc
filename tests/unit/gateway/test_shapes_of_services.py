"""Documents as services really post them, in shapes beside those of their first examples: what lies in them is the
person's only where it is the person's.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from contracts.values import Identifier
from gateway.domain.claims import account_of_company
from semantics.capture import CaptureReading, read_captures
from tests.unit.gateway.test_form_services import JSON, URLENCODED, WHO, read, said


def heard(body: Any, kind: str = JSON) -> CaptureReading:
    return read_captures([said(read(body, kind))], "")[0]


def named(reading: CaptureReading) -> dict[str, str]:
    identifiers: tuple[Identifier, ...] = reading.identifiers
    return {str(one.kind): one.value for one in identifiers}


def test_a_long_sentence_that_asks_for_the_readers_address_is_answered_by_their_own() -> None:
    asks = "If you are fine with us following up on any further questions, please give us your email address."
    body = {
        "event_type": "form_response",
        "form_response": {
            "token": "tok_5551234567890",
            "definition": {"fields": [{"id": "a", "title": asks}, {"id": "b", "title": "Your boss's email"}]},
            "answers": [
                {"type": "email", "email": "boss@orchard.example", "field": {"id": "b", "type": "email"}},
                {"type": "email", "email": WHO, "field": {"id": "a", "type": "email"}},
            ],
        },
    }
    assert named(heard(body))["email"] == WHO


@pytest.mark.parametrize("holder", ["associated-company", "company", "organization", "employer_details"])
def test_the_name_of_a_company_is_never_the_persons(holder: str) -> None:
    body = {"properties": {"email": {"value": WHO}}, holder: {"properties": {"name": {"value": "Orchard Ltd"}}}}
    assert "name" not in heard(body).facts
    assert "name" not in heard({"email": WHO, holder: {"details": {"name": "Orchard Ltd"}}}).facts


def test_whoever_lies_within_somebody_else_is_not_the_person() -> None:
    owner = {"Email": "owner@us.example", "Name": "Olga Owner"}
    body = {"Name": {"First": "Ines", "Last": "Mertens"}, "Email": WHO, "Entry": {"Number": 1, "User": owner}}
    reading = heard(body)
    assert named(reading)["email"] == WHO
    assert (reading.facts["first_name"], reading.facts.get("name")) == ("Ines", None)
    assert heard({"type": "created", "data": {"item": {"email": WHO, "name": "Ines"}}}).facts["name"] == "Ines"


def test_a_lead_that_metas_own_tool_made_is_a_test() -> None:
    made = {"name": "full_name", "values": ["<test lead: dummy data for full_name>"]}
    email = {"name": "email", "values": ["test@fb.com"]}
    assert said(read({"id": "4444", "field_data": [made, email]})).interaction.is_test
    real = {"name": "full_name", "values": ["Ines Mertens"]}
    assert not said(read({"id": "4444", "field_data": [real, email]})).interaction.is_test


@pytest.mark.parametrize(
    ("answer", "number"),
    [
        ({"area": "415", "phone": "5552671"}, "+14155552671"),
        ({"full": "(415) 555-2671"}, "+14155552671"),
        ({"country": "49", "area": "30", "phone": "1234567"}, "+49301234567"),
        ({"countryCode": "+49", "number": "30 1234567"}, "+49301234567"),
    ],
)
def test_a_number_that_was_asked_in_parts_is_one_number(answer: dict[str, str], number: str) -> None:
    raw = {"q3_email": WHO, "q5_phoneNumber": answer, "q7_address": {"country": "United States"}}
    assert named(heard({"rawRequest": json.dumps(raw)}, URLENCODED))["phone"] == number


@pytest.mark.parametrize("field", ["phone_country_code", "phone[country]", "Dial code", "Mobile country code"])
@pytest.mark.parametrize("code", ["+49", "49", "DE", "Germany (+49)"])
def test_the_code_beside_a_number_is_its_country_and_nobodys_home(field: str, code: str) -> None:
    reading = heard({"email": WHO, field: code, "phone": "030 1234567"}, URLENCODED)
    assert (named(reading)["phone"], reading.facts.get("country")) == ("+49301234567", None)


def test_an_entry_of_gravity_forms_tells_where_its_number_is_from() -> None:
    body = {"id": "62", "form_id": "3", "source_url": "https://orchard.example/", "2": WHO, "3": "(415) 555-2671"}
    lived = {"6.1": "1 Main St", "6.3": "San Francisco", "6.4": "California", "6.5": "94105", "6.6": "United States"}
    reading = heard(body | lived)
    assert (named(reading)["phone"], reading.facts["city"]) == ("+14155552671", "San Francisco")


@pytest.mark.parametrize(
    "fields",
    [
        {"wpforms[fields][1]": WHO},
        {"item_meta[7]": WHO},
        {"nf-field-3": WHO},
        {"_replyto": WHO},
        {"SQF_EMAIL": WHO},
        {"data[merges][EMAIL]": WHO},
        {"Best email to reach you": "", "from_email": WHO},
    ],
)
def test_a_builders_own_name_of_a_field_hides_no_address(fields: dict[str, str]) -> None:
    assert named(heard(fields, URLENCODED)) == {"email": WHO}


@pytest.mark.parametrize(
    ("label", "attribute"),
    [
        ("Name (First)", "first_name"),
        ("first", "first_name"),
        ("last", "last_name"),
        ("How can we help you?", "message"),
        ("Comments / Questions", "message"),
        ("Ihr Anliegen", "message"),
        ("Tell us about your project", "message"),
        ("Best number to reach you", "phone"),
        ("Where do you work?", "company"),
        ("Name des Unternehmens", "company"),
    ],
)
def test_what_a_label_asks_is_heard(label: str, attribute: str) -> None:
    value = "+49 30 1234567" if attribute == "phone" else "Orchard"
    assert heard({"email": WHO, label: value}, URLENCODED).facts[attribute] == value


def test_when_somebody_wants_to_start_is_heard_in_the_spelling_of_a_lead_ad() -> None:
    asked = {"name": "when_do_you_want_to_start?", "values": ["within_3_months"]}
    reading = heard({"id": "4444", "field_data": [{"name": "email", "values": [WHO]}, asked]})
    assert reading.facts["timing"]["high"] == 3


def test_the_query_that_marketo_sends_apart_belongs_to_the_page() -> None:
    visit = {"pageURL": "https://orchard.example/lp", "queryString": "utm_source=fair&gclid=abc"}
    campaign = heard({"formId": 1, "input": [{"leadFormFields": {"email": WHO}, "visitorData": visit}]}).campaign
    assert campaign is not None
    assert (campaign.source, campaign.click_ids) == ("fair", ("gclid",))


def test_a_list_of_one_lead_is_that_lead() -> None:
    body: Any = [{"email": WHO, "name": "Ines Mertens"}]
    assert named(heard(body)) == {"email": WHO}


def test_a_web_site_beside_a_company_is_the_companys_through_every_door() -> None:
    told = {"company": "Orchard Ltd", "website": "https://www.orchard.example/about"}
    by_form = heard({"email": WHO, **told}, URLENCODED)
    by_call = account_of_company(told["company"], told)
    assert by_call is not None
    assert by_form.account is not None
    assert (by_call["name"], by_call["domain"]) == (by_form.account.name, by_form.account.domain)
    assert account_of_company("Orchard Ltd", {"website": "https://www.linkedin.com/in/ines"}) is not None


def test_the_colleague_who_moved_a_record_on_is_nobodys_user_id() -> None:
    current = {"name": "Ines Mertens", "email": [{"label": "work", "value": WHO, "primary": True}], "owner_name": "Rep"}
    reading = heard({"current": current, "meta": {"user_id": 5, "action": "added"}})
    assert (named(reading), reading.facts["name"]) == ({"email": WHO}, "Ines Mertens")
    assert named(heard({"email": WHO, "user_id": "u-77"})) == {"user_id": "u-77", "email": WHO}


def test_the_shapes_of_address_books_are_read() -> None:
    body = {
        "names": [{"givenName": "Ines", "familyName": "Mertens"}],
        "emailAddresses": [{"value": WHO}],
        "phoneNumbers": [{"value": "+49301234567"}],
    }
    assert named(heard(body)) == {"email": WHO, "phone": "+49301234567"}
    listed = {"emails": [{"address": WHO, "primary": True}], "phones": [{"number": "+49301234567", "type": "work"}]}
    assert named(heard(listed)) == {"email": WHO, "phone": "+49301234567"}
