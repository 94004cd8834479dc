"""Traps of the kits that forms are made with: what springs them, and what only looks like one."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from contracts.values import Flag
from gateway.domain.forms.traps import is_trap
from tests.unit.gateway.test_forms import a_form, read, said


@pytest.mark.parametrize(
    "name",
    [
        "_gotcha",
        "_honey",
        "honeypot",
        "Honeypot",
        "honey-pot",
        "form_honeypot_7",
        "cf7-honeypot-301",
        "honeypot-123",
        "bot-field",
        "botcheck",
        "b_4f1c22aa90e1b3d2c5f67788a_9d0c4e11f2",  # Mailchimp: account and list
        "wpforms[hp]",
        "everest_forms[hp]",
        "form_fields[honeypot_1]",  # Elementor
        "gform_honeypot",
        "hp_email",
        "hp-website",
        "website_hp",
        "url_hp",
        "ohnohoney",
        "email_address_check",  # Brevo
        "aG9uZXlwb3Q",  # Zoho
        "my_name_0kFvNqPzXy2aBcDe",  # Laravel
        "item__12__fluent_checkme_",
        "leave_this_blank",
    ],
)
def test_a_trap_of_a_kit_is_sprung_by_a_text_and_not_by_its_being_there(name: str) -> None:
    lead = {"email": "ines@quayside.example", "name": "Ines Prat"}
    sprung = said(read(urlencode({**lead, name: "https://pills.example"})))
    assert sprung.interaction.flags == (Flag.HONEYPOT,)
    assert "pills" not in sprung.interaction.model_dump_json()  # what a robot typed is not kept as a field
    for blank in ("", "  ", "false", "0"):  # a box that a script sends though nobody ticked it
        assert said(read(urlencode({**lead, name: blank}))).interaction.flags == ()


@pytest.mark.parametrize(
    "name",
    [
        "website",
        "comment",
        "fax",
        "phone",
        "honey_preference_time",
        "honeypot_time",  # Drupal: when the page was made, filled in always
        "honeypot_token",
        "b_side",
        "b_12_34",
        "chp_units",
        "hp",
        "my_name",
        "bottles",
        "robot_model",
        "form_fields[email]",
    ],
)
def test_what_people_fill_in_is_no_trap(name: str) -> None:
    assert not is_trap(name)
    assert Flag.HONEYPOT not in said(read(urlencode({"email": "ines@quayside.example", name: "12"}))).interaction.flags


def test_a_form_that_says_what_a_field_means_goes_before_a_guess() -> None:
    beekeepers = a_form(mapping={"honeypot_size": "description"})
    event = said(read("email=a@b.co&honeypot_size=five+litres", form=beekeepers))
    assert (event.interaction.flags, event.interaction.traits["description"]) == ((), "five litres")
    assert said(read("email=a@b.co&fax_2=1", form=a_form(honeypot="fax_2"))).interaction.flags == (Flag.HONEYPOT,)


@pytest.mark.parametrize(
    "name",
    ["ak_hp_textarea", "_wpcf7_ak_hp_textarea", "nf-field-hp", "apbct__email_id__elementor_form", "website_url_hp",
     "contact_me_by_fax_only", "_hp", "pi_extra_field", "jetpack_hp"],
)  # fmt: skip
def test_the_traps_of_further_kits_are_known(name: str) -> None:
    assert is_trap(name)


@pytest.mark.parametrize("name", ["hp", "engine_hp", "confirm_email", "middle_name", "antispam_answer", "website2"])
def test_a_field_that_people_fill_in_is_no_trap(name: str) -> None:
    assert not is_trap(name)
