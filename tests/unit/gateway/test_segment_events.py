"""One event: what is read from it, and what is refused, naming the field."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from contracts.events.gateway import InteractionReceived
from contracts.limits import EVENT_LEVELS
from contracts.values import Flag, IdentifierKind, InteractionKind
from gateway.domain.capture import CaptureSender, CaptureSource
from gateway.domain.claims import gives_own_address, is_email
from gateway.domain.refusal import CaptureRefused
from gateway.domain.segment import read_event
from tests.unit.gateway.recordings import NOW, SERVER, WEB


def said(
    event: dict[str, Any], source: CaptureSource = WEB, sender: CaptureSender | None = None
) -> InteractionReceived:
    capture = read_event(event, None, source, NOW, sender or CaptureSender())
    heard = InteractionReceived.from_wire(capture.headers(), capture.body)
    assert heard.body() == capture.body
    return heard


def a_track(**fields: Any) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Pricing Viewed",
        "anonymousId": "a-1",
        "messageId": "m-1",
        "timestamp": NOW.isoformat(),
    } | fields


def named(event: InteractionReceived) -> list[tuple[str, str]]:
    return [(identifier.kind.value, identifier.value) for identifier in event.identifiers]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"type": "purchase"}, "type"),
        ({"type": None}, "type"),
        ({"type": ["track"]}, "type"),
        ({"event": None}, "event"),
        ({"event": "  "}, "event"),
        ({"event": {"a": 1}}, "event"),
        ({"event": "x" * 513}, "event"),
        ({"anonymousId": None}, "userId"),
        ({"anonymousId": ["a"]}, "anonymousId"),
        ({"userId": True}, "userId"),
        ({"userId": {"id": 1}}, "userId"),
        ({"userId": "x" * 513}, "userId"),
        ({"traits": "vip"}, "traits"),
        ({"properties": [1]}, "properties"),
        ({"context": 7}, "context"),
        ({"messageId": {}}, "messageId"),
        ({"type": "group"}, "groupId"),
        ({"type": "alias"}, "previousId"),
        ({"type": "page", "name": {}}, "name"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(CaptureRefused) as refusal:
        said(a_track(**fields))
    assert refusal.value.field == field


@pytest.mark.parametrize("event", [None, 1, "track", [], [{}]])
def test_what_is_no_object_is_no_event(event: Any) -> None:
    with pytest.raises(CaptureRefused, match="event: must be a JSON object"):
        read_event(event, None, WEB, NOW, CaptureSender())


def test_nesting_has_a_limit_that_is_told() -> None:
    nested: Any = 1
    for _ in range(EVENT_LEVELS - 1):  # the event itself is one level
        nested = {"in": nested}
    said(a_track(properties=nested))
    with pytest.raises(CaptureRefused, match="nests deeper than 64 levels"):
        said(a_track(properties={"in": nested}))


def test_numbers_count_as_identifiers_and_blanks_as_none() -> None:
    assert named(said(a_track(userId=42, anonymousId=""))) == [("user_id", "42")]
    assert named(said(a_track(userId=42.0, anonymousId=None))) == [("user_id", "42")]
    assert named(said(a_track(userId=" u-1 "))) == [("user_id", "u-1"), ("anonymous_id", "a-1")]


def test_an_address_used_as_user_id_is_an_address_too() -> None:
    assert named(said(a_track(userId="ada@example.com"))) == [
        ("user_id", "ada@example.com"),
        ("email", "ada@example.com"),
        ("anonymous_id", "a-1"),
    ]


def test_an_address_in_traits_is_enough_to_be_somebody() -> None:
    event = said({"type": "identify", "traits": {"email": "ada@example.com", "phone": 442079460000}})
    assert named(event) == [("email", "ada@example.com"), ("phone", "442079460000")]


def test_traits_in_the_context_are_claims_too_and_the_event_s_own_go_before() -> None:
    event = said(
        a_track(context={"traits": {"email": "old@example.com", "plan": "pro"}}, traits={"email": "new@example.com"})
    )
    assert event.interaction.traits == {"email": "new@example.com", "plan": "pro"}
    assert named(event)[0] == ("email", "new@example.com")


def test_an_invalid_address_stays_a_trait_but_identifies_nobody() -> None:
    event = said({"type": "identify", "anonymousId": "a", "traits": {"email": "not an address"}})
    assert named(event) == [("anonymous_id", "a")]
    assert event.interaction.traits["email"] == "not an address"


@pytest.mark.parametrize(
    "name",
    [
        "Form Submitted",
        "Demo Form Submitted",
        "Signed Up",
        "signup",
        "formSubmitted",
        "Whitepaper Download",
        "demo_requested",
    ],
)
def test_giving_an_address_in_a_form_is_a_claim(name: str) -> None:
    event = said(a_track(event=name, properties={"email": "ada@example.com", "phone": "+44 20 7946 0000"}))
    assert named(event) == [("email", "ada@example.com"), ("phone", "+44 20 7946 0000"), ("anonymous_id", "a-1")]


@pytest.mark.parametrize(
    "name",
    ["Invite Form Submitted", "Email Opened", "Live Chat Message Sent", "Shared with a friend", "Product Viewed"],
)
def test_an_address_in_any_other_event_may_be_somebody_else_s(name: str) -> None:
    assert not gives_own_address(name)
    assert named(said(a_track(event=name, properties={"email": "bob@example.com"}))) == [("anonymous_id", "a-1")]


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("a@b.co", True), ("Ada.Lovelace+news@Example.com", True), ("jörg@müller.de", True), ("用户@例子.广告", True),
        ("a@b", False), ("a b@c.de", False), ("a@b..c", False), ("@b.co", False),
        ("a@b.co,c@d.ef", False), ("a@b.1", False), ("x" * 65 + "@b.co", False),
    ],
)  # fmt: skip
def test_what_looks_like_an_address(text: str, verdict: bool) -> None:
    assert is_email(text) is verdict


@pytest.mark.parametrize(
    ("company", "expected"),
    [
        ("Acme", (None, "Acme", None)),
        ({"id": 7, "name": "Acme", "website": "https://www.acme.test/about"}, ("7", "Acme", "acme.test")),
        ({"name": " ", "domain": "acme.test"}, (None, None, "acme.test")),
        ({"name": 3, "website": "not a host"}, (None, None, None)),
    ],
)
def test_the_company_of_an_identify_is_a_claim(
    company: Any, expected: tuple[str | None, str | None, str | None]
) -> None:
    account = said({"type": "identify", "userId": "u", "traits": {"company": company}}).interaction.account
    assert account is not None
    assert (account.group_id, account.name, account.domain) == expected


@pytest.mark.parametrize("company", [None, "", "  ", {}, 7, ["Acme"]])
def test_no_company_is_no_claim(company: Any) -> None:
    assert said({"type": "identify", "userId": "u", "traits": {"company": company}}).interaction.account is None


def test_a_group_in_the_context_is_the_company_of_the_moment() -> None:
    account = said(a_track(context={"groupId": "acct_123"})).interaction.account
    assert account is not None
    assert account.group_id == "acct_123"


def test_fields_nobody_knows_are_kept() -> None:
    event = said(a_track(channel="browser", version=2, _metadata={"bundled": []}, mood="good"))
    assert event.interaction.extra == {"channel": "browser", "version": 2, "_metadata": {"bundled": []}, "mood": "good"}


def test_snake_case_is_understood() -> None:
    event = said({"user_id": "u", "action": "track", "event": "Email Delivered", "message_id": "m-9"})
    assert named(event) == [("user_id", "u")]
    assert event.interaction.message_id == "m-9"


def test_the_path_says_the_kind_whatever_the_body_says() -> None:
    capture = read_event({"type": "track", "userId": "u"}, InteractionKind.PAGE, WEB, NOW, CaptureSender())
    assert orjson.loads(capture.body)["interaction"]["kind"] == "page"


def test_the_address_of_a_browser_is_filled_in_and_that_of_a_server_is_not() -> None:
    sender = CaptureSender("203.0.113.9", "Browser/1")
    assert said(a_track(), WEB, sender).interaction.context == {"ip": "203.0.113.9", "userAgent": "Browser/1"}
    assert said(a_track(context={"ip": "1.1.1.1"}), WEB, sender).interaction.context["ip"] == "1.1.1.1"
    assert said(a_track(), SERVER, sender).interaction.context == {}


# --- which message it is
# --------------------------------------------------------------------------------------------------------


def test_a_message_is_the_same_only_within_its_source() -> None:
    assert said(a_track(), WEB).meta.event_id == said(a_track(event="Other"), WEB).meta.event_id
    assert said(a_track(), WEB).meta.event_id != said(a_track(), SERVER).meta.event_id


def test_without_an_id_the_content_says_which_message_it_is() -> None:
    plain, retried = a_track(messageId=None), a_track(messageId=None, sentAt="2026-11-22T02:50:00Z", writeKey="other")
    assert said(plain).meta.event_id == said(retried).meta.event_id
    assert said(plain).meta.event_id != said(a_track(messageId=None, properties={"n": 1})).meta.event_id


def test_without_an_id_and_a_time_the_same_thing_tomorrow_is_another() -> None:
    event = {"type": "track", "event": "Login", "userId": "u"}
    today = read_event(event, None, WEB, NOW, CaptureSender())
    again = read_event(event, None, WEB, NOW.replace(second=30), CaptureSender())
    tomorrow = read_event(event, None, WEB, NOW.replace(day=23), CaptureSender())
    assert today.event_id == again.event_id
    assert today.event_id != tomorrow.event_id


def test_a_message_id_of_any_length_is_taken() -> None:
    event = said(a_track(messageId="m" * 5_000))
    assert event.interaction.message_id.startswith("msg_")
    assert event.meta.event_id != said(a_track(messageId="m" * 5_001)).meta.event_id


def test_a_capture_without_a_time_says_so() -> None:
    event = said(a_track(timestamp=None))
    assert (event.interaction.occurred_at, event.interaction.flags) == (NOW, (Flag.TIME_MISSING,))


def test_the_lane_follows_the_strongest_identifier() -> None:
    capture = read_event(a_track(userId="u-1"), None, WEB, NOW, CaptureSender())
    assert capture.lane_key == f"{IdentifierKind.USER_ID}:u-1"


def test_a_page_call_s_page_is_kept_once() -> None:
    page = {"path": "/product", "url": "https://www.acme.example/product", "title": "Product", "referrer": ""}
    event = {
        "type": "page",
        "anonymousId": "a",
        "properties": {**page, "plan": "pro"},
        "context": {"locale": "en", "page": page},
    }
    interaction = said(event, SERVER).interaction
    assert (interaction.properties, interaction.context) == ({**page, "plan": "pro"}, {"locale": "en"})


@pytest.mark.parametrize(
    ("properties", "page", "kept"),
    [
        ({"path": "/a"}, {"path": "/b"}, {"path": "/b"}),
        ({"path": "/a"}, {"path": "/a", "search": "?utm_source=x"}, {"search": "?utm_source=x"}),
        ({"wide": 1}, {"wide": True}, {"wide": True}),
        ({}, {"path": "/a"}, {"path": "/a"}),
        ({"path": "/a"}, "a page", "a page"),
    ],
)
def test_what_the_context_says_otherwise_of_a_page_stays(properties: dict[str, Any], page: Any, kept: Any) -> None:
    event = {"type": "page", "anonymousId": "a", "properties": properties, "context": {"page": page}}
    assert said(event, SERVER).interaction.context["page"] == kept
    assert repr(said(event, SERVER).interaction.context["page"]) == repr(kept)


def test_only_page_calls_describe_their_page_themselves() -> None:
    page = {"path": "/product"}
    assert said(a_track(properties=page, context={"page": page}), SERVER).interaction.context == {"page": page}
