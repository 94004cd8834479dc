"""One person has one spelling, however their address or number is written; what is none, reaches nobody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.maildomains import company_domain
from contracts.values import Identifier, IdentifierKind
from semantics.companies import domain_of_company
from semantics.countries import region_of
from semantics.identifiers import normalise
from semantics.kept import line
from semantics.placeholders import is_placeholder

EMAIL, PHONE, USER_ID = IdentifierKind.EMAIL, IdentifierKind.PHONE, IdentifierKind.USER_ID
LOCALS = st.from_regex(r"[a-z][a-z0-9]{3,9}(\.[a-z]{2,8})?(\+[a-z]{1,5})?", fullmatch=True)
HOSTS = st.sampled_from(["tidewater.example", "mail.tidewater.co.uk", "xn--mhle-0ra.example"])
UNSEEN = st.sampled_from(["", "\u200b", "\u202a", "\ufeff", "\u00ad", "\u2060"])


def spelled(kind: IdentifierKind, text: str, region: str | None = None, country: str | None = None) -> str | None:
    read = normalise(kind, text, region, country)
    return read.value if isinstance(read, Identifier) else None


AROUND = st.sampled_from(
    [
        "{}",
        " {} ",
        "<{}>",
        "Mara Lind <{}>",
        '"Lind, Mara" <{}>',
        "mailto:{}",
        "MAILTO:{}?subject=Hi%20there",
        "{}.",
        "'{}'",
        "({})",
        "{};",
        "\u201c{}\u201d",
        "E-Mail: {}",
        "\u202a{}\u202c",
        "{},",
        "[{}]",
        "\u00ab{}\u00bb",
        "&lt;{}&gt;",
        "&amp;lt;{}&amp;gt;",
        "{} (work)",
        "someone@else.example <{}>",
        "[{}](mailto:x@y.example)",
        "{}/",
        "{} |",
        "\u3164{}\u2800",
    ]
)
LETTERS = st.sampled_from(
    [str.upper, str.title, str.lower, lambda text: text.replace("a", "\uff41").replace("@", "\uff20")]
)


@given(LOCALS, HOSTS, AROUND, LETTERS, UNSEEN)
def test_any_spelling_that_a_mail_server_takes_for_the_same_is_one_person(
    local: str, host: str, around: str, letters: object, unseen: str
) -> None:
    plain = f"{local}@{host}"
    written = around.format(unseen.join([letters(local), "@", letters(host)]))  # type: ignore[operator]
    assert spelled(EMAIL, written) == spelled(EMAIL, plain)
    assert spelled(EMAIL, plain) in (plain, None)  # None: what many type who have no address
    if spelled(EMAIL, plain):
        assert spelled(USER_ID, written) == plain


def test_domains_of_other_scripts_are_one_with_their_ascii_form() -> None:
    one = {
        spelled(EMAIL, f"ina@{host}")
        for host in ("mühle.example", "MÜHLE.example.", "xn--mhle-0ra.example", "mu\u0308hle。example")
    }
    assert one == {"ina@xn--mhle-0ra.example"}


@pytest.mark.parametrize(
    "nothing",
    [
        "n/a",
        "-",
        "kein",
        "nobody@",
        "@acme.example",
        "qwertz@qwertz.de",
        "none@none.com",
        "asdf@gmail.com",
        "ina@acme,example",
        "a@b.example, c@d.example",
        "noreply@acme.example",
        "ina@acme",
        "ina@acme.invalid",
        "ina lind@acme.example",
    ],
)
def test_what_is_typed_for_want_of_an_address_is_none(nothing: str) -> None:
    assert spelled(EMAIL, nothing) is None


@pytest.mark.parametrize(
    ("written", "country", "number"),
    [
        ("0171 2345678", "DE", "+491712345678"),
        ("01 42 68 53 00", "FR", "+33142685300"),
        ("06 6982 1234", "IT", "+390669821234"),
        ("0043 1 5880012", "IT", "+4315880012"),
        ("+41 (0)44 668 18 00", None, "+41446681800"),
        ("\u202a+44 20 7946 0018\u202c", None, "+442079460018"),
        ("(00 49) 30 9018201", None, "+49309018201"),
        ("212 555 0143", None, None),
        ("0171 2345678", None, None),
        ("0171 2345678", "US", None),
        ("7777777", "DE", None),
        ("my assistant has it", "DE", None),
        ("98765", "IN", None),
    ],
)
def test_a_number_is_read_by_the_country_beside_it_or_not_at_all(
    written: str, country: str | None, number: str | None
) -> None:
    assert spelled(PHONE, written, None, country) == number
    assert number is None or spelled(PHONE, number) == number


def test_a_stated_country_goes_before_the_one_that_is_assumed() -> None:
    assert spelled(PHONE, "347 1234567", "US", "IT") == "+393471234567"
    assert spelled(PHONE, "(212) 555-0143", "US") == "+12125550143"


@pytest.mark.parametrize(
    ("named", "region"),
    [
        ("DE", "DE"),
        ("gbr", "GB"),
        ("Pays-Bas", "NL"),
        ("U.S.A.", "US"),
        ("Österreich (AT)", "AT"),
        ("Włochy", "IT"),
        ("日本", "JP"),
        ("Middle-earth", None),
        ("", None),
        ("DE / AT", None),
    ],
)
def test_countries_are_known_by_code_and_name(named: str, region: str | None) -> None:
    assert region_of(named) == region


@pytest.mark.parametrize("attribute", ["name", "company", "title", "city"])
@pytest.mark.parametrize(
    "text",
    [
        "N/A",
        "-",
        "...",
        "keine Angabe",
        "aucun",
        "[not provided]",
        "{{lead.company}}",
        "asdf",
        "TBD",
        "xxx",
        "unbekannt",
    ],
)
def test_placeholders_are_no_values(attribute: str, text: str) -> None:
    assert is_placeholder(attribute, text)


@pytest.mark.parametrize(
    ("attribute", "text"),
    [
        ("last_name", "Na"),
        ("company", "ABC"),
        ("company", "X"),
        ("company", "Test GmbH"),
        ("name", "Li"),
        ("country", "NA"),
        ("company", "Unknown Worlds"),
        ("first_name", "Nan"),
        ("title", "VP"),
    ],
)
def test_short_and_odd_names_are_names(attribute: str, text: str) -> None:
    assert not is_placeholder(attribute, text)


def test_a_field_that_holds_its_own_label_was_not_filled_in() -> None:
    assert is_placeholder("company", "Your company")
    assert is_placeholder("first_name", "Vorname")


@pytest.mark.parametrize(
    "host", ["privaterelay.appleid.com", "users.noreply.github.com", "x.yopmail.com", "corp.mail.ru", "gmail.com"]
)
def test_relays_and_providers_stand_for_no_company(host: str) -> None:
    assert company_domain(host) is None


@pytest.mark.parametrize(
    ("link", "domain"),
    [
        ("https://www.tidewater.co.uk/about", "tidewater.co.uk"),
        ("https://de.linkedin.com/in/mara", None),
        ("facebook.com/tidewater", None),
        ("tidewater.wixsite.com", None),
        ("https://sites.google.com/view/tidewater", None),
        ("tidewater.github.io", None),
        ("linkedin.com", "linkedin.com"),  # who works there
        ("n/a", None),
    ],
)
def test_a_profile_and_a_built_page_are_no_companys_domain(link: str, domain: str | None) -> None:
    assert domain_of_company(link) == domain


@pytest.mark.parametrize(
    ("typed", "is_one"),
    [
        ("o&#039;neil@tidewater.example", "o'neil@tidewater.example"),
        ("o\u2019neil@tidewater.example", "o'neil@tidewater.example"),
        ("mara&#64;tidewater.example", "mara@tidewater.example"),
        ("mara%40tidewater.example", "mara@tidewater.example"),
        ("mara@tidewater.example, jo@tidewater.example", None),
        ("your@email.com", None),
        ("name@company.com", None),
        ("youremail@gmail.com", None),
        ("a@a.com", None),
        ("abc@abc.com", None),
        ("name@tidewater.example", "name@tidewater.example"),
        ("ibm@ibm.com", "ibm@ibm.com"),
    ],
)
def test_what_a_page_escaped_is_read_and_what_it_shows_as_an_example_is_nobody(typed: str, is_one: str | None) -> None:
    assert spelled(EMAIL, typed) == is_one


DRESSED = (
    "{}",
    "Tel.: {}",
    "p:{}",
    "'{}",
    "Phone: {}",
    "{} (office)",
    "DE {}",
    "\U0001f1e9\U0001f1ea {}",
    "{}.0",
    "={}",
)


@pytest.mark.parametrize("dress", DRESSED)
def test_a_number_is_the_same_whatever_was_written_before_and_behind_it(dress: str) -> None:
    assert spelled(PHONE, dress.format("+49301234567")) == "+49301234567"


@pytest.mark.parametrize(
    ("typed", "country", "is_one"),
    [
        ("491711234567", "DE", "+491711234567"),
        ("447911123456", "GB", "+447911123456"),
        ("4930 1234567", "DE", "+49301234567"),
        ("391 234 5678", "IT", "+393912345678"),
        ("491711234567", None, None),
        ("+49 171 1234567 or 030 1234567", "DE", None),
    ],
)
def test_a_number_that_lacks_only_its_plus_is_no_number_of_another_town(
    typed: str, country: str | None, is_one: str | None
) -> None:
    assert spelled(PHONE, typed, country=country) == is_one


@pytest.mark.parametrize(
    ("named", "region"),
    [
        ("+49", "DE"),
        ("0049", "DE"),
        ("+1", "US"),
        ("\U0001f1e8\U0001f1ed", "CH"),
        ("Germany \U0001f1e9\U0001f1ea", "DE"),
        ("+4", None),
    ],
)
def test_a_dialling_code_and_a_flag_name_a_country(named: str, region: str | None) -> None:
    assert region_of(named) == region


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Smith &amp; Sons", "Smith & Sons"),
        ("O&amp;#039;Neil", "O'Neil"),
        ("M&uuml;ller", "M\u00fcller"),
        ("AT&T", "AT&T"),
        ("R&D; Labs", "R&D; Labs"),
    ],
)
def test_a_name_is_as_it_was_typed_before_a_page_escaped_it(written: str, read: str) -> None:
    assert line(written) == read


@pytest.mark.parametrize("attribute", ["title", "industry", "country", "company"])
@pytest.mark.parametrize(
    "text",
    [
        "Select...",
        "-- Please select --",
        "Please choose an option",
        "Choose your industry...",
        "Bitte w\u00e4hlen",
        "Bitte ausw\u00e4hlen",
        "S\u00e9lectionnez",
        "Seleccione una opci\u00f3n",
        "- Select One -",
        "n/a n/a",
        "unknown unknown",
    ],
)
def test_what_an_open_list_shows_and_what_is_said_twice_is_no_value(attribute: str, text: str) -> None:
    assert is_placeholder(attribute, text)


@pytest.mark.parametrize(
    ("attribute", "text", "is_none"),
    [
        ("name", "Test User", True),
        ("name", "First Last", True),
        ("name", "x y", True),
        ("name", "null null", True),
        ("name", "Guest", True),
        ("name", "mara@tidewater.example", True),
        ("name", "https://pills.example/buy", True),
        ("first_name", "Nana", False),
        ("name", "Kaka", False),
        ("last_name", "Guest", False),
        ("last_name", "Herr", False),
        ("company", "self-employed", True),
        ("company", "Freelancer", True),
        ("company", "selbstst\u00e4ndig", True),
        ("company", "gmail.com", True),
        ("company", "www.web.de", True),
        ("company", "tidewater.example", False),
        ("company", "Select Interiors Ltd", False),
        ("company", "Choose Life Foundation", False),
        ("title", "Student", False),
    ],
)
def test_nobodys_name_and_no_company_are_told_from_names(attribute: str, text: str, is_none: bool) -> None:
    assert is_placeholder(attribute, text) is is_none


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("tidewater.onmicrosoft.com", None),
        ("marketplace.amazon.com", None),
        ("reply.github.com", None),
        ("guest.booking.com", None),
        ("github.com", "github.com"),
        ("amazon.com", "amazon.com"),
    ],
)
def test_an_address_that_is_passed_on_is_of_no_company(host: str, domain: str | None) -> None:
    assert company_domain(host) == domain


@pytest.mark.parametrize(
    "link", ["tidewater.atlassian.net", "https://tidewater.zendesk.com", "tidewater.odoo.com", "tidewater.canva.site"]
)
def test_a_place_at_a_service_is_no_company_domain(link: str) -> None:
    assert domain_of_company(link) is None
    assert domain_of_company("https://www.zendesk.com") == "zendesk.com"
