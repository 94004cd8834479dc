"""Who may be written to or called, read from what captures say and from what humans record."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.events.identity import ConsentChanged, InteractionRecognized
from contracts.values import Consent, ConsentChannel, Flag, InteractionKind
from people_kernel.consent import answers
from semantics.consent import LONGEST_WORDING, ConsentClaim, statements_of
from tests.unit.identity.world import DAWN, World, a_capture

EMAIL, PHONE, ANY = ConsentChannel.EMAIL, ConsentChannel.PHONE, ConsentChannel.ANY
GRANTED, WITHDRAWN = Consent.GRANTED, Consent.WITHDRAWN
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def said_by(**told: Any) -> dict[str, str]:
    """Channel -> consent, as one capture says it."""
    return {one.channel.value: one.consent.value for one in statements_of(a_capture(1, **told).interaction)}


def boxes(**fields: Any) -> dict[str, str]:
    """What a form says with these consent fields."""
    return said_by(kind=InteractionKind.FORM, context={"consent": fields})


@pytest.mark.parametrize(
    ("fields", "statements"),
    [
        ({"marketing_consent": "yes"}, {"any": "granted"}),
        ({"marketing_consent": "on"}, {"any": "granted"}),
        ({"newsletter": "on"}, {"email": "granted"}),
        ({"Subscribe": "1"}, {"email": "granted"}),
        ({"email-consent": True, "phone_ok": "yes"}, {"email": "granted", "phone": "granted"}),
        ({"consent": "on"}, {"any": "granted"}),
        ({"consent": ["email", "phone"]}, {"email": "granted", "phone": "granted"}),
        ({"Einwilligung Newsletter": "ja"}, {"email": "granted"}),
        ({"marketing_consent": ["0", "1"]}, {"any": "granted"}),  # a ticked box over the hidden field that says no
        ({"opt_in": "I agree to receive offers by e-mail."}, {"any": "granted"}),
        ({"optin": "Ja, ich möchte informiert werden"}, {"any": "granted"}),
        ({"emailOptOut": "1"}, {"email": "withdrawn"}),
        ({"doNotCall": "true"}, {"phone": "withdrawn"}),
        ({"HasOptedOutOfEmail": "on"}, {"email": "withdrawn"}),
        ({"unsubscribed": "true"}, {"email": "withdrawn"}),
        ({"Unsubscribed": "2026-02-01T08:00:00Z"}, {"email": "withdrawn"}),
        ({"opt_out": "yes"}, {"any": "withdrawn"}),
        ({"do_not_mail": "x"}, {"email": "withdrawn", "post": "withdrawn"}),
        ({"newsletter": "unsubscribe"}, {"email": "withdrawn"}),
        ({"newsletter": "on", "emailoptout": "on"}, {"email": "withdrawn"}),
        ({"LEGAL_CONSENT.subscription_type_4711": "true"}, {"email": "granted"}),
        ({"gdpr_marketing": "1"}, {"any": "granted"}),
    ],
)
def test_what_a_form_says_is_understood(fields: dict[str, Any], statements: dict[str, str]) -> None:
    assert boxes(**fields) == statements


@pytest.mark.parametrize(
    "fields",
    [
        {"marketing_consent": "false"},
        {"marketing_consent": "0"},
        {"marketing_consent": ""},
        {"marketing_consent": None},
        {"marketing_consent": ["0", ""]},
        {"newsletter": "no"},
        {"newsletter": "I do not agree to newsletters, yes really"},
        {"newsletter": "monthly"},
        {"emailOptOut": "0"},
        {"emailOptOut": ""},
        {"emailOptOut": "no"},
        {"emailOptOut": {"odd": 1}},
        {"unsubscribed": "subscribed"},
        {"optin_optout": "yes"},
        {"faxOptOut": "1"},
        {"sms_consent": "on"},
        {"privacy": "on"},
        {"privacy_policy_accepted": "on"},
        {"gdpr_consent": "yes"},
        {"Datenschutz-Einwilligung": "ja"},
        {"acceptance": "1"},
        {"terms": "I agree to receive nothing but the terms"},
        {"optin": "I agree to the privacy policy"},
        {"LEGAL_CONSENT.processing": "true"},
        {"cookie_consent": "all"},
        {"consent_version": 1},
        {"hotel_newsletter_or_so": "on"},
        {"x" * 5000: "on"},
        {"": "on"},
        {"categoryPreferences": {"Advertising": True, "Email": True}},
    ],
)
def test_what_is_unticked_legal_or_not_understood_says_nothing(fields: dict[str, Any]) -> None:
    assert boxes(**fields) == {}


def test_hubspot_s_subscriptions_are_consent_with_their_wording_and_processing_is_none() -> None:
    told = {"consentToProcess": True, "text": "I agree that my data is stored.", "communications": []}
    assert boxes(legalConsentOptions={"consent": told}) == {}
    letters = [
        {"value": True, "subscriptionTypeId": 999, "text": "Yes, send me the monthly letter."},
        {"value": False, "text": "And the weekly one."},
    ]
    form = a_capture(1, context={"consent": {"legalConsentOptions": {"consent": {**told, "communications": letters}}}})
    assert statements_of(form.interaction) == (ConsentClaim(EMAIL, GRANTED, "Yes, send me the monthly letter."),)
    assert boxes(legalConsentOptions={"consent": {"communications": [{"value": False}, "odd"]}}) == {}
    assert boxes(legalConsentOptions={"legitimateInterest": {"value": True, "legalBasis": "CUSTOMER"}}) == {}


@pytest.mark.parametrize(
    ("traits", "statements"),
    [
        ({"consent": True}, {"any": "granted"}),
        ({"marketing_consent": "yes", "plan": "pro"}, {"any": "granted"}),
        ({"emailConsent": "granted"}, {"email": "granted"}),
        ({"email_subscribe": "opted_in"}, {"email": "granted"}),
        ({"email_subscribe": "unsubscribed"}, {"email": "withdrawn"}),
        ({"marketing_consent": False}, {"any": "withdrawn"}),  # a program has no box to leave open
        ({"consent": {"email": True, "phone": False, "sms": True}}, {"email": "granted", "phone": "withdrawn"}),
        ({"unsubscribed": True}, {"email": "withdrawn"}),
        ({"unsubscribed": False}, {}),
        ({"email_consent": "unknown"}, {}),
        ({"email_consent": None}, {}),
        ({"subscribed": True, "subscription": "yes"}, {}),  # to the product, as far as anybody knows
        ({"marketing": True, "email": "yes@acme.example", "phone": "1", "news": "on", "permissions": "on"}, {}),
    ],
)
def test_what_a_program_says_in_traits_is_understood(traits: dict[str, Any], statements: dict[str, str]) -> None:
    assert said_by(kind=InteractionKind.IDENTIFY, traits=traits) == statements


def test_an_unsubscribe_event_withdraws_mails_alone() -> None:
    assert said_by(name="Unsubscribed") == said_by(name="Email Unsubscribed") == {"email": "withdrawn"}
    assert said_by(name="Unsubscribed", kind=InteractionKind.PAGE) == said_by(name="Unsubscribe Dialog Opened") == {}


def test_a_robot_and_a_company_consent_to_nothing() -> None:
    assert said_by(context={"consent": {"newsletter": "on"}}, flags=(Flag.HONEYPOT,)) == {}
    assert said_by(kind=InteractionKind.GROUP, traits={"marketing_consent": True}) == {}


@settings(max_examples=300)
@given(
    st.dictionaries(
        st.text() | st.sampled_from(["consent", "emailOptOut", "legalConsentOptions", "newsletter"]), JSON, max_size=4
    ),
    JSON,
)
def test_whatever_is_sent_is_read_without_a_failure(fields: dict[str, Any], odd: Any) -> None:
    read = statements_of(a_capture(1, context={"consent": fields}, traits=fields).interaction)
    assert len({one.channel for one in read}) == len(read)
    assert statements_of(a_capture(1, context={"consent": odd, "page": odd}).interaction) is not None
    for one in read:
        assert one.wording is None or (
            one.wording.encode() and len(one.wording) <= LONGEST_WORDING and "\0" not in one.wording
        )


def granting(number: int, **told: Any) -> Any:
    return a_capture(number, context={"consent": {"newsletter": "on"}}, **told)


def withdrawing(number: int, **told: Any) -> Any:
    return a_capture(number, context={"consent": {"emailOptOut": "1"}}, **told)


def test_a_change_is_told_after_the_interaction_and_a_repetition_is_not() -> None:
    world = World().hears(
        granting(1, user_id="u1"), granting(2, user_id="u1"), withdrawing(3, user_id="u1"), a_capture(4, user_id="u1")
    )
    first, second = world.heard(ConsentChanged)
    assert (first.consent, second.consent) == (GRANTED, WITHDRAWN)
    assert (first.channel, first.interaction_id, first.source_id) == (
        EMAIL,
        world.recognized()[0].interaction.interaction_id,
        "src_web",
    )
    assert (first.person_id, first.fragment_id, first.graph_version) == (
        world.person(user_id="u1"),
        world.fragment(user_id="u1").fragment_id,
        1,
    )
    after = [type(world.said[index - 1]) for index, event in enumerate(world.said) if isinstance(event, ConsentChanged)]
    assert after == [InteractionRecognized, InteractionRecognized]


def test_a_statement_that_arrives_late_does_not_undo_a_later_one() -> None:
    world = World().hears(
        withdrawing(1, user_id="u1"), granting(2, user_id="u1", occurred_at=DAWN - timedelta(days=30))
    )
    assert world.consent(user_id="u1") == {"email": "withdrawn"}
    assert len(world.heard(ConsentChanged)) == 1


def test_a_withdrawal_counts_over_all_names_of_a_person_until_a_server_says_otherwise() -> None:
    world = World().hears(
        granting(1, user_id="u1"),
        withdrawing(2, email="ann@acme.com"),
        a_capture(3, user_id="u1", email="ann@acme.com", server=True),
    )
    assert world.consent(user_id="u1") == {"email": "withdrawn"}
    world.hears(granting(4, user_id="u1", server=True))
    assert world.consent(email="ann@acme.com") == {"email": "granted"}


def test_whom_a_visitor_joined_to_their_own_account_is_not_asked_for_them() -> None:
    world = World().hears(
        withdrawing(1, email="ann@acme.com", server=True),
        a_capture(2, user_id="mallory", email="ann@acme.com"),
        granting(3, user_id="mallory", server=True),
    )
    assert world.consent(email="ann@acme.com") == {"email": "withdrawn"}


def test_of_two_words_of_one_moment_on_two_names_the_withdrawal_counts() -> None:
    for first, second in ((granting, withdrawing), (withdrawing, granting)):
        world = World().hears(
            first(1, user_id="u1", occurred_at=DAWN), second(2, email="ann@acme.com", occurred_at=DAWN)
        )
        world.hears(a_capture(3, user_id="u1", email="ann@acme.com"))
        assert world.consent(user_id="u1") == {"email": "withdrawn"}


def test_a_word_about_all_channels_is_about_each_of_them() -> None:
    world = World().hears(granting(1, user_id="u1"), a_capture(2, user_id="u1", traits={"marketing_consent": False}))
    assert world.consent(user_id="u1") == {"any": "withdrawn", "email": "withdrawn"}
    world.hears(granting(3, user_id="u1", server=True))
    assert world.consent(user_id="u1") == {"any": "withdrawn", "email": "granted"}


def test_what_a_human_records_hangs_on_the_address_it_is_about_and_stays_with_it() -> None:
    world = World().hears(a_capture(1, user_id="u1"), a_capture(2, email="ann@acme.com"))
    link_id = world.merges(world.person(user_id="u1"), world.person(email="ann@acme.com"))
    world.records(world.person(user_id="u1"), EMAIL, GRANTED, "told me at the fair").records(
        world.person(user_id="u1"), PHONE, WITHDRAWN
    )
    told = world.heard(ConsentChanged)
    assert [(one.source_id, one.wording, one.interaction_id[:4]) for one in told] == [
        ("api:usr_ada", "told me at the fair", "cns_"),
        ("api:usr_ada", None, "cns_"),
    ]
    world.cuts(link_id)
    assert world.consent(email="ann@acme.com") == {"email": "granted"}
    assert world.consent(user_id="u1") == {"phone": "withdrawn"}


def test_a_human_s_word_counts_ahead_of_a_fast_clock_and_is_told_although_the_name_it_hangs_on_said_so_before() -> None:
    ahead = DAWN + timedelta(days=900)
    world = World().hears(granting(1, email="ann@acme.com"), withdrawing(2, user_id="u1", occurred_at=ahead))
    world.hears(a_capture(3, user_id="u1", email="ann@acme.com"))
    assert world.consent(user_id="u1") == {"email": "withdrawn"}
    world.records(world.person(user_id="u1"), EMAIL, GRANTED)
    assert world.consent(user_id="u1") == {"email": "granted"}
    assert [one.consent for one in world.heard(ConsentChanged)] == [GRANTED, WITHDRAWN, GRANTED]
    world.records(world.person(user_id="u1"), EMAIL, GRANTED)
    assert len(world.heard(ConsentChanged)) == 3
    assert len({one.meta.event_id for one in world.said}) == len(world.said)


def test_statements_about_any_do_not_speak_where_nothing_was_asked() -> None:
    assert answers([]) == {}
    world = World().hears(a_capture(1, user_id="u1", traits={"marketing_consent": True}))
    assert world.consent(user_id="u1") == {ANY.value: "granted"}
