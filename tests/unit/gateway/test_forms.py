"""Form posts, as browsers really send them and as plugins name their fields."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.events.gateway import InteractionReceived
from contracts.values import Flag
from gateway.domain.capture import CaptureSender
from gateway.domain.forms.form_body import Submission, decode
from gateway.domain.forms.presets import Preset, guess
from gateway.domain.forms.submission import Form, FormReading, Visit, allowed_return, message_id_of, read_form
from gateway.domain.refusal import CaptureRefused, RefusalKind
from tests.unit.gateway.recordings import NOW, WEB, form_requests

URLENCODED = "application/x-www-form-urlencoded"
CODECS_OF_NO_PAGE = (b"idna", b"punycode", b"unicode_escape", b"raw_unicode_escape", b"utf-7", b"undefined", b"rot13")


def a_form(**fields: Any) -> Form:
    given: dict[str, Any] = {"form_id": "frm_1", "source": WEB, "name": "Demo"} | fields
    return Form(**given)


def read(
    body: str | bytes, content_type: str = URLENCODED, form: Form | None = None, visit: Visit | None = None
) -> FormReading:
    raw = body.encode() if isinstance(body, str) else body
    return read_form(form or a_form(), decode(raw, content_type), visit or Visit(CaptureSender()), NOW)


def said(reading: FormReading) -> InteractionReceived:
    capture = reading.capture("m-1")
    event = InteractionReceived.from_wire(capture.headers(), capture.body)
    assert event.body() == capture.body
    return event


def named(reading: FormReading) -> list[tuple[str, str]]:
    return [(identifier.kind.value, identifier.value) for identifier in said(reading).identifiers]


def recorded(path: str) -> FormReading:
    request = next(request for request in form_requests() if request.path.startswith(path) and request.method == "POST")
    hint = "UTF-8" if "encoding=" in request.path else None
    submission = decode(request.body, request.headers["content-type"], hint)
    return read_form(
        a_form(return_urls=("https://acme.test/",)), submission, Visit(CaptureSender(), request.headers["referer"]), NOW
    )


# --- recorded from a browser
# --------------------------------------------------------------------------------------------------


def test_a_recorded_web_to_lead_post_is_a_lead() -> None:
    reading = recorded("/servlet/servlet.WebToLead")
    event = said(reading)
    assert named(reading) == [("email", "zoe.obrien+demo@example.co.uk"), ("phone", "+41 (0)44 668 18 00")]
    traits = event.interaction.traits
    assert (traits["firstName"], traits["lastName"], traits["title"], traits["company"]) == (
        "Zoë",
        "O'Brien & Søn",
        "VP, R&D",
        "東京 Widgets <K.K.>",
    )
    assert (traits["employees"], traits["industry"], traits["country"]) == ("250", "Electronics", "CH")
    assert traits["description"] == "Line 1\r\nLine 2 with 100% + tab\tend"
    assert event.interaction.account is not None
    assert (event.interaction.account.name, event.interaction.account.domain) == (
        "東京 Widgets <K.K.>",
        "widgets.example",
    )
    assert event.interaction.context["campaign"] == {
        "source": "linkedin", "medium": "paid_social", "lead_source": "Web", "id": "701000000000001",
        "member_status": "Responded",
    }  # fmt: skip
    assert event.interaction.context["click_ids"] == {"li_fat_id": "abc"}
    assert event.interaction.context["consent"] == {"emailOptOut": "1"}
    assert event.interaction.properties["fields"]["00N000000000001"] == ["A", "B"]
    assert reading.return_url == "https://acme.test/thanks"


def test_a_recorded_multipart_post_drops_the_file_and_names_it() -> None:
    reading = recorded("/forms/multipart")
    event = said(reading)
    assert named(reading) == [("email", "zoe@example.com")]
    assert event.interaction.traits == {"name": "Zoë 東京", "email": "zoe@example.com", "message": "hello\r\nworld"}
    assert event.interaction.properties["fields"]["interests"] == ["a", "b"]
    assert event.interaction.context["files"] == ["cv.txt"]
    assert event.interaction.flags == (Flag.FILES_DROPPED,)
    assert b"CV of" not in event.body()


def test_a_recorded_text_post_is_read_line_by_line() -> None:
    assert said(recorded("/forms/textplain")).interaction.properties["fields"] == {
        "email": "zoe@example.com",
        "note": "a=b&c",
    }


def test_a_message_of_several_lines_is_one_message_in_plain_text_too() -> None:
    raw = "email=ada@example.com\r\nmessage=Hello,\r\nplease call.\r\n\r\n1 + 1 = 2\r\nFirst Name=Ada\r\n"
    fields = said(read(raw, "text/plain")).interaction.properties["fields"]
    assert fields == {
        "email": "ada@example.com",
        "message": "Hello,\r\nplease call.\r\n\r\n1 + 1 = 2",
        "First Name": "Ada",
    }


def test_the_same_field_twice_is_one_value_and_a_box_with_its_hidden_field_one_answer() -> None:
    event = said(
        read("company=Acme&company=Acme&email=a@b.co&consent=0&consent=1&gdpr=true&gdpr=false&likes=A&likes=B")
    )
    assert event.interaction.traits["company"] == "Acme"
    assert event.interaction.properties["fields"]["company"] == "Acme"
    assert event.interaction.properties["fields"]["likes"] == ["A", "B"]
    assert event.interaction.context["consent"] == {"consent": "1", "gdpr": "true"}


def test_json_keeps_its_nulls_and_its_lists() -> None:
    fields = said(read(json.dumps({"email": "a@b.co", "a": None, "b": ["x"], "c": []}), "application/json"))
    kept = fields.interaction.properties["fields"]
    assert (kept["a"], kept["b"], kept["c"]) == (None, ["x"], [])


def test_the_campaign_is_read_in_any_part_of_the_page_s_address() -> None:
    for url in ("https://acme.test/#utm_source=news&gclid=x", "https://acme.test/?utm_source=news&amp;gclid=x"):
        context = said(read("email=a@b.co", visit=Visit(CaptureSender(), url))).interaction.context
        assert (context["campaign"], context["click_ids"]) == ({"source": "news"}, {"gclid": "x"})


def test_a_recorded_latin_form_brings_japanese_as_entities() -> None:
    assert said(recorded("/forms/latin1")).interaction.traits == {"name": "Zoë 東京"}


def test_of_repeated_addresses_the_first_identifies_and_all_are_kept() -> None:
    reading = recorded("/beacon/formdata")
    assert named(reading) == [("email", "z@example.com")]
    assert said(reading).interaction.properties["fields"]["email"] == ["z@example.com", "y@example.com"]


@pytest.mark.parametrize("path", ["/beacon/string", "/beacon/blob", "/fetch/keepalive-json", "/fetch/nocors-text"])
def test_recorded_beacons_with_json_are_read_whatever_they_are_called(path: str) -> None:
    assert named(recorded(path)) == [("anonymous_id", "a1")]
    assert said(recorded(path)).interaction.properties["fields"]["u"] == "Zoë"


# --- charsets
# -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "content_type", "name"),
    [
        (b"name=Zo%C3%AB", URLENCODED, "Zoë"),
        (b"name=Zo%EB", URLENCODED, "Zoë"),  # says nothing, and is no UTF-8
        (b"name=Zo%EB", URLENCODED + ";charset=ISO-8859-1", "Zoë"),
        (b"_charset_=windows-1252&name=%80+%26%238364%3B", URLENCODED, "€ €"),
        (b"_charset_=Shift_JIS&name=%93%8C%8B%9E", URLENCODED, "東京"),
        (b"_charset_=no-such-charset&name=Zo%C3%AB", URLENCODED, "Zoë"),
        (b"_charset_=base64&name=Zo%C3%AB", URLENCODED, "Zoë"),  # a codec, but not of text
        *((b"_charset_=%b&name=%%2BADw-+a" % label, URLENCODED, "+ADw- a") for label in CODECS_OF_NO_PAGE),
        (b"name=+%2BADw-&x=1", URLENCODED + ";charset=idna", " +ADw-"),
        (b"name=Zo%EB+%26%2326481%3B", URLENCODED, "Zoë 東"),  # no UTF-8: a browser wrote it for a form in Latin
        (b"name=%26%2326481%3B&x=%EB", URLENCODED, "東"),
        (b"name=%26%2326481%3B", URLENCODED, "&#26481;"),  # in UTF-8 somebody typed that
        (b"_charset_=windows-1252&name=%26%2355296%3B", URLENCODED, "&#55296;"),  # a surrogate is no character
        (b"name=a%00b", URLENCODED, "a\ufffdb"),
    ],
)
def test_text_is_read_in_the_charset_it_was_written_in(raw: bytes, content_type: str, name: str) -> None:
    assert said(read(raw, content_type)).interaction.traits["name"] == name


def test_multipart_names_may_be_quoted_and_parts_may_hold_anything() -> None:
    quoted = b'--b\r\nContent-Disposition: form-data; name="say %22hi%22"\r\n\r\n--not a boundary\r\n'
    raw = quoted + b"--b\r\nContent-Disposition: form-data; name=email\r\n\r\na@b.co\r\n--b--\r\n"
    assert decode(raw, "multipart/form-data; boundary=b").fields == {
        'say "hi"': ["--not a boundary"],
        "email": ["a@b.co"],
    }


@pytest.mark.parametrize(
    ("raw", "content_type", "fault"),
    [
        (b"x", "multipart/form-data", RefusalKind.MALFORMED),
        (b"x", "multipart/form-data; boundary=b", RefusalKind.MALFORMED),
        (b"{", "application/json", RefusalKind.MALFORMED),
        (b"[1]", "application/json", RefusalKind.WRONG),
        (b"<a/>", "application/xml", RefusalKind.UNSUPPORTED),
        (b"&".join(b"f%d=1" % number for number in range(1_100)), URLENCODED, RefusalKind.TOO_LARGE),
    ],
)
def test_what_is_no_form_is_refused(raw: bytes, content_type: str, fault: RefusalKind) -> None:
    with pytest.raises(CaptureRefused) as refusal:
        decode(raw, content_type)
    assert refusal.value.fault is fault


@given(
    st.binary(max_size=400),
    st.sampled_from(
        (URLENCODED, "multipart/form-data; boundary=b", "text/plain", "application/json", "", "x/y; charset=idna")
    ),
)
def test_any_bytes_are_a_form_or_refused(raw: bytes, content_type: str) -> None:
    try:
        reading = read(raw, content_type)
    except CaptureRefused:
        return
    said(reading)


# --- what the fields mean
# -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "meaning"),
    [
        ("your-email", "email"), ("e-mail", "email"), ("mail", "email"), ("Email Address", "email"),
        ("EMAIL", "email"), ("work_email", "email"),
        ("form_fields[email]", "email"), ("data[Lead][first_name]", "firstName"),
        ("First Name", "firstName"), ("vorname", "firstName"), ("Surname", "lastName"),
        ("company", "company"), ("Company Name", "company"), ("organisation", "company"), ("job_title", "title"),
        ("your-company", "company"),
        ("tel", "phone"), ("Phone Number", "phone"),
        ("Number of employees", "employees"), ("utm_campaign", "@campaign.name"), ("gclid", "@click.gclid"),
        ("g-recaptcha-response", "@technical"), ("csrf_token", "@technical"),
        ("password", "@secret"), ("card-number", "@secret"), ("marketing_consent", "@consent"),
        ("gdpr", "@consent"), ("favourite colour", None), ("mailing_street", None),
    ],
)  # fmt: skip
def test_field_names_are_guessed(field: str, meaning: str | None) -> None:
    assert guess(field) == meaning


def test_a_form_s_own_mapping_goes_before_preset_and_guess() -> None:
    form = a_form(mapping={"field_7": "email", "title": "salutation", "email": "@technical"})
    event = said(read("field_7=ada@example.com&title=Dr&email=info@agency.test", form=form))
    assert [identifier.value for identifier in event.identifiers] == ["ada@example.com"]
    assert event.interaction.traits == {"email": "ada@example.com", "salutation": "Dr"}


def test_a_hubspot_post_as_json_is_understood() -> None:
    body = {
        "fields": [
            {"name": "email", "value": "ada@example.com"},
            {"name": "firstname", "value": "Ada"},
            {"name": "jobtitle", "value": "CTO"},
        ],
        "context": {"hutk": "cookie-1", "pageUri": "https://acme.test/demo?utm_source=news", "pageName": "Demo"},
        "legalConsentOptions": {"consent": {"consentToProcess": True}},
    }
    event = said(read(json.dumps(body), "application/json"))
    assert [identifier.value for identifier in event.identifiers] == ["ada@example.com", "cookie-1"]
    assert event.interaction.traits == {"email": "ada@example.com", "firstName": "Ada", "title": "CTO"}
    assert event.interaction.context["page"]["url"] == "https://acme.test/demo?utm_source=news"
    assert event.interaction.context["page"]["title"] == "Demo"
    assert event.interaction.context["campaign"] == {"source": "news"}
    assert event.interaction.context["consent"] == {"legalConsentOptions": {"consent": {"consentToProcess": True}}}


def test_a_webflow_webhook_is_understood() -> None:
    body = {
        "triggerType": "form_submission",
        "payload": {"name": "Contact", "siteId": "s", "data": {"Name": "Ada", "Work Email": "ada@example.com"}},
    }
    event = said(read(json.dumps(body), "application/json"))
    assert event.interaction.traits["email"] == "ada@example.com"


def test_every_preset_can_be_chosen() -> None:
    for preset in Preset:
        assert named(read("email=a@b.co", form=a_form(preset=preset))) == [("email", "a@b.co")]


def test_secrets_that_a_form_sends_by_mistake_are_dropped_and_named() -> None:
    event = said(read("email=a@b.co&password=hunter2&cc-number=4111111111111111"))
    assert event.interaction.context["dropped"] == ["password", "cc-number"]
    assert b"hunter2" not in event.body()
    assert b"4111" not in event.body()


def test_hidden_campaign_fields_go_before_those_of_the_page() -> None:
    visit = Visit(CaptureSender(), "https://acme.test/?utm_source=page&utm_medium=cpc")
    assert said(read("utm_source=hidden&email=a@b.co", visit=visit)).interaction.context["campaign"] == {
        "source": "hidden",
        "medium": "cpc",
    }


@pytest.mark.parametrize(
    ("cookie", "known_as"),
    [("uuid-1", "uuid-1"), ("%22uuid-1%22", "uuid-1"), ("", None), ("%00", None), ("x" * 600, None)],
)
def test_the_tracking_cookie_joins_the_form_to_the_visit(cookie: str, known_as: str | None) -> None:
    reading = read("email=a@b.co", visit=Visit(CaptureSender(), cookies={"ajs_anonymous_id": cookie}))
    assert [value for kind, value in named(reading) if kind == "anonymous_id"] == ([known_as] if known_as else [])


def test_a_field_goes_before_the_cookie() -> None:
    reading = read(
        "email=a@b.co&anonymous_id=field", visit=Visit(CaptureSender(), cookies={"ajs_anonymous_id": "cookie"})
    )
    assert ("anonymous_id", "field") in named(reading)


@pytest.mark.parametrize(
    ("body", "form"), [("email=a@b.co&url2=http://spam", a_form(honeypot="url2")), ("email=a@b.co&_gotcha=x", a_form())]
)
def test_a_filled_trap_is_kept_and_flagged(body: str, form: Form) -> None:
    assert said(read(body, form=form)).interaction.flags == (Flag.HONEYPOT,)


def test_an_empty_trap_is_no_trap() -> None:
    assert said(read("email=a@b.co&url2=", form=a_form(honeypot="url2"))).interaction.flags == ()


def test_a_post_that_names_nobody_is_kept_all_the_same() -> None:
    event = said(read("message=call+me"))
    assert event.identifiers == ()
    assert event.interaction.traits == {"message": "call me"}


# --- which post it is
# ---------------------------------------------------------------------------------------------------------


def test_a_double_click_is_one_wish_and_the_same_next_day_another() -> None:
    first, second = read("email=a@b.co&x=1"), read("x=1&email=a@b.co")
    assert first.content == second.content
    assert message_id_of(first.content, NOW) == message_id_of(second.content, NOW + timedelta(seconds=20))
    assert message_id_of(first.content, NOW) != message_id_of(first.content, NOW + timedelta(days=1))
    assert first.content != read("email=a@b.co&x=2").content


def test_what_a_token_says_does_not_make_a_second_wish() -> None:
    assert read("email=a@b.co&csrf_token=1").content == read("email=a@b.co&csrf_token=2").content


# --- where the visitor goes next
# ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "is_allowed"),
    [
        ("https://acme.test/thanks", True), ("https://acme.test/thanks/you?a=1", True),
        ("https://acme.test/thanksgiving", False),
        ("https://acme.test/", False), ("http://acme.test/thanks", False),
        ("https://acme.test.evil.test/thanks", False),
        ("https://acme.test@evil.test/thanks", False), ("https://user@acme.test/thanks", False),
        ("//acme.test/thanks", False), ("/thanks", False),
        ("javascript:alert(1)", False), ("https://acme.test/thanks\r\nSet-Cookie: a", False),
        ("https://acme.test/thanks/../admin", False),
        ("https://acme.test/thanks/%2e%2e/admin", False), ("https:\\\\acme.test\\thanks", False),
        ("https://acme.test:99999/thanks", False), ("", False), (None, False),
    ],
)  # fmt: skip
def test_only_the_form_s_own_pages_are_returned_to(wanted: str | None, is_allowed: bool) -> None:
    form = a_form(return_urls=("https://acme.test/thanks",))
    assert (allowed_return(form, wanted) is not None) is is_allowed


def test_a_form_without_a_list_returns_nowhere() -> None:
    assert read("email=a@b.co&retURL=https://acme.test/").return_url is None


def test_a_submission_may_be_empty() -> None:
    assert said(read_form(a_form(), Submission({}), Visit(CaptureSender()), NOW)).identifiers == ()


@pytest.mark.parametrize(
    ("raw", "content_type"),
    [
        (b"", "application/x-www-form-urlencoded"),
        (b"--b\r\n1e-05--b--\r\n", "multipart/form-data; boundary=b"),
        (b"{}", "application/json"),
        (b"no pair here", "text/plain"),
    ],
)
def test_a_post_that_holds_nothing_is_refused(raw: bytes, content_type: str) -> None:
    with pytest.raises(CaptureRefused, match="no field that could be read"):
        decode(raw, content_type)
