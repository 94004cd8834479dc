"""What form services post to a webhook is a lead: invented answers in the structure of each vendor's documentation.

Where each structure is documented stands beside its plan in `gateway/domain/forms/form_services.py`.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from contracts.events.gateway import InteractionReceived
from contracts.values import Flag
from gateway.domain.capture import CaptureSender
from gateway.domain.forms.form_body import decode
from gateway.domain.forms.kept_posts import kept, read_again
from gateway.domain.forms.presets import Preset
from gateway.domain.forms.submission import Form, FormReading, Visit, read_form
from gateway.domain.keys import hash_of
from gateway.domain.refusal import CaptureRefused, RefusalKind
from tests.unit.gateway.recordings import NOW, WEB

JSON, URLENCODED = "application/json", "application/x-www-form-urlencoded"
WHO = "ines.mertens@orchard.example"


def a_form(**fields: Any) -> Form:
    given: dict[str, Any] = {"form_id": "frm_1", "source": WEB, "name": "Ask us"} | fields
    return Form(**given)


def read(body: dict[str, Any], kind: str = JSON, form: Form | None = None) -> FormReading:
    raw = json.dumps(body).encode() if kind == JSON else urlencode(body, doseq=True).encode()
    return read_form(form or a_form(), decode(raw, kind), Visit(CaptureSender()), NOW)


def said(reading: FormReading) -> InteractionReceived:
    capture = reading.capture("m-1")
    event = InteractionReceived.from_wire(capture.headers(), capture.body)
    assert event.body() == capture.body
    return event


TYPEFORM = {
    "event_id": "01HXEVENT", "event_type": "form_response",
    "form_response": {
        "form_id": "lT4Z3j", "token": "a3a12ec67a1365927098a606107fac15", "submitted_at": "2026-11-20T18:17:02Z",
        "hidden": {"utm_source": "orchardnews"},
        "definition": {"title": "Talk to sales", "fields": [
            {"id": "q1", "title": "What should we call you?", "type": "short_text", "ref": "full_name"},
            {"id": "q2", "title": "Where can we write to you?", "type": "email", "ref": "x2"},
            {"id": "q3", "title": "Your manager's email", "type": "email", "ref": "x3"},
            {"id": "q4", "title": "Company", "type": "short_text", "ref": "x4"},
        ]},
        "answers": [
            {"type": "email", "email": "boss@orchard.example", "field": {"id": "q3", "type": "email", "ref": "x3"}},
            {"type": "text", "text": "Ines Mertens", "field": {"id": "q1", "type": "short_text", "ref": "full_name"}},
            {"type": "email", "email": WHO, "field": {"id": "q2", "type": "email", "ref": "x2"}},
            {"type": "choice", "choice": {"label": "Orchard AG"}, "field": {"id": "q4", "type": "dropdown"}},
        ],
    },
}  # fmt: skip
TALLY = {
    "eventId": "a4cb511e", "eventType": "FORM_RESPONSE", "createdAt": "2026-11-20T18:17:02.000Z",
    "data": {"responseId": "resp2wgx4nQ6kA", "formId": "VwbNEw", "formName": "Ask us anything", "fields": [
        {"key": "question_1", "label": "First name", "type": "INPUT_TEXT", "value": "Ines"},
        {"key": "question_2", "label": "Last name", "type": "INPUT_TEXT", "value": "Mertens"},
        {"key": "question_3", "label": "How to reach you", "type": "INPUT_EMAIL", "value": WHO},
        {"key": "question_4", "label": "Company", "type": "DROPDOWN", "value": ["o2"],
         "options": [{"id": "o1", "text": "Other"}, {"id": "o2", "text": "Orchard AG"}]},
    ]},
}  # fmt: skip
WEBFLOW = {
    "triggerType": "form_submission",
    "payload": {
        "name": "Contact Us", "siteId": "65427cf400e02b306eaa049c", "id": "6321ca84df3949bfc6752327",
        "submittedAt": "2026-11-20T12:39:00.000Z", "formId": "65429eadebe8a9f3a30f62d0",
        "data": {"First Name": "Ines", "Last Name": "Mertens", "Email 2": WHO, "Company": "Orchard AG"},
    },
}  # fmt: skip
WEBFLOW_1 = {
    "name": "Email Form", "site": "65427cf4", "d": "2026-11-20T12:39:00.000Z", "_id": "6321ca84df3949bfc6752327",
    "data": {"Name": "Ines Mertens", "Your e-mail": WHO, "Company": "Orchard AG"},
}  # fmt: skip
META = {
    "id": "1020304050607080", "created_time": "2026-11-20T18:17:02+0000", "campaign_id": "238", "ad_id": "1",
    "field_data": [{"name": "full_name", "values": ["Ines Mertens"]}, {"name": "email", "values": [WHO]},
                   {"name": "company_name", "values": ["Orchard AG"]}],
}  # fmt: skip
GOOGLE = {
    "lead_id": "TeSter-123-ABCDEFGHIJKLMNOPQRSTUVWXYZ", "api_version": "1.0", "form_id": 9007199254740993,
    "campaign_id": 123, "gcl_id": "Cj0KEQ", "google_key": "our-words", "is_test": True,
    "user_column_data": [
        {"column_name": "Full Name", "string_value": "Ines Mertens", "column_id": "FULL_NAME"},
        {"column_name": "User Email", "string_value": WHO, "column_id": "EMAIL"},
        {"column_name": "Company Name", "string_value": "Orchard AG", "column_id": "COMPANY_NAME"},
    ],
}  # fmt: skip
CALENDLY = {
    "event": "invitee.created", "created_at": "2026-11-20T17:51:18Z", "created_by": "https://api.calendly.example/u/1",
    "payload": {
        "email": WHO, "name": "Ines Mertens", "uri": "https://api.calendly.example/scheduled_events/A/invitees/B",
        "created_at": "2026-11-20T17:51:18.327602Z", "tracking": {"utm_source": "orchardnews"},
        "questions_and_answers": [{"question": "Company", "answer": "Orchard AG", "position": 0}],
        "scheduled_event": {"name": "First call", "event_memberships": [{"user_email": "rep@seller.example"}]},
    },
}  # fmt: skip
GRAVITY = {
    "id": "8077", "form_id": "3", "ip": "203.0.113.7",
    "source_url": "https://orchard.example/ask?utm_source=orchardnews",
    "date_created": "2026-11-20 18:17:02", "1.3": "Ines", "1.6": "Mertens", "2": WHO, "5": "+49 30 901820",
    "7.1": "Apple Road 5", "7.3": "Berlin", "7.5": "10115", "7.6": "Germany",
}  # fmt: skip
WPFORMS = {
    "form_title": "Ask us", "entry_id": 77, "fields": {
        "1": {"name": "Name", "value": "Ines Mertens", "id": 1, "type": "name", "first": "Ines", "last": "Mertens"},
        "2": {"name": "Where to answer", "value": WHO, "id": 2, "type": "email"},
        "3": {"name": "Company", "value": "Orchard AG", "id": 3, "type": "text"},
    },
}  # fmt: skip
ELEMENTOR = {
    "form[id]": "4f9", "form[name]": "New Form",
    **{f"fields[{key}][{part}]": value for key, kind, title, text in (
        ("name", "text", "Name", "Ines Mertens"), ("mail", "email", "Where to answer", WHO),
        ("field_1", "text", "Company", "Orchard AG"),
    ) for part, value in (("id", key), ("type", kind), ("title", title), ("value", text), ("raw_value", text))},
    "meta[page_url][title]": "Page URL", "meta[page_url][value]": "https://orchard.example/ask",
}  # fmt: skip
ELFSIGHT = {
    key: {"id": key, "name": name, "value": value, "type": kind} for key, name, value, kind in (
        ("name", "Full name", "Ines Mertens", "TEXT"), ("email", "Email", WHO, "EMAIL"),
        ("company", "Company", "Orchard AG", "TEXT"),
    )
}  # fmt: skip
WUFOO = {
    "Field1": "Ines", "Field2": "Mertens", "Field4": WHO, "Field6": "Orchard AG", "EntryId": "12",
    "DateCreated": "2026-11-20 10:17:02", "HandshakeKey": "our-words", "IP": "203.0.113.7",
    "FormStructure": json.dumps({"Name": "Ask us", "Email": "owner@seller.example"}),
    "FieldStructure": json.dumps({"Fields": [
        {"Title": "Name", "Type": "shortname", "ID": "Field1",
         "SubFields": [{"ID": "Field1", "Label": "First"}, {"ID": "Field2", "Label": "Last"}]},
        {"Title": "Where to answer", "Type": "email", "ID": "Field4"},
        {"Title": "Company", "Type": "text", "ID": "Field6"},
    ]}),
}  # fmt: skip
FORMSTACK = {
    "FormID": "1843687", "UniqueID": "1203040506070", "HandshakeKey": "our-words",
    "Name": {"first": "Ines", "last": "Mertens"}, "Email": WHO, "Company": "Orchard AG",
}  # fmt: skip
NETLIFY = {
    "id": "5c6f3d7b1a2b3c4d5e6f7a8b", "form_name": "ask", "title": "Message from the site", "site_url": "https://o.example",
    "created_at": "2026-11-20T18:17:02.000Z", "name": "ask", "email": "owner@seller.example",
    "data": {"name": "Ines Mertens", "email": WHO, "company": "Orchard AG", "ip": "203.0.113.7"},
}  # fmt: skip
MARKETO = {
    "formId": 1029,
    "input": [{
        "leadFormFields": {"firstName": "Ines", "lastName": "Mertens", "email": WHO, "company": "Orchard AG"},
        "visitorData": {"pageURL": "https://orchard.example/ask?utm_source=orchardnews", "userAgentString": "x"},
        "cookie": "id:063-GJP-217&token:_mch-marketo.com",
    }],
}  # fmt: skip
JOTFORM = {
    "formID": "2218", "submissionID": "5200112233445566778", "formTitle": "Ask us", "pretty": "Name:Ines Mertens",
    "rawRequest": json.dumps({
        "slug": "submit/2218", "q3_name": {"first": "Ines", "last": "Mertens"},
        "q4_email": WHO, "q6_company": "Orchard AG",
    }),
}  # fmt: skip
HUBSPOT = {
    "submittedAt": 1763662622000, "context": {"hutk": "cookie-9", "pageUri": "https://orchard.example/ask"},
    "fields": [
        {"objectTypeId": "0-2", "name": "name", "value": "Orchard AG"},
        {"objectTypeId": "0-1", "name": "email", "value": WHO},
        {"objectTypeId": "0-1", "name": "firstname", "value": "Ines"},
        {"objectTypeId": "0-1", "name": "lastname", "value": "Mertens"},
    ],
}  # fmt: skip
POSTS: dict[str, tuple[dict[str, Any], str]] = {
    "typeform": (TYPEFORM, JSON), "tally": (TALLY, JSON), "webflow": (WEBFLOW, JSON), "webflow 1": (WEBFLOW_1, JSON),
    "meta": (META, JSON), "google": (GOOGLE, JSON), "calendly": (CALENDLY, JSON), "gravity": (GRAVITY, JSON),
    "gravity as fields": (GRAVITY, URLENCODED), "wpforms": (WPFORMS, JSON), "elementor": (ELEMENTOR, URLENCODED),
    "elfsight": (ELFSIGHT, JSON), "wufoo": (WUFOO, URLENCODED), "formstack": (FORMSTACK, JSON),
    "formstack as fields": ({**FORMSTACK, "Name": "first = Ines\nlast = Mertens"}, URLENCODED),
    "netlify": (NETLIFY, JSON), "marketo": (MARKETO, JSON),
    "jotform": (JOTFORM, URLENCODED), "hubspot": (HUBSPOT, JSON),
}  # fmt: skip


@pytest.mark.parametrize("service", POSTS)
def test_whoever_filled_it_in_is_known_by_their_own_address_name_and_company(service: str) -> None:
    body, kind = POSTS[service]
    reading = read(body, kind)
    event = said(reading)
    assert reading.unrecognized is None
    assert [one.value for one in event.identifiers if one.kind == "email"] == [WHO], service
    traits = event.interaction.traits
    name = traits.get("name") or f"{traits.get('firstName')} {traits.get('lastName')}"
    assert name == "Ines Mertens", traits
    assert service.startswith("gravity") or traits["company"] == "Orchard AG"
    assert event.interaction.name not in (name, "Orchard AG")
    for secret in (b"our-words", b"owner@seller"):
        assert secret not in orjson.dumps([event.interaction.traits, event.interaction.properties]), service
    assert b"our-words" not in event.body()


@pytest.mark.parametrize(
    "service", [name for name in POSTS if name not in ("elementor", "elfsight", "marketo", "hubspot")]
)
def test_a_delivery_that_comes_again_is_the_same_message(service: str) -> None:
    body, kind = POSTS[service]
    first, again = read(body, kind).named_message_id, read({**body, "attempt": 2}, kind).named_message_id
    assert first is not None
    assert first == again


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (TYPEFORM, "a3a12ec67a1365927098a606107fac15"), (GOOGLE, "TeSter-123-ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
        (META, "1020304050607080"), (WEBFLOW, "6321ca84df3949bfc6752327"), (NETLIFY, "5c6f3d7b1a2b3c4d5e6f7a8b"),
    ],
)  # fmt: skip
def test_the_service_s_own_id_is_the_message_id(body: dict[str, Any], named: str) -> None:
    assert read(body).named_message_id == named


def test_a_number_that_each_site_counts_from_one_names_nothing_for_all() -> None:
    assert read(GRAVITY).named_message_id != read(GRAVITY, form=a_form(form_id="frm_2")).named_message_id
    assert read(GRAVITY).named_message_id != read({**GRAVITY, "2": "other@orchard.example"}).named_message_id


def test_when_and_where_it_was_filled_in_is_told() -> None:
    assert said(read(TYPEFORM)).interaction.occurred_at.isoformat() == "2026-11-20T18:17:02+00:00"
    assert said(read(GRAVITY)).interaction.context["page"]["path"] == "/ask"
    assert said(read(MARKETO)).interaction.context["campaign"] == {"source": "orchardnews"}
    assert said(read(CALENDLY)).interaction.context["campaign"] == {"source": "orchardnews"}
    assert said(read(ELEMENTOR, URLENCODED)).interaction.context["page"]["url"] == "https://orchard.example/ask"
    odd = said(read({**WEBFLOW_1, "d": "last Tuesday"})).interaction
    assert (odd.occurred_at, odd.flags) == (NOW, (Flag.TIME_UNREADABLE,))


def test_a_test_of_the_service_is_a_test() -> None:
    assert said(read(GOOGLE)).interaction.is_test
    assert not said(read({**GOOGLE, "is_test": False})).interaction.is_test


@pytest.mark.parametrize(("body", "kind"), [(GOOGLE, JSON), (WUFOO, URLENCODED), (FORMSTACK, JSON)])
def test_a_form_with_a_secret_takes_only_who_knows_it(body: dict[str, Any], kind: str) -> None:
    read(body, kind, a_form(secret_hash=hash_of("our-words")))
    without = {key: value for key, value in body.items() if key not in ("google_key", "HandshakeKey")}
    for form, sent in (
        (a_form(secret_hash=hash_of("others")), body),
        (a_form(secret_hash=hash_of("our-words")), without),
    ):
        with pytest.raises(CaptureRefused) as refusal:
            read(sent, kind, form)
        assert refusal.value.fault is RefusalKind.FORBIDDEN


def test_a_note_that_there_is_a_lead_names_nobody_and_says_so() -> None:
    value = {"leadgen_id": "444555666777888", "form_id": "1", "page_id": "2"}
    reading = read({"object": "page", "entry": [{"id": "2", "changes": [{"field": "leadgen", "value": value}]}]})
    assert reading.unrecognized is not None
    assert reading.named_message_id == "444555666777888"


def test_a_mapping_reaches_into_a_document_by_label_key_and_path() -> None:
    body = {
        "lead": {"ways": [{"kind": "x", "at": WHO}], "zz": "Orchard AG"},
        "items": [{"label": "Hue", "value": "red"}],
    }
    assert read(body).unrecognized is not None
    mapping = {"lead.ways.at": "email", "lead.zz": "company", "hue": "budget"}
    traits = said(read(body, form=a_form(mapping=mapping))).interaction.traits
    assert traits == {"email": WHO, "company": "Orchard AG", "budget": "red"}
    assert said(read(body, form=a_form(mapping={"lead.ways.0.at": "email"}))).interaction.traits == {"email": WHO}


def test_what_is_kept_to_be_read_again_holds_no_secret_and_reads_the_same() -> None:
    submission = decode(json.dumps({**GOOGLE, "login": {"password": "hunter2"}}).encode(), JSON)
    visit = Visit(
        CaptureSender("203.0.113.9", "curl"), "https://o.example", {"ajs_anonymous_id": "a", "sid": "1"}, "de"
    )
    post = kept(submission, visit, "m-7")
    assert post is not None
    assert not any(secret in post for secret in ("our-words", "hunter2", "sid"))
    again, visit_again, message_id = read_again(post)
    assert (visit_again.page_url, visit_again.sender, message_id) == (visit.page_url, visit.sender, "m-7")
    first, second = (read_form(a_form(), one, visit, NOW) for one in (submission, again))
    assert said(first).interaction.traits == said(second).interaction.traits


def test_every_service_has_a_preset_that_can_be_chosen() -> None:
    for preset in Preset:
        assert read({"email": WHO}, URLENCODED, a_form(preset=preset)).unrecognized is None
