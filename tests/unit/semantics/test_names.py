"""One vocabulary: what traits, fields and labels mean, and which of them are somebody else's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.attributes import KNOWN_ATTRIBUTES
from contracts.limits import NAME_CHARACTERS
from semantics.names import attribute_name, field_meaning
from semantics.vocabulary import ATTRIBUTES, folded

MEANT = {
    "email": (
        "eMail",
        "E-MAIL:",
        "$email",
        "Business e-mail *",
        "Your e-mail address (required)",
        "email-77",
        "lead[email]",
        "fields[contact][email][0]",
        "Geschäftliche E-Mail",
        "Votre adresse e-mail professionnelle",
        "Dirección de correo electrónico",
        "Indirizzo di posta elettronica",
        "Je e-mailadres",
        "Seu e-mail profissional",
        "Adres e-mail",
        "電子郵件",
        "Please enter your work email",
        "newsletter[email]",
        "MERGE_EMAIL".removeprefix("MERGE_"),
    ),
    "phone": (
        "tel-9",
        "Phone no.",
        "Cell phone",
        "Mobile",
        "phone_number_2",
        "Telefonnummer (optional)",
        "Nº de teléfono",
        "Numéro de portable",
        "Direct phone",
        "field_phone[und][0][value]",
        "Phone (e.g. +44 20 7946 0000)",
        "WhatsApp",
    ),
    "first_name": (
        "FNAME",
        "wpforms[fields][3][first]",
        "f_name",
        "Vorname *",
        "Prénom",
        "given-name",
        "contact[first_name]",
    ),
    "last_name": ("LNAME", "Nachname", "name[last]", "Nom de famille", "Apellidos", "Sobrenome", "surname"),
    "name": (
        "Full name:",
        "your-name",
        "Vor- und Nachname",
        "Name / Vorname",
        "Imię i nazwisko",
        "Ansprechpartner",
        "お名前",
    ),
    "company": ("Company / Organisation", "company[name]", "Name of your company", "Firma", "Raison sociale", "会社名"),
    "title": ("Job title", "job_title", "Your role", "Stanowisko", "役職"),
    "employees": ("How many employees does your company have?", "Anzahl Mitarbeiter", "company_size"),
}
OF_OTHERS = (
    "friend_email",
    "friend[email]",
    "billing_email",
    "billing[phone]",
    "manager_email",
    "Email of your manager",
    "assistant's e-mail",
    "emergency_phone",
    "Phone (emergency contact's)",
    "cc_email",
    "secondary_email",
    "invoice e-mail",
    "E-Mail der Buchhaltung",
    "email de votre collègue",
    "colleague[first_name]",
    "referrer name",
    "company[email]",
    "company phone",
)
NOT_OF_A_PERSON = (
    "form_name",
    "form[form_name]",
    "product_name",
    "user_name",
    "page_title",
    "email_opt_in",
    "Email or phone",
)


@pytest.mark.parametrize(("label", "attribute"), [(label, name) for name, labels in MEANT.items() for label in labels])
def test_a_field_is_understood_whoever_built_the_form(label: str, attribute: str) -> None:
    assert field_meaning(label) == attribute


@pytest.mark.parametrize("label", [*OF_OTHERS, *NOT_OF_A_PERSON])
def test_what_is_somebody_elses_or_no_persons_has_no_name_of_ours(label: str) -> None:
    assert field_meaning(label) is None
    assert attribute_name(label) not in KNOWN_ATTRIBUTES


@pytest.mark.parametrize("word", sorted(ATTRIBUTES))
def test_a_trait_and_a_field_of_one_name_mean_the_same(word: str) -> None:
    assert attribute_name(word) == field_meaning(word.upper()) == field_meaning(f"{word} *") == ATTRIBUTES[word]


def test_what_only_forms_ask_keeps_the_senders_name_as_a_trait() -> None:
    assert field_meaning("Region") == "state"
    assert attribute_name("Region") == "region"


@given(st.text(max_size=200))
def test_any_name_is_read_and_its_reading_is_its_own(label: str) -> None:
    field_meaning(label)
    once = attribute_name(label)
    assert len(once) <= NAME_CHARACTERS
    once.encode()
    assert attribute_name(once) in (once, attribute_name(attribute_name(once)))
    assert folded(folded(label)) == folded(label)
