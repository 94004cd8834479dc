"""One spelling per identifier."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.values import Identifier, IdentifierKind
from semantics.identifiers import normalise

EMAIL, PHONE, USER_ID, ANONYMOUS_ID = (
    IdentifierKind.EMAIL,
    IdentifierKind.PHONE,
    IdentifierKind.USER_ID,
    IdentifierKind.ANONYMOUS_ID,
)


def spelling(kind: IdentifierKind, value: str) -> str:
    """The spelling, or the reason in brackets."""
    read = normalise(kind, value, "DE")
    return read.value if isinstance(read, Identifier) else f"[{read.reason}]"


@pytest.mark.parametrize(
    ("given_value", "expected"),
    [
        (" Ann.Lee@ACME.com\n", "ann.lee@acme.com"),
        ("ann+demo@acme.com", "ann+demo@acme.com"),
        ("ann＠ａｃｍｅ.com", "ann@acme.com"),
        ("ann@Bücher.de", "ann@xn--bcher-kva.de"),
        ("ann@faß.de", "ann@xn--fa-hia.de"),
        ("用户@例子.中国", "用户@xn--fsqu00a.xn--fiqs8s"),
        ("\u01f0@acme.com", "\u01f0@acme.com"),  # a letter that case-folding takes apart
        ("mailto:ann@acme.com", "ann@acme.com"),
        ("o'neil@acme.com.", "o'neil@acme.com"),
        ("ann@acme", "[not_an_email]"),
        ("ann@-acme.com", "[not_an_email]"),
        ("ann lee@acme.com", "[not_an_email]"),
        ("@acme.com", "[not_an_email]"),
        ("ann@acme..com", "[not_an_email]"),
        ("Ann <ann@acme.com>", "ann@acme.com"),
        ("ann@10.0.0.1", "[not_an_email]"),
        ("null@acme.com", "[junk]"),
        ("a" * 65 + "@acme.com", "[not_an_email]"),
        ("ann\x00@acme.com", "[control_characters]"),
        ("ann\ud800@acme.com", "[control_characters]"),
    ],
)
def test_an_address_is_spelt_one_way(given_value: str, expected: str) -> None:
    assert spelling(EMAIL, given_value) == expected


@pytest.mark.parametrize(
    ("given_value", "expected"),
    [
        ("030 1234567", "+49301234567"),
        ("+49 (0)30 123-4567", "+49301234567"),
        ("tel:+1-212-555-0100", "+12125550100"),
        ("+1 212 555 0100 ext. 12", "+12125550100;ext=12"),
        ("０３０ １２３４５６７", "+49301234567"),
        ("12", "[not_a_phone]"),
        ("call me", "[not_a_phone]"),
        ("0000000000", "[junk]"),
        ("+1 1234567890", "[junk]"),
    ],
)
def test_a_phone_number_is_spelt_as_e164(given_value: str, expected: str) -> None:
    assert spelling(PHONE, given_value) == expected


@pytest.mark.parametrize(
    "junk",
    [
        "null",
        " NULL ",
        "undefined",
        "[object Object]",
        "anonymous",
        "0",
        "none",
        "Guest",
        "",
        "  ",
        "00000000-0000-0000-0000-000000000000",
        "unknown",
    ],
)
def test_what_programs_write_for_nobody_names_nobody(junk: str) -> None:
    assert spelling(USER_ID, junk) == spelling(ANONYMOUS_ID, junk) == "[junk]"


def test_a_user_id_keeps_its_case_and_loses_its_margins() -> None:
    assert spelling(USER_ID, "\tU-7a ") == "U-7a"


def test_a_name_without_end_is_refused() -> None:
    assert spelling(USER_ID, "x" * 512) == "x" * 512
    assert spelling(USER_ID, "x" * 513) == "[too_long]"


@settings(max_examples=400)
@given(
    st.sampled_from(IdentifierKind),
    st.one_of(st.text(max_size=80), st.from_regex(r"[^@\s]{1,12}@[^@\s]{1,12}\.[a-z]{2,4}", fullmatch=True)),
)
def test_a_spelling_is_its_own_spelling(kind: IdentifierKind, value: str) -> None:
    once = normalise(kind, value, "DE")
    if isinstance(once, Identifier):
        assert normalise(kind, once.value, "DE") == once


@given(st.emails())
def test_a_real_address_is_never_refused_for_its_form(address: str) -> None:
    assert spelling(EMAIL, address) in ("[junk]", address.casefold())
