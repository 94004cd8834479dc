"""Withdrawals as other systems name them: a withdrawal that is not understood is a mail that must not be sent."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.values import InteractionKind
from semantics.consent import statements_of
from tests.unit.identity.world import a_capture

E, P, L, A = "email", "phone", "post", "any"


def withdrawn(**told: Any) -> set[str]:
    """The channels that one capture withdraws; nothing else may be said."""
    read = statements_of(a_capture(1, **told).interaction)
    assert {one.consent.value for one in read} <= {"withdrawn"}, read
    return {one.channel.value for one in read}


@pytest.mark.parametrize(
    ("traits", "channels"),
    [
        # Salesforce, Pardot, Dynamics, Zoho
        ({"HasOptedOutOfEmail": True}, {E}),
        ({"hasOptedOutOfEmail": "TRUE"}, {E}),
        ({"DoNotCall": True}, {P}),
        ({"Email_Opt_Out__c": "1"}, {E}),
        ({"sf_Email_Opt_Out": 1}, {E}),
        ({"HasOptedOutSolicit": True}, {A}),
        ({"pardot_opted_out": True}, {A}),
        ({"is_do_not_email": True}, {E}),
        ({"donotbulkemail": True}, {E}),
        ({"donotpostalmail": "1"}, {L}),
        ({"donotphone": 1}, {P}),
        ({"donotsendmm": True}, {A}),
        # HubSpot, Marketo
        ({"hs_email_optout": "true"}, {E}),
        ({"hs_email_optout_4711": True}, {E}),
        ({"unsubscribed": 1}, {E}),
        ({"unsubscribedReason": "too many mails"}, {E}),
        ({"marketingSuspended": True}, {A}),
        ({"blackListed": True}, {A}),
        # Mailchimp, Klaviyo, Braze, Intercom, Customer.io
        ({"status": "unsubscribed"}, {E}),
        ({"email_type": "html", "member_status": "Unsubscribed"}, {E}),
        ({"$unsubscribed": True}, {E}),
        ({"subscriptions": {"email": {"marketing": {"consent": "UNSUBSCRIBED"}}}}, {E}),
        ({"subscriptions": {"email": {"marketing": {"can_receive_email_marketing": False}}}}, {E}),
        ({"email_subscribe": "unsubscribed"}, {E}),
        ({"subscription_groups": [{"id": "g1", "subscription_state": "unsubscribed"}]}, {E}),
        ({"unsubscribed_from_emails": True}, {E}),
        ({"marked_email_as_spam": True}, {E}),
        ({"custom_attributes": {"unsubscribed": "yes"}}, {E}),
        # Shopify, Brevo, Mailgun, Iterable, Mixpanel, HighLevel, Postmark
        ({"accepts_marketing": False}, {A}),
        ({"buyer_accepts_marketing": False}, set()),  # buyer is not known: what is false there may be anything
        ({"email_marketing_consent": {"state": "unsubscribed", "opt_in_level": "single_opt_in"}}, {E}),
        ({"emailMarketingConsent": {"marketingState": "UNSUBSCRIBED"}}, {E}),
        ({"emailBlacklisted": True}, {E}),
        ({"subscribed": False}, {E}),
        ({"unsubscribedChannelIds": [4, 5]}, {E}),
        ({"unsubscribedChannelIds": []}, set()),
        ({"dnd": "true"}, {A}),
        ({"SuppressSending": True}, {A}),
        # by hand, in words and numbers
        ({"email_opt_out": "Yes"}, {E}),
        ({"optOutDate": "2026-02-01"}, {A}),
        ({"opted_out_at": 1767225600}, {A}),
        ({"marketing_consent": "opted out"}, {A}),
        ({"newsletter": False}, {E}),
        ({"newsletter": "unsubscribed from all"}, {E}),
        ({"subscription": {"email": "unsubscribed"}}, {E}),
        ({"subscription": {"email": False, "phone": "no"}}, {E, P}),
        ({"preferences": {"marketing_emails": False}}, {E}),
        ({"communication_preferences": {"email": False, "phone": "false"}}, {E, P}),
        (
            {"consents": [{"channel": "phone", "granted": False}, {"channel": "email", "status": "unsubscribed"}]},
            {E, P},
        ),
        ({"do_not_contact": True}, {A}),
        ({"doNotContact": {"value": "true"}}, {A}),
        ({"do_not_contact": ["email", "phone"]}, {E, P}),
        ({"opt_out": "phone"}, {P}),
        ({"no_marketing": "on"}, {A}),
        ({"dnc": 1}, {A}),
        ({"is_dnc": "Y"}, {A}),
        ({"acme_do_not_call": True}, {P}),
        ({"crm_unsubscribed": True}, {E}),
        ({"contact_preference": "do not contact"}, {A}),
        ({"can_email": False}, {E}),
        ({"contactable": False}, {A}),
        ({"consent_withdrawn": True}, {A}),
        ({"email_consent_revoked_at": "2026-02-03T08:00:00Z"}, {E}),
        ({"email_permission": "revoked"}, {E}),
        ({"marketing_emails": "off"}, {E}),
        # in other languages
        ({"keine_werbung": True}, {A}),
        ({"keineEmails": "ja"}, {E}),
        ({"Werbewiderspruch": "ja"}, {A}),
        ({"newsletter_abgemeldet": "wahr"}, {E}),
        ({"nicht_anrufen": True}, {P}),
        ({"désinscription": "oui"}, {E}),
        ({"désabonné": True}, {E}),
        ({"ne_pas_contacter": "1"}, {A}),
        ({"pas_de_publicité": True}, {A}),
        ({"baja": "sí"}, {E}),
        ({"baja_newsletter": "1"}, {E}),
        ({"no_contactar": True}, {A}),
        ({"disiscritto": "sì"}, {E}),
        ({"non_contattare": 1}, {A}),
        ({"uitgeschreven": "ja"}, {E}),
        ({"geen_reclame": True}, {A}),
        ({"newsletter": "abgemeldet"}, {E}),
        ({"email_status": "complained"}, {E}),
        ({"email_state": "spam complaint"}, {E}),
        ({"Newsletter": "Bitte abmelden"}, {E}),
        ({"boletin": "darse de baja"}, {E}),
        ({"contact": {"crm_email_opt_out__c": True}}, {E}),
        ({"email_notifications": False}, {E}),
        ({"dont_contact_me": True}, {A}),
        ({"wants_newsletter": False}, {E}),
        ({"contact_permission": "no"}, {A}),
        ({"preferred_contact": "do not contact"}, {A}),
        ({"refus_newsletter": "oui"}, {E}),
        ({"ne_pas_recevoir_emails": True}, {E}),
        ({"no_recibir_correos": True}, {E}),
    ],
)
def test_what_a_program_says_in_traits(traits: dict[str, Any], channels: set[str]) -> None:
    assert withdrawn(kind=InteractionKind.IDENTIFY, traits=traits) == channels


@pytest.mark.parametrize(
    "traits",
    [
        {"HasOptedOutOfEmail": False},
        {"unsubscribed": "false"},
        {"unsubscribed_at": None},
        {"unsubscribed_at": "0000-00-00 00:00:00"},
        {"opt_out": "0.0"},
        {"email_opt_out": "never"},
        {"unsubscribe_url": "https://example.com/u/1"},
        {"unsubscribe": "https://example.com/u/1"},
        {"list_unsubscribe": "<mailto:u@example.com>"},
        {"unsubscribe_count": 3},
        {"friend_unsubscribed": True},
        {"friend": {"do_not_contact": True}},
        {"referral_email_opt_out": "1"},
        {"colleague": {"email_status": "unsubscribed"}},
        {"ccpa_opt_out": True},
        {"do_not_sell": True},
        {"HasOptedOutTracking": True},
        {"sms_opt_out": True},
        {"fax": {"optout": True}},
        {"tracking": {"opt_out": True}},
        {"email_bounced": True},
        {"hs_email_bounce": 2},
        {"email_status": "bounced"},
        {"email_marketing_consent": {"state": "not_specified"}},
        {"subscriptions": {"email": {"marketing": {"consent": "NEVER_SUBSCRIBED"}}}},
        {"plan": "unsubscribed"},
        {"prioridad": "baja"},
        {"phone_no": "+49 30 1234567"},
        {"contact_no": "1"},
        {"laptop_outlet": True},
        {"email": "stop@acme.com", "phone": "no"},
        {"marketing_budget": 0},
        {"offers": 0},
        {"type": "complaint", "reason": "spam"},
        {"contact_reason": "complaint"},
        {"consent_text": "unsubscribe whenever you like"},
        {"subscription": "cancelled"},
        {"newsletter_count": 0},
        {"unsubscribe_enabled": True},
    ],
)
def test_what_is_about_something_else_or_about_somebody_else_withdraws_nothing(traits: dict[str, Any]) -> None:
    assert withdrawn(kind=InteractionKind.IDENTIFY, traits=traits) == set()


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        ("Unsubscribe", {E}),
        ("Email Marked as Spam", {E}),
        ("Marked Email as Spam", {E}),
        ("spamreport", {E}),
        ("spam_report", {E}),
        ("SpamComplaint", {E}),
        ("Complaint", {E}),
        ("complained", {E}),
        ("email.complained", {E}),
        ("group_unsubscribe", {E}),
        ("users.messages.email.Unsubscribe", {E}),
        ("contact.unsubscribed", {E}),
        ("Unsubscribed from Email Marketing", {E}),
        ("Unsubscribed from List", {E}),
        ("listUnsubscribe", {E}),
        ("emailUnSubscribe", {E}),
        ("hostedUnsubscribeClick", {E}),
        ("Email Opted Out", {E}),
        ("Opted Out", {A}),
        ("Do Not Call Requested", {P}),
        ("Newsletter abbestellt", {E}),
        ("Désinscription newsletter", {E}),
        ("Consent Withdrawn", {A}),
        ("Contact Unsubscribed From Campaign", {E}),
        ("Removed from Mailing List", {E}),
        ("Email Hard Bounced", set()),
        ("Hard bounce", set()),
        ("Unsubscribe Page Viewed", set()),
        ("Unsubscribe Dialog Opened", set()),
        ("Email Marked as Not Spam", set()),
        ("Resubscribed", set()),
        ("Customer Complaint", set()),
        ("Complaint Submitted", set()),
        ("Subscription Cancelled", set()),
        ("Opt In", set()),
        ("SMS Unsubscribed", set()),
        ("Cookies Opted Out", set()),
    ],
)
def test_what_an_event_s_name_says(name: str, channels: set[str]) -> None:
    assert withdrawn(name=name) == channels
    assert withdrawn(name=name, kind=InteractionKind.PAGE) == set()


@pytest.mark.parametrize(
    ("name", "properties", "channels"),
    [
        ("SubscriptionChange", {"SuppressSending": True, "Origin": "Recipient"}, {A}),
        ("Subscription Status Changed", {"status": "unsubscribed"}, {E}),
        ("Email Preferences Updated", {"newsletter": False}, {E}),
        ("Preferences Changed", {"marketing_emails": "off", "theme": "dark"}, {E}),
        ("Contact Updated", {"properties": {"hs_email_optout": "true"}}, {E}),
        ("Consent Updated", {"email": False, "phone": True}, {E}),
        ("Email Event", {"event_type": "spamreport"}, {E}),
        ("Ticket Created", {"type": "complaint", "status": "spam"}, set()),
        ("Signed Up", {"newsletter": False}, set()),  # a box that was left open
        ("Signed Up", {"email_opt_out": False}, set()),
        ("Signed Up", {"marketing_consent": True}, set()),  # what grants is said in traits
        ("Order Placed", {"subscription": "monthly"}, set()),
    ],
)
def test_what_an_event_s_properties_say(name: str, properties: dict[str, Any], channels: set[str]) -> None:
    event = a_capture(1, name=name)
    told = event.interaction.model_copy(update={"properties": properties})
    read = statements_of(told)
    assert {(one.channel.value, one.consent.value) for one in read} == {(one, "withdrawn") for one in channels}


@pytest.mark.parametrize(
    ("fields", "channels"),
    [
        ({"do_not_contact": "yes"}, {A}),
        ({"no_marketing": "1"}, {A}),
        ({"keine_werbung": "ja"}, {A}),
        ({"do_not_email": "1"}, {E}),
        ({"Bitte keine Werbung": "on"}, {A}),
        ({"contact_preference": "Do not call"}, {P}),
        ({"lead[email_opt_out]": "1"}, {E}),
        ({"do_not_contact": "no"}, set()),
        ({"do_not_contact": ""}, set()),
        ({"newsletter": "no"}, set()),
        ({"message": "Please unsubscribe me from nothing"}, set()),
        ({"friends_do_not_contact": "1"}, set()),
        ({"newsletter": "on"}, set()),  # a grant is heard where the form's mapping says it is one
    ],
)
def test_all_fields_of_a_form_are_heard_whatever_its_mapping_took_them_for(
    fields: dict[str, Any], channels: set[str]
) -> None:
    form = a_capture(1, kind=InteractionKind.FORM).interaction.model_copy(update={"properties": {"fields": fields}})
    read = statements_of(form)
    assert {(one.channel.value, one.consent.value) for one in read} == {(one, "withdrawn") for one in channels}


def test_a_company_withdraws_for_nobody() -> None:
    for traits in ({"do_not_contact": True}, {"unsubscribed": "yes"}, {"status": "unsubscribed"}):
        assert withdrawn(kind=InteractionKind.GROUP, traits=traits, context={"consent": traits}) == set()


@pytest.mark.parametrize(
    "name",
    [
        "Wypisano z newslettera",
        "Rezygnacja z newslettera",
        "Отписка",
        "退订",
        "配信停止",
        "수신거부",
        "Odhlášení",
        "Avregistrering",
        "Avmeldt nyhedsbrev",
        "Se dio de baja",
        "Cancelou inscrição",
        "Feedback Loop Complaint",
    ],
)
def test_an_event_withdraws_in_the_languages_in_which_forms_are_read(name: str) -> None:
    assert withdrawn(name=name) == {E}


@pytest.mark.parametrize(
    ("properties", "channels"),
    [
        ({"marketing": "denied"}, {A}),
        ({"marketing_emails": "declined"}, {E}),
        ({"RecordType": "SpamComplaint"}, {E}),
        ({"event": "complained"}, {E}),
        ({"analytics": "denied"}, set()),
        ({"type": "complaint"}, set()),
    ],
)
def test_what_is_denied_is_withdrawn_and_a_report_of_spam_is_heard(
    properties: dict[str, Any], channels: set[str]
) -> None:
    told = a_capture(1, name="Consent Updated").interaction.model_copy(update={"properties": properties})
    assert {one.channel.value for one in statements_of(told)} == channels


@pytest.mark.parametrize(
    ("fields", "channels"),
    [
        ({"message": "Please unsubscribe me"}, {E}),
        ({"message": "UNSUBSCRIBE"}, {E}),
        ({"subject": "Unsubscribe"}, {E}),
        ({"topic": "Abmelden"}, {E}),
        ({"request_type": "Opt-out"}, {A}),
        ({"What would you like to do?": "Unsubscribe from all emails"}, {E}),
        ({"I no longer wish to receive emails": "on"}, {E}),
        ({"last_name": "Robinson"}, set()),
        ({"company": "Unsubscribe"}, set()),
        ({"prioridad": "baja"}, set()),
        ({"message": "How many of your customers unsubscribe each month?"}, set()),
        ({"friend_topic": "unsubscribe"}, set()),
    ],
)
def test_what_is_written_where_anything_may_be_written_is_heard(fields: dict[str, Any], channels: set[str]) -> None:
    told = a_capture(1, kind=InteractionKind.FORM).interaction
    assert {
        one.channel.value for one in statements_of(told.model_copy(update={"properties": {"fields": fields}}))
    } == channels
